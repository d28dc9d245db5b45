"""What features may ask of Slack. Every method may raise SlackUnavailable or SlackRefused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bot.slack_message import SlackMessage


@dataclass(frozen=True, slots=True)
class SlackPerson:
    """Somebody in Slack, as Slack says they are now.

    `member` is whether they are a whole member of the workspace (or organisation) that the app is
    installed in: no guest, no stranger of a shared channel, no bot, not deactivated.
    """

    user_id: str
    member: bool


class SlackPeople(Protocol):
    """Who is who. Whom or what we may not look at counts against them.

    An outage, and a token that Slack no longer takes, are raised: to be told as what they are.
    """

    def person(self, user_id: str, *, fresh: bool = False) -> SlackPerson:
        """Who that is. An answer may be some minutes old, unless it is to be `fresh`."""
        ...

    def in_group(self, user_id: str, group: str, *, fresh: bool = False) -> bool:
        """Whether they are in a user group, named by its handle or id."""
        ...


class SlackMessages(Protocol):
    """What is said."""

    def respond(
        self, response_url: str, message: SlackMessage, *, replace: bool = False, to_channel: bool = False
    ) -> None:
        """Answer where somebody asked: to them alone, in place of what they clicked on, or to all there."""
        ...

    def tell(self, channel: str, user: str, message: SlackMessage) -> None:
        """Say it to one person in a channel that the app is in."""
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
