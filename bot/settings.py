"""What the environment says. The only file that reads environment variables.

A secret may stand in its variable, or in a file that `<NAME>_FILE` names, as Kubernetes mounts them.
An empty variable is an unset one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from bot.errors import UserError
from bot.settings_table import DATABASE_URL, GITHUB, SLACK

LONGEST_SECRET = 65_536  # characters
_TOKEN = "PROMETHEUS_TOKEN"  # noqa: S105 - the variable's name


@dataclass(frozen=True, slots=True)
class PrometheusSettings:
    """How to reach Prometheus; `url` is `""` where none is set. Nothing secret is ever shown.

    `tokens` are those of single clusters, by how their variables end, such as `PROD_EU`.
    """

    url: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)
    basic_auth: tuple[str, str] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class GitHubSettings:
    """The GitHub App. Nothing secret is ever shown."""

    app_id: int
    private_key: str = field(repr=False)
    webhook_secrets: tuple[str, ...] = field(repr=False)
    api_url: str = GITHUB
    clone_url: str = ""


@dataclass(frozen=True, slots=True)
class SlackSettings:
    """The Slack app. `signing_secret` is for HTTP, `app_token` for Socket Mode; one of them is set."""

    bot_token: str = field(repr=False)
    signing_secret: str = field(default="", repr=False)
    app_token: str = field(default="", repr=False)
    api_url: str = SLACK


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """Where the bot listens; `github` and `slack` are None where no app is set up there."""

    host: str
    port: int
    github: GitHubSettings | None = None
    slack: SlackSettings | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """What every command may need from the environment. `cache` may not exist yet."""

    prometheus: PrometheusSettings
    kubernetes_api_url: str
    cache: Path
    database_url: str = field(default=DATABASE_URL, repr=False)


def from_env(environment: Mapping[str, str] | None = None) -> Settings:
    """Read `environment`, the process's own where none is given.

    Raises `UserError` with every problem at once, a line each, and never with a secret's value.
    """
    reader = _Reader(os.environ if environment is None else environment, [])
    settings = Settings(
        _prometheus(reader),
        reader.text("KUBERNETES_API_URL"),
        _cache(reader),
        reader.secret("TUPPENCE_DATABASE_URL") or DATABASE_URL,
    )
    if reader.problems:
        raise UserError("\n".join(reader.problems))
    return settings


def serving_from_env(environment: Mapping[str, str] | None = None) -> ServeSettings:
    """What `tuppence serve` needs beside that; half an app is a problem. Raises as `from_env` does."""
    reader = _Reader(os.environ if environment is None else environment, [])
    settings = _serve(reader)
    if reader.problems:
        raise UserError("\n".join(reader.problems))
    return settings


def secret_in(name: str, environment: Mapping[str, str] | None = None) -> str:
    """The secret in the variable `name`, the first where it holds several.

    Raises UserError where it holds none.
    """
    reader = _Reader(os.environ if environment is None else environment, [])
    [secret, *_] = [*reader.secret(name).splitlines(), ""]
    if reader.problems or not secret:
        raise UserError("\n".join(reader.problems) or f"{name}: not set, and a secret must be in it")
    return secret.strip()


def secrets_of(settings: Settings, serving: ServeSettings) -> list[str]:
    """Everything that may stand in no log."""
    prometheus, github, slack = settings.prometheus, serving.github, serving.slack
    known = [prometheus.token, *prometheus.tokens.values()]
    known += [*_passwords(settings.database_url), *_passwords(prometheus.url)]
    if github is not None:
        known += [*github.webhook_secrets, github.private_key]
    if slack is not None:
        known += [slack.bot_token, slack.signing_secret, slack.app_token]
    return [
        secret
        for secret in [*known, *(prometheus.basic_auth or ())[1:], *prometheus.headers.values()]
        if secret
    ]


def _passwords(address: str) -> Iterator[str]:
    """Those in an address, as they are written there and as they are meant."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return  # whoever uses it says so
    yield from (parts.password or "", unquote(parts.password or ""))
    yield from (value for name, held in parse_qs(parts.query).items() if "password" in name for value in held)


@dataclass(frozen=True, slots=True)
class _Reader:
    environment: Mapping[str, str]
    problems: list[str]

    def text(self, name: str) -> str:
        return self.environment.get(name, "").strip()

    def secret(self, name: str) -> str:
        named = self.text(f"{name}_FILE")
        if not named:
            return self.text(name)
        if self.text(name):
            self.problems.append(f"{name} and {name}_FILE are both set: keep one")
        try:
            with Path(named).open(encoding="utf-8") as file:
                content = file.read(LONGEST_SECRET + 1)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            self.problems.append(f"{name}_FILE: {named} cannot be read: {reason}")
            return ""
        if len(content) > LONGEST_SECRET or not content.strip():
            self.problems.append(f"{name}_FILE: {named} is empty or larger than {LONGEST_SECRET} characters")
        return content.strip()

    def file(self, name: str) -> Path | None:
        named = self.text(name)
        if named and not Path(named).is_file():
            self.problems.append(f"{name}: {named} is not a file")
        return Path(named) if named else None


