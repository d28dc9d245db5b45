"""Money and ranges. Amounts are `Decimal` and are rounded only when shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

HOURS_PER_MONTH = Decimal(730)
"""365 x 24 / 12, as OpenCost and Kubecost count a month."""

ZERO = Decimal(0)
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Range:
    """The least, the expected and the most of one quantity, in that quantity's unit."""

    floor: Decimal
    expected: Decimal
    ceiling: Decimal

    @classmethod
    def exactly(cls, value: Decimal) -> Range:
        """A quantity that is known: all three are the same."""
        return cls(value, value, value)

    def __add__(self, other: Range) -> Range:
        return Range(self.floor + other.floor, self.expected + other.expected, self.ceiling + other.ceiling)

    def __sub__(self, other: Range) -> Range:
        return Range(self.floor - other.floor, self.expected - other.expected, self.ceiling - other.ceiling)

    def __neg__(self) -> Range:
        return NOTHING - self

    def __mul__(self, factor: Decimal) -> Range:
        return Range(self.floor * factor, self.expected * factor, self.ceiling * factor)

    def __bool__(self) -> bool:
        return bool(self.floor or self.expected or self.ceiling)


NOTHING = Range.exactly(ZERO)


def total(ranges: Iterable[Range]) -> Range:
    """The pointwise sum; nothing for no ranges."""
    return sum(ranges, NOTHING)


def to_cents(amount: Decimal) -> Decimal:
    """`amount` rounded half to even to two places."""
    return amount.quantize(CENT, rounding=ROUND_HALF_EVEN)


def in_currency(digits: str, currency: str) -> str:
    """Digits with their currency as people write it: `$12.50`, `12.50 EUR`."""
    if currency == "USD":
        return f"${digits}"
    known = currency.isascii() and currency.isalnum() and len(currency) <= 8
    return f"{digits} {currency}" if known else f"{digits} (unknown currency)"


def cents_that_add_up(amounts: Sequence[Decimal]) -> list[Decimal]:
    """The amounts in cents such that they sum to their rounded total (largest remainder method)."""
    rounded_down = [amount.quantize(CENT, rounding=ROUND_FLOOR) for amount in amounts]
    missing = int((to_cents(sum(amounts, ZERO)) - sum(rounded_down, ZERO)) / CENT)
    by_remainder = sorted(range(len(amounts)), key=lambda i: rounded_down[i] - amounts[i])
    for index in by_remainder[:missing]:
        rounded_down[index] += CENT
    return rounded_down


def apportioned(total: int, weights: Sequence[int]) -> list[int]:
    """`total` in whole units by weight, adding up to it (largest remainder; the first of a tie).

    Weights are not negative. Where all are 0 nobody gets anything, and the total stays with the caller.
    """
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    shares = [total * weight // whole for weight in weights]
    missing = total - sum(shares)
    if missing:
        by_remainder = sorted(range(len(weights)), key=lambda i: -(total * weights[i] % whole))
        for index in by_remainder[:missing]:
            shares[index] += 1
    return shares


def cents_of_parts(
    amounts: Mapping[str, Decimal], whole: Decimal, settled: Mapping[str, Decimal]
) -> dict[str, Decimal]:
    """The cents of each part, those in `settled` as they are, together the rounded `whole`."""
    cents = {name: to_cents(amount) for name, amount in amounts.items()} | dict(settled)
    free = [name for name in amounts if name not in settled]
    missing = to_cents(whole) - sum(cents.values())
    towards = CENT.copy_sign(missing)
    for _ in range(int(abs(missing) / CENT) if free else 0):
        # The part that was rounded most the other way: one that is exact is never touched first.
        furthest = max(free, key=lambda name: (amounts[name] - cents[name]) * towards)
        cents[furthest] += towards
    return cents
