"""Kinds that cost nothing by themselves, so that a report need not name them."""

from __future__ import annotations

from estimators.objects import ManifestObject, dig

_CORE_KINDS = frozenset(
    """
    Binding ComponentStatus ConfigMap ControllerRevision EndpointSlice Endpoints Event LimitRange
    Namespace Node PodTemplate ResourceQuota Secret Service ServiceAccount
    """.split()
)

_NEVER = frozenset(
    {"apiextensions.k8s.io", "constraints.gatekeeper.sh", "kyverno.io", "templates.gatekeeper.sh"}
)
"""API groups whose objects speak of the fields of others: schemas and policies."""

_GROUPS = frozenset(
    """
    acme.cert-manager.io admissionregistration.k8s.io apiregistration.k8s.io app.k8s.io
    authentication.k8s.io authorization.k8s.io authorization.openshift.io autoscaling
    autoscaling.internal.knative.dev autoscaling.k8s.io bitnami.com caching.internal.knative.dev
    cert-manager.io certificates.k8s.io cilium.io config.kubernetes.io console.openshift.io
    coordination.k8s.io crd.projectcalico.org dashboard.grafana.com discovery.k8s.io events.k8s.io
    extensions.istio.io external-dns.alpha.kubernetes.io external-secrets.io externaldns.k8s.io
    flowcontrol.apiserver.k8s.io gateway.envoyproxy.io gateway.networking.k8s.io gateway.nginx.org
    generators.external-secrets.io getambassador.io iam.cnrm.cloud.google.com image.openshift.io
    image.toolkit.fluxcd.io k8s.nginx.org keda.sh kind.x-k8s.io kubeadm.k8s.io kubelet.config.k8s.io
    kubescheduler.config.k8s.io kustomize.config.k8s.io linkerd.io networking.internal.knative.dev
    networking.istio.io networking.k8s.io node.k8s.io notification.toolkit.fluxcd.io oauth.openshift.io
    operators.coreos.com policy policy.linkerd.io project.openshift.io projectcontour.io
    rbac.authorization.k8s.io reloader.stakater.com resource.k8s.io route.openshift.io scheduling.k8s.io
    security.istio.io security.openshift.io serviceusage.cnrm.cloud.google.com snapshot.storage.k8s.io
    source.toolkit.fluxcd.io storage.k8s.io storagemigration.k8s.io telemetry.istio.io traefik.containo.us
    traefik.io trust.cert-manager.io user.openshift.io vpa.k8s.io
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
    """Whether this kind costs nothing, whatever it holds."""
    return thing.group in _NEVER or (
        thing.group in {"", "apps", "batch"} and thing.identity.kind in _CORE_KINDS
    )


def is_configuration(thing: ManifestObject) -> bool:
    """Whether this kind has no pods of its own; some, such as EnvoyProxy, still size those of a controller.

    Argo CD and Flux objects are followed, not priced.
    """
    return thing.group in _GROUPS or f"{thing.group}/{thing.identity.kind}" in _KINDS


def is_load_balancer(service: ManifestObject) -> bool:
    """Whether a Service has the cloud make a load balancer, the one thing about Services that costs."""
    return bool(dig(service.body, "spec", "type") == "LoadBalancer")
