"""What a workspace holds: people, channels, user groups, messages, views and files."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from threading import RLock
from typing import Any, Literal

from tests.slack.manifest import Installed

Json = Any
Kind = Literal["public", "private", "im"]

RESPONSE_URL_USES, RESPONSE_URL_SECONDS = 5, 1800.0
TRIGGER_SECONDS = 3.0
STACKED_VIEWS = 3


@dataclass(slots=True)
class Team:
    """A workspace; one of an Enterprise Grid has an `enterprise_id`."""

    id: str
    domain: str
    enterprise_id: str | None = None
    enterprise_name: str = ""
    org_wide: bool = False
    """Whether the app is installed for the whole organisation."""


@dataclass(slots=True, eq=False)
class User:
    """A person or a bot."""

    id: str
    name: str
    team: Team
    email: str
    is_bot: bool = False
    deleted: bool = False
    is_admin: bool = False
    is_restricted: bool = False
    """A guest of several channels."""
    is_ultra_restricted: bool = False
    """A guest of one channel."""
    is_stranger: bool = False
    """Of another organisation, met in a Slack Connect channel."""
    tz: str = "Europe/Berlin"

    @property
    def mention(self) -> str:
        """How it is written in mrkdwn."""
        return f"<@{self.id}>"


@dataclass(slots=True, eq=False)
class Channel:
    """A channel or a direct conversation; `members` are user ids."""

    id: str
    name: str
    kind: Kind
    members: set[str]
    is_archived: bool = False
    is_ext_shared: bool = False

    @property
    def shown_name(self) -> str:
        """What a slash command's `channel_name` says: Slack hides the names of what is not public."""
        return {"public": self.name, "private": "privategroup", "im": "directmessage"}[self.kind]


@dataclass(slots=True, eq=False)
class Group:
    """A user group (`@sre`)."""

    id: str
    handle: str
    members: list[str]
    disabled: bool = False


@dataclass(slots=True, eq=False)
class Message:
    """One message by the app; `only_for` is the user an ephemeral one is for."""

    channel: Channel
    ts: str
    content: dict[str, Json]
    via: str
    only_for: str | None = None
    thread_ts: str | None = None
    deleted: bool = False
    files: list[File] = field(default_factory=list)
    versions: list[dict[str, Json]] = field(default_factory=list)
    """Earlier contents, oldest first."""
    at: float = 0.0
    metadata: dict[str, Json] | None = None

    @property
    def text(self) -> str:
        """The fallback."""
        return str(self.content.get("text") or "")

    @property
    def blocks(self) -> list[dict[str, Json]]:
        """Its blocks, each with the id that Slack gave it."""
        return list(self.content.get("blocks") or [])

    @property
    def elements(self) -> list[dict[str, Json]]:
        """Everything in it that can be clicked."""
        return list(interactive(self.blocks))

    def element(self, action_id: str, *, value: str | None = None) -> dict[str, Json]:
        """The element with an action id (and a value, where several rows have the same button)."""
        return one_element(self.blocks, action_id, value)

    def replace(self, content: dict[str, Json]) -> None:
        """Edit it."""
        self.versions.append(self.content)
        self.content = content


@dataclass(slots=True, eq=False)
class File:
    """An upload; `content` is None until the bytes came, `completed` when it was shared or kept."""

    id: str
    name: str
    length: int
    alt_text: str
    snippet_type: str
    secret: str
    title: str = ""
    content: bytes | None = None
    completed: bool = False
    channels: list[str] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class View:
    """A modal on somebody's screen, or a Home tab."""

    id: str
    user: User
    view: dict[str, Json]
    hash: str
    root_id: str
    previous_id: str | None = None

    @property
    def blocks(self) -> list[dict[str, Json]]:
        """Its blocks."""
        return list(self.view.get("blocks") or [])

    @property
    def elements(self) -> list[dict[str, Json]]:
        """Everything in it that can be clicked or filled in."""
        return list(interactive(self.blocks))

    def element(self, action_id: str, *, value: str | None = None) -> dict[str, Json]:
        """The element with an action id."""
        return one_element(self.blocks, action_id, value)


