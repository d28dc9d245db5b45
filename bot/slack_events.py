"""What people do in Slack, in our own words: small facts that travel through durable workflows.

`bot/entrypoints/slack_listener.py` reads them from Slack's payloads; `to_json` and `from_json` turn each
into plain JSON and back, unchanged. All text in them is whatever somebody typed or forged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Asker:
    """Who, and where. In a home tab or a modal there is no channel, outside Enterprise Grid no enterprise."""

    team_id: str
    user_id: str
    channel_id: str = ""
    enterprise_id: str = ""


@dataclass(frozen=True, slots=True)
class CommandAsked:
    """A slash command. `response_url` takes five answers in thirty minutes."""

    asker: Asker
    command: str
    text: str
    response_url: str
    trigger_id: str


@dataclass(frozen=True, slots=True)
class ButtonPressed:
    """A button, or another element that sends at once.

    `message_ts` is the message it stands in, `""` outside one, `block_id` the block there; `ephemeral` that
    only the asker sees it.
    """

    asker: Asker
    action_id: str
    value: str
    response_url: str
    trigger_id: str
    message_ts: str = ""
    ephemeral: bool = False
    block_id: str = ""


@dataclass(frozen=True, slots=True)
class ModalSubmitted:
    """A modal that was sent off: what stands in its inputs, by their action ids."""

    asker: Asker
    callback_id: str
    values: Mapping[str, str] = field(default_factory=dict)
    private_metadata: str = ""


@dataclass(frozen=True, slots=True)
class HomeOpened:
    """Somebody looks at the app's home tab."""

    asker: Asker


SlackEvent = CommandAsked | ButtonPressed | ModalSubmitted | HomeOpened
_KINDS: Mapping[str, type[SlackEvent]] = {
    kind.__name__: kind for kind in (CommandAsked, ButtonPressed, ModalSubmitted, HomeOpened)
}


def to_json(event: SlackEvent) -> dict[str, Any]:
    """Plain JSON: the fields of the event and, as `kind`, its class."""
    return {"kind": type(event).__name__, **asdict(event)}


def from_json(stored: Mapping[str, Any]) -> SlackEvent:
    """The event that `to_json` wrote. Raises KeyError or TypeError for anything else."""
    fields = dict(stored)
    kind = _KINDS[fields.pop("kind")]
    return kind(**{**fields, "asker": Asker(**fields["asker"])})
