"""Durable work: every delivery becomes a workflow before it is acknowledged, each step is one handler call.

DBOS keeps workflows in the database: a killed process resumes them, a fixed id runs once. Work with one
partition key never overlaps; other work runs side by side. An error of the outside is caught inside the
workflow and tried again there, since a workflow that ended in an error never runs again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from dbos import DBOS, SetEnqueueOptions, SetWorkflowID

from bot.errors import OutsideError, SlackRefused, UserError

log = logging.getLogger(__name__)

NAME = "tuppence"
WORKFLOWS = "2026-11-4"
"""Changes only when the workflows' steps do: work of another version begins anew, with its old arguments."""
EVENTS, IN_TURN = "events", "pull-requests"
"""The queues: what came in, and what is done one at a time for each partition key."""
PAUSES = (5.0, 30.0, 120.0, 600.0)
"""Seconds between tries when something outside fails."""

Json = dict[str, Any]


class Workflows(Protocol):
    """The workflows of one outside system."""

    def register(self) -> None:
        """Tell DBOS of each; called once, before it is launched."""
        ...


@dataclass(slots=True)
class Jobs:
    """The worker, between `start` and `stop`. One process has one."""

    database_url: str
    executor: str
    workflows: Sequence[Workflows]
    workers: int = 32
    """Many, since most wait: for somebody outside, between tries, or for their turn to use the processor."""
    _dbos: DBOS | None = None

    def start(self) -> None:
        """Register everything, resume what was left, and begin to work."""
        self._dbos = DBOS(
            config={
                "name": NAME,
                "system_database_url": self.database_url,
                "application_version": WORKFLOWS,
                "executor_id": self.executor,
                "enable_otlp": False,
                "console_log_level": "ERROR",
                "log_level": "ERROR",
            }
        )
        for each in self.workflows:
            each.register()
        DBOS.launch()
        DBOS.register_queue(EVENTS, worker_concurrency=self.workers, polling_interval_sec=0.1)
        DBOS.register_queue(
            IN_TURN, partition_concurrency=1, worker_concurrency=self.workers, polling_interval_sec=0.2
        )

    def stop(self, seconds: int = 10) -> None:
        """Let running steps end for at most `seconds`; what is left resumes at the next start."""
        if self._dbos is not None:
            self._dbos.destroy(workflow_completion_timeout_sec=seconds, destroy_registry=True)
            self._dbos = None

    def go_on(self, executor: str) -> int:
        """Go on with what another executor had begun, which must be gone: how many pieces of work."""
        return len(DBOS._recover_pending_workflows([executor]))  # noqa: SLF001 - else only by DBOS's own service

    def begin_anew(self, versions: Sequence[str]) -> int:
        """Begin all unfinished work of other versions from its first step: how many pieces of work.

        No executor may be at work on it. What a death leaves cancelled is begun the next time.
        """
        unfinished = DBOS.list_workflows(
            app_version=list(versions),
            status=["ENQUEUED", "PENDING", "CANCELLED"],
            load_input=False,
            load_output=False,
        )
        for each in unfinished:
            DBOS.cancel_workflow(each.workflow_id)  # DBOS rewinds nothing that is not at an end
            DBOS.rewind_workflow(
                each.workflow_id,
                application_version=WORKFLOWS,
                queue_name=IN_TURN if each.queue_partition_key else EVENTS,
                queue_partition_key=each.queue_partition_key,
            )
        return len(unfinished)

    def ready(self) -> Sequence[str]:
        """Why work would not be done now; nothing where all is well."""
        return () if self._dbos is not None else ("the worker is not running",)


def enqueue(
    workflow: Callable[..., Any],
    name: str,
    place: str,
    *arguments: Any,  # noqa: ANN401 - JSON
    later: float | None = None,
) -> None:
    """One piece of work under the id `name`, after what waits already in its partition `place`.

    `later` is for how many seconds it does not even wait there yet.
    """
    with SetWorkflowID(name), SetEnqueueOptions(queue_partition_key=place, delay_seconds=later):
        DBOS.enqueue_workflow(IN_TURN, workflow, *arguments)


def tried(
    name: str,
    step: Callable[..., Any],
    *arguments: Any,  # noqa: ANN401 - JSON
    apologise: Callable[[str, bool], None] | None = None,
    pauses: Sequence[float] | None = None,
) -> Any:  # noqa: ANN401 - JSON
    """The step's result; tried again after each of `pauses` (`PAUSES`), None where it never works.

    `apologise` is told what is wrong, and whether it is tried again.
    """
    return attempted(name, step, *arguments, apologise=apologise, pauses=pauses).get("result")


def attempted(
    name: str,
    step: Callable[..., Any],
    *arguments: Any,  # noqa: ANN401 - JSON
    apologise: Callable[[str, bool], None] | None = None,
    pauses: Sequence[float] | None = None,
    patient: bool = True,
) -> Json:
    """What the last try came to: its `result`, or its `failure` and whether that is `final`; see `tried`.

    Unless it is `patient`, nothing is tried again that waits for an administrator to renew our credentials.
    """
    for planned in (*(PAUSES if pauses is None else pauses), None):
        outcome: Json = DBOS.run_step({"name": name}, _guarded(step), *arguments)
        if "failure" not in outcome:
            return outcome
        if outcome["denied"] and not patient:
            outcome = {**outcome, "final": True}
        pause = None if outcome["final"] else planned
        log.warning("%s failed: %s", name, outcome["failure"])
        if apologise is not None and (pause is None or not outcome["retry_after"]):
            # Where GitHub says when to come back, one more write would only put it off.
            DBOS.run_step({"name": "apologise"}, _guarded(apologise), outcome["failure"], pause is not None)
        if pause is None:
            break
        DBOS.sleep(max(pause, outcome["retry_after"]))
    return outcome


def _guarded(step: Callable[..., Any]) -> Callable[..., Json]:
    """The step with failures as values: what failed outside is told, a mistake of ours is logged whole."""

    def guarded(*arguments: Any) -> Json:  # noqa: ANN401 - JSON
        try:
            return {"result": step(*arguments)}
        except OutsideError as error:
            later, final = getattr(error, "retry_after", None), isinstance(error, SlackRefused)
            return _failure(str(error), later, final=final, denied=error.denied)
        except UserError as error:
            return _failure(str(error).splitlines()[0], final=True)
        except Exception:
            log.exception("a step failed by a mistake of ours")
            return _failure("an internal error, which is logged")

    return guarded


def _failure(
    reason: str, retry_after: float | None = None, *, final: bool = False, denied: bool = False
) -> Json:
    """`final`: another try would end the same; `denied`: until our credentials are renewed."""
    return {"failure": reason, "retry_after": float(retry_after or 0.0), "final": final, "denied": denied}
