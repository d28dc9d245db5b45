"""A repository's objects and a cluster's history -> what is worth changing, and what is left alone and why.

Every proposal is judged as a pull request is: by the comparison of the objects as they are with the
objects as they would be. What comes out risky is softened, field by field, or not proposed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from estimators.change import Cluster
from estimators.comparison import Revision, compare
from estimators.finders import FINDERS, STANDING_FINDERS
from estimators.finders.candidate import Finder, Proposal, StandingFinder
from estimators.money import ZERO
from estimators.node_release import NodeRelease
from estimators.objects import Identity, ManifestObject
from estimators.proposed_objects import with_changes
from estimators.recommendation import Found, LeftAlone, Realisable, Reason, Recommendation
from estimators.recommendation_candidates import candidates
from estimators.recommendation_standing import standing_candidates
from estimators.recommendation_terms import Terms, usual_terms
from estimators.report import Finding, Row, Severity, Verdict

_ROUNDS = 4
"""How often a proposal is softened: once for each field a container has is enough."""
_Answers = Iterator[Proposal | LeftAlone]
"""What a finder says of one thing."""
_REASONS = {"protected": Reason.PROTECTED, "slo-burning": Reason.SLO_BURNING}


@dataclass(frozen=True, slots=True)
class _Judged:
    """A proposal that is not risky, and its row."""

    proposal: Proposal
    row: Row
    order: int
    """The place of its finder among the finders."""


def recommend(
    objects: Sequence[ManifestObject],
    cluster_of: Callable[[str], Cluster],
    terms_of: Callable[[str], Terms] = usual_terms,
    finders: Sequence[Finder] = FINDERS,
    standing_finders: Sequence[StandingFinder] = STANDING_FINDERS,
) -> Found:
    """What to change in the objects of all environments, dearest first, at most one change a workload.

    `cluster_of` and `terms_of` give an environment's cluster and terms. One change at a time: a second
    one is judged when the first is in force, so that savings of one workload add up and no two of
    them rest on the same spare capacity.
    """
    recommendations: list[Recommendation] = []
    left: list[LeftAlone] = []
    realisable: dict[str, Realisable] = {}
    for name in dict.fromkeys(thing.identity.environment for thing in objects):
        mine = [thing for thing in objects if thing.identity.environment == name]
        found = _Environment(mine, cluster_of(name), terms_of(name)).found(finders, standing_finders)
        recommendations += found.recommendations
        left += found.left_alone
        realisable |= {name: found.realisable[name]} if name in found.realisable else {}
    recommendations.sort(key=lambda item: (item.allocated, item.key, item.finder))
    left.sort(
        key=lambda item: (item.environment, item.key, item.finder, item.reason, sorted(item.facts.items()))
    )
    return Found(tuple(recommendations), tuple(left), realisable)


class _Environment:
    """One environment's objects against its cluster."""

    def __init__(self, objects: Sequence[ManifestObject], cluster: Cluster, terms: Terms) -> None:
        self._objects, self._cluster, self._terms = objects, cluster, terms
        self._left: list[LeftAlone] = []

    def found(self, finders: Sequence[Finder], standing_finders: Sequence[StandingFinder]) -> Found:
        """All of one environment."""
        fit, sides, left, inventory = candidates(self._objects, self._cluster, self._terms)
        standing = standing_candidates(inventory, self._cluster, self._terms, self._objects)
        self._left += [*left, *standing.left]
        answers = [map(finder, fit) for finder in finders]
        answers += [map(finder, standing.fit) for finder in standing_finders]
        judged = [item for order, found in enumerate(answers) for item in self._judged_of(found, order)]
        chosen = list(self._one_a_workload(judged))
        release = NodeRelease(sides, self._cluster)
        recommendations = tuple(_recommendation(item, release) for item in chosen)
        environment = self._objects[0].identity.environment
        billed = [item.row for item in chosen if not item.proposal.billed_on]
        together = {environment: release.together(billed)} if billed else {}
        return Found(recommendations, tuple(self._left), together)

    def _judged_of(self, answers: Iterable[_Answers], order: int) -> Iterator[_Judged]:
        """What one finder proposes, in as far as it is not risky."""
        proposals: list[Proposal] = []
        for answer in chain.from_iterable(answers):
            if isinstance(answer, LeftAlone):
                self._left.append(answer)
            else:
                proposals.append(answer)
        for _ in range(_ROUNDS):
            if not proposals:
                return
            rows = self._rows(proposals)
            softer: list[Proposal] = []
            for proposal in proposals:
                row = rows.get(proposal.candidate.identity)
                if row is None:
                    continue
                if row.verdict is Verdict.RISKY:
                    softer += self._softened(proposal, row)
                elif row.verdict is Verdict.UNKNOWN:
                    self._leave(proposal, Reason.NOT_COVERED, {"why": row.unknown_because})
                elif proposal.needed or row.change.expected <= -self._terms.least_saving:
                    yield _Judged(proposal, row, order)
            proposals = softer

    def _rows(self, proposals: Sequence[Proposal]) -> Mapping[Identity, Row]:
        """The rows of a comparison with a pull request that makes all of the changes."""
        changes = [change for proposal in proposals for change in proposal.changes]
        now, then = Revision("now", self._objects), Revision("then", with_changes(self._objects, changes))
        report = compare(now, then, lambda _environment: self._cluster)
        return {row.identity: row for row in report.rows}

    def _softened(self, proposal: Proposal, row: Row) -> list[Proposal]:
        """The proposal without the fields that are objected to; nothing where that is all of it."""
        risky = [item for item in row.findings if item.severity is Severity.RISKY]
        softer = proposal.without(field for item in risky for field in _fields_of(item))
        worst = risky[0]
        reason = _REASONS.get(worst.rule, Reason.RISKY)
        self._leave(proposal, reason, {"rule": worst.rule, "message": worst.message, **worst.evidence})
        return [softer] if softer.changes and len(softer.changes) < len(proposal.changes) else []

    def _one_a_workload(self, judged: Iterable[_Judged]) -> Iterator[_Judged]:
        """What reliability needs first, else what saves most; the others wait for it."""
        first: dict[Identity, _Judged] = {}
        for item in sorted(judged, key=_most_urgent):
            ahead = first.setdefault(item.row.identity, item)
            if ahead is item:
                yield item
            else:
                self._leave(item.proposal, Reason.WAITS, {"for": ahead.proposal.finder})

    def _leave(self, proposal: Proposal, reason: Reason, facts: Mapping[str, str]) -> None:
        self._left.append(proposal.candidate.left(proposal.finder, reason, **facts))


