"""Events survive the way through a durable workflow."""

from __future__ import annotations

import json

import pytest

from bot.github_events import (
    BaseMoved,
    CheckAsked,
    CommandWritten,
    Event,
    Ignored,
    InstallationChanged,
    PullRequestChanged,
    PullRequestClosed,
    PullRequestRef,
    Repository,
    from_json,
    to_json,
)

SHOP = Repository(7, "acme", "shop", "https://github.com/acme/shop.git", "main")
REF = PullRequestRef(42, SHOP, 12)
HEAD = "a" * 40
EVENTS = [
    PullRequestChanged(REF, HEAD, "main", "opened"),
    PullRequestClosed(REF, HEAD, merged=True, merge_commit_sha="b" * 40),
    PullRequestClosed(REF, HEAD, merged=False, merge_commit_sha=None),
    CommandWritten(REF, 99, "ann", 5, "MEMBER", "/tuppence help 🙂"),
    CheckAsked(42, SHOP, HEAD, REF, 3, "explain", "ann"),
    CheckAsked(42, SHOP, HEAD, None, None, "recheck", "ann"),
    BaseMoved(42, SHOP, "main", None, HEAD),
    BaseMoved(42, SHOP, "main", "b" * 40, HEAD, ("api.yaml", "ö/x.yaml")),
    InstallationChanged(42, (SHOP,), "created"),
    InstallationChanged(42, (), "deleted"),
    Ignored("ping"),
]


@pytest.mark.parametrize(
    "event", EVENTS, ids=[f"{type(event).__name__}-{at}" for at, event in enumerate(EVENTS)]
)
def test_an_event_comes_back_from_json_as_it_was(event: Event) -> None:
    """What a workflow resumes with is what was received."""
    assert from_json(json.loads(json.dumps(to_json(event)))) == event


def test_a_repository_is_called_by_owner_and_name() -> None:
    """The name GitHub's addresses use."""
    assert SHOP.full_name == "acme/shop"
