"""`diff --format json`, held against the contract and against the schema in docs/."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.end_to_end.commands import process, tuppence
from tests.end_to_end.contract import REPORT, checked
from tests.end_to_end.repositories import Files, deployment, write

SCHEMA = json.loads(Path(__file__).parents[2].joinpath("docs", "report.schema.json").read_text("utf-8"))
AUTOSCALED = (
    deployment(replicas=3)
    + """\
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api, namespace: shop}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api}
  minReplicas: 2
  maxReplicas: 9
  metrics:
    - type: Resource
      resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}
"""
)
DAEMON_SET = """\
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: shop}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      containers: [{name: agent, image: agent:1, resources: {requests: {cpu: 100m, memory: 64Mi}}}]
"""
STORAGE = """\
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: shop}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 100Gi}}}
---
apiVersion: v1
kind: Service
metadata: {name: front, namespace: shop}
spec: {type: LoadBalancer, ports: [{port: 80}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {key: value}
"""
CRON_JOB = """\
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly, namespace: shop}
spec:
  schedule: "0 2 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: job, image: job:1, resources: {requests: {cpu: "1", memory: 1Gi}}}]
"""
CASES: dict[str, tuple[Files, Files]] = {
    "nothing": ({"a.yaml": deployment()}, {"a.yaml": deployment()}),
    "changed": ({"a.yaml": deployment()}, {"a.yaml": deployment(cpu="750m", memory="1536Mi", limit="2Gi")}),
    "added": ({}, {"a.yaml": deployment()}),
    "removed": ({"a.yaml": deployment()}, {}),
    "autoscaled": ({"a.yaml": deployment(replicas=3)}, {"a.yaml": AUTOSCALED}),
    "a DaemonSet without nodes": ({}, {"a.yaml": DAEMON_SET}),
    "storage and a load balancer": ({}, {"a.yaml": STORAGE}),
    "a CronJob without history": ({}, {"a.yaml": CRON_JOB}),
    "a file that is broken": ({"a.yaml": deployment()}, {"a.yaml": deployment() + "broken: ]\n"}),
    "everything": ({}, {"a.yaml": AUTOSCALED, "b.yaml": STORAGE, "c.yaml": CRON_JOB, "d.yaml": DAEMON_SET}),
}


def report(folder: Path, before: Files, after: Files, *options: object) -> Any:  # noqa: ANN401 - JSON
    """The report of a change of two folders, checked."""
    for side, files in (("before", before), ("after", after)):
        write(folder / side, {".keep": "", **files})
    sides = ("--base-dir", folder / "before", "--head-dir", folder / "after")
    ran = tuppence("diff", *sides, "--format", "json", *options)
    assert (ran.status, ran.err) == (0, "")
    jsonschema.validate(ran.json, SCHEMA)
    return checked(ran.json)


@pytest.mark.parametrize("name", CASES)
def test_every_report_keeps_the_contract(tmp_path: Path, name: str) -> None:
    """Shapes, words, sums; the schema in docs/ says no less."""
    report(tmp_path, *CASES[name])


def test_the_demo_keeps_it_too(tmp_path: Path) -> None:
    """With history, GPUs, findings and a root that cannot be priced; from a process."""
    tuppence("demo", "--keep", tmp_path / "demo")
    arguments = ("main", "right-size", "--repo", tmp_path / "demo/shop")
    ran = process(
        "diff", *arguments, "--usage", tmp_path / "demo/recorded-usage.json", "--format", "json", cwd=tmp_path
    )
    told = checked(ran.json)

    jsonschema.validate(told, SCHEMA)
    assert (ran.status, ran.err) == (1, "")
    assert (told["verdict"], told["confidence"], told["currency"]) == ("risky", "high", "USD")
    assert [row["name"] for row in told["workloads"]] == [
        "api", "trainer", "indexer", "web", "log-shipper", "reports",
    ]  # fmt: skip
    assert [item["kind"] for item in told["unpriced"]] == ["HelmRelease"]
    assert len(told["guardrails"]) == 2


def test_amounts_are_the_arithmetic(tmp_path: Path) -> None:
    """Two pods of half a core and a GiB, to the last digit; none of it rounded."""
    told = report(tmp_path, {}, {"a.yaml": deployment(replicas=2, cpu="500m", memory="1Gi")})
    [row] = told["workloads"]
    rates = {key: Decimal(row["after"]["rates"][key]) for key in ("cpu_core_hour", "memory_gib_hour")}

    assert Decimal(row["after"]["pod"]["cpu_cores"]) == Decimal("0.5")
    assert Decimal(row["after"]["pod"]["memory_gib"]) == 1
    assert Decimal(row["after"]["monthly"]["expected"]) == 2 * 730 * (
        Decimal("0.5") * rates["cpu_core_hour"] + rates["memory_gib_hour"]
    )
    assert (told["hours_per_month"], told["monthly"]["percent"]) == ("730", None)
    assert row["source"] == {"file": "a.yaml", "line": 1}


def test_unknown_replicas_are_a_row_without_a_price_and_a_way_out(tmp_path: Path) -> None:
    """Never zero, never safe."""
    told = report(tmp_path, {}, {"a.yaml": DAEMON_SET})
    [row], [unpriced] = told["workloads"], told["unpriced"]

    assert (row["after"], row["verdict"]) == (None, "unknown")
    assert "--prometheus" in row["unknown_because"]
    assert (unpriced["kind"], unpriced["name"], unpriced["file"]) == ("DaemonSet", "agent", "a.yaml")
    assert told["verdict"] == "unknown"


def test_kinds_without_cost_are_not_listed(tmp_path: Path) -> None:
    """A ConfigMap costs nothing; a claim and a load balancer are rows."""
    told = report(tmp_path, *CASES["storage and a load balancer"])

    assert {row["kind"] for row in told["workloads"]} == {"PersistentVolumeClaim", "Service"}
    assert told["unpriced"] == []


def test_a_broken_file_is_named_and_takes_nothing_along(tmp_path: Path) -> None:
    """With its line; the workload in it is not taken for removed."""
    told = report(tmp_path, *CASES["a file that is broken"])
    [unpriced] = told["unpriced"]

    assert (unpriced["kind"], unpriced["file"]) == ("File", "a.yaml")
    assert f"line {deployment().count(chr(10)) + 1}: " in unpriced["reason"]
    assert told["workloads"] == []


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda told: told.pop("partial"), id="a key is missing"),
        pytest.param(lambda told: told["workloads"][0]["source"].update(line="1"), id="a line is text"),
        pytest.param(lambda told: told["monthly"]["change"].update(floor=1.5), id="an amount is a number"),
        pytest.param(lambda told: told["monthly"]["change"].update(floor="1E+3"), id="an exponent"),
        pytest.param(lambda told: told["monthly"]["change"].update(floor="-0.00"), id="minus nothing"),
        pytest.param(lambda told: told.update(verdict="fine"), id="an unknown word"),
        pytest.param(lambda told: told["monthly"].update(percent="12"), id="a percentage without decimal"),
    ],
)
def test_the_validator_finds_what_is_wrong(tmp_path: Path, spoil: Callable[[Any], object]) -> None:
    """Else the tests above would hold nothing."""
    told = copy.deepcopy(report(tmp_path, *CASES["added"]))
    REPORT(told, "report")
    spoil(told)

    with pytest.raises(AssertionError):
        REPORT(told, "report")


def test_each_environment_names_its_cluster(tmp_path: Path) -> None:
    """As the policy says; one that it says nothing of has an empty name."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("environments: [{name: production, paths: [prod], cluster: prod-eu}]\n")
    for side, replicas in (("before", 2), ("after", 3)):
        write(
            tmp_path / side, {f"{place}/api.yaml": deployment(replicas=replicas) for place in ("prod", "lab")}
        )
    ran = tuppence(
        "diff", "--base-dir", tmp_path / "before", "--head-dir", tmp_path / "after", "--policy", policy, "--format", "json"
    )  # fmt: skip

    assert ran.json["clusters"] == {"": "", "production": "prod-eu"}
