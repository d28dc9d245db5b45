"""What is recommended, who decided what about it, our pull requests, and the digests that told of them."""

import sqlalchemy as sa
from alembic import op

revision = "5"
down_revision = "4"


def _texts(names: str) -> "list[sa.Column[str]]":
    return [sa.Column(name, sa.Text, nullable=False) for name in names.split()]


def _text_keys(*names: str) -> "list[sa.Column[str]]":
    return [sa.Column(name, sa.Text, primary_key=True) for name in names]


def _repository(*, key: bool = False) -> "sa.Column[int]":
    return sa.Column("repository", sa.BigInteger, primary_key=key, autoincrement=False, nullable=False)


def _at(name: str, *, known: bool = True) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=not known)


def upgrade() -> None:
    """Five tables; none of those that are there changes."""
    op.create_table(
        "recommendations",
        *_text_keys("id"),
        _repository(),
        *_texts("subject place head_sha environment namespace kind name finder team cluster recommendation"),
        sa.Column("open", sa.Boolean, nullable=False),
        _at("found_at"),
        _at("snoozed_until", known=False),
        *_texts("snoozed_by"),
    )
    op.create_index("recommendations_of_a_repository", "recommendations", ["repository", "open"])
    op.create_index("recommendations_of_a_team", "recommendations", ["open", "team"])
    op.create_table(
        "recommendation_scans",
        _repository(key=True),
        *_texts("full_name head_sha left_alone problems realisable"),
        _at("at"),
    )
    op.create_table(
        "recommendation_decisions",
        *_text_keys("id"),
        _repository(),
        *_texts("subject finder decision actor said reason about"),
        _at("at"),
    )
    op.create_index(
        "recommendation_decisions_of_a_repository", "recommendation_decisions", ["repository", "decision"]
    )
    op.create_index("recommendation_decisions_at", "recommendation_decisions", ["at"])
    op.create_table(
        "right_sizing_pulls",
        _repository(key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        *_texts("subject id branch address head_sha state closed_because"),
        _at("opened_at"),
        _at("closed_at", known=False),
    )
    op.create_index("right_sizing_pulls_subject", "right_sizing_pulls", ["repository", "subject"])
    op.create_table(
        "digests",
        *_text_keys("team", "week"),
        *_texts("channel content timestamp"),
        _at("begun_at"),
        _at("posted_at", known=False),
    )
    op.create_index("digests_posted", "digests", ["channel", "timestamp"])
