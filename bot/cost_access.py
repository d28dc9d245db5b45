"""Which namespaces somebody may ask about, by the Slack groups they are in. Whoever is in none sees none."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class Sight:
    """The namespaces that somebody may see, as patterns; None for all of them."""

    patterns: tuple[str, ...] | None = None

    @property
    def whole(self) -> bool:
        """Whether nothing is hidden, so that costs of the cluster as a whole may be told."""
        return self.patterns is None or "*" in self.patterns

    def covers(self, namespace: str) -> bool:
        """Whether a namespace may be seen."""
        return self.patterns is None or any(fnmatchcase(namespace, pattern) for pattern in self.patterns)


EVERYTHING = Sight()


def sight(access: Mapping[str, tuple[str, ...]], groups: Collection[str]) -> Sight:
    """What somebody in `groups` may see; `access` is patterns by group, as `tuppence.yaml` has them.

    Without any `access` everybody sees everything. A group that could not be read must not be in `groups`.
    """
    if not access:
        return EVERYTHING
    return Sight(tuple(pattern for group in access if group in groups for pattern in access[group]))


def groups_that_see(access: Mapping[str, tuple[str, ...]], namespace: str) -> tuple[str, ...]:
    """The groups whose people may see a namespace: whom to ask."""
    return tuple(group for group, patterns in access.items() if Sight(patterns).covers(namespace))
