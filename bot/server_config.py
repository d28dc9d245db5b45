"""`tuppence.yaml`, what whoever runs the bot says about clusters and teams."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import time
from decimal import Decimal
from typing import Any

from bot.configuration import Misconfigured, Path, Problem, check, dotted
from bot.errors import UserError
from bot.globs import matches
from bot.manifests.documents import load_settings
from bot.server_keys import RETENTION_DAYS, SERVER_KEYS
from bot.value_kinds import shown
from estimators.ownership import Dimension
from estimators.prices import PriceSheet
from estimators.report import Confidence

FILE_NAME = "tuppence.yaml"
_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie"})


@dataclass(frozen=True, slots=True)
class PrometheusSource:
    """Where a cluster's utilisation is read. `selector` tells it from others there; no header is secret."""

    url: str
    selector: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClusterConfig:
    """One cluster, with its prices as they were when the file was read."""

    name: str
    prometheus: PrometheusSource | None = None
    prices: PriceSheet | None = None
    kube_context: str = ""

    @property
    def variable(self) -> str:
        """How environment variables of its own end, such as `PROD_EU` of `prod-eu`."""
        return _variable(self.name)


@dataclass(frozen=True, slots=True)
class Approvers:
    """Who may approve for a team."""

    slack_group: str = ""
    slack_users: tuple[str, ...] = ()
    github_team: str = ""


@dataclass(frozen=True, slots=True)
class Team:
    """Who owns the workloads in `namespaces` (patterns) or with all of `labels`. The budget is a month's."""

    name: str
    namespaces: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    channel: str = ""
    approvers: Approvers = Approvers()
    budget_monthly: Decimal | None = None


@dataclass(frozen=True, slots=True)
class DigestTime:
    """When the weekly digest goes out; that of all teams to `finance_channel`, nowhere where it is `""`."""

    day: str = "mon"
    at: time = time(9)
    time_zone: str = "UTC"
    finance_channel: str = ""


@dataclass(frozen=True, slots=True)
class SharedCosts:
    """Namespaces that serve everybody, as patterns, and how their cost is shared out."""

    namespaces: tuple[str, ...] = ()
    split: str = "proportional"
    percents: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Automation:
    """Savings whose pull request is opened without a click. `max_percent` is of the current value."""

    environments: tuple[str, ...]
    changes: tuple[str, ...]
    max_percent: Decimal | None = None
    min_confidence: Confidence = Confidence.HIGH


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """All of it; an absent file is the defaults.

    `access` is namespace patterns by Slack group, `people` GitHub logins by Slack user.
    `ownership` has the chains of labels that differ from the usual ones. `repositories` are patterns of
    owner and name, none for all. `retention_days` is 0 where records are kept for ever.
    """

    clusters: tuple[ClusterConfig, ...] = ()
    teams: tuple[Team, ...] = ()
    digest: DigestTime = DigestTime()
    access: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)
    ownership: Mapping[Dimension, tuple[str, ...]] = field(default_factory=dict)
    shared: SharedCosts = SharedCosts()
    repositories: tuple[str, ...] = ()
    automation: tuple[Automation, ...] = ()
    retention_days: int = RETENTION_DAYS

    def scans(self, full_name: str) -> bool:
        """Whether savings are looked for in a repository; GitHub takes upper and lower case for the same."""
        return not self.repositories or any(
            matches(pattern.casefold(), full_name.casefold()) for pattern in self.repositories
        )


def parse(text: str, file: str, *, sheet: Callable[[str], PriceSheet]) -> ServerConfig:
    """What `text` says; `file` names it in messages. `sheet` reads a price sheet, or raises UserError.

    Raises `Misconfigured` with every problem, those of the price sheets too.
    """
    document = load_settings(text, file)
    values, problems = check(SERVER_KEYS, document.value, file, document.locate)
    clusters = []
    for index, one in enumerate(values.get("clusters", ())):
        where: Path = ("clusters", index, "prices")
        try:
            clusters.append({**one, "prices": sheet(one["prices"]) if one.get("prices") else None})
        except UserError as error:
            problems.append(Problem(file, document.locate(where), dotted(where), str(error)))
    problems += [
        Problem(file, document.locate(where), dotted(where), what)
        for where, what in _about_secrets(values.get("clusters", ()))
    ]
    if problems:
        raise Misconfigured(problems)
    return _config({**values, "clusters": clusters})


def _about_secrets(clusters: tuple[Mapping[str, Any], ...]) -> Iterator[tuple[Path, str]]:
    """Secrets that stand here, and clusters that could not tell theirs apart."""
    first: dict[str, str] = {}
    for index, one in enumerate(clusters):
        name = one.get("name") or ""
        variable = _variable(name)
        if variable == "FILE" or variable.endswith("_FILE"):
            yield (
                ("clusters", index, "name"),
                f"may not end in 'file', as secrets' files do, not {shown(name)}",
            )
        other = first.setdefault(variable, name)
        if other != name:
            yield (
                ("clusters", index, "name"),
                f"{shown(name)} and {shown(other)} would share PROMETHEUS_TOKEN_{variable}; rename one",
            )
        for header in (one.get("prometheus") or {}).get("headers") or {}:
            if header.lower() in _SECRET_HEADERS:
                yield (
                    ("clusters", index, "prometheus", "headers"),
                    f"{header} is a secret; set PROMETHEUS_TOKEN_{variable} in the environment instead",
                )


def _variable(cluster: str) -> str:
    return re.sub(r"[^A-Z0-9]", "_", cluster.upper())


def _config(values: Mapping[str, Any]) -> ServerConfig:
    given = dict(values)
    given["clusters"] = tuple(_cluster(one) for one in given["clusters"])
    given["teams"] = tuple(_team(one) for one in given.get("teams", ()))
    given["automation"] = tuple(_automation(one) for one in given.get("automation", ()))
    if "digest" in given:
        given["digest"] = _digest(given["digest"])
    given["ownership"] = {
        Dimension(name.replace("_", " ")): labels for name, labels in given.get("ownership", {}).items()
    }
    if "shared" in given:
        given["shared"] = SharedCosts(**given["shared"])
    return ServerConfig(**given)


def _cluster(values: Mapping[str, Any]) -> ClusterConfig:
    source = values.get("prometheus")
    return ClusterConfig(**{**values, "prometheus": PrometheusSource(**source) if source else None})


def _team(values: Mapping[str, Any]) -> Team:
    return Team(**{**values, "approvers": Approvers(**values.get("approvers", {}))})


def _digest(values: Mapping[str, Any]) -> DigestTime:
    given = dict(values)
    if "time" in given:
        given["at"] = time.fromisoformat(given.pop("time"))
    return DigestTime(**given)


def _automation(values: Mapping[str, Any]) -> Automation:
    return Automation(
        **{**values, "min_confidence": Confidence(values.get("min_confidence", Confidence.HIGH))}
    )
