"""What an app manifest lets people do and Slack send (docs.slack.dev/reference/app-manifest)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


def _part(manifest: Mapping[str, Any], *path: str) -> Any:  # noqa: ANN401 - a manifest's leaves are of all kinds
    for name in path:
        manifest = manifest.get(name) or {}
    return manifest


@dataclass(frozen=True, slots=True)
class Installed:
    """What was declared: nobody can type another command, and no other event is sent."""

    scopes: frozenset[str]
    commands: frozenset[str]
    events: frozenset[str]
    interactive: bool
    home_tab: bool


def installed(manifest: Mapping[str, Any]) -> Installed:
    """What an app manifest, read from its YAML or JSON, declares."""
    commands = _part(manifest, "features", "slash_commands") or []
    return Installed(
        frozenset(_part(manifest, "oauth_config", "scopes", "bot")),
        frozenset(it["command"] for it in commands),
        frozenset(_part(manifest, "settings", "event_subscriptions", "bot_events")),
        _part(manifest, "settings", "interactivity", "is_enabled") is True,
        _part(manifest, "features", "app_home", "home_tab_enabled") is True,
    )
