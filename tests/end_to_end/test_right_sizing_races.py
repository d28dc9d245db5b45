"""Several at once about one saving: approvers at two replicas, a look at the repository, people on GitHub."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from bot.adapters.records import Records
from bot.adapters.records_work import work_database
from bot.recommendation_slack import APPROVE, REASON
from tests.end_to_end.approval_calls import APPROVED_VALUE, scanning
from tests.end_to_end.approvals import (
    APPROVED,
    CLOSED,
    HURRIED,
    REASONED,
    REJECTED,
    Case,
    Town,
    Truth,
    be_shown,
    become_true,
    config_of,
    deciding,
    no_longer_found,
    prepared,
    surroundings_of,
)
from tests.end_to_end.bots import Bot, running, shop, wait_for
from tests.github.service import GitHub
from tests.postgres_server import Server
from tests.prometheus_server import serving
from tests.savings_past import FILES, half_a_month
from tests.savings_past import deployment as asking
from tests.slack.delivery import Line
from tests.slack.people import People
from tests.slack.service import Slack, slack

AUTOMATION = """
automation:
  - {environments: ["*"], changes: [cpu-request, memory-request], min_confidence: high}
"""


@pytest.fixture
def workspace() -> Iterator[Slack]:
    """A Slack of the test's own."""
    with slack() as service:
        yield service
        service.assert_clean()


@contextmanager
def replicas(
    hub: GitHub, workspace: Slack, names: list[str], folder: Path, url: str
) -> Iterator[tuple[Town, list[People]]]:
    """Two bots on one database, and what people do at each of them."""
    cases = prepared(hub, workspace, names, url)
    (folder / "tuppence.yaml").write_text(config_of(cases))
    surroundings = {**surroundings_of(workspace), "TUPPENCE_DATABASE_URL": url}
    options = ["--config", str(folder / "tuppence.yaml")]
    with ExitStack() as open_ones:
        bots = []
        for pod in ("pod-0", "pod-1"):
            (folder / pod).mkdir()
            bots.append(
                open_ones.enter_context(
                    running(hub, folder / pod, program=HURRIED, options=options, HOSTNAME=pod, **surroundings)
                )
            )
        hub.hooks.url = None
        workspace.events_url = f"{bots[0].url}/slack/events"
        world, journal, limits = workspace.world, workspace.journal, workspace.limits
        at = [
            People(world, journal, limits, Line(world, journal, workspace.sockets, f"{bot.url}/slack/events"))
            for bot in bots
        ]
        yield Town(hub, workspace, bots[0], cases), at


def at_once(*acts: Callable[[], object]) -> None:
    """All of them."""
    with ThreadPoolExecutor(len(acts)) as pool:
        for done in [pool.submit(act) for act in acts]:
            done.result()


