"""Price a change: two trees and a policy in, a report and the guardrails it crosses out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from bot.errors import OutsideError, UserError
from bot.manifests.change import Change, EnvironmentRule, Side, read_change
from bot.manifests.rendered import Renderer
from bot.policy import Environment, Policy
from bot.ports import ClusterHistory, Prices, Tree
from estimators.change import Cluster
from estimators.comparison import Revision, compare
from estimators.guardrail import CrossedGuardrail, judge
from estimators.objects import ManifestObject
from estimators.prices import PriceSheet
from estimators.report import Report
from estimators.usage import UsageSnapshot


@dataclass(frozen=True, slots=True)
class Priced:
    """The report, and the guardrails that it crosses."""

    report: Report
    crossed: tuple[CrossedGuardrail, ...]


def price_change(
    base: Tree,
    head: Tree,
    policy: Policy,
    *,
    environment: str | None = None,
    repository_urls: Sequence[str] = (),
    today: date,
    render: Renderer,
    prices: Prices,
    history: ClusterHistory | None = None,
    runs_per_month: Callable[[str, str], Decimal | None],
) -> Priced:
    """Read both trees, price what differs and judge it.

    `environment` restricts the report to one of the policy's or the repository's environments.
    `repository_urls` are this repository's own addresses, which Argo CD and Flux objects name.
    Raises UserError for prices that cannot be used; a bad manifest is a line in the report.
    """
    change = read_change(
        base,
        head,
        environments=[EnvironmentRule(item.name, item.paths, item.values) for item in policy.environments],
        ignore=policy.ignore,
        only_environment=environment,
        render=render,
        repository_urls=repository_urls,
    )
    partial: list[str] = list(change.partial)
    if environment is not None and not (change.base.objects or change.head.objects):
        partial.append(f"nothing that changed is in the environment {environment!r}: check its name")
    clusters = _Clusters(change, policy, prices, history, partial)
    known = {name: clusters.of(name) for name in _environments(change)}
    _refuse_mixed_currencies(known)
    known = {
        name: replace(cluster, runs_per_month=runs_per_month, protections=policy.protect, today=today)
        for name, cluster in known.items()
    }
    report = compare(
        _revision(base.name, change.base), _revision(head.name, change.head), known.__getitem__, partial
    )
    on = {item.name: item.cluster for item in policy.environments}
    report = replace(report, clusters={name: on.get(name, "") for name in known})
    return Priced(report, judge(report, policy.guardrails))


def _environments(change: Change) -> list[str]:
    both = (*change.base.objects, *change.head.objects)
    return list(dict.fromkeys(item.identity.environment for item in both))


def _revision(name: str, side: Side) -> Revision:
    return Revision(
        name=name,
        objects=side.objects,
        unpriced=side.unpriced,
        doubled={kept.identity: other for kept, other in side.duplicates},
        left_out_hooks=side.left_out_hooks,
    )


class _Clusters:
    """Prices and history of each environment's cluster, asked for once per distinct source."""

    def __init__(
        self,
        change: Change,
        policy: Policy,
        prices: Prices,
        history: ClusterHistory | None,
        partial: list[str],
    ) -> None:
        self._prices, self._history, self._partial = prices, history, partial
        self._policies = {item.name: item for item in policy.environments}
        self._touched = _touched(change)
        self._snapshots: dict[object, UsageSnapshot | None] = {}

    def of(self, environment: str) -> Cluster:
        """The cluster that an environment lands on."""
        rules = self._policies.get(environment, Environment(environment, ()))
        return Cluster(prices=self._sheet(rules), usage=self._usage(rules))

    def _sheet(self, rules: Environment) -> PriceSheet:
        return self._prices.sheet(rules.prices, rules.cluster)

    def _usage(self, rules: Environment) -> UsageSnapshot | None:
        if self._history is None:
            return None
        selector, cluster = rules.prometheus_selector, rules.cluster
        key = (cluster, *sorted(selector.items()))
        if key not in self._snapshots:
            try:
                self._snapshots[key] = self._history.snapshot(self._touched, selector, cluster)
            except OutsideError as error:
                # An outage must not hide what the manifests alone can tell.
                self._partial.append(f"no live numbers: {error}")
                self._snapshots[key] = None
        return self._snapshots[key]


def _touched(change: Change) -> frozenset[tuple[str, str, str]]:
    """Namespace, kind and name of every object that is not the same on both sides."""
    before = {item.identity: item for item in change.base.objects}
    after = {item.identity: item for item in change.head.objects}
    return frozenset(
        identity[1:]
        for identity in before.keys() | after.keys()
        if not _same(before.get(identity), after.get(identity))
    )


def _same(old: ManifestObject | None, new: ManifestObject | None) -> bool:
    return old is not None and new is not None and old.body == new.body


def _refuse_mixed_currencies(clusters: Mapping[str, Cluster]) -> None:
    currencies = {cluster.prices.currency: name for name, cluster in clusters.items()}
    if len(currencies) > 1:
        named = currencies.items()
        words = " and ".join(f"{currency} ({name or 'no environment'})" for currency, name in named)
        raise UserError(f"the price sheets are in {words}: amounts of several currencies cannot be added up")
