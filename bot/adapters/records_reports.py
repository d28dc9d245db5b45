"""Reports, and what became of them: decisions, predictions, policies in force."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select, update

from bot.adapters.records_audit import append
from bot.adapters.records_database import Database
from bot.adapters.records_rows import add, first, put, rows_of
from bot.adapters.records_tables import decisions, policies, predictions, reports
from bot.records import Decision, Json, LastGoodPolicy, Prediction, PricedReport
from estimators.audit_chain import AuditFact


class StoredReports:
    """The port `Reports`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, report: PricedReport) -> None:
        """Remember a report, in the place of the one with its hash: a push may bring it back."""
        with self._database.writing() as connection:
            put(connection, reports, report)

    def find(self, repository: int, number: int, report_hash: str) -> PricedReport | None:
        """The report of a pull request with that hash."""
        query = select(reports).where(
            rows_of(reports, repository=repository, number=number, report_hash=report_hash)
        )
        with self._database.reading() as connection:
            return first(connection, query, PricedReport)

    def newest(self, repository: int, number: int) -> PricedReport | None:
        """The report of a pull request that was priced last."""
        query = select(reports).where(rows_of(reports, repository=repository, number=number))
        with self._database.reading() as connection:
            return first(connection, query.order_by(reports.c.priced_at.desc()).limit(1), PricedReport)


class StoredDecisions:
    """The port `Decisions`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def decide(self, decision: Decision) -> Decision:
        """The decision that holds; the primary key lets one win, and its audit row is in its transaction."""
        with self._database.writing() as connection:
            if add(connection, decisions, decision):
                append(connection, _fact(decision))
            held = rows_of(
                decisions,
                repository=decision.repository,
                number=decision.number,
                head_sha=decision.head_sha,
                report_hash=decision.report_hash,
                guardrail=decision.guardrail,
            )
            return Decision(**connection.execute(select(decisions).where(held)).mappings().one())

    def on(self, repository: int, number: int) -> tuple[Decision, ...]:
        """Every decision on a pull request, the newest first."""
        query = select(decisions).where(rows_of(decisions, repository=repository, number=number))
        with self._database.reading() as connection:
            found = connection.execute(query.order_by(decisions.c.at.desc())).mappings().all()
        return tuple(Decision(**row) for row in found)


def _fact(decision: Decision) -> AuditFact:
    return AuditFact(
        at=decision.at,
        actor=decision.approver,
        action=decision.decision,
        subject=decision.pull_request,
        key=f"decision/{decision.repository}/{decision.number}/{decision.head_sha}/{decision.report_hash}"
        f"/{decision.guardrail}",
        details={
            "head_sha": decision.head_sha,
            "report_hash": decision.report_hash,
            "guardrail": decision.guardrail,
            "approver_id": decision.approver_id,
            "comment_id": decision.comment_id,
            "reason": decision.reason,
        },
    )


class StoredPredictions:
    """The port `Predictions`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, prediction: Prediction) -> None:
        """Remember a prediction; one of the same pull request that is there already stays."""
        with self._database.writing() as connection:
            add(connection, predictions, prediction)

    def due(self, now: datetime, most: int = 100) -> tuple[Prediction, ...]:
        """Predictions whose time has come and that were not posted yet, the longest waiting first."""
        waiting = select(predictions).where(predictions.c.posted_at.is_(None), predictions.c.due_at <= now)
        with self._database.reading() as connection:
            found = connection.execute(waiting.order_by(predictions.c.due_at).limit(most)).mappings().all()
        return tuple(Prediction(**row) for row in found)

    def finish(self, repository: int, number: int, measured: Json, posted_at: datetime) -> None:
        """Remember what was measured and posted."""
        which = rows_of(predictions, repository=repository, number=number)
        done = update(predictions).where(which).values(measured=measured, posted_at=posted_at)
        with self._database.writing() as connection:
            connection.execute(done)

    def find(self, repository: int, number: int) -> Prediction | None:
        """That of a pull request."""
        query = select(predictions).where(rows_of(predictions, repository=repository, number=number))
        with self._database.reading() as connection:
            return first(connection, query, Prediction)

    def within(self, start: datetime, end: datetime) -> tuple[Prediction, ...]:
        """Those merged, or measured, in `[start, end)`, the one merged first first."""
        of = predictions.c
        during = [(moment >= start) & (moment < end) for moment in (of.merged_at, of.posted_at)]
        order = of.merged_at, of.repository, of.number
        with self._database.reading() as connection:
            query = select(predictions).where(or_(*during)).order_by(*order)
            found = connection.execute(query).mappings().all()
        return tuple(Prediction(**row) for row in found)


class StoredPolicies:
    """The port `Policies`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def last_good(self, repository: int, branch: str) -> LastGoodPolicy | None:
        """The policy that stays in force."""
        query = select(policies).where(rows_of(policies, repository=repository, branch=branch))
        with self._database.reading() as connection:
            return first(connection, query, LastGoodPolicy)

    def keep(self, policy: LastGoodPolicy) -> None:
        """Remember a policy, in the place of the branch's older one."""
        with self._database.writing() as connection:
            put(connection, policies, policy)
