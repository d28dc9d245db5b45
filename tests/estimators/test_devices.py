"""GPUs claimed through Dynamic Resource Allocation."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from estimators.devices import ClaimedDevices, device_requests
from estimators.workload import DeviceRequest

D = Decimal
PATH = ("spec", "template", "spec", "resourceClaims")
ONE = {"deviceClassName": "gpu.nvidia.com"}


def template(*requests: Mapping[str, Any], version: str = "v1", namespace: str = "ml") -> Mapping[str, Any]:
    """A ResourceClaimTemplate `gpu` with these requests."""
    return {
        "apiVersion": f"resource.k8s.io/{version}",
        "kind": "ResourceClaimTemplate",
        "metadata": {"name": "gpu", "namespace": namespace},
        "spec": {"spec": {"devices": {"requests": list(requests)}}},
    }


def claimed(*objects: Mapping[str, Any], claim: Mapping[str, Any] | None = None) -> ClaimedDevices:
    """What a pod in `ml` with one claim asks for."""
    return device_requests([claim or {"name": "g", "resourceClaimTemplateName": "gpu"}], PATH, "ml", objects)


def selected(expression: str, **terms: Any) -> Mapping[str, Any]:  # noqa: ANN401 - fields of a request
    """A request whose device a CEL expression selects."""
    return {
        "exactly": {
            "deviceClassName": "gpu.nvidia.com",
            "selectors": [{"cel": {"expression": expression}}],
            **terms,
        }
    }


@pytest.mark.parametrize(
    ("request_", "version", "count", "ceiling"),
    [
        ({"exactly": ONE}, "v1", 1, 1),
        ({"exactly": {**ONE, "allocationMode": "ExactCount", "count": 2}}, "v1beta2", 2, 2),
        ({**ONE, "count": 4}, "v1beta1", 4, 4),
        ({"firstAvailable": [{**ONE, "count": 1}, {**ONE, "count": 3}]}, "v1", 1, 3),
        ({"firstAvailable": [{**ONE, "count": 2}, ONE]}, "v1", 2, 2),
    ],
    ids=["one", "exact-count", "v1beta1", "first-available", "first-is-largest"],
)
def test_a_request_asks_for_so_many_gpus(
    request_: Mapping[str, Any], version: str, count: int, ceiling: int
) -> None:
    """In each API version; of alternatives the first is expected, the largest the ceiling."""
    assert claimed(template(request_, version=version)).requests == [
        DeviceRequest("gpu.nvidia.com", D(count), D(ceiling), per_pod=True)
    ]


def test_a_claim_by_name_is_shared_by_all_pods() -> None:
    """A template makes one claim per pod; a ResourceClaim is one."""
    body = {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaim",
        "metadata": {"name": "one"},
        "spec": {"devices": {"requests": [{"exactly": ONE}]}},
    }
    (request,) = claimed(body, claim={"name": "g", "resourceClaimName": "one"}).requests
    assert not request.per_pod


def test_a_mig_profile_and_a_model_are_read_from_selectors() -> None:
    """Two slices of seven; the model without its way of being cut."""
    driver = "device.attributes['gpu.nvidia.com']"
    (request,) = claimed(
        template(
            selected(
                f"{driver}.profile == '1g.5gb' && {driver}.productName == 'NVIDIA A100-SXM4-40GB'", count=2
            )
        )
    ).requests
    assert round(request.count, 20) == round(D(2) / 7, 20)
    assert request.product == "NVIDIA A100-SXM4-40GB"


def test_administrators_access_and_compute_domains_are_free() -> None:
    """They take no device from anybody."""
    found = claimed(
        template(
            {"exactly": {**ONE, "adminAccess": True}},
            {"exactly": {"deviceClassName": "compute-domain-daemon.nvidia.com"}},
        )
    )
    assert (found.requests, found.problems) == ([], [])


@pytest.mark.parametrize(
    "spec",
    [
        {"extendedResourceName": "nvidia.com/gpu"},
        {"selectors": [{"cel": {"expression": "device.driver == 'gpu.nvidia.com'"}}]},
    ],
    ids=["extended-resource", "driver"],
)
def test_a_class_of_ones_own_is_a_gpu_where_its_device_class_says_so(spec: Mapping[str, Any]) -> None:
    """By the resource it stands for, or by the driver it selects."""
    device_class = {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "DeviceClass",
        "metadata": {"name": "training"},
        "spec": spec,
    }
    asked = template({"exactly": {"deviceClassName": "training"}})
    assert [request.count for request in claimed(asked, device_class).requests] == [1]
    assert "not known to be a GPU" in claimed(asked).problems[0].message


@pytest.mark.parametrize(
    ("objects", "message"),
    [
        ((), "ResourceClaimTemplate gpu is not known"),
        ((template({"exactly": ONE}, namespace="web"),), "is not known"),
        ((template({"exactly": {**ONE, "allocationMode": "All"}}),), "how many is not known"),
        ((template({"exactly": {**ONE, "count": -1}}),), "not a count"),
        ((template({"exactly": {**ONE, "count": True}}),), "not a count"),
        ((template({"exactly": {"deviceClassName": "mig.nvidia.com"}}),), "counted whole"),
        ((template({"exactly": {"deviceClassName": "nic.example.com"}}),), "not known to be a GPU"),
    ],
    ids=["absent", "other-namespace", "all-devices", "negative", "boolean", "mig-without-profile", "network-card"],
)  # fmt: skip
def test_what_cannot_be_priced_is_told(objects: tuple[Mapping[str, Any], ...], message: str) -> None:
    """With the place of the claim in the pod."""
    (problem,) = claimed(*objects).problems
    assert message in problem.message
    assert problem.path == (*PATH, 0)


@pytest.mark.parametrize(
    "devices",
    [None, [], {"requests": 3}, {"requests": [None, 7]}, {"requests": [{"firstAvailable": "x"}]}],
    ids=str,
)
def test_malformed_claims_do_not_crash(devices: object) -> None:
    """Strangers write them; what asks for nothing costs nothing, what is unreadable is told."""
    body = {**template(), "spec": {"spec": {"devices": devices}}}
    assert claimed(body).requests == []
