"""Slack's durable workflows: what somebody asked is answered, one question of a person after the other.

An answer goes to the question's own address, which takes five within thirty minutes, so a question is
not tried for longer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dbos import DBOS

from bot.cost_slack import SHARE
from bot.entrypoints.jobs import Json, enqueue, tried
from bot.entrypoints.slack_listener import WORKFLOW
from bot.logs import about
from bot.slack_events import ButtonPressed, from_json

ANSWERED_AGAIN = (1.0, 5.0, 20.0)
"""Seconds between tries to find an answer: somebody sits and waits for it."""
SAID_AGAIN = (2.0, 10.0, 60.0, 300.0)
"""Seconds between tries to say it: five uses of its address at most."""
_PERHAPS = "Slack did not say whether the channel has it"


@dataclass(frozen=True, slots=True)
class Steps:
    """The handler calls, bound by the composition root. They take and give JSON."""

    answer: Callable[[Json], list[Json]]
    """What to say to an event, each piece as `Said`."""
    say: Callable[[Json, Json], bool]
    """Say one piece; True."""
    sorry: Callable[[str], list[Json]]
    """What to say where there was no answer, for a reason, `""` where it is not known."""


@dataclass(slots=True)
class SlackWorkflows:
    """The workflows over `steps`."""

    steps: Steps

    def register(self) -> None:
        """Each by a name of its own."""

        @DBOS.workflow(name="slack-answer")
        def slack_answer(told: Json) -> None:
            asker = told["asker"]
            with about(slack=told["kind"], team=asker["team_id"], user=asker["user_id"]):
                self._answer(told)

        @DBOS.workflow(name=WORKFLOW)
        def slack(told: Json) -> None:
            asker = told["asker"]
            place = f"slack/{asker['team_id']}/{asker['user_id']}"
            enqueue(slack_answer, f"{place}/{_once(told) or DBOS.workflow_id}", place, told)

    def _answer(self, told: Json) -> None:
        reasons: list[str] = []
        pieces = tried(
            "slack_answer",
            self.steps.answer,
            told,
            apologise=lambda reason, again: None if again else reasons.append(reason),
            pauses=ANSWERED_AGAIN,
        )
        if pieces is None:
            self._say(told, self.steps.sorry("".join(reasons)))
        elif not self._say(told, pieces) and any(piece["to"] == "channel" for piece in pieces):
            self._say(told, self.steps.sorry(_PERHAPS))

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
