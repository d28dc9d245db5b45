"""Pods within each hour: on which node they were, whose, and what their containers lived and asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bot.adapters.prometheus_allocation_queries import COARSE_AN_HOUR, INIT_REQUESTS, POD_INFO, REQUESTS
from bot.adapters.prometheus_allocation_usage import WHOLE, steps_seen
from bot.adapters.prometheus_api import RangeSeries
from bot.adapters.prometheus_facts import ContainerPlace, Tagged, container_place
from bot.adapters.prometheus_ksm_names import kubernetes_resource
from bot.adapters.prometheus_owners import Named, Owners
from bot.adapters.prometheus_queries import own_labels
from estimators.usage import Series

Labels = Mapping[str, str]
PodPlace = tuple[str, str, str]
"""Namespace, name and uid: a StatefulSet's pod comes back under its name."""
Life = tuple[PodPlace, str]
"""A pod and the name of one of its containers."""


@dataclass(frozen=True, slots=True)
class PodFacts:
    """Where a pod was and what owns it; `node` is `""` until it is scheduled."""

    node: str
    owner: Named


@dataclass(frozen=True, slots=True)
class Pods:
    """What is known of pods besides their lives and use.

    `requests` are amounts by resource, one an hour, NaN where not seen.
    """

    facts: dict[PodPlace, PodFacts] = field(default_factory=dict)
    requests: dict[Life, dict[str, Series]] = field(default_factory=dict)
    uids: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))

    def learn(self, rows: Tagged, *, at_edges: bool) -> None:
        """Take in answers, a value for each hour or one at each of their ends; what is known stays."""
        for row in rows.get(POD_INFO, ()):
            own = own_labels(row.labels)
            pod = _pod(own)
            known = self.facts.get(pod)
            if known is None or not known.node:
                owner = (own.get("created_by_kind", ""), own.get("created_by_name", ""))
                self.facts[pod] = PodFacts(own.get("node", ""), owner)
            if known is None:
                self.uids[pod[:2]].append(pod[2])
        for metric in (REQUESTS, INIT_REQUESTS):
            for row in rows.get(metric, ()):
                own = own_labels(row.labels)
                amounts = self.requests.setdefault((_pod(own), own.get("container", "")), {})
                resource = kubernetes_resource(own.get("resource", ""))
                seen = _between(row.values) if at_edges else row.values
                known_amounts = amounts.get(resource)
                amounts[resource] = seen if known_amounts is None else np.fmax(known_amounts, seen)

    def owners(self, above: Mapping[tuple[str, str, str], Named]) -> Owners:
        """What owns the pods themselves; `above` is what is known of the owners of those."""
        always = np.ones(1, dtype=np.bool_)
        return Owners({pod[:2]: [(always, facts.owner)] for pod, facts in self.facts.items()}, dict(above))

    def life(self, own: Labels) -> Life:
        """Whose life a series tells. cAdvisor names no uid: it is the pod on that node, or the last."""
        pod = _pod(own)
        if not pod[2]:
            uids = self.uids.get(pod[:2], [""])
            here = [
                uid
                for uid in uids
                if (facts := self.facts.get((*pod[:2], uid))) and facts.node == own.get("node")
            ]
            pod = (*pod[:2], (here or uids)[-1])
        return pod, own.get("container", "")

    def known(self, pod: PodPlace) -> PodPlace:
        """The pod, or where nothing is known of that uid, the last of its name."""
        uids = self.uids.get(pod[:2])
        return (*pod[:2], uids[-1]) if uids and pod not in self.facts else pod

    def requested(self, life: Life) -> dict[str, Series]:
        """Amounts by resource for every hour; an hour in which none was seen has that of the day."""
        pod, container = self.known(life[0]), life[1]
        found = self.requests.get((pod, container)) or self.requests.get(((*pod[:2], ""), container), {})
        return {resource: _filled(values) for resource, values in found.items()}


def _pod(own: Labels) -> PodPlace:
    return own.get("namespace", ""), own.get("pod", ""), own.get("uid", "")


def _between(values: Series) -> Series:
    """The mean of an hour's two ends, or that of them where it was seen."""
    before, after = values[:-1], values[1:]
    mean: Series = (np.where(np.isnan(before), after, before) + np.where(np.isnan(after), before, after)) / 2
    return mean


