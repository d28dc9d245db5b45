"""Answer what could be saved, from what the newest looks at default branches found."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from difflib import get_close_matches

from bot.cost_access import EVERYTHING, Sight
from bot.cost_answer import CostRefusal
from bot.cost_commands import SAVINGS, CostQuestion
from bot.recommendation_ports import RecommendationDecisions, Recommendations, RightSizingPulls
from bot.recommendation_records import KeptRecommendation, Scan
from bot.savings_answer import SavingsAnswer
from bot.savings_reading import read_savings, under_way
from bot.unused import NOT_ASKED, UnusedNow, UnusedThings, undeclared
from bot.unused_words import left_rows
from estimators.objects import Identity

NOT_LOOKED = (
    "No repository was looked at for savings yet.",
    "Where tuppence serve has a GitHub App, it looks at every default branch once a day.",
)
_MOST_NEAR = 3
_ALIKE = 0.6


def answer_savings(
    question: CostQuestion,
    *,
    recommendations: Recommendations,
    decisions: RecommendationDecisions,
    pulls: RightSizingPulls,
    at: datetime,
    sight: Sight = EVERYTHING,
    teams: Collection[str] | None = None,
    unused: UnusedNow = NOT_ASKED,
    web: str = "",
) -> SavingsAnswer | CostRefusal:
    """The answer, of `teams` alone where some are named, or why there is none.

    `unused` is what nothing uses in clusters: what of it no repository declares is told, also before any
    repository was looked at. Whoever asks
    learns nothing of a namespace outside `sight`; what has no namespace is told to those who see all of
    them. `web` is where people look at repositories, `""` where they cannot. Raises StoreUnavailable.
    """
    scans = [scan for scan in recommendations.scans() if scan.head_sha]
    asked = _Asked(question.name.casefold(), sight, teams)
    seen = [one for one in recommendations.open_ones() if asked.sees(one.team, one.namespace)]
    found = [one for one in seen if asked.means(one.team, one.namespace, one.name)]
    currencies = sorted({str(one.recommendation["currency"]) for one in found})
    if len(currencies) > 1:
        return _several(currencies)
    things, currency = asked.things(unused, scans, at.date(), *currencies)
    mine = [asked.of(scan) for scan in scans]
    busy = under_way(found, scans, decisions=decisions, pulls=pulls)
    worth = read_savings(
        found, mine, busy, recommendations=recommendations, decisions=decisions, at=at, web=web
    )
    known = found or worth.left_counts or (things and (things.count or things.left))
    if not known and (refusal := _nothing(question.name, scans, unused, seen)):
        return refusal
    return SavingsAnswer(
        question=question,
        currency=currency,
        items=worth.items,
        under_way=tuple(busy.values()),
        left_alone=(*worth.left_alone, *left_rows(things)),
        left_counts=worth.left_counts,
        left_names=worth.left_names,
        repositories=len(scans),
        looked_at=min((scan.at for scan in scans), default=None),
        remarks=sum(len(scan.problems["rows"]) for scan in scans),
        unused=things,
        notes=unused.away,
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """Whose savings: `name` is a team, a namespace or a workload, `""` all that may be seen."""

    name: str
    sight: Sight
    teams: Collection[str] | None

    def sees(self, team: str, namespace: str) -> bool:
        return self.sight.covers(namespace) and (self.teams is None or team in self.teams)

    def means(self, team: str, namespace: str, workload: str) -> bool:
        names = (team, namespace, f"{namespace}/{workload}")
        return not self.name or self.name in {name.casefold() for name in names}

    def things(
        self, unused: UnusedNow, scans: Sequence[Scan], today: date, currency: str = ""
    ) -> tuple[UnusedThings | None, str]:
        """What nothing uses of this, None where that is not known; in the currency, else in the dearest's."""
        mine = [
            thing
            for thing in unused.found or ()
            if self.sees(thing.team, thing.namespace) and self.means(thing.team, thing.namespace, thing.name)
        ]
        told = None if unused.found is None else undeclared(mine, scans, today)
        if told is None:
            return None, currency or "USD"
        currency = currency or next((thing.currency for thing in told.things), "USD")
        ours = tuple(thing for thing in told.things if thing.currency == currency)
        return UnusedThings(ours, left=told.left), currency

    def of(self, scan: Scan) -> Scan:
        """The scan with what it left alone of this."""
        rows = []
        for row in scan.left_alone["rows"]:
            key, team = Identity(*row["key"]), row["team"]
            if self.sees(team, key.namespace) and self.means(team, key.namespace, key.name):
                rows.append(row)
        return replace(scan, left_alone={"rows": rows})


def _nothing(
    name: str, scans: Sequence[Scan], unused: UnusedNow, seen: Sequence[KeptRecommendation]
) -> CostRefusal | None:
    """Why there is no answer where nothing is known of what was asked for; None where that is the answer."""
    if not scans:
        return CostRefusal((*NOT_LOOKED, *unused.away))
    near = _near(name, seen)
    return CostRefusal((f"Nothing is known that could be saved in {name}.",), near) if near else None


def _several(currencies: Sequence[str]) -> CostRefusal:
    told = f"Savings are counted in {' and '.join(currencies)}, which cannot be added up"
    return CostRefusal((f"{told}: ask for a namespace.",))


def _near(name: str, seen: Sequence[KeptRecommendation]) -> tuple[CostQuestion, ...]:
    """Teams and namespaces that have something to save, and are written nearly alike."""
    known = {one.namespace for one in seen} | {one.team for one in seen}
    alike = get_close_matches(name.lower(), sorted(known - {""}), n=_MOST_NEAR, cutoff=_ALIKE)
    return tuple(CostQuestion(SAVINGS, one) for one in alike)
