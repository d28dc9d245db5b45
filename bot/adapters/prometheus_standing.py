"""What stands there whether or not anybody uses it: volume claims and load balancers, told by the day.

One request, and a second one where there are load balancers, whatever the size of the cluster and
without subqueries. A day counts as known only where kube-state-metrics was seen for most of it, for
what it did not see would look like what nobody used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bot.adapters.prometheus_api import PrometheusApi, is_kubernetes_name, quoted
from bot.adapters.prometheus_facts import Tagged, by_tag
from bot.adapters.prometheus_queries import DAY, PREFIXES, RENAMED, Scope, any_of, own_labels, tagged
from bot.adapters.prometheus_transport import AnswerTooLarge
from estimators.usage import BalancerUsage, ClaimUsage, Series, Window

SEEN_FOR = 0.8
"""Share of a day's scrapes, of those of the fullest day, that make it a known one."""
MOST_NAMES = 1_000
"""Load balancers that are asked for by name; with more of them none is judged."""

_CLAIMS = "kube_persistentvolumeclaim_info"
_MOUNTS = "kube_pod_spec_volumes_persistentvolumeclaims_info"
_USED, _CAPACITY = "kubelet_volume_stats_used_bytes", "kubelet_volume_stats_capacity_bytes"
_SERVICES = "kube_service_spec_type"
_ENDPOINTS, _SLICES = "kube_endpoint_address", "kube_endpointslice_endpoints"
_ANY = "any "
_READY = 'ready="true"'
_A_DAY, _AN_HOUR = "[86400s]", "[3600s]"

Place = tuple[str, str]
"""A namespace and a name."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The claims and load balancers of some namespaces."""

    claims: tuple[ClaimUsage, ...] = ()
    balancers: tuple[BalancerUsage, ...] = ()
    partial: tuple[str, ...] = ()
    """Why nothing is known, in words."""


def read_standing(api: PrometheusApi, *, window: Window, namespaces: Iterable[str] | None = None) -> Standing:
    """The claims and load balancers of `namespaces`, of all where None is given, over the whole days.

    No claims and no load balancers where the server warned that answers are not whole; nothing where its
    limits allow no such question. Raises PrometheusUnavailable where there is no answer.
    """
    names = [name for name in namespaces or () if is_kubernetes_name(name)]
    if not window.whole_days or (namespaces is not None and not names):
        return Standing()
    try:
        return _read(api, Scope.of(api, names), window)
    except AnswerTooLarge as error:
        return Standing(partial=(f"whether volumes and load balancers are used is not known: {error}",))


def _read(api: PrometheusApi, scope: Scope, window: Window) -> Standing:
    found = _ask(api, window, list(_vectors(scope)))
    named = _by_place(found, _SERVICES, "service")
    there = {place: days for place, days in named.items() if all(map(is_kubernetes_name, place))}
    ready: Mapping[Place, Series] = {}
    if 0 < len(there) <= MOST_NAMES:
        found = {**found, **_ask(api, window, list(_endpoint_vectors(scope, sorted(there))))}
        ready = _ready(found, there)
    if api.warnings:  # What a store that is down, or a limit, left out would look like what nobody used.
        return Standing()
    return Standing(tuple(_claims(found)), tuple(_balancers(found, there, ready)))


def _ask(api: PrometheusApi, window: Window, vectors: Sequence[str]) -> Tagged:
    first = window.end - (window.whole_days - 1) * DAY
    return by_tag(api.range(any_of(vectors), start=first, end=window.end, step_seconds=86_400))


def _vectors(scope: Scope) -> Iterator[str]:
    for prefix in PREFIXES:
        for metric, function, label, matchers in (
            (_CLAIMS, "count_over_time", "persistentvolumeclaim", ()),
            (_MOUNTS, "last_over_time", "persistentvolumeclaim", ()),
            (_USED, "max_over_time", "persistentvolumeclaim", ()),
            (_CAPACITY, "last_over_time", "persistentvolumeclaim", ()),
            (_SERVICES, "count_over_time", "service", ('type="LoadBalancer"',)),
        ):
            yield _highest(metric, f"{function}({scope.series(metric, prefix, *matchers)}{_A_DAY})", label)
    for metric, matchers in ((_MOUNTS, ()), (_ENDPOINTS, (_READY,)), (_SLICES, (_READY,))):
        yield tagged(_ANY + metric, f"group(last_over_time({scope.cluster(metric, *matchers)}{_AN_HOUR}))")


