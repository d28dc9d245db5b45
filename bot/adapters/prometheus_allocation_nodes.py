"""Nodes of each hour: how long they lived, what they had, and what that cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from bot.adapters.prometheus_allocation_queries import (
    CAPACITY,
    COARSE_AN_HOUR,
    CONTROL_PLANE,
    IS_SPOT,
    NODE_INFO,
    NODE_LABELS,
)
from bot.adapters.prometheus_allocation_time import Scrapes
from bot.adapters.prometheus_allocation_usage import exact_mean
from bot.adapters.prometheus_api import RangeSeries, Sample
from bot.adapters.prometheus_facts import Tagged
from bot.adapters.prometheus_ksm_nodes import PRICE_METRICS, build_nodes
from bot.adapters.prometheus_queries import own_labels
from estimators.allocation import NodeHour
from estimators.gpu import gpu_labels, physical_gpus
from estimators.gpu_model import gpu_product
from estimators.node_price import is_spot, rates_of_node
from estimators.prices import PriceSheet, Provenance
from estimators.usage import Series


@dataclass(slots=True)
class Nodes:
    """The nodes of some hours. `shares` is how much of each hour (0-1) each of them lived."""

    shares: Mapping[str, Series]
    _facts: dict[str, list[tuple[Mapping[str, str], Series]]]
    _gpus: dict[tuple[frozenset[tuple[str, str]], frozenset[tuple[str, Decimal]]], float] = field(
        default_factory=dict
    )
    _labels: dict[tuple[str, int], Mapping[str, str]] = field(default_factory=dict)

    def hour(self, number: int, sheet: PriceSheet, as_of: str) -> tuple[NodeHour, ...]:
        """The nodes of one hour, priced: a sheet that a person named, then OpenCost, then the sheet."""
        spot = {labels.get("node", "") for labels, values in self._facts[IS_SPOT] if values[number] > 0}
        found = []
        for node in build_nodes(self._families(number), []):
            hours = float(self.shares[node.name][number]) if node.name in self.shares else 0.0
            if hours <= 0:
                continue
            rates, capacity = rates_of_node(node, sheet, as_of)
            assumed = bool(capacity.gpus) and rates.gpu_assumed
            self._labels[node.name, number] = node.labels
            found.append(
                NodeHour(
                    node=node.name,
                    hours=hours,
                    cores=float(capacity.cores),
                    memory_gib=float(capacity.gib),
                    gpus=float(capacity.gpus),
                    cpu_core_hour=rates.cpu_core_hour,
                    memory_gib_hour=rates.memory_gib_hour,
                    gpu_hour=rates.gpu_hour,
                    labels=node.labels,
                    gpu_model=gpu_product(node.labels) if capacity.gpus else "",
                    spot=is_spot(node.labels) or node.name in spot,
                    source=rates.source,
                    provenance=Provenance.ASSUMED if assumed else rates.provenance,
                )
            )
        return tuple(found)

    def gpus_of(self, node: str, number: int, amounts: Mapping[str, Decimal]) -> float:
        """How many physical GPUs the amounts are on a node, by its labels in that hour."""
        labels = self._labels.get((node, number), {})
        key = (frozenset(gpu_labels(labels).items()), frozenset(amounts.items()))
        if key not in self._gpus:
            self._gpus[key] = float(physical_gpus(amounts, [labels]).count)
        return self._gpus[key]

    def unsized(self) -> set[str]:
        """Nodes that lived in an hour in which their size was not seen."""
        sized: dict[str, NDArray[np.bool_]] = {}
        for labels, values in self._facts[CAPACITY]:
            seen = ~np.isnan(values)
            node = labels.get("node", "")
            sized[node] = sized[node] | seen if node in sized else seen
        return {
            node
            for node, shares in self.shares.items()
            if ((shares > 0) & ~sized.get(node, np.zeros(shares.size, dtype=np.bool_))).any()
        }

    def learn(self, rows: Tagged) -> None:
        """Take in what was asked by name, a value an hour."""
        for metric in (CAPACITY, NODE_LABELS):
            self._facts[metric] += [(own_labels(row.labels), row.values) for row in rows.get(metric, ())]

    def _families(self, number: int) -> dict[str, list[Sample]]:
        families: dict[str, list[Sample]] = defaultdict(list)
        for metric, facts in self._facts.items():
            for labels, values in facts:
                if not np.isnan(values[number]):
                    families[metric].append(Sample(labels, float(exact_mean(values[number]))))
        families[NODE_INFO] = [Sample({"node": name}, 1.0) for name in self.shares]
        return families


def nodes_of(hourly: Tagged, coarse: Tagged, scrapes: Scrapes) -> Nodes:
    """The nodes, out of the answers with a value an hour and those with one every quarter."""
    facts: dict[str, list[tuple[Mapping[str, str], Series]]] = defaultdict(list)
    for metric in (CAPACITY, NODE_LABELS, IS_SPOT):
        facts[metric] = [(own_labels(row.labels), _highest(row)) for row in coarse.get(metric, ())]
    for metric in PRICE_METRICS:
        facts[metric] = [(own_labels(row.labels), row.values) for row in hourly.get(metric, ())]
    shares = scrapes.shares(hourly.get(NODE_INFO, ()), lambda own: own.get("node", ""))
    if not shares:  # no kube_node_info: by the quarters of an hour in which its size was seen
        for row in coarse.get(CAPACITY, ()):
            seen = (~np.isnan(row.values)).astype(np.float64)
            quarters = (seen[:-1] + seen[1:]).reshape(-1, COARSE_AN_HOUR) / 2
            node = own_labels(row.labels).get("node", "")
            shares[node] = np.maximum(shares.get(node, np.zeros(len(quarters))), quarters.mean(axis=1))
    return Nodes(shares, facts)


def control_plane(hourly: Tagged, hours: int) -> Series:
    """What the cluster's management cost in each hour, as OpenCost says; 0 where it does not."""
    rows = hourly.get(CONTROL_PLANE, ())
    return np.asarray(np.max([np.zeros(hours), *(np.nan_to_num(row.values) for row in rows)], axis=0))


def unpriced(nodes: tuple[NodeHour, ...]) -> Iterator[str]:
    """What is doubtful about the prices of an hour's nodes."""
    assumed = [node.node for node in nodes if node.provenance is Provenance.ASSUMED]
    if assumed:
        yield (
            f"nobody gave a price of {len(assumed)} of {len(nodes)} nodes ({', '.join(assumed[:3])}): list "
            "or default prices are assumed; run OpenCost, or write a price sheet"
        )


def _highest(row: RangeSeries) -> Series:
    """The highest value of each hour, its end included: a GPU plugin announces devices when it is up."""
    inside = np.column_stack(
        (row.values[:-1].reshape(-1, COARSE_AN_HOUR), row.values[COARSE_AN_HOUR::COARSE_AN_HOUR])
    )
    return np.asarray(np.fmax.reduce(inside, axis=1))
