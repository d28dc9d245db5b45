"""Recommendations, what was decided about them, their pull requests, and the digests that told of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, delete, func, select, update

from bot.adapters.records_audit import append
from bot.adapters.records_database import Database
from bot.adapters.records_recommendation_audit import decided, snoozed
from bot.adapters.records_recommendation_tables import (
    digests,
    recommendation_decisions,
    recommendations,
    right_sizing_pulls,
    scans,
)
from bot.adapters.records_rows import add, first, insert, put, rows_of, values
from bot.recommendation_records import (
    KeptDigest,
    KeptRecommendation,
    RecommendationDecision,
    RightSizingPull,
    Scan,
)

_STAYS = {"id", "found_at", "snoozed_until", "snoozed_by"}
"""What a recommendation that is found again keeps."""
_MOST_AT_ONCE = 500
"""Databases limit how many values one question may have."""


class StoredRecommendations:
    """The port `Recommendations`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def replace(self, scan: Scan, found: Sequence[KeptRecommendation]) -> None:
        """Remember a repository's newest scan, in one transaction; an older one changes nothing.

        The row of the scan is written first: it lets one scan of a repository in at a time.
        """
        with self._database.writing() as connection:
            if not put(connection, scans, scan, unless=scans.c.at > scan.at):
                return
            those = recommendations.c.repository == scan.repository, recommendations.c.open.is_(True)
            connection.execute(update(recommendations).where(*those).values(open=False))
            if found:
                statement = insert(connection, recommendations)
                again = {
                    column.name: statement.excluded[column.name]
                    for column in recommendations.c
                    if column.name not in _STAYS
                }
                statement = statement.on_conflict_do_update(
                    index_elements=list(recommendations.primary_key), set_=again
                )
                connection.execute(statement, [values(one) for one in found])

    def keep_only(self, repositories: Collection[int]) -> None:
        """Forget the scans of all other repositories, and close what they found, in one transaction."""
        with self._database.writing() as connection:
            of_open = select(recommendations.c.repository).where(recommendations.c.open.is_(True))
            known = connection.scalars(select(scans.c.repository).union(of_open)).all()
            for gone in set(known) - set(repositories):
                mine = recommendations.c.repository == gone
                connection.execute(update(recommendations).where(mine).values(open=False))
                connection.execute(delete(scans).where(scans.c.repository == gone))

    def find(self, id: str) -> KeptRecommendation | None:  # noqa: A002 - as the port has it
        """One of them, open or not."""
        with self._database.reading() as connection:
            return first(connection, select(recommendations).where(_is(id)), KeptRecommendation)

    def open_ones(self, team: str | None = None) -> tuple[KeptRecommendation, ...]:
        """Those that the newest scans find, in one order."""
        query = select(recommendations).where(recommendations.c.open.is_(True))
        if team is not None:
            query = query.where(recommendations.c.team == team)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(recommendations.c.id)).mappings().all()
        return tuple(KeptRecommendation(**row) for row in rows)

    def snoozed(self, repository: int | None, at: datetime) -> tuple[KeptRecommendation, ...]:
        """Those of a repository, or of all, that are snoozed at that moment, open or not."""
        query = select(recommendations).where(recommendations.c.snoozed_until > at)
        if repository is not None:
            query = query.where(recommendations.c.repository == repository)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(recommendations.c.id)).mappings().all()
        return tuple(KeptRecommendation(**row) for row in rows)

    def scans(self) -> tuple[Scan, ...]:
        """The newest scan of each repository."""
        with self._database.reading() as connection:
            rows = connection.execute(select(scans).order_by(scans.c.repository)).mappings().all()
        return tuple(Scan(**row) for row in rows)

    def snooze(self, id: str, until: datetime, *, actor: str, said: str, at: datetime) -> bool:  # noqa: A002
        """Say nothing of it until then, with an audit row."""
        with self._database.writing() as connection:
            put_off = {"snoozed_until": until, "snoozed_by": said}
            statement = update(recommendations).where(_is(id)).values(**put_off)
            row = connection.execute(statement.returning(*recommendations.c)).mappings().first()
            if row is None:
                return False
            append(connection, snoozed(KeptRecommendation(**row), until, actor=actor, said=said, at=at))
            return True


