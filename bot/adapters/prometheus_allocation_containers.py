"""Containers of each hour, put together out of lives, requests and use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import isnan

import numpy as np

from bot.adapters.prometheus_allocation_pods import Life, PodPlace, Pods, lives_by_name
from bot.adapters.prometheus_facts import ContainerPlace
from estimators.allocation import ContainerHour
from estimators.gpu import is_gpu
from estimators.usage import Series, WorkloadKey

_GIB = 2.0**30

GpusOf = Callable[[str, int, Mapping[str, Decimal]], float]
"""How many physical GPUs an amount of resources is on a node in an hour."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What containers used in each hour: core-hours, mean bytes; and how busy the GPUs of pods were (0-1)."""

    cpu: Mapping[ContainerPlace, Series]
    memory: Mapping[ContainerPlace, Series]
    gpu_busy: Mapping[tuple[str, str], Series]


def container_hours(
    lived: Mapping[Life, Series],
    pods: Pods,
    usage: Usage,
    *,
    workload_of: Callable[[PodPlace], WorkloadKey],
    gpus_of: GpusOf,
) -> Iterator[tuple[int, ContainerHour]]:
    """Each container with the number of the hour. Use that several pods of one name had is split by time."""
    by_name = lives_by_name(lived)
    for (pod, container), shares in lived.items():
        place = (pod[0], pod[1], container)
        requested = pods.requested((pod, container))
        gpus = {name: amounts for name, amounts in requested.items() if is_gpu(name)}
        nothing = np.zeros(shares.size)
        unknown = np.full(shares.size, np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            part = np.where(by_name[place] > 0, shares / by_name[place], 0.0)
        cpu = (requested.get("cpu", nothing) * shares).tolist()
        memory = (requested.get("memory", nothing) * shares / _GIB).tolist()
        cpu_used = (usage.cpu.get(place, unknown) * part).tolist()
        memory_used = (usage.memory.get(place, unknown) * shares / _GIB).tolist()
        busy = usage.gpu_busy.get(pod[:2], unknown).tolist()
        facts = pods.facts.get(pods.known(pod))
        node, workload = facts.node if facts else "", workload_of(pod)
        for hour, share in enumerate(shares.tolist()):
            if share <= 0:
                continue
            held = {name: Decimal(repr(float(amounts[hour]))) for name, amounts in gpus.items()}
            gpu_hours = gpus_of(node, hour, held) * share if held else 0.0
            yield (
                hour,
                ContainerHour(
                    node=node,
                    workload=workload,
                    pod=pod[1],
                    container=container,
                    hours=share,
                    cpu_requested=cpu[hour],
                    cpu_used=_known(cpu_used[hour]),
                    memory_requested=memory[hour],
                    memory_used=_known(memory_used[hour]),
                    gpus=gpu_hours,
                    gpu_busy=_known(busy[hour] * gpu_hours) if gpu_hours else None,
                ),
            )


def _known(value: float) -> float | None:
    return None if isnan(value) else value
