"""What happened: effects, calls, and what no client should do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that changed, such as `comment.created`; `what` has ids, names and shas."""

    kind: str
    repository: str
    what: Mapping[str, object]


@dataclass(slots=True)
class Journal:
    """Counts and lists for assertions; appended to under the world's lock.

    `calls` counts requests by operation key, whatever became of them, and `asked` is the list of them,
    each with the login of the account that it is about (`""` where it is about none); `violations` are requests that
    GitHub's description does not allow or answers of the fake that it does not; `too_much_scope`
    are tokens that were minted with more than their job needs.
    """

    effects: list[Effect] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    asked: list[tuple[str, str]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    too_much_scope: list[str] = field(default_factory=list)

    def add(self, kind: str, path: Mapping[str, str], what: Mapping[str, object]) -> None:
        """Write down an effect on the repository that a path names."""
        repository = f"{path['owner']}/{path['repo']}" if "repo" in path else ""
        self.effects.append(Effect(kind, repository, what))

    def of(self, kind: str, **what: object) -> list[Effect]:
        """Effects of a kind that have all the given values: `of("comment.created", number=7)`."""
        return [
            effect
            for effect in self.effects
            if effect.kind == kind and all(effect.what.get(name) == value for name, value in what.items())
        ]
