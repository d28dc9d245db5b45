"""Argo CD Applications and ApplicationSets: what they have rendered from the repository, and what not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.manifests.change import EnvironmentRule, read_change
from bot.manifests.render import make_renderer
from tests.manifests.memory_tree import (
    CHART,
    MemoryTree,
    RecordingRenderer,
    changed,
    cpu,
    deployment,
    names,
    read,
    really,
    unpriced,
)

URL = "https://example.org/team/apps.git"


def application(name: str = "api", *, destination: object = None, **source: object) -> str:
    """An Argo CD Application; JSON is YAML."""
    spec = {
        "source": {"repoURL": URL, **source},
        "destination": destination or {"namespace": "shop", "server": "https://x"},
    }
    body = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name},
        "spec": spec,
    }
    return json.dumps(body) + "\n"


def test_an_application_says_how_its_chart_is_rendered() -> None:
    """Release name, namespace, values in Argo CD's order; the chart is not rendered a second time by itself."""
    helm = {
        "valueFiles": ["values-prod.yaml", "/live/prod.yaml"],
        "values": "cpu: 4\nnested: {other: 1}\n",
        "valuesObject": {"cpu": 5},
        "parameters": [
            {"name": "nested.deep", "value": "7"},
            {"name": "a\\.b", "value": "1", "forceString": True},
        ],
    }
    files = {**CHART, "apps/api.yaml": application(path="charts/api", helm=helm)}
    render = RecordingRenderer()
    read(files, changed(files, "charts/api/templates/api.yaml"), render)
    (request, _) = render.requests
    assert request.values_files == ("charts/api/values-prod.yaml", "live/prod.yaml")
    assert (request.release_name, request.namespace) == ("api", "shop")
    assert request.values == {"cpu": 5, "nested": {"other": 1, "deep": 7}, "a.b": "1"}
    change = really(files, changed(files, "charts/api/templates/api.yaml"))
    assert (names(change.head), cpu(change)) == (["prod: Deployment shop/api"], [5])


def test_a_first_application_of_a_chart_deploys_it() -> None:
    """Before it nothing did, even where the chart changes too."""
    head = {
        **changed(CHART, "charts/api/templates/api.yaml"),
        "apps/api.yaml": application(path="charts/api"),
    }
    change = really(CHART, head)
    assert (names(change.base), names(change.head)) == ([], ["Deployment shop/api"])


@pytest.mark.parametrize("path", ["live/prod.yaml", "charts/api/values.yaml", "apps/api.yaml"])
def test_an_application_is_followed_when_it_or_what_it_uses_changes(path: str) -> None:
    """Its values files may lie anywhere."""
    files = {
        **CHART,
        "apps/api.yaml": application(path="charts/api", helm={"valueFiles": ["../../live/prod.yaml"]}),
    }
    head = {**files, path: application(path="charts/api") if path.startswith("apps") else "cpu: 9\n"}
    render = RecordingRenderer()
    read(files, head, render)
    assert {request.release_name for request in render.requests} == {"api"}


def test_an_unconcerned_application_is_left_alone() -> None:
    """Nothing that it uses has changed, though something beside it has."""
    files = {**CHART, "apps/api.yaml": application(path="charts/api"), "apps/x.yaml": deployment("x")}
    render = RecordingRenderer()
    change = read(files, changed(files, "apps/x.yaml"), render)
    assert (render.requests, names(change.head), change.head.unpriced) == ([], ["Deployment x"], ())


def test_values_from_another_source_of_the_same_repository() -> None:
    """`$values/...` counts from the root of the source that is called so."""
    body = json.loads(application())
    body["spec"].pop("source")
    body["spec"]["sources"] = [
        {"repoURL": URL, "path": "charts/api", "helm": {"valueFiles": ["$values/live/prod.yaml"]}},
        {"repoURL": URL, "ref": "values"},
    ]
    change = really({}, {**CHART, "apps/api.yaml": json.dumps(body)})
    assert cpu(change) == [3]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ({"chart": "redis", "targetRevision": "1.2"}, f"chart redis 1.2 of {URL} is not in this repository"),
        (
            {"path": "gone"},
            f"its manifests are in the folder 'gone' of {URL}, which is not in this repository",
        ),
        (
            {"path": "../../etc"},
            f"its manifests are in the folder '../../etc' of {URL}, which is not in this",
        ),
        ({"path": "charts/api", "helm": {"valueFiles": ["x.yaml"]}}, "its values file x.yaml is not in this"),
        ({"path": "charts/api", "helm": {"values": "a: ["}}, "its inline values:2: not YAML"),
        (
            {"path": "charts/api", "helm": {"parameters": [{"name": "a[0]", "value": "1"}]}},
            "its Helm parameter a[0]",
        ),
    ],
    ids=["chart", "folder", "outside", "values file", "broken values", "list parameter"],
)
def test_what_an_application_deploys_from_elsewhere_is_named(source: dict[str, Any], reason: str) -> None:
    """Unpriced, with the reason; once, since it is told where it changed."""
    files = {**CHART, "apps/api.yaml": application(**source)}
    told = unpriced(read(CHART, files).head)
    assert [(kind, file, why.startswith(reason)) for kind, file, why in told] == [
        ("Application", "apps/api.yaml", True)
    ]


