"""Names as kube-state-metrics writes them, back to what they are in Kubernetes.

It replaces every character that Prometheus forbids by `_`, which cannot be undone for a name that
is not known: `label_my_pool` was `my-pool`, `my.pool`, `my/pool` or `my_pool`. Source:
kube-state-metrics, internal/store/utils.go (labels also become snake case) and pod.go (resources).
"""

from __future__ import annotations

import re

from estimators.ownership import label_as_exported

_WELL_KNOWN_LABELS = """
    kubernetes.io/arch kubernetes.io/os kubernetes.io/hostname kubernetes.io/metadata.name
    beta.kubernetes.io/arch beta.kubernetes.io/os beta.kubernetes.io/instance-type
    node.kubernetes.io/instance-type node.kubernetes.io/windows-build
    node.kubernetes.io/exclude-from-external-load-balancers
    topology.kubernetes.io/region topology.kubernetes.io/zone topology.ebs.csi.aws.com/zone
    topology.gke.io/zone topology.disk.csi.azure.com/zone topology.k8s.aws/zone-id
    topology.k8s.aws/network-node-layer-1 topology.k8s.aws/network-node-layer-2
    failure-domain.beta.kubernetes.io/region failure-domain.beta.kubernetes.io/zone
    node-role.kubernetes.io/control-plane node-role.kubernetes.io/master node-role.kubernetes.io/worker
    node-role.kubernetes.io/infra node-role.kubernetes.io/agent node-role.kubernetes.io/spot-worker
    karpenter.sh/capacity-type karpenter.sh/nodepool karpenter.sh/initialized karpenter.sh/registered
    karpenter.sh/provisioner-name karpenter.k8s.aws/ec2nodeclass
    karpenter.k8s.aws/instance-category karpenter.k8s.aws/instance-family karpenter.k8s.aws/instance-size
    karpenter.k8s.aws/instance-generation karpenter.k8s.aws/instance-cpu karpenter.k8s.aws/instance-memory
    karpenter.k8s.aws/instance-cpu-manufacturer karpenter.k8s.aws/instance-hypervisor
    karpenter.k8s.aws/instance-local-nvme karpenter.k8s.aws/instance-network-bandwidth
    karpenter.k8s.aws/instance-gpu-count karpenter.k8s.aws/instance-gpu-name
    karpenter.k8s.aws/instance-gpu-memory karpenter.k8s.aws/instance-gpu-manufacturer
    karpenter.azure.com/aksnodeclass karpenter.azure.com/sku-family karpenter.azure.com/sku-name
    karpenter.azure.com/sku-cpu karpenter.azure.com/sku-memory karpenter.azure.com/sku-gpu-count
    karpenter.azure.com/sku-gpu-name
    eks.amazonaws.com/capacityType eks.amazonaws.com/nodegroup eks.amazonaws.com/nodegroup-image
    eks.amazonaws.com/compute-type eks.amazonaws.com/sourceLaunchTemplateId
    eks.amazonaws.com/instance-category eks.amazonaws.com/instance-family eks.amazonaws.com/instance-size
    eks.amazonaws.com/instance-gpu-name eks.amazonaws.com/instance-gpu-count
    alpha.eksctl.io/cluster-name alpha.eksctl.io/nodegroup-name
    cloud.google.com/gke-nodepool cloud.google.com/gke-spot cloud.google.com/gke-preemptible
    cloud.google.com/gke-provisioning cloud.google.com/gke-accelerator
    cloud.google.com/gke-accelerator-count cloud.google.com/gke-gpu-partition-size
    cloud.google.com/gke-gpu-sharing-strategy cloud.google.com/gke-max-shared-clients-per-gpu
    cloud.google.com/gke-gpu cloud.google.com/gke-gpu-driver-version cloud.google.com/gke-tpu-accelerator
    cloud.google.com/gke-tpu-topology cloud.google.com/gke-boot-disk cloud.google.com/gke-os-distribution
    cloud.google.com/gke-container-runtime cloud.google.com/compute-class cloud.google.com/machine-family
    cloud.google.com/gke-cpu-scaling-level cloud.google.com/gke-memory-gb-scaling-level
    cloud.google.com/private-node cloud.google.com/gke-logging-variant
    kubernetes.azure.com/agentpool kubernetes.azure.com/mode kubernetes.azure.com/scalesetpriority
    kubernetes.azure.com/cluster kubernetes.azure.com/os-sku kubernetes.azure.com/accelerator
    kubernetes.azure.com/storageprofile kubernetes.azure.com/node-image-version
    nvidia.com/gpu.product nvidia.com/gpu.count nvidia.com/gpu.memory nvidia.com/gpu.replicas
    nvidia.com/gpu.family nvidia.com/gpu.machine nvidia.com/gpu.present nvidia.com/gpu.mode
    nvidia.com/gpu.sharing-strategy nvidia.com/gpu.compute.major nvidia.com/gpu.compute.minor
    nvidia.com/gpu.deploy.operands nvidia.com/gpu-driver-upgrade-state
    nvidia.com/mig.capable nvidia.com/mig.config nvidia.com/mig.config.state nvidia.com/mig.strategy
    nvidia.com/mps.capable nvidia.com/vgpu.present
    amd.com/gpu.product-name amd.com/gpu.family amd.com/gpu.vram amd.com/gpu.cu-count
    amd.com/compute-partitioning-supported gpu.intel.com/product gpu.intel.com/family
    k8s.amazonaws.com/accelerator node.coreweave.cloud/class gpu.nvidia.com/class gpu.nvidia.com/model
    oci.oraclecloud.com/fault-domain doks.digitalocean.com/node-pool doks.digitalocean.com/gpu-model
    k8s.scaleway.com/pool-name lke.linode.com/pool-id node.openshift.io/os_id
    machine.openshift.io/interruptible-instance
    app.kubernetes.io/name app.kubernetes.io/instance app.kubernetes.io/version
    app.kubernetes.io/component app.kubernetes.io/part-of app.kubernetes.io/managed-by
    argocd.argoproj.io/instance helm.sh/chart
    kustomize.toolkit.fluxcd.io/name kustomize.toolkit.fluxcd.io/namespace
    pod-security.kubernetes.io/enforce cost-center cost-centre node-type node-pool node-group
    instance-type workload-type
""".split()

