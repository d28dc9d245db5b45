"""Every call of an approval goes wrong once, in the ways that GitHub and Slack are known for: nothing is double.

What passes is tried again and ends as if nothing had been. What does not is said, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import pytest

from bot.recommendation_slack import APPROVE, REJECT
from tests.end_to_end.approval_calls import Call, Calls, missed, spoil
from tests.end_to_end.approvals import (
    APPROVED,
    REJECTED,
    Case,
    Truth,
    be_shown,
    become_true,
    deciding,
)
from tests.github.service import GitHub
from tests.slack.service import Slack, slack

PASSING = ("502", "secondary", "html")
LASTING = ("404", "422")
DONE_ALL_THE_SAME = ("502", "html")
"""What may also come after a write was carried out."""
REFUSED = ("token_revoked", "channel_not_found", "is_archived", "invalid_blocks")
BY_HAND = Truth(
    "*Approved* by Ana, *to be done by hand*", 0, 0, 0, ("recommendation.approve", "right-size.by-hand")
)
Spoilt = tuple[Call, str, bool]
"""A call, what comes instead of its answer, and whether it was carried out all the same."""


@pytest.fixture
def workspace() -> Iterator[Slack]:
    """A Slack of the test's own."""
    with slack() as service:
        yield service
        service.assert_clean()


def of_github(calls: Sequence[Call]) -> Iterator[Spoilt]:
    """Each write in every way; what is read in the one and in the other, each kind in turn."""
    passing, lasting = cycle(PASSING), cycle(LASTING)
    for call in calls:
        if call.is_slacks:
            continue
        for kind in (*PASSING, *LASTING) if call.writes else (next(passing), next(lasting)):
            yield call, kind, False
            if call.writes and kind in DONE_ALL_THE_SAME:
                yield call, kind, True


def test_whatever_github_answers_there_is_one_pull_request_or_a_reason(
    hub: GitHub, workspace: Slack, tmp_path: Path, approval_calls: Calls
) -> None:
    """A reason is in the digest and, with what is to be written by hand, once below it."""
    spoilt = list(of_github(approval_calls.approved))
    names = [f"team-{number}" for number in range(len(spoilt))]
    with deciding(hub, workspace, names, tmp_path) as town:
        lasting = {case for case, (_, kind, _) in zip(town.cases, spoilt, strict=True) if kind in LASTING}
        faults = [
            spoil(town, case, call, kind, done=done)
            for case, (call, kind, done) in zip(town.cases, spoilt, strict=True)
        ]
        for case in town.cases:
            town.press(case)

        def truth(case: Case) -> Truth:
            by_hand = case in lasting and not case.pulls
            return replace(BY_HAND, branches=len(case.branches)) if by_hand else APPROVED

        become_true(town, truth)
        below = {
            case.name: [one.text for one in workspace.messages(case.channel) if one.thread_ts]
            for case in town.cases
        }
    assert missed(faults) == []
    assert {name for name, said in below.items() if said} == {case.name for case in lasting if not case.pulls}
    assert max(map(len, below.values())) == 1


def of_an_approval(calls: Sequence[Call]) -> Iterator[Spoilt]:
    """Each call to Slack in every way that it may answer."""
    for call in calls:
        if not call.is_slacks:
            continue
        yield call, "ratelimited", False
        yield call, "500", False
        if call.operation.startswith("chat."):
            yield call, "500", True
            for kind in REFUSED:
                yield call, kind, False
        elif call.operation == "response_url":
            yield call, "500", True
            yield call, "expired_url", False
        else:
            yield call, "token_revoked", False


def of_a_rejection(calls: Sequence[Call]) -> Iterator[Spoilt]:
    """What an approval does not ask of Slack."""
    for call in calls:
        if call.operation == "views.open":
            for kind in ("ratelimited", "500", "expired_trigger_id", "token_revoked"):
                yield call, kind, False
            yield call, "500", True
        elif call.operation == "chat.postEphemeral":
            for kind in ("ratelimited", "500", *REFUSED):
                yield call, kind, False


def test_whatever_slack_answers_there_is_one_decision(
    hub: GitHub, workspace: Slack, tmp_path: Path, approval_calls: Calls
) -> None:
    """Where nothing was decided that is said, and pressing again does it. The digest is right in the end."""
    approving, rejecting = (
        list(of_an_approval(approval_calls.approved)),
        list(of_a_rejection(approval_calls.rejected)),
    )
    spoilt = [*approving, *rejecting]
    names = [f"team-{number}" for number in range(len(spoilt))]
    with deciding(hub, workspace, names, tmp_path) as town:
        approved, rejected = town.cases[: len(approving)], town.cases[len(approving) :]
        before = {case.name: replace(town.digest(case)) for case in town.cases}
        faults = [
            spoil(town, case, call, kind, done=done)
            for case, (call, kind, done) in zip(town.cases, spoilt, strict=True)
        ]
        for case in town.cases:
            town.press(case, APPROVE if case in approved else REJECT)
        for case in rejected:
            town.give_reason(case)
        be_shown(town, lambda _: REJECTED, rejected)
        lost = [
            case
            for case, (call, kind, _) in zip(approved, approving, strict=True)
            if kind in REFUSED and (call.operation != "chat.update" or call.nth > 1)
        ]
        for case in lost:
            town.wait_told(case)
        be_shown(town, lambda case: Truth("", len(case.pulls), len(case.branches), 0, ()), lost)
        for case in lost:  # a client that lags behind still has the button
            workspace.people.click(case.ana, before[case.name], APPROVE, value=case.kept.id)
        become_true(town, lambda case: APPROVED if case in approved else REJECTED)
    assert missed(faults) == []
