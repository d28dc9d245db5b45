"""The durable workflows of savings: a daily look at each default branch, and the pull requests that follow.

Branches are looked at one after the other; one where something open may have become untrue, again within
the hour. What is done about a workload's pull request never overlaps.
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
SETTLES_SECONDS = 900.0
"""After a push. What is rolled out is not judged, nor what was not applied yet: Argo CD looks each three
minutes, Flux by default each ten at the most, and a rollout takes minutes more."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Steps:
    """The handler calls, bound by the composition root. They take and give JSON.

    A place is a repository and its installation, `bot/recommendation_json.py` has its shape.
    """

    installed: Callable[[], list[Json]]
    """The places to look at."""
    seen: Callable[[], list[int]]
    """The repositories of which a look is kept."""
    pushed: Callable[[Json, Sequence[str] | None], Json | None]
    """Whether a push to a place that touched these files (None: not known which) may have made untrue what
    is open there: the `hour` it is, the `next` one, and how many seconds it is until then; else None."""
    scan: Callable[[Json], Json]
    """Looks for savings on a default branch; what it came to, for the log."""
    open_subjects: Callable[[Json], list[str]]
    """The workloads of a place with an open pull request of ours."""
    upkeep: Callable[[Json, str], Json | None]
    """Keeps a workload's open pull request true; what became of it, None where nothing changed."""
    subject_of_pull: Callable[[Json, int], str]
    """The workload that a pull request of ours is about, `""` for anybody else's."""
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
    _start_scan: Callable[..., Any] | None = None
    _start_upkeep: Callable[..., Any] | None = None
    _start_right_size: Callable[..., Any] | None = None

    def register(self) -> None:
        """Each by a name of its own."""

        @DBOS.workflow(name="scans")
        def scans(day: str, hour: str = "") -> None:
            places = tried("installed", self.steps.installed) or []
            seen = tried("seen", self.steps.seen)
            for place in places:
                repository = place["repository"]["id"]
                again = hour and seen is not None and repository not in seen
                # What was looked at today and is not known was taken from the App, and is back.
                when = hour if again and _is_over(_scan_of(place, day)) else day
                enqueue(scan, _scan_of(place, when), SCANS, place, when)

        @DBOS.workflow(name="scan")
        def scan(place: Json, when: str) -> None:
            repository = place["repository"]
            with about(repository=f"{repository['owner']}/{repository['name']}"):
                self._scan(place, when, upkeep)

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

        self._start_scans, self._start_scan = scans, scan
        self._start_upkeep, self._start_right_size = upkeep, right_size

    def scans(self, hour: str, told: str) -> None:
        """Look at what was not looked at on the day of `hour` (2026-11-21T15); the list is made once an hour.

        In however many processes this is called, a branch is looked at once a day, and once more where
        `told` is another one: it stands for all that the server is told of clusters, teams and repositories.
        """
        if self._start_scans is not None:
            name = f"scans/{hour}/{told}"
            enqueue(self._start_scans, name, name, f"{hour[:10]}/{told}", hour)

    def pushed(self, place: Json, files: Sequence[str] | None) -> None:
        """Look again after a push to a default branch: at most once an hour, and never before the last push.

        Not at once: what was pushed is to be rolled out. To be called in a workflow. Where this hour has had
        its look, or waits for it, the next one has another.
        """
        found = tried("pushed", self.steps.pushed, place, files)
        if found and self._start_scan is not None:
            hour, later = found["hour"], SETTLES_SECONDS
            if DBOS.get_workflow_status(_scan_of(place, hour)) is not None:
                hour, later = found["next"], max(found["seconds"], SETTLES_SECONDS)
            enqueue(self._start_scan, _scan_of(place, hour), SCANS, place, hour, later=later)

    def closed(self, place: Json, number: int) -> None:
        """Note at once what people did with a pull request of ours. To be called in a workflow."""
        subject = tried("subject_of_pull", self.steps.subject_of_pull, place, number)
        if subject and self._start_upkeep is not None:
            name = f"upkeep/{subject}/{DBOS.workflow_id}"
            enqueue(self._start_upkeep, name, _turn(subject), place, subject)

    def right_size(self, recommendation: str, day: str = "") -> None:
        """Open the pull request of an approved recommendation: once, and once more on a `day` without any."""
        subject = tried("subject_of", self.steps.subject_of, recommendation)
        if subject and self._start_right_size is not None:
            name = "/".join(filter(None, ("right-size", recommendation, day)))
            enqueue(self._start_right_size, name, _turn(subject), recommendation)

    def _scan(self, place: Json, when: str, upkeep: Callable[..., Any]) -> None:
        """`when` is a day with what the server is told, or an hour."""
        scanned = tried("scan", self.steps.scan, place, pauses=SCANNED_AGAIN)
        if scanned is None:
            return  # nothing is known that was not known yesterday
        log.info("Looked for savings", extra=scanned)
        for subject in tried("open_subjects", self.steps.open_subjects, place) or []:
            enqueue(upkeep, f"upkeep/{subject}/{when}", _turn(subject), place, subject)
        for recommendation in tried("due", self.steps.due, place) or []:
            # What stays to be done by hand is tried again each day, when a permission may be there, or the
            # file be another one: that renders the branch, writes nothing, and is told once. Not each hour.
            self.right_size(recommendation, when.partition("T")[0])


def _scan_of(place: Json, when: str) -> str:
    return f"scan/{place['repository']['id']}/{when}"


def _is_over(name: str) -> bool:
    status = DBOS.get_workflow_status(name)
    return status is not None and status.status == "SUCCESS"


def _turn(subject: str) -> str:
    """The partition of a workload."""
    return f"right-size/{subject}"
