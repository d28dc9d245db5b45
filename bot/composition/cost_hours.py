"""Hours of clusters, read from their Prometheus and charged for one answer. Part of the composition root."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.adapters.price_list import default_sheet
from bot.adapters.prometheus_allocation import read_hours
from bot.composition.clusters import cluster_api, cluster_labels
from bot.cost_memory import HoursInMemory
from bot.cost_windows import Hours, hours_needed
from bot.errors import UserError
from bot.handlers.allocate_hours import settled_until
from bot.progress import progress_bar
from bot.server_config import ClusterConfig
from bot.settings import Settings
from estimators.allocate import allocate
from estimators.allocation import HourCost
from estimators.ownership import LabelsNow
from estimators.prices import PriceSheet

RECENT = (timedelta(days=1), timedelta(days=40))
"""Where a Prometheus is searched for its newest hour; mostly it is minutes old."""
_HOUR = timedelta(hours=1)
_NO_LABELS = LabelsNow()


@dataclass(frozen=True, slots=True)
class Source:
    """A cluster with a Prometheus; `prices` are those that a person named, which win over its own.

    `annotations` are those that say whose something is.
    """

    settings: Settings
    cluster: ClusterConfig
    prices: PriceSheet | None = None
    annotations: frozenset[str] = frozenset()

    @property
    def sheet(self) -> PriceSheet:
        """The prices that hold where Prometheus has none."""
        return self.prices or self.cluster.prices or default_sheet()

    def labels(self) -> LabelsNow:
        """Those there are now, of a cluster whose Kubernetes API can be asked."""
        return cluster_labels(self.settings, self.cluster, self.annotations)

    def read(
        self,
        start: datetime,
        end: datetime,
        *,
        labels: LabelsNow = _NO_LABELS,
        title: str = "Looking for the newest hour",
    ) -> Iterator[HourCost]:
        """The hours of `[start, end)`, charged. Raises OutsideError, UserError where clusters are mixed."""
        with (
            closing(cluster_api(self.settings, self.cluster)) as api,
            progress_bar(title) as progress,
        ):
            for hour in read_hours(
                api, start=start, end=end, prices=self.sheet, labels=labels, progress=progress
            ):
                if hour.covered:
                    yield allocate(hour)


def hours_of(sources: Sequence[Source], window: str, now: datetime) -> HoursInMemory:
    """All that a question about `window` needs, up to the newest hour of which anything was measured.

    Raises UserError where nothing was.
    """
    until = settled_until(now)
    newest = [hour for source in sources if (hour := _newest(source, until)) is not None]
    if not newest:
        asked = ", ".join(source.cluster.prometheus.url for source in sources if source.cluster.prometheus)
        raise UserError(
            f"{asked} knows no node or pod of the last {RECENT[-1].days} days: it must scrape "
            "kube-state-metrics and the kubelets' /metrics/cadvisor"
        )
    end = max(newest) + _HOUR
    return hours_between(sources, hours_needed(window, end))


def hours_between(sources: Sequence[Source], hours: Hours) -> HoursInMemory:
    """All of these hours that were measured; none where Prometheus knows nothing of them."""
    found = HoursInMemory(hours.end)
    for source in sources:
        title = f"Reading {source.cluster.name or 'hours'}".strip()
        read = source.read(*hours, labels=source.labels(), title=title)
        found.add(source.cluster.name, read, source.sheet.currency)
    return found


def _newest(source: Source, until: datetime) -> datetime | None:
    """When the newest hour began."""
    for back in RECENT:
        newest = None
        for hour in source.read(until - back, until):
            newest = hour.hour
        if newest is not None:
            return newest
    return None
