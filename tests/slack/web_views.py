"""views.*: modals on a person's screen and the Home tab."""

from __future__ import annotations

import json
from itertools import count

from tests.slack import blocks as block_kit
from tests.slack.block_checks import Surface
from tests.slack.model import STACKED_VIEWS, TRIGGER_SECONDS, Json, Trigger, User, View, World, with_ids
from tests.slack.routing import Call, RefusedError, invalid, method

_NAMES = count(1)
_MOST_BYTES = 250_000


def checked_view(world: World, view: Json, surface: Surface, *, of: View | None = None) -> dict[str, Json]:
    """A view that Slack takes, its blocks with ids."""
    problems = [str(it) for it in block_kit.view_problems(view, surface)]
    if problems:
        raise invalid(*problems)
    if len(json.dumps(view)) > _MOST_BYTES:
        raise RefusedError("view_too_large", fault_of_bot=True)
    external = view.get("external_id")
    taken = [*(it for stack in world.stacks.values() for it in stack), *world.homes.values()]
    if external and any(it.view.get("external_id") == external and it is not of for it in taken):
        raise RefusedError("duplicate_external_id", fault_of_bot=True)
    return {**view, "blocks": with_ids(view["blocks"], _NAMES)}


def make_view(world: World, user: User, view: dict[str, Json], under: View | None = None) -> View:
    """A view on somebody's screen, on top of another or on none."""
    new = world.new_id("V")
    made = View(
        new, user, view, new_hash(world), under.root_id if under else new, under.id if under else None
    )
    world.views[new] = made
    return made


def new_hash(world: World) -> str:
    """Tells one state of a view from the next."""
    return f"{world.new_ts()}.hash"


def shown(world: World, view: View) -> dict[str, Json]:
    """A view as answers and payloads have it."""
    defaults = {
        "private_metadata": "",
        "callback_id": "",
        "external_id": "",
        "title": {"type": "plain_text", "text": "View Title", "emoji": True},
        "clear_on_close": False,
        "notify_on_close": False,
        "submit": None,
        "close": None,
    }
    return {
        **defaults,
        **view.view,
        "id": view.id,
        "team_id": world.team.id,
        "app_id": world.app_id,
        "bot_id": world.bot_id,
        "app_installed_team_id": world.team.id,
        "hash": view.hash,
        "root_view_id": view.root_id,
        "previous_view_id": view.previous_id,
        "state": {"values": {}},
    }


def _exchanged(call: Call) -> Trigger:
    """Use a trigger up."""
    name = call.arguments.get("trigger_id")
    if not name:
        raise invalid("missing required field: trigger_id")
    trigger = call.world.triggers.get(str(name))
    if trigger is None:
        raise RefusedError("invalid_trigger_id", fault_of_bot=True)
    if trigger.used:
        raise RefusedError("exchanged_trigger_id")
    if call.world.now() - trigger.at > TRIGGER_SECONDS:
        raise RefusedError("expired_trigger_id")
    trigger.used = True
    return trigger


@method("views.open", tier=4, required="view", optional="trigger_id interactivity_pointer")
def views_open(call: Call) -> dict[str, Json]:
    """A modal in exchange for a trigger."""
    view = checked_view(call.world, call.arguments["view"], "modal")
    trigger = _exchanged(call)
    made = make_view(call.world, trigger.user, view)
    call.world.stacks[trigger.user.id] = [made]
    return {"view": shown(call.world, made)}


@method("views.push", tier=4, required="view", optional="trigger_id interactivity_pointer")
def views_push(call: Call) -> dict[str, Json]:
    """A modal on top of the one in which the trigger was made."""
    view = checked_view(call.world, call.arguments["view"], "modal")
    trigger = _exchanged(call)
    stack = call.world.stacks.get(trigger.user.id, [])
    if not stack or trigger.view is None:
        raise RefusedError("not_found")
    if len(stack) >= STACKED_VIEWS:
        raise RefusedError("push_limit_reached", fault_of_bot=True)
    made = make_view(call.world, trigger.user, view, stack[-1])
    stack.append(made)
    return {"view": shown(call.world, made)}


@method("views.update", tier=4, required="view", optional="view_id external_id hash")
def views_update(call: Call) -> dict[str, Json]:
    """Change an open modal, unless its hash says that somebody else has."""
    world, arguments = call.world, call.arguments
    stacked = [it for stack in world.stacks.values() for it in stack]
    found = [
        it
        for it in stacked
        if it.id == arguments.get("view_id")
        or (arguments.get("external_id") and it.view.get("external_id") == arguments["external_id"])
    ]
    if not found:
        raise RefusedError("not_found")
    view = checked_view(world, arguments["view"], "modal", of=found[0])
    if arguments.get("hash") and arguments["hash"] != found[0].hash:
        raise RefusedError("hash_conflict")
    found[0].view, found[0].hash = view, new_hash(world)
    return {"view": shown(world, found[0])}


@method("views.publish", tier=4, required="user_id view", optional="hash interactivity_pointer")
def views_publish(call: Call) -> dict[str, Json]:
    """The Home tab of one person."""
    world = call.world
    if not world.home_tab:
        raise RefusedError("not_enabled", fault_of_bot=True)
    user = call.user("user_id")
    home = world.homes.get(user.id)
    view = checked_view(world, call.arguments["view"], "home", of=home)
    if home is None:
        home = world.homes[user.id] = make_view(world, user, view)
        return {"view": shown(world, home)}
    if call.arguments.get("hash") and call.arguments["hash"] != home.hash:
        raise RefusedError("hash_conflict")
    home.view, home.hash = view, new_hash(world)
    return {"view": shown(world, home)}
