"""Whose a running workload is: team, application, environment and business unit, by labels and namespaces.

A team is, in this order: what `tuppence.yaml` says of the workload's labels, the first label of the
chain that has a value, what `tuppence.yaml` says of its namespace. Chains and their order are the
operator's; the defaults are Kubernetes' recommended labels, Backstage's, and those that Kubecost and
OpenCost allocate by.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase

from estimators.usage import WorkloadKey

Labels = Mapping[str, str]

_OF_ONE_REVISION = (
    "pod_template_hash",
    "pod_template_generation",
    "rollouts_pod_template_hash",
    "controller_revision_hash",
    "controller_uid",
    "job_name",
    "batch_kubernetes_io_",
    "statefulset_kubernetes_io_pod_name",
    "apps_kubernetes_io_pod_index",
    "kubectl_kubernetes_io_",
    "deployment_kubernetes_io_revision",
)
"""What controllers write on every pod or revision anew: it says nothing of an owner, and never repeats."""

_FORBIDDEN = re.compile(r"[^a-zA-Z0-9_]")
_CAPITAL = re.compile(r"([a-z0-9])([A-Z])")
_ENTITY = re.compile(r"(?:group|user|component|system):(?:[^/]*/)?(?P<name>[^/:]+)", re.IGNORECASE)
"""A reference to something of Backstage's catalogue, such as `group:default/checkout`."""


class Dimension(StrEnum):
    """What labels can say of a workload's owner."""

    TEAM = "team"
    APPLICATION = "application"
    ENVIRONMENT = "environment"
    BUSINESS_UNIT = "business unit"


CHAINS: Mapping[Dimension, tuple[str, ...]] = {
    Dimension.TEAM: ("team", "owner", "backstage.io/owner"),
    Dimension.APPLICATION: (
        "app.kubernetes.io/part-of",
        "backstage.io/kubernetes-id",
        "app.kubernetes.io/name",
        "app",
    ),
    Dimension.ENVIRONMENT: ("environment", "env"),
    Dimension.BUSINESS_UNIT: ("business-unit", "department", "cost-center"),
}
"""Labels or annotations that are looked at where nobody says otherwise; the first with a value counts."""


@dataclass(frozen=True, slots=True)
class TeamRule:
    """What makes a workload a team's: a namespace that fits a pattern, or all of these labels."""

    name: str
    namespaces: tuple[str, ...] = ()
    labels: Labels = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Owner:
    """Who owns a workload; `""` where nothing says it."""

    team: str = ""
    application: str = ""
    environment: str = ""
    business_unit: str = ""

    def of(self, dimension: Dimension) -> str:
        """The part that `dimension` asks for."""
        return {
            Dimension.TEAM: self.team,
            Dimension.APPLICATION: self.application,
            Dimension.ENVIRONMENT: self.environment,
            Dimension.BUSINESS_UNIT: self.business_unit,
        }[dimension]


@dataclass(frozen=True, slots=True)
class LabelsNow:
    """Labels (and annotations) as they are at present, of namespaces, workloads and the pods of workloads.

    Their names are those that `label_as_exported` gives. `missing` says what of them is not known.
    """

    namespaces: Mapping[str, Labels] = field(default_factory=dict)
    workloads: Mapping[WorkloadKey, Labels] = field(default_factory=dict)
    pods: Mapping[WorkloadKey, Labels] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


class Owners:
    """Who owns what, by the labels and the namespace of a workload.

    It remembers what it found: thousands of workloads share a few namespaces and sets of labels.
    """

    def __init__(
        self,
        teams: Iterable[TeamRule] = (),
        chains: Mapping[Dimension, Sequence[str]] | None = None,
    ) -> None:
        self._teams = tuple(teams)
        self._spelling = {team.name.casefold(): team.name for team in self._teams}
        self._chains = {**CHAINS, **(chains or {})}
        self._found: dict[tuple[str, tuple[tuple[str, str], ...]], Owner] = {}

    def of(self, workload: WorkloadKey, labels: Labels) -> Owner:
        """The owner of a workload whose pods, own and namespace labels (the nearest won) are `labels`."""
        key = (workload.namespace, tuple(sorted(labels.items())))
        if key not in self._found:
            self._found[key] = self._look(workload.namespace, labels)
        return self._found[key]

    def labels_of(self, dimension: Dimension) -> tuple[str, ...]:
        """The labels that say it, the first with a value."""
        return tuple(self._chains[dimension])

    def names(self) -> frozenset[str]:
        """All labels and annotations that it looks at."""
        chains = (name for chain in self._chains.values() for name in chain)
        return frozenset((*chains, *(name for team in self._teams for name in team.labels)))

    def _look(self, namespace: str, labels: Labels) -> Owner:
        team = (
            self._by_labels(labels)
            or self._first(Dimension.TEAM, labels)
            or next((team.name for team in self._teams if _any_fits(team.namespaces, namespace)), "")
        )
        return Owner(
            self._spelling.get(team.casefold(), team),
            self._first(Dimension.APPLICATION, labels),
            self._first(Dimension.ENVIRONMENT, labels),
            self._first(Dimension.BUSINESS_UNIT, labels),
        )

    def _by_labels(self, labels: Labels) -> str:
        return next(
            (
                team.name
                for team in self._teams
                if team.labels
                and all(label_value(labels, key) == value for key, value in team.labels.items())
            ),
            "",
        )

    def _first(self, dimension: Dimension, labels: Labels) -> str:
        return next(filter(None, (label_value(labels, key) for key in self._chains[dimension])), "")


def label_as_exported(label: str) -> str:
    """The Prometheus label, without its prefix, that kube-state-metrics makes of a Kubernetes label."""
    return _CAPITAL.sub(r"\1_\2", _FORBIDDEN.sub("_", label)).lower()


def may_name_an_owner(exported: str) -> bool:
    """Whether a label, by its exported name, may: not where a controller writes it on every pod anew."""
    return not exported.startswith(_OF_ONE_REVISION)


def label_value(labels: Labels, key: str) -> str:
    """The value of a label, `""` where there is none.

    Prometheus cannot hold every character of a label's name: `app.kubernetes.io/part-of` may have come
    as `app_kubernetes_io_part_of`, and then counts as well (kube-state-metrics, internal/store/utils.go).
    """
    value = labels.get(key) or labels.get(label_as_exported(key)) or ""
    value = value.strip()
    entity = _ENTITY.fullmatch(value)
    return entity["name"] if entity else value


def _any_fits(patterns: Sequence[str], namespace: str) -> bool:
    return any(fnmatchcase(namespace, pattern) for pattern in patterns)
