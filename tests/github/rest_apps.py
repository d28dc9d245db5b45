"""The app, its installations, their tokens and the deliveries of its webhook."""

from __future__ import annotations

from typing import cast

from tests.github import auth, shapes
from tests.github.contract_data import Json
from tests.github.hooks import Delivery
from tests.github.model import Installation, Repository
from tests.github.routing import Answer, Call, Page, not_found, route


@route("GET /app", who="app")
def get_app(call: Call) -> Json:
    """The app itself."""
    return {**shapes.app(call.world, call.world.app), "installations_count": len(call.world.installations)}


@route("GET /app/installations", who="app")
def list_installations(call: Call) -> Page[Installation]:
    """Where the app is installed."""
    return Page(list(call.world.installations.values()), lambda it: shapes.installation(call.world, it))


@route("GET /app/installations/{installation_id}", who="app")
def get_installation(call: Call) -> Json:
    """One installation."""
    return shapes.installation(call.world, call.named(call.world.installations, "installation_id"))


def _found(call: Call, installation: Installation | None) -> Json:
    if installation is None:
        raise not_found()
    return shapes.installation(call.world, installation)


@route("GET /repos/{owner}/{repo}/installation", who="app")
def repository_installation(call: Call) -> Json:
    """The installation that covers a repository."""
    repository = call.world.repository(f"{call.path['owner']}/{call.path['repo']}")
    return _found(call, call.world.installation_of(repository) if repository else None)


@route("GET /orgs/{org}/installation", who="app")
def organisation_installation(call: Call) -> Json:
    """The installation of an organisation."""
    return _account_installation(call, call.path["org"], "Organization")


@route("GET /users/{username}/installation", who="app")
def user_installation(call: Call) -> Json:
    """The installation of a person."""
    return _account_installation(call, call.path["username"], "User")


def _account_installation(call: Call, login: str, kind: str) -> Json:
    fitting = (
        it for it in call.world.installations.values() if (it.account.login, it.account.kind) == (login, kind)
    )
    return _found(call, next(fitting, None))


@route("POST /app/installations/{installation_id}/access_tokens", who="app")
def create_token(call: Call) -> Json:
    """A token for an hour."""
    world = call.world
    installation = call.named(world.installations, "installation_id")
    token = auth.mint(world, call.journal, world.job_needs, installation, call.body)
    call.note("token.minted", installation=installation.id, permissions=dict(token.permissions))
    answer: dict[str, Json] = {
        "token": token.value,
        "expires_at": shapes.when(token.expires),
        "permissions": token.permissions,
        "repository_selection": "all" if token.repositories is None else "selected",
    }
    if "repositories" in call.body or "repository_ids" in call.body:
        chosen = [world.repositories[number] for number in sorted(token.repositories or ())]
        answer["repositories"] = [shapes.repository(world, it) for it in chosen]
    return answer


@route("DELETE /installation/token")
def revoke_token(call: Call) -> None:
    """Give the token back before its hour is over."""
    call.token.revoked = True
    call.note("token.revoked", installation=call.token.installation.id)


@route("GET /installation/repositories", "metadata:read")
def list_repositories(call: Call) -> Page[Repository]:
    """What the token may see."""
    world, token = call.world, call.token
    seen = [
        it
        for it in world.repositories.values()
        if world.covers(token.installation, it)
        and (token.repositories is None or it.id in token.repositories)
    ]
    selection = "all" if token.repositories is None else "selected"
    return Page(
        seen, lambda it: shapes.repository(world, it), "repositories", {"repository_selection": selection}
    )


@route("GET /app/hook/deliveries", who="app")
def list_deliveries(call: Call) -> Page[Delivery]:
    """What was sent to the webhook, newest first."""
    return Page(call.hooks.sent()[::-1], Delivery.item)


@route("GET /app/hook/deliveries/{delivery_id}", who="app")
def get_delivery(call: Call) -> Json:
    """One delivery with what was sent and what was answered."""
    return call.named(call.hooks.deliveries, "delivery_id").whole()


@route("POST /app/hook/deliveries/{delivery_id}/attempts", who="app", status=202)
def redeliver(call: Call) -> Answer:
    """Send it again, under the same GUID."""
    call.hooks.redeliver(call.named(call.hooks.deliveries, "delivery_id"))
    return Answer({}, 202)


@route("GET /rate_limit")
def rate_limit(call: Call) -> Json:
    """What is left of the hour; asking costs nothing."""
    headers = call.limits.headers(call.token.installation.id)
    names = {"limit": "Limit", "remaining": "Remaining", "reset": "Reset", "used": "Used"}
    core = {name: int(headers[f"X-RateLimit-{title}"]) for name, title in names.items()}
    return {"resources": {"core": core, "graphql": core, "search": core}, "rate": cast("Json", core)}
