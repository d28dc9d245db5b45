"""Our own records, all of them in one database: a port an attribute."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete

from bot.adapters import records_allocation_writes, records_audit, records_recommendations
from bot.adapters.records_allocation import StoredCostHours
from bot.adapters.records_audit import AuditTrail
from bot.adapters.records_database import Database
from bot.adapters.records_pull_requests import (
    StoredChecks,
    StoredHeads,
    StoredPublications,
    StoredShown,
    order_at,
)
from bot.adapters.records_recommendations import (
    StoredDigests,
    StoredRecommendationDecisions,
    StoredRecommendations,
    StoredRightSizingPulls,
)
from bot.adapters.records_reports import StoredDecisions, StoredPolicies, StoredPredictions, StoredReports
from bot.adapters.records_tables import (
    checks,
    comments,
    decisions,
    heads,
    predictions,
    reports,
    shown,
    suggestions,
)


class Records:
    """The ports on the database at `url`, which threads may share. Raises UserError for an unusable `url`.

    A server calls `prepare` first, which makes the tables or brings them up to date; reading the
    audit chain does without.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        self.heads = StoredHeads(self._database)
        self.publications = StoredPublications(self._database)
        self.checks = StoredChecks(self._database)
        self.shown = StoredShown(self._database)
        self.reports = StoredReports(self._database)
        self.decisions = StoredDecisions(self._database)
        self.predictions = StoredPredictions(self._database)
        self.policies = StoredPolicies(self._database)
        self.audit = AuditTrail(self._database)
        self.costs = StoredCostHours(self._database)
        self.recommendations = StoredRecommendations(self._database)
        self.recommendation_decisions = StoredRecommendationDecisions(self._database)
        self.right_sizing = StoredRightSizingPulls(self._database)
        self.digests = StoredDigests(self._database)
        self.name = self._database.name
        self.has_tables = self._database.has_tables
        self.prepare = self._database.prepare
        self.check = self._database.check
        self.close = self._database.close

    def purge(self, *, before: datetime, now: datetime) -> Mapping[str, int]:
        """Remove what is older than `before`, in one transaction: how many rows of which table."""
        old = {
            heads: heads.c.order < order_at(before),
            comments: comments.c.at < before,
            suggestions: suggestions.c.at < before,
            checks: checks.c.at < before,
            shown: shown.c.at < before,
            reports: reports.c.priced_at < before,
            decisions: decisions.c.at < before,
            predictions: predictions.c.due_at < before,
        }
        with self._database.writing() as connection:
            counts = {
                table.name: connection.execute(delete(table).where(which)).rowcount
                for table, which in old.items()
            }
            counts.update(records_recommendations.purge(connection, before))
            counts["cost_hours"] = records_allocation_writes.purge(connection, before)
            return {**counts, "audit": records_audit.purge(connection, before, now)}
