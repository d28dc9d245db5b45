"""New values for fields of a workload that are worth approving, and all that a person needs to do so."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from estimators.objects import Identity, Path, Source, dotted
from estimators.report import Confidence, Verdict

_IDENTITY_DIGITS = 32


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A new value for one field of one object.

    `object` is the object the field is in, which may be the workload's autoscaler. `path` leads to the
    field; it is empty where the whole object is to go, and then `proposed` is `""`. `current` is `""`
    where the field is not there yet. `container` is `""` for what belongs to whole pods. `count` tells
    whole numbers (`replicas`) from quantities and names, which are strings in YAML.
    """

    object: Identity
    path: Path
    container: str
    current: str
    proposed: str
    count: bool = False

    @property
    def field(self) -> str:
        """The dotted path, as `Finding.path` has it."""
        return dotted(self.path)

    @property
    def scalar(self) -> str | int:
        """The proposed value as it stands in a manifest."""
        return int(self.proposed) if self.count else self.proposed

    @property
    def removes(self) -> bool:
        """Whether the whole object is to go."""
        return not self.path


@dataclass(frozen=True, slots=True)
class Realisable:
    """What the bill itself would fall by a month, which is not what is allocated less.

    `monthly` is negative for a saving, 0 where no node (or volume, or load balancer) goes away, None
    where nobody knows; `why` says it in words, `nodes` names those that are no longer needed.
    """

    monthly: Decimal | None
    why: str
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One change worth approving. Amounts are per month; negative is a saving.

    `key` is the workload (or volume, or load balancer) it is about and `source` where that is declared.
    `allocated` is the expected change of the comparison's row, `verdict` that row's, which is never
    `risky`. `evidence` and `risks` are in words for people. `undo` says how to go back.
    """

    finder: str
    environment: str
    key: Identity
    source: Source
    changes: tuple[FieldChange, ...]
    allocated: Decimal
    realisable: Realisable
    evidence: Mapping[str, str]
    confidence: Confidence
    verdict: Verdict
    blast_radius: str
    risks: tuple[str, ...]
    undo: str
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """A hash of what is proposed: it is another one as soon as a current or proposed value is."""
        about = [
            self.finder,
            self.environment,
            self.key,
            [(item.object, item.path, item.container, item.current, item.proposed) for item in self.changes],
        ]
        return hashlib.sha256(json.dumps(about).encode()).hexdigest()[:_IDENTITY_DIGITS]


class Reason(StrEnum):
    """Why something is left as it is."""

    PROTECTED = "protected"
    FROZEN = "frozen"
    SWITCHED_OFF = "switched-off"
    RUNS_TO_COMPLETION = "runs-to-completion"
    SEVERAL_GROUPS = "several-pod-groups"
    SLO_BURNING = "slo-burning"
    AUTOSCALER = "autoscaler-in-charge"
    VERTICAL_AUTOSCALER = "vertical-autoscaler-in-charge"
    ROLLOUT = "rollout-in-flight"
    NOT_AS_DECLARED = "not-as-declared"
    NOT_SEEN = "not-in-the-history"
    TOO_YOUNG = "younger-than-the-window"
    SHORT_HISTORY = "history-too-short"
    POOR_HISTORY = "history-has-gaps"
    OOM_KILLED = "oom-killed"
    MEMORY_GROWS = "memory-grows"
    THROTTLED = "cpu-throttled"
    RISKY = "risky"
    NOT_COVERED = "not-covered-by-history"
    WAITS = "waits-for-another-recommendation"
    COMES_BACK = "comes-back"
    NO_SCHEDULER = "nothing-switches-off"


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """What was looked at and left as it is. `facts` are the numbers and names behind the reason.

    `finder` is `""` where nothing at all is proposed for the workload.
    """

    environment: str
    key: Identity
    reason: Reason
    finder: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that was found in all environments.

    `realisable` is by environment what the bill would fall by if everything were approved: many small
    savings may free a node together where each alone frees none.
    """

    recommendations: tuple[Recommendation, ...]
    left_alone: tuple[LeftAlone, ...]
    realisable: Mapping[str, Realisable] = field(default_factory=dict)
