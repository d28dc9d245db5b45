"""The durable workflow of a cluster's cost: hours that are missing are asked for, the newest day first.

Each hour starts one under an id of its own, in however many processes. A cluster's never overlap.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dbos import DBOS

from bot.entrypoints.jobs import Json, enqueue, tried

MOST_FAILURES = 2
"""Days that could not be had, each tried for a quarter of an hour, after which the next hour tries anew."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Steps:
    """The handler calls, bound by the composition root. They take and give JSON; hours are in ISO 8601."""

    wanted: Callable[[str], list[Json]]
    """The days or parts of days that a cluster lacks, the newest first."""
    fill: Callable[[str, Json], Json]
    """Keeps one of them; tells how many hours were `kept` and which `hour` is the newest to be had now."""


@dataclass(slots=True)
class AllocationWorkflows:
    """The workflow over `steps`."""

    steps: Steps
    _start: Callable[..., Any] | None = None

    def register(self) -> None:
        """By its name."""

        @DBOS.workflow(name="allocate")
        def allocate(cluster: str, hour: str) -> None:
            self._allocate(cluster, hour)

        self._start = allocate

    def allocate(self, cluster: str, hour: str) -> None:
        """Fill what a cluster lacks; for one newest `hour` once, in however many processes this is called."""
        if self._start is not None:
            enqueue(self._start, f"allocate/{cluster}/{hour}", f"allocation/{cluster}", cluster, hour)

    def _allocate(self, cluster: str, hour: str) -> None:
        failures = 0
        for span in tried(f"wanted {cluster}", self.steps.wanted, cluster) or []:
            done = tried(f"fill {cluster}", self.steps.fill, cluster, span)
            if done is None:
                failures += 1
                if failures == MOST_FAILURES:
                    return
            elif done["hour"] > hour:
                return  # there is a newer hour, whose work goes on with the older ones
            else:
                log.info("Kept hours of a cluster's cost", extra={"cluster": cluster, **span, **done})
