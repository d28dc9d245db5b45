"""Whose a workload is: the label chain, the teams of tuppence.yaml, and what nobody owns."""

from __future__ import annotations

import pytest

from estimators.ownership import Dimension, Owner, Owners, TeamRule, label_value
from tests.allocation_builders import deployment

TEAMS = (
    TeamRule("Checkout", ("shop", "checkout-*")),
    TeamRule("data", ("*-batch",), {"tier": "data", "zone": "eu"}),
    TeamRule("search", ("shop", "find")),
)


@pytest.mark.parametrize(
    ("namespace", "labels", "team"),
    [
        ("payments", {"team": "pay"}, "pay"),
        ("payments", {"owner": "pay"}, "pay"),
        ("payments", {"team": "pay", "owner": "someone"}, "pay"),
        ("payments", {"team": "", "owner": "someone"}, "someone"),
        ("payments", {"team": "  "}, ""),
        ("payments", {"backstage.io/owner": "group:default/pay"}, "pay"),
        ("payments", {"backstage_io_owner": "pay"}, "pay"),
        ("shop", {"team": "pay"}, "pay"),
        ("shop", {}, "Checkout"),
        ("shop", {"team": "checkout"}, "Checkout"),
        ("checkout-eu", {}, "Checkout"),
        ("nightly-batch", {}, "data"),
        ("payments", {"tier": "data", "zone": "eu", "team": "pay"}, "data"),
        ("shop", {"tier": "data"}, "Checkout"),
        ("payments", {}, ""),
        ("SHOP", {}, ""),
    ],
)
def test_a_team_is_found_by_labels_then_by_namespace(
    namespace: str, labels: dict[str, str], team: str
) -> None:
    """What tuppence.yaml says of labels, the chain, what it says of namespaces, nobody."""
    assert Owners(TEAMS).of(deployment("a", namespace), labels).team == team


def test_every_dimension_has_a_chain() -> None:
    """Kubernetes' recommended labels first, then what is common."""
    labels = {
        "app": "web",
        "app.kubernetes.io/name": "nginx",
        "app.kubernetes.io/part-of": "shop",
        "env": "prod",
        "business_unit": "retail",
    }
    assert Owners().of(deployment("a"), labels) == Owner("", "shop", "prod", "retail")


def test_a_chain_can_be_ones_own() -> None:
    """It takes the place of the default one of that dimension, and of no other."""
    owners = Owners(chains={Dimension.TEAM: ("acme.com/squad",)})
    found = owners.of(deployment("a"), {"team": "x", "acme.com/squad": "y", "app": "web"})
    assert [found.of(dimension) for dimension in Dimension] == ["y", "web", "", ""]


@pytest.mark.parametrize(
    ("key", "labels"),
    [
        ("app.kubernetes.io/part-of", {"app_kubernetes_io_part_of": "x"}),
        ("costCenter", {"cost_center": "x"}),
        ("team", {"team": "user:x"}),
    ],
    ids=["forbidden characters", "capitals", "a reference to Backstage"],
)
def test_a_labels_name_may_have_suffered(key: str, labels: dict[str, str]) -> None:
    """Prometheus knows it in the letters it allows."""
    assert label_value(labels, key) == "x"
