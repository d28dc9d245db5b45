"""GitHub's durable workflows: an event, a report, a command, a merge, a measurement.

One pull request's work is one partition of a queue, so that it never overlaps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from dbos import DBOS

from bot.entrypoints.deliveries import Work
from bot.entrypoints.jobs import Json, enqueue, tried
from bot.github_events import (
    BaseMoved,
    CheckAsked,
    CommandWritten,
    Delivery,
    Event,
    InstallationChanged,
    PullRequestChanged,
    PullRequestClosed,
    PullRequestRef,
    from_json,
    to_json,
)
from bot.logs import about
from bot.recommendation_json import place_json
from bot.recommendation_ports import Place

EVENT = "event"
"""The workflow that a delivery starts."""
QUIET_SECONDS = 2.0
"""A head this young may be followed by the next push: waiting saves an analysis nobody reads."""
MOST_WAITS = 10
_FAILED = "That was tried several times and could not be done. Nothing was decided; please ask again later."


@dataclass(frozen=True, slots=True)
class Steps:
    """The handler calls that workflows are made of, bound by the composition root.

    They take and give JSON. `look` gives `open`, `done` (this head and base were reported) and
    `quiet_seconds` (since the head was first seen) beside what the later steps need.
    """

    look: Callable[[Json], Json]
    begin: Callable[[Json], None]
    analyse: Callable[[Json], Json]
    comment: Callable[[Json, Json], None]
    check: Callable[[Json, Json], None]
    finish: Callable[[Json], None]
    suggest: Callable[[Json, Json], None]
    """Offers safe values on lines of the diff; the report stands whatever comes of it."""
    apologise: Callable[[Json, str, bool], None]
    command: Callable[[Json, Json], Json]
    """Carries out what a comment or a button asks of a pull request; gives the answer, `report` tells
    whether the report is to be made again."""
    answer: Callable[[Json, Json], None]
    merged: Callable[[Json], None]
    """Remembers that a pull request is closed, and what was said of it where it is merged."""
    measure: Callable[[Json], None]
    """Tells how what was said of a merged pull request compares with what happened."""
    refs_of: Callable[[Json], list[Json]]
    """The pull requests that an event is about: of an installation, a base branch, or a check's head."""


def _nobody(_place: Json, _told: Any) -> None:  # noqa: ANN401 - JSON
    """Nothing is looked for on default branches."""


