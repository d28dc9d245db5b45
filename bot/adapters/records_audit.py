"""The audit rows, in one chain however many processes write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, update

from bot.adapters.records_database import Database
from bot.adapters.records_tables import audit, audit_head
from estimators.audit_chain import (
    BEGINNING,
    AuditFact,
    AuditRow,
    ChainHead,
    as_dict,
    chained,
    moment,
    purge_fact,
)

ROWS_AT_ONCE = 1000


class AuditTrail:
    """The port `Audit`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, fact: AuditFact) -> AuditRow:
        """Write a fact at the end; a fact whose key is there already is that row."""
        with self._database.writing() as connection:
            return append(connection, fact)

    @contextmanager
    def chain(self) -> Iterator[tuple[ChainHead, Iterator[AuditRow]]]:
        """The noted head and all rows, at one moment; a store that was never used is an empty chain."""
        if not self._database.has_tables():
            yield BEGINNING, iter(())
            return
        with self._database.reading(idle_seconds=0) as connection:  # whoever exports may be slow
            head = ChainHead(*connection.execute(select(audit_head.c.seq, audit_head.c.hash)).one())
            query = select(audit).order_by(audit.c.seq).execution_options(yield_per=ROWS_AT_ONCE)
            yield head, (AuditRow(**row) for row in connection.execute(query).mappings())


def append(connection: Connection, fact: AuditFact) -> AuditRow:
    """Write a fact in a transaction that does more. Others that append wait until it is over."""
    head = connection.execute(
        select(audit_head.c.seq, audit_head.c.hash).where(audit_head.c.id == 1).with_for_update()
    ).one()
    there = connection.execute(select(audit).where(audit.c.key == fact.key)).mappings().first()
    if there is not None:
        return AuditRow(**there)
    row = chained(fact, ChainHead(*head))
    connection.execute(audit.insert().values(as_dict(row)))
    connection.execute(update(audit_head).where(audit_head.c.id == 1).values(seq=row.seq, hash=row.hash))
    return row


def purge(connection: Connection, before: datetime, now: datetime) -> int:
    """Remove the rows at the chain's beginning from before `before`, and say so in a checkpoint: how many."""
    old = moment(before)
    first_kept = select(func.min(audit.c.seq)).where(audit.c.at >= old).scalar_subquery()
    gone = select(audit.c.seq, audit.c.hash).where(audit.c.seq < func.coalesce(first_kept, audit.c.seq + 1))
    removed = connection.execute(gone.order_by(audit.c.seq.desc()).limit(1)).first()
    if removed is None:
        return 0
    append(connection, purge_fact(at=now, removed=ChainHead(*removed), before=old))
    return connection.execute(delete(audit).where(audit.c.seq <= removed.seq)).rowcount