def _endpoint_vectors(scope: Scope, places: Sequence[Place]) -> Iterator[str]:
    """Ready endpoints of the load balancers. A label may be renamed though the namespace was not."""
    names = "|".join(sorted({re.escape(name) for _, name in places}))
    # The controller of slices puts a dash and a few characters after the Service's name.
    for metric, label, pattern in (
        (_ENDPOINTS, "endpoint", names),
        (_SLICES, "endpointslice", f"({names})-.*"),
    ):
        for prefix in PREFIXES:
            for renamed in PREFIXES:
                named = f"{renamed}{label}=~{quoted(pattern)}"
                plain = () if renamed else (f'{RENAMED}{label}=""',)
                selector = scope.series(metric, prefix, named, *plain, _READY)
                yield _highest(metric, f"last_over_time({selector}{_A_DAY})", label)


def _highest(tag: str, vector: str, label: str) -> str:
    labels = ", ".join(f"{prefix}{name}" for prefix in PREFIXES for name in ("namespace", label))
    return tagged(tag, f"max by ({labels}) ({vector})")


def _by_place(found: Tagged, tag: str, label: str) -> dict[Place, Series]:
    """A value a day for each namespace and name; of two scrapers the higher one."""
    values: dict[Place, Series] = {}
    for row in found.get(tag, ()):
        own = own_labels(row.labels)
        place = own.get("namespace", ""), own.get(label, "")
        values[place] = np.fmax(values[place], row.values) if place in values else row.values
    return values


def _claims(found: Tagged) -> Iterator[ClaimUsage]:
    label = "persistentvolumeclaim"
    there, mounts = _by_place(found, _CLAIMS, label), _by_place(found, _MOUNTS, label)
    used, capacity = _by_place(found, _USED, label), _by_place(found, _CAPACITY, label)
    known = _known(there, found, _MOUNTS)
    for place in sorted({*there, *used}):
        gap = np.full(_days(there, used), np.nan)
        sizes = capacity.get(place, gap)
        seen = sizes[~np.isnan(sizes)]
        yield ClaimUsage(
            *place,
            mounted=_flags(mounts.get(place, gap), known.get(place)),
            used_peak_bytes=used.get(place, gap),
            capacity_bytes=float(seen[-1]) if seen.size else None,
        )


def _balancers(
    found: Tagged, there: Mapping[Place, Series], ready: Mapping[Place, Series]
) -> Iterator[BalancerUsage]:
    known = _known(there, found, _ENDPOINTS, _SLICES) if len(there) <= MOST_NAMES else {}
    for place, values in sorted(there.items()):
        gap = np.full(values.size, np.nan)
        yield BalancerUsage(*place, ready=_flags(ready.get(place, gap), known.get(place)))


def _ready(found: Tagged, there: Iterable[Place]) -> dict[Place, Series]:
    """The days on which each load balancer had a ready endpoint, by its Endpoints or by its slices."""
    values = _by_place(found, _ENDPOINTS, "endpoint")
    slices = _by_place(found, _SLICES, "endpointslice")
    for namespace, name in there:
        for (where, part), days in slices.items():
            if where == namespace and part.startswith(f"{name}-"):
                now = values.get((namespace, name))
                values[namespace, name] = days if now is None else np.fmax(now, days)
    return values


def _flags(happened: Series, known: Series | None) -> Series:
    """1 where it happened, 0 where it is known that it did not, else NaN."""
    nothing = np.full(happened.size, np.nan) if known is None else np.where(known == 1, 0.0, np.nan)
    return np.where(np.isnan(happened), nothing, 1.0)


def _known(there: Mapping[Place, Series], found: Tagged, *evidence: str) -> dict[Place, Series]:
    """1 for the days on which each was scraped for most of the day, and the other metric at all."""
    if not there:
        return {}
    asked = np.zeros(next(iter(there.values())).size, dtype=bool)
    for metric in evidence:
        for row in found.get(_ANY + metric, ()):
            asked |= ~np.isnan(row.values)
    most = max(float(np.nanmax(counts)) for counts in there.values() if not np.isnan(counts).all())
    return {place: np.where(asked & (counts >= SEEN_FOR * most), 1.0, 0.0) for place, counts in there.items()}


def _days(*kinds: Mapping[Place, Series]) -> int:
    return next(values.size for kind in kinds for values in kind.values())
