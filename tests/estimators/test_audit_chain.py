"""The hash chain: what it finds, and that others can compute it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimators.audit_chain import (
    BEGINNING,
    AuditFact,
    AuditRow,
    ChainHead,
    chained,
    moment,
    purge_fact,
    row_hash,
    verify,
)

NOW = datetime(2026, 11, 21, 20, 54, 3, 5, tzinfo=UTC)


def chain(facts: Sequence[AuditFact]) -> tuple[list[AuditRow], ChainHead]:
    """The rows that keep these facts, and the head that is noted beside them."""
    rows: list[AuditRow] = []
    head = BEGINNING
    for one in facts:
        rows.append(chained(one, head))
        head = ChainHead(rows[-1].seq, rows[-1].hash)
    return rows, head


def fact(number: int) -> AuditFact:
    """An approval like any other."""
    return AuditFact(
        at=NOW + timedelta(minutes=number),
        actor="ann",
        action="approve",
        subject=f"shop/manifests#{number}",
        key=f"decision/{number}",
        details={"reason": "ok", "comment_id": number},
    )


def test_an_empty_chain_is_whole() -> None:
    """As is that of a bot nobody has asked anything."""
    assert verify([], BEGINNING).problems == ()
    rows, head = chain([fact(n) for n in range(5)])
    verified = verify(rows, head)
    assert (verified.rows, verified.head, verified.problems) == (5, head, ())


def test_the_hash_can_be_computed_by_anyone() -> None:
    """The recipe of docs/audit.md, written down once more."""
    [first, second], _ = chain([fact(1), fact(2)])
    text = json.dumps(
        [2, second.at, "ann", "approve", second.subject, second.details, second.key, first.hash],
        separators=(",", ":"),
    )
    assert hashlib.sha256(text.encode("ascii")).hexdigest() == second.hash
    assert (first.previous, second.previous) == ("0" * 64, first.hash)
    assert second.details == '{"comment_id":2,"reason":"ok"}'
    assert second.at == "2026-11-21T20:56:03.000005Z"


@pytest.mark.parametrize("column", AuditRow.__slots__)
@pytest.mark.parametrize("place", [0, 2, 4], ids=["first", "middle", "last"])
def test_a_changed_field_is_found_and_its_row_named(column: str, place: int) -> None:
    """Any field of any row."""
    rows, head = chain([fact(n) for n in range(5)])
    changes: dict[str, Any] = {column: 99 if column == "seq" else "x"}
    rows[place] = replace(rows[place], **changes)
    problems = verify(rows, head).problems
    assert any(f"row {rows[place].seq} " in problem for problem in problems)
    assert not any(f"row {place + 3} (" in problem for problem in problems)


@pytest.mark.parametrize("place", [0, 2, 4], ids=["first", "middle", "last"])
def test_a_row_with_a_new_hash_of_its_own_is_found(place: int) -> None:
    """Whoever knows the recipe has to write every later row anew as well."""
    rows, head = chain([fact(n) for n in range(5)])
    changed = replace(rows[place], actor="mallory")
    rows[place] = replace(changed, hash=row_hash(changed))
    [problem] = verify(rows, head).problems
    assert f"row {place + 1}" in problem


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        pytest.param([1, 2, 3, 4], "row 2 is the first, and no purge says", id="first"),
        pytest.param([0, 1, 3, 4], "row 3 missing between rows 2 and 4", id="middle"),
        pytest.param([0, 4], "rows 2 to 4 missing between rows 1 and 5", id="many"),
        pytest.param([0, 1, 2, 3], "row 4 is the last, but row 5 was noted", id="last"),
        pytest.param([], "row 0 is the last, but row 5 was noted", id="all"),
    ],
)
def test_removed_rows_are_missed(kept: list[int], said: str) -> None:
    """At either end, too."""
    rows, head = chain([fact(n) for n in range(5)])
    [problem] = verify([rows[place] for place in kept], head).problems
    assert said in problem


def test_a_chain_written_anew_lacks_the_hash_that_was_noted() -> None:
    """The one thing that whoever owns the database cannot mend."""
    rows, head = chain([fact(n) for n in range(5)])
    forged, forged_head = chain([replace(fact(n), actor="mallory") for n in range(6)])
    assert verify(forged, forged_head).problems == ()
    assert verify(rows, head, head.hash.upper()).problems == ()
    [problem] = verify(forged, forged_head, head.hash).problems
    assert head.hash in problem


def test_a_purged_chain_begins_where_its_checkpoint_says() -> None:
    """The checkpoint is a row of the chain itself."""
    rows, head = chain([fact(n) for n in range(5)])
    checkpoint = chained(purge_fact(at=NOW, removed=ChainHead(3, rows[2].hash), before=moment(NOW)), head)
    new_head = ChainHead(checkpoint.seq, checkpoint.hash)
    assert verify([*rows[3:], checkpoint], new_head).problems == ()
    [problem] = verify([*rows[4:], checkpoint], new_head).problems
    assert "row 5 is the first" in problem
    unreadable = chained(replace(fact(9), action="audit.purged", details={"through": {}}), head)
    [problem] = verify([*rows[3:], unreadable], ChainHead(unreadable.seq, unreadable.hash)).problems
    assert "row 4 is the first" in problem


def test_a_moment_has_one_text() -> None:
    """In UTC and of one width, so that it sorts as time does."""
    there = NOW.astimezone(timezone(timedelta(hours=-9, minutes=-30)))
    assert moment(there) == moment(NOW) == "2026-11-21T20:54:03.000005Z"
    assert moment(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01T00:00:00.000000Z"
    with pytest.raises(ValueError, match="time zone"):
        moment(NOW.replace(tzinfo=None))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ANY_TEXT = st.text(st.characters(exclude_categories=()))


@given(
    st.lists(st.tuples(ANY_TEXT, ANY_TEXT, ANY_TEXT, ANY_TEXT, st.dictionaries(ANY_TEXT, JSON)), max_size=5)
)
def test_whatever_is_written_can_be_verified(
    facts: list[tuple[str, str, str, str, dict[str, object]]],
) -> None:
    """And stored: no NUL, no half of a surrogate pair is left."""
    rows, head = chain(
        [
            AuditFact(at=NOW, actor=actor, action=f"x{action}", subject=subject, key=key, details=details)
            for actor, action, subject, key, details in facts
        ]
    )
    assert verify(rows, head).problems == ()
    for row in rows:
        text = row.actor + row.action + row.subject + row.key + row.details
        assert "\0" not in text
        assert text.encode()
