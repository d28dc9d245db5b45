"""A record is a row: their fields and columns have the same names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, Table, and_
from sqlalchemy.dialects import postgresql, sqlite

from bot.recommendation_records import (
    KeptDigest,
    KeptRecommendation,
    RecommendationDecision,
    RightSizingPull,
    Scan,
)
from bot.records import (
    Decision,
    LastGoodPolicy,
    Prediction,
    PricedReport,
    PublishedCheck,
    PublishedComment,
    PublishedSuggestion,
    ShownPullRequest,
)

Record = (
    PublishedComment
    | PublishedSuggestion
    | PublishedCheck
    | ShownPullRequest
    | PricedReport
    | Decision
    | Prediction
    | LastGoodPolicy
    | KeptRecommendation
    | Scan
    | RecommendationDecision
    | RightSizingPull
    | KeptDigest
)
Found = TypeVar("Found")


def first(connection: Connection, query: Select[Any], kind: Callable[..., Found]) -> Found | None:
    """The first row of an answer as a record."""
    row = connection.execute(query).mappings().first()
    return None if row is None else kind(**row)


def values(record: Record) -> dict[str, Any]:
    """The columns of a record."""
    return {field.name: getattr(record, field.name) for field in fields(record)}


def insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that may say what happens where the row is there already."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def add(connection: Connection, table: Table, record: Record) -> bool:
    """Add a row; False where there is one with its primary key, which stays as it is."""
    statement = insert(connection, table).values(values(record)).on_conflict_do_nothing()
    return connection.execute(statement.returning(*table.primary_key)).first() is not None


def put(
    connection: Connection,
    table: Table,
    record: Record,
    unless: ColumnElement[bool] | None = None,
) -> bool:
    """Add a row, or change the one with its primary key; False where that one is as `unless` says."""
    statement = insert(connection, table).values(values(record))
    changes = {column.name: statement.excluded[column.name] for column in table.c if not column.primary_key}
    updated = statement.on_conflict_do_update(
        index_elements=list(table.primary_key), set_=changes, where=None if unless is None else ~unless
    )
    return connection.execute(updated.returning(*table.primary_key)).first() is not None


def rows_of(table: Table, **keys: Any) -> ColumnElement[bool]:  # noqa: ANN401 - whatever the column holds
    """The condition that each of these columns has that value."""
    return and_(*(table.c[name] == value for name, value in keys.items()))
