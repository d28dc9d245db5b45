"""What a body that has no price asks for, and what of that a change touches."""

from __future__ import annotations

from typing import Any

import pytest

from estimators.asks import changed_asks


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({"replicas": 3}, {"replicas": 6}, "replicas 3 → 6"),
        (
            {"resources": {"limits": {"memory": "1Gi"}}},
            {"resources": {"limits": {"memory": "2Gi"}}},
            "resources.limits.memory 1Gi → 2Gi",
        ),
        ({"storage": {"size": "10Gi"}}, {"storage": {"size": "20Gi"}}, "storage.size 10Gi → 20Gi"),
        ({"groups": [{"instances": 1}]}, {"groups": [{}]}, "groups[0].instances 1 → unset"),
        ({}, {"limits": {"nvidia.com/gpu": 1}}, "limits.nvidia.com/gpu unset → 1"),
        ({"cpu": "1000m"}, {"cpu": 1}, ""),
        ({"size": 3}, {"size": 4}, ""),
        ({"storage": True}, {"storage": False}, ""),
        ({"image": "a:1"}, {"image": "a:2"}, ""),
        (
            {},
            {"a": {"cpu": 1}, "b": {"cpu": 2}, "c": {"cpu": 3}, "d": {"cpu": 4}, "e": {"cpu": 5}},
            "a.cpu unset → 1, b.cpu unset → 2, c.cpu unset → 3 and 2 more",
        ),
    ],
    ids=[
        "count",
        "resources",
        "a size with a unit",
        "no longer set",
        "gpu",
        "same amount in another unit",
        "a size without unit may be anything",
        "a switch is no amount",
        "what costs nothing",
        "many",
    ],
)
def test_a_changed_ask_is_named_with_both_values(
    before: dict[str, Any], after: dict[str, Any], said: str
) -> None:
    """Replicas, resources and sizes count; the rest of a body does not."""
    assert changed_asks(before, after) == said


def test_a_body_that_nests_for_ever_ends() -> None:
    """Strangers write the bodies."""
    body: dict[str, Any] = {}
    body["again"] = body
    assert changed_asks(body, {}) == ""
