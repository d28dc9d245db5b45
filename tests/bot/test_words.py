"""Numbers in words."""

from decimal import Decimal

import pytest

from bot import words
from estimators.money import Range


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("0", "$0"), ("-0.42", "−$0.42"), ("0.004", "+<$0.01"), ("-0.004", "−<$0.01"), ("99.994", "+$99.99"), ("99.996", "+$100"),
     ("2894.49", "+$2,894"), ("-1234567.8", "−$1,234,568"), ("12.5", "+$12.50"), ("1E+3", "+$1,000")],
)  # fmt: skip
def test_amounts_read_well(amount: str, shown: str) -> None:
    """Whole from a hundred on, else to the cent, and never nothing for what is something."""
    assert words.money(Decimal(amount), "USD", signed=True) == shown


@pytest.mark.parametrize(
    ("currency", "shown"), [("EUR", "1,235 EUR"), ("USD", "$1,235"), ("<b>", "1,235 (unknown currency)"), ("", "1,235 (unknown currency)")]
)  # fmt: skip
def test_other_currencies_are_named_by_their_code(currency: str, shown: str) -> None:
    """Which comes from a price sheet, so it is looked at."""
    assert words.money(Decimal("1234.5678"), currency) == shown


@pytest.mark.parametrize(
    ("share", "shown"),
    [(None, "new"), ("0", "0 %"), ("41.2", "+41 %"), ("-4.24", "−4.2 %"), ("0.04", "under 0.1 %"), ("-100", "−100 %"), ("12345", "124×"), ("999", "+999 %")],
)  # fmt: skip
def test_percentages_stay_sensible(share: str | None, shown: str) -> None:
    """New where there was nothing; a factor where a percentage says little."""
    assert words.percent(None if share is None else Decimal(share)) == shown


@pytest.mark.parametrize(
    ("ends", "shown"),
    [
        (("158", "943"), "+$158…+$943"),
        (("-5", "-38"), "−$38.00…−$5.00"),
        (("1", "1"), ""),
        (("1.001", "1.004"), ""),
    ],
)
def test_a_range_is_shown_where_its_ends_differ(ends: tuple[str, str], shown: str) -> None:
    """The lesser end first, also where a saving turns them round; not where both read the same."""
    floor, ceiling = map(Decimal, ends)

    assert words.spread(Range(floor, floor, ceiling), "USD") == shown


def test_a_range_holds_the_expected_change() -> None:
    """Each end is the difference of that end: where a saving is expected, the expected may be the least."""
    change = Range(Decimal(633), Decimal(627), Decimal(889))

    assert words.spread(change, "USD", "between {} and {}") == "between +$627 and +$889"


@pytest.mark.parametrize(
    ("number", "shown"), [("11.60", "11.6"), ("4032", "4,032"), ("0.001", "<0.01"), ("0", "0"), ("-2.5", "−2.5"), ("1E+2", "100")]
)  # fmt: skip
def test_quantities_carry_no_needless_zeros(number: str, shown: str) -> None:
    """And are never nothing for what is something."""
    assert words.number(Decimal(number)) == shown


@pytest.mark.parametrize(
    ("price", "shown"),
    [("0.031611", "$0.031611"), ("3.4", "$3.40"), ("2", "$2.00"), ("0.00005479452", "$0.000054795")],
)
def test_unit_prices_are_as_exact_as_they_were_given(price: str, shown: str) -> None:
    """So that a reader can do the sum."""
    assert words.unit_price(Decimal(price), "USD") == shown


@pytest.mark.parametrize(
    ("name", "shown"), [("4f2c9ab" + "0" * 33, "4f2c9ab"), ("main", "main"), ("a" * 39 + "g", "a" * 39 + "g")]
)
def test_commits_are_short(name: str, shown: str) -> None:
    """Branches and paths stay."""
    assert words.revision(name) == shown
