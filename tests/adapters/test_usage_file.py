"""The usage snapshot file: nothing is lost, nothing wrong is believed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.adapters import usage_file
from bot.errors import UserError
from estimators.usage import (
    Taint,
    Window,
    WorkloadKey,
)

START = datetime(2026, 11, 1, tzinfo=UTC)


def contract() -> dict[str, Any]:
    """A snapshot with the keys of the contract alone, as a person would write it."""
    return {
        "schema": "tuppence.usage/v1",
        "window": {"start": "2026-11-01T00:00:00Z", "end": "2026-11-01T00:20:00Z", "step_seconds": 300},
        "scrape_interval_seconds": 30,
        "workloads": [
            {
                "namespace": "payments",
                "kind": "Deployment",
                "name": "api",
                "replicas": [3, 3, None, 4],
                "containers": [
                    {
                        "name": "api",
                        "cpu_cores": [0.5, 0.75, None, 1],
                        "memory_peak_bytes": [100, 200, 300, None],
                        "oom_kills": 1,
                        "throttled_ratio": 0.25,
                    }
                ],
            }
        ],
        "nodes": [
            {
                "name": "node-1",
                "labels": {"kubernetes.io/arch": "arm64"},
                "allocatable": {"cpu": "3920m", "memory": "15Gi", "nvidia.com/gpu": 1},
                "taints": [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}],
            }
        ],
    }


def written(folder: Path, document: object) -> Path:
    """A file that holds `document`, text as it is."""
    path = folder / "usage.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return path


def test_the_keys_of_the_contract_are_enough(tmp_path: Path) -> None:
    """A hand-written snapshot gives series with gaps, and quantities in base units."""
    snapshot = usage_file.read_snapshot(written(tmp_path, contract()))

    usage = snapshot.workloads[WorkloadKey("payments", "Deployment", "api")]
    assert snapshot.window == Window(START, START + timedelta(minutes=20), 300)
    np.testing.assert_array_equal(usage.replicas, [3, 3, np.nan, 4])
    np.testing.assert_array_equal(usage.containers[0].memory_peak_bytes, [100, 200, 300, np.nan])
    assert (usage.containers[0].oom_kills, usage.containers[0].throttled_ratio) == (1, 0.25)
    assert snapshot.nodes[0].allocatable == {
        "cpu": Decimal("3.92"),
        "memory": Decimal(15 * 2**30),
        "nvidia.com/gpu": Decimal(1),
    }
    assert snapshot.nodes[0].taints == (Taint("gpu", "yes", "NoSchedule"),)
    assert snapshot.partial == ()
    assert snapshot.source == "usage.json"


def test_the_documented_example_works(tmp_path: Path) -> None:
    """Copied from the page, it is read without a remark."""
    page = Path(__file__).parents[2] / "docs" / "usage-snapshot.md"
    (example,) = re.findall(r"```json\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    snapshot = usage_file.read_snapshot(written(tmp_path, example))
    assert snapshot.partial == ()
    assert list(snapshot.workloads) == [WorkloadKey("payments", "Deployment", "api")]


def test_what_is_missing_is_a_gap_and_not_a_zero(tmp_path: Path) -> None:
    """Series that are missing, null or empty have the window's length and no data."""
    document = contract()
    document["workloads"][0] |= {"replicas": [], "containers": [{"name": "api", "cpu_cores": None}]}
    del document["nodes"], document["scrape_interval_seconds"]

    snapshot = usage_file.read_snapshot(written(tmp_path, document))

    (usage,) = snapshot.workloads.values()
    for series in (usage.replicas, usage.containers[0].cpu_cores, usage.containers[0].memory_peak_bytes):
        assert series.size == 4
        assert np.isnan(series).all()
    assert usage.containers[0].throttled_ratio is None
    assert snapshot.scrape_interval_seconds == 30


