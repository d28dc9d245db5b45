"""The dashboard and the alerts ask for metrics that the bot exposes, in words that Prometheus understands."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.manifests import documents
from bot.metrics import Metrics, WorkMetrics
from bot.records import Undone

DEPLOY = Path(__file__).parent.parent / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana" / "tuppence.json").read_bytes())
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
[_RULES] = documents.read((DEPLOY / "prometheus-rules.yaml").read_bytes()).documents
ALERTS = [rule["expr"] for group in _RULES.body["groups"] for rule in group["rules"]]


def exposed() -> dict[str, set[str]]:
    """Every series that a delivery and its work leave behind, and its labels."""
    work = WorkMetrics(lambda: [Undone("events", "waiting", 1, datetime.now(UTC))])
    work.watched("analyse", dict)()
    work.github_answered(7, 200, {"x-ratelimit-remaining": "4999"})
    metrics = Metrics(others=work.render)
    metrics.delivery("stored", "PullRequestChanged", 0.01)
    metrics.slack_request(200, 0.01)
    return {
        sample.name: {"job", "instance", *sample.labels}
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
    }


@pytest.mark.parametrize("query", [*QUERIES, *ALERTS])
def test_every_metric_and_label_is_exposed(query: str) -> None:
    """A renamed metric would leave an empty panel, or an alert that never comes."""
    known = exposed()
    asked = re.findall(r"\b((?:tuppence|process)_\w+)(?:\{([^}]*)\})?", query)
    assert asked
    for name, matchers in asked:
        assert name in known
        assert set(re.findall(r"(\w+)\s*=", matchers)) <= known[name]
    for labels in re.findall(r"by \(([^)]*)\)", query):
        assert {label.strip() for label in labels.split(",")} <= set().union(
            *(known[name] for name, _ in asked)
        )


def test_prometheus_takes_the_alerts_and_the_dashboards_queries(tmp_path: Path) -> None:
    """As promtool reads them."""
    queries = [query.replace("$__rate_interval", "5m") for query in QUERIES]
    rules = {"groups": [{"name": "panels", "rules": [{"record": "a:b", "expr": query} for query in queries]}]}
    (tmp_path / "panels.json").write_text(json.dumps(rules))
    for file in (DEPLOY / "prometheus-rules.yaml", tmp_path / "panels.json"):
        done = subprocess.run(
            ["promtool", "check", "rules", "--lint=none", file], capture_output=True, check=False, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_panels_do_not_overlap_and_have_an_axis_that_says_something() -> None:
    """Grafana would move them about, each time differently."""
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        assert panel["fieldConfig"]["defaults"]["unit"]
        taken |= cells
