"""Who is who in Slack: whole members of our workspace, and who is in which user group.

Flags of people: docs.slack.dev/reference/objects/user-object. A member of another workspace of the same
Enterprise Grid organisation is one of ours; somebody in a channel that is shared with another company is not.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from bot.adapters.slack_api import SlackApi
from bot.errors import SlackRefused
from bot.slack_ports import SlackPerson

REMEMBERED_SECONDS = {"person": 600.0, "group": 60.0, "groups": 600.0, "team": float("inf")}
"""For how long questions may be answered to somebody who has just left a group, or become a guest."""
MOST_REMEMBERED = 2_000
_UNKNOWN = frozenset(("user_not_found", "user_not_visible"))
log = logging.getLogger(__name__)


class SlackWebPeople:
    """The port `SlackPeople`, over the Web API. Threads may share it."""

    def __init__(self, api: SlackApi, clock: Callable[[], float] = time.monotonic) -> None:
        self._api, self._clock = api, clock
        self._known: dict[tuple[str, str], tuple[float, Any]] = {}
        self._knowing = threading.Lock()

    def person(self, user_id: str, *, fresh: bool = False) -> SlackPerson:
        """Who that is; whom we may not look at is no member. Raises SlackUnavailable, SlackRefused."""
        found: SlackPerson = self._remembered("person", user_id, self._person, fresh=fresh)
        return found

    def in_group(self, user_id: str, group: str, *, fresh: bool = False) -> bool | None:
        """Whether they are in a user group; None where it may not be read.

        Raises SlackUnavailable, and SlackRefused where Slack does not take our token.
        """
        if not group:
            return False
        members: frozenset[str] | None = self._remembered("group", group, self._members, fresh=fresh)
        return None if members is None else user_id in members

    def _remembered(self, kind: str, name: str, read: Callable[[str], Any], *, fresh: bool) -> Any:  # noqa: ANN401 - what was read
        now = self._clock()
        with self._knowing:
            at, found = self._known.get((kind, name), (float("-inf"), None))
        if not fresh and now - at < REMEMBERED_SECONDS[kind]:
            return found
        found = read(name)
        with self._knowing:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[kind, name] = now, found
        return found

    def _person(self, user_id: str) -> SlackPerson:
        try:
            user = self._api.read("users.info", user=user_id).get("user") or {}
        except SlackRefused as error:
            if error.reason not in _UNKNOWN:
                raise
            return SlackPerson(user_id, member=False)
        ours = self._remembered("team", "", lambda _: self._api.read("auth.test"), fresh=False)
        outside = ("deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger")
        member = not any(user.get(flag) for flag in outside) and _is_of(user, ours)
        return SlackPerson(user_id, member=member, name=_name(user))

    def _members(self, group: str) -> frozenset[str] | None:
        try:
            listed = self._remembered("groups", "", self._groups, fresh=False)
            named = listed.get(group.lstrip("@"), group)
            found = self._api.read("usergroups.users.list", usergroup=named).get("users")
        except SlackRefused as error:
            if error.denied:
                raise
            log.warning("Could not read the Slack group %s: %s", group, error)
            return None
        return frozenset(found or ())

    def _groups(self, _: str) -> Mapping[str, str]:
        """Ids by handle. Disabled groups are left out by Slack."""
        listed = self._api.read("usergroups.list").get("usergroups") or ()
        return {each["handle"]: each["id"] for each in listed}


def _is_of(user: Mapping[str, Any], ours: Mapping[str, Any]) -> bool:
    if user.get("team_id") and user["team_id"] == ours.get("team_id"):
        return True
    enterprise = ours.get("enterprise_id")
    return bool(enterprise) and (user.get("enterprise_user") or {}).get("enterprise_id") == enterprise


def _name(user: Mapping[str, Any]) -> str:
    """The full name, where somebody has none the one that Slack shows."""
    profile = user.get("profile") or {}
    names = (profile.get("real_name"), profile.get("display_name"), user.get("name"))
    return next((name for name in names if isinstance(name, str) and name.strip()), "")
