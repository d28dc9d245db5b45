"""How a method of the Web API is declared, what it is called with, and how it refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from tests.slack.model import Channel, User, World

if TYPE_CHECKING:
    from tests.slack.journal import Journal
    from tests.slack.limits import Limits

Json = Any
T = TypeVar("T")


class RefusedError(Exception):
    """`{"ok": false, "error": ...}`; `wait` makes it a 429. A `fault_of_bot` is written down as well."""

    def __init__(
        self,
        error: str,
        *,
        messages: Iterable[str] = (),
        wait: int | None = None,
        fault_of_bot: bool = False,
        **more: Json,
    ) -> None:
        super().__init__(error)
        self.error, self.wait, self.fault_of_bot = error, wait, fault_of_bot
        self.messages = list(messages)
        self.body: dict[str, Json] = {"ok": False, "error": error, **more}
        if self.messages:
            self.body["errors"] = self.messages
            self.body["response_metadata"] = {"messages": [f"[ERROR] {it}" for it in self.messages]}


def invalid(*messages: str) -> RefusedError:
    """Arguments that Slack does not take."""
    return RefusedError("invalid_arguments", messages=messages, fault_of_bot=True)


@dataclass(slots=True)
class Call:
    """One call that has passed the checks of token, scopes, arguments and rate."""

    world: World
    journal: Journal
    limits: Limits
    method: str
    arguments: dict[str, Json]

    def channel(self, *, by_name: bool = False) -> Channel:
        """The channel of the arguments; `chat.postMessage` alone also takes names and people."""
        name = str(self.arguments.get("channel") or self.arguments.get("channel_id") or "")
        found = self.world.channels.get(name)
        if found is None and by_name:
            bare = name.removeprefix("#")
            found = next(
                (it for it in self.world.channels.values() if it.name == bare and it.kind != "im"), None
            )
            if found is None and name in self.world.users:
                found = self.world.direct(self.world.users[name])
        if found is None or (found.kind != "public" and self.world.bot.id not in found.members):
            raise RefusedError("channel_not_found")
        return found

    def user(self, name: str = "user", error: str = "user_not_found") -> User:
        """The user of an argument."""
        found = self.world.users.get(str(self.arguments[name]))
        if found is None:
            raise RefusedError(error)
        return found

    def need(self, *scopes: str) -> None:
        """`missing_scope` unless one of the scopes was granted."""
        for scope in scopes:
            if scope in self.world.scopes:
                self.journal.used_scopes.add(scope)
                return
        raise missing_scope(scopes, self.world.scopes)

    def may_post(self, channel: Channel) -> None:
        """Whether the bot can write there."""
        if channel.is_archived:
            raise RefusedError("is_archived")
        if self.world.bot.id not in channel.members:
            if "chat:write.public" not in self.world.scopes:
                raise RefusedError("not_in_channel")
            self.need("chat:write.public")

    def flag(self, name: str) -> bool:
        """An argument that is true; forms say so in letters."""
        return self.arguments.get(name) in (True, 1, "1", "true", "True")

    def page(self, items: list[T]) -> tuple[list[T], dict[str, Json]]:
        """One page of a list, and the metadata that has the cursor of the next."""
        limit = int(self.arguments.get("limit") or 100)
        if not 1 <= limit <= 1000:
            raise RefusedError("invalid_limit", fault_of_bot=True)
        cursor = str(self.arguments.get("cursor") or "")
        if cursor and not (cursor.startswith("dXNlc") and cursor[5:].isdecimal()):
            raise RefusedError("invalid_cursor", fault_of_bot=True)
        begin = int(cursor[5:] or 0) if cursor else 0
        following = f"dXNlc{begin + limit}" if begin + limit < len(items) else ""
        return items[begin : begin + limit], {"response_metadata": {"next_cursor": following}}


def missing_scope(needed: Iterable[str], provided: Iterable[str]) -> RefusedError:
    """What the token lacks and has."""
    return RefusedError(
        "missing_scope", needed=",".join(needed), provided=",".join(sorted(provided)), fault_of_bot=True
    )


Handler = Callable[[Call], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Method:
    """What serves a method, what it takes, and what it takes to call it.

    One of `scopes` must be granted (none: no scope is needed); `tier` None is the special one.
    """

    handler: Handler
    scopes: tuple[str, ...]
    tier: int | None
    required: frozenset[str]
    optional: frozenset[str]
    kind: str
    """Of the token: `bot` or `app`."""


METHODS: dict[str, Method] = {}


def method(
    name: str,
    *scopes: str,
    tier: int | None,
    required: str = "",
    optional: str = "",
    kind: str = "bot",
) -> Callable[[Handler], Handler]:
    """Serve a method; `required` and `optional` are the names of its arguments."""

    def declare(handler: Handler) -> Handler:
        METHODS[name] = Method(
            handler, scopes, tier, frozenset(required.split()), frozenset(optional.split()), kind
        )
        return handler

    return declare