def test_two_replicas_that_are_told_at_once_decide_once(
    hub: GitHub, workspace: Slack, tmp_path: Path, postgres: Server
) -> None:
    """Ana approves at the one while Bea rejects at the other; who came second is told who was first.

    And Ana's double click arrives at both of them.
    """
    names = [f"race-{number}" for number in range(6)] + [f"double-{number}" for number in range(3)]
    with replicas(hub, workspace, names, tmp_path, postgres.new_database()) as (town, at):
        races, doubles = town.cases[:6], town.cases[6:]
        for case in races:
            town.press(case, "recommendation-reject", case.bea)
            workspace.wait(partial(workspace.views, case.bea))

        def approve(case: Case, people: People) -> Callable[[], object]:
            digest = town.digest(case)
            return lambda: people.click(case.ana, digest, APPROVE, value=case.kept.id)

        def reject(case: Case, people: People) -> Callable[[], object]:
            return lambda: people.submit(case.bea, {REASON: REASONED})

        for number, case in enumerate(races):
            here, there = at if number % 2 else at[::-1]
            acts = [approve(case, here), reject(case, there)]
            at_once(*(acts if number % 3 else acts[::-1]))
        for case in doubles:
            at_once(approve(case, at[0]), approve(case, at[1]))

        rejected = replace(REJECTED, shown=f"*Rejected* by Bea: {REASONED}")
        for case in races:
            ana, bea = town.wait_told(case), town.wait_told(case, case.bea)
            if ana.startswith("You approved"):
                assert bea.startswith("Ana has approved this already")
            else:
                assert ana.startswith("Bea has rejected this already")
                assert bea.startswith("You rejected")
        for case in doubles:
            town.wait_told(case, least=2)
            assert sum(one.startswith("You approved") for one in town.told(case, case.ana)) == 1
            assert sum(one.startswith("You have approved") for one in town.told(case, case.ana)) == 1

        def truth(case: Case) -> Truth:
            return rejected if case in races and "Bea has" in town.told(case, case.ana)[0] else APPROVED

        become_true(town, truth)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_look_at_the_repository_may_take_back_what_is_being_approved(
    hub: GitHub, workspace: Slack, tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    """Before the decision it is refused; after it there is a pull request or the digest says why there is none."""
    url = request.getfixturevalue("postgres").new_database() if kind == "postgresql" else ""
    names = ["while-checked", "while-read", "while-opened"]
    with deciding(hub, workspace, names, tmp_path, url) as town:
        checked, read, opened = town.cases
        for case, operation in (
            (checked, "GET /repos/{owner}/{repo}/git/ref/{ref}"),
            (read, "GIT fetch"),
            (opened, "POST /repos/{owner}/{repo}/pulls"),
        ):
            hub.meanwhile(operation, partial(no_longer_found, town, case))
            town.press(case)
            town.wait_told(case)
            be_shown(town, _of_what_was_taken_back, [case])
        become_true(town, _of_what_was_taken_back)
        assert len(opened.pulls) == 1


_STALE = Truth("*No longer proposed*", 0, 0, 0, ("recommendation.approve", "right-size.stale"))


def _of_what_was_taken_back(case: Case) -> Truth:
    return APPROVED if case.pulls else _STALE


def test_what_a_person_pushes_to_our_branch_is_theirs(hub: GitHub, workspace: Slack, tmp_path: Path) -> None:
    """Even between the branch and its pull request; what they wrote is neither overwritten nor deleted."""
    with deciding(hub, workspace, ["acme"], tmp_path) as town:
        [case] = town.cases
        theirs = {"NOTES.md": "wait for the sale\n"}

        def push() -> None:
            [branch] = case.branches
            hub.people.push(case.repository, theirs, branch=branch, author="ann")

        hub.meanwhile("POST /repos/{owner}/{repo}/pulls", push)
        town.press(case)
        become_true(town, lambda _: APPROVED)
        [pull] = case.pulls
        tip = case.repository.git.sha(f"refs/heads/{pull.head_ref}")
        (tmp_path / "prometheus").mkdir()
        with serving(tmp_path / "prometheus") as url:
            hub.people.push(case.repository, APPROVED_VALUE)
            scanning(town, url, [case])
            become_true(town, lambda _: replace(CLOSED, branches=1))
        assert case.repository.git.sha(f"refs/heads/{pull.head_ref}") == tip


def test_what_a_person_has_closed_is_opened_again_when_the_facts_have_changed(
    hub: GitHub, tmp_path: Path
) -> None:
    """Not by the next look, which finds the same saving and whose policy covers it."""
    repository = shop(hub, FILES)
    config = tmp_path / "tuppence.yaml"
    config.write_text(AUTOMATION)
    (tmp_path / "prometheus").mkdir()
    with (
        half_a_month(tmp_path / "prometheus") as url,
        running(hub, tmp_path, program=HURRIED, options=["--config", str(config)], PROMETHEUS_URL=url) as bot,
    ):
        hub.hooks.url = None
        wait_for(lambda: _done(bot, "right-size.opened"), what="a pull request")
        [pull] = repository.pulls.values()
        hub.people.close(repository, pull, by="ann")

        another_day(bot, tmp_path)
        wait_for(lambda: _done(bot, "right-size.closed"), what="its end")
        looks = bot.log.read_text().count("Looked for savings")
        another_day(bot, tmp_path)
        wait_for(lambda: bot.log.read_text().count("Looked for savings") > looks, what="a look")
        with closing(Records(f"sqlite:///{tmp_path}/tuppence.db")) as records:
            assert len(records.recommendations.open_ones()) == 1
        assert len(repository.pulls) == 1

        # Another saving, and near enough to what the pods have not to be left alone.
        hub.people.push(repository, {"apps/api.yaml": asking(cpu="2", memory="2060Mi")})
        another_day(bot, tmp_path)
        wait_for(lambda: len(repository.pulls) == 2, what="another pull request")


def _done(bot: Bot, action: str) -> bool:
    return action in [row["action"] for row in bot.audit()]


def another_day(bot: Bot, folder: Path) -> None:
    """Nothing of today's work, once it is at an end, is known any more: everything is looked at once more."""
    url = work_database(f"sqlite:///{folder}/tuppence.db").url
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
        left = "select count(*) from workflow_status where status in ('PENDING', 'ENQUEUED')"
        wait_for(lambda: database.execute(left).fetchone() == (0,), what="the end of the day")
        bot.kill_all()
        database.execute("delete from workflow_status where status = 'SUCCESS'")
        known = "select workflow_uuid from workflow_status"
        database.execute(f"delete from operation_outputs where workflow_uuid not in ({known})")  # noqa: S608 - our own words
        database.commit()
    bot.start()
