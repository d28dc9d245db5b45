"""Where a Prometheus is and what a request to it carries, checked before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit, urlunsplit

from bot.errors import UserError


def read_address(url: str) -> tuple[str, tuple[str, str] | None]:
    """The URL without credentials, query and API path; and the credentials that were in it."""
    shown = re.sub(r"//.*@", "//***@", url)[:200]
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        # The cause takes what follows a slash in a password for the port, and quotes it.
        raise UserError(
            f"Prometheus URL {shown!r} cannot be read: a password's / is written %2F, its @ %40"
        ) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UserError(f"Prometheus URL {shown!r} needs a scheme and a host, such as http://localhost:9090")
    if re.search(r"[^\w.:%-]", parts.hostname):
        raise UserError(f"Prometheus URL {shown!r} has a host that is no name: {parts.hostname[:80]!r}")
    if parts.query or parts.fragment:
        raise UserError(f"Prometheus URL {shown!r} may not hold '?' or '#'")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    path = re.sub(r"/api/v1/?\Z", "", parts.path).rstrip("/")
    clean = urlunsplit((parts.scheme, f"{host}:{port}" if port else host, path, "", ""))
    if parts.username is None:
        return clean, None
    return clean, (unquote(parts.username), unquote(parts.password or ""))


def checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers, once it is sure that no value can end one header and begin another."""
    for name, value in headers.items():
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or re.search(r"[\r\n\0]", value):
            raise UserError(f"Prometheus header {name[:80]!r} is not a valid HTTP header")
    return dict(headers)
