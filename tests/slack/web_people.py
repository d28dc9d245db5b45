"""auth, users, user groups and conversations."""

from __future__ import annotations

from tests.slack.model import Channel, Group, Json, User, World
from tests.slack.routing import Call, RefusedError, method

_READS = {"public": "channels:read", "private": "groups:read", "im": "im:read", "mpim": "mpim:read"}
_TYPES = {"public_channel": "public", "private_channel": "private", "im": "im", "mpim": "mpim"}
_OPENS = ("im:write", "mpim:write")


@method("auth.test", tier=None)
def auth_test(call: Call) -> dict[str, Json]:
    """Who the token is."""
    world = call.world
    grid = {"enterprise_id": world.team.enterprise_id} if world.team.enterprise_id else {}
    return {
        "url": f"https://{world.team.domain}.slack.com/",
        "team": world.team.domain,
        "user": world.bot.name,
        "team_id": world.team.id,
        "user_id": world.bot.id,
        "bot_id": world.bot_id,
        "is_enterprise_install": world.team.org_wide,
        **grid,
    }


def _profile(world: World, user: User) -> dict[str, Json]:
    email = {"email": user.email} if "users:read.email" in world.scopes and not user.is_bot else {}
    return {"real_name": user.name.title(), "display_name": user.name, "team": user.team.id, **email}


def _user(world: World, user: User) -> dict[str, Json]:
    """A user object; Slack leaves most out of one who was deactivated."""
    known = {
        "id": user.id,
        "team_id": user.team.id,
        "name": user.name,
        "deleted": user.deleted,
        "is_bot": user.is_bot,
        "is_app_user": False,
        "updated": 1_700_000_000,
        "profile": _profile(world, user),
    }
    if user.deleted:
        return known
    stranger = {"is_stranger": True} if user.is_stranger else {}
    grid = user.team.enterprise_id
    enterprise = {"enterprise_user": {"id": user.id, "enterprise_id": grid}} if grid else {}
    return {
        **known,
        "real_name": user.name.title(),
        "tz": user.tz,
        "tz_label": user.tz,
        "tz_offset": 3600,
        "is_admin": user.is_admin,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": user.is_restricted,
        "is_ultra_restricted": user.is_ultra_restricted,
        **stranger,
        **enterprise,
    }


@method("users.info", "users:read", tier=4, required="user", optional="include_locale")
def users_info(call: Call) -> dict[str, Json]:
    """One user."""
    return {"user": _user(call.world, call.user())}


@method("users.lookupByEmail", "users:read.email", tier=3, required="email")
def lookup_by_email(call: Call) -> dict[str, Json]:
    """The active user with an address; strangers are not found."""
    wanted = str(call.arguments["email"]).lower()
    for user in call.world.users.values():
        if user.email.lower() == wanted and not (user.deleted or user.is_bot or user.is_stranger):
            return {"user": _user(call.world, user)}
    raise RefusedError("users_not_found")


def _groups_exist(call: Call) -> None:
    if not call.world.user_groups:
        raise RefusedError("plan_upgrade_required")


def _group(world: World, group: Group, *, count: bool, users: bool) -> dict[str, Json]:
    more: dict[str, Json] = {"user_count": len(group.members)} if count else {}
    if users:
        more["users"] = list(group.members)
    return {
        "id": group.id,
        "team_id": world.team.id,
        "is_usergroup": True,
        "name": group.handle.title(),
        "description": "",
        "handle": group.handle,
        "is_external": False,
        "date_create": 1_700_000_000,
        "date_update": 1_700_000_000,
        "date_delete": 1_700_000_001 if group.disabled else 0,
        "auto_type": None,
        "prefs": {"channels": [], "groups": []},
        **more,
    }


@method(
    "usergroups.list",
    "usergroups:read",
    tier=2,
    optional="include_count include_disabled include_users team_id",
)
def usergroups_list(call: Call) -> dict[str, Json]:
    """Every user group."""
    _groups_exist(call)
    count, users = call.flag("include_count"), call.flag("include_users")
    groups = [it for it in call.world.groups.values() if not it.disabled or call.flag("include_disabled")]
    return {"usergroups": [_group(call.world, it, count=count, users=users) for it in groups]}


