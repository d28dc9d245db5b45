"""Names that kube-state-metrics mangled, and what they were."""

from __future__ import annotations

import pytest

from bot.adapters.prometheus_ksm_names import kubernetes_label, kubernetes_resource
from estimators.ownership import label_as_exported

LABELS = [
    "karpenter.sh/capacity-type",
    "node.kubernetes.io/instance-type",
    "topology.kubernetes.io/zone",
    "kubernetes.io/arch",
    "eks.amazonaws.com/capacityType",
    "cloud.google.com/gke-spot",
    "kubernetes.azure.com/scalesetpriority",
    "nvidia.com/gpu.product",
    "nvidia.com/gpu.replicas",
    "nvidia.com/mig.strategy",
    "app.kubernetes.io/part-of",
]


@pytest.mark.parametrize("label", LABELS)
def test_a_well_known_label_gets_its_name_back(label: str) -> None:
    """Dots, slashes, dashes and capitals are restored, and that is certain."""
    assert kubernetes_label(label_as_exported(label)) == (label, True)


@pytest.mark.parametrize(
    ("exported", "certain"),
    [pytest.param("team", True, id="plain"), pytest.param("my_pool", False, id="mangled")],
)
def test_an_unknown_label_stays_and_is_doubted_when_it_may_have_changed(
    exported: str, *, certain: bool
) -> None:
    """Only an underscore can have been something else."""
    assert kubernetes_label(exported) == (exported, certain)


@pytest.mark.parametrize(
    ("exported", "resource"),
    [
        ("cpu", "cpu"),
        ("ephemeral_storage", "ephemeral-storage"),
        ("hugepages_2Mi", "hugepages-2Mi"),
        ("attachable_volumes_aws_ebs", "attachable-volumes-aws-ebs"),
        ("nvidia_com_gpu", "nvidia.com/gpu"),
        ("nvidia_com_gpu_shared", "nvidia.com/gpu.shared"),
        ("nvidia_com_mig_1g_5gb", "nvidia.com/mig-1g.5gb"),
        ("nvidia_com_mig_1g_10gb_me", "nvidia.com/mig-1g.10gb.me"),
        ("nvidia_com_mig_3g_20gb_shared", "nvidia.com/mig-3g.20gb.shared"),
        ("amd_com_cpx_nps4", "amd.com/cpx_nps4"),
        ("gpu_intel_com_xe", "gpu.intel.com/xe"),
        ("google_com_tpu", "google.com/tpu"),
        ("aws_amazon_com_neuroncore", "aws.amazon.com/neuroncore"),
        ("example_com_thing", "example_com_thing"),
    ],
)
def test_a_resource_gets_its_name_back(exported: str, resource: str) -> None:
    """As far as it is known."""
    assert kubernetes_resource(exported) == resource
