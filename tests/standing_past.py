"""Series of what stands in clusters, of four days: in a cluster `renamed`, the labels of the target won."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from estimators.usage import Window
from tests.prometheus_server import Written

DAYS = 4
END = datetime(2026, 11, 16, tzinfo=UTC)
WINDOW = Window(END - timedelta(days=DAYS), END, 300)
GIB = 2.0**30
_SCRAPE = 300
_EXPORTER = {"namespace": "monitoring", "pod": "ksm-0", "service": "ksm", "endpoint": "http"}


def written(
    metric: str,
    value: float = 1.0,
    between: tuple[float, float] = (0, DAYS),
    /,
    *,
    cluster: str = "plain",
    **labels: str,
) -> Written:
    """One series between two days of the window."""
    if cluster == "renamed":
        own = {f"exported_{name}" if name in _EXPORTER else name: label for name, label in labels.items()}
        labels = {**_EXPORTER, **own}
    first, last = (WINDOW.start.timestamp() + 7 + day * 86_400 for day in between)
    times = np.arange(first, last, _SCRAPE).astype(np.int64)
    return Written(metric, {**labels, "cluster": cluster}, times, np.full(times.size, value))
