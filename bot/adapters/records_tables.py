"""The tables of our own records, as the newest migration leaves them.

Columns have the names of the fields of `bot/records.py`. Text that strangers wrote is stored
without what PostgreSQL refuses: NUL and halves of surrogate pairs.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")


class PlainText(TypeDecorator[str]):
    """Text; what cannot be stored becomes U+FFFD."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's
        """To the database."""
        return None if value is None else _NOT_STORABLE.sub("\ufffd", value)


class JsonText(TypeDecorator[dict[str, Any]]):
    """JSON as ASCII text: PostgreSQL's own JSON type refuses some of what JSON can say."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any | None, dialect: Dialect) -> str | None:  # noqa: ANN401, ARG002
        """To the database."""
        return None if value is None else json.dumps(value, allow_nan=False)

    def process_result_value(self, value: str | None, dialect: Dialect) -> dict[str, Any] | None:  # noqa: ARG002
        """From the database."""
        return None if value is None else json.loads(value)


class Moment(TypeDecorator[datetime]):
    """A moment in UTC: SQLite keeps no time zone, so none but UTC goes in."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """To the database."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment without a time zone")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """From the database."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _key(name: str, kind: type[TypeDecorator[Any] | BigInteger | Integer] = PlainText) -> Column[Any]:
    return Column(name, kind, primary_key=True, autoincrement=False)


def _of(name: str, kind: type[TypeDecorator[Any] | BigInteger | Boolean] = PlainText) -> Column[Any]:
    return Column(name, kind, nullable=False)


metadata = MetaData()

heads = Table(
    "heads",
    metadata,
    _key("repository", BigInteger),
    _key("number", BigInteger),
    _of("head_sha"),
    _of("order", BigInteger),
)
comments = Table(
    "publications",
    metadata,
    _key("repository", BigInteger),
    _key("number", BigInteger),
    _of("comment_id", BigInteger),
    _of("body_hash"),
    _of("head_sha"),
    _of("order", BigInteger),
    _of("at", Moment),
)
suggestions = Table(
    "suggestions",
    metadata,
    _key("repository", BigInteger),
    _key("number", BigInteger),
    _key("fingerprint"),
    _of("comment_id", BigInteger),
    _of("resolved", Boolean),
    _of("at", Moment),
)
checks = Table(
    "checks",
    metadata,
    _key("repository", BigInteger),
    _key("head_sha"),
    _key("name"),
    _of("check_run_id", BigInteger),
    _of("output_hash"),
    _of("status"),
    _of("at", Moment),
)
shown = Table(
    "shown_pull_requests",
    metadata,
    _key("repository", BigInteger),
    _key("number", BigInteger),
    _of("name"),
    _of("address"),
    _of("author"),
    _of("told"),
    _of("blocked", Boolean),
    _of("open", Boolean),
    _of("at", Moment),
    Index("shown_open", "open", "at"),
)
reports = Table(
    "reports",
    metadata,
    _key("repository", BigInteger),
    _key("number", BigInteger),
    _key("report_hash"),
    _of("head_sha"),
    _of("base_sha"),
    _of("merge_base"),
    _of("report"),
    _of("priced_at", Moment),
    _of("expires", Moment),
    Index("reports_of_a_pull_request", "repository", "number", "priced_at"),
)
decisions = Table(
    "approvals",
    metadata,
    _key("repository", BigInteger),
    _key("number", BigInteger),
    _key("head_sha"),
    _key("report_hash"),
    _key("guardrail"),
    _of("decision"),
    _of("approver_id", BigInteger),
    _of("approver"),
    _of("reason"),
    _of("comment_id", BigInteger),
    _of("pull_request"),
    _of("at", Moment),
)
predictions = Table(
    "predictions",
    metadata,
    _key("repository", BigInteger),
    _key("number", BigInteger),
    _of("report_hash"),
    _of("reference", JsonText),
    _of("predicted", JsonText),
    _of("merged_at", Moment),
    _of("due_at", Moment),
    Column("measured", JsonText),
    Column("posted_at", Moment),
    Index("predictions_due", "posted_at", "due_at"),
)
policies = Table(
    "policies",
    metadata,
    _key("repository", BigInteger),
    _key("branch"),
    _of("base_sha"),
    _of("text"),
    _of("at", Moment),
)
audit = Table(
    "audit",
    metadata,
    # A plain INTEGER key is the one column of SQLite that takes nothing but integers.
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    _of("at"),
    _of("actor"),
    _of("action"),
    _of("subject"),
    _of("details"),
    _of("key"),
    _of("previous"),
    _of("hash"),
    UniqueConstraint("key", name="audit_key"),
)
audit_head = Table(
    "audit_head",
    metadata,
    _key("id", Integer),
    _of("seq", BigInteger),
    _of("hash"),
)
"""One row, noted beside the chain: whoever appends locks it, and it shows when the chain's end is cut off."""
leases = Table(
    "leases",
    metadata,
    _key("executor"),
    _of("replica"),
    _of("version"),
    _of("ends_at", Moment),
)
