"""What a finder looks at, and what it may answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from estimators.blast_radius import blast_radius
from estimators.change import Cluster, Side, WorkloadChange
from estimators.inventory import Inventory
from estimators.objects import Identity, ManifestObject, Path, dig
from estimators.pod_request import EffectivePod
from estimators.recommendation import FieldChange, LeftAlone, Reason
from estimators.recommendation_terms import Profile
from estimators.report import Confidence
from estimators.rules.observed import ContainerHistory
from estimators.rules.standing import SEEN_DAYS, known_days
from estimators.rules.words import count_words, percent_words
from estimators.usage import ClaimUsage, Series, UsageSnapshot, WorkloadUsage, observed
from estimators.workload import VolumeClaim, Workload


@dataclass(frozen=True, slots=True)
class Candidate:
    """A workload whose history is long and whole enough to propose something.

    `side` is the workload as it is declared now, joined with what acts on it; `pod` one pod of its
    first group after admission.
    """

    side: Side
    pod: EffectivePod
    history: WorkloadUsage
    usage: UsageSnapshot
    cluster: Cluster
    profile: Profile
    confidence: Confidence

    @property
    def workload(self) -> Workload:
        """The workload as it is declared now."""
        return self.side.workload

    @property
    def identity(self) -> Identity:
        """The workload's identity."""
        return self.workload.identity

    @property
    def unchanged(self) -> WorkloadChange:
        """The workload beside itself, for rules that look at what is there."""
        return WorkloadChange(self.side, self.side, (), self.history, self.confidence, self.cluster)

    @property
    def blast_radius(self) -> str:
        """Whom a change would hit."""
        return blast_radius(self.unchanged)

    @property
    def resized_by(self) -> str:
        """The mode of a VerticalPodAutoscaler that sets its requests, `""` where none does."""
        vertical = self.side.vertical
        return vertical.mode if vertical and vertical.sets_requests else ""

    def container(self, name: str) -> ContainerHistory | None:
        """The history of one container."""
        usage = self.history.container(name)
        return ContainerHistory(usage, self.history.replicas) if usage else None

    def left(self, finder: str, reason: Reason, /, **facts: str) -> LeftAlone:
        """The workload left alone by one finder."""
        return LeftAlone(self.identity.environment, self.identity, reason, finder, facts)

    def window(self, covered: float) -> str:
        """What the evidence was seen in: `14 days to 2026-11-16, 99 % measured`."""
        window = self.usage.window
        return f"{window.days:.3g} days to {window.end:%Y-%m-%d}, {percent_words(covered)} measured"

    def moment(self, series: Series) -> str:
        """When a series was at its highest: `Sun 2026-11-15 02:10 UTC`, `""` where it has no data."""
        if not observed(series).size:
            return ""
        window = self.usage.window
        at = window.start + timedelta(seconds=window.step_seconds * int(np.nanargmax(series)))
        return f"{at:%a %Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True, slots=True)
class Standing:
    """A volume claim or a load balancer that the manifests declare: it costs whether or not it is used.

    `claim` is None for a load balancer. `seen` has a value for each whole day, see `ClaimUsage.mounted`
    and `BalancerUsage.ready`; `used` is what is known of a claim, `named_by` what of the manifests names it.
    """

    object: ManifestObject
    claim: VolumeClaim | None
    seen: Series
    used: ClaimUsage | None
    inventory: Inventory
    usage: UsageSnapshot
    cluster: Cluster
    named_by: str = ""

    @property
    def identity(self) -> Identity:
        """The identity of the claim or Service."""
        return self.object.identity

    @property
    def blast_radius(self) -> str:
        """Nobody that is known: its rows say who mounts it."""
        return ""

    def left(self, finder: str, reason: Reason, /, **facts: str) -> LeftAlone:
        """The claim or load balancer left alone by one finder."""
        return LeftAlone(self.identity.environment, self.identity, reason, finder, facts)

    @property
    def window(self) -> str:
        """What the evidence was seen in: `14 days to 2026-11-16`."""
        window = self.usage.window
        return f"{count_words(window.whole_days, 'day')} to {window.end:%Y-%m-%d}"

    def not_known(self, finder: str) -> LeftAlone | None:
        """Why it cannot be said that nobody used it; None where each of the last 14 days is known."""
        known = known_days(self.seen)
        if known >= SEEN_DAYS:
            return None
        if known and known == np.count_nonzero(~np.isnan(self.seen)):
            return self.left(finder, Reason.TOO_YOUNG, days=str(known), needed=str(SEEN_DAYS))
        return self.left(finder, Reason.POOR_HISTORY, window=count_words(self.seen.size, "day"))

    def workloads(self) -> Iterator[Workload]:
        """The workloads that the manifests declare in its namespace."""
        for identity, workload in self.inventory.workloads.items():
            if identity[:2] == self.identity[:2]:
                yield workload


@dataclass(frozen=True, slots=True)
class Proposal:
    """New values for fields of one workload, or of its autoscaler, before anybody judged them.

    `needed` tells a change that is made for reliability, whatever it costs, from one that saves;
    `by_hand` one that nobody can make by editing a file. `billed_on` is why the bill stays as it is all
    the same, `""` where it falls with what is allocated, or with nodes.
    """

    finder: str
    candidate: Candidate | Standing
    changes: tuple[FieldChange, ...]
    evidence: Mapping[str, str]
    risks: tuple[str, ...] = ()
    undo: str = ""
    needed: bool = False
    by_hand: bool = False
    billed_on: str = ""

    def without(self, fields: Iterable[str]) -> Proposal:
        """The proposal less some of its fields."""
        gone = frozenset(fields)
        return replace(self, changes=tuple(item for item in self.changes if item.field not in gone))


Finder = Callable[[Candidate], Iterator[Proposal | LeftAlone]]
StandingFinder = Callable[[Standing], Iterator[Proposal | LeftAlone]]


def new_value(thing: ManifestObject, path: Path, proposed: str | int, *, container: str = "") -> FieldChange:
    """A field of an object with the value it has now and the proposed one."""
    now = dig(thing.body, *path)
    return FieldChange(
        object=thing.identity,
        path=path,
        container=container,
        current="" if now is None else str(now),
        proposed=str(proposed),
        count=isinstance(proposed, int),
    )


def removal(thing: ManifestObject, what: str) -> FieldChange:
    """The whole object is to go; `what` it is now tells it from what it may be later."""
    return FieldChange(thing.identity, (), "", current=what, proposed="")
