"""Plain manifests of two trees: what a change can have touched."""

from __future__ import annotations

import pytest

from bot.manifests.change import EnvironmentRule
from bot.ports import SkippedPath
from estimators.objects import Identity, Source
from tests.manifests.memory_tree import MemoryTree, deployment, names, read, unpriced

HPA = "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: api}\nspec: {maxReplicas: 3}\n"


def test_the_manifests_beside_a_changed_file_are_read_too() -> None:
    """An HPA in the unchanged file beside a Deployment decides what the change costs; other folders do not."""
    base = {"app/api.yaml": deployment("api"), "app/hpa.yml": HPA, "other/x.yaml": deployment("x")}
    change = read(base, {**base, "app/api.yaml": deployment("api", "200m")})
    assert change.changed_files == ("app/api.yaml",)
    assert names(change.base) == names(change.head) == ["Deployment api", "HorizontalPodAutoscaler api"]


def test_objects_know_their_place() -> None:
    """File and line of the object and of each field, in whatever document and list of the file."""
    text = f"---\n{HPA}---\nkind: List\napiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {{name: p}}\n"
    change = read({}, {"all.yaml": text})
    hpa, pod = change.head.objects
    assert (hpa.source, hpa.locate(("spec", "maxReplicas"))) == (Source("all.yaml", 2), Source("all.yaml", 5))
    assert (pod.identity, pod.source) == (Identity("", "", "Pod", "p"), Source("all.yaml", 10))
    assert pod.locate(("metadata", "name")) == Source("all.yaml", 12)
    assert pod.api_version == "v1"


def test_nothing_changed_reads_nothing() -> None:
    """Two equal trees are not even opened."""
    tree = MemoryTree({"a.yaml": deployment("a")})
    change = read(tree, MemoryTree(tree.files))
    assert (change.base.objects, change.changed_files, tree.times_read) == ((), (), {})


def test_an_unchanged_content_is_parsed_once_for_both_sides() -> None:
    """The body is the same object."""
    base = MemoryTree({"a.yaml": deployment("a"), "b.yaml": deployment("b")})
    head = MemoryTree({"a.yaml": deployment("a"), "b.yaml": deployment("b", "2")})
    change = read(base, head)
    one = {item.identity.name: item.body for item in change.base.objects}
    other = {item.identity.name: item.body for item in change.head.objects}
    assert one["a"] is other["a"]
    assert "a.yaml" not in head.times_read


def test_a_renamed_or_moved_file_changes_no_identity() -> None:
    """Identity is never the path."""
    change = read({"old/a.yaml": deployment("a")}, {"new/b.yaml": deployment("a")})
    assert names(change.base) == names(change.head) == ["Deployment a"]
    assert change.base.objects[0].body == change.head.objects[0].body


def test_the_same_object_twice_counts_once_and_is_told() -> None:
    """The one in a changed file wins, else the last one."""
    base = {"a.yaml": deployment("x", "1"), "b.yaml": deployment("x", "2"), "c.yaml": "# nothing\n"}
    change = read(base, {**base, "a.yaml": deployment("x", "5")})
    assert [str(kept.source.file) for kept, _ in change.head.duplicates] == ["a.yaml"]
    assert [other for _, other in change.head.duplicates] == [Source("b.yaml", 1)]
    change = read(base, {**base, "c.yaml": "# more\n"})
    assert [item.source.file for item in change.head.objects] == ["b.yaml"]
    assert [other for _, other in change.base.duplicates] == [Source("a.yaml", 1)]


@pytest.mark.parametrize("path", ["values.yaml", "notes.txt", "config.json", ".github/workflows/x.yml"])
def test_files_without_objects_are_passed_over(path: str) -> None:
    """Nothing is listed for files that are no manifests; values that no chart takes are told, though."""
    change = read({}, {path: '{"a": 1}\n'})
    assert change.head.objects == ()
    reasons = [reason for _, _, reason in unpriced(change.head)]
    assert [reason.startswith("Helm values that no chart") for reason in reasons] == [True] * (
        path == "values.yaml"
    )


def test_json_manifests_are_read() -> None:
    """As kubectl does."""
    text = '{"apiVersion": "v1", "kind": "Pod",\n "metadata": {"name": "p"}}'
    assert names(read({}, {"a.json": text}).head) == ["Pod p"]


def test_the_policy_names_environments() -> None:
    """The first rule that matches a path; `--env` reads no other."""
    rules = [EnvironmentRule("production", ("clusters/prod/**",)), EnvironmentRule("rest", ("clusters/**",))]
    head = {
        "clusters/prod/a.yaml": deployment("a"),
        "clusters/dev/a.yaml": deployment("a"),
        "b.yaml": deployment("b"),
    }
    assert names(read({}, head, environments=rules).head) == [
        "Deployment b",
        "production: Deployment a",
        "rest: Deployment a",
    ]
    only = read({}, head, environments=rules, only_environment="production")
    assert names(only.head) == ["production: Deployment a"]


def test_ignored_paths_are_not_looked_at() -> None:
    """Neither as changes nor as neighbours of one."""
    head = {"a.yaml": deployment("a"), "docs/b.yaml": deployment("b"), "c.yaml": deployment("c")}
    change = read({}, head, ignore=["docs/**", "c.yaml"])
    assert (names(change.head), change.changed_files) == (["Deployment a"], ("a.yaml",))
    assert read({}, {"c.yaml": deployment("c")}, ignore=["*.yaml"]).head.objects == ()


