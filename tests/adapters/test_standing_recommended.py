"""From a real Prometheus to a recommendation: volumes and load balancers of a fortnight that is known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np

from bot.adapters.prometheus_api import PrometheusApi
from bot.adapters.prometheus_standing import read_standing
from estimators.change import Cluster
from estimators.recommend import recommend
from estimators.usage import UsageSnapshot, Window
from tests.prometheus_server import Written, backfill, serving
from tests.yaml_objects import objects

END = datetime(2026, 11, 16, tzinfo=UTC)
WINDOW = Window(END - timedelta(days=14), END, 300)
DAY = 86_400
GIB = 2.0**30
MANIFESTS = "---".join(
    f"""
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: {name}, namespace: shop}}
spec: {{resources: {{requests: {{storage: 100Gi}}}}}}
"""
    for name in ("left-over", "weekly", "roomy", "full-on-sundays")
) + "".join(
    f"""---
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: shop}}
spec: {{type: LoadBalancer, selector: {{app: {name}}}}}
"""
    for name in ("gone", "front")
)


def past() -> Iterator[Written]:
    """A volume without pods, one of a weekly run, one with much room, one that is full on Sundays."""
    start = int(WINDOW.start.timestamp()) + 7
    times = np.arange(start, start + 14 * DAY, 300)

    def series(metric: str, values: float | np.ndarray = 1.0, **labels: str) -> Written:
        chosen = np.broadcast_to(np.asarray(values, dtype=np.float64), times.shape)
        seen = ~np.isnan(chosen)
        return Written(metric, {"namespace": "shop", **labels}, times[seen], chosen[seen])

    sunday = ((times - start) // DAY % 7 == 6) & ((times - start) % DAY < 1800)
    for name in ("left-over", "weekly", "roomy", "full-on-sundays"):
        yield series("kube_persistentvolumeclaim_info", persistentvolumeclaim=name)
    info = "kube_pod_spec_volumes_persistentvolumeclaims_info"
    yield series(info, np.where(sunday, 1, np.nan), persistentvolumeclaim="weekly", pod="run-1")
    for name, used in (("roomy", 9.0), ("full-on-sundays", np.where(sunday, 90.0, 5.0))):
        yield series(info, persistentvolumeclaim=name, pod=f"{name}-0")
        yield series("kubelet_volume_stats_used_bytes", used * GIB, persistentvolumeclaim=name)
    for name in ("gone", "front"):
        yield series("kube_service_spec_type", service=name, type="LoadBalancer")
    ready = np.where(sunday, 1, np.nan)
    yield series("kube_endpoint_address", ready, endpoint="front", ready="true", ip="10.0.0.1")
    always = {"namespace": "default", "endpoint": "kubernetes", "ready": "true", "ip": "10.0.0.2"}
    yield Written("kube_endpoint_address", always, times, np.ones(times.size))


def test_only_what_nobody_used_in_two_weeks_is_recommended(tmp_path: Path) -> None:
    """Half an hour a week is use, and 90 GiB on Sundays are a peak."""
    backfill(tmp_path, past())
    with serving(tmp_path) as url:
        api = PrometheusApi(url)
        standing = read_standing(api, window=WINDOW, namespaces=["shop"])
        api.close()
    usage = UsageSnapshot(WINDOW, 300, {}, claims=standing.claims, balancers=standing.balancers)
    answer = recommend(objects(MANIFESTS), lambda _environment: Cluster(usage=usage))

    assert {(item.finder, item.key.name, item.changes[0].proposed) for item in answer.recommendations} == {
        ("orphaned-volume", "left-over", ""),
        ("oversized-volume", "roomy", "14Gi"),
        ("unused-balancer", "gone", ""),
    }
    assert answer.left_alone == ()
    assert answer.realisable[""].monthly == Decimal("-25.69")
