"""The tables of clusters' hours, as the newest migration leaves them.

Hours and days are counted from 1970 (UTC), money is in nano-units. What is kept by the hour is kept
by the day as well, in a table with the same columns: the sum of the hours that are there. A workload
with its labels, and a node with its facts, is one row, which hours name by its number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Integer,
    Table,
    UniqueConstraint,
)

from bot.adapters.records_tables import JsonText, Moment, PlainText, metadata
from estimators.allocation_window import MONEY

WORKLOAD_AMOUNTS = tuple(
    "cpu_requested cpu_used cpu_claimed cpu_measured memory_requested memory_used memory_claimed"
    " memory_measured gpus gpu_busy gpu_measured replica_hours".split()
)
NODE_MONEY = tuple("cpu memory gpu idle_cpu idle_memory idle_gpu".split())
NODE_AMOUNTS = ("hours",)


def _of(name: str, kind: Any) -> Column[Any]:  # noqa: ANN401 - a type or a class of one
    return Column(name, kind, nullable=False)


def _key(name: str, kind: Any = Integer) -> Column[Any]:  # noqa: ANN401
    return Column(name, kind, primary_key=True, autoincrement=False)


@dataclass(frozen=True, slots=True)
class Sums:
    """What is kept by the hour and by the day: who it is about, and the columns that are added up."""

    hours: Table
    days: Table
    about: tuple[str, ...]
    added: tuple[str, ...]


def _sums(name: str, *, about: Mapping[str, Any], money: tuple[str, ...], amounts: tuple[str, ...]) -> Sums:
    def table(unit: str) -> Table:
        return Table(
            f"{name}_{unit}s",
            metadata,
            _key("cluster"),
            _key(unit),
            *(_key(column, kind) for column, kind in about.items()),
            *(_of(column, BigInteger) for column in money),
            *(_of(column, Double) for column in amounts),
        )

    return Sums(table("hour"), table("day"), tuple(about), (*money, *amounts))


clusters = Table(
    "cost_clusters",
    metadata,
    Column("id", Integer, primary_key=True),
    _of("name", PlainText),
    _of("currency", PlainText),
    UniqueConstraint("name", name="cost_clusters_name"),
)
"""Whoever writes a cluster's hours locks its row."""
workloads = Table(
    "cost_workloads",
    metadata,
    Column("id", Integer, primary_key=True),
    _of("cluster", Integer),
    _of("digest", PlainText),
    _of("namespace", PlainText),
    _of("kind", PlainText),
    _of("name", PlainText),
    _of("labels", JsonText),
    UniqueConstraint("cluster", "digest", name="cost_workloads_digest"),
)
nodes = Table(
    "cost_nodes",
    metadata,
    Column("id", Integer, primary_key=True),
    _of("cluster", Integer),
    _of("digest", PlainText),
    _of("node", PlainText),
    _of("labels", JsonText),
    _of("spot", Boolean),
    _of("gpu_model", PlainText),
    _of("source", PlainText),
    _of("provenance", PlainText),
    UniqueConstraint("cluster", "digest", name="cost_nodes_digest"),
)
cluster_hours = Table(
    "cost_hours",
    metadata,
    _key("cluster"),
    _key("hour"),
    _of("bill", BigInteger),
    _of("tenants", BigInteger),
    _of("idle", BigInteger),
    _of("control_plane", BigInteger),
    _of("orphans", BigInteger),
    _of("covered", Double),
    _of("notes", JsonText),
    _of("asks", Integer),
    _of("asked_at", Moment),
)
of_workloads = _sums("cost_workload", about={"workload": Integer}, money=MONEY, amounts=WORKLOAD_AMOUNTS)
of_gpus = _sums("cost_gpu", about={"workload": Integer, "model": PlainText}, money=("cost",), amounts=())
of_nodes = _sums("cost_node", about={"node": Integer}, money=NODE_MONEY, amounts=NODE_AMOUNTS)
of_namespaces = _sums("cost_namespace", about={"namespace": PlainText}, money=MONEY, amounts=())
"""Sums of its workloads: of whoever is not asked about, this is all that an answer needs."""
ALL_SUMS = (of_workloads, of_gpus, of_nodes, of_namespaces)


def hour_number(moment: datetime) -> int:
    """Which hour since 1970 begins at `moment`. Raises ValueError where none does."""
    number, rest = divmod(moment.timestamp(), 3600)
    if moment.tzinfo is None or rest:
        raise ValueError(f"{moment} is not the beginning of an hour with a time zone")
    return int(number)


def beginning(hour: int) -> datetime:
    """When an hour since 1970 begins."""
    return datetime.fromtimestamp(hour * 3600, UTC)
