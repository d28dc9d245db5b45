"""What a town costs whom, worked out from its description alone: the truth that answers are held against.

The formula is that of docs/allocation.md, written anew: no code of the product is used. A town says exactly
when everything lived, so that nothing here is measured. Scrapes matter twice: a price counts from the first
scrape that has it, and what a container used of CPU after the last scrape of its life nobody knows.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.allocation_past import LATE, NodeLife, PodLife, Span, Town

HOUR = 60
_UNSEEN = 1 - LATE / 60
"""Minutes between the last scrape before a full minute and that minute."""
RESOURCES = ("cpu", "memory", "gpu")


@dataclass(frozen=True, slots=True)
class TownCost:
    """Of a window, in units of the currency. `claims` and `idle_shares` are by namespace."""

    claims: Mapping[str, float]
    idle_shares: Mapping[str, float]
    idle: float
    control_plane: float

    @property
    def bill(self) -> float:
        """Tenants + idle + shared."""
        return sum(self.claims.values()) + self.idle + self.control_plane

    def total(self, namespace: str) -> float:
        """What it claims, its share of idle, and of the control plane in proportion to both."""
        own = self.claims[namespace] + self.idle_shares.get(namespace, 0.0)
        everybodys = sum(self.claims.values()) + sum(self.idle_shares.values())
        return own * (1 + self.control_plane / everybodys)


def town_cost(town: Town, start: int, end: int, *, gib_hour: float, balancer_hour: float) -> TownCost:
    """The window `[start, end)` in minutes, whole hours; the prices are for what has none of its own."""
    claims: defaultdict[str, float] = defaultdict(float)
    idle_shares: defaultdict[str, float] = defaultdict(float)
    idle = 0.0
    for node, pods in _node_hours(town, start, end):
        for bill, capacity, claimed in zip(*node, pods, strict=True):
            wanted = sum(claimed.values())
            paid = {name: bill * claim / max(capacity, wanted) for name, claim in claimed.items() if claim}
            left = bill - sum(paid.values())
            idle += left
            for namespace, cost in paid.items():
                claims[namespace] += cost
                idle_shares[namespace] += left * cost / sum(paid.values())
    for volume in town.volumes:
        price = gib_hour if volume.price is None else volume.price
        cost = volume.gib * price * _minutes(volume.life, (start, end)) / HOUR
        if volume.claim[1]:
            claims[volume.claim[0]] += cost
        else:
            idle += cost
    for balancer in town.balancers:
        if not balancer.address:
            continue
        price = balancer_hour if balancer.price is None else balancer.price
        claims[balancer.namespace] += price * _minutes(balancer.life, (start, end)) / HOUR
    return TownCost(claims, idle_shares, idle, (town.management or 0.0) * (end - start) / HOUR)


Bills = tuple[list[float], list[float]]
Claims = tuple[defaultdict[str, float], ...]


def _node_hours(town: Town, start: int, end: int) -> Iterator[tuple[Bills, Claims]]:
    """For every hour of every node: what each of `RESOURCES` cost and had, and the claims by namespace."""
    lives: dict[str, list[NodeLife]] = defaultdict(list)
    pods: dict[str, list[PodLife]] = defaultdict(list)
    for node in town.nodes:
        lives[node.name].append(node)
    for pod in town.pods:
        pods[pod.node].append(pod)
    for name, some in lives.items():
        first, last = (
            int(edge) for edge in (min(one.life[0] for one in some), max(one.life[1] for one in some))
        )
        for begin in range(max(start, first // HOUR * HOUR), min(end, last), HOUR):
            hour = (begin, begin + HOUR)
            here = [pod for pod in pods[name] if _minutes(pod.runs, hour)]
            yield _bills(some, hour), _claims(some[-1], here, hour)


def _bills(lives: Sequence[NodeLife], hour: Span) -> Bills:
    """What CPU, memory and GPUs cost in the hour, minute by minute at the price of each, and how much there was."""
    bills, sizes = [0.0] * len(RESOURCES), [0.0] * len(RESOURCES)
    for node in lives:
        for number, (since, *prices) in enumerate(node.prices):
            until = node.prices[number + 1][0] if number + 1 < len(node.prices) else node.life[1]
            held = (max(_scraped(since), node.life[0]), min(_scraped(until), node.life[1]))
            hours = _minutes(held, hour) / HOUR
            for index, size in enumerate((node.cores, node.gib, _gpus(node))):
                bills[index] += size * prices[index] * hours
                sizes[index] += size * hours
    return bills, sizes


def _claims(node: NodeLife, pods: Sequence[PodLife], hour: Span) -> Claims:
    """max(requested, used) of CPU and memory, and the part of physical GPUs that is held."""
    found = tuple(defaultdict[str, float](float) for _ in RESOURCES)
    for pod in pods:
        hours = _minutes(pod.runs, hour) / HOUR
        sidecar = 0.1 if pod.sidecar else 0.0
        counted = (
            _minutes((pod.runs[0], pod.runs[1] - _UNSEEN), (hour[0] - _UNSEEN, hour[1] - _UNSEEN)) / HOUR
        )
        found[0][pod.namespace] += max(pod.requests.get("cpu", 0.0) * hours, pod.used[0] * counted)
        found[0][pod.namespace] += sidecar * hours
        found[1][pod.namespace] += max(pod.requests.get("memory", 0.0), pod.used[1]) * hours
        held = sum(pod.requests.get(device, 0.0) / units for device, units in node.devices.items())
        found[2][pod.namespace] += held * _gpus(node) * hours
    return found


def _gpus(node: NodeLife) -> float:
    """Physical ones: all of a node's slices, or turns, are made of as many."""
    return float(node.labels.get("nvidia.com/gpu.count", 1)) if node.devices else 0.0


def _scraped(minute: float) -> int:
    """The minute whose scrape is the first that can have what begins at `minute`."""
    return math.ceil(minute - LATE / 60)


def _minutes(life: Span, window: Span) -> float:
    return max(0.0, min(life[1], window[1]) - max(life[0], window[0]))
