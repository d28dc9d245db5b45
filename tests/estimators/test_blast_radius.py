"""Whom a change would hit."""

from __future__ import annotations

import numpy as np
import pytest

from estimators.blast_radius import blast_radius
from estimators.change import Side
from estimators.usage import WorkloadKey, WorkloadUsage
from tests.builders import change, container, manifest, side, workload
from tests.usage_builders import history, snapshot


def with_labels(labels: dict[str, str], services: tuple[str, ...] = ()) -> Side:
    """Three pods that those send traffic to."""
    return side(workload(container(), thing=manifest(labels=labels)), services=services)


def running(name: str, pods: list[float], namespace: str = "payments") -> WorkloadUsage:
    """A workload beside it."""
    return WorkloadUsage(WorkloadKey(namespace, "Deployment", name), np.array(pods), ())


def test_it_counts_pods_and_names_what_sends_traffic() -> None:
    """The pods that were last seen, of all in the namespace."""
    own = history(replicas=[5.0] * 4030 + [4.0, np.nan])
    usage = snapshot(
        own, running("web", [1.0, 27.0]), running("batch", [np.nan]), running("x", [9.0], "search")
    )
    after = with_labels({"tier": "critical"}, ("Service api", "Ingress shop"))

    assert blast_radius(change(with_labels({}), after, own, usage=usage)) == (
        "4 of 31 pods in payments, behind Service api and Ingress shop, tier critical"
    )


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        ((), "3 pods in payments"),
        (("Service a",), "3 pods in payments, behind Service a"),
        (
            ("Service a", "Service b", "Ingress c"),
            "3 pods in payments, behind Service a, Service b and Ingress c",
        ),
        (tuple("abcde"), "3 pods in payments, behind a, b, c and 2 more"),
    ],
)
def test_without_history_it_counts_what_the_manifest_says(services: tuple[str, ...], expected: str) -> None:
    """And names three at most."""
    assert blast_radius(change(None, with_labels({}, services))) == expected


def test_what_nobody_knows_is_left_out() -> None:
    """No pods, no traffic, no tier."""
    unknown = side(workload(container(), thing=manifest(namespace="")), known=False)

    assert blast_radius(change(None, unknown)) == ""


def test_the_tier_may_be_the_namespaces() -> None:
    """Where the workload and its pods have none."""
    of = side(workload(container(), replicas=1), namespace_body={"metadata": {"labels": {"tier": "gold"}}})

    assert blast_radius(change(None, of)) == "1 pod in payments, tier gold"


def test_the_history_knows_the_namespace_that_a_manifest_leaves_out() -> None:
    """Whoever applies it chose payments."""
    of = side(workload(container(), thing=manifest(namespace="")))

    assert blast_radius(change(of, of, history())) == "3 of 3 pods in payments"
