"""Whether a node really goes away when pods ask for less: what is allocated less is not yet a smaller bill.

The pods that the manifests declare are packed onto the known nodes, first the largest (first-fit
decreasing), then node after node is emptied for as long as its pods fit on the others. What the same
emptying achieves beyond that once a change has made pods smaller or fewer is what the change releases.
Where pods stand today is not known and does not matter: both packings are as tight as can be.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

import numpy as np

from estimators.change import Cluster, Side
from estimators.money import ZERO
from estimators.node_price import rates_of_node
from estimators.placed_pods import (
    ROOMS,
    allowed_on,
    is_bound_to_zone,
    is_kept,
    most_on_a_node,
    most_pods_of,
    pods_of,
    room_of,
    size_of,
    zone_of,
)
from estimators.pod_packing import Amounts, Packing
from estimators.quantity import GIB
from estimators.recommendation import Realisable
from estimators.report import Row
from estimators.rules.words import count_words
from estimators.usage import Node
from estimators.workload import Scaling

MOST_FOREIGN = 0.5
"""Share of all requests that may belong to pods outside the manifests, whose sizes nobody knows. They
are taken as sand that fills every node alike; more of it would be guessing."""
_TRIES = 8
"""Nodes, emptiest first, that are tried before the rest are taken to be needed too."""
_SLACK = 1e-9
_PLACED = frozenset({Scaling.REPLICAS, Scaling.SINGLE})
_BILLED_ALONE = frozenset({"storage", "load balancer"})


class NodeRelease:
    """One cluster's nodes with the pods of one environment's manifests, packed once."""

    def __init__(self, sides: Sequence[Side], cluster: Cluster) -> None:
        self._hours = cluster.hours_per_month
        self._nodes = sorted(cluster.nodes, key=lambda node: node.name)
        self._kept = np.array([is_kept(node) for node in self._nodes], dtype=bool)
        self._prices = [_monthly(node, cluster) for node in self._nodes]
        placed = [side for side in sides if side.workload.scaling in _PLACED and side.estimate]
        self._index = {side.workload.identity: index for index, side in enumerate(placed)}
        self.unknown = _unknown(cluster)
        self._packing: Packing | None = None
        if not self.unknown:
            self._prepare(placed, sides, cluster)

    def _prepare(self, placed: Sequence[Side], sides: Sequence[Side], cluster: Cluster) -> None:
        self._room = np.array([room_of(node) for node in self._nodes])
        self._allowed = np.array([allowed_on(side, self._nodes) for side in placed], dtype=bool).reshape(
            len(placed), len(self._nodes)
        )
        fitting = self._allowed.sum(axis=1).tolist()
        self._most_a_node = [most_on_a_node(side, n) for side, n in zip(placed, fitting, strict=True)]
        several = len({zone_of(node) for node in self._nodes}) > 1
        self._zonal = several & np.array([is_bound_to_zone(side) for side in placed], dtype=bool)
        sizes = np.array([size_of(side.estimate) for side in placed]).reshape(len(placed), ROOMS)
        wanted = np.array([pods_of(side.estimate) for side in placed])
        self._everywhere = {
            side.workload.identity: np.array(allowed_on(side, self._nodes), dtype=float)
            for side in sides
            if side.workload.scaling is Scaling.PER_NODE
        }
        daemons = np.zeros(self._room.shape)
        for side in sides:
            if (nodes := self._everywhere.get(side.workload.identity)) is not None:
                daemons += nodes[:, None] * np.array(size_of(side.estimate))
        known = wanted @ sizes + daemons.sum(axis=0)
        asked = cluster.usage.requested if cluster.usage else {}
        total = np.array([float(asked["cpu"]), float(asked["memory"] / GIB), 0.0, 0.0])
        self._foreign = np.maximum(total - known, 0)
        if np.any(self._foreign[:2] > total[:2] * MOST_FOREIGN):
            self.unknown = "most of what the cluster's pods request is not in these manifests"
            return
        most = [most_pods_of(side) for side in placed]
        # At night there may be fewer nodes than the busiest time needs: then what runs on average is packed.
        packing = self._packed(sizes, most, daemons) or self._packed(sizes, wanted.tolist(), daemons)
        if packing is None:
            self.unknown = "the pods of these manifests do not fit on the nodes that are known"
            return
        self._empty_nodes(packing)
        self._packing = packing

    def _packed(self, sizes: Amounts, wanted: Sequence[int], daemons: Amounts) -> Packing | None:
        """All pods on all nodes, the largest first; None where they do not fit."""
        packing = Packing(
            counts=np.zeros(self._allowed.shape),
            sizes=sizes.copy(),
            used=np.zeros(self._room.shape),
            daemons=daemons.copy(),
            alive=np.ones(len(self._nodes), dtype=bool),
        )
        largest = np.argsort(-(sizes / np.maximum(self._room.max(axis=0), 1.0)).max(axis=1), kind="stable")
        free = self._free(packing)
        for index in largest.tolist():
            pods = self._where(packing, index, wanted[index], free)
            if pods is None:
                return None
            packing.add(index, pods)
            free -= pods[:, None] * sizes[index]
        return packing

    def of(self, row: Row) -> Realisable:
        """What one change would take off the bill."""
        return self.together([row])

    def together(self, rows: Iterable[Row]) -> Realisable:
        """What all of these changes would take off the bill if all were made."""
        changed = list(rows)
        alone = sum((_billed_alone(row) for row in changed), ZERO)
        on_nodes = [row for row in changed if not _is_alone(row) and not _is_by_the_hour(row)]
        if not on_nodes and any(map(_is_by_the_hour, changed)):
            return Realisable(
                None, "whether a node goes while fewer pods run is up to an autoscaler of nodes"
            )
        if not on_nodes:
            return Realisable(alone, "billed by itself, whatever the nodes cost")
        if self._packing is None:
            return Realisable(None, self.unknown)
        after = self._packing.copy()
        for row in on_nodes:
            if row.identity not in self._index and row.identity not in self._everywhere:
                return Realisable(None, "its pods come and go, and may leave no node empty")
            if not self._resized(after, row):
                return Realisable(None, "it asks for more, and may need another node")
        self._empty_nodes(after)
        gone = np.flatnonzero(self._packing.alive & ~after.alive)
        monthly = alone - sum((self._prices[index] for index in gone), ZERO)
        names = tuple(self._nodes[index].name for index in gone)
        why = _words(names, int(np.count_nonzero(~self._packing.alive)))
        if np.any(self._packing.counts[self._zonal][:, gone]):
            why += "; its pods that are bound to a zone need room in theirs, which is not known"
        return Realisable(monthly, why, names)

    def _resized(self, packing: Packing, row: Row) -> bool:
        """Smaller or fewer pods, the emptiest nodes losing theirs first; False where they do not fit."""
        if (nodes := self._everywhere.get(row.identity)) is not None:
            packing.daemons += nodes[:, None] * (np.array(size_of(row.after)) - np.array(size_of(row.before)))
            return not np.any(self._free(packing)[packing.alive] < -_SLACK)
        index = self._index[row.identity]
        packing.resize(index, size_of(row.after))
        more = pods_of(row.after) - pods_of(row.before)
        if more > 0:
            pods = self._where(packing, index, more, self._free(packing))
            if pods is None:
                return False
            packing.add(index, pods)
        elif more < 0:
            emptiest = np.argsort(packing.used.sum(axis=1), kind="stable")
            here = packing.counts[index][emptiest]
            leaving = np.empty_like(here)
            leaving[emptiest] = np.clip(-more - (np.cumsum(here) - here), 0, here)
            packing.add(index, -leaving)
        return not np.any(self._free(packing)[packing.alive] < -_SLACK)

    def _free(self, packing: Packing) -> Amounts:
        """Room that is left on each node; foreign pods fill the nodes that are there alike."""
        room = self._room * packing.alive[:, None]
        share = room / np.maximum(room.sum(axis=0), _SLACK)
        free: Amounts = self._room - packing.daemons - packing.used - self._foreign * share
        free[~packing.alive] = -1.0
        return free

    def _where(self, packing: Packing, index: int, count: int, free: Amounts) -> Amounts | None:
        """How many pods each node takes, the first ones with room; None where they do not all fit."""
        size = packing.sizes[index]
        asked = size > 0
        fits = np.full(len(self._nodes), float(count))
        if asked.any():
            fits = np.floor((free[:, asked] + _SLACK) / size[asked]).min(axis=1).clip(0, count)
        fits = np.minimum(fits, np.maximum(self._most_a_node[index] - packing.counts[index], 0))
        fits[~(packing.alive & self._allowed[index])] = 0
        pods: Amounts = np.clip(count - (np.cumsum(fits) - fits), 0, fits)
        return pods if pods.sum() >= count else None

    def _empty_nodes(self, packing: Packing) -> None:
        """Take nodes away for as long as the pods of one of the emptiest fit on the others."""
        while True:
            used = (packing.used / np.maximum(self._room.max(axis=0), _SLACK)).max(axis=1)
            used[~packing.alive | self._kept] = np.inf
            there = int((packing.alive & ~self._kept).sum())
            least = 0 if self._kept.any() else 1
            emptiest = np.argsort(used, kind="stable")[: min(_TRIES, there - least)]
            if not any(self._emptied(packing, int(node)) for node in emptiest):
                return

    def _emptied(self, packing: Packing, node: int) -> bool:
        """Whether the node's pods find room on the others, where they then are."""
        packing.alive[node] = False
        free = self._free(packing)
        moves = self._moves(packing, node, free) if self._may_fit(packing, node, free) else None
        if moves is None:
            packing.alive[node] = True
            return False
        for index, pods in moves:
            packing.add(index, pods)
        return True

    def _may_fit(self, packing: Packing, node: int, free: Amounts) -> bool:
        """Whether there is room at all, before anybody looks where."""
        others = free[packing.alive]
        enough = others.clip(0).sum(axis=0) + _SLACK >= packing.used[node]
        return bool(np.all(others >= -_SLACK) and np.all(enough))

    def _moves(self, packing: Packing, node: int, free: Amounts) -> list[tuple[int, Amounts]] | None:
        """Where each workload's pods of a node go, the largest first; None where some find no room."""
        moving = np.flatnonzero(packing.counts[:, node])
        moves = []
        for index in moving[np.argsort(-packing.sizes[moving].sum(axis=1), kind="stable")]:
            count = int(packing.counts[index, node])
            pods = self._where(packing, int(index), count, free)
            if pods is None:
                return None
            free -= pods[:, None] * packing.sizes[index]
            pods[node] = -count
            moves.append((int(index), pods))
        return moves


