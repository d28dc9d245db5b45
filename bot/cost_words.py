"""Costs in words: sentences with their emphasis, columns that add up, trends and times. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from bot.cost_windows import DAYS, Windows
from bot.words import money, percent
from estimators.allocation import as_money
from estimators.money import apportioned, cents_that_add_up
from estimators.projection import DayAmount

WHOLE_FROM = Decimal(1000)
"""A column with an amount of this size is in whole units of the currency."""
_BARS = "▁▂▃▄▅▆▇█"
_GAP = "·"
_LEAST_OF_A_DAY = 0.25
"""A day that was measured for less than this says little of what a day costs."""
_FLAT = 0.2
"""Days that differ by less than a fifth do not fill the height of a trend: they are about its middle."""
_HALF_A_CENT = 5 * 10**6
_ALIKE = 0.001
"""A change of less than this part is none to speak of."""
_SPACE = "\u00a0"
"""Between a number and its percent sign: they stay on one line."""


class Words(NamedTuple):
    """A piece of a sentence; `strong` is how amounts and names stand out."""

    text: str
    strong: bool = False


Sentence = tuple[Words, ...]


def sentence(*parts: str | Words) -> Sentence:
    """Pieces in a row."""
    return tuple(Words(part) if isinstance(part, str) else part for part in parts if part)


def strong(text: str) -> Words:
    """What stands out."""
    return Words(text, strong=True)


def said(words: Sentence) -> str:
    """A sentence without emphasis."""
    return "".join(part.text for part in words)


def escaped(text: str, escape: Callable[[str], str]) -> str:
    """`text` escaped by a function that takes the white space off its ends, which stays here."""
    inner = text.strip(" ")
    before = len(text) - len(text.lstrip(" "))
    return f"{' ' * before}{escape(inner)}{' ' * (len(text) - len(inner) - before)}" if inner else text


def amount(nano: int, currency: str, *, signed: bool = False) -> str:
    """Nano-units as people read them: `$4,210`, `+$12.50`."""
    return money(as_money(nano), currency, signed=signed)


def column(
    amounts: Sequence[int], currency: str, *, signed: bool = False, whole_from: Decimal = WHOLE_FROM
) -> tuple[list[str], str]:
    """Cells and their sum, which add up as they are shown: in cents, or in whole units if one is large."""
    exact = [as_money(nano) for nano in amounts]
    unit = Decimal(100) if max(map(abs, exact), default=Decimal(0)) >= whole_from else Decimal(1)
    cents = [cell * unit for cell in cents_that_add_up([each / unit for each in exact])]
    cells = [
        _cell(cell, whole, currency, unit, signed=signed) for cell, whole in zip(cents, exact, strict=True)
    ]
    return cells, _cell(sum(cents, Decimal(0)), sum(exact, Decimal(0)), currency, unit, signed=signed)


def _cell(shown: Decimal, exact: Decimal, currency: str, unit: Decimal, *, signed: bool) -> str:
    least = unit / 100
    if shown or not exact:
        text = money(shown, currency, signed=signed, cents=True)
    else:
        text = "<" + money(least, currency, cents=True)
    return text.replace(".00", "") if unit > 1 else text


def compared(now: int, before: int, currency: str, when: str) -> Sentence:
    """`+$380 (+10 %) on the week before`, or that it is as much; `when` is what it is compared with."""
    difference = now - before
    if not before and now:
        return sentence(f"and nothing in {when}")
    if abs(difference) < _HALF_A_CENT:
        return sentence(f"as much as in {when}")
    told = amount(difference, currency, signed=True)
    if abs(difference) < _ALIKE * before:
        return sentence(f"about as much as in {when} ({told})")
    return sentence(strong(f"{told} ({percent(Decimal(100 * difference) / before)})"), f" on {when}")


def shares(parts: Sequence[int]) -> list[str]:
    """Percentages of their sum that add up to 100; `<1 %` for what is there and rounds to nothing."""
    return [
        f"<1{_SPACE}%" if part and not share else f"{share}{_SPACE}%"
        for part, share in zip(parts, apportioned(100, parts), strict=True)
    ]


def share(part: float) -> str:
    """`38 %` of 0.38; never 100 or 0 for what is less or more."""
    rounded = round(100 * part)
    if rounded == 100 and part < 1:
        rounded = 99
    return f"<1{_SPACE}%" if not rounded and part > 0 else f"{rounded}{_SPACE}%"


def trend(days: Sequence[DayAmount]) -> str:
    """A bar for each day, by what it cost an hour; `·` where it was hardly measured, `""` for under three."""
    rates = [
        day.amount / day.covered if day.covered >= _LEAST_OF_A_DAY and day.amount >= 0 else None
        for day in days
    ]
    while rates and rates[-1] is None:  # today has hardly begun
        rates.pop()
    while rates and rates[0] is None:
        rates.pop(0)
    known = [rate for rate in rates if rate is not None]
    if len(known) < 3 or not max(known):
        return ""
    high, low = max(known), min(known)
    span = max(high - low, _FLAT * high)
    low -= (span - (high - low)) / 2
    steps = len(_BARS) - 1
    return "".join(_GAP if rate is None else _BARS[round((rate - low) / span * steps)] for rate in rates)


def asked_window(window: str, windows: Windows) -> str:
    """When: `in the last 7 days`, `in November so far`."""
    if window in DAYS:
        return f"in the last {DAYS[window]} days"
    return f"in {windows.asked.start:%B} so far"


def window_before(window: str, windows: Windows) -> str:
    """What it is compared with: `the week before`, `the same days of October`."""
    if window in DAYS:
        return "the week before" if window == "7d" else f"the {DAYS[window]} days before"
    return f"the same days of {windows.before.start:%B}"


def day(moment: date) -> str:
    """`22 November`."""
    return f"{moment.day} {moment:%B}"


def moment(at: datetime) -> str:
    """`22 Nov, 13:00 UTC`."""
    return f"{at.day} {at:%b}, {at:%H:%M} UTC"
