"""Which worker processes live, where several share a database."""

import sqlalchemy as sa
from alembic import op

revision = "6"
down_revision = "5"


def upgrade() -> None:
    """One row a process."""
    op.create_table(
        "leases",
        sa.Column("executor", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("replica", "version")),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
    )
