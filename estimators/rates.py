"""What a core, a GiB and a GPU cost a pod an hour: the price of the nodes it may land on.

Order of trust: what a sheet that a person named says of a node; prices OpenCost measured on it; then
list prices and built-in ones (`estimators.node_price.sheet_rates`).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from estimators.change import Cluster
from estimators.gpu import GpuShare, gpu_labels, physical_gpus
from estimators.money import ZERO
from estimators.node_price import Capacity, rates_of_node, sheet_rates
from estimators.placement import demanded_labels, fits, matching_nodes
from estimators.prices import Provenance, Rates
from estimators.usage import Node
from estimators.workload import Placement, PodTemplate, Resources

_ONE = Decimal(1)
_MOST_SOURCES = 3
_LEAST_TRUSTED_FIRST = (Provenance.ASSUMED, Provenance.REQUESTED, Provenance.MEASURED)


@dataclass(frozen=True, slots=True)
class _Landing:
    """Nodes that are alike in price and size: one of them, how many, how large, at what rates."""

    node: Node
    count: int
    capacity: Capacity
    rates: Rates


class RateBook:
    """Rates for the pods of one cluster.

    It remembers what it worked out, by placement and by kind of node, so that a thousand workloads
    over a thousand nodes cost about a thousand placements, not a million comparisons.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        # A server lists nodes in any order: neither a sum's last digit nor the words may depend on it.
        self._every = sorted(cluster.nodes, key=lambda node: node.name)
        self._nodes: dict[str, tuple[Rates, Capacity]] = {}
        self._kinds: dict[Hashable, int] = {}
        self._kind_of: dict[str, int] = {}
        self._landings: dict[Hashable, tuple[_Landing, ...]] = {}
        self._rates: dict[Hashable, Rates] = {}
        self._shares: dict[Hashable, GpuShare] = {}

    def rates_for(self, template: PodTemplate, pod_request: Resources, *, one_a_node: bool = False) -> Rates:
        """Hourly prices for one pod of `template` whose effective request is `pod_request`.

        The mean over the nodes it may land on, weighted by their capacity; a DaemonSet's, which has
        one pod on each of them, by their number. Where none is known, or none has room, the labels
        the pod itself demands choose the price.
        """
        place, landings = self._landing(template.placement, pod_request)
        key = (place, one_a_node)
        if key not in self._rates:
            demanded = sheet_rates(demanded_labels(template.placement), self._cluster.prices)
            self._rates[key] = _mean(landings, demanded, one_a_node=one_a_node) if landings else demanded
        return self._rates[key]

    def gpus_for(self, template: PodTemplate, pod_request: Resources) -> GpuShare:
        """Physical GPUs one pod is charged for, by the labels of the nodes it may land on."""
        wanted = {name: amount for name, amount in pod_request.items() if amount and "/" in name}
        if not wanted:
            return GpuShare(ZERO)
        place, landings = self._landing(template.placement, pod_request)
        key = (place, frozenset(wanted.items()))
        if key not in self._shares:
            labels = [item.node.labels for item in landings for _ in range(item.count)]
            self._shares[key] = physical_gpus(wanted, labels or [demanded_labels(template.placement)])
        return self._shares[key]

    def _landing(self, placement: Placement, pod_request: Resources) -> tuple[Hashable, tuple[_Landing, ...]]:
        """The kinds of node the pod may land on and fits on, under a key that tells them apart."""
        key = _frozen(
            (placement.node_selector, placement.affinity, placement.tolerations, placement.node_name)
        )
        if key not in self._landings:
            # A cordon or a passing ailment of a node does not change what its pool costs.
            nodes = matching_nodes(placement, self._every, tolerate_cordon=True)
            self._landings[key] = self._alike(nodes)
        every = self._landings[key]
        roomy = tuple(index for index, item in enumerate(every) if fits(pod_request, item.node))
        return (key, roomy), tuple(every[index] for index in roomy)

    def _alike(self, nodes: tuple[Node, ...]) -> tuple[_Landing, ...]:
        alike: dict[int, list[Node]] = {}
        for node in nodes:
            alike.setdefault(self._kind(node), []).append(node)
        return tuple(
            _Landing(some[0], len(some), capacity, rates)
            for some in alike.values()
            for rates, capacity in [self._of(some[0])]
        )

    def _kind(self, node: Node) -> int:
        """A number that nodes share where price, size and what a GPU share means there are the same."""
        if node.name not in self._kind_of:
            kind = (self._of(node), _frozen(node.allocatable), _frozen(gpu_labels(node.labels)))
            self._kind_of[node.name] = self._kinds.setdefault(kind, len(self._kinds))
        return self._kind_of[node.name]

    def _of(self, node: Node) -> tuple[Rates, Capacity]:
        if node.name not in self._nodes:
            usage = self._cluster.usage
            as_of = usage.prices_as_of if usage else ""
            self._nodes[node.name] = rates_of_node(node, self._cluster.prices, as_of)
        return self._nodes[node.name]


