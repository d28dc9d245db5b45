"""What nothing uses in the clusters that the bot knows, as they are now. Part of the composition root.

It is asked for when a digest or an answer is made, and remembered for an hour: nothing of it is kept.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace

from bot.adapters.price_list import default_sheet
from bot.composition.clusters import cluster_api, cluster_labels
from bot.composition.live import window_until_now
from bot.cost_config import owners
from bot.errors import OutsideError, UserError
from bot.handlers.find_savings import WINDOW_DAYS
from bot.server_config import ClusterConfig, ServerConfig
from bot.settings import Settings
from bot.unused import UnusedNow
from estimators.change import Cluster
from estimators.prices import PriceSheet
from estimators.unused import StandingCluster, Unused, find_unused

REMEMBERED_SECONDS, AWAY_SECONDS = 3600.0, 300.0
"""What was told, and that a cluster could not be asked: the digests of all teams are made one by one."""
LONGEST_SECONDS = 40.0
"""After so long no other cluster is asked: somebody waits for the answer."""
REQUEST_SECONDS = 15.0
"""A server reads about 20 million samples a second: of a thousand claims, five weeks at 30 s, in ten."""
_log = logging.getLogger(__name__)


class UnusedClusters:
    """What nothing uses in `clusters`, by name. `prices` is a sheet that a person named for all of them.

    No request for it takes longer than `request_seconds`.
    """

    def __init__(
        self,
        settings: Settings,
        config: ServerConfig,
        clusters: Mapping[str, ClusterConfig],
        prices: PriceSheet | None = None,
        request_seconds: float = REQUEST_SECONDS,
    ) -> None:
        self._settings, self._clusters, self._prices = settings, clusters, prices
        self._owners, self._request_seconds = owners(config), request_seconds
        self._known: UnusedNow | None = None
        self._known_until = 0.0

    def now(self) -> UnusedNow:
        """All of it. That a cluster could not be asked is told, and it is asked again after a while."""
        if self._known is None or time.monotonic() > self._known_until:
            self._known = self._look()
            self._known_until = time.monotonic() + (AWAY_SECONDS if self._known.away else REMEMBERED_SECONDS)
        return self._known

    def _look(self) -> UnusedNow:
        found: list[Unused] | None = None
        away = []
        until = time.monotonic() + LONGEST_SECONDS
        for name, cluster in self._clusters.items():
            try:
                if time.monotonic() > until:
                    raise OutsideError(f"the clusters before it took over {LONGEST_SECONDS:g} s")
                standing = self._standing(cluster)
            except (OutsideError, UserError) as error:
                _log.warning("What nothing uses is not known: %s", error, extra={"cluster": name})
                where = f" in {name}" if len(self._clusters) > 1 else ""
                away.append(f"Whether volumes and load balancers{where} are used could not be asked.")
                continue
            if standing.is_known:
                found = [*(found or ()), *self._unused(name, cluster, standing)]
        return UnusedNow(None if found is None else tuple(found), tuple(away))

    def _standing(self, cluster: ClusterConfig) -> StandingCluster:
        from bot.adapters.prometheus_unused import read_unused  # noqa: PLC0415 - loads numpy and requests

        with closing(cluster_api(self._settings, cluster, self._request_seconds)) as api:
            return read_unused(api, window=window_until_now(WINDOW_DAYS * 24))

    def _unused(self, name: str, cluster: ClusterConfig, standing: StandingCluster) -> list[Unused]:
        sheet = self._prices or cluster.prices or default_sheet()
        now = cluster_labels(self._settings, cluster, self._owners.names()).namespaces
        seen = standing.labels
        labels = {space: {**now.get(space, {}), **seen.get(space, {})} for space in {*now, *seen}}
        priced = Cluster(prices=sheet, today=standing.window.end.date())
        return list(find_unused(name, replace(standing, labels=labels), priced, self._owners))
