"""What everybody shares, split in four ways: tables by hand, and conservation of every split."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimators.showback_shared import SharedRule, Split, Tenant, share_out

SYSTEM = ("kube-*",)
TENANTS = (Tenant("shop", 60, 0), Tenant("shop", 20, 0), Tenant("ml", 10, 10), Tenant("kube-system", 30, 6))
"""Shared are 30 of kube-system and 20 of the control plane; 6 idle moves along."""


@pytest.mark.parametrize(
    ("rule", "shared", "central"),
    [
        (SharedRule(SYSTEM), [30, 10, 10, 0], 0),
        (SharedRule(SYSTEM, Split.EVEN), [19, 6, 25, 0], 0),
        (SharedRule(SYSTEM, Split.FIXED, {"shop": Decimal(40), "ml": Decimal(50)}), [15, 5, 25, 0], 5),
        (SharedRule(SYSTEM, Split.FIXED, {"m*": Decimal(20), "gone": Decimal(80)}), [0, 0, 10, 0], 40),
        (SharedRule(SYSTEM, Split.FIXED, {"*": Decimal(80), "ml": Decimal(20)}), [24, 8, 8, 0], 10),
        (SharedRule(SYSTEM, Split.FIXED, {"shop": Decimal(150), "ml": Decimal(50)}), [29, 9, 12, 0], 0),
        (SharedRule(SYSTEM, Split.CENTRAL), [0, 0, 0, 0], 50),
    ],
    ids=["proportional", "even", "fixed", "fixed, one is gone", "the first pattern", "over 100 %", "central"],
)
def test_what_is_shared_is_split(rule: SharedRule, shared: list[int], central: int) -> None:
    """50 are shared by workloads of 60, 20 and 20."""
    shares = share_out(TENANTS, 20, rule)
    assert (shares.shared, shares.central_shared) == (shared, central)
    assert shares.moved == {3}


def test_the_control_plane_is_shared_without_any_rule() -> None:
    """In proportion, and by nobody where there is nobody."""
    assert share_out(TENANTS, 136, SharedRule()).shared == [60, 20, 20, 36]
    assert share_out([], 7, SharedRule()).central_shared == 7


def test_those_who_cost_nothing_share_evenly_among_themselves() -> None:
    """A namespace of two workloads that are free still carries its even share."""
    tenants = [Tenant("a", 0, 0), Tenant("a", 0, 0), Tenant("b", 5, 0)]
    assert share_out(tenants, 8, SharedRule(split=Split.EVEN)).shared == [2, 2, 4]


_tenants = st.lists(
    st.builds(
        Tenant,
        st.sampled_from(["shop", "ml", "kube-system", "kube-proxy"]),
        st.integers(0, 10**12),
        st.integers(0, 10**9),
    )
)
rules = st.builds(
    SharedRule,
    st.sampled_from([(), ("kube-*",), ("*",)]),
    st.sampled_from(Split),
    st.dictionaries(st.sampled_from(["shop", "ml", "*", "gone"]), st.decimals(0, 100, places=2), max_size=3),
)


@given(_tenants, st.integers(0, 10**12), rules)
def test_every_split_gives_out_exactly_what_is_shared(
    tenants: list[Tenant], plane: int, rule: SharedRule
) -> None:
    """Shares and what stays central are all of it; nothing is negative, nothing reaches those who serve."""
    shares = share_out(tenants, plane, rule)
    served = [tenants[index] for index in shares.moved]
    assert sum(shares.shared) + shares.central_shared == plane + sum(item.direct for item in served)
    assert sum(shares.idle) + shares.central_idle == sum(item.idle for item in served)
    assert min([*shares.shared, *shares.idle, shares.central_shared, shares.central_idle]) >= 0
    assert all(not shares.shared[index] and not shares.idle[index] for index in shares.moved)


@given(_tenants, st.integers(0, 10**12), rules)
def test_a_namespace_pays_the_same_however_others_are_divided(
    tenants: list[Tenant], plane: int, rule: SharedRule
) -> None:
    """So one namespace can be told alone, of the others no more than what each costs as a whole."""
    own = [tenant for tenant in tenants if tenant.namespace == "shop"]
    each = [tenant for tenant in tenants if tenant.namespace != "shop"]
    whole = [
        Tenant(
            name,
            sum(item.direct for item in each if item.namespace == name),
            sum(item.idle for item in each if item.namespace == name),
        )
        for name in {tenant.namespace for tenant in each}
    ]
    found, expected = share_out([*own, *whole], plane, rule), share_out([*own, *each], plane, rule)
    assert found.shared[: len(own)] == expected.shared[: len(own)]
    assert found.idle[: len(own)] == expected.idle[: len(own)]
    assert found[3:] == expected[3:]
