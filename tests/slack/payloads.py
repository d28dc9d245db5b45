"""What Slack sends when people do something: slash commands, interactions and events.

Sources: docs.slack.dev/interactivity/implementing-slash-commands, .../reference/interaction-payloads
(block_actions, view_submission, view_closed) and .../reference/events/app_home_opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.slack import response_urls, web_chat, web_views
from tests.slack.model import Channel, Json, Message, Team, Trigger, User, View, World

TOKEN = "verification-token-of-old"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something, and in which workspace."""

    user: User
    team: Team

    @property
    def grid(self) -> dict[str, Json] | None:
        """The organisation of an Enterprise Grid."""
        if self.team.enterprise_id is None:
            return None
        return {"id": self.team.enterprise_id, "name": self.team.enterprise_name}


def _trigger(world: World, user: User, view: View | None = None) -> str:
    name = f"{world.new_ts()}.{world.team.id}"
    world.triggers[name] = Trigger(user, world.now(), view)
    return name


def _who(actor: Actor) -> dict[str, Json]:
    grid = {"enterprise_id": actor.grid["id"], "enterprise_name": actor.grid["name"]} if actor.grid else {}
    return {
        "user": {
            "id": actor.user.id,
            "username": actor.user.name,
            "name": actor.user.name,
            "team_id": actor.user.team.id,
        },
        "team": {"id": actor.team.id, "domain": actor.team.domain, **grid},
        "enterprise": actor.grid,
        "is_enterprise_install": actor.team.org_wide,
    }


def slash_command(world: World, actor: Actor, channel: Channel, command: str, text: str) -> dict[str, str]:
    """The form of a slash command."""
    grid = {"enterprise_id": actor.grid["id"], "enterprise_name": actor.grid["name"]} if actor.grid else {}
    return {
        "token": TOKEN,
        "team_id": actor.team.id,
        "team_domain": actor.team.domain,
        **grid,
        "channel_id": channel.id,
        "channel_name": channel.shown_name,
        "user_id": actor.user.id,
        "user_name": actor.user.name,
        "command": command,
        "text": text,
        "api_app_id": world.app_id,
        "is_enterprise_install": str(actor.team.org_wide).lower(),
        "response_url": response_urls.make(world, actor.user, channel),
        "trigger_id": _trigger(world, actor.user),
    }


_SINGLE = {
    "users_select": "selected_user",
    "conversations_select": "selected_conversation",
    "channels_select": "selected_channel",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "multi_users_select": "selected_users",
    "multi_conversations_select": "selected_conversations",
    "multi_channels_select": "selected_channels",
}
_MANY_OPTIONS = frozenset(("checkboxes", "multi_static_select", "multi_external_select"))
_ONE_OPTION = frozenset(("static_select", "external_select", "radio_buttons", "overflow"))


def entered(element: Mapping[str, Json], value: Json) -> dict[str, Json]:
    """What a person put into an element, as a view's state and an action have it."""
    kind = element["type"]
    if kind in _SINGLE:
        return {"type": kind, _SINGLE[kind]: value}
    if kind not in _MANY_OPTIONS | _ONE_OPTION:
        return {"type": kind, "value": value}
    groups = element.get("option_groups") or []
    options = [*(element.get("options") or []), *(it for group in groups for it in group["options"])]
    wanted = value if kind in _MANY_OPTIONS else [value]
    chosen = [it for it in options if it["value"] in wanted]
    assert len(chosen) == len(wanted), f"{wanted} is not among the options {[it['value'] for it in options]}"
    if kind in _MANY_OPTIONS:
        return {"type": kind, "selected_options": chosen}
    return {"type": kind, "selected_option": chosen[0]}


def action(world: World, element: Mapping[str, Json], value: Json) -> dict[str, Json]:
    """One entry of `actions`; the value of a button is its own unless one is given (forged)."""
    base = {
        "action_id": element["action_id"],
        "block_id": element["block_id"],
        "action_ts": world.new_ts(),
    }
    if element["type"] != "button":
        return {**base, **entered(element, value)}
    sent = element.get("value") if value is None else value
    style = {"style": element["style"]} if "style" in element else {}
    pressed = {"type": "button", "text": element["text"], **({} if sent is None else {"value": sent})}
    return {**base, **pressed, **style}


