"""Where people look at what is on GitHub."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote, urlsplit

from bot.pull_requests import PullRequestFacts
from estimators.objects import Source


def web_address(api_url: str) -> str:
    """Where people look at what an API serves: github.com, or an Enterprise Server's own name."""
    parts = urlsplit(api_url)
    if parts.hostname == "api.github.com":
        return "https://github.com"
    return f"{parts.scheme}://{parts.netloc}"


def line_links(web: str, facts: PullRequestFacts) -> Callable[[Source, str], str]:
    """Addresses of lines of the head, or of the base for what was removed."""
    place = f"{web}/{facts.ref.repository.full_name}/blob"

    def link(source: Source, side: str) -> str:
        if not source.file:
            return ""
        commit = facts.head_sha if side == "after" else facts.base_sha
        return f"{place}/{commit}/{quote(source.file)}#L{source.line}"

    return link
