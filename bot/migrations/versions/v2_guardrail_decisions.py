"""A decision is about one guardrail; those of before are about none that is known."""

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"
_KEY = ["repository", "number", "head_sha", "report_hash", "guardrail"]


def upgrade() -> None:
    """The guardrail becomes a part of the key, which has the name that PostgreSQL gives it."""
    op.add_column("approvals", sa.Column("guardrail", sa.Text, nullable=False, server_default=""))
    with op.batch_alter_table("approvals", naming_convention={"pk": "%(table_name)s_pkey"}) as table:
        table.drop_constraint("approvals_pkey", type_="primary")
        table.create_primary_key("approvals_pkey", _KEY)
        table.alter_column("guardrail", server_default=None)
