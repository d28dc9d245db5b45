"""Shows, verifies and exports the audit rows: who decided what."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator, Sequence

from bot.errors import UserError
from bot.inert import plain
from bot.ports import Audit
from estimators.audit_chain import AuditRow, as_dict, verify

_HASH = re.compile("[0-9a-fA-F]{64}")
_COLUMNS = ("seq", "at", "actor", "action", "subject", "details")


def list_rows(*, audit: Audit, last: int, subject: str = "", actor: str = "") -> str:
    """The newest `last` rows, oldest first, as a table; only those on `subject` and by `actor`, if named."""
    with audit.chain() as (_, rows):
        found = deque(
            (row for row in rows if subject in {"", row.subject} and actor in {"", row.actor}), maxlen=last
        )
    if not found:
        return "No audit rows."
    return _table([_COLUMNS, *map(_cells, found)])


def _cells(row: AuditRow) -> tuple[str, ...]:
    seconds = f"{row.at[:19].replace('T', ' ')}Z"
    return (str(row.seq), seconds, *map(plain, (row.actor, row.action, row.subject, row.details)))


def _table(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def verify_rows(*, audit: Audit, noted: str = "") -> tuple[str, bool]:
    """What is to be said of the chain, and whether it is whole and holds the hash `noted`, if given.

    Raises UserError where `noted` is no hash.
    """
    if noted and not _HASH.fullmatch(noted):
        raise UserError(f"--noted {plain(noted, 80)}: is not a hash: give the 64 digits that verify printed")
    with audit.chain() as (head, rows):
        verified = verify(rows, head, noted)
    if verified.problems:
        return "\n".join(map(plain, verified.problems)), False
    if not verified.rows:
        return "There are no audit rows.", True
    return (
        f"{verified.rows:,} audit rows are whole, the last one is row {verified.head.seq:,}.\n"
        "Keep its hash elsewhere, and see later that nothing up to it was changed:\n\n"
        f"  tuppence audit verify --noted {verified.head.hash}"
    ), True


def export_rows(*, audit: Audit) -> Iterator[str]:
    """Every row as a line of JSON, oldest first."""
    with audit.chain() as (_, rows):
        for row in rows:
            yield json.dumps(as_dict(row)) + "\n"
