"""What a merged change was said to cost, and a week later what it does: told once on the pull request."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from bot import policy, words
from bot.errors import PrometheusUnavailable
from bot.github_events import PullRequestClosed, PullRequestRef, Repository
from bot.inert import Markdown, code, md
from bot.policy import Policy
from bot.ports import Comments, Predictions, PullRequests, Reports, Revisions, Tree
from bot.records import Prediction
from bot.report_json import report_json
from estimators.money import to_cents
from estimators.report import Report

WAIT = timedelta(days=7)
"""From the merge until it is measured: a whole week has its quiet days, too."""

Json = Mapping[str, Any]
Price = Callable[[Tree, Tree, Policy], Report]


def remember(closed: PullRequestClosed, *, reports: Reports, predictions: Predictions, at: datetime) -> None:
    """Keep what was said of a pull request that is merged now; nothing where nothing was said."""
    ref = closed.ref
    report = reports.newest(ref.repository.id, ref.number)
    if report is None or not closed.merged:
        return
    told = json.loads(report.report)
    said = _amounts(told) | {"head_sha": report.head_sha, "base_sha": report.base_sha}
    predictions.keep(
        Prediction(
            repository=ref.repository.id,
            number=ref.number,
            report_hash=report.report_hash,
            reference=asdict(ref),
            predicted=said,
            merged_at=at,
            due_at=at + WAIT,
        )
    )


def measure(
    prediction: Prediction,
    *,
    price: Price | None,
    pulls: PullRequests,
    revisions: Revisions,
    comments: Comments,
    predictions: Predictions,
    at: datetime,
) -> None:
    """Price the same commits with the utilisation since the merge, and tell it once.

    `price` is None where no Prometheus is set up. Raises OutsideError where something does not answer.
    """
    reference = prediction.reference
    ref = PullRequestRef(**{**reference, "repository": Repository(**reference["repository"])})
    said = prediction.predicted
    measured: Json = {}
    if price is not None:
        facts = pulls.facts(ref)
        priced = replace(facts, head_sha=said["head_sha"], base_sha=said["base_sha"], merge_sha=None)
        with revisions.trees(priced) as (base, head):
            report = price(base, head, _policy(base))
        _unless_unmeasured(report)
        measured = _amounts(report_json(report))
    comments.reply(ref, _told(said, measured), "measured")
    predictions.finish(prediction.repository, prediction.number, measured, at)


def _policy(base: Tree) -> Policy:
    """As the report was made; where it cannot be read, prices and environments of none."""
    if policy.FILE_NAME not in base.paths():
        return Policy()
    [(_, data)] = base.read([policy.FILE_NAME])
    return policy.parse(data.decode("utf-8", "replace"))


def _unless_unmeasured(report: Report) -> None:
    reason = next((note for note in report.partial if note.startswith("no live numbers")), "")
    if reason:
        raise PrometheusUnavailable(reason)


def _amounts(told: Json) -> dict[str, Any]:
    """The expected change of a report and of each workload, as text of decimals."""
    workloads: dict[str, str] = {}
    for row in told["workloads"]:
        name = "/".join(filter(None, (row["environment"], row["namespace"], row["kind"], row["name"])))
        workloads[name] = row["change"]["expected"]
    return {
        "currency": told["currency"],
        "expected": told["monthly"]["change"]["expected"],
        "workloads": workloads,
    }


def _told(said: Json, measured: Json) -> Markdown:
    predicted = _money(said["expected"], said["currency"])
    if not measured:
        why = "no Prometheus is set up, see `PROMETHEUS_URL`"
        return Markdown(f"Predicted {predicted} a month. It could not be measured: {why}.")
    found = _money(measured["expected"], measured["currency"])
    return Markdown(
        f"Predicted {predicted} a month, measured {found} with the past week's usage: {_why(said, measured)}."
    )


def _why(said: Json, measured: Json) -> str:
    """The workload that differs most."""
    before, after = said["workloads"], measured["workloads"]
    off = {name: Decimal(after.get(name, 0)) - Decimal(before.get(name, 0)) for name in {**before, **after}}
    most = max(off, key=lambda name: abs(off[name]), default="")
    if not most or not to_cents(off[most]):
        return "as predicted"
    was = _money(before.get(most, "0"), said["currency"])
    now = _money(after.get(most, "0"), measured["currency"])
    return f"mostly {code(most)}, {now} instead of {was}"


def _money(amount: str, currency: str) -> Markdown:
    return md(words.money(Decimal(amount), currency, signed=True))
