"""What a repository declares of volumes and load balancers, so that what nobody declares can be told."""

import sqlalchemy as sa
from alembic import op

revision = "7"
down_revision = "6"


def upgrade() -> None:
    """Not known of looks that were kept before: the next one tells."""
    op.add_column("recommendation_scans", sa.Column("declares", sa.Text, nullable=True))
