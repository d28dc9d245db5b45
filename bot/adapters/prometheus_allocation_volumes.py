"""Volumes and load balancers of each hour: whose they are, how large, how long, at what price."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from bot.adapters.prometheus_allocation_queries import (
    BALANCER_PRICES,
    CLAIM_INFO,
    CLAIM_PODS,
    CLAIM_SIZES,
    COARSE_AN_HOUR,
    FINE_AN_HOUR,
    INGRESSES,
    SERVICES,
    VOLUME_INFO,
    VOLUME_PRICES,
    VOLUME_SIZES,
)
from bot.adapters.prometheus_allocation_usage import (
    exact_mean,
    mean_an_hour,
    scraped_steps,
    steps_seen,
)
from bot.adapters.prometheus_api import RangeSeries
from bot.adapters.prometheus_facts import Tagged
from bot.adapters.prometheus_queries import own_labels
from estimators.allocation import BalancerHour, VolumeHour
from estimators.change import Cluster
from estimators.prices import PriceSheet
from estimators.storage import storage_rate
from estimators.usage import Series, WorkloadKey

_GIB = 2.0**30

Claim = tuple[str, str]
"""A namespace and the name of a PersistentVolumeClaim."""


@dataclass(slots=True)
class _Volume:
    """A volume being put together: mean bytes of each hour, and how many 5-minute steps of it were seen."""

    sizes: Series
    steps: Series
    claim: Claim = ("", "")
    storage_class: str = ""
    price: Series | None = None


@dataclass(frozen=True, slots=True)
class Volumes:
    """The volumes of some hours; `users` are those that mounted each claim, and for how long they ran."""

    found: list[_Volume]
    users: Mapping[Claim, Mapping[WorkloadKey, Series]]
    scraped: Series
    sheet: PriceSheet
    hours_per_month: Decimal
    _sheet_prices: dict[str, tuple[Decimal, bool]] = field(default_factory=dict)

    def hour(self, number: int) -> Iterator[VolumeHour]:
        """The volumes of one hour. One that several workloads share is split by the time they ran."""
        for volume in self.found:
            steps = volume.steps[number]
            if not steps or not self.scraped[number]:
                continue
            gib = float(volume.sizes[number]) / _GIB
            hours = min(1.0, float(steps / self.scraped[number]))
            price = self._price(volume, number)
            for workload, share in self._shares(volume.claim, number):
                yield VolumeHour(*volume.claim, workload, volume.storage_class, gib * share, hours, price)

    def _shares(self, claim: Claim, number: int) -> list[tuple[WorkloadKey | None, float]]:
        """Who pays how much of a claim: who ran in the hour, else who did on the day, else who would have."""
        users = sorted(self.users.get(claim, {}).items())
        weights = [float(ran[number]) for _, ran in users]
        if not sum(weights):
            weights = [float(ran.sum()) for _, ran in users]
        whole = sum(weights)
        if not whole:
            return [(user, 1 / len(users)) for user, _ in users] or [(None, 1.0)]
        return [(user, weight / whole) for (user, _), weight in zip(users, weights, strict=True) if weight]

    def _price(self, volume: _Volume, number: int) -> Decimal:
        """Per GiB-hour: a sheet that a person named, OpenCost's price of this volume, then the sheet."""
        name = volume.storage_class
        if name not in self._sheet_prices:
            cluster = Cluster(prices=self.sheet, hours_per_month=self.hours_per_month)
            hourly = storage_rate(name, cluster).gib_month / self.hours_per_month
            named = self.sheet.explicit and (
                self.sheet.names("storage_gib_month") or name in self.sheet.storage
            )
            self._sheet_prices[name] = (hourly, named)
        hourly, named = self._sheet_prices[name]
        if named or volume.price is None or not volume.price[number] > 0:
            return hourly
        return exact_mean(volume.price[number])


def volumes_of(
    fine: Tagged,
    coarse: Tagged,
    workload_of: Callable[[str, str], WorkloadKey | None],
    lived: Mapping[tuple[str, str], Series],
    hours: int,
    *,
    sheet: PriceSheet,
    hours_per_month: Decimal,
) -> Volumes:
    """The volumes, out of the answers. `workload_of` and `lived` are by namespace and name of a pod.

    A volume whose claim is gone is an orphan. A claim of a volume that is not known itself, as where
    kube-state-metrics may not read those, has the size it asked for.
    """
    claims = {}
    for row in coarse.get(CLAIM_INFO, ()):
        own = own_labels(row.labels)
        claim = (own.get("namespace", ""), own.get("persistentvolumeclaim", ""))
        claims[claim] = (own.get("volumename", ""), own.get("storageclass", ""))
    claim_of = {volume: claim for claim, (volume, _) in claims.items() if volume}
    found = _sized(fine.get(VOLUME_SIZES, ()), lambda own: (own.get("persistentvolume", ""), ""))
    classes, prices = _volume_facts(coarse)
    volumes = []
    for (name, _), volume in found.items():
        volume.claim = claim_of.get(name, ("", ""))
        volume.storage_class = classes.get(name) or claims.get(volume.claim, ("", ""))[1]
        volume.price = prices.get(name)
        volumes.append(volume)
    sizes = _sized(
        fine.get(CLAIM_SIZES, ()),
        lambda own: (own.get("namespace", ""), own.get("persistentvolumeclaim", "")),
    )
    for claim, volume in sizes.items():
        bound_to, storage_class = claims.get(claim, ("", ""))
        if bound_to and (bound_to, "") not in found:
            volume.claim, volume.storage_class = claim, storage_class
            volume.price = prices.get(bound_to)
            volumes.append(volume)
    users = _users(coarse, workload_of, lived, hours)
    return Volumes(volumes, users, scraped_steps(fine, hours), sheet, hours_per_month)


