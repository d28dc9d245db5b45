"""What a renderer is asked for and what it gives back: Kustomize and Helm roots in, traced objects out."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from estimators.objects import Path


class RootKind(StrEnum):
    """How a folder becomes objects."""

    KUSTOMIZE = "kustomize"
    HELM = "helm"


@dataclass(frozen=True, slots=True)
class RenderRequest:
    """One root to render. All paths count from the root of the exported tree.

    `values_files` are in Helm's order, the last one wins; `values` are inline and win over them.
    """

    kind: RootKind
    path: str
    release_name: str = "release"
    namespace: str = ""
    values_files: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    skip_crds: bool = False


@dataclass(frozen=True, slots=True)
class RenderedObject:
    """One object, with the file and the line (from 1) in the tree that it came from.

    `locate` gives the file and line of a field, or of its nearest known parent: a patch or a values
    file may set it. `is_hook` marks Helm hooks and tests, which do not run all month.
    """

    body: Mapping[str, Any]
    file: str
    line: int
    locate: Callable[[Path], tuple[str, int]] = field(compare=False, repr=False)
    is_hook: bool = False


class LeftOut(NamedTuple):
    """An entry of a kustomization that the rest of its root was rendered without, where, and why."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        """Read as `prod/kustomization.yaml:2: https://... is remote`."""
        return f"{self.file}:{self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class RenderResult:
    """The objects of one root and what was left out, or the reason (one line) why there are none."""

    request: RenderRequest
    objects: tuple[RenderedObject, ...] = ()
    failure: str | None = None
    left_out: tuple[LeftOut, ...] = ()


Renderer = Callable[[pathlib.Path, Sequence[RenderRequest]], Sequence[RenderResult]]
