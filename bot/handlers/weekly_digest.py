"""A team's week, or everybody's for finance: what it cost, what moved, what was measured, what to approve."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from bot.cost_answer import CostRefusal
from bot.cost_ports import ChargedHours
from bot.digest import ALL_TEAMS, Approval, Digest, MergedPull, TeamWeek
from bot.digest_costs import read_week
from bot.digest_pulls import pull_address, pull_name, what_came
from bot.digest_quiet import is_quiet
from bot.digest_savings import Savings
from bot.ports import Predictions
from bot.recommendation_json import recommendation_from
from bot.recommendation_ports import RecommendationDecisions, Recommendations, RightSizingPulls
from bot.recommendation_records import KeptRecommendation, RecommendationDecision, RightSizingPull, Scan
from bot.recommendation_words import workload_words
from bot.records import Prediction
from bot.savings_reading import read_savings, under_way
from bot.server_config import ServerConfig
from bot.unused import NOT_ASKED, UnusedNow, UnusedThings, undeclared
from bot.unused_words import left_rows
from bot.weeks import IsoWeek
from bot.words import count
from estimators.usage import WorkloadKey

STALE = timedelta(days=2)
"""Repositories are looked at every day: what is older than this was found before something went wrong."""
_MOST_PROBLEMS = 3


def weekly_digest(
    team: str,
    week: IsoWeek,
    *,
    costs: ChargedHours,
    recommendations: Recommendations,
    decisions: RecommendationDecisions,
    pulls: RightSizingPulls,
    predictions: Predictions,
    config: ServerConfig,
    at: datetime,
    unused: UnusedNow = NOT_ASKED,
    web: str = "",
) -> Digest | CostRefusal:
    """The digest of a week as it looks `at` a moment; `team` is `ALL_TEAMS` for finance's.

    `unused` is what nothing uses in clusters: what of it no repository declares is told. `web` is where
    people look at repositories, `""` where there is no such place. Refused is a team that nobody knows, and
    what cannot be added up. Raises StoreUnavailable.
    """
    read = read_week(team, week, costs=costs, config=config)
    if isinstance(read, CostRefusal):
        return read
    return _Week(*read, week, recommendations, decisions, pulls, predictions, at, unused, web).digest()


@dataclass(frozen=True, slots=True)
class _Week:
    """What is known of the costs, and the rest to be read."""

    costs: Digest
    owner_of: Callable[[WorkloadKey], str]
    week: IsoWeek
    recommendations: Recommendations
    decisions: RecommendationDecisions
    pulls: RightSizingPulls
    predictions: Predictions
    at: datetime
    unused: UnusedNow
    web: str

    def digest(self) -> Digest:
        """All of it."""
        costs = self.costs
        scans = self.recommendations.scans()
        found = self.recommendations.open_ones(self._team)
        worth = self._savings(found, scans)
        merged, told = self._merged()
        unused = self._unused(scans)
        digest = replace(
            costs,
            merged=tuple(merged),
            recommendations=worth.shown,
            more=len(worth.others),
            more_saving=sum((item.allocated for item in worth.others), Decimal(0)),
            left_alone=(*worth.left_alone, *left_rows(unused)),
            left_counts=worth.left_counts,
            left_names=worth.left_names,
            unused=unused and unused.named(),
            teams=tuple(_with_savings(costs.teams, found, worth)),
            approvals=tuple(self._approvals()),
            notes=(
                *costs.notes,
                *told,
                *self._waiting(scans),
                *self._about_scans(scans, found),
                *self.unused.away,
            ),
        )
        seen = bool(scans) and all(scan.head_sha for scan in scans)
        return replace(digest, quiet=seen and is_quiet(digest))

    @property
    def _team(self) -> str | None:
        return None if self.costs.team == ALL_TEAMS else self.costs.team

    def _is_ours(self, workload: WorkloadKey) -> bool:
        return self._team is None or self.owner_of(workload) == self._team

    def _savings(self, found: Sequence[KeptRecommendation], scans: Sequence[Scan]) -> Savings:
        busy = under_way(found, scans, decisions=self.decisions, pulls=self.pulls)
        return read_savings(
            found,
            scans,
            busy,
            recommendations=self.recommendations,
            decisions=self.decisions,
            at=self.at,
            team=self._team,
            web=self.web,
        )

    def _unused(self, scans: Sequence[Scan]) -> UnusedThings | None:
        """What nothing uses of the team, in the currency of all else; None where that is not known."""
        if self.unused.found is None:
            return None
        mine = (thing for thing in self.unused.found if self._team in {None, thing.team})
        in_currency = (thing for thing in mine if thing.currency == self.costs.currency)
        return undeclared(in_currency, scans, self.at.date())

    def _merged(self) -> tuple[list[MergedPull], list[str]]:
        """Pull requests that were measured in the week, or wait for it since, and which never will be."""
        pulls, notes = [], []
        for prediction in self.predictions.within(self.week.start, self.week.end):
            came = what_came(prediction, self._is_ours, self.costs.currency)
            if came is None:
                continue
            if came.told and came.measured is None:
                notes.append(f"{pull_name(prediction)} could not be measured.")
            ours = self.pulls.numbered(prediction.repository, prediction.number)
            pulls.append(
                MergedPull(
                    pull_name(prediction),
                    pull_address(prediction, self.web),
                    came.predicted,
                    came.measured,
                    ours=ours is not None,
                    approved_by=self._approved_by(ours),
                )
            )
        return pulls, notes

    def _approved_by(self, pull: RightSizingPull | None) -> str:
        decided = self.decisions.of([pull.id]) if pull else {}
        return decided[pull.id].said if pull and pull.id in decided else ""

    def _approvals(self) -> Iterator[Approval]:
        """What was approved in the week, the newest first."""
        for kept, decision in self.decisions.since(self.week.start):
            mine = self._team is None or kept.team == self._team
            if mine and decision.decision == "approve" and decision.at < self.week.end:
                yield self._approval(kept, decision)

    def _approval(self, kept: KeptRecommendation, decision: RecommendationDecision) -> Approval:
        one = recommendation_from(kept.recommendation)
        pull = self.pulls.find(kept.repository, kept.subject)
        if pull is not None and pull.id != kept.id:
            pull = None  # the subject's newest pull request is of another recommendation
        prediction = pull and self._prediction(pull)
        came = prediction and what_came(prediction, lambda _: True, self.costs.currency)
        return Approval(
            workload=workload_words(one.key),
            team=kept.team,
            said=decision.said,
            at=decision.at,
            allocated=one.allocated,
            measured=came.measured if came else None,
            state="merged" if prediction else pull.state if pull else "",
            address=pull.address if pull else "",
        )

    def _prediction(self, pull: RightSizingPull) -> Prediction | None:
        """Kept when it was merged: before the next look at its repository notes that."""
        return self.predictions.find(pull.repository, pull.number)

    def _waiting(self, scans: Sequence[Scan]) -> Iterator[str]:
        """Approved, and not merged yet, in repositories that are still looked at."""
        find, repositories = self.recommendations.find, {scan.repository for scan in scans}
        pulls = (pull for pull in self.pulls.open_ones() if pull.repository in repositories)
        kept = (find(pull.id) for pull in pulls if not self._prediction(pull))
        waiting = sum(self._team is None or one.team == self._team for one in kept if one is not None)
        if waiting:
            verb = "waits" if waiting == 1 else "wait"
            yield f"{count(waiting, 'right-sizing pull request')} {verb} to be merged."

    def _about_scans(self, scans: Sequence[Scan], found: Sequence[KeptRecommendation]) -> Iterator[str]:
        """Why there may be more to save than is said here."""
        if not any(scan.head_sha for scan in scans):
            yield "No repository was looked at for savings yet."
        about = {one.repository for one in found}
        about |= {scan.repository for scan in scans if not scan.head_sha}  # nobody knows whose it is
        mine = [scan for scan in scans if self._team is None or scan.repository in about]
        yield from _stale([scan for scan in mine if scan.at < self.at - STALE])
        problems = [f"{scan.full_name}: {told}" for scan in mine for told in scan.problems["rows"]]
        yield from problems[:_MOST_PROBLEMS]
        if len(problems) > _MOST_PROBLEMS:
            yield f"{count(len(problems) - _MOST_PROBLEMS, 'more remark')} on what could not be looked at."


def _stale(scans: Sequence[Scan]) -> Iterator[str]:
    """What is as old as that; of many, the oldest look."""
    if len(scans) > _MOST_PROBLEMS:
        oldest = min(scan.at for scan in scans)
        many = f"{len(scans):,} repositories were not looked at for savings for days"
        yield f"{many}, some since {oldest.day} {oldest:%B}."
        return
    for scan in scans:
        yield f"{scan.full_name} was last looked at for savings on {scan.at.day} {scan.at:%B}."


def _with_savings(
    teams: Sequence[TeamWeek], found: Sequence[KeptRecommendation], worth: Savings
) -> Iterator[TeamWeek]:
    """Each team with what its open recommendations would save."""
    team_of = {one.id: one.team for one in found}
    saved: defaultdict[str, Decimal] = defaultdict(Decimal)
    for item in worth.items:
        saved[team_of[item.id]] += item.allocated
    names: dict[str, Callable[[TeamWeek], str]] = {
        "tenant": lambda row: row.team,
        "unallocated": lambda _: "",
    }
    for row in teams:
        yield row._replace(savings=saved[names[row.kind](row)]) if row.kind in names else row
