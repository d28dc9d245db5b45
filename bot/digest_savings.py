"""What a week's digest says of savings: worth approving, more of them, and what is left as it is. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import quote

from bot.declared_twice import declared_twice
from bot.digest import MOST_NAMED, MOST_RECOMMENDED, DigestItem, LeftRow
from bot.recommendation_json import left_alone_from, recommendation_from
from bot.recommendation_records import KeptRecommendation, Scan
from bot.recommendation_words import reason_words, values, workload_words
from bot.records import Json
from bot.silenced import Silence
from estimators.objects import Identity, Source
from estimators.recommendation import Reason
from estimators.recommendation_order import saving_for_risk
from estimators.report import Confidence, Verdict


@dataclass(frozen=True, slots=True)
class Savings:
    """What there is to approve, the best first, and what is left alone; see `bot.digest.Digest`.

    `items` are all of them.
    """

    items: tuple[DigestItem, ...]
    left_alone: tuple[LeftRow, ...]
    left_counts: Mapping[str, int]
    left_names: Mapping[str, tuple[str, ...]]

    @property
    def shown(self) -> tuple[DigestItem, ...]:
        """Those that a digest has room for."""
        return self.items[:MOST_RECOMMENDED]

    @property
    def others(self) -> tuple[DigestItem, ...]:
        """The rest."""
        return self.items[MOST_RECOMMENDED:]


def savings(
    found: Sequence[KeptRecommendation],
    approved: Collection[str],
    silences: Mapping[str, Silence],
    scans: Sequence[Scan],
    *,
    team: str | None,
    web: str = "",
) -> Savings:
    """What the newest scans say; `team` None means everybody's.

    `found` are what they propose: those of the ids `approved` are under way, `silences` says of which
    nothing is to be said now. `web` is where people look at repositories, `""` where they cannot.
    """
    names = {scan.repository: scan.full_name for scan in scans}
    mine = [one for one in found if team is None or one.team == team]
    twice = declared_twice(found)
    rows = [row for scan in scans for row in scan.left_alone["rows"] if team is None or row["team"] == team]
    silent = (LeftRow(_name(one), _silence(silences[one.id])) for one in mine if one.id in silences)
    items = (
        _item(one, names.get(one.repository, ""), web)
        for one in mine
        if one.id not in silences and one.id not in approved and one.id not in twice
    )
    claimed = (LeftRow(_name(one), _claimed(twice[one.id], names)) for one in mine if one.id in twice)
    told = dict.fromkeys([*_protected(rows), *silent, *claimed])
    left = _left(rows)
    return Savings(
        tuple(sorted(items, key=_order)),
        tuple(told),
        {reason: len(keys) for reason, keys in left},
        {
            reason: tuple(sorted({workload_words(Identity(*key)) for key in keys})[:MOST_NAMED])
            for reason, keys in left
        },
    )


def _order(item: DigestItem) -> tuple[Decimal, Decimal, str]:
    worth = saving_for_risk(
        item.allocated, item.realisable, Verdict(item.verdict), Confidence(item.confidence)
    )
    return -worth, item.allocated, item.id


def _item(kept: KeptRecommendation, repository: str, web: str) -> DigestItem:
    one = recommendation_from(kept.recommendation)
    return DigestItem(
        id=kept.id,
        finder=one.finder,
        repository=repository,
        environment=one.environment,
        workload=workload_words(one.key),
        values=values(one.changes),
        allocated=one.allocated,
        realisable=one.realisable.monthly,
        realisable_why=one.realisable.why,
        confidence=one.confidence.value,
        verdict=one.verdict.value,
        evidence=dict(one.evidence),
        risks=one.risks,
        undo=one.undo,
        blast_radius=one.blast_radius,
        source=f"{one.source.file}:{one.source.line}",
        address=_address(one.source, kept.head_sha, repository, web),
    )


def _address(source: Source, sha: str, repository: str, web: str) -> str:
    if not (web and repository and source.file):
        return ""
    return f"{web}/{repository}/blob/{sha}/{quote(source.file)}#L{source.line}"


def _protected(rows: Sequence[Json]) -> Iterator[LeftRow]:
    for row in rows:
        left = left_alone_from(row)
        if left.reason is Reason.PROTECTED:
            yield LeftRow(workload_words(left.key), reason_words(left.reason, left.facts))


def _name(kept: KeptRecommendation) -> str:
    return workload_words(Identity(kept.environment, kept.namespace, kept.kind, kept.name))


def _silence(silence: Silence) -> str:
    if silence.rejection is not None:
        return f"{silence.rejection.said} rejected it: {silence.rejection.reason}"
    by = f"{silence.said} snoozed it" if silence.said else "snoozed"
    until = silence.until
    return f"{by} until {until.day} {until:%B %Y}" if until is not None else by


def _claimed(repositories: Collection[int], names: Mapping[int, str]) -> str:
    told = " and ".join(sorted(names.get(one, "another repository") for one in repositories))
    return f"{told} both declare it: leave one out in `repositories` of tuppence.yaml"


def _left(rows: Sequence[Json]) -> list[tuple[str, set[tuple[str, ...]]]]:
    """The workloads of each reason, the most first; a workload counts once for each."""
    found: defaultdict[str, set[tuple[str, ...]]] = defaultdict(set)
    for row in rows:
        found[row["reason"]].add(tuple(row["key"]))
    return sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
