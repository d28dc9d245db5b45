"""Utilisation as a real Prometheus tells it, against a past of which everything is known."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bot.adapters import prometheus_pods
from bot.adapters.prometheus_api import PrometheusApi
from bot.adapters.prometheus_usage import UsageHistory, read_usage
from bot.errors import PrometheusUnavailable
from estimators.usage import RunHistory, Window, WorkloadKey, coverage, observed, peak
from tests import prometheus_past as truth
from tests.prometheus_reading import API, WHOLE, Recorder, read, same
from tests.prometheus_server import backfill, serving

EVERY_STEP = np.arange(truth.STEPS)


def settled_steps() -> NDArray[np.bool_]:
    """The steps in which neither the load changed nor Prometheus was down, nor just before."""
    changed = np.append(False, np.diff(truth.api_replicas(EVERY_STEP)) != 0)
    down = [int((moment - truth.BEGIN).total_seconds()) // truth.STEP for moment in truth.DOWN]
    quiet = ~changed
    quiet[down[0] - 1 : down[1] + 1] = False
    restarted = int((truth.RESTARTED_AT - truth.BEGIN).total_seconds()) // truth.STEP
    quiet[[0, restarted, restarted + 1]] = False
    return quiet


def test_cpu_is_the_total_of_all_pods_and_of_one_scrape_job(shop: UsageHistory) -> None:
    """Daily and weekly peaks in their place; two jobs that scrape the same container count once."""
    [container] = shop.workloads[API].containers
    expected = truth.api_cores(EVERY_STEP) * truth.api_replicas(EVERY_STEP)
    quiet = settled_steps()
    np.testing.assert_allclose(container.cpu_cores[quiet], expected[quiet], rtol=0.01)
    assert peak(container.cpu_cores) == pytest.approx(3.2)


def test_a_counter_that_restarts_makes_no_spike(shop: UsageHistory) -> None:
    """One pod's container restarted under a new id: at most that pod is short for a step."""
    [container] = shop.workloads[API].containers
    restarted = int((truth.RESTARTED_AT - truth.BEGIN).total_seconds()) // truth.STEP
    around = container.cpu_cores[restarted - 1 : restarted + 3]
    assert np.all((around >= 0.1) & (around <= 0.25))


def test_memory_is_the_highest_of_each_step(shop: UsageHistory) -> None:
    """The one high step is found and its neighbours are not raised; sums of pods and pauses are left out."""
    [container] = shop.workloads[API].containers
    seen = ~np.isnan(container.memory_peak_bytes)
    np.testing.assert_array_equal(container.memory_peak_bytes[seen], truth.api_bytes(EVERY_STEP)[seen])


def test_replicas_follow_the_autoscaler_to_the_step(shop: UsageHistory) -> None:
    """Pods that end within a step are not counted beside those that stay."""
    replicas = shop.workloads[API].replicas
    seen = ~np.isnan(replicas)
    np.testing.assert_array_equal(replicas[seen], truth.api_replicas(EVERY_STEP)[seen])