@pytest.mark.parametrize(
    ("told", "known"),
    [({"labels": {}}, True), ({}, False), ({"labels": {"a": "b"}, "labels_known": False}, False)],
    ids=["none", "missing", "some"],
)
def test_labels_that_are_missing_are_not_known(tmp_path: Path, told: dict[str, Any], known: bool) -> None:
    """A node without labels is another thing than one whose labels nobody told."""
    document = {**contract(), "nodes": [{"name": "n1", **told}]}
    [node] = usage_file.read_snapshot(written(tmp_path, document)).nodes
    assert node.labels_known is known


def test_a_cluster_without_workloads_is_a_snapshot_too(tmp_path: Path) -> None:
    """Only schema and window are needed."""
    document = {key: contract()[key] for key in ("schema", "window")}
    assert usage_file.read_snapshot(written(tmp_path, document)).workloads == {}


def test_times_without_an_offset_are_utc(tmp_path: Path) -> None:
    """Offsets are honoured, and a time without one is UTC."""
    document = contract()
    document["window"] |= {"start": "2026-11-01T00:00:00", "end": "2026-11-01T02:20:00+02:00"}
    window = usage_file.read_snapshot(written(tmp_path, document)).window
    assert (window.start, window.end) == (START, START + timedelta(minutes=20))


def test_impossible_values_become_gaps_and_are_counted(tmp_path: Path) -> None:
    """Negative, infinite and NaN values of a series are dropped, and the report says so."""
    document = contract()
    text = json.dumps(document).replace("[0.5, 0.75, null, 1]", "[-0.5, 1e999, NaN, 1]")

    snapshot = usage_file.read_snapshot(written(tmp_path, text))

    (usage,) = snapshot.workloads.values()
    np.testing.assert_array_equal(usage.containers[0].cpu_cores, [np.nan, np.nan, np.nan, 1])
    (remark,) = snapshot.partial
    assert "3 impossible values" in remark
    assert "workloads[0].containers[0].cpu_cores" in remark


def test_unknown_keys_are_ignored_aloud(tmp_path: Path) -> None:
    """A misspelt key is not lost in silence."""
    document = contract()
    document["workloads"][0]["containers"][0]["memory_peak_byte"] = [1, 2, 3, 4]
    (remark,) = usage_file.read_snapshot(written(tmp_path, document)).partial
    assert "memory_peak_byte" in remark


def change(*path: str | int, to: object) -> Callable[[dict[str, Any]], None]:
    """A change of one value of the document."""

    def apply(document: Any) -> None:  # noqa: ANN401 - JSON
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = to

    return apply


