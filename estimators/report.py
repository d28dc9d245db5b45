"""The outcome of a comparison: what a pull request costs and what it may break. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from estimators.money import HOURS_PER_MONTH, Range
from estimators.objects import Identity, Source, Unpriced
from estimators.prices import Provenance, Rates


class Severity(StrEnum):
    """How bad a finding is."""

    INFO = "info"
    CAUTION = "caution"
    RISKY = "risky"


class Verdict(StrEnum):
    """Of a row and of the report; the members stand from worst to best."""

    RISKY = "risky"
    CAUTION = "caution"
    UNKNOWN = "unknown"
    SAFE = "safe"
    NONE = "none"


class Confidence(StrEnum):
    """How much history stands behind a row; the members stand from least to most."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the change may break.

    `path` is the field's dotted path in the object, `evidence` the numbers it rests on (already in words
    and units), `safe_value` what the field could be instead, `""` where nothing can be said;
    `how_to_know` names the flag or setting that would turn a doubt into an answer. `value` is what the
    field holds now, as the object has it; `""` where it is absent or no scalar.
    """

    rule: str
    severity: Severity
    message: str
    path: str
    source: Source
    evidence: Mapping[str, str] = field(default_factory=dict)
    safe_value: str = ""
    how_to_know: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One thing that changed, in words: `memory limit`, `1Gi`, `512Mi`; `""` where it is absent."""

    label: str
    old: str
    new: str
    path: str
    source: Source


@dataclass(frozen=True, slots=True)
class ReplicaCount:
    """Pods, as a range. `source` is manifest, hpa-simulated, hpa-bounds, observed, nodes or schedule."""

    count: Range
    source: str
    provenance: Provenance
    note: str = ""
    """How the number came about, in words, such as `simulated over 4,032 of 4,032 steps`."""


@dataclass(frozen=True, slots=True)
class PodAmounts:
    """What one pod is charged for: cores, GiB, physical GPUs (a share is a fraction), GiB of volumes."""

    cpu_cores: Decimal
    memory_gib: Decimal
    gpus: Decimal
    storage_gib: Decimal
    provenance: Mapping[str, Provenance] = field(default_factory=dict)
    """By field name; a missing one is requested."""


@dataclass(frozen=True, slots=True)
class CostLine:
    """One line of the arithmetic: `quantity` a month (in `unit`-months) at `price` per unit-hour.

    `monthly` = quantity x price x hours. `label` is cpu, memory, gpu, storage, load balancer.
    """

    label: str
    per_pod: Decimal
    unit: str
    quantity: Range
    price: Decimal
    price_unit: str
    monthly: Range
    source: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class Estimate:
    """One side of one row: how many pods of what size, at what rates, for how much a month."""

    replicas: ReplicaCount
    pod: PodAmounts
    rates: Rates
    lines: tuple[CostLine, ...]
    monthly: Range
    notes: tuple[str, ...] = ()
    """What had to be assumed or left out of the amount, in words."""
    unpriced: tuple[str, ...] = ()
    """Those of the notes that name what has no price: the amount is without it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One workload, volume claim or load balancer that the change touches.

    `before` and `after` are None where the object is absent on that side or its cost is unknown;
    `unknown_because` says why and how to turn it into an answer. `change` is the allocated change
    per month, pointwise after - before.
    """

    identity: Identity
    status: str
    source: Source
    verdict: Verdict
    confidence: Confidence
    before: Estimate | None
    after: Estimate | None
    change: Range
    changes: tuple[FieldChange, ...] = ()
    findings: tuple[Finding, ...] = ()
    seen: str = ""
    """What live history says about what changed, in a few words: `peak 683 MiB, 2 OOM kills`."""
    unknown_because: str = ""
    blast_radius: str = ""
    team: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    mounted_by: tuple[str, ...] = ()
    """Of a volume claim: who mounts it, as `Deployment/api` in its own namespace."""

    @property
    def cost_known(self) -> bool:
        """Whether each side that exists has an estimate."""
        known_before = self.before is not None or self.status == "added"
        return known_before and (self.after is not None or self.status == "removed")


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a comment, a terminal, a check or a JSON reader needs."""

    currency: str
    base: str
    head: str
    verdict: Verdict
    confidence: Confidence
    before: Range
    after: Range
    rows: tuple[Row, ...]
    unpriced: tuple[Unpriced, ...] = ()
    partial: tuple[str, ...] = ()
    """What is missing or doubtful, in words."""
    gaps: tuple[str, ...] = ()
    """Those of `partial` without which the report as a whole says less than it should: files of the
    change that were not listed, live numbers that could not be read."""
    hours_per_month: Decimal = HOURS_PER_MONTH
    prices: str = ""
    """Price source and date, in words."""
    usage: str = ""
    """Usage window, source and coverage, in words; `""` where there was none."""
    left_out_hooks: int = 0
    notes: tuple[str, ...] = ()
    clusters: Mapping[str, str] = field(default_factory=dict)
    """Environment -> the cluster that the policy says it is on, `""` where it says none."""

    @property
    def change(self) -> Range:
        """The allocated change per month."""
        return self.after - self.before

    @property
    def percent(self) -> Decimal | None:
        """Change of the expected cost in percent of before; None where before is nothing."""
        if self.before.expected == 0:
            return None
        return self.change.expected / self.before.expected * 100
