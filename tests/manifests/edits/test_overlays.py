"""A value of a Kustomize root: written in the overlay that has it, else in the base where that is its own."""

from __future__ import annotations

import pytest

from bot.manifests.edits.source_files import Kind
from bot.manifests.edits.wanted import Why
from bot.manifests.edits.writing import verify
from estimators.objects import Identity
from tests.manifests.edits.editing import CPU, REPLICAS, changed_lines, refused, wanted, whole, written

BASE = {
    "base/kustomization.yaml": "resources: [api.yaml]\n",
    "base/api.yaml": """apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
spec:
  replicas: 2   # two are enough
  template:
    metadata: {labels: {app: api}}
    spec:
      containers:
      - name: api
        image: api:1
        resources:
          requests: {cpu: 500m}
""",
}
PATCH = """# Production needs more.
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  replicas: 5
"""
PROD = Identity("prod", "", "Deployment", "api")


def overlay(name: str, body: str, **files: str) -> dict[str, str]:
    """An overlay on the base, with more files of its own."""
    own = {f"overlays/{name}/{file}.yaml": text for file, text in files.items()}
    return {f"overlays/{name}/kustomization.yaml": f"resources: [../../base]\n{body}", **own}


DEV = overlay("dev", "nameSuffix: ''\n")


def test_the_overlay_that_patches_the_value_is_written() -> None:
    """The base keeps what it says, which nobody sees."""
    files = {**BASE, **DEV, **overlay("prod", "patches: [{path: more.yaml}]\n", more=PATCH)}
    edit = written(files, wanted(REPLICAS, "4", PROD))
    assert changed_lines(files, edit) == ["-  replicas: 5", "+  replicas: 4"]
    assert (edit.places[0].file, edit.places[0].line, edit.places[0].kind) == (
        "overlays/prod/more.yaml",
        6,
        Kind.PATCH,
    )


_OPERATION = '"op": "replace", "path": "/spec/replicas", "value": 5'


@pytest.mark.parametrize(
    ("body", "more", "expected"),
    [
        pytest.param("replicas:\n- name: api\n  count: 5\n", "", "+  count: 4", id="replicas"),
        pytest.param("patches:\n- patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: api}\n    spec:\n      replicas: 5  # peak\n",
            "", "+      replicas: 4  # peak", id="an inline patch"),
        pytest.param(f"patches:\n- target: {{kind: Deployment}}\n  patch: '[{{{_OPERATION}}}]'\n", "",
            "+  patch: '[{\"op\": \"replace\", \"path\": \"/spec/replicas\", \"value\": 4}]'", id="operations on one line"),
        pytest.param("patches:\n- target: {kind: Deployment, name: a.*}\n  path: more.yaml\n", f"# why\n- {{{_OPERATION}}}\n",
            '+- {"op": "replace", "path": "/spec/replicas", "value": 4}', id="operations in a file, for a pattern"),
        pytest.param("patchesJson6902:\n- target: {group: apps, version: v1, kind: Deployment, name: api}\n  path: more.yaml\n",
            '[\n  {"op": "replace", "path": "/spec/replicas", "value": 5}\n]\n',
            '+  {"op": "replace", "path": "/spec/replicas", "value": 4}', id="the older form, in JSON"),
        pytest.param("patchesStrategicMerge: [more.yaml]\n", PATCH.replace("\n", "\r\n"), "+  replicas: 4\r", id="the older form"),
        pytest.param("namePrefix: eu-\npatches: [{path: more.yaml}]\n", PATCH, "+  replicas: 4", id="a prefix"),
        pytest.param("components: [../../parts]\n", PATCH, "+  replicas: 4", id="a component"),
    ],
)  # fmt: skip
def test_each_way_to_say_it_is_written(body: str, more: str, expected: str) -> None:
    """Each with its own quotes, comments and line ends."""
    files = {**BASE, **DEV, **overlay("prod", body)}
    if "components" in body:
        files["parts/kustomization.yaml"] = (
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches: [{path: more.yaml}]\n"
        )
        files["parts/more.yaml"] = more
    elif more:
        files["overlays/prod/more.yaml"] = more
    name = "eu-api" if "namePrefix" in body else "api"
    edit = written(files, wanted(REPLICAS, "4", PROD._replace(name=name)))
    assert changed_lines(files, edit)[1:] == [expected]


def test_the_base_is_written_where_all_that_build_on_it_are_meant() -> None:
    """One overlay, or the same change in each."""
    files = {**BASE, **DEV, **overlay("prod", "")}
    changes = [wanted(REPLICAS, "3", PROD._replace(environment=name)) for name in ("dev", "prod")]
    edit = written(files, *changes)
    assert changed_lines(files, edit) == [
        "-  replicas: 2   # two are enough",
        "+  replicas: 3   # two are enough",
    ]
    assert edit.places[0].kind is Kind.BASE
    assert len(edit.places) == 1
    alone = {**BASE, **overlay("prod", "")}
    assert changed_lines(alone, written(alone, wanted(REPLICAS, "3", PROD))) == changed_lines(files, edit)


