"""What a merged change was said to cost, and a week later what it did: told once on the pull request."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

from bot.cost_ports import ChargedHours
from bot.cost_words import share
from bot.errors import GitHubRefused
from bot.github_events import PullRequestClosed, PullRequestRef, Repository
from bot.inert import Markdown, code, md
from bot.measured_comment import Gap, Outcome, days, name_of, render_measured
from bot.ports import Comments, Predictions, Reports
from bot.predictions import predicted_rows, prediction_of
from bot.records import Prediction
from estimators.allocation import as_money
from estimators.measured_change import MeasuredRow, PredictedRow, Week, Weeks, measure_rows, weeks_around

WAIT = timedelta(days=7)
"""From the merge until it is measured: a whole week has its quiet days, too."""
GIVE_UP = timedelta(days=7)
"""How long after that hours may still come in. The job that keeps them asks for all of the last 35 days."""
COVERED = 0.9
"""The share of either week that must have been measured, as of a full day that a projection rests on."""
_UNSEEN = md("nothing of that name was charged before or after")
log = logging.getLogger(__name__)

Json = Mapping[str, Any]


class _Measured(NamedTuple):
    """Rows of one cluster, and the share of the hours that it was measured (0-1).

    `early`: nothing is known of them, but may be another day.
    """

    rows: tuple[MeasuredRow, ...]
    gaps: tuple[Gap, ...]
    covered: float
    early: bool = False


def remember(closed: PullRequestClosed, *, reports: Reports, predictions: Predictions, at: datetime) -> None:
    """Keep what was said of a pull request that is merged; nothing where that was no change.

    `at` counts where GitHub did not say when it was merged.
    """
    ref = closed.ref
    merged_at = datetime.fromisoformat(closed.merged_at) if closed.merged_at else at
    report = reports.newest(ref.repository.id, ref.number)
    if report is None or not closed.merged:
        return
    predicted = prediction_of(json.loads(report.report))
    if predicted is not None:
        predictions.keep(
            Prediction(
                repository=ref.repository.id,
                number=ref.number,
                report_hash=report.report_hash,
                reference=asdict(ref),
                predicted=predicted,
                merged_at=merged_at,
                due_at=merged_at + WAIT,
            )
        )


def measure(
    prediction: Prediction,
    *,
    costs: ChargedHours,
    kept_as: Callable[[str], str | None],
    comments: Comments,
    predictions: Predictions,
    at: datetime,
) -> bool:
    """Compare what was charged before the merge and after it, and tell it once.

    `kept_as` tells under which name the hours of a policy's cluster are kept, None where they are not.
    Returns False where too few hours are known yet: another day there may be more, until `GIVE_UP`; then
    it is told what could not be measured. Raises OutsideError where something does not answer, or refuses.
    """
    told = prediction.predicted
    merged_at = prediction.merged_at.astimezone(UTC)
    weeks = weeks_around(merged_at)
    found = [
        _of_cluster(rows, name, weeks, told["currency"], costs)
        for name, rows in _by_cluster(predicted_rows(told), kept_as)
    ]
    last_try = at >= prediction.due_at + GIVE_UP
    if any(one.early for one in found) and not last_try:
        log.info("Too few hours are known to measure a merged change")
        return False
    outcome = Outcome(
        told["currency"],
        merged_at,
        weeks,
        min((one.covered for one in found if one.rows), default=0.0),
        tuple(row for one in found for row in one.rows),
        tuple(gap for one in found for gap in one.gaps),
    )
    try:
        if found:
            comments.reply(_ref(prediction.reference), render_measured(outcome), "measured")
    except GitHubRefused:  # the app was removed, say, or the conversation locked
        if not last_try:
            raise
        log.warning("A merged change was measured and cannot be told of, which is given up")
    predictions.finish(prediction.repository, prediction.number, _kept(outcome), at)
    return True


def _ref(reference: Json) -> PullRequestRef:
    return PullRequestRef(**{**reference, "repository": Repository(**reference["repository"])})


def _by_cluster(
    rows: Sequence[PredictedRow], kept_as: Callable[[str], str | None]
) -> Iterator[tuple[str | None, list[PredictedRow]]]:
    """Rows by the name of their hours; those without one (None) by what the policy calls their cluster."""
    names = {row.cluster: kept_as(row.cluster) for row in rows}

    def place(row: PredictedRow) -> tuple[str, str]:
        name = names[row.cluster]
        return (name, "") if name is not None else ("", row.cluster)

    for _, some in groupby(sorted(rows, key=place), place):
        together = list(some)
        yield names[together[0].cluster], together


def _of_cluster(
    rows: Sequence[PredictedRow], name: str | None, weeks: Weeks, currency: str, costs: ChargedHours
) -> _Measured:
    """What became of a cluster's rows; `name` is that of its hours."""
    if name is None:
        return _unknown(rows, _nothing_kept(rows[0].cluster))
    both = []
    for start, end in (weeks.before, (weeks.start, weeks.end)):
        kept = [hour for hour in costs.kept(name, start, end) if hour.covered]
        covered = sum(hour.covered for hour in kept) / ((end - start) / timedelta(hours=1))
        if covered < COVERED:
            why = md(
                f"only {share(covered)} of {days(start, end)} was measured, and it takes {share(COVERED)}"
            )
            return _unknown(rows, why, early=True)
        both.append((Week(costs.window(name, start, end), len(kept)), covered))
    (before, _), (after, _) = both
    if after.window.currency != currency:
        return _unknown(rows, md(f"its cluster is charged in {after.window.currency}"))
    measured, unseen = measure_rows(rows, before, after)
    gaps = tuple(Gap(row, _UNSEEN) for row in unseen)
    return _Measured(measured, gaps, min(covered for _, covered in both))


def _unknown(rows: Sequence[PredictedRow], why: Markdown, *, early: bool = False) -> _Measured:
    return _Measured((), tuple(Gap(row, why) for row in rows), 0.0, early)


def _nothing_kept(cluster: str) -> Markdown:
    if not cluster:
        return Markdown("no Prometheus is set up for it, see `PROMETHEUS_URL`")
    return Markdown(f"the cluster {code(cluster)} has no Prometheus in `tuppence.yaml`")


def _kept(outcome: Outcome) -> dict[str, Any]:
    """What was measured, as it is remembered."""
    return {
        "currency": outcome.currency,
        "expected": str(as_money(sum(row.change for row in outcome.rows))),
        "workloads": {name_of(row.predicted): str(as_money(row.change)) for row in outcome.rows},
        "unmeasured": [name_of(gap.row) for gap in outcome.gaps],
    }
