"""Rendered Kubernetes objects as the estimators receive them: a body, an identity and a place in a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Body = Mapping[str, Any]
Path = tuple[str | int, ...]


class Source(NamedTuple):
    """A place in the repository: path from its root, and a line from 1."""

    file: str
    line: int


class Identity(NamedTuple):
    """What makes two versions of an object the same one. Never its path: a move costs nothing.

    `namespace` is `""` where the manifest names none; `environment` is `""` for raw manifests
    that no policy assigns to one.
    """

    environment: str
    namespace: str
    kind: str
    name: str

    def __str__(self) -> str:
        """Read as `production: Deployment payments/api`."""
        place = f"{self.namespace}/{self.name}" if self.namespace else self.name
        environment = f"{self.environment}: " if self.environment else ""
        return f"{environment}{self.kind} {place}"


@dataclass(frozen=True, slots=True)
class ManifestObject:
    """One Kubernetes object of one side of a change.

    `locate` gives the line of a field (a path such as `("spec", "replicas")`), or of its nearest
    existing parent; it is a function because composing line marks is dear and few lines are shown.
    """

    identity: Identity
    api_version: str
    body: Body
    source: Source
    locate: Callable[[Path], Source] = field(compare=False, repr=False)

    @property
    def group(self) -> str:
        """The API group, `""` for the core group."""
        group, slash, _ = self.api_version.partition("/")
        return group if slash else ""

    @property
    def labels(self) -> Mapping[str, str]:
        """The object's own labels, non-string values left out."""
        return string_map(dig(self.body, "metadata", "labels"))

    @property
    def annotations(self) -> Mapping[str, str]:
        """The object's own annotations, non-string values left out."""
        return string_map(dig(self.body, "metadata", "annotations"))


@dataclass(frozen=True, slots=True)
class Unpriced:
    """Something that was seen but has no price, and the reason a person can act on.

    `kind` is `File` or `Root` for a file or a root that could not be read or rendered.
    """

    kind: str
    namespace: str
    name: str
    file: str
    reason: str
    environment: str = ""


def dig(body: object, *path: str | int) -> Any:  # noqa: ANN401 - YAML holds anything
    """The value at `path`, or None where a step is missing or of the wrong shape.

    Bodies are what YAML and JSON give, plain dicts and lists: asking for those exact types, here and
    below, is several times faster than asking for any mapping, and this is the innermost loop.
    """
    here: Any = body
    for step in path:
        if isinstance(here, dict):
            here = here.get(step)
        elif isinstance(here, list) and isinstance(step, int) and -len(here) <= step < len(here):
            here = here[step]
        else:
            return None
    return here


def mapping(value: object) -> Body:
    """`value` where it is a mapping, else an empty one: manifests are written by strangers."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> Sequence[Any]:
    """`value` where it is a list, else an empty one."""
    return value if isinstance(value, list | tuple) else ()


def text(value: object) -> str:
    """`value` where it is a string, else `""`."""
    return value if isinstance(value, str) else ""


def string_map(value: object) -> Mapping[str, str]:
    """The string-to-string part of a mapping, as labels and selectors need it."""
    pairs = mapping(value).items()
    return {key: item for key, item in pairs if isinstance(key, str) and isinstance(item, str)}


def dotted(path: Path) -> str:
    """A path as people write it: `spec.template.spec.containers[0].resources`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