def _sized(
    rows: Iterable[RangeSeries], key: Callable[[Mapping[str, str]], tuple[str, str]]
) -> dict[tuple[str, str], _Volume]:
    highest: dict[tuple[str, str], Series] = {}
    for row in rows:
        place = key(own_labels(row.labels))
        highest[place] = np.fmax(highest[place], row.values) if place in highest else row.values
    return {
        place: _Volume(mean_an_hour(values, FINE_AN_HOUR), steps_seen(values))
        for place, values in highest.items()
    }


def _volume_facts(coarse: Tagged) -> tuple[dict[str, str], dict[str, Series]]:
    """StorageClass and price per GiB-hour of each volume."""
    classes: dict[str, str] = {}
    prices: dict[str, Series] = {}
    for row in coarse.get(VOLUME_INFO, ()):
        own = own_labels(row.labels)
        classes[own.get("persistentvolume", "")] = own.get("storageclass", "")
    for row in coarse.get(VOLUME_PRICES, ()):
        own = own_labels(row.labels)
        name = own.get("persistentvolume") or own.get("volumename", "")
        # Where OpenCost was replaced, the rest of it is a series of its own.
        prices[name] = np.fmax(prices[name], row.values) if name in prices else row.values
    means = {name: mean_an_hour(values[:-1], COARSE_AN_HOUR) for name, values in prices.items()}
    return classes, means


def _users(
    coarse: Tagged,
    workload_of: Callable[[str, str], WorkloadKey | None],
    lived: Mapping[tuple[str, str], Series],
    hours: int,
) -> dict[Claim, dict[WorkloadKey, Series]]:
    users: dict[Claim, dict[WorkloadKey, Series]] = defaultdict(dict)
    mounted = set()
    for row in coarse.get(CLAIM_PODS, ()):
        own = own_labels(row.labels)
        claim = (own.get("namespace", ""), own.get("persistentvolumeclaim", ""))
        mounted.add((claim, own.get("pod", "")))
    for claim, pod in sorted(mounted):
        workload = workload_of(claim[0], pod)
        if workload:
            before = users[claim].get(workload, np.zeros(hours))
            users[claim][workload] = before + lived.get((claim[0], pod), np.zeros(hours))
    return users


def balancer_hours(fine: Tagged, hours: int, sheet: PriceSheet) -> list[tuple[BalancerHour, ...]]:
    """The load balancers of each hour: at OpenCost's price where it has one, else at the sheet's.

    A Service that got no address yet costs nothing, where kube-state-metrics tells addresses.
    """
    there: dict[tuple[str, str], Series] = {}
    priced: dict[tuple[str, str], Series] = {}
    addresses = fine.get(INGRESSES, ())
    for row in addresses or fine.get(SERVICES, ()):
        _keep_highest(there, _service(row), row.values)
    for row in fine.get(BALANCER_PRICES, ()):
        own = own_labels(row.labels)
        place = (own.get("namespace", ""), own.get("service_name", ""))
        _keep_highest(there, place, row.values)
        _keep_highest(priced, place, row.values)
    scraped = scraped_steps(fine, hours)
    means = {place: mean_an_hour(values, FINE_AN_HOUR) for place, values in priced.items()}
    named = sheet.explicit and sheet.names("load_balancer_hour")
    lists: list[list[BalancerHour]] = [[] for _ in range(hours)]
    for place, values in sorted(there.items()):
        steps = steps_seen(values)
        for number in np.flatnonzero((steps > 0) & (scraped > 0)).tolist():
            mean = means[place][number] if place in means and not named else np.nan
            hourly = exact_mean(mean) if mean > 0 else sheet.load_balancer_hour
            share = min(1.0, float(steps[number] / scraped[number]))
            lists[number].append(BalancerHour(*place, share, hourly))
    return [tuple(items) for items in lists]


def _service(row: RangeSeries) -> tuple[str, str]:
    own = own_labels(row.labels)
    return own.get("namespace", ""), own.get("service", "")


def _keep_highest(found: dict[tuple[str, str], Series], place: tuple[str, str], values: Series) -> None:
    found[place] = np.fmax(found[place], values) if place in found else values
