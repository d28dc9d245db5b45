"""A renderer that remembers: of one tree with many small edits, one side is always the same."""

from __future__ import annotations

import hashlib
import pathlib
from collections import OrderedDict
from collections.abc import Sequence

from bot.manifests.rendered import Renderer, RenderRequest, RenderResult

_MOST = 8
"""Trees that are remembered: the unedited one with the roots of the last few places."""


class RenderedOnce:
    """Gives the same answer for the same files and the same requests, without rendering again."""

    def __init__(self, render: Renderer) -> None:
        self._render = render
        self._known: OrderedDict[tuple[str, str], Sequence[RenderResult]] = OrderedDict()

    def __call__(self, tree: pathlib.Path, requests: Sequence[RenderRequest]) -> Sequence[RenderResult]:
        """The results of the renderer below."""
        # Before it is rendered, for the renderer may change the tree.
        key = (_digest(tree), repr(requests))
        found = self._known.pop(key, None) or self._render(tree, requests)
        self._known[key] = found
        if len(self._known) > _MOST:
            self._known.popitem(last=False)
        return found


def _digest(tree: pathlib.Path) -> str:
    told = hashlib.sha256()
    for path in sorted(tree.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            told.update(f"{path.relative_to(tree)}\0{len(data)}\0".encode("utf-8", "surrogateescape"))
            told.update(data)
    return told.hexdigest()
