"""Plain scalars mean what they mean to kubectl."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.manifests.scalars import Scalar, key_text, resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1:30", "1:30"),
        ("010", 8),
        ("0o17", 15),
        ("0x1F", 31),
        ("-0b11", -3),
        ("089", 89.0),
        ("1_000", 1000),
        ("_1000", "_1000"),
        ("+5", 5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e999", "1e999"),
        ("18446744073709551615", 18446744073709551615),
        ("18446744073709551616", 18446744073709551616.0),
        ("yes", True),
        ("Off", False),
        ("n", False),
        ("nO", "nO"),
        ("~", None),
        ("", None),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("=", "="),
        ("2024-01-01", "2024-01-01"),
        ("2001-12-14t21:59:43.10-05:00", "2001-12-14t21:59:43.10-05:00"),
        ("500m", "500m"),
        ("1Gi", "1Gi"),
        ("1.2.3", "1.2.3"),
        ("١٢", "١٢"),
        ("-", "-"),
        ("9" * 5000, "9" * 5000),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_plain_scalars_mean_what_they_mean_to_kubectl(text: str, value: Scalar) -> None:
    """go-yaml's table, not PyYAML's: sexagesimals and dates are text, octals and words are resolved."""
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


@pytest.mark.parametrize(("key", "text"), [(True, "true"), (8, "8"), (1.5, "1.5"), (1.0, "1"), ("on", "on")])
def test_keys_are_text_as_in_json(key: str | float, text: str) -> None:
    """JSON has text keys only, so Kubernetes never sees another."""
    assert key_text(key) == text


@given(
    st.integers(min_value=-(2**63), max_value=2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
def test_numbers_come_back_as_they_were_written(number: float) -> None:
    """Any 64-bit integer and any finite float survive being written and read."""
    assert resolve(str(number)) == number


@given(st.text(max_size=80))
def test_any_text_resolves_to_something_json_can_hold(text: str) -> None:
    """Nothing raises, and nothing becomes infinite or not-a-number."""
    value = resolve(text)
    assert value is None or value == value  # noqa: PLR0124 - not-a-number differs from itself
    assert value not in (float("inf"), float("-inf"))


def test_libyaml_is_what_reads_here() -> None:
    """The fast reading rests on the C parser being built into PyYAML."""
    assert yaml.__with_libyaml__