def test_another_repository_is_told_by_its_name() -> None:
    """Where this one's addresses are known: a fork or a mirror is the same repository."""
    files = {**CHART, "apps/api.yaml": application(path="charts/api")}
    for url, asked in (("git@mirror.example.org:fork/apps.git", 1), ("https://example.org/team/other", 0)):
        render = RecordingRenderer()
        read_change(MemoryTree({}), MemoryTree(files), render=render, repository_urls=[url])
        assert len([request for request in render.requests if request.release_name == "api"]) == asked


def test_an_application_lays_its_options_over_a_kustomization() -> None:
    """With real Kustomize: images, replicas, name prefix and patches; what it set is found in its file."""
    options = {
        "namePrefix": "eu-",
        "images": ["x=registry.example.org/x:2"],
        "replicas": [{"name": "api", "count": 3}],
        "patches": [
            {"target": {"kind": "Deployment"}, "patch": "- {op: add, path: /metadata/labels, value: {a: b}}"}
        ],
    }
    files = {"k/kustomization.yaml": "resources: [api.yaml]\n", "k/api.yaml": deployment("api")}
    change = really(files, {**files, "apps/a.yaml": application(path="k", kustomize=options)})
    (item,) = change.head.objects
    assert (str(item.identity), item.body["spec"]["replicas"]) == ("Deployment shop/eu-api", 3)
    assert item.body["spec"]["template"]["spec"]["containers"][0]["image"] == "registry.example.org/x:2"
    assert item.labels == {"a": "b"}
    assert item.source.file == "k/api.yaml"
    assert item.locate(("metadata", "labels")).file in {"apps/a.yaml", "k/api.yaml"}


def test_a_folder_of_plain_manifests_takes_the_applications_namespace() -> None:
    """Objects that name none are created there."""
    head = {
        "plain/a.yaml": deployment("a") + "---\n" + deployment("b", namespace="own"),
        "app.yaml": application(path="plain"),
    }
    assert names(read({}, head).head) == ["Deployment own/b", "Deployment shop/a"]


def test_a_new_application_of_plain_manifests_deploys_them() -> None:
    """Though they lay there all the time; folders below only where it says so."""
    files = {"plain/a.yaml": deployment("a"), "plain/deep/b.yaml": deployment("b")}
    flat = {**files, "app.yaml": application(path="plain")}
    deep = {**files, "app.yaml": application(path="plain", directory={"recurse": True})}
    assert names(read(files, flat).head) == ["Deployment shop/a"]
    assert names(read(files, deep).head) == ["Deployment shop/a", "Deployment shop/b"]
    assert names(read(files, deep).base) == []
    assert names(read(flat, changed(flat, "plain/deep/b.yaml")).head) == ["Deployment b"]


def test_a_chart_of_applications_is_followed() -> None:
    """With real Helm: an app of apps, whose values differ between the sides."""
    inner = application(path="charts/api").replace(
        '"repoURL"', '"helm": {"valuesObject": {"cpu": 0}}, "repoURL"'
    )
    files = {
        **CHART,
        "root/Chart.yaml": "apiVersion: v2\nname: root\nversion: 0.1.0\n",
        "root/values.yaml": "cpu: 6\n",
        "root/templates/api.yaml": inner.replace('"cpu": 0', '"cpu": {{ .Values.cpu }}'),
    }
    change = really(files, {**files, "root/values.yaml": "cpu: 8\n"})
    assert (names(change.base), names(change.head)) == (["Deployment shop/api"], ["Deployment shop/api"])
    assert cpu(change) == [8]


