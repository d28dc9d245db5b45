"""The first tables."""

import sqlalchemy as sa
from alembic import op

from estimators.audit_chain import BEGINNING

revision = "1"
down_revision = None


def _key(name: str, kind: type[sa.BigInteger | sa.Text]) -> "sa.Column[object]":
    return sa.Column(name, kind, primary_key=True, autoincrement=False)


def _text(*names: str) -> "list[sa.Column[str]]":
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _number(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, nullable=False)


def _moment(name: str) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _pull_request() -> "list[sa.Column[object]]":
    return [_key("repository", sa.BigInteger), _key("number", sa.BigInteger)]


def upgrade() -> None:
    """Make them, and the chain of audit rows with its beginning."""
    op.create_table("heads", *_pull_request(), *_text("head_sha"), _number("order"))
    op.create_table(
        "publications",
        *_pull_request(),
        _number("comment_id"),
        *_text("body_hash", "head_sha"),
        _number("order"),
        _moment("at"),
    )
    op.create_table(
        "suggestions",
        *_pull_request(),
        _key("fingerprint", sa.Text),
        _number("comment_id"),
        sa.Column("resolved", sa.Boolean, nullable=False),
        _moment("at"),
    )
    op.create_table(
        "checks",
        _key("repository", sa.BigInteger),
        _key("head_sha", sa.Text),
        _key("name", sa.Text),
        _number("check_run_id"),
        *_text("output_hash", "status"),
        _moment("at"),
    )
    _reports_and_what_became_of_them()
    op.create_table(
        "policies",
        _key("repository", sa.BigInteger),
        _key("branch", sa.Text),
        *_text("base_sha", "text"),
        _moment("at"),
    )
    _audit()


def _reports_and_what_became_of_them() -> None:
    op.create_table(
        "reports",
        *_pull_request(),
        _key("report_hash", sa.Text),
        *_text("head_sha", "base_sha", "merge_base", "report"),
        _moment("priced_at"),
        _moment("expires"),
    )
    op.create_index("reports_of_a_pull_request", "reports", ["repository", "number", "priced_at"])
    op.create_table(
        "approvals",
        *_pull_request(),
        _key("head_sha", sa.Text),
        _key("report_hash", sa.Text),
        *_text("decision"),
        _number("approver_id"),
        *_text("approver", "reason"),
        _number("comment_id"),
        *_text("pull_request"),
        _moment("at"),
    )
    op.create_table(
        "predictions",
        *_pull_request(),
        *_text("report_hash", "reference", "predicted"),
        _moment("merged_at"),
        _moment("due_at"),
        sa.Column("measured", sa.Text),
        sa.Column("posted_at", sa.DateTime(timezone=True)),
    )
    op.create_index("predictions_due", "predictions", ["posted_at", "due_at"])


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False
        ),
        *_text("at", "actor", "action", "subject", "details", "key", "previous", "hash"),
        sa.UniqueConstraint("key", name="audit_key"),
    )
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        _number("seq"),
        *_text("hash"),
    )
    op.bulk_insert(head, [{"id": 1, **BEGINNING._asdict()}])
