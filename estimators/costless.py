"""Kinds that cost nothing by themselves, so that a report need not name them."""

from __future__ import annotations

from estimators.objects import ManifestObject

_CORE_KINDS = frozenset(
    """
    Binding ComponentStatus ConfigMap ControllerRevision EndpointSlice Endpoints Event LimitRange
    Namespace Node PodTemplate ResourceQuota Secret Service ServiceAccount
    """.split()
)

_GROUPS = frozenset(
    """
    acme.cert-manager.io admissionregistration.k8s.io apiextensions.k8s.io apiregistration.k8s.io
    authentication.k8s.io authorization.k8s.io autoscaling autoscaling.internal.knative.dev
    autoscaling.k8s.io bitnami.com caching.internal.knative.dev cert-manager.io certificates.k8s.io
    cilium.io config.kubernetes.io constraints.gatekeeper.sh coordination.k8s.io crd.projectcalico.org
    dashboard.grafana.com discovery.k8s.io events.k8s.io extensions.istio.io
    external-dns.alpha.kubernetes.io external-secrets.io externaldns.k8s.io flowcontrol.apiserver.k8s.io
    gateway.envoyproxy.io gateway.networking.k8s.io gateway.nginx.org generators.external-secrets.io
    getambassador.io image.toolkit.fluxcd.io k8s.nginx.org keda.sh kubeadm.k8s.io kubelet.config.k8s.io
    kubescheduler.config.k8s.io kustomize.config.k8s.io kyverno.io linkerd.io
    networking.internal.knative.dev networking.istio.io networking.k8s.io node.k8s.io
    notification.toolkit.fluxcd.io policy policy.linkerd.io projectcontour.io rbac.authorization.k8s.io
    reloader.stakater.com resource.k8s.io scheduling.k8s.io security.istio.io snapshot.storage.k8s.io
    source.toolkit.fluxcd.io storage.k8s.io storagemigration.k8s.io telemetry.istio.io
    templates.gatekeeper.sh traefik.containo.us traefik.io trust.cert-manager.io vpa.k8s.io
    """.split()
)
"""API groups of policy, routing, certificates and other configuration; the controllers that read it
run in workloads of their own."""

_KINDS = frozenset(
    """
    argoproj.io/AnalysisTemplate argoproj.io/AppProject argoproj.io/Application
    argoproj.io/ApplicationSet argoproj.io/ClusterAnalysisTemplate
    grafana.integreatly.org/GrafanaDashboard grafana.integreatly.org/GrafanaDatasource
    grafana.integreatly.org/GrafanaFolder helm.toolkit.fluxcd.io/HelmRelease
    kustomize.toolkit.fluxcd.io/Kustomization monitoring.coreos.com/AlertmanagerConfig
    monitoring.coreos.com/PodMonitor monitoring.coreos.com/Probe monitoring.coreos.com/PrometheusRule
    monitoring.coreos.com/ScrapeConfig monitoring.coreos.com/ServiceMonitor
    monitoring.googleapis.com/PodMonitoring operator.victoriametrics.com/VMNodeScrape
    operator.victoriametrics.com/VMPodScrape operator.victoriametrics.com/VMProbe
    operator.victoriametrics.com/VMRule operator.victoriametrics.com/VMScrapeConfig
    operator.victoriametrics.com/VMServiceScrape operator.victoriametrics.com/VMStaticScrape
    operator.victoriametrics.com/VMUser
    """.split()
)
"""Kinds of groups that also have kinds with pods."""


def costs_nothing(thing: ManifestObject) -> bool:
    """Whether this kind is configuration only. Argo CD and Flux objects are followed, not priced."""
    group, kind = thing.group, thing.identity.kind
    if group in {"", "apps", "batch"}:
        return kind in _CORE_KINDS
    return group in _GROUPS or f"{group}/{kind}" in _KINDS
