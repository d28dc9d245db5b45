"""Charts and the values files that make them an environment's."""

from __future__ import annotations

import pytest

from bot.manifests.change import EnvironmentRule, read_change
from bot.manifests.environments import named_after
from bot.manifests.render import make_renderer
from tests.manifests.memory_tree import Files, MemoryTree, RecordingRenderer, changed, deployment, names, read

CHART = "apiVersion: v2\nname: api\nversion: 0.1.0\n"


def asked(
    head: Files, *paths: str, rules: tuple[EnvironmentRule, ...] = ()
) -> list[tuple[str, tuple[str, ...]]]:
    """The charts that a change of `paths` renders, with their values files, once for each environment."""
    render = RecordingRenderer()
    read(head, changed(head, *paths), render, environments=rules)
    return list(dict.fromkeys((request.path, request.values_files) for request in render.requests))


CHARTS: Files = {
    "charts/api/Chart.yaml": f"{CHART}dependencies:\n- {{name: common, repository: 'file://../common'}}\n",
    "charts/api/values.yaml": "a: 1\n",
    "charts/api/values-prod.yaml": "a: 1\n",
    "charts/api/values.dev.yml": "a: 1\n",
    "charts/api/templates/x.yaml": "a: {{ .Values.a }}\n",
    "charts/api/ci/values-test.yaml": "a: 1\n",
    "charts/api/charts/redis/Chart.yaml": CHART,
    "charts/api/charts/redis/values.yaml": "a: 1\n",
    "charts/common/Chart.yaml": f"{CHART}type: library\n",
    "charts/common/templates/_x.tpl": "x",
}
BOTH = [("charts/api", ("charts/api/values-prod.yaml",)), ("charts/api", ("charts/api/values.dev.yml",))]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("charts/api/templates/x.yaml", BOTH),
        ("charts/api/values.yaml", BOTH),
        ("charts/api/values-prod.yaml", BOTH[:1]),
        ("charts/api/charts/redis/values.yaml", BOTH),
        ("charts/common/templates/_x.tpl", BOTH),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_chart_is_rendered_for_each_environment_that_a_change_reaches(
    path: str, expected: list[tuple[str, tuple[str, ...]]]
) -> None:
    """Vendored and library charts belong to those that use them; one environment's values reach only it."""
    assert asked(CHARTS, path) == expected


def test_a_chart_that_others_come_to_depend_on_has_not_gone() -> None:
    """It is rendered on both sides, as long as it was its own on one of them."""
    base = {"c/Chart.yaml": CHART, "c/templates/x.yaml": "a: 1\n", "umbrella/Chart.yaml": CHART}
    requirements = "dependencies:\n- {name: api, repository: 'file://../c'}\n"
    head = {**changed(base, "c/templates/x.yaml"), "umbrella/requirements.yaml": requirements}
    render = RecordingRenderer()
    read(base, head, render)
    assert [request.path for request in render.requests] == ["c", "umbrella", "c", "umbrella"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, [()]),
        (
            {"c/prod/values.yaml": "", "c/dev/values.yml": ""},
            [("c/dev/values.yml",), ("c/prod/values.yaml",)],
        ),
        ({"c/environments/qa.yaml": ""}, [("c/environments/qa.yaml",)]),
        ({"environments/qa.yaml": ""}, [("environments/qa.yaml",)]),
        ({"values-qa.yaml": "", "other/Chart.yaml": CHART}, [()]),
        ({"c/values-example.yaml": "", "c/tests/values.yaml": "", "c/values.schema.json": ""}, [()]),
    ],
    ids=["none", "folders", "environments", "beside", "beside two charts", "not environments"],
)
def test_values_files_are_found(files: Files, expected: list[tuple[str, ...]]) -> None:
    """In the chart, else beside it where it is alone; examples are no environment."""
    found = asked({"c/Chart.yaml": CHART, "c/x": "1", **files}, "c/x")
    assert [values for path, values in found if path == "c"] == expected


def test_the_policy_gives_values_files() -> None:
    """From the chart's folder or the tree's root; a rule with paths only for what lies in them."""
    files = {
        "c/Chart.yaml": CHART,
        "c/values-dev.yaml": "",
        "c/big.yaml": "",
        "live/prod.yaml": "",
        "c/x": "1",
    }
    rules = (
        EnvironmentRule("production", ("live/**",), ("big.yaml", "live/prod.yaml")),
        EnvironmentRule("elsewhere", ("other/**",), ("big.yaml",)),
        EnvironmentRule("missing", (), ("gone.yaml",)),
    )
    assert asked(files, "c/x", rules=rules) == [("c", ("c/big.yaml", "live/prod.yaml"))]
    assert asked(files, "live/prod.yaml", rules=rules) == [("c", ("c/big.yaml", "live/prod.yaml"))]


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("values-prod.yaml", "prod"),
        ("a/values.eu-west.yml", "eu-west"),
        ("prod/values.yaml", "prod"),
        ("environments/prod.yaml", "prod"),
        ("values.yaml", ""),
        ("x/prod.yaml", ""),
    ],
)
def test_values_files_name_environments(file: str, name: str) -> None:
    """By the ways people call them."""
    assert named_after(file) == name


def test_a_chart_is_rendered_with_its_values() -> None:
    """With real Helm: each environment is its own."""
    template = deployment("api").replace("100m", "{{ .Values.cpu }}")
    files = {
        "c/Chart.yaml": CHART,
        "c/values.yaml": "cpu: 1\n",
        "c/values-prod.yaml": "cpu: 4\n",
        "c/values-dev.yaml": "{}\n",
        "c/templates/api.yaml": template,
    }
    head = {**files, "c/values-prod.yaml": "cpu: 8\n"}
    change = read_change(MemoryTree(files), MemoryTree(head), render=make_renderer())
    assert names(change.head) == ["prod: Deployment api"]
    container = change.head.objects[0].body["spec"]["template"]["spec"]["containers"][0]
    assert container["resources"]["requests"]["cpu"] == 8
    assert change.head.objects[0].source.file == "c/templates/api.yaml"
