"""The durable workflows of savings: a daily look at each default branch, and the pull requests that follow.

Branches are looked at one after the other. What is done about a workload's pull request never overlaps.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dbos import DBOS

from bot.entrypoints.jobs import Json, enqueue, tried
from bot.logs import about
from bot.signed_marker import short_name

SCANS = "scans"
"""The partition of all looks at branches: whoever waits for a report has the rest of the machine."""
SCANNED_AGAIN: Sequence[float] = (60.0,)
"""Seconds between tries to look at a branch. The others wait meanwhile, and tomorrow it is looked at anew."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Steps:
    """The handler calls, bound by the composition root. They take and give JSON.

    A place is a repository and its installation, `bot/recommendation_json.py` has its shape.
    """

    installed: Callable[[], list[Json]]
    """The places to look at."""
    scan: Callable[[Json], Json]
    """Looks for savings on a default branch; what it came to, for the log."""
    open_subjects: Callable[[Json], list[str]]
    """The workloads of a place with an open pull request of ours."""
    upkeep: Callable[[Json, str], Json | None]
    """Keeps a workload's open pull request true; what became of it, None where nothing changed."""
    due: Callable[[Json], list[str]]
    """The recommendations of a place that are approved by now and have no pull request yet."""
    subject_of: Callable[[str], str]
    """The workload that a recommendation is about, `""` where it is not known."""
    open_pull: Callable[[str], Json | None]
    """Writes an approved value where it came from and opens the pull request; what became of it, None where
    nobody approved it."""
    tell: Callable[[str, Json], bool]
    """Says in Slack what became of a recommendation; False where no digest tells of it."""
    tell_approver: Callable[[str, Json], None]
    """Says it to whoever approved it."""


@dataclass(slots=True)
class SavingsWorkflows:
    """The workflows over `steps`."""

    steps: Steps
    _start_scans: Callable[..., Any] | None = None
    _start_right_size: Callable[..., Any] | None = None

    def register(self) -> None:
        """Each by a name of its own."""

        @DBOS.workflow(name="scans")
        def scans(day: str) -> None:
            for place in tried("installed", self.steps.installed) or []:
                enqueue(scan, f"scan/{place['repository']['id']}/{day}", SCANS, place, day)

        @DBOS.workflow(name="scan")
        def scan(place: Json, day: str) -> None:
            repository = place["repository"]
            with about(repository=f"{repository['owner']}/{repository['name']}"):
                self._scan(place, day, upkeep)

        @DBOS.workflow(name="tell-approver")
        def tell_approver(recommendation: str, became: Json) -> None:
            with about(recommendation=recommendation):
                tried("tell_approver", self.steps.tell_approver, recommendation, became)

        def tell(recommendation: str, became: Json) -> None:
            """What no digest remembers is told to whoever approved it, each day the same or not, once."""
            if tried("tell", self.steps.tell, recommendation, became) is False:
                place = f"tell-approver/{recommendation}"
                told = short_name(f"{became['state']} {became.get('why', '')}")
                enqueue(tell_approver, f"{place}/{told}", place, recommendation, became)

        @DBOS.workflow(name="upkeep")
        def upkeep(place: Json, subject: str) -> None:
            with about(subject=subject):
                became = tried("upkeep", self.steps.upkeep, place, subject)
                if became is not None:
                    tell(became["id"], became)

        @DBOS.workflow(name="right-size")
        def right_size(recommendation: str) -> None:
            with about(recommendation=recommendation):
                became = tried("open_pull", self.steps.open_pull, recommendation)
                if became is not None:
                    tell(recommendation, became)

        self._start_scans, self._start_right_size = scans, right_size

    def scans(self, hour: str, told: str) -> None:
        """Look at what was not looked at on the day of `hour` (2026-11-21T15); the list is made once an hour.

        In however many processes this is called, a branch is looked at once a day, and once more where
        `told` is another one: it stands for all that the server is told of clusters, teams and repositories.
        """
        if self._start_scans is not None:
            name = f"scans/{hour}/{told}"
            enqueue(self._start_scans, name, name, f"{hour[:10]}/{told}")

    def right_size(self, recommendation: str, day: str = "") -> None:
        """Open the pull request of an approved recommendation: once, and once more on a `day` without any."""
        subject = tried("subject_of", self.steps.subject_of, recommendation)
        if subject and self._start_right_size is not None:
            name = "/".join(filter(None, ("right-size", recommendation, day)))
            enqueue(self._start_right_size, name, _turn(subject), recommendation)

    def _scan(self, place: Json, day: str, upkeep: Callable[..., Any]) -> None:
        scanned = tried("scan", self.steps.scan, place, pauses=SCANNED_AGAIN)
        if scanned is None:
            return  # nothing is known that was not known yesterday
        log.info("Looked for savings", extra=scanned)
        for subject in tried("open_subjects", self.steps.open_subjects, place) or []:
            enqueue(upkeep, f"upkeep/{subject}/{day}", _turn(subject), place, subject)
        for recommendation in tried("due", self.steps.due, place) or []:
            self.right_size(recommendation, day)


def _turn(subject: str) -> str:
    """The partition of a workload."""
    return f"right-size/{subject}"
