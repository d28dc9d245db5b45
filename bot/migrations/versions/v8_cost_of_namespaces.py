"""What each namespace cost, by the hour and by the day: the sums of its workloads."""

import sqlalchemy as sa
from alembic import op

revision = "8"
down_revision = "7"
_MONEY = "cpu memory gpu storage load_balancer idle_cpu idle_memory idle_gpu".split()
_KEPT = sa.table("cost_hours", sa.column("cluster"), sa.column("hour"))
_WORKLOADS = sa.table("cost_workloads", sa.column("id"), sa.column("namespace"))
_OF_EACH = sa.table("cost_workload_hours", *map(sa.column, ("cluster", "hour", "workload", *_MONEY)))


def upgrade() -> None:
    """The tables, filled a day at a time: there may be tens of millions of hours of workloads."""
    hours, days = _sums("hour"), _sums("day")
    connection, namespace = op.get_bind(), _WORKLOADS.c.namespace
    every_day = sa.select(_KEPT.c.cluster, sa.cast(_KEPT.c.hour, sa.Integer) // 24).distinct()
    for cluster, day in connection.execute(every_day).all():
        of = _OF_EACH.c
        key, within = (of.cluster, of.hour, namespace), of.hour.between(day * 24, day * 24 + 23)
        its_hours = sa.select(*key, *_added(_OF_EACH)).join(_WORKLOADS, _WORKLOADS.c.id == of.workload)
        its_hours = its_hours.where(of.cluster == cluster, within).group_by(*key)
        connection.execute(hours.insert().from_select(["cluster", "hour", "namespace", *_MONEY], its_hours))
        the_day = sa.select(sa.literal(cluster), sa.literal(day), hours.c.namespace, *_added(hours))
        within = hours.c.hour.between(day * 24, day * 24 + 23)
        the_day = the_day.where(hours.c.cluster == cluster, within).group_by(hours.c.namespace)
        connection.execute(days.insert().from_select(["cluster", "day", "namespace", *_MONEY], the_day))


def _sums(unit: str) -> sa.Table:
    return op.create_table(
        f"cost_namespace_{unit}s",
        *(sa.Column(key, sa.Integer, primary_key=True, autoincrement=False) for key in ("cluster", unit)),
        sa.Column("namespace", sa.Text, primary_key=True),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in _MONEY),
    )


def _added(table: sa.FromClause) -> "list[sa.Cast[int]]":
    """PostgreSQL's sum of integers has another type than they have."""
    return [sa.cast(sa.func.sum(table.c[name]), sa.BigInteger) for name in _MONEY]
