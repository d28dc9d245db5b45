"""A stateful Slack on loopback, stricter than the service: `with slack() as hub: ...`.

The app's side
    hub.api_url             base URL of the Web API (`SLACK_API_URL`, `WebClient(base_url=...)`)
    hub.bot_token, hub.app_token, hub.signing_secret    what the app is configured with
    hub.events_url = "http://127.0.0.1:PORT/slack/events"    where interactions are POSTed; while it is
                            None they go over the app's Socket Mode connections
    hub.scopes, hub.app_scopes    sets of what is installed; take some away to test `missing_scope`

    hub.install(manifest)   the parsed deploy/slack-app.yaml: exactly its scopes, and nobody can type a command or
                            click, and no event is sent, that it does not declare

Setting the scene (each returns the object of model.py)
    hub.person(name, guest=, single_channel_guest=, stranger=, deleted=, is_bot=, is_admin=, team=, email=) -> User
    hub.channel(name, *members, private=, archived=, shared=, with_bot=True) -> Channel
    hub.group(handle, *members) -> Group          hub.workspace(domain, enterprise_id=) -> Team
    hub.team.enterprise_id = "E1"   puts the app's own workspace into an Enterprise Grid; .org_wide installs it for all
    hub.user_groups = False         a free plan: `plan_upgrade_required`
    hub.home_tab = False            views.publish says `not_enabled`
    hub.limits.burst, .tiers, .messages_a_minute       rate limits; `hub.limits.refused` counts the 429s
    hub.advance(seconds)            moves the clock of triggers, response URLs, limits and scheduled messages
    hub.revoke(error="token_revoked")      every call is refused from now on (or "account_inactive")
    hub.fault(method, kind, nth=1, times=1, after_effect=False, retry_after=1, seconds=60, about=()) -> Fault; see faults.py.
                            `method` may be a pattern, "response_url" or "upload"

What people do (people.py; every call waits for the acknowledgement and returns Acknowledged:
`.status .body .json .seconds .in_time .payload .request_body .request_headers`)
    hub.people.command(user, "/cost", "namespace payments", channel=, team=, signing=)
    hub.people.click(user, message_or_view, action_id, value=, choose=, forged=, team=, signing=)
    hub.people.submit(user, {action_id: value})    hub.people.close(user)     the modal on top
    hub.people.open_home(user, retry=, event_id=)  hub.people.event(user, {"type": ...})
    hub.people.verify_url()    hub.people.ssl_check()    hub.people.post(bytes, kind, signing=, headers=)
    hub.people.replay(acknowledged)
    Signing(secret=, age=, timestamp=, signature=) of delivery.py signs wrongly or long ago;
    a header of None is left out

What is there now
    hub.messages(channel=None) -> list[Message]    those that all members see, oldest first, without deleted ones
    hub.ephemerals(user, channel=None) -> list[Message]
    hub.views(user) -> list[View]    open modals, the top one last      hub.home(user) -> View | None
    hub.files() -> list[File]        completed uploads, with `content`, `alt_text`, `title`, `channels`
    hub.wait(lambda: hub.ephemerals(ana))    the first true value; AssertionError after two and a half minutes
    Message: .text .blocks .content .elements .element(action_id) .versions .thread_ts .via .files .deleted .only_for

What happened (journal.py)
    hub.journal.calls["chat.postMessage"]      how often, faults included
    hub.journal.of("chat.postMessage", channel=...)    calls with arguments and `error`
    hub.journal.used_scopes, hub.unused_scopes()
    hub.journal.violations    invalid blocks or arguments, unknown arguments, missing scopes, blocks without
                              a fallback text, late or failed acknowledgements of genuine requests, any 5xx
    hub.assert_clean()        no violations
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from tests.slack.api import Api
from tests.slack.delivery import ACKNOWLEDGE_SECONDS, Line
from tests.slack.faults import Fault
from tests.slack.http_server import SlackServer
from tests.slack.journal import Journal
from tests.slack.limits import Limits
from tests.slack.manifest import installed
from tests.slack.model import Channel, File, Group, Kind, Message, Team, User, View, World
from tests.slack.people import People
from tests.slack.socket_mode import Sockets

T = TypeVar("T")

SCOPES = frozenset(
    (
        "chat:write", "commands", "files:write", "im:write", "usergroups:read", "users:read",
        "channels:read", "channels:history", "groups:history", "users:read.email",
    )
)  # fmt: skip
"""What is installed unless a test says otherwise; `hub.unused_scopes()` says which of them nobody needed."""


class Slack:
    """The running fake; the module's description lists what it offers."""

    def __init__(self, server: SlackServer, late_after: float) -> None:
        team = Team("T000000001", "acme")
        bot = User("U000000001", "tuppence", team, "", is_bot=True)
        self.bot_token, self.app_token = f"xoxb-{uuid.uuid4().hex}", f"xapp-{uuid.uuid4().hex}"
        self.signing_secret = uuid.uuid4().hex
        tokens = {self.bot_token: "bot", self.app_token: "app"}
        self.world = World(
            team, bot, "A000000001", "B000000001", f"{server.address}/api/", self.signing_secret, tokens,
            set(SCOPES), {"connections:write"}, users={bot.id: bot},
        )  # fmt: skip
        self.journal, self.limits = Journal(), Limits()
        self.sockets = server.sockets = Sockets(self.world)
        self._line = Line(self.world, self.journal, self.sockets, acknowledge_seconds=late_after)
        self.people = People(self.world, self.journal, self.limits, self._line)
        self.faults = server.faults
        server.api = Api(self.world, self.journal, self.limits)

    @property
    def api_url(self) -> str:
        """What `SLACK_API_URL` is set to; ends in a slash."""
        return self.world.api_url

    @property
    def events_url(self) -> str | None:
        """The app's `/slack/events`."""
        return self._line.url

    @events_url.setter
    def events_url(self, url: str | None) -> None:
        self._line.url = url

    @property
    def scopes(self) -> set[str]:
        """The bot's scopes."""
        return self.world.scopes

    @property
    def app_scopes(self) -> set[str]:
        """The app-level token's scopes."""
        return self.world.app_scopes

    @property
    def team(self) -> Team:
        """The workspace that the app is installed in."""
        return self.world.team

    @property
    def user_groups(self) -> bool:
        """Whether the workspace's plan has user groups."""
        return self.world.user_groups

    @user_groups.setter
    def user_groups(self, there: bool) -> None:
        self.world.user_groups = there

    @property
    def home_tab(self) -> bool:
        """Whether the app has a Home tab."""
        return self.world.home_tab

    @home_tab.setter
    def home_tab(self, there: bool) -> None:
        self.world.home_tab = there

    def workspace(self, domain: str, *, enterprise_id: str | None = None) -> Team:
        """Another workspace, perhaps of an Enterprise Grid."""
        with self.world.lock:
            name = "" if enterprise_id is None else f"{domain} Incorporated"
            return Team(self.world.new_id("T"), domain, enterprise_id, name)

    def person(
        self,
        name: str,
        *,
        team: Team | None = None,
        email: str | None = None,
        guest: bool = False,
        single_channel_guest: bool = False,
        stranger: bool = False,
        deleted: bool = False,
        is_bot: bool = False,
        is_admin: bool = False,
    ) -> User:
        """A new member, guest or stranger; the flags are what users.info says."""
        with self.world.lock:
            user = User(
                self.world.new_id("U"), name, team or self.world.team, email or f"{name}@acme.example",
                is_bot=is_bot, deleted=deleted, is_admin=is_admin,
                is_restricted=guest or single_channel_guest, is_ultra_restricted=single_channel_guest,
                is_stranger=stranger,
            )  # fmt: skip
            self.world.users[user.id] = user
            return user

    def channel(
        self,
        name: str,
        *members: User,
        private: bool = False,
        archived: bool = False,
        shared: bool = False,
        with_bot: bool = True,
    ) -> Channel:
        """A new channel, with the app in it unless told otherwise."""
        with self.world.lock:
            ids = {it.id for it in members} | ({self.world.bot.id} if with_bot else set())
            kind: Kind = "private" if private else "public"
            channel = Channel(self.world.new_id("C"), name, kind, ids, archived, shared)
            self.world.channels[channel.id] = channel
            return channel

    def group(self, handle: str, *members: User) -> Group:
        """A new user group."""
        with self.world.lock:
            group = Group(self.world.new_id("S"), handle, [it.id for it in members])
            self.world.groups[group.id] = group
            return group

    def install(self, manifest: Mapping[str, Any]) -> None:
        """Install the app as its manifest declares it: its scopes, commands, events and Home tab only."""
        declared = installed(manifest)
        with self.world.lock:
            self.world.manifest = declared
            self.world.scopes.clear()
            self.world.scopes.update(declared.scopes)
            self.world.home_tab = declared.home_tab

    def advance(self, seconds: float) -> None:
        """Move the clock ahead; scheduled messages whose time has come appear."""
        world = self.world
        with world.lock:
            world.ahead += seconds
            due = [it for it in world.scheduled if it[0] <= world.now()]
            world.scheduled = [it for it in world.scheduled if it[0] > world.now()]
            world.messages += [message for _, message in due]

    def revoke(self, error: str = "token_revoked") -> None:
        """As if an admin had removed the app."""
        self.world.token_error = error

    def fault(
        self,
        method: str,
        kind: str,
        *,
        nth: int = 1,
        times: int | None = 1,
        after_effect: bool = False,
        retry_after: int | None = 1,
        seconds: float = 60.0,
        about: tuple[str, ...] = (),
    ) -> Fault:
        """Make calls of a method go wrong; see Fault."""
        fault = Fault(method, kind, nth, times, after_effect, retry_after, seconds, about)
        with self.world.lock:
            self.faults.append(fault)
        return fault

    def messages(self, channel: Channel | None = None) -> list[Message]:
        """What all members of a channel see, oldest first."""
        with self.world.lock:
            return [it for it in self._there(channel) if it.only_for is None]

    def ephemerals(self, user: User, channel: Channel | None = None) -> list[Message]:
        """What only this person sees, oldest first."""
        with self.world.lock:
            return [it for it in self._there(channel) if it.only_for == user.id]

    def _there(self, channel: Channel | None) -> list[Message]:
        return [it for it in self.world.messages if not it.deleted and channel in (None, it.channel)]

    def views(self, user: User) -> list[View]:
        """The person's open modals, the top one last."""
        with self.world.lock:
            return list(self.world.stacks.get(user.id, []))

    def home(self, user: User) -> View | None:
        """The person's Home tab, if one was published."""
        return self.world.homes.get(user.id)

    def files(self) -> list[File]:
        """Uploads that were completed."""
        with self.world.lock:
            return [it for it in self.world.files.values() if it.completed]

    def unused_scopes(self) -> set[str]:
        """What is installed and no call needed; `commands` needs none."""
        return self.world.scopes - self.journal.used_scopes - {"commands"}

    @staticmethod
    def wait(what: Callable[[], T], seconds: float = 150.0) -> T:
        """The first true value of `what`."""
        until = time.monotonic() + seconds
        while not (found := what()):
            assert time.monotonic() < until, f"nothing came within {seconds:g} s"
            time.sleep(0.01)
        return found

    def assert_clean(self) -> None:
        """The app sent nothing that it must not send, and was never late."""
        assert self.journal.violations == []


@contextmanager
def slack(late_after: float = ACKNOWLEDGE_SECONDS) -> Iterator[Slack]:
    """A running fake with one workspace, in which the app is installed; the app is late after so many seconds."""
    server = SlackServer()
    hub = Slack(server, late_after)
    server.start()
    try:
        yield hub
    finally:
        server.stop()
