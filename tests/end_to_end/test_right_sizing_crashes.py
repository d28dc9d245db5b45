"""kill -9 at every call of an approval, before it is done and when it is done: nothing is lost, nothing is double.

Each team of a test is held at a call of its own. Then the bot is killed once, at all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from bot.recommendation_slack import APPROVE, REJECT
from tests.end_to_end.approval_calls import (
    APPROVED_VALUE,
    ONCE_A_PROCESS,
    Call,
    Calls,
    Fault,
    boundaries,
    missed,
    scanning,
    spoil,
)
from tests.end_to_end.approvals import (
    APPROVED,
    CLOSED,
    REJECTED,
    Town,
    become_true,
    deciding,
)
from tests.end_to_end.bots import wait_for
from tests.github.service import GitHub
from tests.postgres_server import Server
from tests.prometheus_server import serving
from tests.slack.service import Slack, slack


@pytest.fixture
def workspace() -> Iterator[Slack]:
    """A Slack of the test's own."""
    with slack() as service:
        yield service
        service.assert_clean()


def test_killed_at_each_call_an_approval_is_one_pull_request(
    hub: GitHub, workspace: Slack, tmp_path: Path, approval_calls: Calls
) -> None:
    """One decision, branch, pull request and digest. Then some are closed: killed at each call of that, too."""
    held = [*((call, False) for call in ONCE_A_PROCESS), *boundaries(_changing(approval_calls.approved))]
    (tmp_path / "prometheus").mkdir()
    with (
        serving(tmp_path / "prometheus") as url,
        deciding(
            hub, workspace, _names(held), tmp_path, HURRIED_SAVINGS="14", HURRIED_ANSWER_SECONDS="170"
        ) as town,
    ):
        holds = _held(town, held)
        for number, case in enumerate(town.cases):
            town.press(case)
            if number < len(ONCE_A_PROCESS):  # whoever comes first meets it
                _all_are_held(town, holds[: number + 1])
        _all_are_held(town, holds)
        town.bot.environment["HURRIED_SAVINGS"] = "2"
        town.bot.kill_all()
        town.bot.start()
        hub.hooks.url = None
        become_true(town, lambda _: APPROVED)

        closing = list(boundaries(_changing(approval_calls.closed)))
        closed = town.cases[: len(closing)]
        assert len(closed) == len(closing)
        for case in closed:
            hub.people.push(case.repository, APPROVED_VALUE)
        town.bot.environment["HURRIED_SAVINGS"] = "10"
        holds = _held(town, closing)
        scanning(town, url, closed)
        _all_are_held(town, holds)
        town.bot.environment["HURRIED_SAVINGS"] = "2"
        town.bot.kill_all()
        town.bot.start()
        become_true(town, lambda case: CLOSED if case in closed else APPROVED)


def _changing(calls: Iterable[Call]) -> Iterator[Call]:
    """What changes GitHub, and all that Slack is asked: between two readings a kill finds the same world."""
    return (call for call in calls if call.writes or call.is_slacks)


def test_killed_at_each_call_a_rejection_is_one_decision(
    hub: GitHub, workspace: Slack, tmp_path: Path, approval_calls: Calls, postgres: Server
) -> None:
    """The worker alone, on PostgreSQL, with writes on GitHub besides. Who saw no modal presses again."""
    writes = [(call, True) for call in approval_calls.approved if call.writes and not call.is_slacks]
    rejecting = list(boundaries(approval_calls.rejected))
    held = [*rejecting, *writes]
    with deciding(
        hub,
        workspace,
        _names(held),
        tmp_path,
        postgres.new_database(),
        HURRIED_ANSWER_SECONDS="170",
        HURRIED_SAVINGS="8",
    ) as town:
        holds = _held(town, held)
        rejected = town.cases[: len(rejecting)]
        for case in town.cases:
            town.press(case, REJECT if case in rejected else APPROVE)
        asked = [
            case
            for case, (call, _) in zip(rejected, rejecting, strict=True)
            if call.operation.startswith("chat.")
        ]
        for case in asked:
            town.give_reason(case)
        _all_are_held(town, holds)
        town.bot.kill_worker()
        for case in rejected:
            if case not in asked:
                town.give_reason(case)
        become_true(town, lambda case: REJECTED if case in rejected else APPROVED)


def test_killed_before_and_after_each_step_of_an_approval(
    hub: GitHub, workspace: Slack, tmp_path: Path
) -> None:
    """After a step is: before it is written down that it was done. Such as a decision, which is kept by then."""
    steps = "slack_decide", "subject_of", "slack_show", "slack_say", "open_pull", "tell"
    places = [f"{side} {step}" for step in steps for side in ("before", "after")]
    holds = tmp_path / "holds"
    holds.mkdir()
    with deciding(hub, workspace, _names(places), tmp_path, HURRIED_HOLDS=str(holds)) as town:
        for case, place in zip(town.cases, places, strict=True):
            (holds / case.kept.id).write_text(place)
            town.press(case)
        wait_for(
            lambda: len(list(holds.glob("*.met"))) == len(places),
            what="every step to be held",
            told=lambda: str([each.read_text() for each in holds.iterdir() if not each.suffix]),
        )
        town.bot.kill_worker()
        become_true(town, lambda _: APPROVED)
        assert max(len(town.told(case, case.ana)) for case in town.cases) <= 2


def _names(held: Sequence[object]) -> list[str]:
    return [f"team-{number}" for number in range(len(held))]


def _held(town: Town, held: Sequence[tuple[Call, bool]]) -> list[Fault]:
    """Each at a case of its own, which gets no answer for as long as anybody waits for one."""
    return [
        spoil(town, case, call, "hang", done=done)
        for case, (call, done) in zip(town.cases, held, strict=False)
    ]


def _all_are_held(town: Town, holds: list[Fault]) -> None:
    wait_for(
        lambda: not missed(holds),
        what="every call to be made",
        told=lambda: f"{town.bot.log.read_text()[-2000:]}\n{missed(holds)}",
    )
