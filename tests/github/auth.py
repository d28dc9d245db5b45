"""Who is asking: the app by a signed JSON web token, or an installation by a token it was given."""

from __future__ import annotations

import secrets
from base64 import b64decode, urlsafe_b64encode
from binascii import Error as NoBase64Error
from datetime import timedelta

import jwt

from tests.github.contract_data import Json
from tests.github.journal import Journal
from tests.github.model import App, Installation, Permissions, Token, World, at_least, now
from tests.github.routing import RefusedError

LONGEST_JWT = timedelta(minutes=10)
TOKEN_LIFE = timedelta(hours=1)


def actor(world: World, header: str | None) -> App | Token:
    """Whom an Authorization header stands for; 401 otherwise."""
    scheme, _, value = (header or "").partition(" ")
    if scheme.lower() not in ("bearer", "token") or not value:
        raise RefusedError(401, "Requires authentication")
    if value.startswith("ghs_"):
        return live_token(world, value)
    return _app(world.app, value)


def live_token(world: World, value: str) -> Token:
    """An installation token that is still good."""
    token = world.tokens.get(value)
    if token is None or token.revoked or token.expires <= now():
        raise RefusedError(401, "Bad credentials")
    if token.installation.suspended:
        raise RefusedError(403, "This installation has been suspended")
    return token


def git_token(world: World, header: str | None) -> Token | None:
    """The token of a git client: `x-access-token:<token>` as basic credentials."""
    scheme, _, value = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = b64decode(value, validate=True).decode().partition(":")
    except (NoBase64Error, UnicodeDecodeError):
        return None
    try:
        return live_token(world, password) if user == "x-access-token" else None
    except RefusedError:
        return None


def _app(app: App, value: str) -> App:
    try:
        claims = jwt.decode(
            value,
            app.public_key,
            algorithms=["RS256"],
            issuer=[str(app.id), f"Iv23li{app.id}"],
            options={"require": ["iat", "exp", "iss"]},
        )
    except jwt.ExpiredSignatureError:
        message = "'Expiration time' claim ('exp') must be a numeric value representing the future time"
        raise RefusedError(401, message) from None
    except jwt.ImmatureSignatureError:
        message = (
            "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
        )
        raise RefusedError(401, message) from None
    except jwt.InvalidIssuerError:
        raise RefusedError(401, "Integration not found") from None
    except jwt.InvalidTokenError:
        raise RefusedError(401, "A JSON web token could not be decoded") from None
    if claims["exp"] > (now() + LONGEST_JWT).timestamp() + 1:
        raise RefusedError(401, "'Expiration time' claim ('exp') is too far in the future")
    return app


def mint(
    world: World, journal: Journal, needs: Permissions, installation: Installation, body: dict[str, Json]
) -> Token:
    """A new token, no wider than the installation; what is wider than `needs` is written down."""
    if installation.suspended:
        raise RefusedError(403, "This installation has been suspended")
    repositories = _chosen(world, installation, body)
    asked: Permissions | None = body.get("permissions")
    permissions = dict(installation.permissions if asked is None else asked)
    for permission, level in permissions.items():
        if not at_least(installation.permissions, permission, level):
            raise RefusedError(422, "The permissions requested are not granted to this installation.")
    permissions["metadata"] = "read"
    journal.too_much_scope.extend(_excess(needs, permissions, repositories))
    # `ghs_`, the app's id and a JSON web token: about 520 characters, two of them dots.
    parts = (_random(27), _random(230), _random(258))
    value = f"ghs_{world.app.id}_" + ".".join(parts)
    token = Token(value, installation, permissions, repositories, now() + TOKEN_LIFE)
    world.tokens[value] = token
    return token


def _chosen(world: World, installation: Installation, body: dict[str, Json]) -> set[int] | None:
    if "repositories" not in body and "repository_ids" not in body:
        return None if installation.repositories is None else set(installation.repositories)
    covered = {it.id: it for it in world.repositories.values() if world.covers(installation, it)}
    by_name = {it.name: it.id for it in covered.values()}
    names, ids = body.get("repositories", []), body.get("repository_ids", [])
    if any(name not in by_name for name in names) or any(number not in covered for number in ids):
        message = "There is at least one repository that does not exist or is not accessible to the parent installation."
        raise RefusedError(422, message)
    return {by_name[name] for name in names} | set(ids)


def _excess(needs: Permissions, permissions: Permissions, repositories: set[int] | None) -> list[str]:
    if permissions == {"metadata": "read"}:
        return []  # all that it can do is to list the installation's repositories
    if permissions == {"contents": "write", "metadata": "read"} and len(repositories or ()) == 1:
        return []  # the one job that writes to a branch, which needs nothing else
    found = [
        f"a token has {permission}: {level}, a job needs {needs.get(permission, 'none')}"
        for permission, level in permissions.items()
        if permission != "metadata" and not at_least(needs, permission, level)
    ]
    if repositories is None:
        found.append("a token is good for every repository of the installation")
    elif len(repositories) > 1:
        found.append(f"a token is good for {len(repositories)} repositories")
    return found


def _random(length: int) -> str:
    return urlsafe_b64encode(secrets.token_bytes(length)).decode()[:length]
