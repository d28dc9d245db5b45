"""How much history stands behind a row."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from estimators.report import Confidence
from estimators.usage import Window, WorkloadUsage, while_running

_LATE_START = timedelta(hours=1)
"""A first sample this late is a scrape that came late, not a young workload."""


def confidence(history: WorkloadUsage | None, window: Window | None) -> Confidence:
    """High needs 14 days (both weekly peaks) and 95 % of the steps, medium 7 days and 80 %.

    Counted are the steps in which the workload ran, from its first sample on, and of its
    containers the one with the least data. Two full periods are what a weekly pattern needs
    (Crane's seasonality detection).
    """
    if history is None or window is None or not history.containers:
        return Confidence.NONE
    series = [one for item in history.containers for one in (item.cpu_cores, item.memory_peak_bytes)]
    steps = min(len(one) for one in (*series, history.replicas))
    if not steps:
        return Confidence.NONE
    running = history.replicas[:steps]
    seen = ~np.isnan(np.vstack([while_running(one[:steps], running) for one in series]))
    any_data = seen.any(axis=0)
    if not any_data.any():
        return Confidence.NONE
    # A step without any pod has nothing to measure; one without any word of its pods is a gap.
    ran = any_data | ~(running == 0)
    start = int(np.argmax(any_data))
    if start * window.step_seconds <= _LATE_START.total_seconds():
        start = 0
    expected = np.count_nonzero(ran[start:])
    covered = np.count_nonzero(seen[:, start:] & ran[start:], axis=1).min() / expected if expected else 0.0
    days = window.days * (steps - start) / steps
    if days >= 14 and covered >= 0.95:
        return Confidence.HIGH
    return Confidence.MEDIUM if days >= 7 and covered >= 0.8 else Confidence.LOW
