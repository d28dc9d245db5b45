"""What is asked for, and what came of it: written, or why not with what to change by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.manifests.edits.source_files import Kind
from bot.manifests.edits.spelling import Form
from bot.manifests.edits.whole_tree import Moved
from bot.manifests.scalars import resolve
from estimators.objects import Identity, Path
from estimators.quantity import InvalidQuantityError, parse_quantity
from estimators.recommendation import FieldChange

_MAPS = ("requests", "limits", "annotations", "nodeSelector")
_OF_TEXT = {"annotations", "nodeSelector"}
_AMOUNTS = {"requests", "limits", "averageValue", "value", "targetValue", "overhead", "sizeLimit"}


def field_path(field: str) -> Path:
    """The steps of a field as findings name it: `spec.containers[0].resources.limits.nvidia.com/gpu`."""
    for name in _MAPS:
        above, found, key = field.partition(f".{name}.")
        if found:
            return (*field_path(above), name, key)
    steps: list[str | int] = []
    for part in field.split("."):
        name, *indexes = part.split("[")
        steps += [name, *(int(index.removesuffix("]")) for index in indexes)]
    return tuple(steps)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One field of one rendered object, and the value it is to have.

    `current` is what the field said when the value was proposed, `""` where it was not there; None where
    that does not matter. An empty `path` asks for the object to go, which is nobody's but a person's to do.
    """

    identity: Identity
    path: Path
    proposed: str
    current: str | None = None

    @classmethod
    def of(cls, change: FieldChange) -> Wanted:
        """What a recommendation changes."""
        return cls(change.object, change.path, change.proposed, change.current)

    @property
    def form(self) -> Form:
        """What Kubernetes takes there."""
        if _OF_TEXT & set(map(str, self.path)):
            return Form.TEXT
        is_count = isinstance(resolve(self.proposed), int) and not _AMOUNTS & set(map(str, self.path))
        return Form.COUNT if is_count else Form.QUANTITY

    def is_met_by(self, value: object) -> bool:
        """Whether a rendered value is the proposed one, of a type that Kubernetes takes."""
        if self.form is Form.COUNT:
            return type(value) is int and str(value) == self.proposed
        if self.form is Form.TEXT:
            return value == self.proposed
        return same_amount(value, self.proposed)


def same_amount(one: object, other: object) -> bool:
    """Whether two scalars say the same: `0.5` and `500m` do."""
    if isinstance(one, bool) or isinstance(other, bool) or one is None or other is None:
        return one is other
    try:
        return str(one) == str(other) or parse_quantity(one) == parse_quantity(other)
    except InvalidQuantityError:
        return False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value was written: `before` is what stood there, `""` for a key that is new."""

    wanted: Wanted
    file: str
    line: int
    kind: Kind
    before: str


class Why(StrEnum):
    """Why a value is not written."""

    NOT_THERE = "not there"
    """No such object in these files, or more than one."""
    STALE = "stale"
    """The field has another value by now."""
    SHARED = "shared"
    """Where it is written, it is for other objects, fields or environments as well."""
    COMPUTED = "computed"
    """No file says the value that is rendered."""
    REMOVAL = "removal"
    """The whole object is to go."""
    FIXED = "fixed"
    """Kubernetes refuses the change: the volume is there already."""
    REFUSED = "refused"
    """The file is encrypted, a template, not YAML, or says things twice."""


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """A value that is left to a person: why, in a sentence what to change and where, and a patch to copy.

    `moves` is what else would have changed, `patch` text for a `kustomization.yaml`, `""` where none helps.
    """

    wanted: Wanted
    why: Why
    advice: str
    moves: tuple[Moved, ...] = ()
    patch: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """The new content of files, in which nothing but the wanted fields differs once rendered."""

    files: Mapping[str, bytes]
    places: tuple[Place, ...]
