"""Errors travel through durable workflows, and from one process to another."""

from __future__ import annotations

import pickle

import pytest

from bot.errors import (
    GitHubRefused,
    GitHubUnavailable,
    GitUnavailable,
    OutsideError,
    SlackRefused,
    SlackUnavailable,
)


@pytest.mark.parametrize(
    "error",
    [
        GitUnavailable("m", "slow"),
        GitHubUnavailable("m", "limit", 3.0),
        GitHubRefused("m", 401, denied=True),
        SlackUnavailable("m", 3.0),
        SlackRefused("m", "invalid_auth", denied=True),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_is_stored_and_read_back_whole(error: OutsideError) -> None:
    """What decides about a second try is not lost. One that cannot be read ends the process it came to."""
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


@pytest.mark.parametrize(("kind", "denied"), [("refused", True), ("outage", False), ("gone", False)])
def test_git_credentials_that_are_refused_are_for_an_administrator(kind: str, denied: bool) -> None:
    """Nothing else about a repository is."""
    assert GitUnavailable("m", kind).denied is denied
