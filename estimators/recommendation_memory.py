"""Whether an earlier recommendation, which somebody rejected or put off, speaks for a new one as well."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TypeVar

from estimators.objects import Identity
from estimators.quantity import quantity_or_none
from estimators.recommendation import FieldChange, Recommendation

DEEPER = Decimal("0.1")
"""How much further than the earlier value a new one may go: values move a little from week to week."""

_LISTS = frozenset({"containers", "initContainers"})
Said = TypeVar("Said")
_Field = tuple[Identity, tuple[str | int, ...], str]


def speaks_for(earlier: Recommendation, new: Recommendation) -> bool:
    """Whether what was said of `earlier` holds for `new`: the facts are the same.

    They are while it is the same finder and workload, no other field is touched, every field still has
    the value it had, and no proposed value goes more than a tenth deeper than the earlier one.
    """
    if (earlier.finder, earlier.environment, earlier.key) != (new.finder, new.environment, new.key):
        return False
    before = {_field(change): change for change in earlier.changes}
    return all(
        (old := before.get(_field(change))) is not None
        and _same(old.current, change.current)
        and _no_deeper(old, change)
        for change in new.changes
    )


def said_of(new: Recommendation, earlier: Iterable[tuple[Recommendation, Said]]) -> Said | None:
    """What was said of the first of the earlier ones that speaks for `new`."""
    return next((said for old, said in earlier if speaks_for(old, new)), None)


def _field(change: FieldChange) -> _Field:
    """A container is found by its name: its place in the list moves as others come and go."""
    above = ("", *change.path)
    path = tuple(step for step, over in zip(change.path, above, strict=False) if over not in _LISTS)
    return change.object, path, change.container


def _same(one: str, other: str) -> bool:
    """`0.5` and `500m` are the same."""
    if one == other:
        return True
    amount = quantity_or_none(one)
    return amount is not None and amount == quantity_or_none(other)


def _no_deeper(old: FieldChange, new: FieldChange) -> bool:
    """Whether the new value is between the current one and the earlier proposal, or a tenth beyond that."""
    now, then, proposed = map(quantity_or_none, (old.current, old.proposed, new.proposed))
    if then is None or proposed is None:
        return old.proposed == new.proposed
    reach = then * DEEPER
    if now is None:
        return abs(proposed - then) <= reach
    if then <= now:
        return then - reach <= proposed <= now
    return now <= proposed <= then + reach
