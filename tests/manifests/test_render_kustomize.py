"""What Kustomize builds, and which file and line each field is traced to."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bot.manifests import kustomize
from bot.manifests.render import make_renderer
from bot.manifests.rendered import RenderedObject, RenderRequest, RenderResult, RootKind
from bot.manifests.sandbox import Program
from estimators.objects import dig
from tests.manifests.tree_files import write

DEPLOYMENT = """
    # who: payments
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: api
    spec:
      replicas: 1
      template:
        spec:
          containers:
            - name: api
              image: registry.example/api:1.0
              resources:
                requests: {cpu: 100m, memory: 128Mi}
                limits:
                  memory: 256Mi
            - name: proxy
              image: registry.example/proxy:1.0
"""
CONTAINER = ("spec", "template", "spec", "containers", 0)
BASE = {"base/deployment.yaml": DEPLOYMENT, "base/kustomization.yaml": "resources: [deployment.yaml]"}


def build(folder: Path, files: dict[str, str], root: str = "prod", namespace: str = "") -> RenderResult:
    """Render one kustomization of a tree."""
    request = RenderRequest(RootKind.KUSTOMIZE, root, namespace=namespace)
    return make_renderer()(write(folder / "tree", files), [request])[0]


def deployment(result: RenderResult) -> RenderedObject:
    """The one Deployment that came out."""
    assert result.failure is None
    (found,) = (item for item in result.objects if item.body["kind"] == "Deployment")
    return found


def test_an_object_knows_the_file_it_was_written_in(tmp_path: Path) -> None:
    """The base's file and the first line of the object, and no trace of how we know."""
    found = deployment(build(tmp_path, {**BASE, "prod/kustomization.yaml": "resources: [../base]"}))
    assert (found.file, found.line) == ("base/deployment.yaml", 2)
    assert found.locate((*CONTAINER, "resources", "limits", "memory")) == ("base/deployment.yaml", 16)
    assert "annotations" not in found.body["metadata"]


def test_annotations_of_ones_own_are_kept(tmp_path: Path) -> None:
    """Only the annotation that we asked for goes."""
    files = {**BASE, "prod/kustomization.yaml": "resources: [../base]\ncommonAnnotations: {team: payments}\n"}
    assert deployment(build(tmp_path, files)).body["metadata"]["annotations"] == {"team": "payments"}


PATCH_FILE = """
    kind: Deployment
    apiVersion: apps/v1
    metadata: {name: api}
    spec:
      template:
        spec:
          containers:
            - name: api
              resources:
                limits:
                  memory: 1Gi
"""
INLINE = """
    resources: [../base]
    patches:
      - target: {kind: Deployment, name: a.*}
        patch: |-
          - op: replace
            path: /spec/template/spec/containers/0/resources/limits/memory
            value: 1Gi
"""
INLINE_MERGE = """
    resources: [../base]
    patches:
      - patch: |-
          apiVersion: apps/v1
          kind: Deployment
          metadata: {name: api}
          spec: {template: {spec: {containers: [
            {name: api, resources: {limits: {
              memory: 1Gi}}}]}}}
"""
WHOLE = """
    resources: [../base]
    patches:
      - target: {kind: Deployment}
        path: patch.json
"""
WHOLE_PATCH = """
    [{"op": "add", "path": "/spec/template/spec/containers/0/resources/limits",
      "value": {
        "memory": "1Gi"}}]
"""