_RESOURCES = """
    ephemeral-storage nvidia.com/gpu nvidia.com/gpu.shared amd.com/gpu amd.com/gpu.shared
    amd.com/cpx_nps1 amd.com/cpx_nps4 amd.com/spx_nps1 gpu.intel.com/i915 gpu.intel.com/xe
    gpu.intel.com/millicores gpu.intel.com/memory.max gpu.intel.com/tiles google.com/tpu
    aws.amazon.com/neuron aws.amazon.com/neuroncore aws.amazon.com/neurondevice habana.ai/gaudi
    vpc.amazonaws.com/pod-eni vpc.amazonaws.com/efa rdma/hca smarter-devices/fuse devices.kubevirt.io/kvm
""".split()

_MIG = re.compile(r"nvidia_com_mig_(\d+)g_(\d+)gb(_me)?(_shared)?")
_FORBIDDEN = re.compile(r"[^a-zA-Z0-9_]")
_LABELS = {label_as_exported(label): label for label in _WELL_KNOWN_LABELS}
_RESOURCE_NAMES = {_FORBIDDEN.sub("_", name): name for name in _RESOURCES}


def kubernetes_label(exported: str) -> tuple[str, bool]:
    """The Kubernetes label of an exported one (without `label_`), and whether that is certain."""
    known = _LABELS.get(exported)
    return (known, True) if known else (exported, "_" not in exported)


def kubernetes_resource(exported: str) -> str:
    """The resource name of a `resource` label; one that is not known stays as it is."""
    slice_of_gpu = _MIG.fullmatch(exported)
    if slice_of_gpu:
        compute, memory, media, shared = slice_of_gpu.groups()
        suffix = (".me" if media else "") + (".shared" if shared else "")
        return f"nvidia.com/mig-{compute}g.{memory}gb{suffix}"
    for prefix in ("hugepages_", "attachable_volumes_"):
        if exported.startswith(prefix):
            return exported.replace("_", "-")
    return _RESOURCE_NAMES.get(exported, exported)
