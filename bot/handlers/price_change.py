"""Price a change: two trees and a policy in, a report and the guardrails it crosses out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from bot.environment_clusters import EnvironmentClusters, refuse_mixed_currencies
from bot.manifests.change import Change, EnvironmentRule, Side, read_change
from bot.manifests.rendered import Renderer
from bot.policy import Policy
from bot.ports import ClusterHistory, Prices, Tree
from estimators.comparison import Revision, compare
from estimators.guardrail import CrossedGuardrail, judge
from estimators.objects import ManifestObject
from estimators.report import Report


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
    clusters = EnvironmentClusters(
        _touched(change), policy, prices=prices, history=history, runs_per_month=runs_per_month, today=today
    )
    known = {name: clusters.of(name) for name in _environments(change)}
    partial += dict.fromkeys(clusters.away.values())
    refuse_mixed_currencies(known)
    report = compare(
        _revision(base.name, change.base), _revision(head.name, change.head), known.__getitem__, partial
    )
    report = replace(report, clusters={name: clusters.name_of(name) for name in known})
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
