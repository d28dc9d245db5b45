"""Durable work: every delivery becomes a workflow before it is acknowledged, each step is one handler call.

DBOS keeps workflows in the database: a killed process resumes them, a fixed id runs once. One pull
request's work is one partition of a queue, so that it never overlaps; different ones run side by side.
An error of the outside is caught inside the workflow and tried again there, since a workflow that
ended in an error never runs again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dbos import DBOS, SetEnqueueOptions, SetWorkflowID

from bot.errors import OutsideError
from bot.github_events import (
    BaseMoved,
    CheckAsked,
    CommandWritten,
    Delivery,
    Event,
    Ignored,
    InstallationChanged,
    PullRequestChanged,
    PullRequestClosed,
    PullRequestRef,
    from_json,
    to_json,
)

log = logging.getLogger(__name__)

WORKFLOWS = "2026-11-1"
"""Changes only when the workflows' shape changes: executors of another version leave work alone."""
EVENTS, PULL_REQUESTS = "events", "pull-requests"
QUIET_SECONDS = 2.0
"""A head this young may be followed by the next push: waiting saves an analysis nobody reads."""
MOST_WAITS = 10
PAUSES = (5.0, 30.0, 120.0, 600.0)
"""Seconds between tries when something outside fails."""
_FAILED = "That was tried several times and could not be done. Nothing was decided; please ask again later."

Json = dict[str, Any]


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
    apologise: Callable[[Json, str, bool], None]
    command: Callable[[Json, Json], Json]
    """Carries out what a comment or a button asks of a pull request; gives the answer, `report` tells
    whether the report is to be made again."""
    answer: Callable[[Json, Json], None]
    merged: Callable[[Json], None]
    """Remembers what was said of a pull request that is merged now."""
    measure: Callable[[Json], None]
    """Tells how what was said of a merged pull request compares with what happened."""
    refs_of: Callable[[Json], list[Json]]
    """The pull requests that an event is about: of an installation, a base branch, or a check's head."""