CONTAINER = ("workloads", 0, "containers", 0)
REFUSED = [
    ("another schema", change("schema", to="tuppence.usage/v2"), 'schema: "tuppence.usage/v2": expected'),
    ("no schema", change("schema", to=None), "schema: null: expected"),
    ("a list for the window", change("window", to=[1]), "window: expected an object"),
    ("no end", change("window", "end", to=None), "window.end: null: expected a time such as"),
    ("a date in words", change("window", "end", to="noon"), 'window.end: "noon": expected a time such as'),
    (
        "an end before the start",
        change("window", "end", to="2026-10-31T00:00:00Z"),
        'window.end: "2026-10-31T00:00:00Z": expected a time after window.start',
    ),
    ("steps of no length", change("window", "step_seconds", to=0), "step_seconds: 0: expected a whole"),
    ("half a second", change("window", "step_seconds", to=0.5), "step_seconds: 0.5: expected a whole"),
    ("true for a number", change("window", "step_seconds", to=True), "step_seconds: true: expected a whole"),
    ("a step beyond the window", change("window", "step_seconds", to=1201), "gives 0 steps"),
    (
        "a millennium of seconds",
        lambda document: document["window"].update(end="3026-11-01T00:00:00Z", step_seconds=1),
        "expected 1 to 1000000",
    ),
    (
        "a short series",
        change(*CONTAINER, "cpu_cores", to=[1, 2]),
        "cpu_cores: has 2 values but the window has 4",
    ),
    (
        "text in a series",
        change(*CONTAINER, "cpu_cores", to=[1, "2", 3, 4]),
        'workloads[0].containers[0].cpu_cores[1]: "2": expected a number, or null',
    ),
    (
        "truth in a series",
        change(*CONTAINER, "cpu_cores", to=[1, True, 3, 4]),
        "cpu_cores[1]: true: expected",
    ),
    (
        "a huge integer",
        change(*CONTAINER, "cpu_cores", to=[10**400, 1, 1, 1]),
        "cpu_cores[0]: a number of more than",
    ),
    ("one number for a series", change(*CONTAINER, "cpu_cores", to=0.5), "cpu_cores: 0.5: expected a list"),
    ("an object for a series", change(*CONTAINER, "cpu_cores", to={}), "cpu_cores: expected a list"),
    ("a percentage", change(*CONTAINER, "throttled_ratio", to=25), "throttled_ratio: 25: expected a ratio"),
    (
        "half a kill",
        change(*CONTAINER, "oom_kills", to=0.5),
        "oom_kills: 0.5: expected a whole number from 0",
    ),
    ("minus one kill", change(*CONTAINER, "oom_kills", to=-1), "oom_kills: -1: expected a whole number"),
    ("a nameless container", change(*CONTAINER, "name", to=""), 'containers[0].name: "": expected a name'),
    (
        "a nameless workload",
        change("workloads", 0, "name", to=None),
        "workloads[0].name: null: expected a name",
    ),
    (
        "a number for a namespace",
        change("workloads", 0, "namespace", to=7),
        "namespace: 7: expected a string",
    ),
    ("an object for workloads", change("workloads", to={"a": 1}), "workloads: expected a list"),
    ("text for a workload", change("workloads", 0, to="api"), 'workloads[0]: "api": expected an object'),
    (
        "a workload twice",
        lambda document: document["workloads"].append(document["workloads"][0]),
        "workloads[1]: is the same as workloads[0]; merge them or drop one",
    ),
    (
        "a container twice",
        lambda document: document["workloads"][0].update(containers=[{"name": "a"}, {"name": "a"}]),
        "workloads[0].containers[1]: is the same as workloads[0].containers[0]",
    ),
    (
        "a node twice",
        lambda document: document["nodes"].append({"name": "node-1"}),
        "nodes[1]: is the same as nodes[0]",
    ),
    (
        "a size with a space",
        change("nodes", 0, "allocatable", "memory", to="15 Gi"),
        'nodes[0].allocatable.memory: "15 Gi": expected digits with an optional suffix',
    ),
    (
        "a negative size",
        change("nodes", 0, "allocatable", "cpu", to=-1),
        "allocatable.cpu: -1: it is below zero",
    ),
    ("a number for a label", change("nodes", 0, "labels", to={"a": 1}), "nodes[0].labels.a: 1: expected"),
    (
        "a free price",
        change("nodes", 0, "hourly", to={"cpu": "free"}),
        'hourly.cpu: "free": expected a price',
    ),
    ("a negative price", change("storage_gib_hour", to={"gp3": -1}), "gp3: -1: expected a price"),
    ("objects that are none", change("objects", to=[1]), "objects[0]: 1: expected an object"),
    (
        "percentile 101",
        change(*CONTAINER, "cpu_pod_percentiles", to={"101": 1}),
        "percentiles.101: 1: expected",
    ),
]


@pytest.mark.parametrize(("apply", "words"), [pytest.param(*row[1:], id=row[0]) for row in REFUSED])
def test_a_value_that_would_mislead_is_refused_by_name(
    apply: Callable[[dict[str, Any]], None], words: str, tmp_path: Path
) -> None:
    """One line: the file, the JSON path, the value and what was expected."""
    document = contract()
    apply(document)
    path = written(tmp_path, document)

    with pytest.raises(UserError) as refusal:
        usage_file.read_snapshot(path)

    line = str(refusal.value)
    assert line.startswith(str(path))
    assert words in line
    assert "\n" not in line
