"""Argo CD ApplicationSets: their generators and templates."""

from __future__ import annotations

import json

import pytest

from tests.manifests.memory_tree import Files, RecordingRenderer, read, unpriced

URL = "https://example.org/team/apps.git"


def application_set(generators: list[object], template: object, *, go: bool = False) -> str:
    """An Argo CD ApplicationSet."""
    spec = {"generators": generators, "template": template, "goTemplate": go}
    return json.dumps(
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "ApplicationSet",
            "metadata": {"name": "s"},
            "spec": spec,
        }
    )


def template(name: str, path: str) -> dict[str, object]:
    """The template of an ApplicationSet."""
    return {"metadata": {"name": name}, "spec": {"source": {"repoURL": URL, "path": path}}}


KUSTOMIZATIONS: Files = {
    f"apps/{app}/{stage}/kustomization.yaml": "resources: []\n"
    for app in ("api", "web")
    for stage in ("dev", "prod")
} | {"config/dev.yaml": "app: api\nwhere: {stage: dev}\n"}


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        (
            application_set(
                [{"list": {"elements": [{"a": "api", "s": "dev"}]}}], template("{{a}}", "apps/{{ a }}/{{s}}")
            ),
            {"api": "apps/api/dev"},
        ),
        (
            application_set(
                [
                    {
                        "git": {
                            "directories": [{"path": "apps/*/prod"}, {"path": "apps/web/*", "exclude": True}]
                        }
                    }
                ],
                template("{{path[1]}}-{{path.basename}}", "{{path}}"),
            ),
            {"api-prod": "apps/api/prod"},
        ),
        (
            application_set(
                [{"git": {"directories": [{"path": "apps/**/dev"}]}}],
                template("{{ index .path.segments 1 }}-{{ .path.basename }}", "{{ .path.path }}"),
                go=True,
            ),
            {"api-dev": "apps/api/dev", "web-dev": "apps/web/dev"},
        ),
        (
            application_set(
                [{"git": {"files": [{"path": "config/*.yaml"}]}}],
                template("x", "apps/{{app}}/{{where.stage}}"),
            ),
            {"x": "apps/api/dev"},
        ),
    ],
    ids=["list", "directories", "go template", "files"],
)
def test_an_application_set_is_filled_in(text: str, asked: dict[str, str]) -> None:
    """Lists, folders and files of the repository; each gives an application."""
    render = RecordingRenderer()
    read(KUSTOMIZATIONS, {**KUSTOMIZATIONS, "set.yaml": text}, render)
    assert {request.release_name: request.path for request in render.requests} == asked


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            application_set([{"clusters": {}}], template("x", "x")),
            "its generator clusters needs a live Argo CD",
        ),
        (application_set([{"matrix": {}}], template("x", "x")), "its generator matrix needs a live Argo CD"),
        (
            application_set([{"list": {"elements": [{"a": 1}]}}], template("{{ .a | upper }}", "x"), go=True),
            "its template parameter .a | upper is not understood here",
        ),
    ],
    ids=["clusters", "matrix", "function"],
)
def test_an_application_set_that_needs_more_is_named(text: str, reason: str) -> None:
    """With what it needs."""
    assert unpriced(read({}, {"set.yaml": text}).head) == [("ApplicationSet", "set.yaml", reason)]
