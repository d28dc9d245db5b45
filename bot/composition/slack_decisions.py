"""Clicks on recommendations in Slack, with the real ports: decided, answered, and shown to everybody."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from bot.adapters.records import Records
from bot.digest import ItemState
from bot.entrypoints.jobs import Json
from bot.errors import SlackRefused, SlackUnavailable
from bot.handlers.decide_recommendation import Deciding, Outcome, press, submit
from bot.handlers.show_digest import Showing, show_became, show_decision, tell_approver
from bot.recommendation_records import KeptRecommendation
from bot.recommendation_slack import carried
from bot.server_config import ServerConfig
from bot.slack_events import ButtonPressed, ModalSubmitted, SlackEvent, from_json
from bot.slack_message import Said
from bot.slack_ports import SlackMessages, SlackPeople

log = logging.getLogger(__name__)

CheckStale = Callable[[KeptRecommendation], str]


class SlackDecisions:
    """Two steps. `check_stale` is None where nothing opens pull requests: then nothing is approved."""

    def __init__(
        self,
        records: Records,
        config: ServerConfig,
        *,
        people: SlackPeople,
        messages: SlackMessages,
        check_stale: CheckStale | None,
    ) -> None:
        self._messages = messages
        self._showing = Showing(
            records.digests,
            records.recommendations,
            records.recommendation_decisions,
            records.right_sizing,
            messages,
        )
        self._given = Deciding(
            records.recommendations,
            records.recommendation_decisions,
            people,
            config.teams,
            check_stale,
        )

    def decide(self, told: Json) -> Json:
        """Decide; a modal is opened here, since Slack takes it for three seconds after the click only."""
        event, now = from_json(told), datetime.now(UTC)
        outcome = Outcome()
        if isinstance(event, ModalSubmitted):
            outcome = submit(event, self._given, now)
        elif isinstance(event, ButtonPressed):
            outcome = press(event, self._given, now)
            if outcome.modal is not None and self._opened(event, outcome):
                outcome = Outcome()
        return {
            "said": [Said("asker", outcome.answer).to_json()] if outcome.answer else [],
            "changed": outcome.changed,
            "team": outcome.team,
            "right_size": outcome.right_size,
        }

    def show(self, told: Json, id: str, team: str) -> int:  # noqa: A002 - its name
        """Write anew the digests that show a recommendation."""
        channel, timestamp = _place(from_json(told))
        now = datetime.now(UTC)
        return show_decision(id, team, self._showing, now, channel=channel, timestamp=timestamp)

    def became(self, id: str, told: Json) -> bool:  # noqa: A002 - its name
        """Show what became of an approved recommendation: the fields of `Became`, as JSON."""
        return show_became(id, _state(told), told.get("patch", ""), self._showing, datetime.now(UTC))

    def tell_approver(self, id: str, told: Json) -> None:  # noqa: A002 - its name
        """The same to whoever approved it alone."""
        tell_approver(id, _state(told), told.get("patch", ""), self._showing)

    def tell(self, event: ModalSubmitted, said: Said) -> None:
        """Say it to whoever sent a modal off: where they clicked, or else in their direct messages."""
        channel, _ = _place(event)
        try:
            self._messages.tell(channel, event.asker.user_id, said.message)
        except SlackRefused as refused:
            log.info("Told in direct messages, since the channel does not take it: %s", refused)
            self._messages.post(event.asker.user_id, said.message)

    def replace(self, event: ModalSubmitted, said: Said) -> None:
        """Say it in the place of the answer in which they clicked, while Slack takes that."""
        try:
            self._messages.respond(
                carried(event.private_metadata).get("response_url", ""), said.message, replace=True
            )
        except SlackRefused as refused:
            log.info("An answer is not written anew: %s", refused)

    def _opened(self, event: ButtonPressed, outcome: Outcome) -> bool:
        try:
            self._messages.ask(event.trigger_id, outcome.modal or {})
        except SlackUnavailable as lost:
            log.warning("A modal was perhaps not opened: %s", lost)
            return False
        except SlackRefused as refused:
            if "trigger" not in refused.reason:
                raise
            log.warning("A modal came too late: %s", refused)
            return False
        return True


def _state(told: Json) -> ItemState:
    return ItemState(told["state"], why=told.get("why", ""), address=told.get("address", ""))


def _place(event: SlackEvent) -> tuple[str, str]:
    """The channel and the message in which somebody clicked; `""` where it was not in one."""
    if isinstance(event, ButtonPressed):
        return event.asker.channel_id, event.message_ts
    if isinstance(event, ModalSubmitted):
        found = carried(event.private_metadata)
        return found.get("channel", ""), found.get("ts", "")
    return "", ""
