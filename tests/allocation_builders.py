"""Short ways to say what ran where in an hour, for tests of allocation and of what is made of it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import strategies as st

from estimators.allocation import (
    BalancerHour,
    ClusterHour,
    ContainerHour,
    NodeHour,
    VolumeHour,
    WorkloadCost,
    as_money,
)
from estimators.money import to_cents
from estimators.usage import WorkloadKey

HOUR = datetime(2026, 11, 2, 9, tzinfo=UTC)


def deployment(name: str, namespace: str = "shop") -> WorkloadKey:
    """A Deployment's key."""
    return WorkloadKey(namespace, "Deployment", name)


def node(
    name: str = "n1",
    *,
    hours: float = 1.0,
    cores: float = 4.0,
    gib: float = 16.0,
    gpus: float = 0.0,
    cpu: str = "0.03",
    memory: str = "0.004",
    gpu: str = "1",
    model: str = "",
    spot: bool = False,
) -> NodeHour:
    """A node: 0.12 an hour for its CPU and 0.064 for its memory unless said otherwise."""
    return NodeHour(
        name,
        hours,
        cores,
        gib,
        gpus,
        Decimal(cpu),
        Decimal(memory),
        Decimal(gpu),
        {"pool": name[:1]},
        model,
        spot,
        "test",
    )


def container(
    workload: str | WorkloadKey,
    on: str = "n1",
    *,
    pod: str = "",
    name: str = "app",
    hours: float = 1.0,
    cpu: float = 0.0,
    cpu_used: float | None = 0.0,
    memory: float = 0.0,
    memory_used: float | None = 0.0,
    gpus: float = 0.0,
    gpu_busy: float | None = None,
) -> ContainerHour:
    """A container that claims nothing but what is said; a workload's name means a Deployment in `shop`."""
    key = deployment(workload) if isinstance(workload, str) else workload
    return ContainerHour(
        on,
        key,
        pod or f"{key.name}-0",
        name,
        hours,
        cpu,
        cpu_used,
        memory,
        memory_used,
        gpus,
        gpu_busy,
    )


def hour(
    *parts: NodeHour | ContainerHour | VolumeHour | BalancerHour, control_plane: str = "0"
) -> ClusterHour:
    """An hour of these parts."""
    return ClusterHour(
        HOUR,
        tuple(part for part in parts if isinstance(part, NodeHour)),
        tuple(part for part in parts if isinstance(part, ContainerHour)),
        tuple(part for part in parts if isinstance(part, VolumeHour)),
        tuple(part for part in parts if isinstance(part, BalancerHour)),
        Decimal(control_plane),
    )


def cents(nano: int) -> str:
    """Nano-units as a person reads them."""
    return str(to_cents(as_money(nano)))


def by_name(costs: tuple[WorkloadCost, ...]) -> dict[str, WorkloadCost]:
    """Workloads by their bare names."""
    return {cost.workload.name: cost for cost in costs}


_amounts = st.floats(0, 64, allow_nan=False) | st.sampled_from([0.0, 1 / 3, 1 / 7, 0.25, 1e-9])
_shares = st.floats(0, 1, allow_nan=False) | st.sampled_from([0.0, 0.5, 1.0])
_prices = st.decimals(0, 40, places=6, allow_nan=False)
_names = st.sampled_from("abcdef")
_workloads = st.builds(
    WorkloadKey,
    st.sampled_from(["shop", "kube-system", "ml"]),
    st.sampled_from(["Deployment", "Job"]),
    _names,
)
_nodes = st.sampled_from(["n1", "n2", "n3", "s1"])

cluster_hours = st.builds(
    ClusterHour,
    st.just(HOUR),
    st.lists(
        st.builds(
            NodeHour,
            _nodes,
            _shares,
            _amounts,
            _amounts,
            st.sampled_from([0.0, 1.0, 8.0]),
            _prices,
            _prices,
            _prices,
            gpu_model=st.sampled_from(["", "A100", "T4"]),
        ),
        max_size=5,
    ).map(tuple),
    st.lists(
        st.builds(
            ContainerHour,
            _nodes,
            _workloads,
            _names,
            st.sampled_from(["app", "proxy"]),
            _shares,
            _amounts,
            st.none() | _amounts,
            _amounts,
            st.none() | _amounts,
            st.sampled_from([0.0, 1.0, 0.25, 1 / 7, 3 / 7, 2.0]),
            st.none() | _shares,
        ),
        max_size=25,
    ).map(tuple),
    st.lists(
        st.builds(
            VolumeHour,
            st.sampled_from(["shop", "ml"]),
            st.sampled_from(["", "data", "logs"]),
            st.none() | _workloads,
            st.just("gp3"),
            _amounts,
            _shares,
            _prices,
        ),
        max_size=4,
    ).map(tuple),
    st.lists(st.builds(BalancerHour, st.just("shop"), _names, _shares, _prices), max_size=2).map(tuple),
    _prices,
)
"""Any hour: full and over-full nodes, none at all, ones that came back under their name with another
price, slices of GPUs, containers nobody measured or that ran on unknown nodes, and orphaned volumes."""
