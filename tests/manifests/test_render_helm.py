"""What Helm renders, with which values, and which file and line each field is traced to."""

from __future__ import annotations

import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.manifests import helm
from bot.manifests.render import make_renderer
from bot.manifests.rendered import RenderedObject, RenderRequest, RenderResult, RootKind
from bot.manifests.sandbox import Program
from estimators.objects import dig
from tests.manifests.tree_files import write

DEPLOYMENT = """
    {{- if .Values.enabled }}
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: {{ .Release.Name }}-web
      namespace: {{ .Release.Namespace }}
    spec:
      replicas: {{ .Values.replicaCount }}
      template:
        spec:
          terminationGracePeriodSeconds: 45
          containers:
            - name: web
              image: "{{ .Values.image }}:{{ .Chart.AppVersion }}"
              resources: {{- toYaml .Values.resources | nindent 16 }}
    {{- end }}
"""
VALUES = """
    enabled: true
    replicaCount: 2
    image: registry.example/web
    resources:
      requests:
        cpu: 100m
        memory: 128Mi
      limits:
        memory: 256Mi
"""
CHART = "apiVersion: v2\nname: web\nversion: 0.1.0\nappVersion: '3.1'\n"
FILES = {"web/Chart.yaml": CHART, "web/values.yaml": VALUES, "web/templates/deployment.yaml": DEPLOYMENT}
CONTAINER = ("spec", "template", "spec", "containers", 0)
MEMORY = (*CONTAINER, "resources", "limits", "memory")


def template(folder: Path, files: Mapping[str, str], **request: Any) -> RenderResult:  # noqa: ANN401 - RenderRequest's own fields
    """Render the chart in `web`."""
    tree = write(folder / "tree", files)
    return make_renderer()(tree, [RenderRequest(RootKind.HELM, "web", **request)])[0]


def one(result: RenderResult, kind: str = "Deployment") -> RenderedObject:
    """The one object of its kind that came out."""
    assert result.failure is None
    (found,) = (item for item in result.objects if item.body["kind"] == kind)
    return found


def test_a_chart_renders_with_its_defaults(tmp_path: Path) -> None:
    """Name and namespace of the release, chart metadata and values reach the object."""
    body = one(template(tmp_path, FILES)).body
    assert (body["metadata"]["name"], body["metadata"]["namespace"]) == ("release-web", "default")
    assert dig(body, *CONTAINER, "image") == "registry.example/web:3.1"
    body = one(template(tmp_path, FILES, release_name="blue", namespace="shop")).body
    assert (body["metadata"]["name"], body["metadata"]["namespace"]) == ("blue-web", "shop")


def test_values_files_and_inline_values_win_in_helms_order(tmp_path: Path) -> None:
    """Later files over earlier ones, inline over all; a null takes a default away."""
    files = {
        **FILES,
        "environments/all.yaml": "replicaCount: 3\nresources: {limits: {memory: 1Gi}}\n",
        "environments/prod.yaml": "replicaCount: 4\nresources: {requests: {memory: null}}\n",
    }
    order = ("environments/all.yaml", "environments/prod.yaml")
    body = one(
        template(tmp_path, files, values_files=order, values={"resources": {"requests": {"cpu": 2}}})
    ).body
    assert dig(body, "spec", "replicas") == 4
    assert dig(body, *CONTAINER, "resources") == {"requests": {"cpu": 2}, "limits": {"memory": "1Gi"}}