def test_a_gap_is_a_gap(shop: UsageHistory) -> None:
    """While Prometheus was down nothing is known, and nothing is made up."""
    usage = shop.workloads[API]
    down = [int((moment - truth.BEGIN).total_seconds()) // truth.STEP for moment in truth.DOWN]
    inside = slice(down[0] + 1, down[1] - 1)
    assert np.isnan(usage.replicas[inside]).all()
    assert np.isnan(usage.containers[0].cpu_cores[inside]).all()
    assert np.isnan(usage.containers[0].memory_peak_bytes[inside]).all()
    missing = (down[1] - down[0]) / truth.STEPS
    for series in (usage.replicas, usage.containers[0].cpu_cores, usage.containers[0].memory_peak_bytes):
        assert coverage(series) == pytest.approx(1 - missing, abs=0.001)


def test_percentiles_are_those_of_single_pods(shop: UsageHistory) -> None:
    """Within the 5 % of a bucket, and never below the truth."""
    pods = np.repeat(truth.api_cores(EVERY_STEP), truth.api_replicas(EVERY_STEP).astype(int))
    [container] = shop.workloads[API].containers
    for percent in (50, 99):
        expected = np.percentile(pods, percent)
        assert expected <= container.cpu_pod_percentiles[percent] + 1e-9
        assert container.cpu_pod_percentiles[percent] == pytest.approx(expected, rel=0.12)


def test_a_renamed_deployment_is_two_workloads(shop: UsageHistory) -> None:
    """Each has its own time, though the first one's ReplicaSet is gone at the end."""
    old, new = (shop.workloads[WorkloadKey("shop", "Deployment", name)] for name in ("old-name", "new-name"))
    cut = int((truth.RENAMED_AT - truth.BEGIN).total_seconds()) // truth.STEP
    assert set(observed(old.replicas[: cut - 1])) == {1.0}
    assert set(observed(old.replicas[cut:])) == {0.0}
    assert np.isnan(new.replicas[:cut]).all()
    assert set(observed(new.replicas[cut:])) == {1.0}
    assert coverage(old.containers[0].cpu_cores) == pytest.approx(0.5, abs=0.01)


def test_only_what_ran_is_there(shop: UsageHistory) -> None:
    """Jobs belong to their CronJob, pods without an owner to themselves."""
    assert {key[1:] for key in shop.workloads} == {
        ("Deployment", "api"), ("Deployment", "old-name"), ("Deployment", "new-name"),
        ("StatefulSet", "db"), ("CronJob", "nightly"), ("Pod", "debug"),
    }  # fmt: skip
    assert shop.scrape_interval_seconds == truth.SCRAPE
    assert shop.partial == ()


def test_an_oom_kill_has_its_time(shop: UsageHistory) -> None:
    """By its timestamp; a reason that is older than the window is not a kill in it."""
    [db] = shop.workloads[WorkloadKey("shop", "StatefulSet", "db")].containers
    assert (db.oom_kills, db.oom_times) == (1, (truth.OOM_AT.replace(microsecond=0),))
    [debug] = shop.workloads[WorkloadKey("shop", "Pod", "debug")].containers
    assert (debug.oom_kills, debug.oom_times) == (0, ())
    [new] = shop.workloads[WorkloadKey("shop", "Deployment", "new-name")].containers
    assert new.oom_kills == 1
    assert abs(new.oom_times[0] - (truth.BEGIN + timedelta(days=6))) <= timedelta(seconds=truth.STEP)


@pytest.mark.parametrize(
    ("since", "told"), [(truth.BEGIN, 1), (truth.OOM_AT + timedelta(hours=1), 0), (None, 0)]
)
def test_an_oom_kill_from_before_the_window_is_remembered(
    url: str, since: datetime | None, told: int
) -> None:
    """With its time, as far back as is asked for, and given to the workload that owned the pod then."""
    window = Window(truth.BEGIN + timedelta(days=5), truth.END, truth.STEP)
    found = read(url, "shop", window=window, kills_since=since)
    [db] = found.workloads[WorkloadKey("shop", "StatefulSet", "db")].containers
    assert (db.oom_kills, db.oom_times) == (told, (truth.OOM_AT.replace(microsecond=0),) * told)
    [debug] = found.workloads[WorkloadKey("shop", "Pod", "debug")].containers
    assert debug.oom_kills == 0


def test_throttling_is_a_share_of_periods(shop: UsageHistory) -> None:
    """None where cAdvisor has no CFS periods, that is without a CPU limit."""
    assert shop.workloads[API].containers[0].throttled_ratio == pytest.approx(0.3, abs=0.001)
    [db] = shop.workloads[WorkloadKey("shop", "StatefulSet", "db")].containers
    assert db.throttled_ratio is None


def test_runs_of_a_cronjob_are_counted_and_timed(shop: UsageHistory) -> None:
    """Pods that lived seven minutes are seen; the time comes from kube-state-metrics."""
    usage = shop.workloads[WorkloadKey("shop", "CronJob", "nightly")]
    assert usage.runs == RunHistory(truth.DAYS, truth.DAYS, float(truth.DAYS * truth.NIGHTLY_SECONDS))
    assert peak(usage.replicas) == 1
    assert peak(usage.containers[0].cpu_cores) == pytest.approx(0.5, rel=0.05)


def test_autoscaler_metrics_gpus_and_error_budgets_find_their_workload(shop: UsageHistory) -> None:
    """By the HPA's target, by the pod behind `exported_pod`, by the service's name."""
    api, db = shop.workloads[API], shop.workloads[WorkloadKey("shop", "StatefulSet", "db")]
    assert {name: set(observed(series)) for name, series in api.autoscaler_metrics.items()} == {"rps": {17.0}}
    assert db.gpu is not None
    assert db.gpu.shared
    assert (peak(db.gpu.busy_ratio), peak(db.gpu.memory_peak_bytes)) == (0.25, 2048 * truth.MIB)
    assert api.error_budget_burn == pytest.approx(3)
    assert db.error_budget_burn == pytest.approx(2)


def test_an_exporter_that_is_replaced_leaves_no_gap(shop: UsageHistory) -> None:
    """What it exports goes on under new series; the other half of that day is not lost."""
    day = slice(6 * 288, 7 * 288)
    api, db = shop.workloads[API], shop.workloads[WorkloadKey("shop", "StatefulSet", "db")]
    assert db.gpu is not None
    for series in (api.autoscaler_metrics["rps"], db.gpu.busy_ratio, db.gpu.memory_peak_bytes):
        assert coverage(series[day]) == 1
    [new] = shop.workloads[WorkloadKey("shop", "Deployment", "new-name")].containers
    assert new.oom_kills == 1


def test_what_a_gpu_did_before_it_was_profiled_is_known(shop: UsageHistory) -> None:
    """Utilisation stands in step by step."""
    gpu = shop.workloads[WorkloadKey("shop", "Deployment", "new-name")].gpu
    assert gpu is not None
    assert set(observed(gpu.busy_ratio[: 5 * 288 + 143])) == {0.5}
    assert set(observed(gpu.busy_ratio[5 * 288 + 145 :])) == {0.75}


def test_a_slice_that_is_not_profiled_is_not_idle(shop: UsageHistory) -> None:
    """Its utilisation is always 0, which says nothing."""
    assert shop.workloads[API].gpu is None


def test_renamed_labels_are_seen_through(url: str) -> None:
    """`exported_namespace` and the like, as after `honor_labels: false`."""
    history = read(url, "legacy")
    assert list(history.workloads) == [WorkloadKey("legacy", "Deployment", "web")]
    [usage] = history.workloads.values()
    assert peak(usage.containers[0].cpu_cores) == pytest.approx(0.7)
    assert peak(usage.containers[0].memory_peak_bytes) == 10 * truth.MIB


def test_without_kube_state_metrics_it_says_what_is_missing(url: str) -> None:
    """The pods' usage is there, but nobody knows whose it is."""
    history = read(url, "unowned")
    assert list(history.workloads) == [WorkloadKey("unowned", "Pod", "lonely-1-a")]
    assert [line for line in history.partial if "kube-state-metrics" in line]


def test_kills_that_cadvisor_counted_are_those_of_one_scrape_job(url: str) -> None:
    """Two jobs scrape it, and without kube-state-metrics it alone counts."""
    [usage] = read(url, "unowned").workloads.values()
    assert usage.containers[0].oom_kills == len(truth.LONELY_KILLS)


def test_two_clusters_are_never_added_up(url: str) -> None:
    """No number, and the selector that gives one."""
    history = read(url, "twins")
    assert history.workloads == {}
    assert "prometheus_selector: {cluster: east}" in history.partial[0]
    east = read(url, "twins", selector={"cluster": "east"})
    assert peak(east.workloads[WorkloadKey("twins", "StatefulSet", "web")].containers[0].cpu_cores) == 0.5


def test_a_namespace_that_is_not_there_is_said(url: str) -> None:
    """With what to scrape; a name that cannot be one is not asked for at all."""
    history = read(url, "nowhere", "a'} or vector(1) #")
    assert history.workloads == {}
    assert "was not asked about" in history.partial[0]
    assert "container_memory_working_set_bytes" in history.partial[1]


@pytest.mark.parametrize(("namespace", "cores"), [("ruled", 0.6), ("half-ruled", 1.0)])
def test_a_recording_rule_is_used_only_when_it_has_everything(url: str, namespace: str, cores: float) -> None:
    """In `half-ruled` one of two pods is missing from the rule."""
    [usage] = read(url, namespace).workloads.values()
    assert peak(usage.containers[0].cpu_cores) == pytest.approx(cores)


def test_the_queries_are_few_plain_and_name_no_workload(url: str) -> None:
    """No subquery, no pod or workload by name, and as many for forty workloads as for two."""
    counts = []
    for namespace in ("few", "many"):
        api = Recorder(url)
        history = read_usage(api, namespaces=[namespace], window=WHOLE)
        api.close()
        counts.append(len(api.asked))
        assert len(history.workloads) == {"few": 2, "many": 40}[namespace]
        assert not [query for query, _ in api.asked if re.search(r"\[[^\]]*:[^\]]*\]", query)]
        assert not [query for query, _ in api.asked if re.search(r"\bw\d", query)]
    assert counts[0] == counts[1] <= 12


def test_a_window_within_days_is_a_cut_of_the_whole(url: str, shop: UsageHistory) -> None:
    """Windows need not begin at midnight."""
    window = Window(
        truth.BEGIN + timedelta(days=1, hours=7), truth.END - timedelta(days=1, hours=5), truth.STEP
    )
    part = read(url, "shop", window=window)
    first = int((window.start - truth.BEGIN).total_seconds()) // truth.STEP
    for key, usage in part.workloads.items():
        assert usage.replicas.size == window.steps
        for mine, its in zip(usage.containers, shop.workloads[key].containers, strict=True):
            np.testing.assert_array_equal(mine.cpu_cores, its.cpu_cores[first : first + window.steps])


@pytest.mark.parametrize("minutes", [0, 3, 5, 7])
def test_a_window_may_end_just_after_midnight(url: str, minutes: int) -> None:
    """Also between two steps."""
    end = truth.BEGIN + timedelta(days=3, minutes=minutes)
    window = Window(end - timedelta(days=1), end, truth.STEP)
    [container] = read(url, "shop", window=window).workloads[API].containers
    assert container.cpu_cores.size == window.steps == 288
    assert coverage(container.cpu_cores) == 1


def test_a_server_with_a_small_limit_is_asked_in_smaller_parts(tmp_path: Path) -> None:
    """`--query.max-samples` is met and halved away."""
    backfill(tmp_path, truth.past())
    with serving(tmp_path, "--query.max-samples=20000") as small:
        api = Recorder(small)
        history = read_usage(api, namespaces=["shop"], window=WHOLE)
        api.close()
    assert peak(history.workloads[API].containers[0].cpu_cores) == pytest.approx(3.2)
    assert coverage(history.workloads[API].replicas) > 0.99


def test_a_large_namespace_is_asked_in_parts_of_days(
    url: str, shop: UsageHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With few values a request there are more requests and the same answers."""
    monkeypatch.setattr(prometheus_pods, "VALUES_AT_ONCE", 1_000)
    api = Recorder(url)
    same(read_usage(api, namespaces=["shop"], window=WHOLE), shop)
    api.close()
    assert api.counters.requests > 2 * truth.DAYS


def test_progress_goes_from_nothing_to_all(url: str) -> None:
    """For the bar that people see."""
    seen: list[tuple[int, int]] = []
    api = PrometheusApi(url)
    read_usage(api, namespaces=["shop"], window=WHOLE, progress=lambda *step: seen.append(step))
    api.close()
    assert seen[0][0] == 0
    assert seen[-1][0] == seen[-1][1] == len(seen) - 1


def test_nobody_there_is_an_outside_error() -> None:
    """And no thread is left waiting."""
    with pytest.raises(PrometheusUnavailable, match="cannot be reached"):
        read("http://127.0.0.1:1", "shop")
