"""An app that answers as a test wants it to, and keeps what it was sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs

from tests.http_peer import Asked, Reply, peer
from tests.slack.service import Slack


@contextmanager
def scripted_bot(hub: Slack, *replies: Reply) -> Iterator[list[Asked]]:
    """An app that answers with the replies in their order, and then with empty ones."""
    left = list(replies)
    with peer(lambda _: left.pop(0) if left else Reply()) as (url, asked):
        hub.events_url = f"{url}/slack/events"
        yield asked


def fields(asked: Asked) -> dict[str, str]:
    """The form of a request."""
    return {name: values[0] for name, values in parse_qs(asked.body, keep_blank_values=True).items()}
