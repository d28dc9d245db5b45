"""From changed files to the Kustomize and Helm roots that use them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.manifests.change import read_change
from bot.manifests.render import make_renderer
from bot.manifests.rendered import RenderedObject, RenderRequest, RenderResult
from tests.manifests.memory_tree import (
    Files,
    MemoryTree,
    RecordingRenderer,
    changed,
    deployment,
    names,
    read,
    really,
    unpriced,
)

CHART = "apiVersion: v2\nname: api\nversion: 0.1.0\n"

OVERLAYS: Files = {
    "base/kustomization.yaml": "resources: [api.yaml, ../shared]\nconfigMapGenerator:\n- name: c\n  files: [k=settings.conf]\n",
    "base/api.yaml": deployment("api"),
    "base/settings.conf": "a=1\n",
    "shared/kustomization.yml": "resources:\n- other.yaml\n",
    "shared/other.yaml": deployment("other"),
    "overlays/dev/kustomization.yaml": "resources: [../../base]\n",
    "overlays/prod/kustomization.yaml": (
        "resources: [../../base]\ncomponents: [../../spot]\npatches:\n- path: replicas.yaml\n"
        "patchesStrategicMerge: [merge.yaml]\npatchesJson6902:\n- {path: json.yaml, target: {kind: Deployment}}\n"
        "replacements:\n- path: replace.yaml\nopenapi: {path: schema.json}\n"
    ),
    "overlays/prod/replicas.yaml": deployment("api"),
    "overlays/prod/merge.yaml": deployment("api"),
    "overlays/prod/json.yaml": "- {op: remove, path: /spec}\n",
    "overlays/prod/replace.yaml": "a: 1\n",
    "overlays/prod/schema.json": "{}",
    "spot/kustomization.yaml": "kind: Component\npatches: [{path: spot.yaml}]\n",
    "spot/spot.yaml": deployment("api"),
    "old/Kustomization": "bases: [../base]\npatches: [list.yaml]\n",
    "old/list.yaml": deployment("api"),
    "lonely/kustomization.yaml": "resources: [x.yaml]\n",
    "lonely/x.yaml": deployment("x"),
    "lonely/unused.yaml": deployment("unused"),
}


@pytest.mark.parametrize(
    ("path", "roots"),
    [
        ("base/api.yaml", ["old", "overlays/dev", "overlays/prod"]),
        ("base/settings.conf", ["old", "overlays/dev", "overlays/prod"]),
        ("shared/other.yaml", ["old", "overlays/dev", "overlays/prod"]),
        ("base/kustomization.yaml", ["old", "overlays/dev", "overlays/prod"]),
        ("overlays/dev/kustomization.yaml", ["overlays/dev"]),
        ("overlays/prod/replicas.yaml", ["overlays/prod"]),
        ("overlays/prod/merge.yaml", ["overlays/prod"]),
        ("overlays/prod/json.yaml", ["overlays/prod"]),
        ("overlays/prod/replace.yaml", ["overlays/prod"]),
        ("overlays/prod/schema.json", ["overlays/prod"]),
        ("spot/spot.yaml", ["overlays/prod"]),
        ("old/list.yaml", ["old"]),
        ("lonely/x.yaml", ["lonely"]),
        ("lonely/unused.yaml", []),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_changed_file_leads_to_the_overlays_that_use_it(path: str, roots: list[str]) -> None:
    """Through every kind of reference, to those that nothing else builds on; only they are rendered."""
    render = RecordingRenderer()
    change = read(OVERLAYS, changed(OVERLAYS, path), render)
    assert render.asked == roots
    assert names(change.head) == (["Deployment unused"] if path.startswith("lonely") else [])


def test_an_overlay_is_given_the_files_it_needs() -> None:
    """Its own folder and those that it builds on."""
    render = RecordingRenderer()
    read(OVERLAYS, changed(OVERLAYS, "overlays/dev/kustomization.yaml"), render)
    folders = {path.rpartition("/")[0] for path in render.exported[0]}
    assert folders == {"base", "shared", "overlays/dev"}


def test_kustomizations_that_build_on_each_other_in_a_circle_end() -> None:
    """Kustomize refuses them; finding them out does not hang."""
    files = {
        "a/kustomization.yaml": "resources: [../b, x.yaml, ../../../etc, 'https://example.org/x']\n",
        "b/kustomization.yaml": "resources: [../a, '']\n",
        "a/x.yaml": deployment("x"),
    }
    render = RecordingRenderer()
    change = read(files, changed(files, "a/x.yaml"), render)
    assert (change.base.objects, render.asked) == ((), ["a", "b"])


def test_overlays_are_rendered_and_named_after_their_folders() -> None:
    """With real Kustomize: the same Deployment in two environments, its field traced to the patch."""
    files = {
        "base/kustomization.yaml": "resources: [api.yaml]\n",
        "base/api.yaml": deployment("api"),
        "overlays/dev/kustomization.yaml": "resources: [../../base]\nnamespace: dev\n",
        "overlays/prod/kustomization.yaml": "resources: [../../base]\nnamespace: prod\npatches: [{path: big.yaml}]\n",
        "overlays/prod/big.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\nspec:\n  replicas: 2\n",
    }
    head = {**files, "overlays/prod/big.yaml": files["overlays/prod/big.yaml"].replace("2", "9")}
    change = read_change(MemoryTree(files), MemoryTree(head), render=make_renderer())
    assert names(change.head) == ["prod: Deployment prod/api"]
    (item,) = change.head.objects
    assert item.body["spec"]["replicas"] == 9
    assert tuple(item.locate(("spec", "replicas"))) == ("overlays/prod/big.yaml", 5)
    assert item.source.file == "base/api.yaml"
    both = read_change(
        MemoryTree(files),
        MemoryTree({**files, "base/api.yaml": deployment("api", "1")}),
        render=make_renderer(),
    )
    assert names(both.head) == ["dev: Deployment dev/api", "prod: Deployment prod/api"]


def test_a_moved_overlay_keeps_its_environment() -> None:
    """A rename of a folder costs nothing; a copy is a new environment."""
    base = {"base/kustomization.yaml": "resources: [api.yaml]\n", "base/api.yaml": deployment("api")}
    overlay = "resources: [../../base]\nnamespace: shop\n"
    old = {**base, "overlays/prod/kustomization.yaml": overlay}
    moved = {**base, "clusters/production/kustomization.yaml": overlay}
    change = read_change(MemoryTree(old), MemoryTree(moved), render=make_renderer())
    assert names(change.base) == names(change.head) == ["prod: Deployment shop/api"]
    copied = read_change(MemoryTree(old), MemoryTree({**old, **moved}), render=make_renderer())
    assert (names(copied.base), names(copied.head)) == ([], ["production: Deployment shop/api"])


def test_plain_manifests_that_become_a_kustomization_stay_the_same() -> None:
    """And the other way round."""
    plain = {"app/api.yaml": deployment("api")}
    built = {**plain, "app/kustomization.yaml": "resources: [api.yaml]\n"}
    for one, other in ((plain, built), (built, plain)):
        change = read_change(MemoryTree(one), MemoryTree(other), render=make_renderer())
        assert names(change.base) == names(change.head) == ["Deployment api"]


def test_copies_without_an_environment_are_told_apart_by_their_folders() -> None:
    """One for each customer: neither may hide the other."""
    files = {
        f"{customer}/{path}": text
        for customer in ("acme", "umbrella")
        for path, text in {
            "kustomization.yaml": "resources: [api.yaml]\n",
            "api.yaml": deployment("api"),
        }.items()
    }
    change = read_change(MemoryTree({}), MemoryTree(files), render=make_renderer())
    assert names(change.head) == ["acme: Deployment api", "umbrella: Deployment api"]


@pytest.mark.parametrize(
    ("apps", "found"),
    [
        (("api", "api"), ["acme/prod: Deployment api", "umbrella/prod: Deployment api"]),
        (("bed", "car"), ["prod: Deployment bed", "prod: Deployment car"]),
    ],
    ids=["copies", "different applications"],
)
def test_copies_in_one_environment_are_told_apart_too(apps: tuple[str, str], found: list[str]) -> None:
    """An overlay of one name for each customer; those that only share a few objects are no copies."""
    shared = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
    files = {}
    for customer, app in zip(("acme", "umbrella"), apps, strict=True):
        files[f"{customer}/base/kustomization.yaml"] = "resources: [api.yaml, config.yaml]\n"
        files[f"{customer}/base/api.yaml"] = deployment(app)
        files[f"{customer}/base/config.yaml"] = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: {app}}}\n"
        files[f"{customer}/prod/kustomization.yaml"] = "resources: [../base, shop.yaml]\n"
        files[f"{customer}/prod/shop.yaml"] = shared
    change = read_change(MemoryTree({}), MemoryTree(files), render=make_renderer())
    assert [name for name in names(change.head) if "Deployment" in name] == found


@pytest.mark.parametrize("sides", ["both", "head"])
def test_a_root_that_fails_is_a_row_and_saves_nothing(sides: str) -> None:
    """What could be rendered on one side only is left out: it has not gone."""
    item = RenderedObject(
        body={"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}},
        file="app/p.yaml",
        line=1,
        locate=lambda _: ("app/p.yaml", 1),
    )
    files = {"app/kustomization.yaml": "resources: [p.yaml]\n", "app/p.yaml": "a: 1\n", "x.yaml": "a: 1\n"}
    broken = RecordingRenderer(failures={"app": "app: no such field"})
    working = RecordingRenderer(answers={"app": [item]}) if sides == "head" else broken

    turn = iter([working, broken])

    def render(tree: Path, requests: Sequence[RenderRequest]) -> Sequence[RenderResult]:
        return next(turn)(tree, requests)

    change = read_change(
        MemoryTree(files),
        MemoryTree(changed(files, "app/p.yaml")),
        render=render,
    )
    assert (change.base.objects, change.head.objects) == ((), ())
    assert unpriced(change.head) == [("Root", "app/kustomization.yaml", "app: no such field")]


def test_hooks_are_left_out_and_counted() -> None:
    """They do not run all month."""
    hook = RenderedObject({"kind": "Job"}, "chart/templates/hook.yaml", 1, lambda _: ("", 1), is_hook=True)
    files = {"chart/Chart.yaml": CHART, "chart/templates/x.yaml": "a: 1\n"}
    change = read({}, files, RecordingRenderer(answers={"chart": [hook, hook]}))
    assert (change.head.left_out_hooks, change.head.objects) == (2, ())


@pytest.mark.parametrize("folder", ["prod", "overlays/prod"])
def test_what_a_kustomization_no_longer_names_is_not_deployed(folder: str) -> None:
    """Its file may stay where it is: Argo CD and Flux take it away all the same."""
    base = {
        f"{folder}/kustomization.yaml": "resources: [a.yaml, b.yaml]\n",
        f"{folder}/a.yaml": deployment("a"),
        f"{folder}/b.yaml": deployment("b"),
    }
    head = {
        **base,
        f"{folder}/kustomization.yaml": "resources: [b.yaml]\n",
        f"{folder}/a.yaml": deployment("a", "2"),
    }
    there, back = really(base, head), really(head, base)
    both = ["prod: Deployment a", "prod: Deployment b"]
    assert (names(there.base), names(there.head)) == (both, both[1:])
    assert (names(back.base), names(back.head)) == (both[1:], both)
