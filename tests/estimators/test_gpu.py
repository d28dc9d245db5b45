"""GPUs: which resources they are, how much of one a share is, and what a model costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimators.gpu import extended_resource_problems, gpus_of_node, is_gpu, mig_fraction, physical_gpus
from estimators.gpu_model import gpu_price, gpu_product
from estimators.prices import BUILT_IN, Provenance
from estimators.usage import Node
from estimators.workload import Container

TYPE = "node.kubernetes.io/instance-type"
A100 = {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-40GB"}
A30 = {"nvidia.com/gpu.product": "NVIDIA-A30"}


def single(profile: str) -> Mapping[str, str]:
    """Labels of a node whose A100s are cut into one profile, under MIG's single strategy."""
    return {
        "nvidia.com/gpu.product": f"NVIDIA-A100-SXM4-40GB-MIG-{profile}",
        "nvidia.com/mig.strategy": "single",
    }


def count(resource: str, labels: Mapping[str, str], amount: int = 1) -> Decimal:
    """Physical GPUs that so many of a resource are on a node with these labels."""
    return physical_gpus({resource: Decimal(amount)}, [labels]).count


@pytest.mark.parametrize(
    "resource",
    [
        "nvidia.com/gpu", "nvidia.com/gpu.shared", "nvidia.com/mig-1g.5gb", "nvidia.com/mig-1g.10gb.me",
        "nvidia.com/mig-2g.20gb.shared", "nvidia.com/mig-1c.3g.20gb", "amd.com/gpu", "amd.com/cpx_nps4",
        "gpu.intel.com/i915", "gpu.intel.com/xe", "google.com/tpu", "aws.amazon.com/neuron",
        "aws.amazon.com/neuroncore", "habana.ai/gaudi",
    ],
)  # fmt: skip
def test_accelerators_are_known_by_their_resource_names(resource: str) -> None:
    """Each of them is charged for."""
    assert is_gpu(resource)
    assert count(resource, {}) > 0


@pytest.mark.parametrize(
    "resource",
    [
        "cpu",
        "memory",
        "nvidia.com/mig-",
        "nvidia.com/mig-xg.5gb",
        "example.com/fpga",
        "vpc.amazonaws.com/efa",
    ],
)
def test_other_resources_are_not_accelerators(resource: str) -> None:
    """Nothing is charged for them as GPUs."""
    assert not is_gpu(resource)
    assert count(resource, {}) == 0


