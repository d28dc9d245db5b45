"""Slack's durable workflows: questions are answered in a person's turn, recommendations decided in their own.

An answer goes to the question's own address, which takes five within thirty minutes, so a question is
not tried for longer. All clicks on one recommendation are one partition, so that no two of them overlap.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dbos import DBOS

from bot.cost_slack import SHARE
from bot.entrypoints.jobs import Json, attempted, enqueue, tried
from bot.entrypoints.slack_listener import WORKFLOW
from bot.logs import about
from bot.recommendation_slack import ACTIONS, MODAL, carried
from bot.savings_slack import decided_in
from bot.signed_marker import short_name
from bot.slack_events import ButtonPressed, ModalSubmitted, from_json

ANSWERED_AGAIN: Sequence[float] = (1.0, 5.0, 20.0)
"""Seconds between tries to find an answer: somebody sits and waits for it."""
SAID_AGAIN: Sequence[float] = (2.0, 10.0, 60.0, 300.0)
"""Seconds between tries to say it: five uses of its address at most."""
log = logging.getLogger(__name__)
_PERHAPS = "Slack did not say whether the channel has it"


@dataclass(frozen=True, slots=True)
class Steps:
    """The handler calls, bound by the composition root. They take and give JSON."""

    answer: Callable[[Json], list[Json]]
    """What to say to an event, each piece as `Said`; after a decision what takes the answer's place."""
    say: Callable[[Json, Json], bool]
    """Say one piece; True."""
    sorry: Callable[[str, bool], list[Json]]
    """What to say where there was no answer, for a reason, and whether to ask again may help."""
    decide: Callable[[Json], Json]
    """Decide about a recommendation: `said` has pieces as `answer` gives them, `changed` and `team` tell
    which digests are to be written anew, `right_size` what is to become a pull request; each may be `""`."""
    show: Callable[[Json, str, str], int]
    """Write anew the digests that show a recommendation of a team; how many there were."""


def _nobody(id: str) -> None:  # noqa: A002 - its name
    log.error("The recommendation %s was approved, and nothing here opens pull requests", id)


@dataclass(slots=True)
class SlackWorkflows:
    """The workflows over `steps`.

    `start_right_sizing` starts the workflow that opens the pull request of an approved recommendation,
    under an id of its own, so that it may be called again.
    """

    steps: Steps
    start_right_sizing: Callable[[str], None] = _nobody

    def register(self) -> None:
        """Each by a name of its own."""

        @DBOS.workflow(name="slack-answer")
        def slack_answer(told: Json) -> None:
            asker = told["asker"]
            with about(slack=told["kind"], team=asker["team_id"], user=asker["user_id"]):
                self._answer(told)

        @DBOS.workflow(name="slack-decide")
        def slack_decide(told: Json) -> None:
            asker = told["asker"]
            with about(slack=told["kind"], team=asker["team_id"], user=asker["user_id"]):
                self._decide(told)

        @DBOS.workflow(name=WORKFLOW)
        def slack(told: Json) -> None:
            asker = told["asker"]
            if decided := _decided(told):
                enqueue(slack_decide, f"{decided}/{DBOS.workflow_id}", decided, told)
                return
            place = f"slack/{asker['team_id']}/{asker['user_id']}"
            enqueue(slack_answer, f"{place}/{_once(told) or DBOS.workflow_id}", place, told)

    def _answer(self, told: Json) -> None:
        pieces = self._tried_or_sorry("slack_answer", self.steps.answer, told)
        if pieces and not self._say(told, pieces) and any(piece["to"] == "channel" for piece in pieces):
            self._say(told, self.steps.sorry(_PERHAPS, True))  # noqa: FBT003 - a step's

    def _decide(self, told: Json) -> None:
        outcome = self._tried_or_sorry("slack_decide", self.steps.decide, told)
        if outcome is None:
            return
        if outcome["right_size"]:
            self.start_right_sizing(outcome["right_size"])
        if outcome["changed"]:
            tried("slack_show", self.steps.show, told, outcome["changed"], outcome["team"], pauses=SAID_AGAIN)
            if decided_in(from_json(told)) is not None:
                self._say(told, tried("slack_answer", self.steps.answer, told, pauses=ANSWERED_AGAIN) or [])
        self._say(told, outcome["said"])

    def _tried_or_sorry(self, name: str, step: Callable[[Json], Any], told: Json) -> Any:  # noqa: ANN401 - JSON
        """The step's result; None where it never works, which whoever asked has then been told."""
        outcome = attempted(name, step, told, pauses=ANSWERED_AGAIN, patient=False)
        if "failure" in outcome:
            self._say(told, self.steps.sorry(outcome["failure"], not outcome["final"]))
        return outcome.get("result")

    def _say(self, told: Json, pieces: Sequence[Json]) -> bool:
        return all(
            tried("slack_say", self.steps.say, told, piece, pauses=SAID_AGAIN) is not None for piece in pieces
        )


def _once(told: Json) -> str:
    """What two clicks have in common that are to be one: an answer is shared with a channel once."""
    event = from_json(told)
    if isinstance(event, ButtonPressed) and event.action_id == SHARE and event.message_ts:
        return f"share/{event.asker.channel_id}/{event.message_ts}"
    return ""


def _decided(told: Json) -> str:
    """The partition of the recommendation that a click or a modal is about; `""` for anything else."""
    event = from_json(told)
    if isinstance(event, ButtonPressed) and event.action_id in ACTIONS:
        return f"recommendation/{short_name(event.value)}"
    if isinstance(event, ModalSubmitted) and event.callback_id == MODAL:
        return f"recommendation/{short_name(carried(event.private_metadata).get('id', ''))}"
    return ""