def test_the_policy_names_the_environment_of_an_application() -> None:
    """By the folder that it deploys."""
    rules = [EnvironmentRule("production", ("k/**",))]
    files = {"k/kustomization.yaml": "resources: [api.yaml]\n", "k/api.yaml": deployment("api")}
    head = {**files, "app.yaml": application(path="k")}
    change = read_change(MemoryTree({}), MemoryTree(head), environments=rules, render=make_renderer())
    assert names(change.head) == ["production: Deployment shop/api"]


def test_one_chart_deployed_to_two_clusters_is_two_environments() -> None:
    """They are called after the clusters."""
    head = dict(CHART)
    for cluster in ("east", "west"):
        destination = {"name": cluster, "namespace": "shop"}
        head[f"{cluster}.yaml"] = application(f"api-{cluster}", destination=destination, path="charts/api")
    change = really(CHART, head)
    assert names(change.head) == ["east: Deployment shop/api-east", "west: Deployment shop/api-west"]


def test_an_argo_cd_that_deploys_itself_is_rendered() -> None:
    """Its own Application lies in the folder that it deploys."""
    files = {
        "argocd/kustomization.yaml": "resources: [self.yaml, api.yaml]\n",
        "argocd/self.yaml": application("self", path="argocd"),
        "argocd/api.yaml": deployment("api"),
    }
    change = really(files, changed(files, "argocd/api.yaml"))
    assert names(change.head) == ["Deployment shop/api"]


def test_a_value_written_twice_counts_the_second_time() -> None:
    """As Helm has it: charts of applications put general and own values one below the other."""
    values = {"values": "cpu: 1\nnested: {deep: 1}\ncpu: 7\n"}
    head = {**CHART, "app.yaml": application(path="charts/api", helm=values)}
    change = really(CHART, head)
    assert (cpu(change), unpriced(change.head)) == ([7], [])


def test_a_chart_that_changes_is_rendered_as_a_chart_of_applications_deploys_it() -> None:
    """With the values given there, and not by itself as well."""
    inner = application(path="charts/api").replace(
        '"repoURL"', '"helm": {"valuesObject": {"cpu": {{ .Values.cpu }}}}, "repoURL"'
    )
    files = {
        **CHART,
        "root/Chart.yaml": "apiVersion: v2\nname: root\nversion: 0.1.0\n",
        "root/values-dev.yaml": "cpu: 2\n",
        "root/values-live.yaml": "cpu: 6\n",
        "root/templates/api.yaml": inner,
    }
    change = really(files, changed(files, "charts/api/templates/api.yaml"))
    assert names(change.head) == ["dev: Deployment shop/api", "live: Deployment shop/api"]
    assert sorted(map(str, cpu(change))) == ["2", "6"]


def test_a_chart_of_applications_that_fails_is_no_concern_of_another_chart() -> None:
    """It was only asked whether it deploys what changed, which is then rendered by itself."""
    files = {
        **CHART,
        "root/Chart.yaml": "apiVersion: v2\nname: root\nversion: 0.1.0\n",
        "root/templates/api.yaml": '{{ fail "no cluster" }}\n' + application(path="elsewhere"),
    }
    change = really(files, changed(files, "charts/api/templates/api.yaml"))
    assert (len(change.head.objects), unpriced(change.head)) == (1, [])
    told = really(files, changed(files, "root/templates/api.yaml"))
    assert [file for _, file, _ in unpriced(told.head)] == ["root/Chart.yaml"]


@pytest.mark.parametrize(
    ("helm", "said"),
    [
        ({"values": "replicaCount: %d\n"}, "replicaCount 2 → 3"),
        ({"valuesObject": {"a": {"replicas": "%d"}}}, "a.replicas 2 → 3"),
        ({"parameters": [{"name": "a.replicas", "value": "%d"}]}, "a.replicas 2 → 3"),
    ],
    ids=["text", "object", "parameter"],
)
def test_what_changed_in_the_values_of_a_remote_chart_is_told(helm: dict[str, Any], said: str) -> None:
    """Wherever an Application may write them."""
    written = application(chart="redis", targetRevision="1.2", helm=helm)
    base, head = ({"apps/api.yaml": written.replace("%d", str(count))} for count in (2, 3))
    [(_, _, reason)] = unpriced(really(base, head).head)
    assert reason == f"chart redis 1.2 of {URL} is not in this repository; its values change: {said}"
