"""Writing the usage snapshot: what is written is read back exactly, quickly and in little memory."""

from __future__ import annotations

import json
import re
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters import usage_file
from bot.errors import UserError
from estimators.usage import (
    BalancerUsage,
    ClaimUsage,
    ContainerUsage,
    GpuUsage,
    Node,
    RunHistory,
    Series,
    Taint,
    UsageSnapshot,
    Window,
    WorkloadKey,
    WorkloadUsage,
)

START = datetime(2026, 11, 1, tzinfo=UTC)

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
amounts = st.decimals(0, 10**11, allow_nan=False, allow_infinity=False, places=9)
amount_maps = st.dictionaries(names, amounts, max_size=3)
finite = st.floats(0, 1e15, allow_nan=False, allow_infinity=False).map(abs)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds


def series(draw: st.DrawFn, steps: int, most: float = 1e15) -> Series:
    """Gaps, whole numbers and any other numbers."""
    whole = st.integers(0, int(most)).map(float)
    values = st.one_of(st.just(float("nan")), st.floats(0, most).map(abs), whole)
    return np.array(draw(st.lists(values, min_size=steps, max_size=steps)), np.float64)


def container(draw: st.DrawFn, steps: int, name: str) -> ContainerUsage:
    """Any container."""
    return ContainerUsage(
        name=name,
        cpu_cores=series(draw, steps),
        memory_peak_bytes=series(draw, steps),
        oom_kills=draw(st.integers(0, 10**9)),
        throttled_ratio=draw(st.none() | st.floats(0, 1).map(abs)),
        oom_times=tuple(draw(st.lists(moments, max_size=2))),
        cpu_pod_percentiles=draw(st.dictionaries(st.integers(0, 100), finite, max_size=2)),
    )


def workload(draw: st.DrawFn, steps: int, key: WorkloadKey) -> WorkloadUsage:
    """Any workload."""
    has_gpu = draw(st.booleans())
    return WorkloadUsage(
        key=key,
        replicas=series(draw, steps),
        containers=tuple(
            container(draw, steps, name) for name in draw(st.lists(names, unique=True, max_size=2))
        ),
        gpu=GpuUsage(series(draw, steps, 1), series(draw, steps), draw(st.booleans()), draw(names))
        if has_gpu
        else None,
        runs=draw(st.none() | st.builds(RunHistory, st.integers(0, 99), st.integers(0, 99), finite)),
        autoscaler_metrics={name: series(draw, steps) for name in draw(st.sets(names, max_size=2))},
        error_budget_burn=draw(st.none() | finite),
    )


taints = st.builds(Taint, names, names | st.just(""), names)
nodes = st.builds(
    Node,
    name=names,
    labels=st.dictionaries(names, names, max_size=2),
    allocatable=amount_maps,
    capacity=amount_maps,
    taints=st.lists(taints, max_size=2).map(tuple),
    hourly=amount_maps,
)
bodies = st.dictionaries(
    names,
    st.recursive(st.none() | st.integers() | names, lambda inner: st.dictionaries(names, inner, max_size=2)),
    max_size=2,
)


@st.composite
def snapshots(draw: st.DrawFn) -> UsageSnapshot:
    """Any snapshot that an adapter may make."""
    steps, days = draw(st.integers(1, 5)), draw(st.integers(0, 3))
    step_seconds = 86_400 * days // steps + 60
    start = draw(moments)
    places = st.lists(st.tuples(names, names), unique=True, max_size=2)
    keys = draw(st.lists(st.builds(WorkloadKey, names, names, names), unique=True, max_size=2))
    return UsageSnapshot(
        window=Window(start, start + timedelta(seconds=step_seconds * steps), step_seconds),
        scrape_interval_seconds=draw(st.integers(1, 600)),
        workloads={key: workload(draw, steps, key) for key in keys},
        nodes=tuple(draw(st.lists(nodes, unique_by=lambda node: node.name, max_size=2))),
        objects=tuple(draw(st.lists(bodies, max_size=2))),
        requested=draw(amount_maps),
        storage_gib_hour=draw(amount_maps),
        prices_as_of=draw(names | st.just("")),
        source=draw(names | st.just("")),
        partial=tuple(draw(st.lists(names, max_size=2))),
        claims=tuple(
            ClaimUsage(*place, series(draw, days, 1), series(draw, days), draw(st.none() | finite))
            for place in draw(places)
        ),
        balancers=tuple(BalancerUsage(*place, series(draw, days, 1)) for place in draw(places)),
    )