def _unknown(cluster: Cluster) -> str:
    """Why the cluster cannot be packed, `""` where it can."""
    usage = cluster.usage
    if usage is None or not usage.nodes:
        return "no nodes are known"
    if any(not node.allocatable.get("cpu") or not node.allocatable.get("memory") for node in usage.nodes):
        return "not every node says how much CPU and memory it has"
    if "cpu" not in usage.requested or "memory" not in usage.requested:
        return "what other pods request is not known"
    return ""


def _monthly(node: Node, cluster: Cluster) -> Decimal:
    """What the bill asks for the node."""
    if total := node.hourly.get("total"):
        return total * cluster.hours_per_month
    rates, size = rates_of_node(node, cluster.prices, cluster.usage.prices_as_of if cluster.usage else "")
    hourly = size.cores * rates.cpu_core_hour + size.gib * rates.memory_gib_hour + size.gpus * rates.gpu_hour
    return hourly * cluster.hours_per_month


def _billed_alone(row: Row) -> Decimal:
    """The part of a row's change that is a volume's or a load balancer's: it does not wait for a node."""
    old, new = (
        sum((line.monthly.expected for line in side.lines if line.label in _BILLED_ALONE), ZERO)
        if side
        else ZERO
        for side in (row.before, row.after)
    )
    return new - old