@pytest.mark.parametrize(
    ("resource", "labels", "amount", "expected"),
    [
        ("nvidia.com/gpu", {}, 2, "2"),
        ("nvidia.com/gpu", A100, 1, "1"),
        ("nvidia.com/gpu", {"nvidia.com/gpu.replicas": "4"}, 1, "0.25"),
        ("nvidia.com/gpu", {"nvidia.com/gpu.replicas": "0"}, 1, "1"),
        ("nvidia.com/gpu.shared", {"nvidia.com/gpu.replicas": "4"}, 2, "0.5"),
        ("nvidia.com/mig-1g.5gb", A100, 7, "1"),
        ("nvidia.com/mig-2g.12gb", A30, 1, "0.5"),
        ("nvidia.com/mig-1g.6gb", {}, 1, "0.25"),
        ("nvidia.com/mig-1g.24gb", {"nvidia.com/gpu.product": "NVIDIA-RTX-PRO-6000-Blackwell"}, 1, "0.25"),
        ("nvidia.com/mig-7g.40gb", A100, 1, "1"),
        ("nvidia.com/mig-1c.7g.40gb", A100, 7, "1"),
        ("nvidia.com/mig-7g.40gb.shared", {"nvidia.com/mig-7g.40gb.replicas": "2"}, 1, "0.5"),
        ("nvidia.com/gpu", {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-40GB-MIG-1g.5gb"}, 14, "2"),
        ("nvidia.com/gpu", {"nvidia.com/gpu.product": "NVIDIA-A30-MIG-2g.12gb-SHARED", "nvidia.com/gpu.replicas": "2"}, 1, "0.25"),
        ("nvidia.com/gpu", {"cloud.google.com/gke-gpu-partition-size": "7g.40gb"}, 1, "1"),
        ("nvidia.com/gpu", {"cloud.google.com/gke-max-shared-clients-per-gpu": "8"}, 1, "0.125"),
        ("amd.com/cpx_nps4", {"amd.com/gpu.product-name": "AMD_Instinct_MI300X"}, 8, "1"),
        ("amd.com/cpx_nps4", {"amd.com/gpu.product-name": "AMD_Instinct_MI300A"}, 6, "1"),
        ("aws.amazon.com/neuroncore", {TYPE: "inf1.xlarge"}, 1, "0.25"),
        ("aws.amazon.com/neuroncore", {TYPE: "trn1.32xlarge"}, 2, "1"),
    ],
    ids=str,
)  # fmt: skip
def test_a_share_is_its_part_of_one_gpu(
    resource: str, labels: Mapping[str, str], amount: int, expected: str
) -> None:
    """Every encoding of a share comes to the same ledger."""
    share = physical_gpus({resource: Decimal(amount)}, [labels])
    assert share.count == Decimal(expected)
    assert share.provenance is Provenance.REQUESTED
    assert share.notes == ()


@pytest.mark.parametrize(
    ("resource", "labels", "told_by"),
    [
        ("nvidia.com/gpu.shared", {}, "nvidia.com/gpu.replicas"),
        ("nvidia.com/gpu", {"nvidia.com/gpu.product": "Tesla-T4-SHARED"}, "nvidia.com/gpu.replicas"),
        ("nvidia.com/gpu", {"nvidia.com/gpu.sharing-strategy": "mps"}, "nvidia.com/gpu.replicas"),
        (
            "nvidia.com/gpu",
            {"cloud.google.com/gke-gpu-sharing-strategy": "time-sharing"},
            "nvidia.com/gpu.replicas",
        ),
        ("aws.amazon.com/neuroncore", {}, TYPE),
        ("amd.com/cpx_nps1", {}, "amd.com/gpu.product-name"),
    ],
    ids=str,
)
def test_a_share_of_unknown_size_is_an_assumption_that_is_told(
    resource: str, labels: Mapping[str, str], told_by: str
) -> None:
    """Never silently one GPU: tagged, noted, with the label that would tell."""
    share = physical_gpus({resource: Decimal(1)}, [labels])
    assert share.provenance is Provenance.ASSUMED
    assert told_by in " ".join(share.notes)


def test_a_share_is_the_mean_over_the_nodes_the_pod_may_land_on() -> None:
    """Half of the nodes share a GPU by four, half do not."""
    nodes = [{"nvidia.com/gpu.replicas": "4"}, {"nvidia.com/gpu.replicas": "4"}, {}, {}]
    assert physical_gpus({"nvidia.com/gpu": Decimal(1)}, nodes).count == Decimal("0.625")


def test_an_accelerator_nobody_knows_is_named_not_priced_at_nothing() -> None:
    """A vGPU's resource is no GPU of the ledger, but it is no free lunch either."""
    share = physical_gpus(
        {"k8s.amazonaws.com/vgpu": Decimal(2), "gpu.intel.com/i915_monitoring": Decimal(1)}, [{}]
    )
    assert share.count == 0
    assert share.unpriced == ("k8s.amazonaws.com/vgpu looks like an accelerator that has no price",)


@given(st.sampled_from([("1g.5gb", A100, 7), ("1g.6gb", A30, 4)]), st.integers(1, 48))
def test_sharers_add_up_to_one_gpu_and_never_to_more(
    cut: tuple[str, Mapping[str, str], int], sharers: int
) -> None:
    """Shares are rounded down, so a full GPU comes to one or a hair less."""
    profile, model, slices = cut
    share = count(f"nvidia.com/mig-{profile}", {**model, f"nvidia.com/mig-{profile}.replicas": str(sharers)})
    assert Decimal(1) - Decimal("1e-24") <= share * slices * sharers <= 1


@given(
    st.from_regex(r"\A([1-9]c\.)?[0-9]g\.[0-9]{1,3}gb(\.me)?\Z"),
    st.sampled_from(["", "NVIDIA-A30", "NVIDIA-H100"]),
)
def test_no_profile_is_more_than_one_gpu(profile: str, product: str) -> None:
    """A profile that would be is none."""
    fraction = mig_fraction(profile, product)
    assert fraction is None or 0 < fraction <= 1


@pytest.mark.parametrize(
    ("labels", "capacity", "expected"),
    [
        ({"nvidia.com/gpu.replicas": "4"}, {"nvidia.com/gpu": 8}, 2),
        ({"nvidia.com/mig.strategy": "mixed", "nvidia.com/gpu.count": "8"}, {"nvidia.com/mig-3g.20gb": 16}, 8),
        ({}, {"nvidia.com/mig-3g.20gb": 2}, 1),
        (single("1g.5gb"), {"nvidia.com/gpu": 56}, 8),
        (single("2g.10gb"), {"nvidia.com/gpu": 24}, 8),
        (single("3g.20gb"), {"nvidia.com/gpu": 16}, 8),
        (single("4g.20gb"), {"nvidia.com/gpu": 8}, 8),
        (single("7g.40gb"), {"nvidia.com/gpu": 8}, 8),
        ({**single("3g.20gb"), "nvidia.com/gpu.replicas": "5"}, {"nvidia.com/gpu.shared": 80}, 8),
        ({"nvidia.com/gpu.product": "NVIDIA-A30-MIG-2g.12gb"}, {"nvidia.com/gpu": 4}, 2),
        ({}, {"cpu": 4}, 0),
    ],
    ids=[
        *("time-sliced", "mixed", "uneven-slices", "single-1g", "single-2g", "single-3g", "single-4g"),
        *("single-7g", "single-3g-shared", "single-A30", "none"),
    ],
)  # fmt: skip
def test_a_node_has_whole_gpus_however_it_advertises_them(
    labels: Mapping[str, str], capacity: Mapping[str, int], expected: int
) -> None:
    """What no slice uses is still on the node, and on the bill."""
    node = Node("n", labels, capacity={name: Decimal(amount) for name, amount in capacity.items()})
    assert gpus_of_node(node) == expected


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-40GB-MIG-1g.5gb-SHARED"}, "NVIDIA-A100-SXM4-40GB"),
        ({"nvidia.com/gpu.product": "Tesla-T4-SHARED"}, "Tesla-T4"),
        ({"cloud.google.com/gke-accelerator": "nvidia-tesla-t4"}, "nvidia-tesla-t4"),
        ({"karpenter.k8s.aws/instance-gpu-name": "l4"}, "l4"),
        ({TYPE: "p4de.24xlarge"}, "A100-SXM4-80GB"),
        ({TYPE: "m5.large"}, ""),
        ({}, ""),
    ],
    ids=str,
)
def test_the_model_is_what_it_is_not_how_it_is_cut_up(labels: Mapping[str, str], expected: str) -> None:
    """By the plugin's label, the cloud's, or the machine type."""
    assert gpu_product(labels) == expected


