"""kill -9 at every call to GitHub, before it is done and when it is done: nothing is lost, nothing is double.

Each pull request of a test is held at a call of its own. Then the bot is killed once, at all of them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
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

STEPS = {
    INSTALLED: ("refs_of", "look", "begin", "analyse", "comment", "check", "finish"),
    APPROVED: ("command", "answer"),
    OPENED: ("merged",),
}
"""Of the durable work that a story leads to; what was opened is merged then."""


def the_container(bot: Bot) -> None:
    """Every process at once; then it is started again."""
    bot.kill_all()
    bot.start()


def the_worker(bot: Bot) -> None:
    """Alone; the listening process starts another one."""
    bot.kill_worker()


@pytest.mark.parametrize(
    ("stories", "analyses", "kill"),
    [
        # One analysis is held at each of Git's calls.
        pytest.param([OPENED], "12", the_container, id="opened, the container"),
        pytest.param([OPENED], "12", the_worker, id="opened, the worker"),
        pytest.param([PUSHED, APPROVED, INSTALLED], "2", the_container, id="later, the container"),
        pytest.param([PUSHED, APPROVED, INSTALLED], "2", the_worker, id="later, the worker"),
    ],
)
def test_killed_at_each_call_it_says_all_once(
    hub: GitHub,
    tmp_path: Path,
    calls: dict[str, list[Call]],
    stories: list[Story],
    analyses: str,
    kill: Callable[[Bot], None],
) -> None:
    """One comment, one check run on each commit, one audit row for each report, one answer."""
    with running(hub, tmp_path, program=HURRIED, HURRIED_ANALYSES=analyses) as bot:
        told = {}
        holds = []
        for number, story in enumerate(stories):
            boundaries = [
                (call, done)
                for call in calls[story.name]
                for done in ([False, True] if call.writes else [False])
            ]
            at = {f"story-{number}-{place}": each for place, each in enumerate(boundaries)}
            told[story.name] = prepared(bot, hub, story, at)
            for scene in told[story.name]:
                call, done = at[scene.account]
                holds.append(hold(hub, call.operation, nth=call.nth, done=done, account=scene.account))
        for story in stories:
            for scene in told[story.name]:
                story.act(scene)
        wait_for_all(bot, holds)
        bot.environment["HURRIED_ANALYSES"] = "2"
        kill(bot)
        hold_true(bot, *((told[story.name], story.then) for story in stories))


def test_killed_while_it_asks_for_its_own_name(hub: GitHub, tmp_path: Path) -> None:
    """What is asked once a process, and belongs to no pull request."""
    with running(hub, tmp_path, program=HURRIED) as bot:
        held = hold(hub, "GET /app")
        [scene] = prepared(bot, hub, OPENED, ["acme"])
        OPENED.act(scene)
        wait_for_all(bot, [held])
        the_container(bot)
        hold_true(bot, ([scene], OPENED.then))


def test_killed_before_and_after_each_step_it_says_all_once(hub: GitHub, tmp_path: Path) -> None:
    """After a step is: before it is written down that it was done. From an installation to a merge."""
    folder = tmp_path / "holds"
    folder.mkdir()
    with running(hub, tmp_path, program=HURRIED, HURRIED_HOLDS=str(folder)) as bot:
        told = {}
        for story, steps in STEPS.items():
            places = {f"{side}-{step}-": f"{side} {step}" for step in steps for side in ("before", "after")}
            told[story.name] = prepared(bot, hub, story, places)
            if story is OPENED:
                for scene in told[OPENED.name]:
                    OPENED.act(scene)
                hold_true(bot, (told[OPENED.name], OPENED.then))
            for scene in told[story.name]:
                (folder / scene.account).write_text(places[scene.account])
        for scene in told[OPENED.name]:
            hub.people.merge(scene.repository, scene.opened)
        for story in (INSTALLED, APPROVED):
            for scene in told[story.name]:
                story.act(scene)
        wait_for(
            lambda: all(each.suffix == ".met" for each in folder.iterdir()),
            what="every step to be held",
            told=lambda: str([each.name for each in folder.iterdir() if not each.suffix]),
        )
        bot.kill_worker()
        hold_true(bot, *((told[story.name], story.then) for story in (INSTALLED, APPROVED)))
        merged = len(told[OPENED.name])
        wait_for(lambda: rows(tmp_path, "predictions") == merged, what="predictions", told=bot.log.read_text)


def rows(folder: Path, table: str) -> int:
    """How many rows a table of our records has."""
    with closing(sqlite3.connect(folder / "tuppence.db")) as database:
        return int(database.execute(f"select count(*) from {table}").fetchone()[0])  # noqa: S608 - our own name


def hold(hub: GitHub, operation: str, *, nth: int = 1, done: bool = False, account: str = "") -> Fault:
    """Leave a call without an answer for as long as anybody waits for one."""
    return hub.fault(operation, "hang", nth=nth, after_effect=done, seconds=600, account=account)


def wait_for_all(bot: Bot, holds: list[Fault]) -> None:
    def missing() -> list[str]:
        return [f"{fault.operation} ({fault.nth})" for fault in holds if not fault.hits]

    wait_for(
        lambda: not missing(),
        what="every call to be made",
        told=lambda: f"{bot.log.read_text()[-2000:]}\n{missing()}",
    )