def test_values_are_read_as_helm_reads_them(tmp_path: Path) -> None:
    """`010` is eight and `on` is true in Helm's YAML, whatever another parser thinks."""
    files = {**FILES, "v.yaml": "replicaCount: 010\nenabled: on\n"}
    assert dig(one(template(tmp_path, files, values_files=("v.yaml",))).body, "spec", "replicas") == 8


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param(MEMORY, ("web/values.yaml", 9), id="value"),
        pytest.param(("spec", "replicas"), ("web/values.yaml", 2), id="value of another name"),
        pytest.param(
            ("spec", "template", "spec", "terminationGracePeriodSeconds"),
            ("web/templates/deployment.yaml", 11),
            id="written in the template",
        ),
        pytest.param((*CONTAINER, "resources"), ("web/templates/deployment.yaml", 15), id="block"),
        pytest.param((*CONTAINER, "ports"), ("web/templates/deployment.yaml", 12), id="nearest parent"),
    ],
)
def test_a_field_is_traced_to_the_line_that_sets_it(
    tmp_path: Path, path: tuple[str | int, ...], expected: tuple[str, int]
) -> None:
    """The values file that feeds it, else the template."""
    found = one(template(tmp_path, FILES))
    assert (found.file, found.line) == ("web/templates/deployment.yaml", 3)
    assert found.locate(path) == expected


def test_the_values_file_that_wins_is_named(tmp_path: Path) -> None:
    """Of two files that hold the value, the one that counts; the chart's own otherwise."""
    files = {**FILES, "prod.yaml": "other: 1\nresources:\n  limits:\n    memory: 1Gi\n"}
    found = one(template(tmp_path, files, values_files=("prod.yaml",)))
    assert found.locate(MEMORY) == ("prod.yaml", 4)
    assert found.locate((*CONTAINER, "resources", "requests", "memory")) == ("web/values.yaml", 7)


def test_an_ambiguous_value_is_traced_to_the_template(tmp_path: Path) -> None:
    """Two candidates alike and nothing to tell them apart: no guess."""
    values = f"{VALUES}\n    other:\n      resources:\n        limits:\n          memory: 256Mi\n"
    files = {
        **FILES,
        "web/values.yaml": f"{values}    more:\n      resources: {{limits: {{memory: 256Mi}}}}\n",
    }
    found = one(template(tmp_path, files, values={"resources": {"limits": {"memory": "256Mi"}}}))
    assert found.locate(MEMORY) == ("web/templates/deployment.yaml", 15)


def test_the_values_of_the_workload_of_that_name_are_preferred(tmp_path: Path) -> None:
    """Charts of many workloads keep a section for each."""
    files = {
        "web/Chart.yaml": CHART,
        "web/values.yaml": "api: {replicas: 3}\nworker: {replicas: 3}\n",
        "web/templates/all.yaml": """
            {{- range $name, $section := .Values }}
            ---
            kind: Deployment
            metadata: {name: {{ $name }}}
            spec: {replicas: {{ $section.replicas }}}
            {{- end }}
        """,
    }
    found = {item.body["metadata"]["name"]: item for item in template(tmp_path, files).objects}
    assert found["api"].locate(("spec", "replicas")) == ("web/values.yaml", 1)
    assert found["worker"].locate(("spec", "replicas")) == ("web/values.yaml", 2)


def test_the_lines_outlive_the_tree(tmp_path: Path) -> None:
    """The exported copy is deleted before the report is written."""
    found = one(template(tmp_path, FILES))
    for file in (tmp_path / "tree").rglob("*.yaml"):
        file.unlink()
    assert found.locate(MEMORY) == ("web/values.yaml", 9)
    assert found.locate((*CONTAINER, "resources")) == ("web/templates/deployment.yaml", 15)


def test_hooks_and_tests_are_marked_and_notes_dropped(tmp_path: Path) -> None:
    """A migration Job runs once, not all month; NOTES.txt is no manifest."""
    hook = 'kind: Job\nmetadata: {name: migrate, annotations: {"helm.sh/hook": pre-upgrade}}\n'
    files = {
        **FILES,
        "web/templates/hook.yaml": hook,
        "web/templates/tests/test.yaml": hook.replace("Job", "Pod").replace("pre-upgrade", "test"),
        "web/templates/NOTES.txt": "kind: Deployment {{ .Release.Name }}",
    }
    result = template(tmp_path, files)
    assert {item.body["kind"]: item.is_hook for item in result.objects} == {
        "Deployment": False,
        "Job": True,
        "Pod": True,
    }


