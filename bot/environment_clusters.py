"""What each environment's cluster is: prices, history and what the policy protects there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date
from decimal import Decimal

from bot.errors import OutsideError, UserError
from bot.policy import Environment, Policy
from bot.ports import ClusterHistory, Prices
from estimators.change import Cluster
from estimators.usage import UsageSnapshot

Touched = Collection[tuple[str, str, str]]
"""Namespace, kind and name."""


class EnvironmentClusters:
    """The clusters that environments land on; each source is asked once, about all of `touched`.

    `away` says by environment why its history could not be read.
    """

    def __init__(
        self,
        touched: Touched,
        policy: Policy,
        *,
        prices: Prices,
        history: ClusterHistory | None,
        runs_per_month: Callable[[str, str], Decimal | None],
        today: date,
    ) -> None:
        self._touched, self._policy = touched, policy
        self._prices, self._history = prices, history
        self._runs_per_month, self._today = runs_per_month, today
        self._rules = {item.name: item for item in policy.environments}
        self._snapshots: dict[object, UsageSnapshot | OutsideError | None] = {}
        self.away: dict[str, str] = {}

    def of(self, environment: str) -> Cluster:
        """The cluster of one environment. Raises UserError for prices that cannot be used."""
        rules = self._rules.get(environment, Environment(environment, ()))
        return Cluster(
            prices=self._prices.sheet(rules.prices, rules.cluster),
            usage=self._usage(rules),
            runs_per_month=self._runs_per_month,
            protections=self._policy.protect,
            today=self._today,
        )

    def name_of(self, environment: str) -> str:
        """What the policy calls the cluster of an environment, `""` where it names none."""
        return self._rules[environment].cluster if environment in self._rules else ""

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
                self._snapshots[key] = error
        found = self._snapshots[key]
        if isinstance(found, OutsideError):
            self.away[rules.name] = f"no live numbers: {found}"
            return None
        return found


def refuse_mixed_currencies(clusters: Mapping[str, Cluster]) -> None:
    """Raises UserError where environments (the keys) have prices in several currencies."""
    currencies = {cluster.prices.currency: name for name, cluster in clusters.items()}
    if len(currencies) > 1:
        named = currencies.items()
        words = " and ".join(f"{currency} ({name or 'no environment'})" for currency, name in named)
        raise UserError(f"the price sheets are in {words}: amounts of several currencies cannot be added up")
