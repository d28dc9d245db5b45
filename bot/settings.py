"""What the environment says. The only file that reads environment variables.

A secret may stand in its variable, or in a file that `<NAME>_FILE` names, as Kubernetes mounts them.
An empty variable is an unset one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from bot.errors import UserError

LONGEST_SECRET = 65_536  # characters


class Setting(NamedTuple):
    """One environment variable, as docs/settings.md describes it."""

    name: str
    meaning: str
    secret: bool = False
    default: str = ""


SETTINGS = (
    Setting("PROMETHEUS_URL", "The Prometheus to read live utilisation from; a path prefix is fine."),
    Setting("PROMETHEUS_TOKEN", "A bearer token for it.", secret=True),
    Setting("PROMETHEUS_USERNAME", "The user of HTTP basic authentication; needs the password as well."),
    Setting("PROMETHEUS_PASSWORD", "The password of HTTP basic authentication.", secret=True),
    Setting(
        "PROMETHEUS_HEADERS",
        "More headers, one `Name: value` a line, such as `X-Scope-OrgID: team-a` for Mimir.",
        secret=True,
    ),
    Setting("PROMETHEUS_CA_FILE", "The certificates (PEM) that its TLS certificate is checked against."),
    Setting(
        "KUBERNETES_API_URL",
        "The Kubernetes API to ask, instead of the one that the kube context names.",
    ),
    Setting(
        "XDG_CACHE_HOME",
        "Where caches are kept, in a folder `tuppence`.",
        default="`~/.cache`",
    ),
)


@dataclass(frozen=True, slots=True)
class PrometheusSettings:
    """How to reach Prometheus; `url` is `""` where none is set. Nothing secret is ever shown."""

    url: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    basic_auth: tuple[str, str] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that comes from the environment. `cache` may not exist yet."""

    prometheus: PrometheusSettings
    kubernetes_api_url: str
    cache: Path


def from_env(environment: Mapping[str, str] | None = None) -> Settings:
    """Read `environment`, the process's own where none is given.

    Raises `UserError` with every problem at once, a line each, and never with a secret's value.
    """
    reader = _Reader(os.environ if environment is None else environment, [])
    settings = Settings(_prometheus(reader), reader.text("KUBERNETES_API_URL"), _cache(reader))
    if reader.problems:
        raise UserError("\n".join(reader.problems))
    return settings


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
    token = reader.secret("PROMETHEUS_TOKEN")
    user, password = reader.text("PROMETHEUS_USERNAME"), reader.secret("PROMETHEUS_PASSWORD")
    if bool(user) != bool(password):
        reader.problems.append("PROMETHEUS_USERNAME and PROMETHEUS_PASSWORD are set together or not at all")
    if token and user:
        reader.problems.append(
            "PROMETHEUS_TOKEN and PROMETHEUS_USERNAME are both set: Prometheus takes one of them"
        )
    if len(token.split()) > 1:
        reader.problems.append("PROMETHEUS_TOKEN may not hold spaces or line breaks")
    return PrometheusSettings(
        url=reader.text("PROMETHEUS_URL"),
        token=token,
        basic_auth=(user, password) if user and password else None,
        headers=_headers(reader),
        ca_file=reader.file("PROMETHEUS_CA_FILE"),
    )


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


def _cache(reader: _Reader) -> Path:
    named = Path(reader.text("XDG_CACHE_HOME"))
    if named.is_absolute():
        return named / "tuppence"
    from platformdirs import user_cache_path  # noqa: PLC0415 - only where the variable leaves it open

    return user_cache_path("tuppence")
