"""Render Kustomize and Helm roots of an exported tree, contained, one row of result for each."""

from __future__ import annotations

import pathlib
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Protocol, Self

from bot.errors import RenderRefused
from bot.manifests import helm, kustomize
from bot.manifests.helm import HelmRoot
from bot.manifests.kustomize import KustomizeRoot
from bot.manifests.origin import Files, Unrenderable
from bot.manifests.rendered import LeftOut, RenderedObject, Renderer, RenderRequest, RenderResult, RootKind
from bot.manifests.sandbox import Fence, FencedChild, Limits, Program, Stopped, find_fence


class _Root(Protocol):
    """What Kustomize and Helm roots have in common.

    `changes_renderer` says that a process that rendered this root must not render another, `left_out`
    what it is rendered without.
    """

    changes_renderer: bool
    left_out: tuple[LeftOut, ...]

    def job(self) -> Mapping[str, Any]: ...

    def arguments(self) -> tuple[str, ...]: ...

    def from_answer(self, answer: object) -> Iterator[RenderedObject]: ...

    def from_output(self, output: str) -> Iterator[RenderedObject]: ...

    def reason(self, error: str) -> str: ...


def make_renderer(
    *,
    unsafe: bool = False,
    limits: Limits | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Renderer:
    """A renderer for one tree after the other.

    It never raises for a root: what cannot be rendered has its reason in `failure`, and so has every root
    where this system offers no fence. What cannot be had is taken out of the kustomizations of the tree,
    which is a scratch copy, ours to change. `unsafe` renders without one. `progress` hears after each root
    how many of the tree's are done.
    """
    limits = limits or Limits()

    def render(tree: pathlib.Path, requests: Sequence[RenderRequest]) -> Sequence[RenderResult]:
        try:
            fence = Fence.NONE if unsafe else find_fence()
        except RenderRefused as error:
            return [RenderResult(request, failure=str(error)) for request in requests]
        with _Rendering(tree.resolve(), fence, limits) as rendering:
            results = []
            for request in requests:
                results.append(rendering.render(request))
                progress(len(results), len(requests))
            return results

    return render


class _Rendering:
    """The children and the scratch folder while one tree is rendered."""

    def __init__(self, tree: pathlib.Path, fence: Fence, limits: Limits) -> None:
        self._files = Files(tree)
        self._fence, self._limits = fence, limits
        self._programs: dict[RootKind, Program | None] = {}
        self._children: dict[RootKind, FencedChild] = {}
        self._open = ExitStack()
        self._deadline = time.monotonic() + limits.total_seconds
        self._count = 0

    def __enter__(self) -> Self:
        scratch = self._open.enter_context(tempfile.TemporaryDirectory(prefix="tuppence-render-"))
        self._scratch = pathlib.Path(scratch).resolve()
        return self

    def __exit__(self, *_: object) -> None:
        for child in self._children.values():
            child.close()
        self._open.close()

    def render(self, request: RenderRequest) -> RenderResult:
        """Render one root; whatever goes wrong becomes its reason."""
        try:
            root, objects = self._rendered(request)
            if root.left_out and not objects:
                raise Unrenderable(str(root.left_out[0]))
            return RenderResult(request, objects, left_out=root.left_out)
        except Unrenderable as error:
            return RenderResult(request, failure=str(error))
        except Stopped as error:
            return RenderResult(request, failure=f"{request.path}: {error}")

    def _rendered(self, request: RenderRequest) -> tuple[_Root, tuple[RenderedObject, ...]]:
        if time.monotonic() > self._deadline:
            raise Stopped(f"not rendered: all {self._limits.total_seconds:g} s for rendering are used up")
        program = self._program(request.kind)
        self._count += 1
        scratch = self._scratch / str(self._count)
        scratch.mkdir()
        root: _Root
        if request.kind is RootKind.KUSTOMIZE:
            root = KustomizeRoot(self._files, request, scratch)
        else:
            root = HelmRoot(self._files, request, scratch)
        if program.command:
            return root, tuple(self._by_command(program, root))
        return root, tuple(self._by_library(request.kind, program, root))

    def _program(self, kind: RootKind) -> Program:
        if kind not in self._programs:
            finder = kustomize if kind is RootKind.KUSTOMIZE else helm
            self._programs[kind] = finder.find_program()
        program = self._programs[kind]
        if program is None:
            raise Unrenderable((kustomize if kind is RootKind.KUSTOMIZE else helm).MISSING)
        return program

    def _by_library(self, kind: RootKind, program: Program, root: _Root) -> Iterator[RenderedObject]:
        child = self._children.get(kind)
        if child is None:
            child = self._children[kind] = self._start(program)
        try:
            answer = child.ask(root.job())
        except Stopped:
            # The next root gets a child of its own.
            self._children.pop(kind).close()
            raise
        if root.changes_renderer:
            self._children.pop(kind).close()
        if "error" in answer:
            raise Unrenderable(root.reason(str(answer["error"])))
        return root.from_answer(answer.get("answer"))

    def _by_command(self, program: Program, root: _Root) -> Iterator[RenderedObject]:
        command = (*program.command, *root.arguments())
        with self._start(Program(program.renderer, command=command, readable=program.readable)) as child:
            code, printed, complaint = child.output()
        if code != 0:
            raise Unrenderable(root.reason(complaint))
        return root.from_output(printed)

    def _start(self, program: Program) -> FencedChild:
        return FencedChild(program, (str(self._files.tree), str(self._scratch)), self._fence, self._limits)
