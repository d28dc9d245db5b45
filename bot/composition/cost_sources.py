"""Where the command line takes the hours of clusters from. Part of the composition root."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.adapters.price_files import read_prices
from bot.adapters.records import Records
from bot.composition.allocation import priced_clusters
from bot.composition.cost_hours import Source
from bot.composition.unused import UnusedClusters
from bot.cost_config import owners
from bot.cost_memory import HoursInMemory
from bot.cost_ports import ChargedHours
from bot.errors import UserError
from bot.server_config import ClusterConfig, PrometheusSource, ServerConfig
from bot.settings import Settings
from bot.unused import UnusedNow


@dataclass(frozen=True, slots=True)
class CostSources:
    """What a person named: the URL of a Prometheus, a file of prices; and what there is besides."""

    settings: Settings
    config: ServerConfig
    prometheus: str | None = None
    prices: Path | None = None

    @contextmanager
    def hours(
        self,
        read: Callable[[Sequence[Source]], HoursInMemory],
        *,
        instead: HoursInMemory | None = None,
    ) -> Iterator[ChargedHours]:
        """A named Prometheus, else what is kept, else the Prometheus that the environment or the file names.

        `read` reads what is needed of those that are to be asked. Where there is none it is `instead`, or
        UserError is raised.
        """
        if self.prometheus or self.prices:
            yield self._measured(read)
            return
        with closing(Records(self.settings.database_url)) as records:
            if records.costs.clusters():
                yield records.costs
                return
        yield self._measured(read) if instead is None or self._clusters() else instead

    def unused(self) -> UnusedNow:
        """What nothing uses in the clusters that are to be asked."""
        prices = read_prices(self.prices) if self.prices else None
        clusters = {cluster.name: cluster for cluster in self._clusters()}
        return UnusedClusters(self.settings, self.config, clusters, prices).now()

    def _measured(self, read: Callable[[Sequence[Source]], HoursInMemory]) -> HoursInMemory:
        """All hours that are needed, read and charged now."""
        prices = read_prices(self.prices) if self.prices else None
        clusters = self._clusters()
        if not clusters:
            raise UserError(
                "no hours are kept and no Prometheus is named: add --prometheus URL, or set PROMETHEUS_URL "
                "or the TUPPENCE_DATABASE_URL that tuppence serve writes to"
            )
        annotations = owners(self.config).names()
        return read([Source(self.settings, cluster, prices, annotations) for cluster in clusters])

    def _clusters(self) -> list[ClusterConfig]:
        """The clusters to ask: that behind a named URL, with what the file says of it, else all there are."""
        if self.prometheus is None:
            return list(priced_clusters(self.settings, self.config).values())
        url = self.prometheus
        named = [one for one in self.config.clusters if one.prometheus and one.prometheus.url == url]
        return named or [ClusterConfig("", PrometheusSource(url))]
