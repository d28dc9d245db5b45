"""Amounts as findings write them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from estimators.rules.words import clipped, core_words, count_words, percent_words, size_words, window_words
from tests.builders import change, container, side, workload
from tests.usage_builders import history

MEBI = 2**20


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (size_words(683 * MEBI), "683 MiB"),
        (size_words(1.5 * MEBI), "1.5 MiB"),
        (size_words(1536 * MEBI), "1.5 GiB"),
        (size_words(0), "0 MiB"),
        (core_words(0.81), "0.81 cores"),
        (core_words(Decimal(1)), "1 core"),
        (core_words(0.0042), "0.004 cores"),
        (core_words(0.0001), "<0.001 cores"),
        (core_words(0), "0 cores"),
        (percent_words(0.22), "22 %"),
        (percent_words(0.034), "3.4 %"),
        (percent_words(0.0001), "<0.1 %"),
        (percent_words(0), "0 %"),
        (percent_words(1), "100 %"),
        (count_words(1, "pod"), "1 pod"),
        (count_words(8.21, "pod"), "8.2 pods"),
        (count_words(Decimal(2), "OOM kill"), "2 OOM kills"),
        (clipped("abc", 3), "abc"),
        (clipped("ab cd", 4), "ab…"),
        (clipped("not known here", 9), "not…"),
        (clipped(f"a {'b' * 30}", 30), f"a {'b' * 27}…"),
    ],
    ids=str,
)
def test_amounts_read_well(words: str, expected: str) -> None:
    """No needless zeros, no false zero, no plural of one."""
    assert words == expected


def test_the_window_is_said_with_its_coverage() -> None:
    """Nothing is said where there is none."""
    of = side(workload(container()))

    assert window_words(change(of, of, history()), 0.99) == "14 days to 2026-11-16, 99 % measured"
    assert window_words(change(of, of)) == ""