def _filled(values: Series) -> Series:
    missing = np.isnan(values)
    if not missing.any() or missing.all():
        return np.nan_to_num(values)
    return np.where(missing, np.nanmean(values), values)


def lives_by_name(lived: Mapping[Life, Series]) -> dict[ContainerPlace, Series]:
    """The lives of containers by namespace, pod and container: of all pods that had the name."""
    found: dict[ContainerPlace, Series] = {}
    for ((namespace, pod, _), container), shares in lived.items():
        place = (namespace, pod, container)
        found[place] = np.minimum(1.0, found[place] + shares) if place in found else shares
    return found


def lives_of_pods(lived: Mapping[Life, Series]) -> dict[tuple[str, str], Series]:
    """How long each pod (namespace, name) lived in each hour: as long as its longest container."""
    longest: dict[PodPlace, Series] = {}
    for (pod, _), shares in lived.items():
        longest[pod] = np.maximum(longest[pod], shares) if pod in longest else shares
    found: dict[tuple[str, str], Series] = {}
    for pod, shares in longest.items():
        found[pod[:2]] = np.minimum(1.0, found[pod[:2]] + shares) if pod[:2] in found else shares
    return found


def with_unlisted(
    lived: Mapping[Life, Series], pods: Pods, memory: Iterable[RangeSeries], scraped: Series
) -> dict[Life, Series]:
    """The lives, with those that cAdvisor alone knows: sidecars among the init containers, static pods.

    Their time is counted in 5-minute steps, of which `scraped` had data in each hour.
    """
    known = {(*pod[:2], container) for pod, container in lived}
    found = dict(lived)
    for row in memory:
        own = own_labels(row.labels)
        life = pods.life(own)
        if (*life[0][:2], life[1]) in known:
            continue
        if life[0] not in pods.facts:
            pods.facts[life[0]] = PodFacts(own.get("node", ""), ("", ""))
        steps = steps_seen(row.values)
        shares = np.minimum(1.0, np.divide(steps, scraped, out=np.zeros(steps.size), where=scraped > 0))
        found[life] = np.maximum(found[life], shares) if life in found else shares
    return found


def to_be_named(
    lived: Mapping[Life, Series],
    pods: Pods,
    memory: Iterable[RangeSeries],
    cpu: Iterable[RangeSeries],
    hours: int,
) -> set[str]:
    """Names of pods of which something was missed: they lived, or ended, between two samples.

    Of one that ran for the whole hour before or after, enough is known without.
    """
    measured = _any_of(memory, lambda values: np.asarray((~np.isnan(values)).reshape(hours, -1).any(axis=1)))
    at_end = _any_of(cpu, lambda values: ~np.isnan(values[COARSE_AN_HOUR::COARSE_AN_HOUR]))
    cut_short = _any_of(cpu, _cut_short)
    nothing = np.zeros(hours, dtype=np.bool_)
    named = set()
    for (pod, container), shares in lived.items():
        long = np.concatenate(([False], shares >= WHOLE, [False]))
        partly: NDArray[np.bool_] = (shares > 0) & ~(long[:-2] | long[1:-1] | long[2:])
        place = (*pod[:2], container)
        unknown = pod not in pods.facts or not pods.facts[pod].node
        whole = measured.get(place, nothing) & at_end.get(place, nothing) & ~cut_short.get(place, nothing)
        if shares.any() and (unknown or (partly & ~whole).any()):
            named.add(pod[1])
    return named


def _cut_short(counter: Series) -> NDArray[np.bool_]:
    """The hours in which a counter was seen, but not at their end."""
    seen = ~np.isnan(counter)
    inside = np.asarray(seen[:-1].reshape(-1, COARSE_AN_HOUR).any(axis=1))
    return inside & ~seen[COARSE_AN_HOUR::COARSE_AN_HOUR]


def _any_of(
    rows: Iterable[RangeSeries], test: Callable[[Series], NDArray[np.bool_]]
) -> dict[ContainerPlace, NDArray[np.bool_]]:
    """In which hours the test holds for any series of a container."""
    found: dict[ContainerPlace, NDArray[np.bool_]] = {}
    for row in rows:
        place = container_place(row.labels)
        holds = test(row.values)
        found[place] = found[place] | holds if place in found else holds
    return found
