"""Records are kept as long as the retention setting says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.ports import Retention


def purge_records(days: int, *, records: Retention, now: datetime) -> Mapping[str, int]:
    """Remove what is older than `days`, nothing for 0: how many rows of which table."""
    return records.purge(before=now - timedelta(days=days), now=now) if days else {}
