"""Charts and overlays that attack: what they try works without the fence and fails within it."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.manifests import landlock
from bot.manifests.render import make_renderer
from bot.manifests.rendered import RenderRequest, RenderResult, RootKind
from bot.manifests.sandbox import Limits
from tests.manifests.tree_files import write

CANARY = "canary-91be"
CHART = "apiVersion: v2\nname: evil\nversion: 0.1.0\n"
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: loot}\n"
# The value is written so that no search for "$ref" finds it; JSON has it all the same.
HIDDEN_REFERENCE = r'{"properties": {"a": {"\u0024ref": "http://127.0.0.1:%d/x.json"}}}'


class Listener:
    """An HTTP server on loopback that counts who comes."""

    def __init__(self) -> None:
        self.visits = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self.visits += 1
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")

    def close(self) -> None:
        """Stop serving; a blocked accept only wakes by shutdown."""
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A listener that must stay lonely."""
    listener = Listener()
    yield listener
    listener.close()


def render(
    tree: Path, *requests: RenderRequest, unsafe: bool = False, seconds: float = 15
) -> list[RenderResult]:
    """Render with the fence of this system, or without."""
    return list(make_renderer(unsafe=unsafe, limits=Limits(seconds=seconds))(tree, requests))


def overlay(tree: Path, *, unsafe: bool = False) -> RenderResult:
    """Render the kustomization in `app`."""
    return render(tree, RenderRequest(RootKind.KUSTOMIZE, "app"), unsafe=unsafe)[0]


def chart(tree: Path, *, unsafe: bool = False) -> RenderResult:
    """Render the chart in `app`."""
    return render(tree, RenderRequest(RootKind.HELM, "app"), unsafe=unsafe)[0]


def bodies(result: RenderResult) -> str:
    """Everything that came out."""
    return str([item.body for item in result.objects]) + str(result.failure)


def test_a_schema_on_another_server_is_not_fetched_and_the_chart_still_renders(
    tmp_path: Path, listener: Listener
) -> None:
    """A `$ref` with a URL is left out of validation; pricing does not need it."""
    schema = f'{{"properties": {{"a": {{"$ref": "http://127.0.0.1:{listener.port}/x.json"}}}}}}'
    files = {
        "Chart.yaml": CHART,
        "values.schema.json": schema,
        "values.yaml": "a: 1",
        "templates/x.yaml": CONFIG_MAP,
    }
    tree = write(tmp_path / "tree", {f"app/{name}": text for name, text in files.items()})
    result = chart(tree)
    assert [item.file for item in result.objects] == ["app/templates/x.yaml"]
    assert listener.visits == 0


def test_a_hidden_schema_reference_reaches_nobody(tmp_path: Path, listener: Listener) -> None:
    """Where our search is fooled, the fence holds; without it the request arrives."""
    files = {
        "Chart.yaml": CHART,
        "values.schema.json": HIDDEN_REFERENCE % listener.port,
        "values.yaml": "a: 1",
    }
    tree = write(tmp_path / "tree", {f"app/{name}": text for name, text in files.items()})
    assert "127.0.0.1" in str(chart(tree).failure)
    assert listener.visits == 0
    chart(tree, unsafe=True)
    assert listener.visits == 1


@pytest.mark.parametrize(
    "entry", ["http://127.0.0.1:%d/x.yaml", "http://127.0.0.1:%d/r.git", "git@127.0.0.1:r/b"]
)
def test_a_remote_base_is_refused_by_name(tmp_path: Path, listener: Listener, entry: str) -> None:
    """The reason names the file, the line and the URL, and nothing is asked of the network."""
    url = entry % listener.port if "%d" in entry else entry
    tree = write(tmp_path / "tree", {"app/kustomization.yaml": f"resources:\n  - {url}\n"})
    assert overlay(tree).failure == (
        f"app/kustomization.yaml:2: {url} is remote, and rendering has no network; vendor it into the repository"
    )
    assert listener.visits == 0


def test_a_remote_patch_reaches_nobody(tmp_path: Path, listener: Listener) -> None:
    """Kustomize also fetches patches; that path only the fence closes."""
    kustomization = f"resources: [x.yaml]\npatches: [{{path: 'http://127.0.0.1:{listener.port}/p.yaml'}}]\n"
    tree = write(tmp_path / "tree", {"app/kustomization.yaml": kustomization, "app/x.yaml": CONFIG_MAP})
    assert f"http://127.0.0.1:{listener.port}/p.yaml" in str(overlay(tree).failure)
    assert listener.visits == 0
    overlay(tree, unsafe=True)
    assert listener.visits > 0


def test_a_link_out_of_a_chart_is_not_followed(tmp_path: Path) -> None:
    """`.Files.Get` prints what a link points to, unless the fence stands between."""
    secret = write(tmp_path / "home", {"id_ed25519": CANARY}) / "id_ed25519"
    template = f'{CONFIG_MAP}data: {{x: {{{{ .Files.Get "loot" | quote }}}}}}\n'
    tree = write(tmp_path / "tree", {"app/Chart.yaml": CHART, "app/templates/x.yaml": template})
    (tree / "app" / "loot").symlink_to(secret)
    assert CANARY not in bodies(chart(tree))
    assert CANARY in bodies(chart(tree, unsafe=True))