def _is_by_the_hour(row: Row) -> bool:
    """Whether its pods come to run at some hours of the week only, or fewer of them between busy times."""
    sides = [side.replicas for side in (row.before, row.after) if side]
    scaled = all(side.source == "hpa-simulated" for side in sides)
    fewer = scaled and len({side.count.expected for side in sides}) == 2
    return fewer or [side.source for side in sides] == ["manifest", "schedule"]


def _is_alone(row: Row) -> bool:
    """Whether no pod changes: a volume or a load balancer, or a workload of which only volumes do."""
    if row.identity.kind in {"PersistentVolumeClaim", "Service"}:
        return True
    old, new = row.before, row.after
    same = bool(old and new) and (size_of(old), pods_of(old)) == (size_of(new), pods_of(new))
    return same and _billed_alone(row) != 0


def _words(names: Sequence[str], spare: int) -> str:
    """What becomes of nodes; `spare` of them are not needed even without the change."""
    if names:
        nodes, them = (
            (f"node {names[0]} is", "it") if len(names) == 1 else (f"{len(names)} nodes are", "them")
        )
        return f"{nodes} no longer needed; somebody, or an autoscaler of nodes, has to take {them} away"
    are = "is" if spare == 1 else "are"
    already = f"; {count_words(spare, 'node')} {are} spare even without this change" if spare else ""
    return f"no node goes away, and the room is left for other pods{already}"
