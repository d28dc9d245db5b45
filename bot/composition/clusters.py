"""The clusters that the bot knows: their utilisation, live facts and prices, by the names that policies use.

Part of the composition root. All of it is read once at start and travels to the processes that work.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bot.adapters.price_files import read_prices
from bot.composition.live import REQUEST_SECONDS, ContextOnly, PrometheusHistory, Touched, open_api
from bot.configuration import configuration_text
from bot.errors import ClusterUnavailable, UserError
from bot.ports import ClusterHistory
from bot.server_config import FILE_NAME, ClusterConfig, PrometheusSource, ServerConfig, parse
from bot.settings import PrometheusSettings, Settings
from estimators.ownership import LabelsNow
from estimators.prices import PriceSheet
from estimators.running import RunningNow
from estimators.usage import UsageSnapshot

if TYPE_CHECKING:
    from bot.adapters.prometheus_api import PrometheusApi

_LABELS_SECONDS = 10.0
"""For a page of metadata: labels are worth less than the hours that wait for them."""


def read_config(file: Path | None) -> ServerConfig:
    """What `file` says, or where none is named `./tuppence.yaml`, which need not be there.

    Raises UserError with every problem, a line each.
    """
    if file is None:
        file = Path(FILE_NAME)
        if not file.exists():
            return ServerConfig()
    return parse(configuration_text(file), str(file), sheet=partial(read_sheet, file.parent))


def read_sheet(folder: Path, named: str) -> PriceSheet:
    """The price sheet that a configuration file in `folder` names. Raises UserError where it is none."""
    path = folder / named
    if not path.is_file():
        raise UserError(f"{path} is not a file; name a price sheet, or leave the key out")
    return read_prices(path)


def known_clusters(settings: Settings, config: ServerConfig) -> dict[str, ClusterConfig]:
    """By name; `""` is that of environments that name none: PROMETHEUS_URL, else the first of the file."""
    url = settings.prometheus.url
    first = config.clusters[0] if config.clusters else ClusterConfig("")
    unnamed = ClusterConfig("", PrometheusSource(url)) if url else first
    return {"": unnamed, **{cluster.name: cluster for cluster in config.clusters}}


@dataclass(frozen=True, slots=True)
class ClustersHistory:
    """The ports `ClusterHistory`, of the last `hours` of each cluster in `known`, and `RunningPods`.

    See PrometheusHistory.
    """

    settings: Settings
    known: Mapping[str, ClusterConfig]
    hours: int
    kills_days: int = 0

    def snapshot(self, touched: Touched, selector: Mapping[str, str], cluster: str) -> UsageSnapshot | None:
        """None where the cluster has neither Prometheus nor a kube context.

        Its own selector wins over the policy's: a repository may not look into another cluster. Raises
        OutsideError for a cluster that is not known, and where something does not answer or cannot be used.
        """
        found = self._named(cluster)
        history = self._history(found)
        if history is None:
            return None
        own = found.prometheus.selector if found.prometheus else {}
        try:
            return history.snapshot(touched, {**selector, **own}, cluster)
        except UserError as error:  # not of whoever opened the pull request
            raise ClusterUnavailable(f"the cluster {found.name!r} cannot be asked: {error}") from error

    def running(self, namespaces: Sequence[str], selector: Mapping[str, str], cluster: str) -> RunningNow:
        """What pods have now by the cluster's Prometheus, nothing without one. Raises as `snapshot`."""
        found = self._named(cluster)
        source = found.prometheus
        if source is None:
            return RunningNow()
        from bot.adapters.prometheus_live import read_counts  # noqa: PLC0415
        from bot.adapters.prometheus_running import read_running  # noqa: PLC0415

        own = replace(source, selector={**selector, **source.selector})
        try:
            with closing(cluster_api(self.settings, replace(found, prometheus=own))) as api:
                now = datetime.now(UTC)
                values = read_running(api, at=now, namespaces=namespaces)
                return RunningNow(values, read_counts(api, at=now, namespaces=namespaces))
        except UserError as error:
            raise ClusterUnavailable(f"the cluster {found.name!r} cannot be asked: {error}") from error

    def _named(self, cluster: str) -> ClusterConfig:
        found = self.known.get(cluster)
        if found is None:
            raise ClusterUnavailable(
                f"the policy names the cluster {cluster!r}, which the server does not know: "
                f"add it to clusters in {FILE_NAME}"
            )
        return found

    def _history(self, cluster: ClusterConfig) -> ClusterHistory | None:
        source, context = cluster.prometheus, cluster.kube_context
        if source is not None:
            reached = replace(self.settings, prometheus=_reached(self.settings.prometheus, cluster, source))
            return PrometheusHistory(
                reached, source.url, self.hours, context or None, cluster.name, self.kills_days
            )
        return ContextOnly(context, self.settings.kubernetes_api_url) if context else None


def cluster_api(
    settings: Settings, cluster: ClusterConfig, timeout_seconds: float = REQUEST_SECONDS
) -> PrometheusApi:
    """A client for a cluster's Prometheus, which sees that cluster alone; it is to be closed.

    Raises ClusterUnavailable where the cluster has none.
    """
    source = cluster.prometheus
    if source is None:
        raise ClusterUnavailable(f"the cluster {cluster.name!r} has no Prometheus in {FILE_NAME}")
    reached = _reached(settings.prometheus, cluster, source)
    return open_api(reached, source.url, source.selector, timeout_seconds)


def cluster_labels(settings: Settings, cluster: ClusterConfig, annotations: Collection[str]) -> LabelsNow:
    """The labels there are now in a cluster with a kube context, and of annotations those that are named.

    Never raises for the cluster or the kubeconfig: what cannot be read is `missing`.
    """
    if not cluster.kube_context:
        return LabelsNow()
    from bot.adapters.kubernetes_api import open_context  # noqa: PLC0415
    from bot.adapters.kubernetes_labels import read_labels  # noqa: PLC0415

    try:
        api = open_context(
            cluster.kube_context, server=settings.kubernetes_api_url, timeout_seconds=_LABELS_SECONDS
        )
        with closing(api):
            return read_labels(api, annotations)
    except (ClusterUnavailable, UserError) as error:
        return LabelsNow(missing=(f"no labels are read from the Kubernetes API: {error}",))


def _reached(
    given: PrometheusSettings, cluster: ClusterConfig, source: PrometheusSource
) -> PrometheusSettings:
    """How one cluster's Prometheus is reached: what is its own, else what the environment says for all."""
    token = given.tokens.get(cluster.variable)
    own = {name.lower() for name in source.headers}
    others = {name: value for name, value in given.headers.items() if name.lower() not in own}
    return replace(
        given,
        token=token or given.token,
        basic_auth=None if token else given.basic_auth,
        headers={**others, **source.headers},
    )