SHEET = replace(
    BUILT_IN,
    gpus={
        "NVIDIA-A100-SXM4-80GB": Decimal(4), "NVIDIA-A100-SXM4-40GB": Decimal(3), "NVIDIA-A10": Decimal(1),
        "Tesla-T4": Decimal("0.35"), "NVIDIA-L40S": Decimal(2), "NVIDIA-H100-80GB-HBM3": Decimal(6),
    },
)  # fmt: skip


@pytest.mark.parametrize(
    ("product", "expected", "ambiguous"),
    [
        ("NVIDIA-A100-SXM4-40GB", 3, False),
        ("nvidia-tesla-t4", "0.35", False),
        ("a10", 1, False),
        ("nvidia-a100-80gb", 4, False),
        ("a100", 4, True),
        ("nvidia-h100-80gb", 6, False),
        ("l4", None, False),
        ("NVIDIA-H200", None, False),
        ("", None, False),
    ],
    ids=str,
)
def test_a_model_is_priced_however_each_side_spells_it(
    product: str, expected: str | int | None, ambiguous: bool
) -> None:
    """By whole words: an A10 is no A100, an L4 no L40S; the dearest where the name leaves several."""
    price = gpu_price(SHEET, product)
    assert (price and price.hourly) == (None if expected is None else Decimal(expected))
    assert bool(price and price.ambiguous) is ambiguous


@pytest.mark.parametrize(
    ("requests", "limits", "message"),
    [
        ({}, {"nvidia.com/gpu": 1}, ""),
        ({"nvidia.com/gpu": 1}, {"nvidia.com/gpu": 1}, ""),
        ({"nvidia.com/gpu": 1}, {}, "needs a limit"),
        ({"nvidia.com/gpu": 1}, {"nvidia.com/gpu": 2}, "must equal"),
        ({}, {"nvidia.com/gpu": "0.5"}, "whole number"),
        ({"cpu": "0.5"}, {}, ""),
    ],
    ids=["limit-alone", "equal", "request-alone", "differ", "half-a-gpu", "cpu"],
)
def test_an_extended_resource_needs_a_limit_that_equals_its_request(
    requests: Mapping[str, int | str], limits: Mapping[str, int | str], message: str
) -> None:
    """What the API server would refuse is told with its field."""
    container = Container(
        "app",
        ("spec", "containers", 0),
        {k: Decimal(v) for k, v in requests.items()},
        {k: Decimal(v) for k, v in limits.items()},
    )
    problems = extended_resource_problems(container)
    assert bool(problems) is bool(message)
    for problem in problems:
        assert message in problem.message
        assert problem.path[:4] == ("spec", "containers", 0, "resources")
