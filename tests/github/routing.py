"""How a route is declared, what it is called with, and how it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from tests.github.contract_data import Json
from tests.github.model import App, Pull, Repository, Token, World, at_least

if TYPE_CHECKING:
    from tests.github.hooks import Hooks
    from tests.github.journal import Journal
    from tests.github.limits import Limits

T = TypeVar("T")

_DOCUMENTATION = "https://docs.github.com/rest"


class RefusedError(Exception):
    """An answer of 4xx, worded as GitHub words it."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        errors: Sequence[Json] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.body: dict[str, Json] = {
            "message": message,
            "documentation_url": _DOCUMENTATION,
            "status": str(status),
        }
        if errors is not None:
            self.body["errors"] = list(errors)


def not_found() -> RefusedError:
    """What GitHub says of a thing that is not there, or that this token may not know of."""
    return RefusedError(404, "Not Found")


def moved(world: World, name: str, rest: str) -> RefusedError | None:
    """A redirect to a repository that has another name by now, by its number."""
    repository = world.former_names.get(name.lower())
    if repository is None:
        return None
    location = f"{world.api_url}/repositories/{repository.id}{rest}"
    refusal = RefusedError(301, "Moved Permanently", headers={"Location": location})
    refusal.body["url"] = location
    return refusal


def invalid(resource: str, field_name: str, message: str) -> RefusedError:
    """A 422 of one field."""
    problem = {"resource": resource, "code": "custom", "field": field_name, "message": message}
    return RefusedError(422, "Validation Failed", errors=[problem])


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; a body of None is an empty one."""

    body: Json
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A list, of which one page is shown; under `key` GitHub counts the whole."""

    items: Sequence[T]
    shape: Callable[[T], Json]
    key: str | None = None
    extra: Mapping[str, Json] = field(default_factory=dict)


@dataclass(slots=True)
class Call:
    """One checked request on its way to a route."""

    world: World
    journal: Journal
    hooks: Hooks
    limits: Limits
    actor: App | Token
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: dict[str, Json]
    rest: str = ""
    """The target behind the repository's name."""

    @property
    def token(self) -> Token:
        """The installation token; the server has refused others already."""
        assert isinstance(self.actor, Token)
        return self.actor

    @property
    def repository(self) -> Repository:
        """The repository of the path, if the token may see it (GitHub shows public ones to every token)."""
        name = f"{self.path['owner']}/{self.path['repo']}"
        found = self.world.repository(name)
        if found is None:
            raise moved(self.world, name, self.rest) or not_found()
        token = self.token
        if not self.world.covers(token.installation, found):
            raise not_found()
        if token.repositories is not None and found.id not in token.repositories:
            raise not_found()
        token.used_repositories.add(found.id)
        return found

    @property
    def pull(self) -> Pull:
        """The pull request of the path."""
        number = self.path.get("pull_number") or self.path.get("issue_number", "")
        if not number.isdecimal() or int(number) not in self.repository.pulls:
            raise not_found()
        return self.repository.pulls[int(number)]

    def named(self, things: Mapping[int, T], parameter: str) -> T:
        """One of `things` by the id in the path."""
        text = self.path[parameter]
        if not text.isdecimal() or int(text) not in things:
            raise not_found()
        return things[int(text)]

    def note(self, kind: str, **what: object) -> None:
        """Write an effect in the journal."""
        self.journal.add(kind, self.path, what)

    def forbid(self, what: str) -> None:
        """Write down something that GitHub lets pass and that no bot should do."""
        self.journal.violations.append(f"{self.path.get('owner')}/{self.path.get('repo')}: {what}")


Handler = Callable[[Call], Any]


@dataclass(frozen=True, slots=True)
class Route:
    """What serves an operation, and who may ask.

    `who` is `app` for a JSON web token, `token` for an installation token; one of `needs` (permission,
    level) must be granted; `status` is that of a plain answer.
    """

    handler: Handler
    who: str
    needs: tuple[tuple[str, str], ...]
    status: int


ROUTES: dict[str, Route] = {}


def route(
    key: str, *needs: str, who: str = "token", status: int | None = None
) -> Callable[[Handler], Handler]:
    """Serve `METHOD /template`; `needs` such as `issues:write`, any one of which suffices."""
    created = {"POST": 201, "DELETE": 204}

    def declare(handler: Handler) -> Handler:
        wanted = tuple((name, level) for name, _, level in (need.partition(":") for need in needs))
        ROUTES[key] = Route(handler, who, wanted, status or created.get(key.split(" ", maxsplit=1)[0], 200))
        return handler

    return declare


def check_permission(route_: Route, token: Token) -> None:
    """403 unless the token has one of the permissions; remembers the one that was used."""
    if not route_.needs:
        return
    for permission, level in route_.needs:
        if at_least(token.permissions, permission, level):
            token.note_use(permission, level)
            return
    accepted = "; ".join(f"{permission}={level}" for permission, level in route_.needs)
    raise RefusedError(
        403, "Resource not accessible by integration", headers={"X-Accepted-GitHub-Permissions": accepted}
    )
