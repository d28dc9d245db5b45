"""Numbers in words: amounts, ranges, percentages and counts as people read them. Pure."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from estimators.money import CENT, Range, in_currency, to_cents
from estimators.report import Confidence, Verdict

MINUS = "\u2212"
NOT_KNOWN = "not known"
DOTS = {
    Verdict.RISKY: "🔴",
    Verdict.CAUTION: "🟠",
    Verdict.UNKNOWN: "⚪",
    Verdict.SAFE: "🟢",
    Verdict.NONE: "",
}
VERDICTS = {
    Verdict.RISKY: "Risky",
    Verdict.CAUTION: "Caution",
    Verdict.UNKNOWN: "Unknown",
    Verdict.SAFE: "Safe",
    Verdict.NONE: "No impact",
}
CONFIDENCES = {
    Confidence.NONE: "no usage history",
    Confidence.LOW: "confidence low",
    Confidence.MEDIUM: "confidence medium",
    Confidence.HIGH: "confidence high",
}
_LESS_THAN_A_CENT = CENT / 10
_NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
_PLURALS = {"core": "cores", "GPU": "GPUs", "load balancer": "load balancers"}


def money(amount: Decimal, currency: str, *, signed: bool = False, cents: bool = False) -> str:
    """`$2,894`, `−$0.42`, `+12.50 EUR`: whole from 100 on, unless `cents`; `<$0.01`, not `$0`, for less."""
    size = abs(to_cents(amount))
    if not amount:
        return in_currency("0", currency)
    if not size:
        digits, less = str(CENT), "<"
    else:
        whole = size >= 100 and not cents
        digits, less = f"{size.quantize(Decimal(1), ROUND_HALF_EVEN) if whole else size:,f}", ""
    sign = MINUS if amount < 0 else "+" if signed else ""
    return sign + less + in_currency(digits, currency)


def in_cents(
    cents: Decimal, exact: Decimal, currency: str, *, signed: bool = False, whole: bool = True
) -> str:
    """`cents` of a column that adds up; `<$0.01` where `exact` is something and they are nothing."""
    shown = cents or _LESS_THAN_A_CENT.copy_sign(exact) if exact else cents
    return money(shown, currency, signed=signed, cents=not whole)


def spread(amounts: Range, currency: str, between: str = "{}…{}", *, signed: bool = True) -> str:
    """The least and the most of a change, `+$158…+$943`; `""` where both read the same.

    A change is floor - floor, expected - expected, ceiling - ceiling: any of them may be the least.
    """
    ends = sorted((amounts.floor, amounts.expected, amounts.ceiling))
    least, most = (money(end, currency, signed=signed) for end in (ends[0], ends[-1]))
    return between.format(least, most) if least != most else ""


def percent(share: Decimal | None) -> str:
    """`+41 %`, `−4.2 %`; from ten times up the factor, `124×`. `new` where there was nothing before."""
    if share is None:
        return "new"
    size = abs(share)
    if size == 0:
        return "0 %"
    if share >= 1000:
        return f"{share / 100 + 1:,.0f}×"
    sign = MINUS if share < 0 else "+"
    if size < Decimal("0.1"):
        return "under 0.1 %"
    return f"{sign}{size:.1f} %" if size < 10 else f"{sign}{size:.0f} %"


def number(value: Decimal, places: int = 2) -> str:
    """A quantity with thousands separators and no needless zeros: `11.6`, `4,032`; `<0.01` for less."""
    rounded = round(value, places)
    if value and not rounded:
        return f"<{Decimal(1).scaleb(-places)}"
    text = f"{rounded:,f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", MINUS)


def numbers(value: Range) -> str:
    """The expected quantity, and the range where it has one: `11.6 (6…20)`."""
    least, most = number(value.floor), number(value.ceiling)
    return number(value.expected) + (f" ({least}…{most})" if least != most else "")


def unit_price(price: Decimal, currency: str) -> str:
    """A price as exact as it was given, from two to nine places: `$0.031611`, `$3.40`."""
    digits = number(price, 9)
    places = len(digits.partition(".")[2])
    return in_currency(digits if places >= 2 else f"{price:,.2f}", currency)


def units(value: Decimal, unit: str) -> str:
    """`1 core`, `5.8 cores`, `2 GiB`."""
    return f"{number(value, 4)} {unit if value == 1 else _PLURALS.get(unit, unit)}"


def count(amount: int, thing: str) -> str:
    """`1 workload`, `4,990 workloads`."""
    return f"{amount:,} {thing}{'' if amount == 1 else 's'}"


def counted(amount: int, thing: str) -> str:
    """The same at the start of a sentence: `Two changes`."""
    word = _NUMBERS[amount] if amount < len(_NUMBERS) else f"{amount:,}"
    return f"{word} {thing}{'' if amount == 1 else 's'}"


def revision(name: str) -> str:
    """A commit in seven digits, anything else as it is."""
    is_sha = len(name) in {40, 64} and all(digit in "0123456789abcdef" for digit in name)
    return name[:7] if is_sha else name
