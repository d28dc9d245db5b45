"""Durable work on what we keep ourselves: what is older than the retention setting says is removed, daily."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dbos import DBOS

from bot.entrypoints.jobs import enqueue, tried

WORK_DAYS = 30
"""How long finished work is kept: a redelivery does nothing meanwhile; GitHub allows one for three days."""
AT_ONCE = 200
"""Of what is removed, in one transaction: SQLite's other writers must not wait for long."""
_ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
log = logging.getLogger(__name__)


@dataclass(slots=True)
class MaintenanceWorkflows:
    """The workflows over `purge_records`, which tells how many rows of which table it removed."""

    purge_records: Callable[[], Mapping[str, int]]
    _start_purge: Callable[..., Any] | None = None

    def register(self) -> None:
        """Each by a name of its own."""

        @DBOS.workflow(name="purge")
        def purge(day: str) -> None:
            removed = tried("purge_records", lambda: dict(self.purge_records())) or {}
            finished = tried("purge_work", _purge_work, day) or 0
            rows = {f"removed_{table}": count for table, count in removed.items()}
            log.info("Removed what is too old", extra={"day": day, **rows, "removed_work": finished})

        self._start_purge = purge

    def purge(self, day: str) -> None:
        """Remove what is too old; on one `day` (2026-11-21) once, in however many processes."""
        if self._start_purge is not None:
            name = f"purge/{day}"
            # In a turn of its own: a purge that a lost replica had begun must not hold up all later ones.
            enqueue(self._start_purge, name, name, day)


def _purge_work(day: str) -> int:
    """Remove finished work from `WORK_DAYS` before `day`: how much. DBOS keeps it for ever by itself."""
    before = (datetime.fromisoformat(f"{day}T00:00:00+00:00") - timedelta(days=WORK_DAYS)).isoformat()
    removed = 0
    while ended := DBOS.list_workflows(
        status=_ENDED, completed_before=before, limit=AT_ONCE, load_input=False, load_output=False
    ):
        DBOS.delete_workflows([each.workflow_id for each in ended])
        removed += len(ended)
    return removed