@method(
    "usergroups.users.list",
    "usergroups:read",
    tier=2,
    required="usergroup",
    optional="include_disabled team_id",
)
def usergroups_users_list(call: Call) -> dict[str, Json]:
    """The members of a user group, by its id (a handle is not one)."""
    _groups_exist(call)
    group = call.world.groups.get(str(call.arguments["usergroup"]))
    if group is None or (group.disabled and not call.flag("include_disabled")):
        raise RefusedError("no_such_subteam")
    return {"users": list(group.members)}


def _channel(world: World, channel: Channel) -> dict[str, Json]:
    if channel.kind == "im":
        other = next(iter(channel.members - {world.bot.id}), "")
        return {"id": channel.id, "is_im": True, "user": other, "is_archived": channel.is_archived}
    return {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": True,
        "is_group": channel.kind == "private",
        "is_im": False,
        "is_mpim": False,
        "is_private": channel.kind == "private",
        "is_archived": channel.is_archived,
        "is_ext_shared": channel.is_ext_shared,
        "is_shared": channel.is_ext_shared,
        "is_member": world.bot.id in channel.members,
        "num_members": len(channel.members),
        "context_team_id": world.team.id,
    }


@method("conversations.info", tier=3, required="channel", optional="include_locale include_num_members")
def conversations_info(call: Call) -> dict[str, Json]:
    """One conversation; which scope it takes depends on its kind."""
    channel = call.channel()
    call.need(_READS[channel.kind])
    return {"channel": _channel(call.world, channel)}


@method("conversations.list", tier=2, optional="cursor exclude_archived limit team_id types")
def conversations_list(call: Call) -> dict[str, Json]:
    """Every conversation of some types, page by page."""
    types = str(call.arguments.get("types") or "public_channel").replace(" ", "").split(",")
    if not all(kind in _TYPES for kind in types):
        raise RefusedError("invalid_types", fault_of_bot=True)
    kinds = [_TYPES[kind] for kind in types]
    for kind in kinds:
        call.need(_READS[kind])
    channels = [
        it
        for it in call.world.channels.values()
        if it.kind in kinds
        and not (it.is_archived and call.flag("exclude_archived"))
        and (it.kind == "public" or call.world.bot.id in it.members)
    ]
    shown, more = call.page(channels)
    return {"channels": [_channel(call.world, it) for it in shown], **more}


@method("conversations.members", tier=4, required="channel", optional="cursor limit")
def conversations_members(call: Call) -> dict[str, Json]:
    """Who is in a conversation."""
    channel = call.channel()
    call.need(_READS[channel.kind])
    shown, more = call.page(sorted(channel.members))
    return {"members": shown, **more}


@method("conversations.open", tier=3, optional="channel users return_im prevent_creation")
def conversations_open(call: Call) -> dict[str, Json]:
    """The direct conversation with one person."""
    call.need(*_OPENS)
    users = [it for it in str(call.arguments.get("users") or "").split(",") if it]
    if not users:
        raise RefusedError("users_list_not_supplied", fault_of_bot=True)
    if len(users) > 1:
        raise RefusedError("invalid_user_combination", fault_of_bot=True)
    user = call.world.users.get(users[0])
    if user is None or user.is_bot:
        raise RefusedError("user_not_found")
    if user.deleted:
        raise RefusedError("user_disabled")
    return {"channel": {"id": call.world.direct(user).id}}


@method("conversations.join", "channels:join", tier=3, required="channel")
def conversations_join(call: Call) -> dict[str, Json]:
    """Enter a public channel."""
    channel = call.channel()
    if channel.is_archived:
        raise RefusedError("is_archived")
    if channel.kind != "public":
        raise RefusedError("method_not_supported_for_channel_type", fault_of_bot=True)
    channel.members.add(call.world.bot.id)
    return {"channel": _channel(call.world, channel)}
