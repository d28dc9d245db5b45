"""Changed files that nothing renders must not look like no impact."""

from __future__ import annotations

import pytest

from tests.manifests.memory_tree import Files, changed, deployment, read, unpriced

OLD = "web:\n  replicas: 2\n  image: a\n"
NEW = OLD.replace("2", "5")
TAG = OLD.replace("a\n", "b\n")


@pytest.mark.parametrize(
    ("path", "before", "after", "told"),
    [
        (
            "config/prod.yaml",
            OLD,
            NEW,
            "no Kubernetes object, and no chart here is known to take it (web.replicas 2 → 5)",
        ),
        ("config/prod.yaml", "a: 1\n---\n" + OLD, "a: 1\n---\n" + NEW, "(1.web.replicas 2 → 5)"),
        ("config/prod.yaml", OLD, TAG, ""),
        ("config/prod.json", OLD, NEW, ""),
        ("far/values-prod.yaml", OLD, NEW, "is known to take (web.replicas 2 → 5): name the file"),
        ("far/values-prod.yaml", OLD, TAG, "Helm values that no chart here is known to take: name the file"),
        ("app.yaml", deployment("a"), deployment("a", "2"), ""),
        ("charts/api/values.yaml", OLD, NEW, ""),
    ],
    ids=[
        "values by another name",
        "several documents",
        "nothing that costs",
        "not YAML",
        "values far from a chart",
        "values far from a chart may hold anything",
        "an object",
        "values of a chart",
    ],
)
def test_a_changed_file_that_nothing_takes_is_named_with_what_it_asks_for(
    path: str, before: str, after: str, told: str
) -> None:
    """Once, on the side that is to come."""
    chart: Files = {"charts/api/Chart.yaml": "apiVersion: v2\nname: api\nversion: 0.1.0\n"}
    change = read({**chart, path: before}, {**chart, path: after})

    reasons = [reason for kind, _, reason in unpriced(change.head) if kind == "File"]
    assert len(reasons) == bool(told)
    assert all(told in reason for reason in reasons)
    assert unpriced(change.base) == []


def test_values_that_an_application_names_are_taken() -> None:
    """Whatever they are called and wherever they lie."""
    application = (
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: api}\n"
        "spec: {source: {repoURL: x, path: charts/api, helm: {valueFiles: [/config/prod.yaml]}}}\n"
    )
    files: Files = {
        "charts/api/Chart.yaml": "apiVersion: v2\nname: api\nversion: 0.1.0\n",
        "app.yaml": application,
        "config/prod.yaml": OLD,
    }
    assert unpriced(read(files, {**files, "config/prod.yaml": NEW}).head) == []
    assert unpriced(read(files, changed(files, "app.yaml")).head) == []