def test_lookup_is_empty_and_capabilities_are_those_of_a_current_cluster(tmp_path: Path) -> None:
    """There is no cluster to ask; charts that need policy/v1 get it."""
    probe = """
        kind: ConfigMap
        metadata: {name: a}
        data:
          found: {{ lookup "v1" "Secret" "default" "x" | toJson | quote }}
          policy: {{ .Capabilities.APIVersions.Has "policy/v1" | quote }}
          minor: {{ semverCompare ">=1.30-0" .Capabilities.KubeVersion.Version | quote }}
    """
    body = one(template(tmp_path, {**FILES, "web/templates/probe.yaml": probe}), "ConfigMap").body
    assert body["data"] == {"found": "{}", "policy": "true", "minor": "true"}


@pytest.mark.parametrize("skip", [False, True])
def test_custom_resource_definitions_come_along_unless_skipped(tmp_path: Path, skip: bool) -> None:
    """The `crds/` folder is no template."""
    definition = "kind: CustomResourceDefinition\nmetadata: {name: a}\n"
    result = template(tmp_path, {**FILES, "web/crds/a.yaml": definition}, skip_crds=skip)
    assert [item.file for item in result.objects if item.body["kind"] == "CustomResourceDefinition"] == (
        [] if skip else ["web/crds/a.yaml"]
    )


WITH_DEPENDENCY = (
    CHART
    + """dependencies:
  - name: cache
    version: 1.2.3
    repository: {repository}
    condition: cache.enabled
"""
)
CACHE = {
    "Chart.yaml": "apiVersion: v2\nname: cache\nversion: 1.2.3\n",
    "values.yaml": "memory: 64Mi\n",
    "templates/pod.yaml": """
        kind: Pod
        metadata: {name: cache}
        spec:
          containers:
            - resources:
                limits:
                  memory: {{ .Values.memory }}
    """,
}
POD_MEMORY = ("spec", "containers", 0, "resources", "limits", "memory")


def below(folder: str) -> dict[str, str]:
    """The cache chart in a folder."""
    return {f"{folder}/{name}": text for name, text in CACHE.items()}


@pytest.mark.parametrize(
    ("repository", "place"),
    [
        pytest.param("https://charts.example", "web/charts/cache", id="vendored folder"),
        pytest.param("file://../libraries/cache", "libraries/cache", id="beside, not vendored"),
    ],
)
def test_dependencies_in_the_tree_render_and_are_traced(tmp_path: Path, repository: str, place: str) -> None:
    """In charts/, or by `file://` anywhere in the repository, as `helm dependency build` would have put them."""
    chart = WITH_DEPENDENCY.format(repository=repository)
    pod = one(template(tmp_path, {**FILES, **below(place), "web/Chart.yaml": chart}), "Pod")
    assert dig(pod.body, *POD_MEMORY) == "64Mi"
    assert (pod.file, pod.line) == (f"{place}/templates/pod.yaml", 1)
    assert pod.locate(POD_MEMORY) == (f"{place}/templates/pod.yaml", 7)


def test_a_parent_sets_the_values_of_its_dependency(tmp_path: Path) -> None:
    """Under the dependency's name in the parent's values."""
    files = {**FILES, **below("web/charts/cache"), "web/Chart.yaml": WITH_DEPENDENCY.format(repository="''")}
    files["web/values.yaml"] = f"{VALUES}    cache:\n      limits:\n        memory: 1Gi\n      memory: 1Gi\n"
    pod = one(template(tmp_path, files), "Pod")
    assert dig(pod.body, *POD_MEMORY) == "1Gi"
    assert pod.locate(POD_MEMORY) == ("web/values.yaml", 12)


