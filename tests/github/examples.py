"""GitHub's own examples of webhooks, and the ways in which real payloads differ from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache

from tests.github import contract_data
from tests.github.contract_data import Json

EVENTS = (
    "check_run",
    "check_suite",
    "installation",
    "installation_repositories",
    "issue_comment",
    "pull_request",
    "push",
)
"""Those that the app gets."""


@dataclass(frozen=True, slots=True)
class Example:
    """One payload; its name says the event, the action, its place and how it was changed."""

    event: str
    name: str
    payload: dict[str, Json] = field(repr=False)

    def changed(self, how: str, payload: dict[str, Json]) -> Example:
        """The same event with another payload."""
        return Example(self.event, f"{self.name}-{how}", payload)


@cache
def examples(*events: str) -> tuple[Example, ...]:
    """Every example of the events, or of all that the app gets. Do not change their payloads."""
    whole = contract_data.read("webhook-examples.json")
    return tuple(
        Example(event, f"{event}-{payload.get('action', 'none')}-{place}", payload)
        for event in events or EVENTS
        for place, payload in enumerate(whole[event])
    )


Mutator = Callable[[dict[str, Json]], bool]
"""Changes a payload in place; False where there is nothing to change."""


def null_head_repository(payload: dict[str, Json]) -> bool:
    """The fork was deleted."""
    return _set(payload, None, "pull_request", "head", "repo")


def null_body(payload: dict[str, Json]) -> bool:
    """The pull request has no description."""
    return _set(payload, None, "pull_request", "body")


def no_installation(payload: dict[str, Json]) -> bool:
    """A webhook of the repository, not of the app."""
    return payload.pop("installation", None) is not None


def another_installation(payload: dict[str, Json]) -> bool:
    """An installation that nobody knows."""
    return _set(payload, 1, "installation", "id")


def no_pull_requests(payload: dict[str, Json]) -> bool:
    """A check on a fork's commit names none."""
    return _set(payload, [], "check_run", "pull_requests") | _set(payload, [], "check_suite", "pull_requests")


def unknown_action(payload: dict[str, Json]) -> bool:
    """GitHub adds actions without asking."""
    return _set(payload, "teleported", "action")


def null_sender(payload: dict[str, Json]) -> bool:
    """The person's account is gone."""
    return _set(payload, None, "sender")


def null_user(payload: dict[str, Json]) -> bool:
    """The author's account is gone."""
    return sum(_set(payload, None, part, "user") for part in ("pull_request", "comment", "issue")) > 0


MUTATORS: tuple[Mutator, ...] = (
    null_head_repository,
    null_body,
    no_installation,
    another_installation,
    no_pull_requests,
    unknown_action,
    null_sender,
    null_user,
)


def mutations(example: Example) -> Iterator[Example]:
    """Every mutator that has something to change in an example."""
    for mutator in MUTATORS:
        payload = deepcopy(example.payload)
        if mutator(payload):
            yield example.changed(mutator.__name__.replace("_", " "), payload)


def without_each_key(example: Example, depth: int = 2) -> Iterator[Example]:
    """The example once without each of its keys, down to `depth`."""
    for path in _paths(example.payload, depth):
        payload = deepcopy(example.payload)
        place = payload
        for key in path[:-1]:
            place = place[key]
        del place[path[-1]]
        yield example.changed("without " + ".".join(path), payload)


def _paths(node: dict[str, Json], depth: int) -> Iterator[tuple[str, ...]]:
    for key, value in node.items():
        yield (key,)
        if depth > 1 and isinstance(value, dict):
            yield from ((key, *rest) for rest in _paths(value, depth - 1))


def _set(payload: dict[str, Json], value: Json, *path: str) -> bool:
    place: Json = payload
    for key in path[:-1]:
        place = place.get(key)
        if not isinstance(place, dict):
            return False
    if path[-1] not in place or place[path[-1]] == value:
        return False
    place[path[-1]] = value
    return True
