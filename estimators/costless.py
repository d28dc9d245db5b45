"""Kinds that cost nothing by themselves, so that a report need not name them."""

from __future__ import annotations

from estimators.objects import ManifestObject

_CORE_WITHOUT_COST = {
    "Binding", "ComponentStatus", "ConfigMap", "Endpoints", "EndpointSlice", "Event", "LimitRange", "Namespace",
    "Node", "PodTemplate", "ResourceQuota", "Secret", "Service", "ServiceAccount", "ControllerRevision",
}  # fmt: skip

_GROUPS_WITHOUT_COST = {
    "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "authentication.k8s.io",
    "authorization.k8s.io", "autoscaling", "autoscaling.k8s.io", "certificates.k8s.io", "coordination.k8s.io",
    "discovery.k8s.io", "events.k8s.io", "flowcontrol.apiserver.k8s.io", "keda.sh", "networking.k8s.io",
    "node.k8s.io", "policy", "rbac.authorization.k8s.io", "resource.k8s.io", "scheduling.k8s.io",
    "storage.k8s.io", "storagemigration.k8s.io", "snapshot.storage.k8s.io",
    # Configuration for controllers whose own pods are workloads of their own.
    "cert-manager.io", "acme.cert-manager.io", "trust.cert-manager.io", "external-secrets.io", "bitnami.com",
    "gateway.networking.k8s.io", "networking.istio.io", "security.istio.io", "telemetry.istio.io",
    "extensions.istio.io", "traefik.io", "traefik.containo.us", "cilium.io", "crd.projectcalico.org",
    "kyverno.io", "constraints.gatekeeper.sh", "templates.gatekeeper.sh", "kustomize.config.k8s.io",
    "source.toolkit.fluxcd.io", "notification.toolkit.fluxcd.io", "image.toolkit.fluxcd.io",
    "external-dns.alpha.kubernetes.io", "externaldns.k8s.io", "generators.external-secrets.io",
    "kubeadm.k8s.io", "kubelet.config.k8s.io", "kubescheduler.config.k8s.io", "linkerd.io", "policy.linkerd.io",
    "getambassador.io", "projectcontour.io", "config.kubernetes.io", "reloader.stakater.com", "vpa.k8s.io",
    "dashboard.grafana.com", "gateway.envoyproxy.io", "gateway.nginx.org", "k8s.nginx.org",
    "autoscaling.internal.knative.dev", "networking.internal.knative.dev", "caching.internal.knative.dev",
}  # fmt: skip

_KINDS_WITHOUT_COST = {
    ("monitoring.coreos.com", "AlertmanagerConfig"), ("monitoring.coreos.com", "PodMonitor"),
    ("monitoring.coreos.com", "Probe"), ("monitoring.coreos.com", "PrometheusRule"),
    ("monitoring.coreos.com", "ScrapeConfig"), ("monitoring.coreos.com", "ServiceMonitor"),
    ("argoproj.io", "AppProject"), ("argoproj.io", "AnalysisTemplate"), ("argoproj.io", "ClusterAnalysisTemplate"),
    ("argoproj.io", "Application"), ("argoproj.io", "ApplicationSet"),
    ("kustomize.toolkit.fluxcd.io", "Kustomization"), ("helm.toolkit.fluxcd.io", "HelmRelease"),
    ("grafana.integreatly.org", "GrafanaDashboard"), ("grafana.integreatly.org", "GrafanaDatasource"),
    ("grafana.integreatly.org", "GrafanaFolder"), ("monitoring.googleapis.com", "PodMonitoring"),
    ("operator.victoriametrics.com", "VMServiceScrape"), ("operator.victoriametrics.com", "VMPodScrape"),
    ("operator.victoriametrics.com", "VMRule"), ("operator.victoriametrics.com", "VMScrapeConfig"),
    ("operator.victoriametrics.com", "VMProbe"), ("operator.victoriametrics.com", "VMNodeScrape"),
    ("operator.victoriametrics.com", "VMStaticScrape"), ("operator.victoriametrics.com", "VMUser"),
}  # fmt: skip


def costs_nothing(thing: ManifestObject) -> bool:
    """Whether this kind is configuration only. Argo CD and Flux objects are followed, not priced."""
    group, kind = thing.group, thing.identity.kind
    if group in {"", "apps", "extensions", "batch"}:
        return kind in _CORE_WITHOUT_COST or group == "extensions"
    return group in _GROUPS_WITHOUT_COST or (group, kind) in _KINDS_WITHOUT_COST