def test_an_object_without_a_name_is_told() -> None:
    """`generateName` will do; what has neither name nor specification is no object at all."""
    head = {
        "a.yaml": "apiVersion: v1\nkind: Pod\nspec: {}\n---\napiVersion: skaffold/v4\nkind: Config\n---\napiVersion: v1\nkind: Pod\nmetadata: {generateName: p-}\n"
    }
    change = read({}, head)
    assert names(change.head) == ["Pod p-"]
    assert unpriced(change.head) == [("Pod", "a.yaml", "line 1: it has no metadata.name")]


def test_what_only_one_side_could_read_is_neither_added_nor_removed() -> None:
    """A missing bracket saves nothing. What was really removed beside it is."""
    two = deployment("a") + "---\n" + deployment("b")
    broken = deployment("a") + "---\nkind: [\n"
    change = read({"x.yaml": two, "y.yaml": deployment("c")}, {"x.yaml": broken})
    assert names(change.base) == ["Deployment a", "Deployment c"]
    assert names(change.head) == ["Deployment a"]
    assert [(kind, file) for kind, file, _ in unpriced(change.head)] == [("File", "x.yaml")]
    back = read({"x.yaml": broken}, {"x.yaml": two})
    assert names(back.head) == ["Deployment a"]


def test_skipped_files_beside_a_change_are_listed() -> None:
    """A symlink may have been a manifest."""
    head = MemoryTree(
        {"app/a.yaml": deployment("a")},
        skipped=[
            SkippedPath("app/b.yaml", "a symlink"),
            SkippedPath("x/c.yaml", "a symlink"),
            SkippedPath("app/d", ""),
        ],
    )
    assert unpriced(read({}, head).head) == [("File", "app/b.yaml", "not read: a symlink")]


BOMB = 'a: &a ["lol","lol","lol","lol","lol","lol","lol","lol","lol"]\n' + "".join(
    f"{name}: &{name} [{','.join(['*' + before] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(BOMB.encode(), "line 6: aliases repeat", id="alias bomb"),
        pytest.param(b"a: &a [*a]\n", "line 1: the alias `*a` stands inside", id="self alias"),
        pytest.param(b"[" * 5000, "line 1: nested more than", id="5,000 deep"),
        pytest.param(b"a: 1\n" * 3_000_000, "line 1: the file is larger than", id="over 10 MB"),
        pytest.param("kind: Pod\n".encode("utf-16"), "line 1: the file is encoded in UTF-16", id="UTF-16"),
        pytest.param(b"a: !!python/name:os.system\n", "line 1: the tag `!!python", id="python tag"),
        pytest.param(b"? [a, b]\n: 1\n", "line 1: a mapping key must be text", id="complex key"),
        pytest.param(b"kind: {{ .Values.kind }}\n", "line 1: a template with", id="template"),
        pytest.param(b"a:\n\tb: 1\n", "line 2: a tab indents", id="tab"),
        pytest.param(b"kind: Secret\nsops: {mac: x}\n", "line 1: encrypted with SOPS", id="SOPS"),
        pytest.param(
            b"version https://git-lfs.github.com/spec/v1\n", "line 1: the file is a Git LFS", id="LFS"
        ),
        pytest.param(b"a: 1\na: 2\n", "line 2: `a` is written twice", id="duplicate key"),
    ],
)
def test_a_hostile_file_is_a_row_and_the_rest_stands(data: bytes, reason: str) -> None:
    """It names file and line; everything else is read."""
    change = read({}, {"bad.yaml": data, "good.yaml": deployment("a")})
    assert names(change.head) == ["Deployment a"]
    ((kind, file, told),) = unpriced(change.head)
    assert (kind, file, told.startswith(reason)) == ("File", "bad.yaml", True), told


def test_file_names_are_shown_as_text() -> None:
    """Bytes that are no text are escaped; what a name may do to a page is the page's concern."""
    head = {"\udcff.yaml": deployment("a"), "`x`|<img>.yaml": "a: [\n"}
    change = read({}, head)
    assert change.changed_files == ("\\xff.yaml", "`x`|<img>.yaml")
    assert change.head.objects[0].source.file == "\\xff.yaml"
    assert change.head.objects[0].locate(("spec",)).file == "\\xff.yaml"
    assert unpriced(change.head)[0][1] == "`x`|<img>.yaml"


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: v1\nkind: [Pod]\nmetadata: {name: x}\n",
        "apiVersion: v1\nkind: Pod\nmetadata: [name]\n",
        "apiVersion: v1\nkind: List\nitems: {a: 1}\n",
        "apiVersion: v1\nkind: List\nitems: [[[1]], null, {kind: List, items: [3]}]\n",
        "apiVersion: {}\nkind: Pod\n",
        "- apiVersion: v1\n  kind: Pod\n",
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: {a: 1}\npatches: 5\n",
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: 5\nspec: [1]\n",
        "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nspec: {generators: [5, {list: 3}], template: 7}\n",
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nspec: {chart: {spec: 5}, valuesFrom: 5}\n",
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nspec: {path: [1], postBuild: 3}\n",
    ],
    ids=range(11),
)
@pytest.mark.parametrize("path", ["a.yaml", "kustomization.yaml", "Chart.yaml"])
def test_any_shape_of_a_document_is_borne(path: str, text: str) -> None:
    """Strangers write what they like; nothing raises."""
    change = read({}, {path: text, "good.yaml": deployment("a")})
    assert "Deployment a" in names(change.head)