@pytest.mark.parametrize(
    "path", ["../../home/id_ed25519", "%s/home/id_ed25519", "../link"], ids=["relative", "absolute", "link"]
)
def test_a_file_outside_the_tree_cannot_become_a_config_map(tmp_path: Path, path: str) -> None:
    """A generator may read within the tree only."""
    write(tmp_path / "home", {"id_ed25519": CANARY})
    path = path % tmp_path if "%s" in path else path
    tree = write(
        tmp_path / "tree", {"app/kustomization.yaml": f"configMapGenerator: [{{name: a, files: ['{path}']}}]"}
    )
    (tree / "link").symlink_to(tmp_path / "home" / "id_ed25519")
    result = overlay(tree)
    assert result.failure
    assert CANARY not in bodies(result)
    assert CANARY in bodies(overlay(tree, unsafe=True))


@pytest.mark.parametrize("process", ["self", "parent"])
def test_no_environment_can_become_a_config_map(tmp_path: Path, process: str) -> None:
    """Neither our environment nor the renderer's own is readable through /proc."""
    number = os.getpid() if process == "parent" else "self"
    generator = f"configMapGenerator: [{{name: a, files: ['x=/proc/{number}/environ']}}]"
    tree = write(tmp_path / "tree", {"app/kustomization.yaml": generator})
    assert "permission denied" in str(overlay(tree).failure)
    assert "HOME=" in bodies(overlay(tree, unsafe=True))


def test_a_base_beside_the_root_works_and_one_outside_the_tree_does_not(tmp_path: Path) -> None:
    """`../../base` is everyday; the tree's edge is the end."""
    tree = write(
        tmp_path / "tree",
        {
            "base/kustomization.yaml": "resources: [x.yaml]",
            "base/x.yaml": CONFIG_MAP,
            "app/kustomization.yaml": "resources: [../base]",
            "out/kustomization.yaml": "resources:\n  - ../../elsewhere\n",
        },
    )
    write(tmp_path / "elsewhere", {"kustomization.yaml": "resources: []"})
    inside, outside = render(
        tree, RenderRequest(RootKind.KUSTOMIZE, "app"), RenderRequest(RootKind.KUSTOMIZE, "out")
    )
    assert [item.file for item in inside.objects] == ["base/x.yaml"]
    assert outside.failure == "out/kustomization.yaml:2: ../../elsewhere is outside the repository"


GIGABYTE = '{{ $x := repeat 1000000 "x" }}{{ range until 1000 }}{{ $x }}{{ end }}'


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        pytest.param(
            "{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}", "longer than", id="endless"
        ),
        pytest.param(GIGABYTE, "MiB", id="a gigabyte"),
        pytest.param('{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}', "", id="recursion"),
        pytest.param("{{ repeat 4000000000 `x` }}", "", id="four gigabytes in one call"),
    ],
)
def test_a_greedy_chart_fails_in_bounded_time_and_the_next_root_renders(
    tmp_path: Path, template: str, reason: str
) -> None:
    """One row says why; the rest of the report stands."""
    tree = write(
        tmp_path / "tree",
        {
            "app/Chart.yaml": CHART,
            "app/templates/x.yaml": template,
            "good/Chart.yaml": CHART,
            "good/templates/x.yaml": CONFIG_MAP,
        },
    )
    began = time.monotonic()
    greedy, good = render(
        tree, RenderRequest(RootKind.HELM, "app"), RenderRequest(RootKind.HELM, "good"), seconds=3
    )
    assert time.monotonic() - began < 60
    assert greedy.failure
    assert reason in greedy.failure
    assert len(greedy.failure) < 500
    assert [item.file for item in good.objects] == ["good/templates/x.yaml"]


def test_the_time_for_all_roots_is_limited_too(tmp_path: Path) -> None:
    """A hundred roots of ten seconds each do not take a quarter of an hour."""
    endless = "{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}"
    tree = write(tmp_path / "tree", {"app/Chart.yaml": CHART, "app/templates/x.yaml": endless})
    renderer = make_renderer(limits=Limits(seconds=0.5, total_seconds=0.8))
    results = renderer(tree, [RenderRequest(RootKind.HELM, "app")] * 5)
    assert [str(result.failure).partition(": ")[2][:12] for result in results[-2:]] == ["not rendered"] * 2


def test_without_a_fence_every_root_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rendering is refused visibly, root by root, unless the person asks for it."""
    monkeypatch.setattr(landlock, "version", lambda: 0)
    monkeypatch.setattr("shutil.which", lambda _: None)
    tree = write(tmp_path / "tree", {"app/Chart.yaml": CHART, "app/templates/x.yaml": CONFIG_MAP})
    refused = render(tree, RenderRequest(RootKind.HELM, "app"), RenderRequest(RootKind.HELM, "app"))
    assert ["--unsafe-render" in str(result.failure) for result in refused] == [True, True]
    assert len(chart(tree, unsafe=True).objects) == 1
