"""The tables of recommendations and of what became of them, as the newest migration leaves them.

Columns have the names of the fields of `bot/recommendation_records.py`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, Table

from bot.adapters.records_tables import JsonText, Moment, PlainText, metadata


def _key(name: str, kind: Any = PlainText) -> Column[Any]:  # noqa: ANN401 - a class of a type
    return Column(name, kind, primary_key=True, autoincrement=False)


def _of(name: str, kind: Any = PlainText) -> Column[Any]:  # noqa: ANN401
    return Column(name, kind, nullable=False)


recommendations = Table(
    "recommendations",
    metadata,
    _key("id"),
    _of("subject"),
    _of("repository", BigInteger),
    _of("place", JsonText),
    _of("head_sha"),
    _of("environment"),
    _of("namespace"),
    _of("kind"),
    _of("name"),
    _of("finder"),
    _of("team"),
    _of("cluster"),
    _of("recommendation", JsonText),
    _of("open", Boolean),
    _of("found_at", Moment),
    Column("snoozed_until", Moment),
    _of("snoozed_by"),
    Index("recommendations_of_a_repository", "repository", "open"),
    Index("recommendations_of_a_team", "open", "team"),
)
scans = Table(
    "recommendation_scans",
    metadata,
    _key("repository", BigInteger),
    _of("full_name"),
    _of("head_sha"),
    _of("at", Moment),
    _of("left_alone", JsonText),
    _of("problems", JsonText),
    _of("realisable", JsonText),
    Column("declares", JsonText),
)
recommendation_decisions = Table(
    "recommendation_decisions",
    metadata,
    _key("id"),
    _of("repository", BigInteger),
    _of("subject"),
    _of("finder"),
    _of("decision"),
    _of("actor"),
    _of("said"),
    _of("reason"),
    _of("about"),
    _of("at", Moment),
    Index("recommendation_decisions_of_a_repository", "repository", "decision"),
    Index("recommendation_decisions_at", "at"),
)
right_sizing_pulls = Table(
    "right_sizing_pulls",
    metadata,
    _key("repository", BigInteger),
    _key("number", BigInteger),
    _of("subject"),
    _of("id"),
    _of("branch"),
    _of("address"),
    _of("head_sha"),
    _of("state"),
    _of("opened_at", Moment),
    Column("closed_at", Moment),
    _of("closed_because"),
    Index("right_sizing_pulls_subject", "repository", "subject"),
)
digests = Table(
    "digests",
    metadata,
    _key("team"),
    _key("week"),
    _of("channel"),
    _of("content", JsonText),
    _of("begun_at", Moment),
    _of("timestamp"),
    Column("posted_at", Moment),
    Index("digests_posted", "channel", "timestamp"),
)
