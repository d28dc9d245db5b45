"""A root is rendered without the entries that cannot be had, and each of them is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.manifests.render import make_renderer
from bot.manifests.rendered import RenderRequest, RenderResult, RootKind
from tests.manifests.memory_tree import cpu, deployment, names, really
from tests.manifests.memory_tree import unpriced as rows
from tests.manifests.test_render_kustomize import BASE, FUNCTION, PATCH_FILE
from tests.manifests.tree_files import write

URL = "https://example.com/all.yaml"
NO_NETWORK = "is remote, and rendering has no network; vendor it into the repository"
KSOPS = "apiVersion: viaduct.ai/v1\nkind: ksops\nmetadata: {name: k}\nfiles: [s.enc.yaml]\n"
COMPONENT = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"


def build(folder: Path, files: dict[str, str], *roots: str) -> list[RenderResult]:
    """Render kustomizations of a tree, `prod` where none is named."""
    requests = [RenderRequest(RootKind.KUSTOMIZE, root) for root in roots or ("prod",)]
    return list(make_renderer()(write(folder / "tree", files), requests))


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(
            {"prod/kustomization.yaml": f"resources:\n  - ../base\n  - {URL}\n"},
            f"prod/kustomization.yaml:3: {URL} {NO_NETWORK}",
            id="URL",
        ),
        pytest.param(
            {"prod/kustomization.yaml": "resources: [../base, 'github.com/x/y?ref=main']\n"},
            f"prod/kustomization.yaml:1: github.com/x/y?ref=main {NO_NETWORK}",
            id="repository",
        ),
        pytest.param(
            {
                "prod/kustomization.yaml": "resources: [../base, ../mid]\n",
                "mid/kustomization.yaml": "\nresources: ['git@example.com:x/y.git']\n",
            },
            f"mid/kustomization.yaml:1: git@example.com:x/y.git {NO_NETWORK}",
            id="all of a nested kustomization",
        ),
        pytest.param(
            {
                "prod/kustomization.yaml": "resources: [../base]\ncomponents: [../big]\n",
                "big/kustomization.yaml": f"{COMPONENT}resources: [{URL}]\n",
            },
            f"big/kustomization.yaml:3: {URL} {NO_NETWORK}",
            id="inside a component",
        ),
        pytest.param(
            {"prod/kustomization.yaml": f"resources: [../base]\ncomponents: ['{URL}?ref=1']\n"},
            f"prod/kustomization.yaml:2: {URL}?ref=1 {NO_NETWORK}",
            id="a component",
        ),
        pytest.param(
            {"prod/kustomization.yaml": "resources: [../base]\ngenerators: [k.yaml]\n", "prod/k.yaml": KSOPS},
            "prod/kustomization.yaml:2: k.yaml runs the plugin ksops, and rendering runs no programs",
            id="a plugin",
        ),
        pytest.param(
            {
                "prod/kustomization.yaml": "resources: [../base]\ngenerators: [keys]\n",
                "prod/keys/kustomization.yaml": "resources: [k.yaml]",
                "prod/keys/k.yaml": KSOPS,
            },
            "prod/kustomization.yaml:2: keys runs the plugin ksops, and rendering runs no programs",
            id="a folder of plugins",
        ),
        pytest.param(
            {
                "prod/kustomization.yaml": "resources: [../base]\ngenerators: [g.yaml]\n",
                "prod/g.yaml": FUNCTION,
            },
            "prod/kustomization.yaml:2: g.yaml runs the function Anything, and rendering runs no programs",
            id="a program",
        ),
        pytest.param(
            {
                "prod/kustomization.yaml": "resources: [../base]\ntransformers:\n- |-\n  apiVersion: x/v1\n"
                "  kind: T\n  metadata: {name: t}\n"
            },
            "prod/kustomization.yaml:3: an inline entry of `transformers` runs the plugin T, and rendering runs no programs",
            id="an inline transformer",
        ),
        pytest.param(
            {"prod/kustomization.yaml": "resources: [../base]\nhelmCharts: [{name: redis}]\n"},
            "prod/kustomization.yaml:2: `helmCharts` has Kustomize run Helm, which is refused; "
            "commit the rendered objects, or let Argo CD or Flux name the chart",
            id="helm inflation",
        ),
    ],
)
def test_the_rest_of_a_root_is_rendered(tmp_path: Path, files: dict[str, str], expected: str) -> None:
    """What is left is what the root would have had without the entry."""
    (result,) = build(tmp_path, BASE | files)
    assert result.failure is None
    assert [item.body["kind"] for item in result.objects] == ["Deployment"]
    assert list(map(str, result.left_out)) == [expected]


def test_remote_files_of_a_config_map_are_told_together(tmp_path: Path) -> None:
    """Dashboards come by the dozen; the ConfigMap keeps the files that are here."""
    text = f"""
        resources: [../base]
        configMapGenerator:
          - name: dashboards
            files:
              - here.json
              - a={URL}
              - {URL}
            options: {{disableNameSuffixHash: true}}
    """
    (result,) = build(tmp_path, BASE | {"prod/kustomization.yaml": text, "prod/here.json": "{}"})
    assert list(map(str, result.left_out)) == [
        f"prod/kustomization.yaml:6: {URL} {NO_NETWORK} (as is 1 more file of ConfigMaps)"
    ]
    assert [list(item.body["data"]) for item in result.objects if item.body["kind"] == "ConfigMap"] == [
        ["here.json"]
    ]


def test_generators_that_are_built_in_stay(tmp_path: Path) -> None:
    """They are part of Kustomize, and run no programs."""
    generator = "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: a}\nliterals: [b=c]\n"
    files = {"prod/kustomization.yaml": "generators: [g.yaml]", "prod/g.yaml": generator}
    (result,) = build(tmp_path, files)
    assert ([item.body["data"] for item in result.objects], result.left_out) == ([{"b": "c"}], ())


def test_every_root_of_a_shared_base_says_what_it_lacks(tmp_path: Path) -> None:
    """The first root leaves no trace for the second; the line is the one that a person wrote."""
    files = {
        **BASE,
        "base/kustomization.yaml": f"resources:\n- deployment.yaml\n\n- {URL}\n",
        "dev/kustomization.yaml": "resources: [../base]\n",
        "prod/kustomization.yaml": "resources: [../base]\npatches: [{path: patch.yaml}]\n",
        "prod/patch.yaml": PATCH_FILE,
    }
    results = build(tmp_path, files, "dev", "prod")
    assert [list(map(str, result.left_out)) for result in results] == [
        [f"base/kustomization.yaml:4: {URL} {NO_NETWORK}"]
    ] * 2
    assert [len(result.objects) for result in results] == [1, 1]


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        pytest.param(
            {"prod/kustomization.yaml": f"resources: [{URL}]\nnamespace: a\n"},
            f"prod/kustomization.yaml:1: {URL} {NO_NETWORK}",
            id="nothing else",
        ),
        pytest.param(
            {
                "prod/kustomization.yaml": f"resources: [{URL}]\npatches: [{{path: p.yaml}}]\n",
                "prod/p.yaml": PATCH_FILE,
            },
            f"prod/kustomization.yaml:1: {URL} {NO_NETWORK}; the rest does not render without it: prod: ",
            id="a patch for what is left out",
        ),
        pytest.param(
            {**BASE, "prod/kustomization.yaml": f"resources: [../base]\npatchesStrategicMerge: ['{URL}']\n"},
            f"prod/kustomization.yaml:2: {URL} {NO_NETWORK}",
            id="a patch is never left out",
        ),
    ],
)
def test_a_root_that_is_nothing_without_the_entry_fails(
    tmp_path: Path, files: dict[str, str], reason: str
) -> None:
    """It is a failure that names the entry, as is one that would price what is not deployed."""
    (result,) = build(tmp_path, files)
    assert str(result.failure).startswith(reason)


def test_no_link_leads_a_kustomization_out_of_the_tree(tmp_path: Path) -> None:
    """A folder that is a link is not written through."""
    outside = write(tmp_path / "outside", {"kustomization.yaml": f"resources: [{URL}]"})
    tree = write(tmp_path / "tree", {"prod/kustomization.yaml": "resources: [../base]"})
    (tree / "base").symlink_to(outside)
    (result,) = make_renderer()(tree, [RenderRequest(RootKind.KUSTOMIZE, "prod")])
    assert result.failure == "base/kustomization.yaml: a link leads to it"
    assert URL in (outside / "kustomization.yaml").read_text()


ROOT = {"prod/kustomization.yaml": f"resources: [{URL}, a.yaml, b.yaml]\n", "prod/b.yaml": deployment("b")}
ROW = (
    "Root",
    "prod/kustomization.yaml",
    f"prod/kustomization.yaml:1: {URL} {NO_NETWORK}; the rest of this root was rendered",
)


def test_a_change_beside_a_remote_entry_is_priced() -> None:
    """The entry is a row, and the changed request is found all the same."""
    base, head = ({**ROOT, "prod/a.yaml": deployment("a", size)} for size in ("1", "2"))
    change = really(base, head)
    assert rows(change.head) == [ROW]
    assert sorted(map(str, cpu(change))) == ["100m", "2"]


def test_a_root_that_is_not_touched_says_nothing() -> None:
    """A remote entry elsewhere is no news."""
    rest = {**ROOT, "prod/a.yaml": deployment("a")}
    change = really({**rest, "x/c.yaml": deployment("c")}, {**rest, "x/c.yaml": deployment("c", "2")})
    assert (rows(change.base), rows(change.head)) == ([], [])


def test_what_may_have_gone_into_a_remote_entry_is_not_saved() -> None:
    """An object that is replaced by a URL may cost as much there; one that was there before may too."""
    base = {
        **ROOT,
        "prod/kustomization.yaml": "resources: [a.yaml, b.yaml]\n",
        "prod/a.yaml": deployment("a"),
    }
    head = {**ROOT, "prod/kustomization.yaml": f"resources: [{URL}, b.yaml]\n"}
    for change in (really(base, head), really(head, base)):
        assert [names(side) for side in (change.base, change.head)] == [["prod: Deployment b"]] * 2


def test_what_goes_beside_an_entry_that_stays_is_gone() -> None:
    """The entry held nothing of it before, so the saving is real."""
    base = {**ROOT, "prod/a.yaml": deployment("a")}
    head = {**ROOT, "prod/kustomization.yaml": f"# less\nresources: [{URL}, b.yaml]\n"}
    change = really(base, head)
    assert names(change.base) == ["prod: Deployment a", "prod: Deployment b"]
    assert names(change.head) == ["prod: Deployment b"]
