"""What clusters cost, hour by hour: the steps of its durable workflow, and when they are started."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.adapters.price_list import default_sheet
from bot.adapters.prometheus_allocation import read_hours
from bot.adapters.records import Records
from bot.composition.clusters import cluster_api, cluster_labels, known_clusters
from bot.composition.processes import RESTS_AFTER, Processes, ends_after
from bot.cost_config import owners
from bot.cost_ports import CostHours
from bot.entrypoints.allocation_jobs import AllocationWorkflows, Steps
from bot.entrypoints.jobs import Json
from bot.handlers import allocate_hours
from bot.logs import configure
from bot.redaction import Redactor
from bot.server_config import ClusterConfig, PrometheusSource, ServerConfig
from bot.settings import Settings
from estimators.allocation import ClusterHour
from estimators.prices import PriceSheet

ONLY = "default"
"""What the cluster behind PROMETHEUS_URL is called where tuppence.yaml names none."""
AT_ONCE = 1
"""Clusters take turns: an analysis, which somebody waits for, has the other processor."""
LONGEST_SECONDS = 900
_log = logging.getLogger(__name__)
_settings: Settings
_records: Records
"""What a pool's process keeps between calls."""


def priced_clusters(settings: Settings, config: ServerConfig) -> Mapping[str, ClusterConfig]:
    """The clusters whose hours are kept, by name: all that have a Prometheus."""
    named = {cluster.name: cluster for cluster in config.clusters if cluster.prometheus is not None}
    if named or not settings.prometheus.url:
        return named
    return {ONLY: ClusterConfig(ONLY, PrometheusSource(settings.prometheus.url))}


def kept_as(settings: Settings, config: ServerConfig, cluster: str) -> str | None:
    """Under which name the hours of a cluster are kept that a policy names so; None where they are not.

    `""` is the cluster of environments that name none, as `known_clusters` has it.
    """
    kept = priced_clusters(settings, config)
    if cluster or not kept:
        return cluster if cluster in kept else None
    source = known_clusters(settings, config)[""].prometheus
    return next((name for name, one in kept.items() if one.prometheus == source), None)


@dataclass(frozen=True, slots=True)
class PrometheusHours:
    """The port `ClusterHours`. `annotations` are those that say whose something is."""

    settings: Settings
    cluster: ClusterConfig
    annotations: frozenset[str] = frozenset()

    @property
    def currency(self) -> str:
        """What its prices are in."""
        return self._prices.currency

    def read(self, start: datetime, end: datetime) -> Iterator[ClusterHour]:
        """The hours of `[start, end)`. Raises OutsideError, UserError where several clusters are mixed.

        Labels that the Kubernetes API does not tell are missing for good: an hour is whole by its money.
        """
        with closing(cluster_api(self.settings, self.cluster)) as api:
            labels = cluster_labels(self.settings, self.cluster, self.annotations)
            for missing in labels.missing:
                _log.warning(missing, extra={"cluster": self.cluster.name})
            yield from read_hours(api, start=start, end=end, prices=self._prices, labels=labels)

    @property
    def _prices(self) -> PriceSheet:
        return self.cluster.prices or default_sheet()


class Allocating:
    """The steps, and the processes that take the heavy one."""

    def __init__(
        self, settings: Settings, config: ServerConfig, costs: CostHours, secrets: Sequence[str]
    ) -> None:
        self._clusters = priced_clusters(settings, config)
        self._costs = costs
        self._annotations = owners(config).names()
        self._days = allocate_hours.LOOK_BACK_DAYS
        if config.retention_days:
            # A day that is being purged is not asked for again.
            self._days = min(self._days, max(config.retention_days - 1, 1))
        given = (settings, tuple(secrets))
        self._processes = Processes("allocation", AT_ONCE, _begin, given, rests_after=RESTS_AFTER)
        self.workflows = AllocationWorkflows(Steps(wanted=self._wanted, fill=self._fill))
        self.stop = self._processes.stop

    def start(self) -> None:
        """Start what is due for each cluster; for one hour once, in however many processes."""
        hour = allocate_hours.settled_until(_now()).isoformat()
        for cluster in self._clusters:
            self.workflows.allocate(cluster, hour)

    def _wanted(self, cluster: str) -> list[Json]:
        spans = allocate_hours.wanted(cluster, costs=self._costs, now=_now(), days=self._days)
        return [{"start": span.start.isoformat(), "end": span.end.isoformat()} for span in spans]

    def _fill(self, cluster: str, span: Json) -> Json:
        hours = allocate_hours.Span(*(datetime.fromisoformat(span[name]) for name in ("start", "end")))
        filled = allocate_hours.Filled(0, 0)
        if cluster in self._clusters:  # unless it was taken out of the settings while this waited
            filled = self._processes.call(_fill, self._clusters[cluster], self._annotations, hours)
        return {**filled._asdict(), "hour": allocate_hours.settled_until(_now()).isoformat()}


def _begin(settings: Settings, secrets: Sequence[str]) -> None:
    global _settings, _records
    configure(Redactor(secrets))
    _settings, _records = settings, Records(settings.database_url)


def _fill(
    cluster: ClusterConfig, annotations: frozenset[str], span: allocate_hours.Span
) -> allocate_hours.Filled:
    source = PrometheusHours(_settings, cluster, annotations)
    with ends_after(LONGEST_SECONDS):
        return allocate_hours.fill(cluster.name, span, source=source, costs=_records.costs, now=_now)


def _now() -> datetime:
    return datetime.now(UTC)