def _fields_of(finding: Finding) -> Iterator[str]:
    """The fields that a finding is about: a protection names all it covers, other rules the worst."""
    yield finding.path
    yield from filter(None, finding.evidence.get("fields", "").split(", "))


def _most_urgent(item: _Judged) -> tuple[bool, bool, object, int]:
    """What has to be done by hand takes long: nothing that a file can say waits for it."""
    proposal = item.proposal
    return not proposal.needed, proposal.by_hand, item.row.change.expected, item.order


def _recommendation(item: _Judged, release: NodeRelease) -> Recommendation:
    proposal, row = item.proposal, item.row
    cautions = [found.message for found in row.findings if found.severity is Severity.CAUTION]
    change = row.change.expected
    return Recommendation(
        finder=proposal.finder,
        environment=row.identity.environment,
        key=row.identity,
        source=row.source,
        changes=proposal.changes,
        allocated=change + ZERO,
        realisable=Realisable(ZERO, proposal.billed_on) if proposal.billed_on else release.of(row),
        evidence={**proposal.evidence, **_prices(row)},
        confidence=row.confidence,
        verdict=row.verdict,
        blast_radius=row.blast_radius or proposal.candidate.blast_radius,
        risks=(*cautions, *proposal.risks),
        undo=proposal.undo,
        labels=row.labels,
    )


def _prices(row: Row) -> Mapping[str, str]:
    """Whose prices the saving is made of: list prices stand in where no node is known."""
    side = row.after or row.before
    return {"prices": f"{side.rates.source.partition(' (')[0]}, {side.rates.as_of}"} if side else {}