class StoredRecommendationDecisions:
    """The port `RecommendationDecisions`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def decide(self, decision: RecommendationDecision) -> RecommendationDecision:
        """The decision that holds; the primary key lets one win, and its audit row is in its transaction."""
        with self._database.writing() as connection:
            if add(connection, recommendation_decisions, decision):
                append(connection, decided(decision))
            held = select(recommendation_decisions).where(recommendation_decisions.c.id == decision.id)
            return RecommendationDecision(**connection.execute(held).mappings().one())

    def of(self, ids: Collection[str]) -> dict[str, RecommendationDecision]:
        """The decisions about some recommendations."""
        wanted, found = sorted(set(ids)), dict[str, RecommendationDecision]()
        with self._database.reading() as connection:
            for begin in range(0, len(wanted), _MOST_AT_ONCE):
                some = recommendation_decisions.c.id.in_(wanted[begin : begin + _MOST_AT_ONCE])
                rows = connection.execute(select(recommendation_decisions).where(some)).mappings()
                found.update((row["id"], RecommendationDecision(**row)) for row in rows)
        return found

    def rejected(
        self, repository: int | None = None
    ) -> tuple[tuple[KeptRecommendation, RecommendationDecision], ...]:
        """Every rejected recommendation of a repository, or of all, the newest first."""
        of = {} if repository is None else {"repository": repository}
        return self._with_what_it_is_about(rows_of(recommendation_decisions, decision="reject", **of))

    def since(self, at: datetime) -> tuple[tuple[KeptRecommendation, RecommendationDecision], ...]:
        """What was decided since then, the newest first."""
        return self._with_what_it_is_about(recommendation_decisions.c.at >= at)

    def _with_what_it_is_about(
        self, which: ColumnElement[bool]
    ) -> tuple[tuple[KeptRecommendation, RecommendationDecision], ...]:
        both = recommendations.c.id == recommendation_decisions.c.id
        query = (
            select(recommendation_decisions, recommendations)
            .join(recommendations, both)
            .where(which)
            .order_by(recommendation_decisions.c.at.desc(), recommendation_decisions.c.id)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        width = len(recommendation_decisions.c)
        return tuple(
            (
                KeptRecommendation(**dict(zip(recommendations.c.keys(), row[width:], strict=True))),
                RecommendationDecision(
                    **dict(zip(recommendation_decisions.c.keys(), row[:width], strict=True))
                ),
            )
            for row in rows
        )


class StoredRightSizingPulls:
    """The port `RightSizingPulls`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, pull: RightSizingPull) -> None:
        """Remember a pull request, in the place of the one with its number."""
        with self._database.writing() as connection:
            put(connection, right_sizing_pulls, pull)

    def find(self, repository: int, subject: str) -> RightSizingPull | None:
        """The newest pull request of a subject."""
        return self._first(repository=repository, subject=subject)

    def numbered(self, repository: int, number: int) -> RightSizingPull | None:
        """The pull request with that number, if it is ours."""
        return self._first(repository=repository, number=number)

    def open_ones(self, repository: int | None = None) -> tuple[RightSizingPull, ...]:
        """Those that are open, in one order."""
        query = select(right_sizing_pulls).where(right_sizing_pulls.c.state == "open")
        if repository is not None:
            query = query.where(right_sizing_pulls.c.repository == repository)
        order = right_sizing_pulls.c.repository, right_sizing_pulls.c.number
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(*order)).mappings().all()
        return tuple(RightSizingPull(**row) for row in rows)

    def _first(self, **keys: int | str) -> RightSizingPull | None:
        newest = right_sizing_pulls.c.opened_at.desc(), right_sizing_pulls.c.number.desc()
        query = (
            select(right_sizing_pulls).where(rows_of(right_sizing_pulls, **keys)).order_by(*newest).limit(1)
        )
        with self._database.reading() as connection:
            return first(connection, query, RightSizingPull)


class StoredDigests:
    """The port `Digests`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def turn(self, team: str, week: str) -> AbstractContextManager[None]:
        """Wait until nobody else posts that digest."""
        return self._database.turn("digest", team, week)

    def find(self, team: str, week: str) -> KeptDigest | None:
        """The digest of that team and week."""
        return self._first(select(digests).where(rows_of(digests, team=team, week=week)))

    def keep(self, digest: KeptDigest) -> None:
        """Remember a digest, in the place of what is kept of it."""
        with self._database.writing() as connection:
            put(connection, digests, digest)

    def posted_at(self, channel: str, timestamp: str) -> KeptDigest | None:
        """The digest that a message is; none where no message is named, as of those not posted yet."""
        if not timestamp:
            return None
        return self._first(select(digests).where(rows_of(digests, channel=channel, timestamp=timestamp)))

    def newest(self, team: str, most: int) -> tuple[KeptDigest, ...]:
        """The team's digests of the newest weeks that were posted, the newest first."""
        posted = select(digests).where(digests.c.team == team, digests.c.timestamp != "")
        with self._database.reading() as connection:
            rows = connection.execute(posted.order_by(digests.c.week.desc()).limit(most)).mappings().all()
        return tuple(KeptDigest(**row) for row in rows)

    def _first(self, query: Select[Any]) -> KeptDigest | None:
        with self._database.reading() as connection:
            return first(connection, query, KeptDigest)


def purge(connection: Connection, before: datetime) -> dict[str, int]:
    """Remove what is older than `before`: how many rows of which table.

    What the newest scan finds stays, and so does what a decision is kept about.
    """
    decided = select(recommendation_decisions.c.id)
    old = {
        recommendation_decisions: recommendation_decisions.c.at < before,
        recommendations: (
            recommendations.c.open.is_(False)
            & (recommendations.c.found_at < before)
            & (recommendations.c.snoozed_until.is_(None) | (recommendations.c.snoozed_until < before))
            & recommendations.c.id.not_in(decided)
        ),
        right_sizing_pulls: (right_sizing_pulls.c.state != "open")
        & (func.coalesce(right_sizing_pulls.c.closed_at, right_sizing_pulls.c.opened_at) < before),
        digests: digests.c.begun_at < before,
    }
    return {
        table.name: connection.execute(delete(table).where(which)).rowcount for table, which in old.items()
    }


def _is(id: str) -> ColumnElement[bool]:  # noqa: A002
    return rows_of(recommendations, id=id)
