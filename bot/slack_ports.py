"""What features may ask of Slack. Every method may raise SlackUnavailable or SlackRefused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from bot.slack_message import SlackMessage


@dataclass(frozen=True, slots=True)
class SlackPerson:
    """Somebody in Slack, as Slack says they are now.

    `member` is whether they are a whole member of the workspace (or organisation) that the app is
    installed in: no guest, no stranger of a shared channel, no bot, not deactivated. `name` is what they
    call themselves, `""` where we may not look at them.
    """

    user_id: str
    member: bool
    name: str = ""


class Mark(NamedTuple):
    """What nobody sees of a message, and we find it by: the kind of message, and which one it is."""

    kind: str
    payload: Mapping[str, str]


class Posted(NamedTuple):
    """Where a message is; `channel` is an id even where it was posted by a channel's name."""

    channel: str
    timestamp: str


class SlackPeople(Protocol):
    """Who is who. Whom or what we may not look at counts against them.

    An outage, and a token that Slack no longer takes, are raised: to be told as what they are.
    """

    def person(self, user_id: str, *, fresh: bool = False) -> SlackPerson:
        """Who that is. An answer may be some minutes old, unless it is to be `fresh`."""
        ...

    def in_group(self, user_id: str, group: str, *, fresh: bool = False) -> bool | None:
        """Whether they are in a user group, named by its handle or id; None where it may not be read."""
        ...


class SlackMessages(Protocol):
    """What is said."""

    def respond(
        self, response_url: str, message: SlackMessage, *, replace: bool = False, to_channel: bool = False
    ) -> None:
        """Answer where somebody asked: to them alone, in place of what they clicked on, or to all there."""
        ...

    def post(
        self, channel: str, message: SlackMessage, *, mark: Mark | None = None, thread: str = ""
    ) -> Posted:
        """Say it to all of a channel, below a message in its `thread`, or to a person in direct messages.

        SlackUnavailable without `retry_after` leaves it open whether it was said.
        """
        ...

    def find(self, channel: str, mark: Mark, since: datetime) -> str:
        """The timestamp of our message with that mark that was said since then, `""` where there is none.

        Raises SlackRefused where the channel may not be read.
        """
        ...

    def update(self, channel: str, timestamp: str, message: SlackMessage) -> None:
        """Say something else in a message's place."""
        ...

    def tell(self, channel: str, user: str, message: SlackMessage) -> None:
        """Say it to one person in a channel that the app is in."""
        ...

    def ask(self, trigger_id: str, view: Mapping[str, Any]) -> None:
        """Open a modal for whoever clicked. Raises SlackRefused three seconds after that."""
        ...

    def home(self, user: str, message: SlackMessage) -> None:
        """Show it in somebody's home tab."""
        ...


class SlackFiles(Protocol):
    """Files of the app."""

    def picture(self, name: str, png: bytes, alt: str) -> str:
        """Put a picture where messages of ours can show it: its id, for an image block."""
        ...

    def send(self, user: str, name: str, content: bytes, said: str) -> None:
        """Send somebody a file in their direct messages with the app."""
        ...

    def attach(self, channel: str, timestamp: str, name: str, content: bytes, said: str) -> None:
        """Put a file below a message in a channel that the app is in."""
        ...

    def is_attached(self, channel: str, timestamp: str, name: str) -> bool:
        """Whether a file of that name is below a message. Raises SlackRefused where nobody may look."""
        ...
