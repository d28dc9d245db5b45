"""What a cluster holds now, as kube-state-metrics and OpenCost told Prometheus.

At most six requests, whatever the size of the cluster. Metrics are asked for by their full
names, since Google's managed Prometheus knows no pattern for `__name__`; the `or` of many is told
apart by a label of our own. What is missing is said in `partial` with the way to have it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from bot.adapters.prometheus_api import PrometheusApi, Sample, is_kubernetes_name, matcher
from bot.adapters.prometheus_ksm_names import kubernetes_resource
from bot.adapters.prometheus_ksm_nodes import (
    NODE_METRICS,
    PRICE_METRICS,
    VOLUME_METRICS,
    build_nodes,
    storage_prices,
)
from bot.adapters.prometheus_ksm_objects import CLUSTER_METRICS, NAMESPACED_METRICS, build_objects
from bot.adapters.prometheus_ksm_samples import Families, exact, object_labels
from bot.adapters.prometheus_queries import own_labels
from estimators.objects import Body
from estimators.uptime import CONTROLLER
from estimators.usage import LiveFacts

RECENT = "10m"
"""How far back a metric without a current sample is looked for: kube-state-metrics may be restarting."""

_CLUSTER_LABELS = ("cluster", "cluster_id", "cluster_name")
_TAG = "tuppence_metric"
_DEPLOYMENTS = "kube_deployment_spec_replicas"
_COUNTS = (
    _DEPLOYMENTS,
    "kube_statefulset_replicas",
    "kube_horizontalpodautoscaler_spec_min_replicas",
    "kube_horizontalpodautoscaler_spec_max_replicas",
)
_CONTROLLERS = f'deployment=~".*{CONTROLLER}.*"'


def read_live(api: PrometheusApi, *, at: datetime, namespaces: Sequence[str] = ()) -> LiveFacts:
    """The facts at one time. Objects of `namespaces` only, of all where none is given.

    Nodes, prices, the sum of requests and Deployments of kube-downscaler are always the whole cluster's.
    Raises PrometheusUnavailable where there is no answer.
    """
    partial: list[str] = []
    named = [name for name in namespaces if is_kubernetes_name(name)]
    if len(named) < len(namespaces):
        partial.append(f"{len(namespaces) - len(named)} namespaces have no valid name and were not looked up")
    families = _gather(api, (*NODE_METRICS, *PRICE_METRICS, *VOLUME_METRICS, *CLUSTER_METRICS), at, [""])
    if named or not namespaces:
        families |= _gather(api, NAMESPACED_METRICS, at, _within(named))
    requested = _requested(api, at, partial)
    objects = build_objects(families)
    nodes = build_nodes(families, partial)
    partial.extend(_missing(families, requested))
    storage = storage_prices(families)
    priced = bool(storage) or any(node.hourly for node in nodes)
    return LiveFacts(
        nodes=nodes,
        objects=objects,
        requested=requested,
        storage_gib_hour=storage,
        prices_as_of=at.date().isoformat() if priced else "",
        partial=tuple(partial),
    )


def read_controllers(api: PrometheusApi, *, at: datetime) -> tuple[Body, ...]:
    """The Deployments of kube-downscaler alone, for whoever has the other facts from elsewhere."""
    return build_objects(_ask(api, (_DEPLOYMENTS,), at, (), "{}"))


def read_counts(api: PrometheusApi, *, at: datetime, namespaces: Sequence[str]) -> tuple[Body, ...]:
    """How many pods there are to be, as live Deployments, StatefulSets and autoscalers say: one request."""
    named = [name for name in namespaces if is_kubernetes_name(name)]
    return build_objects(_ask(api, _COUNTS, at, _within(named), "{}")) if named else ()


def _within(namespaces: Sequence[str]) -> list[str]:
    """Matchers for the namespaces, whether or not Prometheus renamed the label: no series fits both."""
    if not namespaces:
        return [""]
    return [
        f'{matcher("namespace", *namespaces)},exported_namespace=""',
        matcher("exported_namespace", *namespaces),
    ]


def _gather(
    api: PrometheusApi, metrics: Sequence[str], at: datetime, choices: Sequence[str]
) -> dict[str, list[Sample]]:
    """The samples of each metric now, else the last of the ten minutes before."""
    families = _ask(api, metrics, at, choices, "{}")
    missing = [metric for metric in metrics if metric not in families]
    if missing:
        families |= _ask(api, missing, at, choices, f"last_over_time({{}}[{RECENT}])")
    return families


def _ask(
    api: PrometheusApi, metrics: Sequence[str], at: datetime, choices: Sequence[str], form: str
) -> dict[str, list[Sample]]:
    terms = []
    for metric in metrics:
        # What keeps the hours of a namespace runs in another one.
        for choice in (*choices, _CONTROLLERS) if metric == _DEPLOYMENTS else choices:
            matchers = ",".join(filter(None, (*api.selector_matchers, choice)))
            vector = form.format(f"{metric}{{{matchers}}}")
            terms.append(f'label_replace({vector}, "{_TAG}", "{metric}", "", "")')
    families: dict[str, list[Sample]] = defaultdict(list)
    for sample in api.instant(" or ".join(terms), at=at):
        families[sample.labels.get(_TAG, "")].append(Sample(own_labels(sample.labels), sample.value))
    return dict(families)


def _requested(api: PrometheusApi, at: datetime, partial: list[str]) -> dict[str, Decimal]:
    """The requests of all pods that run or wait, by resource; kubernetes-mixin adds them up the same way.

    It leaves out sidecars among the init containers: here those count that run while their pod does.
    """
    pod, container = "namespace, pod", "namespace, pod, container"
    for form in ("{}", f"last_over_time({{}}[{RECENT}])"):

        def highest(by: str, metric: str, *matchers: str, form: str = form) -> str:
            selector = ",".join((*api.selector_matchers, *matchers))
            return f"max by ({by}) ({_renamed(form.format(f'{metric}{{{selector}}}'))})"

        requests = highest(f"{container}, resource", "kube_pod_container_resource_requests")
        of_inits = highest(f"{container}, resource", "kube_pod_init_container_resource_requests")
        started = highest(container, "kube_pod_init_container_status_running")
        running = highest(pod, "kube_pod_status_phase", 'phase="Running"')
        alive = highest(pod, "kube_pod_status_phase", 'phase=~"Pending|Running"')
        sidecars = f"{of_inits} and on ({container}) ({started} == 1) and on ({pod}) ({running} == 1)"
        query = f"({requests} or ({sidecars})) * on ({pod}) group_left () ({alive} == 1)"
        answer = api.instant(f"sum by (resource) ({query})", at=at)
        if answer:
            break
    else:
        partial.append(
            "no requests of running pods were found, so headroom is not judged: scrape "
            "kube_pod_container_resource_requests and kube_pod_status_phase of kube-state-metrics"
        )
    return {kubernetes_resource(row.labels.get("resource", "")): exact(row.value) for row in answer}


def _renamed(vector: str) -> str:
    """The vector with pod labels under their own names, where Prometheus had renamed them."""
    for label in ("namespace", "pod", "container"):
        vector = f'label_replace({vector}, "{label}", "$1", "exported_{label}", "(.+)")'
    return vector


def _missing(families: Families, requested: Mapping[str, Decimal]) -> Iterator[str]:
    """What a person can add so that more is known."""
    if not requested and not any(name.startswith("kube_") for name in families):
        yield (
            "kube-state-metrics is not in this Prometheus, so nodes, autoscalers, LimitRanges and current "
            "replicas are not known: scrape it, or add --kube-context"
        )
        return
    if "kube_node_status_allocatable" not in families:
        yield (
            "the nodes' sizes are not known: scrape kube_node_status_allocatable of kube-state-metrics, "
            "or add --kube-context"
        )
    if not any(object_labels(sample)[0] for sample in families.get("kube_node_labels", ())):
        yield (
            "the nodes' labels are not known, so pools and selectors are not matched: start "
            "kube-state-metrics with --metric-labels-allowlist=nodes=[*], or add --kube-context"
        )
    autoscaled = "kube_horizontalpodautoscaler_spec_max_replicas" in families
    if autoscaled and "kube_horizontalpodautoscaler_info" not in families:
        yield (
            "what the HorizontalPodAutoscalers scale is not known: kube_horizontalpodautoscaler_info needs "
            "kube-state-metrics 2.3 or later, or add --kube-context"
        )
    if autoscaled and "kube_horizontalpodautoscaler_spec_target_metric" not in families:
        yield (
            "the targets of the cluster's HorizontalPodAutoscalers are not known and count as CPU at 80 %: "
            "scrape kube_horizontalpodautoscaler_spec_target_metric, or add --kube-context"
        )
    if "kube_poddisruptionbudget_status_expected_pods" in families:
        yield (
            "which pods the cluster's PodDisruptionBudgets protect is not in kube-state-metrics: only those "
            "in the manifests are judged; --kube-context reads all of them"
        )
    if not any(metric in families for metric in PRICE_METRICS):
        yield "OpenCost's node prices are not in this Prometheus: prices come from --prices or the defaults"
    yield from _mixed_clusters(families.get("kube_node_info", ()))


def _mixed_clusters(nodes: Iterable[Sample]) -> Iterator[str]:
    samples = list(nodes)
    for label in _CLUSTER_LABELS:
        names = sorted({sample.labels[label] for sample in samples if label in sample.labels})
        if len(names) > 1:
            yield (
                f"nodes of {len(names)} clusters are mixed ({', '.join(names[:3])}): choose one with "
                f"prometheus_selector: {{{label}: {names[0]}}} in .tuppence.yaml"
            )