@pytest.mark.parametrize(
    ("kustomization", "patch", "expected"),
    [
        pytest.param(
            "resources: [../base]\npatches: [{path: patch.yaml}]",
            {"prod/patch.yaml": PATCH_FILE},
            ("prod/patch.yaml", 11),
            id="strategic merge in a file",
        ),
        pytest.param(
            "resources: [../base]\npatchesStrategicMerge: [patch.yaml]",
            {"prod/patch.yaml": PATCH_FILE},
            ("prod/patch.yaml", 11),
            id="the older field",
        ),
        pytest.param(INLINE, {}, ("prod/kustomization.yaml", 7), id="JSON patch written in place"),
        pytest.param(INLINE_MERGE, {}, ("prod/kustomization.yaml", 9), id="strategic merge written in place"),
        pytest.param(
            WHOLE, {"prod/patch.json": WHOLE_PATCH}, ("prod/patch.json", 3), id="JSON patch of a parent"
        ),
        pytest.param(
            "resources: [../base]\nnamePrefix: prod-\nnamespace: pay\npatches: [{path: patch.yaml}]",
            {"prod/patch.yaml": PATCH_FILE},
            ("prod/patch.yaml", 11),
            id="the object is renamed",
        ),
        pytest.param(
            "resources: [../base]\ncomponents: [../big]",
            {
                "big/kustomization.yaml": "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\n"
                "patches: [{path: patch.yaml}]",
                "big/patch.yaml": PATCH_FILE,
            },
            ("big/patch.yaml", 11),
            id="a component's patch",
        ),
    ],
)
def test_a_patched_field_is_traced_to_the_patch(
    tmp_path: Path, kustomization: str, patch: dict[str, str], expected: tuple[str, int]
) -> None:
    """A comment on a change must stand on the line that makes it; what is not patched stays with the base."""
    found = deployment(build(tmp_path, {**BASE, "prod/kustomization.yaml": kustomization, **patch}))
    limit = (*CONTAINER, "resources", "limits", "memory")
    assert dig(found.body, *limit) == "1Gi"
    assert found.locate(limit) == expected
    assert found.locate((*CONTAINER, "resources", "requests", "cpu")) == ("base/deployment.yaml", 14)


def test_the_outer_of_two_patches_is_named(tmp_path: Path) -> None:
    """Patches apply from the inside out; the last one counts."""
    files = {
        **BASE,
        "mid/kustomization.yaml": "resources: [../base]\npatches: [{path: patch.yaml}]",
        "mid/patch.yaml": PATCH_FILE.replace("1Gi", "512Mi"),
        "prod/kustomization.yaml": "resources: [../mid]\npatches: [{path: patch.yaml}]",
        "prod/patch.yaml": PATCH_FILE,
    }
    limit = (*CONTAINER, "resources", "limits", "memory")
    assert deployment(build(tmp_path, files)).locate(limit) == ("prod/patch.yaml", 11)


@pytest.mark.parametrize(
    ("line", "path", "value"),
    [
        pytest.param("replicas: [{name: api, count: 4}]", ("spec", "replicas"), 4, id="replicas"),
        pytest.param(
            "images: [{name: registry.example/api, newTag: '2.0'}]",
            (*CONTAINER, "image"),
            "registry.example/api:2.0",
            id="images",
        ),
        pytest.param("namespace: pay", ("metadata", "namespace"), "pay", id="namespace"),
    ],
)
def test_a_field_set_by_the_kustomization_is_traced_to_its_line(
    tmp_path: Path, line: str, path: tuple[str | int, ...], value: object
) -> None:
    """`replicas`, `images` and `namespace` have no patch file."""
    files = {**BASE, "prod/kustomization.yaml": f"resources:\n  - ../base\n{line}\n"}
    found = deployment(build(tmp_path, files))
    assert dig(found.body, *path) == value
    assert found.locate(path) == ("prod/kustomization.yaml", 3)


def test_an_image_that_another_entry_changes_stays_with_the_base(tmp_path: Path) -> None:
    """The sidecar's tag is the base's own."""
    line = "images: [{name: registry.example/api, newTag: '2.0'}]"
    found = deployment(
        build(tmp_path, {**BASE, "prod/kustomization.yaml": f"resources: [../base]\n{line}\n"})
    )
    assert found.locate(("spec", "template", "spec", "containers", 1, "image")) == (
        "base/deployment.yaml",
        18,
    )


def test_two_objects_of_one_file_keep_their_own_lines(tmp_path: Path) -> None:
    """By kind and by name, where one name is part of the other."""
    second = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: api-worker\nspec: {replicas: 2}\n"
    first = second.replace("api-worker", "api").replace("2", "1")
    files = {
        "prod/all.yaml": f"{first}---\n{second}",
        "prod/kustomization.yaml": "resources: [all.yaml]\nnamePrefix: x-",
    }
    found = {
        item.body["metadata"]["name"]: item.locate(("spec", "replicas"))
        for item in build(tmp_path, files).objects
    }
    assert found == {"x-api": ("prod/all.yaml", 5), "x-api-worker": ("prod/all.yaml", 11)}