@dataclass(slots=True)
class Jobs:
    """The queues and workflows. Between `start` and `stop`, `receive` may be called from any thread."""

    steps: Steps
    database_url: str
    executor: str
    workers: int = 4
    _dbos: DBOS | None = None
    _start_event: Callable[..., Any] | None = None
    _start_measure: Callable[..., Any] | None = None

    def start(self) -> None:
        """Register everything, resume what was left, and begin to work."""
        self._dbos = DBOS(
            config={
                "name": "tuppence",
                "system_database_url": self.database_url,
                "application_version": WORKFLOWS,
                "executor_id": self.executor,
                "enable_otlp": False,
                "console_log_level": "ERROR",
                "log_level": "ERROR",
            }
        )
        self._start_event = self._register()
        DBOS.launch()
        DBOS.register_queue(EVENTS, worker_concurrency=self.workers, polling_interval_sec=0.1)
        DBOS.register_queue(
            PULL_REQUESTS, partition_concurrency=1, worker_concurrency=self.workers, polling_interval_sec=0.2
        )

    def stop(self, seconds: int = 10) -> None:
        """Let running steps end for at most `seconds`; what is left resumes at the next start."""
        if self._dbos is not None:
            self._dbos.destroy(workflow_completion_timeout_sec=seconds, destroy_registry=True)
            self._dbos = None

    def receive(self, delivery: Delivery, event: Event) -> None:
        """Persist one delivery's work. The digest of its body is its id: a second delivery does nothing."""
        if isinstance(event, Ignored) or self._start_event is None:
            return
        with SetWorkflowID(f"event/{delivery.digest}"):
            DBOS.enqueue_workflow(EVENTS, self._start_event, to_json(event), delivery.digest)

    def measure(self, ref: Json, day: str) -> None:
        """Measure a merged pull request; on one `day` once, in however many processes this is called."""
        if self._start_measure is not None:
            self._enqueue(self._start_measure, ref, day, day)

    def ready(self) -> Sequence[str]:
        """Why work would not be done now; nothing where all is well."""
        return () if self._dbos is not None else ("the worker is not running",)

    def _register(self) -> Callable[..., Any]:
        @DBOS.workflow(name="report")
        def report(ref: Json, forced: bool) -> None:  # noqa: FBT001 - an argument of a durable workflow
            self._report(ref, forced=forced)

        @DBOS.workflow(name="command")
        def command(ref: Json, told: Json) -> None:
            self._command(ref, told)

        @DBOS.workflow(name="merged")
        def merged(_ref: Json, told: Json) -> None:
            self._tried("merged", self.steps.merged, told)

        @DBOS.workflow(name="measure")
        def measure(ref: Json, _day: str) -> None:
            self._tried("measure", self.steps.measure, ref)

        self._start_measure = measure

        @DBOS.workflow(name="event")
        def event(told: Json, digest: str) -> None:
            found = from_json(told)
            if isinstance(found, CommandWritten):
                self._enqueue(command, _ref_json(found.ref), f"comment-{found.comment_id}", told)
            elif isinstance(found, PullRequestClosed):
                if found.merged:
                    self._enqueue(merged, _ref_json(found.ref), digest, told)
            elif isinstance(found, CheckAsked) and found.what == "explain":
                for ref in self._tried("refs_of", self.steps.refs_of, told) or []:
                    self._enqueue(command, ref, digest, told)
            else:
                for ref, forced in self._asked(told):
                    self._enqueue(report, ref, digest, forced)

        return event

    def _asked(self, told: Json) -> list[tuple[Json, bool]]:
        """The pull requests that an event asks a report of, and whether even if it has one."""
        found = from_json(told)
        if isinstance(found, PullRequestChanged):
            return [(_ref_json(found.ref), False)]
        if isinstance(found, BaseMoved | InstallationChanged | CheckAsked):
            forced = isinstance(found, CheckAsked)
            return [(ref, forced) for ref in self._tried("refs_of", self.steps.refs_of, told) or []]
        return []

    def _enqueue(self, workflow: Callable[..., Any], ref: Json, cause: str, argument: Any) -> None:  # noqa: ANN401 - JSON
        """One piece of work in the pull request's own partition."""
        place = f"{ref['repository']['id']}/{ref['number']}"
        name = f"{workflow.__name__}/{place}/{cause}"
        with SetWorkflowID(name), SetEnqueueOptions(queue_partition_key=place):
            DBOS.enqueue_workflow(PULL_REQUESTS, workflow, ref, argument)

    def _report(self, ref: Json, *, forced: bool) -> None:
        sight = self._settled(ref)
        if sight is None or not sight["open"] or (sight["done"] and not forced):
            return
        self._tried("begin", self.steps.begin, sight)
        publication = self._tried("analyse", self.steps.analyse, sight, told=sight)
        if publication is None:
            return
        self._tried("comment", self.steps.comment, sight, publication, told=sight)
        self._tried("check", self.steps.check, sight, publication, told=sight)
        self._tried("finish", self.steps.finish, sight)

    def _command(self, ref: Json, told: Json) -> None:
        answer = self._tried("command", self.steps.command, ref, told)
        if answer is None:
            asked = told.get("comment_id") or told["head_sha"]
            answer = {"text": _FAILED, "key": f"failed/{asked}", "report": False}
        self._tried("answer", self.steps.answer, ref, answer)
        if answer["report"]:
            self._report(ref, forced=True)

    def _settled(self, ref: Json) -> Json | None:
        """The pull request once its head has been the newest for a moment."""
        sight: Json | None = self._tried("look", self.steps.look, ref)
        for _ in range(MOST_WAITS):
            if sight is None or not sight["open"] or sight["quiet_seconds"] >= QUIET_SECONDS:
                break
            DBOS.sleep(QUIET_SECONDS - sight["quiet_seconds"])
            sight = self._tried("look", self.steps.look, ref)
        return sight

    def _tried(self, name: str, step: Callable[..., Any], *arguments: Any, told: Json | None = None) -> Any:  # noqa: ANN401 - JSON
        """The step's result; tried again with growing pauses, None where it never worked.

        `told` is the sight of a pull request whose check then says what is wrong.
        """
        for pause in (*PAUSES, None):
            outcome = DBOS.run_step({"name": name}, _guarded(step), *arguments)
            if "failure" not in outcome:
                return outcome["result"]
            log.warning("%s failed: %s", name, outcome["failure"])
            if told is not None:
                DBOS.run_step(
                    {"name": "apologise"},
                    _guarded(self.steps.apologise),
                    told,
                    outcome["failure"],
                    pause is not None,
                )
            if pause is None:
                return None
            DBOS.sleep(max(pause, outcome["retry_after"]))
        return None


def _guarded(step: Callable[..., Any]) -> Callable[..., Json]:
    """The step with failures as values: what failed outside is told, a mistake of ours is logged whole."""

    def guarded(*arguments: Any) -> Json:  # noqa: ANN401 - JSON
        try:
            return {"result": step(*arguments)}
        except OutsideError as error:
            return {"failure": str(error), "retry_after": float(getattr(error, "retry_after", None) or 0.0)}
        except Exception:
            log.exception("a step failed by a mistake of ours")
            return {"failure": "an internal error, which is logged", "retry_after": 0.0}

    return guarded


def _ref_json(ref: PullRequestRef) -> Json:
    told: Json = to_json(PullRequestChanged(ref, "", "", ""))["ref"]
    return told