@dataclass(slots=True)
class GitHubWorkflows:
    """The workflows over `steps`.

    `pushed` is told of each push to a default branch and the files that it touched, None where not all are
    known, and `closed` of each pull request that is over, by its number; they may start workflows under ids
    of their own.
    """

    steps: Steps
    pushed: Callable[[Json, Sequence[str] | None], None] = _nobody
    closed: Callable[[Json, int], None] = _nobody
    _start_measure: Callable[..., Any] | None = None

    def measure(self, ref: Json, day: str) -> None:
        """Measure a merged pull request; on one `day` once, in however many processes this is called."""
        if self._start_measure is not None:
            self._enqueue(self._start_measure, ref, day, day)

    def register(self) -> None:
        """Each by a name of its own."""

        @DBOS.workflow(name="report")
        def report(ref: Json, forced: bool, delivery: str) -> None:  # noqa: FBT001 - an argument of a durable workflow
            with about(delivery=delivery, pull_request=_name(ref)):
                self._report(ref, forced=forced)

        @DBOS.workflow(name="command")
        def command(ref: Json, told: Json, delivery: str) -> None:
            with about(delivery=delivery, pull_request=_name(ref)):
                self._command(ref, told)

        @DBOS.workflow(name="merged")
        def merged(ref: Json, told: Json, delivery: str) -> None:
            with about(delivery=delivery, pull_request=_name(ref)):
                tried("merged", self.steps.merged, told)

        @DBOS.workflow(name="measure")
        def measure(ref: Json, _day: str) -> None:
            with about(pull_request=_name(ref)):
                tried("measure", self.steps.measure, ref)

        self._start_measure = measure

        @DBOS.workflow(name=EVENT)
        def event(told: Json, digest: str, delivery: str) -> None:
            with about(delivery=delivery):
                found = from_json(told)
                if isinstance(found, CommandWritten):
                    cause = f"comment-{found.comment_id}"
                    self._enqueue(command, _ref_json(found.ref), cause, told, delivery)
                elif isinstance(found, PullRequestClosed):
                    self._enqueue(merged, _ref_json(found.ref), digest, told, delivery)
                    self.closed(
                        place_json(Place(found.ref.installation, found.ref.repository)), found.ref.number
                    )
                elif isinstance(found, CheckAsked) and found.what == "explain":
                    for ref in tried("refs_of", self.steps.refs_of, told) or []:
                        self._enqueue(command, ref, digest, told, delivery)
                else:
                    if isinstance(found, BaseMoved) and found.branch == found.repository.default_branch:
                        self.pushed(place_json(Place(found.installation, found.repository)), found.files)
                    for ref, forced in self._asked(told):
                        self._enqueue(report, ref, digest, forced, delivery)

    def _asked(self, told: Json) -> list[tuple[Json, bool]]:
        """The pull requests that an event asks a report of, and whether even if it has one."""
        found = from_json(told)
        if isinstance(found, PullRequestChanged):
            return [(_ref_json(found.ref), False)]
        if isinstance(found, BaseMoved | InstallationChanged | CheckAsked):
            forced = isinstance(found, CheckAsked)
            return [(ref, forced) for ref in tried("refs_of", self.steps.refs_of, told) or []]
        return []

    def _enqueue(self, workflow: Callable[..., Any], ref: Json, cause: str, *arguments: Any) -> None:  # noqa: ANN401 - JSON
        """One piece of work in the pull request's own partition."""
        place = f"{ref['repository']['id']}/{ref['number']}"
        enqueue(workflow, f"{workflow.__name__}/{place}/{cause}", place, ref, *arguments)

    def _report(self, ref: Json, *, forced: bool) -> None:
        sight = self._settled(ref)
        if sight is None or not sight["open"] or (sight["done"] and not forced):
            return
        apologise = partial(self.steps.apologise, sight)
        tried("begin", self.steps.begin, sight)
        publication = tried("analyse", self.steps.analyse, sight, apologise=apologise)
        if publication is None:
            return
        tried("comment", self.steps.comment, sight, publication, apologise=apologise)
        tried("check", self.steps.check, sight, publication, apologise=apologise)
        tried("finish", self.steps.finish, sight)
        tried("suggest", self.steps.suggest, sight, publication)

    def _command(self, ref: Json, told: Json) -> None:
        answer = tried("command", self.steps.command, ref, told)
        if answer is None:
            asked = told.get("comment_id") or told["head_sha"]
            answer = {"text": _FAILED, "key": f"failed/{asked}", "report": False}
        tried("answer", self.steps.answer, ref, answer)
        if answer["report"]:
            self._report(ref, forced=True)

    def _settled(self, ref: Json) -> Json | None:
        """The pull request once its head has been the newest for a moment."""
        sight: Json | None = tried("look", self.steps.look, ref)
        for _ in range(MOST_WAITS):
            if sight is None or not sight["open"] or sight["quiet_seconds"] >= QUIET_SECONDS:
                break
            DBOS.sleep(QUIET_SECONDS - sight["quiet_seconds"])
            sight = tried("look", self.steps.look, ref)
        return sight


def work_of(delivery: Delivery, event: Event) -> Work:
    """The work that a delivery asks for. The digest of its body is its id: a second delivery does nothing.

    GitHub's own id of the delivery goes along for the log.
    """
    return Work(EVENT, f"event/{delivery.digest}", (to_json(event), delivery.digest, delivery.id))


def _name(ref: Json) -> str:
    return f"{ref['repository']['owner']}/{ref['repository']['name']}#{ref['number']}"


def _ref_json(ref: PullRequestRef) -> Json:
    told: Json = to_json(PullRequestChanged(ref, "", "", ""))["ref"]
    return told
