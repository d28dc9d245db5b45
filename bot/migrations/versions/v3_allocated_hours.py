"""What clusters cost, by the hour and by the day."""

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"
_WORKLOAD_MONEY = "cpu memory gpu storage load_balancer idle_cpu idle_memory idle_gpu"
_WORKLOAD_AMOUNTS = (
    "cpu_requested cpu_used cpu_claimed cpu_measured memory_requested memory_used memory_claimed"
    " memory_measured gpus gpu_busy gpu_measured replica_hours"
)
_NODE_MONEY = "cpu memory gpu idle_cpu idle_memory idle_gpu"


def _keys(*names: str) -> "list[sa.Column[int]]":
    return [sa.Column(name, sa.Integer, primary_key=True, autoincrement=False) for name in names]


def _of(
    kind: "type[sa.Text | sa.Integer | sa.BigInteger | sa.Double[float] | sa.Boolean]", names: str
) -> "list[sa.Column[object]]":
    return [sa.Column(name, kind, nullable=False) for name in names.split()]


def upgrade() -> None:
    """The clusters, what runs in them, and what it cost."""
    op.create_table(
        "cost_clusters",
        sa.Column("id", sa.Integer, primary_key=True),
        *_of(sa.Text, "name currency"),
        sa.UniqueConstraint("name", name="cost_clusters_name"),
    )
    op.create_table(
        "cost_workloads",
        sa.Column("id", sa.Integer, primary_key=True),
        *_of(sa.Integer, "cluster"),
        *_of(sa.Text, "digest namespace kind name labels"),
        sa.UniqueConstraint("cluster", "digest", name="cost_workloads_digest"),
    )
    op.create_table(
        "cost_nodes",
        sa.Column("id", sa.Integer, primary_key=True),
        *_of(sa.Integer, "cluster"),
        *_of(sa.Text, "digest node labels"),
        *_of(sa.Boolean, "spot"),
        *_of(sa.Text, "gpu_model source provenance"),
        sa.UniqueConstraint("cluster", "digest", name="cost_nodes_digest"),
    )
    op.create_table(
        "cost_hours",
        *_keys("cluster", "hour"),
        *_of(sa.BigInteger, "bill tenants idle control_plane orphans"),
        *_of(sa.Double, "covered"),
        *_of(sa.Text, "notes"),
        *_of(sa.Integer, "asks"),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
    )
    for unit in ("hour", "day"):
        _sums(unit)


def _sums(unit: str) -> None:
    """What each workload and node cost, by the hour or by the day."""
    op.create_table(
        f"cost_workload_{unit}s",
        *_keys("cluster", unit, "workload"),
        *_of(sa.BigInteger, _WORKLOAD_MONEY),
        *_of(sa.Double, _WORKLOAD_AMOUNTS),
    )
    op.create_table(
        f"cost_gpu_{unit}s",
        *_keys("cluster", unit, "workload"),
        sa.Column("model", sa.Text, primary_key=True),
        *_of(sa.BigInteger, "cost"),
    )
    op.create_table(
        f"cost_node_{unit}s",
        *_keys("cluster", unit, "node"),
        *_of(sa.BigInteger, _NODE_MONEY),
        *_of(sa.Double, "hours"),
    )
