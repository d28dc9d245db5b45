"""What `tuppence.yaml` says of teams and shared costs, as the estimators take it."""

from __future__ import annotations

from bot.server_config import ServerConfig
from estimators.ownership import Owners, TeamRule
from estimators.showback_shared import SharedRule, Split


def owners(config: ServerConfig) -> Owners:
    """Who owns which workloads: the file's teams, and the labels that it looks at."""
    teams = (TeamRule(team.name, team.namespaces, team.labels) for team in config.teams)
    return Owners(teams, config.ownership)


def shared_rule(config: ServerConfig) -> SharedRule:
    """Which namespaces serve everybody, and how what they cost is split."""
    shared = config.shared
    return SharedRule(shared.namespaces, Split(shared.split), shared.percents)
