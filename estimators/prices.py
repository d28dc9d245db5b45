"""Unit prices: what a core, a GiB, a GPU and a volume cost, and who says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum


class Provenance(StrEnum):
    """Where a number comes from; every dollar carries one."""

    MEASURED = "measured"
    REQUESTED = "requested"
    ASSUMED = "assumed"
    UNPRICED = "unpriced"


@dataclass(frozen=True, slots=True)
class Rates:
    """Hourly prices for one pod: per core, per GiB of memory, per physical GPU.

    `pool` names the node pool the rates are of, `""` for a default. `gpu_assumed` is True where nobody
    gave the price of a GPU, whoever gave the others.
    """

    cpu_core_hour: Decimal
    memory_gib_hour: Decimal
    gpu_hour: Decimal
    source: str
    as_of: str
    provenance: Provenance
    pool: str = ""
    gpu_assumed: bool = False


@dataclass(frozen=True, slots=True)
class Pool:
    """A node pool of a price sheet: the first whose labels are all on a node (or demanded by a pod) wins."""

    name: str
    match: Mapping[str, str]
    cpu_core_hour: Decimal
    memory_gib_hour: Decimal
    gpu_hour: Decimal | None = None


@dataclass(frozen=True, slots=True)
class InstancePrice:
    """The list price of a machine type and its shape. `memory_gib` in GiB, `hourly` for the whole machine.

    `region` is where that price holds, which need not be where it was asked for. `source` and `as_of`
    say whose list it is; both are `""` where it stands in the price sheet itself, and then `hourly` is
    without the GPUs that the sheet prices apart.
    """

    name: str
    region: str
    hourly: Decimal
    vcpus: Decimal
    memory_gib: Decimal
    gpus: Decimal = Decimal(0)
    gpu_product: str = ""
    source: str = ""
    as_of: str = ""


@dataclass(frozen=True, slots=True)
class PriceSheet:
    """Prices of one cluster, in `currency`.

    `explicit` is True where a person named the sheet (`--prices`), which then wins over prices
    found in Prometheus. `gpus` is by `nvidia.com/gpu.product` per GPU-hour, `storage` by
    StorageClass per GiB-month, `instances` list prices of machine types by (type, region), with
    region `""` for any. `machines` are hourly prices of whole nodes without their GPUs by (label,
    its value in lower case, region or `""`), the label `metadata.name` standing for the node's name.
    `names_defaults` is False where the default prices are the built-in ones, for want of others;
    `borrowed` are those, by field, that are so in a sheet that names some.
    `notes` say, for people, what of the sheet could not be used.
    """

    currency: str
    as_of: str
    source: str
    cpu_core_hour: Decimal
    memory_gib_hour: Decimal
    gpu_hour: Decimal
    storage_gib_month: Decimal
    load_balancer_hour: Decimal
    spot_cpu_core_hour: Decimal
    spot_memory_gib_hour: Decimal
    gpus: Mapping[str, Decimal] = field(default_factory=dict)
    storage: Mapping[str, Decimal] = field(default_factory=dict)
    pools: tuple[Pool, ...] = ()
    instances: Mapping[tuple[str, str], InstancePrice] = field(default_factory=dict)
    machines: Mapping[tuple[str, str, str], Decimal] = field(default_factory=dict)
    explicit: bool = False
    names_defaults: bool = True
    borrowed: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()

    def names(self, price: str) -> bool:
        """Whether the sheet itself has a default price, called as the field is."""
        return self.names_defaults and price not in self.borrowed


BUILT_IN = PriceSheet(
    currency="USD",
    as_of="2026-11-01",
    source="OpenCost's default prices",
    cpu_core_hour=Decimal("0.031611"),
    memory_gib_hour=Decimal("0.004237"),
    gpu_hour=Decimal("0.95"),
    storage_gib_month=Decimal("0.04"),
    load_balancer_hour=Decimal("0.025"),
    spot_cpu_core_hour=Decimal("0.006655"),
    spot_memory_gib_hour=Decimal("0.000892"),
    names_defaults=False,
)
"""OpenCost `configs/default.json`, used when nothing better is known. The load balancer is the list
price of an AWS network load balancer, without its traffic."""
