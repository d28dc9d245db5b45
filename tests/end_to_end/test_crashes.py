"""kill -9 at every call to GitHub, before it is done and when it is done: nothing is lost, nothing is double.

Each pull request of a test is held at a call of its own. Then the bot is killed once, at all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.end_to_end.bots import Bot, running, wait_for
from tests.end_to_end.stories import (
    APPROVED,
    HURRIED,
    INSTALLED,
    OPENED,
    PUSHED,
    Call,
    Story,
    hold_true,
    prepared,
)
from tests.github.faults import Fault
from tests.github.service import GitHub


def the_container(bot: Bot) -> None:
    """Every process at once; then it is started again."""
    bot.kill_all()
    bot.start()


def the_worker(bot: Bot) -> None:
    """Alone; the listening process starts another one."""
    bot.kill_worker()


def boundaries(calls: list[Call], story: Story) -> Iterator[tuple[Call, bool]]:
    """Where it is killed: at a call, and whether GitHub has carried it out by then.

    Fetching and being let in are in every story what they are where a pull request is opened.
    """
    for call in calls:
        if story is OPENED or not (call.fetches or call.lets_in):
            yield call, False
        if call.writes:
            yield call, True


@pytest.mark.parametrize(
    ("story", "kill"),
    [
        pytest.param(OPENED, the_container, id="opened, the container"),
        pytest.param(OPENED, the_worker, id="opened, the worker"),
        pytest.param(PUSHED, the_worker, id="pushed, the worker"),
        pytest.param(APPROVED, the_container, id="approved, the container"),
        pytest.param(INSTALLED, the_worker, id="installed, the worker"),
    ],
)
def test_killed_at_each_call_it_says_all_once(
    hub: GitHub, tmp_path: Path, calls: dict[str, list[Call]], story: Story, kill: Callable[[Bot], None]
) -> None:
    """One comment, one check run on each commit, one audit row for each report, one answer."""
    with running(hub, tmp_path, program=HURRIED, HURRIED_ANALYSES="12") as bot:
        at = {f"at-{number}": each for number, each in enumerate(boundaries(calls[story.name], story))}
        scenes = prepared(bot, hub, story, at)
        holds = []
        for scene in scenes:
            call, done = at[scene.account]
            holds.append(hold(hub, call.operation, nth=call.nth, after_effect=done, account=scene.account))
            story.act(scene)
        wait_for_all(bot, holds)
        kill(bot)
        hold_true(bot, scenes, story.then)


def test_killed_while_it_asks_for_its_own_name(hub: GitHub, tmp_path: Path) -> None:
    """What is asked once a process, and belongs to no pull request."""
    with running(hub, tmp_path, program=HURRIED) as bot:
        held = hold(hub, "GET /app")
        [scene] = prepared(bot, hub, OPENED, ["acme"])
        OPENED.act(scene)
        wait_for_all(bot, [held])
        the_container(bot)
        hold_true(bot, [scene], OPENED.then)


def hold(
    hub: GitHub, operation: str, *, nth: int = 1, after_effect: bool = False, account: str = ""
) -> Fault:
    """Leave a call without an answer for as long as anybody waits for one."""
    return hub.fault(operation, "hang", nth=nth, after_effect=after_effect, seconds=600, account=account)


def wait_for_all(bot: Bot, holds: list[Fault]) -> None:
    def missing() -> list[str]:
        return [f"{fault.operation} ({fault.nth})" for fault in holds if not fault.hits]

    wait_for(
        lambda: not missing(),
        what="every call to be made",
        seconds=60,
        told=lambda: f"{bot.log.read_text()[-2000:]}\n{missing()}",
    )