def test_generated_objects_belong_to_the_kustomization(tmp_path: Path) -> None:
    """A ConfigMap from a generator has no file of its own."""
    files = {"prod/kustomization.yaml": "configMapGenerator: [{name: a, literals: [b=c]}]"}
    (found,) = build(tmp_path, files).objects
    assert found.body["data"] == {"b": "c"}
    assert found.file == "prod/kustomization.yaml"


def test_a_namespace_asked_for_overrides_as_flux_does(tmp_path: Path) -> None:
    """The namespace of a request is Kustomize's own `namespace:` around the root."""
    result = build(tmp_path, {**BASE, "prod/kustomization.yaml": "resources: [../base]"}, namespace="pay")
    assert deployment(result).body["metadata"]["namespace"] == "pay"


def test_files_of_another_folder_of_the_tree_may_be_patches(tmp_path: Path) -> None:
    """Flux allows it, and the fence is what keeps the rest of the machine out."""
    files = {
        **BASE,
        "shared/patch.yaml": PATCH_FILE,
        "prod/kustomization.yaml": "resources: [../base]\npatches: [{path: ../shared/patch.yaml}]",
    }
    limit = (*CONTAINER, "resources", "limits", "memory")
    assert deployment(build(tmp_path, files)).locate(limit) == ("shared/patch.yaml", 11)


def test_a_schema_of_one_root_does_not_reach_the_next(tmp_path: Path) -> None:
    """`openapi` says how lists merge; the same root builds alike before and after one that has it."""
    custom = "apiVersion: x.example/v1\nkind: Foo\nmetadata: {name: a}\nitems: [{name: a, v: 1}, {name: b, v: 1}]\n"
    patch = "apiVersion: x.example/v1\nkind: Foo\nmetadata: {name: a}\nitems: [{name: b, v: 2}]\n"
    schema = """
        {"definitions": {"x": {
          "x-kubernetes-group-version-kind": [{"group": "x.example", "version": "v1", "kind": "Foo"}],
          "properties": {"items": {"type": "array", "items": {"type": "object"},
            "x-kubernetes-patch-merge-key": "name", "x-kubernetes-patch-strategy": "merge"}}}}}
    """
    plain = "resources: [foo.yaml]\npatches: [{path: patch.yaml}]\n"
    files = {
        f"{root}/{name}": text
        for root in "ab"
        for name, text in (("foo.yaml", custom), ("patch.yaml", patch))
    }
    files |= {
        "a/kustomization.yaml": plain,
        "b/kustomization.yaml": f"{plain}openapi: {{path: schema.json}}\n",
    }
    tree = write(tmp_path / "tree", {**files, "b/schema.json": schema})
    results = make_renderer()(tree, [RenderRequest(RootKind.KUSTOMIZE, root) for root in "aba"])
    assert [len(result.objects[0].body["items"]) for result in results] == [1, 2, 1]


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        pytest.param({}, "prod: no kustomization.yaml here", id="no kustomization"),
        pytest.param(
            {"prod/kustomization.yaml": ""},
            "prod/kustomization.yaml:1: the kustomization is empty",
            id="empty",
        ),
        pytest.param(
            {"prod/kustomization.yaml": "resources:\n  - gone.yaml\n"},
            "prod/kustomization.yaml:2: gone.yaml is not in the repository",
            id="missing file",
        ),
        pytest.param(
            {"prod/kustomization.yaml": "namespace: a\nhelmCharts: [{name: redis}]\n"},
            "prod/kustomization.yaml:2: `helmCharts` has Kustomize run Helm, which is refused; "
            "commit the rendered objects, or let Argo CD or Flux name the chart",
            id="helm inflation",
        ),
        pytest.param(
            {
                **BASE,
                "prod/kustomization.yaml": "resources: [../base]\npatches:\n  - p.yaml\n",
                "prod/p.yaml": PATCH_FILE,
            },
            "prod/kustomization.yaml:3: Kustomize no longer reads `patches` as a list of files; write `- path: p.yaml`",
            id="patches as files",
        ),
        pytest.param(
            {"prod/kustomization.yaml": "kind: Component\nresources: []\n"},
            "prod/kustomization.yaml:1: a Component renders only as part of a kustomization that lists it",
            id="component",
        ),
        pytest.param(
            {
                **BASE,
                "prod/kustomization.yaml": "resources: [../base]\npatches: [{path: p.yaml}]",
                "prod/p.yaml": PATCH_FILE.replace("name: api", "name: web"),
            },
            'prod: no resource matches strategic merge patch "Deployment.v1.apps/web.[noNs]": '
            "no matches for Id Deployment.v1.apps/web.[noNs]; "
            "failed to find unique target for patch Deployment.v1.apps/web.[noNs]",
            id="patch without target",
        ),
        pytest.param(
            {"prod/kustomization.yaml": "resources: [d.yaml]", "prod/d.yaml": "a: 1"},
            "prod/d.yaml: missing Resource metadata",
            id="no object",
        ),
        pytest.param(
            {"prod/kustomization.yaml": "resources: [../prod]"},
            "prod: cycle detected",
            id="cycle",
        ),
    ],
)
def test_what_does_not_render_has_a_readable_reason(
    tmp_path: Path, files: dict[str, str], reason: str
) -> None:
    """One line that names the file, and the line where we know it, instead of Kustomize's paragraph."""
    failure = build(tmp_path, files).failure
    assert failure is not None
    assert failure.startswith(reason)
    assert "\n" not in failure
    assert str(tmp_path) not in failure