def _prometheus(reader: _Reader) -> PrometheusSettings:
    token = reader.secret(_TOKEN)
    user, password = reader.text("PROMETHEUS_USERNAME"), reader.secret("PROMETHEUS_PASSWORD")
    if bool(user) != bool(password):
        reader.problems.append("PROMETHEUS_USERNAME and PROMETHEUS_PASSWORD are set together or not at all")
    if token and user:
        reader.problems.append(
            "PROMETHEUS_TOKEN and PROMETHEUS_USERNAME are both set: Prometheus takes one of them"
        )
    tokens = _tokens(reader)
    for ending, each in {"": token, **tokens}.items():
        if len(each.split()) > 1:
            name = f"{_TOKEN}_{ending}" if ending else _TOKEN
            reader.problems.append(f"{name} may not hold spaces or line breaks")
    return PrometheusSettings(
        url=reader.text("PROMETHEUS_URL"),
        token=token,
        tokens=tokens,
        basic_auth=(user, password) if user and password else None,
        headers=_headers(reader),
        ca_file=reader.file("PROMETHEUS_CA_FILE"),
    )


def _tokens(reader: _Reader) -> dict[str, str]:
    """Every PROMETHEUS_TOKEN_<CLUSTER>, whether it or its file is named."""
    named = [name.removeprefix(f"{_TOKEN}_") for name in reader.environment if name.startswith(f"{_TOKEN}_")]
    endings = {ending.removesuffix("_FILE") for ending in named if ending != "FILE"}
    tokens = {ending: reader.secret(f"{_TOKEN}_{ending}") for ending in sorted(endings)}
    return {ending: token for ending, token in tokens.items() if token}


def _headers(reader: _Reader) -> dict[str, str]:
    headers = {}
    for number, line in enumerate(reader.secret("PROMETHEUS_HEADERS").splitlines(), 1):
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not line.strip():
            continue
        if not (name and colon and value):
            reader.problems.append(f"PROMETHEUS_HEADERS: line {number} is not of the form 'Name: value'")
        headers[name] = value
    return headers


def _serve(reader: _Reader) -> ServeSettings:
    port = reader.text("TUPPENCE_PORT") or "8080"
    if not (port.isascii() and port.isdigit() and len(port) < 6 and 0 <= int(port) < 65536):
        reader.problems.append(f"TUPPENCE_PORT: {port[:20]!r} is not a port: use a number from 1 to 65535")
        port = "0"
    return ServeSettings(
        host=reader.text("TUPPENCE_HOST") or "127.0.0.1",
        port=int(port),
        github=_github(reader),
        slack=_slack(reader),
    )


def _github(reader: _Reader) -> GitHubSettings | None:
    app_id = reader.text("GITHUB_APP_ID")
    key, secret = reader.secret("GITHUB_APP_PRIVATE_KEY"), reader.secret("GITHUB_WEBHOOK_SECRET")
    given = {"GITHUB_APP_ID": app_id, "GITHUB_APP_PRIVATE_KEY": key, "GITHUB_WEBHOOK_SECRET": secret}
    missing = [name for name, value in given.items() if not value]
    if len(missing) == len(given):
        return None
    if missing:
        reader.problems.append(f"{' and '.join(missing)}: not set, and a GitHub App needs all three")
    if app_id and not (app_id.isascii() and app_id.isdigit() and len(app_id) < 19):
        reader.problems.append(f"GITHUB_APP_ID: {app_id[:20]!r} is not a number")
        app_id = ""
    return GitHubSettings(
        app_id=int(app_id or 0),
        private_key=key,
        webhook_secrets=tuple(line.strip() for line in secret.splitlines() if line.strip()),
        api_url=reader.text("GITHUB_API_URL") or GITHUB,
        clone_url=reader.text("GITHUB_CLONE_URL"),
    )


def _slack(reader: _Reader) -> SlackSettings | None:
    names = ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN")
    bot_token, signing_secret, app_token = given = [reader.secret(name) for name in names]
    if not any(given):
        return None
    if not bot_token:
        reader.problems.append("SLACK_BOT_TOKEN: not set, and a Slack app needs it")
    elif not (signing_secret or app_token):
        reader.problems.append(
            "SLACK_SIGNING_SECRET: not set; a Slack app needs it, or SLACK_APP_TOKEN for Socket Mode"
        )
    for name, value in zip(names, given, strict=True):
        if len(value.split()) > 1:
            reader.problems.append(f"{name} may not hold spaces or line breaks")
    api_url = reader.text("SLACK_API_URL") or SLACK
    return SlackSettings(bot_token, signing_secret, app_token, f"{api_url.rstrip('/')}/")


def _cache(reader: _Reader) -> Path:
    named = Path(reader.text("XDG_CACHE_HOME"))
    if named.is_absolute():
        return named / "tuppence"
    from platformdirs import user_cache_path  # noqa: PLC0415 - only where the variable leaves it open

    return user_cache_path("tuppence")
