"""Several at once: pushes, replicas, approvers, deliveries."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import psycopg

from tests.end_to_end.bots import Bot, running, wait_for
from tests.end_to_end.bursts import burst
from tests.end_to_end.stories import (
    APPROVED,
    HURRIED,
    OPENED,
    PUSHED,
    Scene,
    become_true,
    hold_true,
    prepared,
)
from tests.github.service import GitHub
from tests.postgres_server import Server
from tests.yaml_objects import deployment

LIKE_A_USERS = "2"
"""Seconds without a push before an analysis begins, as in the program that is shipped."""


@contextmanager
def replicas(hub: GitHub, folder: Path, database: str, **surroundings: str) -> Iterator[tuple[Bot, Bot]]:
    """Two bots on one database, each a pod of its own."""
    for name in ("first", "second"):
        (folder / name).mkdir()
    surroundings |= {"TUPPENCE_DATABASE_URL": database}
    with (
        running(hub, folder / "first", program=HURRIED, HOSTNAME="pod-0", **surroundings) as first,
        running(hub, folder / "second", program=HURRIED, HOSTNAME="pod-1", **surroundings) as second,
    ):
        yield first, second


def push_ten_times(scene: Scene, bots: tuple[Bot, ...]) -> None:
    """In five seconds; the deliveries go to each bot in turn, and the last push is that of the story."""
    turn = cycle(bots)
    for number in range(10):
        scene.hub.hooks.settle()
        scene.hub.hooks.url = f"{next(turn).url}/github/webhook"
        if number < 9:
            files = {"apps/api.yaml": deployment(cpu=f"{500 + number}m")}
            scene.hub.people.push(scene.repository, files, branch="raise")
        else:
            scene.push()
        time.sleep(0.5)


def analysed(scene: Scene) -> int:
    """How many heads an analysis was begun of."""
    return len({run.sha for run in scene.hub.check_runs(scene.repository)})


def test_ten_pushes_in_five_seconds_are_two_analyses_at_most(hub: GitHub, tmp_path: Path) -> None:
    """And what is shown is the newest head's."""
    with running(hub, tmp_path) as bot:
        [scene] = prepared(bot, hub, PUSHED, ["acme"])
        before = analysed(scene)
        push_ten_times(scene, (bot,))
        become_true(bot, [scene], PUSHED.then)
    assert analysed(scene) - before <= 2


def test_ten_pushes_told_to_two_replicas_are_two_analyses_at_most(
    hub: GitHub, tmp_path: Path, postgres: Server
) -> None:
    """They share the work, and neither does it twice."""
    with replicas(hub, tmp_path, postgres.new_database(), HURRIED_QUIET_SECONDS=LIKE_A_USERS) as bots:
        [scene] = prepared(bots[0], hub, PUSHED, ["acme"])
        before = analysed(scene)
        push_ten_times(scene, bots)
        become_true(bots[0], [scene], PUSHED.then)
    assert analysed(scene) - before <= 2


def test_of_two_approvers_at_two_replicas_one_wins(hub: GitHub, tmp_path: Path, postgres: Server) -> None:
    """One decision, one audit row; the other one is told."""
    hub.people.team("acme", "owners", "bob")
    with replicas(hub, tmp_path, postgres.new_database()) as bots:
        [scene] = prepared(bots[0], hub, APPROVED, ["acme"])
        hub.people.team("acme", "finops", "ann", "bob")
        hub.hooks.url = None
        text = f"/tuppence approve {scene.opened.head_sha[:7]}"
        for who in ("ann", "bob"):
            hub.people.comment(scene.repository, scene.opened, text, author=who)
        both = [each for each in hub.hooks.deliveries.values() if each.payload.get("action") == "created"]
        both = [each for each in both if each.event == "issue_comment" and each.status == "pending"]
        with ThreadPoolExecutor() as pool:
            answers = list(
                pool.map(
                    lambda each: hub.hooks.send(each[0], url=f"{each[1].url}/github/webhook"),
                    zip(both, bots, strict=True),
                )
            )
        said = hub.comments
        wait_for(
            lambda: len(said(scene.repository, scene.opened)) == 3,
            what="two answers",
            told=lambda: "".join(bot.log.read_text()[-1500:] for bot in bots),
        )
        rows = [row for row in bots[0].audit() if row["action"] == "approve"]
        wait_for(
            lambda: [run.conclusion for run in hub.check_runs(scene.repository)] == ["success"],
            what="a check that is green",
        )
    told = [each.body for each in said(scene.repository, scene.opened)]
    assert answers == [202, 202]
    assert len(rows) == 1
    assert sum(f"`{rows[0]['actor']}` approved" in body for body in told) == 1
    assert sum(f"`{rows[0]['actor']}` has approved this already" in body for body in told) == 1


def test_what_a_replica_that_never_returns_had_begun_is_done_by_the_other_one(
    hub: GitHub, tmp_path: Path, postgres: Server
) -> None:
    """And what waited behind it: a push that the other one was told of is what is shown in the end."""
    database = postgres.new_database()
    with replicas(hub, tmp_path, database, HURRIED_LEASE_SECONDS="6") as bots:
        [scene] = prepared(bots[0], hub, OPENED, ["acme"])
        held = hub.fault(
            "POST /repos/{owner}/{repo}/check-runs", "hang", after_effect=True, seconds=600, account="acme"
        )
        scene.open()
        wait_for(lambda: held.hits, what="work to begin", told=bots[0].log.read_text)
        with psycopg.connect(database) as records:
            query = (
                "select executor_id from dbos.workflow_status where name = 'report' and status = 'PENDING'"
            )
            [(name,)] = records.execute(query).fetchall()
        killed, other = bots if name.startswith("pod-0:") else bots[::-1]
        killed.kill_all()
        hub.hooks.url = f"{other.url}/github/webhook"
        scene.push()
        hold_true(other, ([scene], PUSHED.then))
        assert f"Took over the work of {name}" in other.log.read_text()


def test_pull_requests_of_one_commit_share_its_check_run(
    hub: GitHub, tmp_path: Path, postgres: Server
) -> None:
    """One commit into two branches, told to two replicas: GitHub has one check run of a name on a commit."""
    with replicas(hub, tmp_path, postgres.new_database()) as bots:
        scenes = prepared(bots[0], hub, OPENED, [f"account-{number}" for number in range(10)])
        for scene in scenes:
            scene.repository.git.set_ref("refs/heads/stable", scene.repository.git.sha("main"))
            scene.open()
            hub.hooks.settle()
            hub.hooks.url = f"{bots[1].url}/github/webhook"
            hub.people.open_pull(scene.repository, None, base="stable", branch="raise")
            hub.hooks.settle()
            hub.hooks.url = f"{bots[0].url}/github/webhook"
        become_true(bots[0], scenes, OPENED.then)


def test_a_burst_of_deliveries_loses_none(hub: GitHub, tmp_path: Path) -> None:
    """5 pull requests, 20 deliveries of each, twice and in any order; every comment is right."""
    with running(hub, tmp_path) as bot:
        found = burst(bot, hub, accounts=1, pulls=5)
    assert dict(found.answers) == {202: 100}