@given(snapshot=snapshots())
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read_back_exactly(
    snapshot: UsageSnapshot, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Every field survives the file, to the last bit of a float."""
    path = tmp_path_factory.getbasetemp() / "round-trip.json"
    usage_file.write_snapshot(snapshot, path)

    np.testing.assert_equal(asdict(usage_file.read_snapshot(path)), asdict(snapshot))


def test_the_file_is_strict_json_with_null_for_gaps(tmp_path: Path) -> None:
    """Any other program can read it: no NaN, no Infinity, contract keys present."""
    key = WorkloadKey("payments", "Deployment", "api")
    cpu = np.array([1.5, np.nan, np.inf, 2])
    snapshot = UsageSnapshot(
        Window(START, START + timedelta(minutes=20), 300),
        30,
        {key: WorkloadUsage(key, np.array([3.0, 3, 3, np.nan]), (ContainerUsage("api", cpu, cpu),))},
        nodes=(Node("node-1", allocatable={"memory": Decimal("1.6E+10")}),),
    )
    path = tmp_path / "usage.json"
    usage_file.write_snapshot(snapshot, path)

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    document = json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
    assert document["window"] == {
        "start": "2026-11-01T00:00:00Z",
        "end": "2026-11-01T00:20:00Z",
        "step_seconds": 300,
    }
    assert document["workloads"][0]["replicas"] == [3, 3, 3, None]
    assert document["workloads"][0]["containers"][0]["cpu_cores"] == [1.5, None, None, 2]
    assert document["nodes"][0]["allocatable"] == {"memory": "16000000000"}
    assert list(tmp_path.iterdir()) == [path]


def test_every_key_that_is_written_is_documented(tmp_path: Path) -> None:
    """The page names each key of the file in code."""
    key = WorkloadKey("a", "Deployment", "b")
    cpu = np.array([1.0])
    full = ContainerUsage("c", cpu, cpu, 1, 0.5, (START,), {95: 0.5})
    usage = WorkloadUsage(key, cpu, (full,), GpuUsage(cpu, cpu), RunHistory(1, 1, 60), {"queue": cpu}, 1.5)
    window = Window(START, START + timedelta(minutes=5), 300)
    node = Node("n", taints=(Taint("key", "value", "NoSchedule"),))
    standing = (ClaimUsage("a", "b", cpu, cpu, 5.0),), (BalancerUsage("a", "b", cpu),)
    snapshot = UsageSnapshot(window, 30, {key: usage}, (node,), claims=standing[0], balancers=standing[1])
    path = tmp_path / "usage.json"
    usage_file.write_snapshot(snapshot, path)

    page = (Path(__file__).parents[2] / "docs" / "usage-snapshot.md").read_text(encoding="utf-8")
    code = " ".join(re.findall(r"`([^`\n]+)`", page))
    names = set(re.findall(r'"(\w+)":', path.read_text(encoding="utf-8"))) - {"95", "queue"}
    assert {name for name in names if not re.search(rf"\b{name}\b", code)} == set()


def test_a_failed_write_keeps_the_file_that_was_there(tmp_path: Path) -> None:
    """The old snapshot stays whole when the new one cannot be made."""
    path = tmp_path / "usage.json"
    path.write_text("precious", encoding="utf-8")
    key = WorkloadKey("a", "Deployment", "b")
    broken = UsageSnapshot(
        Window(START, START + timedelta(minutes=5), 300),
        30,
        {key: None},  # type: ignore[dict-item]
    )
    with pytest.raises(AttributeError):
        usage_file.write_snapshot(broken, path)
    assert path.read_text(encoding="utf-8") == "precious"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Writing nowhere is the person's to mend."""
    snapshot = UsageSnapshot(Window(START, START + timedelta(minutes=5), 300), 30, {})
    with pytest.raises(UserError, match=r"nowhere/usage\.json: cannot be written: No such file"):
        usage_file.write_snapshot(snapshot, tmp_path / "nowhere" / "usage.json")


def test_a_large_snapshot_is_read_in_little_more_than_its_json_takes(tmp_path: Path) -> None:
    """Reading takes less than three times as long as parsing the JSON alone, and less memory."""
    steps = 4032
    rng = np.random.default_rng(7)
    window = Window(START, START + timedelta(seconds=300 * steps), 300)
    usages = {}
    for number in range(40):
        key = WorkloadKey("payments", "Deployment", f"api-{number}")
        cpu, memory = rng.random(steps), np.floor(rng.random(steps) * 2**33)
        cpu[::50] = np.nan
        usages[key] = WorkloadUsage(key, np.full(steps, 3.0), (ContainerUsage("api", cpu, memory),))
    path = tmp_path / "usage.json"
    usage_file.write_snapshot(UsageSnapshot(window, 30, usages), path)
    content = path.read_bytes()
    assert len(content) > 4_000_000

    def fastest(work: Callable[[], object]) -> float:
        times = []
        for _ in range(5):
            start = time.process_time()
            work()
            times.append(time.process_time() - start)
        return min(times)

    def most_memory(work: Callable[[], object]) -> int:
        tracemalloc.start()
        work()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    assert fastest(lambda: usage_file.read_snapshot(path)) < 3 * fastest(lambda: json.loads(content))
    assert most_memory(lambda: usage_file.read_snapshot(path)) < most_memory(
        lambda: json.loads(path.read_bytes())
    )