FUNCTION = f"""
    apiVersion: v1
    kind: Anything
    metadata:
      name: a
      annotations:
        config.kubernetes.io/function: |
          exec: {{path: {sys.executable}}}
"""


def test_programs_that_hide_in_folders_are_refused(tmp_path: Path) -> None:
    """What is not found before rendering does not run either."""
    files = {
        **BASE,
        "prod/kustomization.yaml": "resources: [../base]\ngenerators: [../far]",
        "far/kustomization.yaml": "resources: [../farther]",
        "farther/kustomization.yaml": "resources: [g.yaml]",
        "farther/g.yaml": FUNCTION,
    }
    assert "generators and transformers that run programs are refused" in str(build(tmp_path, files).failure)


def test_a_command_renders_as_the_library_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`kustomize` prints YAML; its objects and origins come out alike."""
    files = {**BASE, "prod/kustomization.yaml": "resources: [../base]"}
    expected = deployment(build(tmp_path, files))
    printed = DEPLOYMENT.replace(
        "      name: api\n", "      name: api\n      annotations: {config.kubernetes.io/origin: %r}\n", 1
    )
    stand_in = f"""
        import os, pathlib, sys, textwrap
        folder = pathlib.Path(sys.argv[-1])
        assert '"originAnnotations"' in (folder / "kustomization.yaml").read_text()
        origin = "path: " + os.path.relpath({str(tmp_path / "tree/base/deployment.yaml")!r}, folder)
        print(textwrap.dedent({printed!r}) % origin)
    """
    script = write(tmp_path / "tree", {"stand_in.py": stand_in}) / "stand_in.py"
    python = str(Path(sys.executable).resolve())
    program = Program("command", command=(python, "-I", "-S", str(script)))
    monkeypatch.setattr(kustomize, "find_program", lambda: program)
    found = deployment(build(tmp_path, files))
    assert found == expected
    assert found.locate(("spec", "replicas")) == ("base/deployment.yaml", 7)


def test_a_command_that_fails_gives_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it wrote to standard error, without the warnings before it."""
    code = "import sys; sys.exit('# Warning: old field\\nError: no such luck')"
    python = str(Path(sys.executable).resolve())
    monkeypatch.setattr(
        kustomize, "find_program", lambda: Program("command", command=(python, "-I", "-S", "-c", code))
    )
    files = {**BASE, "prod/kustomization.yaml": "resources: [../base]"}
    assert build(tmp_path, files).failure == "prod: no such luck"


def test_no_kustomize_at_all_is_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names what to install."""
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert "put `kustomize` or `kubectl` on PATH" in str(build(tmp_path, BASE, root="base").failure)
