"""How fast services use up their error budgets, as Sloth and Pyrra record it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from bot.adapters.prometheus_api import PrometheusApi, Sample
from bot.adapters.prometheus_queries import Scope, own_labels
from bot.errors import PrometheusUnavailable
from estimators.usage import WorkloadKey

_SLOTH = "slo:current_burn_rate:ratio"
_PYRRA = '{__name__=~".+:burnrate1h"'
"""Pyrra records `<metric>:burnrate<window>`, a share of failed requests, per `slo`."""


def read_burn(
    api: PrometheusApi,
    scope: Scope,
    *,
    at: datetime,
    keys: Iterable[WorkloadKey],
    warn: Callable[[str], None],
) -> dict[WorkloadKey, float]:
    """Burn rates by workload, for those whose name is the name of a service with an SLO.

    1 uses the budget up exactly at the end of its period. Where a service has several SLOs the
    worst counts. Servers that allow no patterns for metric names are asked for Sloth's alone.
    """
    sloth = f"max by (sloth_service, namespace) ({scope.cluster(_SLOTH)})"
    selector = ",".join((_PYRRA, *scope.selector)) + "}"
    objective = f"max by (slo) ({scope.cluster('pyrra_objective')})"
    pyrra = f"max by (slo, service, namespace) ({selector}) / on (slo) group_left () (1 - {objective})"
    try:
        samples = api.instant(f"{sloth} or {pyrra}", at=at)
    except PrometheusUnavailable as error:
        warn(f"error budgets were not read: {error}")
        return {}
    return _by_workload(samples, keys)


def _by_workload(samples: Iterable[Sample], keys: Iterable[WorkloadKey]) -> dict[WorkloadKey, float]:
    rates: dict[str, list[tuple[str, float]]] = {}
    for sample in samples:
        own = own_labels(sample.labels)
        for name in {_service(own), own.get("slo", "")} - {""}:
            rates.setdefault(name, []).append((own.get("namespace", ""), sample.value))
    burning: dict[WorkloadKey, float] = {}
    for key in keys:
        # The namespace of a recording rule is often that of the rule: it decides only between namesakes.
        found = rates.get(key.name, ())
        same = [rate for namespace, rate in found if namespace == key.namespace]
        if same or found:
            burning[key] = max(same or [rate for _, rate in found])
    return burning


def _service(labels: Mapping[str, str]) -> str:
    return labels.get("sloth_service") or labels.get("service", "")