def _mean(landings: Sequence[_Landing], demanded: Rates, *, one_a_node: bool) -> Rates:
    """The capacity-weighted mean; nodes whose price is known speak for those where it is assumed.

    `demanded` gives the GPU price where no landing node has a GPU.
    """
    known = [item for item in landings if item.rates.provenance is not Provenance.ASSUMED]
    landings = known or landings

    def mean(price: Callable[[Rates], Decimal], size: Callable[[Capacity], Decimal]) -> Decimal | None:
        return weighted_mean([(price(item.rates), size(item.capacity) * item.count) for item in landings])

    def sized(price: Callable[[Rates], Decimal], size: Callable[[Capacity], Decimal]) -> Decimal:
        """By number for one pod a node, and where no node tells its size."""
        found = None if one_a_node else mean(price, size)
        return mean(price, lambda _: _ONE) or ZERO if found is None else found

    gpu_hour = mean(lambda rates: rates.gpu_hour, lambda size: size.gpus)
    every = [item.rates for item in landings]
    pools = {rates.pool for rates in every}
    nodes = sum(item.count for item in landings)
    source = _joined([rates.source for rates in every])
    return Rates(
        sized(lambda rates: rates.cpu_core_hour, lambda size: size.cores),
        sized(lambda rates: rates.memory_gib_hour, lambda size: size.gib),
        demanded.gpu_hour if gpu_hour is None else gpu_hour,
        f"{source} ({nodes} node{'s' if nodes > 1 else ''})",
        _joined([rates.as_of for rates in every]),
        min((rates.provenance for rates in every), key=_LEAST_TRUSTED_FIRST.index),
        pools.pop() if len(pools) == 1 else "",
        any(item.rates.gpu_assumed for item in landings if item.capacity.gpus)
        if gpu_hour is not None
        else demanded.gpu_assumed,
    )


def weighted_mean(pairs: Sequence[tuple[Decimal, Decimal]]) -> Decimal | None:
    """The mean of (value, weight) pairs, never outside the values; None for no weight."""
    weight = sum((weight for _, weight in pairs), ZERO)
    if not weight:
        return None
    values = [value for value, share in pairs if share]
    mean = sum((value * share for value, share in pairs), ZERO) / weight
    return min(max(mean, min(values)), max(values))


def _joined(texts: Sequence[str]) -> str:
    unique = list(dict.fromkeys(filter(None, texts)))
    shown = "; ".join(unique[:_MOST_SOURCES])
    return f"{shown} and {len(unique) - _MOST_SOURCES} more" if len(unique) > _MOST_SOURCES else shown


def _frozen(value: object) -> Hashable:
    """A hashable equal for equal YAML values."""
    if isinstance(value, Mapping):
        return frozenset((key, _frozen(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return tuple(_frozen(item) for item in value)
    return value if isinstance(value, Hashable) else repr(value)