def block_actions(
    world: World, actor: Actor, place: Message | View, pressed: dict[str, Json]
) -> dict[str, Json]:
    """A click in a message, a modal or a Home tab. Slack leaves out what an ephemeral message said."""
    base = {
        "type": "block_actions",
        "api_app_id": world.app_id,
        "token": TOKEN,
        **_who(actor),
        "actions": [pressed],
        "state": {"values": {}},
    }
    if isinstance(place, View):
        modal = place if place.view.get("type") == "modal" else None
        view = {"view": web_views.shown(world, place), "container": {"type": "view", "view_id": place.id}}
        return {**base, **view, "trigger_id": _trigger(world, actor.user, modal)}
    ephemeral = place.only_for is not None
    message = {} if ephemeral else {"message": web_chat.shown(world, place)}
    container = {
        "type": "message",
        "message_ts": place.ts,
        "channel_id": place.channel.id,
        "is_ephemeral": ephemeral,
    }
    return {
        **base,
        **message,
        "container": container,
        "channel": {"id": place.channel.id, "name": place.channel.shown_name},
        "response_url": response_urls.make(world, actor.user, place.channel, place),
        "trigger_id": _trigger(world, actor.user),
    }


def view_submission(world: World, actor: Actor, view: View, values: Mapping[str, Json]) -> dict[str, Json]:
    """A modal that was filled in; `values` by action id. What is required must be there, as in the client."""
    state: dict[str, dict[str, Json]] = {}
    left = dict(values)
    for block in view.blocks:
        if block["type"] != "input":
            continue
        element = block["element"]
        name = element["action_id"]
        value = left.pop(name, element.get("initial_value"))
        assert value not in (None, "") or block.get("optional"), f"{name!r} must be filled in"
        blank = value is None and element["type"] in _MANY_OPTIONS | _ONE_OPTION
        filled = {"type": element["type"]} if blank else entered(element, value)
        state[block["block_id"]] = {name: filled}
    assert not left, f"there is no input for {sorted(left)}"
    return {
        "type": "view_submission",
        "api_app_id": world.app_id,
        "token": TOKEN,
        **_who(actor),
        "trigger_id": _trigger(world, actor.user, view),
        "view": {**web_views.shown(world, view), "state": {"values": state}},
        "response_urls": [],
    }


def view_closed(world: World, actor: Actor, view: View, *, cleared: bool) -> dict[str, Json]:
    """A modal that was closed, if it asked to be told."""
    return {
        "type": "view_closed",
        "api_app_id": world.app_id,
        "token": TOKEN,
        **_who(actor),
        "view": web_views.shown(world, view),
        "is_cleared": cleared,
    }


def event(world: World, actor: Actor, what: Mapping[str, Any]) -> dict[str, Json]:
    """An event in its envelope."""
    grid = {"enterprise_id": actor.grid["id"]} if actor.grid else {}
    authorization = {
        "enterprise_id": actor.team.enterprise_id,
        "team_id": actor.team.id,
        "user_id": world.bot.id,
        "is_bot": True,
        "is_enterprise_install": actor.team.org_wide,
    }
    return {
        "token": TOKEN,
        "team_id": actor.team.id,
        **grid,
        "api_app_id": world.app_id,
        "event": {"event_ts": world.new_ts(), **what},
        "type": "event_callback",
        "event_id": world.new_id("Ev"),
        "event_time": int(world.now()),
        "authorizations": [authorization],
        "is_ext_shared_channel": False,
    }


def home_opened(world: World, user: User) -> dict[str, Json]:
    """`app_home_opened`, with the view that is there already."""
    home = world.homes.get(user.id)
    view = {"view": web_views.shown(world, home)} if home else {}
    return {
        "type": "app_home_opened",
        "user": user.id,
        "channel": world.direct(user).id,
        "tab": "home",
        **view,
    }
