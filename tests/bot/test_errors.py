"""Errors travel through durable workflows."""

from __future__ import annotations

import pickle

import pytest

from bot.errors import GitHubRefused, GitHubUnavailable, GitUnavailable, OutsideError


@pytest.mark.parametrize(
    "error",
    [GitUnavailable("m", "slow"), GitHubUnavailable("m", "limit", 3.0), GitHubRefused("m", 422)],
    ids=lambda error: type(error).__name__,
)
def test_an_error_is_stored_and_read_back_whole(error: OutsideError) -> None:
    """What decides about a second try is not lost."""
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))