@dataclass(slots=True)
class Trigger:
    """What lets the app open a modal once, within three seconds."""

    user: User
    at: float
    view: View | None = None
    used: bool = False


@dataclass(slots=True)
class ResponseUrl:
    """What lets the app answer an interaction five times within half an hour."""

    user: User
    channel: Channel
    at: float
    original: Message | None = None
    uses: int = 0


@dataclass(slots=True)
class World:
    """Everything, behind one lock. `ahead` moves the clock of all ages and limits."""

    team: Team
    bot: User
    app_id: str
    bot_id: str
    api_url: str
    signing_secret: str
    tokens: dict[str, str]
    """What each token is: `bot` or `app`."""
    scopes: set[str]
    app_scopes: set[str]
    token_error: str = ""
    manifest: Installed | None = None
    """What the app declared; None lets everything through."""
    user_groups: bool = True
    home_tab: bool = True
    users: dict[str, User] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    scheduled: list[tuple[int, Message]] = field(default_factory=list)
    views: dict[str, View] = field(default_factory=dict)
    stacks: dict[str, list[View]] = field(default_factory=dict)
    homes: dict[str, View] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    triggers: dict[str, Trigger] = field(default_factory=dict)
    response_urls: dict[str, ResponseUrl] = field(default_factory=dict)
    tickets: set[str] = field(default_factory=set)
    """Socket Mode addresses that nobody has connected to yet."""
    ahead: float = 0.0
    lock: RLock = field(default_factory=RLock)
    _ids: Iterator[int] = field(default_factory=lambda: count(101))
    _parts: Iterator[int] = field(default_factory=lambda: count(100))

    def now(self) -> float:
        """Seconds since 1970, moved ahead."""
        return time.time() + self.ahead

    def new_id(self, letter: str) -> str:
        """An id such as `C000000012`."""
        return f"{letter}{next(self._ids):09d}"

    def new_ts(self) -> str:
        """A message's id: never the same twice."""
        return f"{int(self.now())}.{next(self._parts):06d}"

    def direct(self, user: User) -> Channel:
        """The direct conversation of a person with the app, made on first use."""
        for channel in self.channels.values():
            if channel.kind == "im" and user.id in channel.members:
                return channel
        channel = Channel(self.new_id("D"), user.name, "im", {user.id, self.bot.id})
        self.channels[channel.id] = channel
        return channel

    def find_message(self, channel: str, ts: str) -> Message | None:
        """The message that is still there."""
        for message in self.messages:
            if message.channel.id == channel and message.ts == ts and not message.deleted:
                return message
        return None


def interactive(blocks: list[dict[str, Json]]) -> Iterator[dict[str, Json]]:
    """Elements with an action id, each with its block's id as `block_id`."""
    for block in blocks:
        found = [block.get("accessory"), block.get("element"), *(block.get("elements") or [])]
        for element in found:
            if isinstance(element, dict) and "action_id" in element:
                yield {**element, "block_id": block["block_id"]}


def one_element(blocks: list[dict[str, Json]], action_id: str, value: str | None) -> dict[str, Json]:
    """The one element with this action id and value; an AssertionError says what there is."""
    elements = list(interactive(blocks))
    found = [
        it for it in elements if it["action_id"] == action_id and (value is None or it.get("value") == value)
    ]
    there = [(it["action_id"], it.get("value")) for it in elements]
    assert found, f"no element {action_id!r} with value {value!r}; there are {there}"
    return found[0]


def with_ids(blocks: list[Mapping[str, Json]] | None, names: Iterator[int]) -> list[dict[str, Json]]:
    """Blocks as Slack gives them back: each with an id."""
    return [{"block_id": f"b{next(names):04d}", **block} for block in blocks or []]
