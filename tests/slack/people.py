"""What people do in Slack: each action tells the app, as the service would, and shows what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.slack import payloads, response_urls, web_views
from tests.slack.delivery import GENUINE, JSON, Acknowledged, Line, Signing
from tests.slack.journal import Journal
from tests.slack.limits import Limits
from tests.slack.model import Channel, Json, Message, ResponseUrl, Team, User, View, World
from tests.slack.payloads import Actor
from tests.slack.routing import Call, RefusedError


class People:
    """Actions of people; every one waits for the app's acknowledgement and returns it.

    `team` is the workspace in which it happens (the app's own unless given); `signing` spoils
    the request.
    """

    def __init__(self, world: World, journal: Journal, limits: Limits, line: Line) -> None:
        self._world, self._journal, self._limits, self._line = world, journal, limits, line

    def command(
        self,
        user: User,
        command: str,
        text: str = "",
        *,
        channel: Channel | None = None,
        team: Team | None = None,
        signing: Signing = GENUINE,
    ) -> Acknowledged:
        """Type a slash command in a channel, or in the conversation with the app."""
        world = self._world
        assert "commands" in world.scopes, "an app without the scope `commands` has no slash commands"
        declared = world.manifest
        assert declared is None or command in declared.commands, f"{command} is not in the app manifest"
        with world.lock:
            place = channel or world.direct(user)
            payload = payloads.slash_command(world, self._actor(user, team), place, command, text)
        came = self._line.send(
            f"{command} {text[:40]}".strip(), "slash_commands", payload,
            signing=signing, at_home=self._at_home(user, team),
        )  # fmt: skip
        if came.in_time and came.body.strip():
            self._show(came, ResponseUrl(user, place, world.now()))
        return came

    def click(
        self,
        user: User,
        place: Message | View,
        action_id: str,
        *,
        value: str | None = None,
        choose: Json = None,
        forged: str | None = None,
        team: Team | None = None,
        signing: Signing = GENUINE,
    ) -> Acknowledged:
        """Press a button, or choose from a menu.

        `value` tells one of several buttons with the same action id; `choose` is the value of an option
        (or what a picker gives); `forged` is sent instead of the button's own value. A message that is
        gone can still be clicked: clients lag behind.
        """
        declared = self._world.manifest
        assert declared is None or declared.interactive, "interactivity is not in the app manifest"
        with self._world.lock:
            element = place.element(action_id, value=value)
            pressed = payloads.action(self._world, element, forged if choose is None else choose)
            payload = payloads.block_actions(self._world, self._actor(user, team), place, pressed)
        return self._line.send(
            f"click on {action_id}", "interactive", payload,
            signing=signing, at_home=self._at_home(user, team),
        )  # fmt: skip

    def submit(
        self, user: User, values: Mapping[str, Json] | None = None, *, team: Team | None = None
    ) -> Acknowledged:
        """Submit the modal on top, with values by action id; what the app answers happens to it."""
        with self._world.lock:
            view = self._top(user)
            payload = payloads.view_submission(self._world, self._actor(user, team), view, values or {})
        came = self._line.send(
            "submission of a modal", "interactive", payload, at_home=self._at_home(user, team)
        )
        if came.in_time:
            with self._world.lock:
                self._respond_to_view(user, view, came)
        return came

    def close(self, user: User) -> Acknowledged | None:
        """Close the modal on top; None where the app did not ask to be told."""
        with self._world.lock:
            view = self._top(user)
            cleared = bool(view.view.get("clear_on_close"))
            stack = self._world.stacks[user.id]
            stack[:] = [] if cleared else stack[:-1]
            payload = payloads.view_closed(self._world, self._actor(user, None), view, cleared=cleared)
        if not view.view.get("notify_on_close"):
            return None
        return self._line.send("closing of a modal", "interactive", payload)

    def open_home(
        self, user: User, *, team: Team | None = None, retry: int = 0, event_id: str | None = None
    ) -> Acknowledged:
        """Look at the app's Home tab; `retry` and `event_id` make it a repetition."""
        with self._world.lock:
            what = payloads.home_opened(self._world, user)
        return self.event(user, what, team=team, retry=retry, event_id=event_id)

    def event(
        self,
        user: User,
        what: Mapping[str, Any],
        *,
        team: Team | None = None,
        retry: int = 0,
        event_id: str | None = None,
        signing: Signing = GENUINE,
    ) -> Acknowledged:
        """Any event; `retry` 1 to 3 adds the headers of a repetition (keep its `event_id`)."""
        declared = self._world.manifest
        assert declared is None or what["type"] in declared.events, (
            f"{what['type']} is not in the app manifest"
        )
        with self._world.lock:
            payload = payloads.event(self._world, self._actor(user, team), what)
        if event_id:
            payload["event_id"] = event_id
        again = {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": "http_timeout"} if retry else None
        return self._line.send(
            f"event {what['type']}", "events_api", payload,
            signing=signing, headers=again, at_home=self._at_home(user, team),
        )  # fmt: skip

    def verify_url(
        self, challenge: str = "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"
    ) -> Acknowledged:
        """What Slack asks when the address is entered: the challenge must come back."""
        payload = {"token": payloads.TOKEN, "challenge": challenge, "type": "url_verification"}
        return self._line.send("url_verification", "events_api", payload)

    def ssl_check(self) -> Acknowledged:
        """What Slack asks about certificates, unsigned."""
        body = f"ssl_check=1&token={payloads.TOKEN}".encode()
        return self._line.post("ssl_check", body, signing=None)

    def post(
        self,
        body: bytes,
        kind: str = JSON,
        *,
        signing: Signing | None = GENUINE,
        headers: Mapping[str, str | None] | None = None,
    ) -> Acknowledged:
        """Any bytes, signed or not."""
        return self._line.post("raw request", body, kind, signing=signing, headers=headers)

    def replay(self, earlier: Acknowledged) -> Acknowledged:
        """The same bytes with the same headers once more. See `Signing(age=301)` for an old request."""
        kind = earlier.request_headers["Content-Type"]
        headers: dict[str, str | None] = dict(earlier.request_headers)
        return self._line.post(
            f"replay of {earlier.what}", earlier.request_body, kind, signing=None, headers=headers
        )

    def _actor(self, user: User, team: Team | None) -> Actor:
        return Actor(user, team or self._world.team)

    def _at_home(self, user: User, team: Team | None) -> bool:
        return user.team is self._world.team and team in (None, self._world.team)

    def _top(self, user: User) -> View:
        stack = self._world.stacks.get(user.id)
        assert stack, f"{user.name} has no modal open"
        return stack[-1]

    def _show(self, came: Acknowledged, url: ResponseUrl) -> None:
        """The body of an acknowledged command is a message."""
        content = came.json if isinstance(came.json, dict) else {"text": came.body}
        call = Call(self._world, self._journal, self._limits, "acknowledgement", content)
        with self._world.lock:
            try:
                response_urls.carry_out(call, url)
            except RefusedError as refusal:
                self._journal.violations.append(
                    f"{came.what}: {refusal.error}: {'; '.join(refusal.messages)}"
                )

    def _respond_to_view(self, user: User, view: View, came: Acknowledged) -> None:
        """`response_action`: errors, update, push or clear; without one the modal closes."""
        world, stack = self._world, self._world.stacks[user.id]
        answer = came.json if isinstance(came.json, dict) else {}
        kind = answer.get("response_action")
        if kind == "errors":
            names = {block["block_id"] for block in view.blocks if block["type"] == "input"}
            if wrong := sorted(answer.get("errors", {}).keys() - names):
                self._journal.violations.append(f"{came.what}: errors for blocks without input: {wrong}")
        elif kind in ("update", "push"):
            try:
                fresh = web_views.checked_view(world, answer.get("view"), "modal", of=view)
            except RefusedError as refusal:
                self._journal.violations.append(
                    f"{came.what}: {refusal.error}: {'; '.join(refusal.messages)}"
                )
                return
            if kind == "push":
                stack.append(web_views.make_view(world, user, fresh, view))
            else:
                view.view, view.hash = fresh, web_views.new_hash(world)
        elif kind == "clear":
            stack.clear()
        elif kind is None:
            stack.remove(view)
        else:
            self._journal.violations.append(f"{came.what}: unknown response_action {kind!r}")
