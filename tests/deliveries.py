"""Deliveries as GitHub signs and sends them."""

from __future__ import annotations

import copy
import json
from typing import Any

from bot.github_signature import signature

SECRET = "It's a Secret to Everybody"
HEAD = "6dcb09b5b57875f334f61aebed695e2e4193db5e"
BEFORE = "c3d0be41ecbe669545ee3e94d31ed9a4bc91ee3c"
REPOSITORY: dict[str, Any] = {
    "id": 7,
    "name": "shop",
    "full_name": "acme/shop",
    "owner": {"login": "acme"},
    "clone_url": "https://github.com/acme/shop.git",
    "default_branch": "main",
}
SENDER = {"login": "ann", "id": 5, "type": "User"}
AROUND: dict[str, Any] = {"repository": REPOSITORY, "installation": {"id": 42}, "sender": SENDER}
"""What every delivery has."""


def pull_request(action: str, **changes: object) -> dict[str, Any]:
    """A `pull_request` payload; `changes` replace parts of its pull request."""
    head = {"ref": "cheaper", "sha": HEAD, "repo": REPOSITORY}
    base = {"ref": "main", "sha": BEFORE, "repo": REPOSITORY}
    described = {"number": 12, "head": head, "base": base, "body": "Half the memory.", "merged": False}
    return copy.deepcopy({"action": action, "number": 12, "pull_request": {**described, **changes}, **AROUND})


def comment(text: str | None, action: str = "created", **changes: object) -> dict[str, Any]:
    """An `issue_comment` payload on a pull request; `changes` replace parts of the comment."""
    issue = {"number": 12, "pull_request": {"url": "https://api.github.com/repos/acme/shop/pulls/12"}}
    written = {"id": 99, "user": SENDER, "author_association": "MEMBER", "body": text}
    return copy.deepcopy({"action": action, "issue": issue, "comment": {**written, **changes}, **AROUND})


def check_run(action: str, numbers: tuple[int, ...] = (12,), **extra: object) -> dict[str, Any]:
    """A `check_run` payload whose run is on the heads of these pull requests."""
    pull_requests = [{"number": number, "base": {"ref": "main", "repo": {"id": 7}}} for number in numbers]
    run = {"id": 3, "head_sha": HEAD, "pull_requests": pull_requests}
    return copy.deepcopy({"action": action, "check_run": run, **AROUND, **extra})


def push(ref: str = "refs/heads/main", **changes: object) -> dict[str, Any]:
    """A `push` payload."""
    return copy.deepcopy({"ref": ref, "before": BEFORE, "after": HEAD, "deleted": False, **AROUND, **changes})


def installed(action: str, **lists: list[dict[str, Any]]) -> dict[str, Any]:
    """An `installation` or `installation_repositories` payload."""
    account = {"login": "acme", "html_url": "https://github.com/acme"}
    return {"action": action, "installation": {"id": 42, "account": account}, "sender": SENDER, **lists}


def body(payload: object) -> bytes:
    """The payload as it is sent."""
    return json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()


def headers(event: str, sent: bytes, secret: str = SECRET, **changes: str) -> dict[str, str]:
    """The headers of a delivery; `changes` by header name, with `_` for `-`."""
    usual = {
        "Content-Type": "application/json",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "X-Hub-Signature-256": signature(secret, sent),
    }
    return usual | {name.replace("_", "-"): value for name, value in changes.items()}