def test_a_patch_of_the_overlay_takes_a_value_that_the_base_has_for_all() -> None:
    """Where it is for the same object already: the container is named in it as in the base."""
    files = {**BASE, **DEV, **overlay("prod", "patches: [{path: more.yaml}]\n", more=PATCH)}
    edit = written(files, wanted(CPU, "900m", PROD))
    assert changed_lines(files, edit) == [
        "+  template:",
        "+    spec:",
        "+      containers:",
        "+      - name: api",
        "+        resources:",
        "+          requests:",
        "+            cpu: 900m",
    ]
    assert list(edit.files) == ["overlays/prod/more.yaml"]


@pytest.mark.parametrize(
    ("field", "value"), [(CPU, "900m"), (REPLICAS, "4"), (CPU.replace("cpu", "memory"), "1Gi")]
)
def test_without_such_a_patch_a_person_gets_one_to_copy(field: str, value: str) -> None:
    """Added to the overlay, it does what was asked for and nothing else."""
    files = {**BASE, **DEV, **overlay("prod", "")}
    change = wanted(field, value, PROD)
    found = refused(files, change)
    assert (found.why, {move.identity.environment for move in found.moves}) == (Why.SHARED, {"dev"})
    assert "base/api.yaml:" in found.advice
    assert "add a patch to overlays/prod/kustomization.yaml" in found.advice
    by_hand = (files["overlays/prod/kustomization.yaml"] + found.patch).encode()
    assert verify(whole(files), {"overlays/prod/kustomization.yaml": by_hand}, [change]) == ()


def test_what_cannot_be_rendered_is_not_taken_for_unmoved() -> None:
    """Another overlay on the base is broken: nobody knows what would change in it."""
    files = {**BASE, **overlay("prod", ""), **overlay("broken", "patches: [{path: gone.yaml}]\n")}
    found = refused(files, wanted(REPLICAS, "3", PROD))
    assert found.why is Why.SHARED
    assert "what moves in overlays/broken is not known" in found.advice
    told = verify(
        whole(files),
        {"base/api.yaml": BASE["base/api.yaml"].replace("2 ", "3 ").encode()},
        [wanted(REPLICAS, "3", PROD)],
    )
    assert told == ("what moves in overlays/broken is not known: it cannot be rendered",)


def test_verify_tells_what_else_moves_and_what_does_not() -> None:
    """Each as a sentence that names object, field and values."""
    files = {**BASE, **DEV, **overlay("prod", "patches: [{path: more.yaml}]\n", more=PATCH)}
    base = BASE["base/api.yaml"].replace("replicas: 2", "replicas: 4").encode()
    assert verify(whole(files), {"base/api.yaml": base}, [wanted(REPLICAS, "4", PROD)]) == (
        "dev: Deployment api spec.replicas 2 → 4 was not asked for",
        "prod: Deployment api spec.replicas does not become 4",
    )
    assert verify(whole(files), {"base/api.yaml": b"kind: ["}, []) != ()


_APPLICATION = """apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: api-{name}, namespace: argocd}}
spec:
  destination: {{namespace: {name}}}
  source: {{repoURL: "{{{{ .Values.url }}}}", path: base}}
"""


def _deployed_to(*names: str) -> dict[str, str]:
    """A chart that renders Applications of the base, one a namespace."""
    return {
        **BASE,
        "apps/Chart.yaml": "apiVersion: v2\nname: apps\nversion: 0.1.0\n",
        "apps/values.yaml": "url: https://example.com/shop.git\n",
        **{f"apps/templates/{name}.yaml": _APPLICATION.format(name=name) for name in names},
    }


def test_what_applications_of_applications_deploy_is_known() -> None:
    """The object's namespace stands in an Application that a chart renders."""
    files = _deployed_to("shop")
    edit = written(files, wanted(REPLICAS, "3", Identity("", "shop", "Deployment", "api")))
    assert changed_lines(files, edit)[1:] == ["+  replicas: 3   # two are enough"]


def test_an_object_that_two_applications_deploy_is_shared() -> None:
    """Each in a namespace of its own."""
    found = refused(
        _deployed_to("shop", "stage"), wanted(REPLICAS, "3", Identity("", "shop", "Deployment", "api"))
    )
    assert found.why is Why.SHARED
    assert [str(move) for move in found.moves] == ["Deployment stage/api spec.replicas 2 → 3"]


def test_a_container_that_a_patch_appends_is_written_there() -> None:
    """By a JSON patch for every Deployment, into the list's end."""
    add = "- op: add\n  path: /spec/template/spec/containers/-\n  value:\n    name: proxy\n    resources:\n      limits: {cpu: 200m}\n"
    files = {
        **BASE,
        **overlay("prod", "patches: [{path: more.yaml, target: {kind: Deployment}}]\n", more=add),
    }
    limit = CPU.replace("[0]", "[1]").replace("requests", "limits")
    assert changed_lines(files, written(files, wanted(limit, "150m", PROD)))[1:] == [
        "+      limits: {cpu: 150m}"
    ]
    assert changed_lines(files, written(files, wanted(CPU.replace("[0]", "[1]"), "50m", PROD))) == [
        "+      requests:",
        "+        cpu: 50m",
    ]