def test_a_packed_dependency_is_traced_to_its_archive(tmp_path: Path) -> None:
    """A .tgz has no lines to show."""
    tree = write(
        tmp_path / "tree", {**FILES, "web/Chart.yaml": WITH_DEPENDENCY.format(repository="https://a.example")}
    )
    (tree / "web" / "charts").mkdir()
    unpacked = write(tmp_path / "unpacked", below("cache"))
    with tarfile.open(tree / "web" / "charts" / "cache-1.2.3.tgz", "w:gz") as archive:
        archive.add(unpacked / "cache", "cache")
    pod = one(template(tmp_path, {}), "Pod")
    assert (pod.file, pod.line) == ("web/charts/cache-1.2.3.tgz", 1)
    assert pod.locate(POD_MEMORY) == ("web/charts/cache-1.2.3.tgz", 1)


def test_a_disabled_dependency_need_not_be_vendored(tmp_path: Path) -> None:
    """Helm's command line would refuse; what is switched off costs nothing, so we render."""
    chart = WITH_DEPENDENCY.format(repository="https://charts.example")
    files = {**FILES, "web/Chart.yaml": chart, "web/values.yaml": f"{VALUES}    cache: {{enabled: false}}\n"}
    assert one(template(tmp_path, files)).body["kind"] == "Deployment"


def test_a_dependency_that_a_file_dependency_misses_is_a_reason(tmp_path: Path) -> None:
    """Helm would leave it out in silence, and a change of its values would read as no impact."""
    chart = "apiVersion: v2\nname: {name}\nversion: 0.1.0\ndependencies: [{{name: {other}, repository: '{source}'}}]\n"
    files = {
        "web/Chart.yaml": chart.format(name="web", other="base", source="file://../base"),
        "base/Chart.yaml": chart.format(name="base", other="hub", source="https://charts.example"),
    }
    assert template(tmp_path, files).failure == (
        "base/Chart.yaml:4: the dependency hub (https://charts.example) is not in charts/; "
        "run `helm dependency build` and commit charts/"
    )


def test_file_dependencies_may_depend_on_each_other_but_not_for_ever(tmp_path: Path) -> None:
    """Two charts that name each other end in a reason."""
    chart = "apiVersion: v2\nname: {name}\nversion: 0.1.0\ndependencies: [{{name: {other}, repository: 'file://../{other}'}}]\n"
    files = {
        "web/Chart.yaml": chart.format(name="web", other="loop"),
        "loop/Chart.yaml": chart.format(name="loop", other="web"),
    }
    assert template(tmp_path, files).failure == "web: more than 100 charts depend on each other"


