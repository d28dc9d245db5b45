"""A hash chain over audit rows: each row holds the hash of the one before it.

Whoever changes, removes or inserts a row has to write every later row anew, and then the newest
hash differs from the one that was noted elsewhere. docs/audit.md has the recipe for other programs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple

PURGED = "audit.purged"
"""The action of a checkpoint: the row that says which rows before it were removed by retention."""
_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")
"""PostgreSQL stores neither NUL nor half of a surrogate pair."""


class ChainHead(NamedTuple):
    """The newest row of a chain; number 0 is the chain before its first row."""

    seq: int
    hash: str


BEGINNING = ChainHead(0, "0" * 64)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFact:
    """Something that somebody did. `at` is aware of its time zone.

    `subject` is what it was done to, such as `shop/manifests#12`. `details` holds JSON values.
    `key` is the fact's own name, such as `decision/7/12/<sha>/<hash>`: writing it twice keeps one row.
    """

    at: datetime
    actor: str
    action: str
    subject: str
    key: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """A fact as it is kept: `at` as `2026-11-21T20:54:03.123456Z`, `details` as JSON text."""

    seq: int
    at: str
    actor: str
    action: str
    subject: str
    details: str
    key: str
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What is known of a chain after reading all of it; whole where there are no `problems`."""

    rows: int
    head: ChainHead
    problems: tuple[str, ...]


def moment(at: datetime) -> str:
    """The fixed-width text of a moment, which sorts as time does. Raises ValueError for a naive one."""
    if at.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def chained(fact: AuditFact, head: ChainHead) -> AuditRow:
    """The row that keeps `fact` after `head`. What no database stores becomes U+FFFD."""
    row = AuditRow(
        seq=head.seq + 1,
        at=moment(fact.at),
        actor=_storable(fact.actor),
        action=_storable(fact.action),
        subject=_storable(fact.subject),
        details=json.dumps(fact.details, sort_keys=True, separators=(",", ":"), allow_nan=False),
        key=_storable(fact.key),
        previous=head.hash,
        hash="",
    )
    return AuditRow(**{**as_dict(row), "hash": row_hash(row)})


def _storable(text: str) -> str:
    return _NOT_STORABLE.sub("\ufffd", text)


def as_dict(row: AuditRow) -> dict[str, Any]:
    """The columns of a row, in the order in which people read them."""
    return {name: getattr(row, name) for name in AuditRow.__slots__}


def row_hash(row: AuditRow) -> str:
    """SHA-256, in hexadecimal, of all columns but `hash` as one JSON array without spaces, in ASCII."""
    columns = (row.seq, row.at, row.actor, row.action, row.subject, row.details, row.key, row.previous)
    # A row that somebody tampered with may hold anything, bytes too.
    return sha256(json.dumps(columns, separators=(",", ":"), default=str).encode()).hexdigest()


def purge_fact(*, at: datetime, removed: ChainHead, before: str) -> AuditFact:
    """The checkpoint that lets a chain begin after the row `removed`, the last one from before `before`."""
    return AuditFact(
        at=at,
        actor="tuppence",
        action=PURGED,
        subject=f"rows up to {removed.seq}",
        key=f"{PURGED}/{removed.seq}",
        details={"through": removed.seq, "hash": removed.hash, "before": before},
    )


def verify(rows: Iterable[AuditRow], head: ChainHead, noted: str = "") -> Verified:
    """Read a chain in its order and name every row at which it is broken.

    `head` is what was written beside the chain as its newest row. `noted` is the hash of a row that
    somebody wrote down earlier, and that must still be there.
    """
    problems: list[str] = []
    count, last, computed = 0, BEGINNING, BEGINNING.hash
    begins_after, checkpoints, noted_is_there = BEGINNING, set[ChainHead](), not noted
    for row in rows:
        if count == 0:
            begins_after = ChainHead(row.seq - 1, row.previous)
        else:
            problems.extend(_link_problems(row, last, computed))
        count, computed, last = count + 1, row_hash(row), ChainHead(row.seq, row.hash)
        if computed != row.hash:
            problems.append(f"row {_name(row)} was changed: it does not match its hash")
        if row.action == PURGED:
            checkpoints.add(_removed(row))
        noted_is_there = noted_is_there or row.hash == noted.lower()
    if begins_after != BEGINNING and begins_after not in checkpoints:
        problems.insert(0, f"row {begins_after.seq + 1} is the first, and no purge says what was before it")
    if last != head:
        problems.append(
            f"row {last.seq} is the last, but row {head.seq} was noted as the last with {head.hash}"
        )
    if not noted_is_there:
        problems.append(f"no row has the hash {noted}")
    return Verified(count, last, tuple(problems))


def _link_problems(row: AuditRow, last: ChainHead, computed: str) -> Iterable[str]:
    if row.seq > last.seq + 1:
        missing = (
            f"row {last.seq + 1}" if row.seq == last.seq + 2 else f"rows {last.seq + 1} to {row.seq - 1}"
        )
        yield f"{missing} missing between rows {last.seq} and {row.seq}"
    elif row.previous not in {last.hash, computed}:
        # Of a row that was changed with or without its hash, its successor still holds the other one.
        yield f"row {_name(row)} does not follow row {last.seq}: one of them was written anew"


def _name(row: AuditRow) -> str:
    return f"{row.seq} ({row.action} by {row.actor} on {row.subject})"


def _removed(row: AuditRow) -> ChainHead:
    """Up to where a checkpoint says that rows were removed; the beginning where it cannot be read."""
    try:
        details = json.loads(row.details)
        return ChainHead(int(details["through"]), str(details["hash"]))
    except (ValueError, TypeError, KeyError, RecursionError):
        return BEGINNING
