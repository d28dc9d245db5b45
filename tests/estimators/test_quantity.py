"""Kubernetes quantities."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kubernetes.utils import quantity as kubernetes_client

from estimators.quantity import InvalidQuantityError, parse_quantity, show_bytes, show_cores


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("250m", "0.25"), ("1", "1"), (2, "2"), (0.5, "0.5"), ("1Gi", "1073741824"), ("1G", "1000000000"),
        ("100n", "1E-7"), ("5u", "0.000005"), ("1e3", "1000"), ("1E3", "1000"), ("1E", "1E+18"), (".5", "0.5"),
        ("5.", "5"), ("+1", "1"), ("0", "0"), ("1k", "1000"), ("1.5Gi", "1610612736"), ("128974848000m", "128974848"),
    ],
)  # fmt: skip
def test_a_valid_quantity_is_its_base_units(text: object, amount: str) -> None:
    """Every suffix of the grammar is read exactly."""
    assert Decimal(amount) == parse_quantity(text)


@pytest.mark.parametrize(
    "value",
    ["", " 1", "1 Gi", "1K", "NaN", "Infinity", "-1", "1_000", "٣", "1e999999", "1GiB", "0x10", "1e1000", True, None, [],
     float("nan"), float("inf"), pytest.param(10**5000, id="5,001 digits"), pytest.param("9" * 5000, id="5,000 nines"), pytest.param("0" * 41 + "1", id="42 digits"), "100E", -2, "1:30", "--1", "{{ .Values.cpu }}"],
)  # fmt: skip
def test_anything_else_is_refused_with_a_reason(value: object) -> None:
    """What the API server would refuse is refused, in one short line."""
    with pytest.raises(InvalidQuantityError) as refusal:
        parse_quantity(value)
    assert len(str(refusal.value)) < 160


@given(
    st.integers(0, 10**6),
    st.sampled_from(["n", "u", "m", "", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti"]),
)
def test_it_agrees_with_the_kubernetes_client_on_valid_input(number: int, suffix: str) -> None:
    """The client library reads the same amount."""
    theirs: Decimal = kubernetes_client.parse_quantity(f"{number}{suffix}")  # type: ignore[no-untyped-call]

    assert theirs == parse_quantity(f"{number}{suffix}")


@pytest.mark.parametrize(
    ("cores", "shown"), [("0.25", "250m"), ("1", "1"), ("1.5", "1.5"), ("0", "0"), ("0.0005", "0.5m"), ("12", "12"), ("0.001", "1m")]
)  # fmt: skip
def test_cores_are_shown_as_people_write_them(cores: str, shown: str) -> None:
    """Millicores below one core, plain numbers above."""
    assert shown == show_cores(Decimal(cores))


@pytest.mark.parametrize(
    ("size", "shown"), [("536870912", "512Mi"), ("1610612736", "1.5Gi"), ("100", "100"), ("0", "0"), ("1000000000", "953.67Mi")]
)  # fmt: skip
def test_bytes_are_shown_in_binary_units(size: str, shown: str) -> None:
    """The largest unit that leaves at least one."""
    assert shown == show_bytes(Decimal(size))