@pytest.mark.parametrize(
    ("files", "request_", "reason"),
    [
        pytest.param({"web/Chart.yaml": ""}, {}, "web: ", id="empty chart"),
        pytest.param({}, {}, "web: no Chart.yaml here", id="no chart"),
        pytest.param(
            {**FILES, "web/Chart.yaml": WITH_DEPENDENCY.format(repository="https://charts.example")},
            {},
            "web/Chart.yaml:6: the dependency cache 1.2.3 (https://charts.example) is not in charts/; "
            "run `helm dependency build` and commit charts/",
            id="missing dependency",
        ),
        pytest.param(
            {**FILES, "web/Chart.yaml": WITH_DEPENDENCY.format(repository="file://../../cache")},
            {},
            "web/Chart.yaml:6: the dependency cache (file://../../cache) is not a chart in the repository",
            id="file dependency outside",
        ),
        pytest.param(
            FILES,
            {"values_files": ("prod.yaml",)},
            "prod.yaml: the values file is not in the repository",
            id="no values",
        ),
        pytest.param(
            FILES,
            {"values_files": ("../../etc/passwd",)},
            "../../etc/passwd: the values file is not in the repository",
            id="values outside",
        ),
        pytest.param(
            {**FILES, "prod.yaml": "a: [\n"},
            {"values_files": ("prod.yaml",)},
            "web: prod.yaml: error converting YAML to JSON: yaml: line 1: did not find expected node content",
            id="bad values",
        ),
        pytest.param(
            {**FILES, "web/Chart.yaml": f"{CHART}type: library\n"},
            {},
            "web: web is a library chart: it renders nothing by itself",
            id="library",
        ),
        pytest.param(
            {**FILES, "web/templates/x.yaml": "\n{{ .Values.a.b }}"},
            {},
            "web/templates/x.yaml:1: nil pointer evaluating interface {}.b at <.Values.a.b>",
            id="nil",
        ),
        pytest.param(
            {**FILES, "web/templates/x.yaml": '{{ required "image.tag is needed" .Values.tag }}'},
            {},
            "web/templates/x.yaml:1: image.tag is needed",
            id="required",
        ),
        pytest.param(
            {
                **FILES,
                "web/templates/_h.tpl": '{{ define "a" }}\n{{ .Values.a.b }}{{ end }}',
                "web/templates/x.yaml": '{{ include "a" . }}',
            },
            {},
            "web/templates/_h.tpl:2: nil pointer evaluating interface {}.b at <.Values.a.b>",
            id="in an include",
        ),
        pytest.param(
            {**FILES, "web/templates/x.yaml": "{{ nofunction }}"},
            {},
            'web/templates/x.yaml:1: function "nofunction" not defined',
            id="parse",
        ),
        pytest.param(
            {**FILES, "web/values.schema.json": '{"properties": {"replicaCount": {"type": "string"}}}'},
            {},
            "web: values don't meet the specifications of the schema(s) in the following chart(s): "
            "web: - at '/replicaCount': got number, want string",
            id="schema",
        ),
        pytest.param(
            {**FILES, "web/templates/x.yaml": "kind: Pod\nmetadata: {name: [a}\n"},
            {},
            "web/templates/x.yaml: what this template renders cannot be read, line 2: not YAML",
            id="renders no YAML",
        ),
    ],
)
def test_what_does_not_render_has_a_readable_reason(
    tmp_path: Path, files: Mapping[str, str], request_: Mapping[str, Any], reason: str
) -> None:
    """One line that names the file and line in the repository, and what to do where we know it."""
    failure = template(tmp_path, files, **request_).failure
    assert failure is not None
    assert failure.startswith(reason)
    assert "\n" not in failure
    assert str(tmp_path) not in failure


def test_a_command_renders_as_the_library_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`helm template` prints documents under `# Source:` lines; they come out alike."""
    expected = one(template(tmp_path, FILES, values={"replicaCount": 3}))
    printed = """
        ---
        # Source: web/templates/deployment.yaml
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: release-web
          namespace: default
        spec:
          replicas: %s
          template:
            spec:
              terminationGracePeriodSeconds: 45
              containers:
                - name: web
                  image: "registry.example/web:3.1"
                  resources: {limits: {memory: 256Mi}, requests: {cpu: 100m, memory: 128Mi}}
    """
    stand_in = f"""
        import json, sys, textwrap
        assert sys.argv[1:3] == ["release", {str(tmp_path / "tree/web")!r}], sys.argv
        values = next(word for word in sys.argv if word.startswith("--values=")).partition("=")[2]
        print(textwrap.dedent({printed!r}) % json.load(open(values))["replicaCount"])
    """
    script = write(tmp_path / "tree", {"stand_in.py": stand_in}) / "stand_in.py"
    python = str(Path(sys.executable).resolve())
    program = Program("command", command=(python, "-I", "-S", str(script)))
    monkeypatch.setattr(helm, "find_program", lambda: program)
    found = one(template(tmp_path, FILES, values={"replicaCount": 3}))
    assert found == expected
    assert found.locate(MEMORY) == ("web/values.yaml", 9)


def test_no_helm_at_all_is_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names what to install."""
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert "install `tuppence[helm]`, or put `helm` on PATH" in str(template(tmp_path, FILES).failure)
