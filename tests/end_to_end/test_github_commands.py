"""What people ask of the bot in comments, and who may decide; the bot is a process of its own.

One bot serves all of these tests, each of which has an account of its own.
"""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from tests.end_to_end.bots import FILES, RAISED, Bot, reported, running, shop, wait_for
from tests.end_to_end.stories import HURRIED
from tests.github.model import CheckRun, Pull, Repository
from tests.github.service import GitHub, github
from tests.yaml_objects import deployment

POLICY = "guardrails: [{monthly_increase: 10, message: Ask FinOps., approvers: [OWNER/finops, olga]}]\n"
TWO = """guardrails:
  - {monthly_increase: 10, approvers: [OWNER/finops, olga]}
  - {percent: 50, approvers: [OWNER/sre]}
"""


@dataclass
class Scene:
    """A pull request whose guardrail is crossed."""

    hub: GitHub
    bot: Bot
    repository: Repository
    pull: Pull
    folder: Path

    @property
    def owner(self) -> str:
        return self.repository.owner.login

    @property
    def approve(self) -> str:
        return f"/tuppence approve {self.pull.head_sha[:7]}"

    def check(self) -> CheckRun:
        [run] = self.hub.check_runs(self.repository, sha=self.pull.head_sha)
        return run

    def summary(self) -> str:
        return str(self.check().output["summary"])

    def say(self, text: str, *, author: str) -> None:
        self.hub.people.comment(self.repository, self.pull, text, author=author)

    def answers(self) -> list[str]:
        """What the bot said beside its one comment."""
        ours = [each for each in self.hub.comments(self.repository, self.pull) if each.by_app]
        return [each.body for each in ours if "tuppence:reply" in each.body]

    def answered(self, times: int = 1) -> str:
        self.wait(lambda: len(self.answers()) >= times, "an answer")
        assert len(self.answers()) == times
        return self.answers()[-1]

    def wait(self, true: Callable[[], object], what: str) -> None:
        wait_for(true, what=what, told=self.bot.log.read_text)

    def turns(self, conclusion: str) -> None:
        self.wait(lambda: self.check().conclusion == conclusion, f"a check that is a {conclusion}")

    def audit(self) -> list[tuple[object, ...]]:
        decisions = "action in ('approve', 'reject')"
        subject = f"subject like '{self.owner}/%'"
        return self.database(f"select actor, action from audit where {decisions} and {subject}")  # noqa: S608 - our own

    def database(self, statement: str) -> list[tuple[object, ...]]:
        """Our records, read or changed behind the bot's back."""
        with closing(sqlite3.connect(self.folder / "tuppence.db")) as database, database:
            return list(database.execute(statement))


@dataclass
class Town:
    """A GitHub, and the bot beside it."""

    hub: GitHub
    bot: Bot
    folder: Path
    accounts: Iterator[int]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """For all tests."""
    folder = tmp_path_factory.mktemp("town")
    with github(folder / "github") as hub:
        with running(hub, folder, program=HURRIED) as bot:
            yield Town(hub, bot, folder, count(1))
        hub.assert_clean()


@pytest.fixture
def scene(town: Town, request: pytest.FixtureRequest) -> Scene:
    """Under the policy that a test asks for, in an account of its own."""
    policy: str = getattr(request, "param", POLICY)
    hub, owner = town.hub, f"acme-{next(town.accounts)}"
    hub.people.team(owner, "sre", "sam", "sue")
    hub.people.team(owner, "finops", "ann", "bob", pending=("ivy",))
    repository = shop(hub, {**FILES, ".tuppence.yaml": policy.replace("OWNER", owner)}, owner=owner)
    pull = hub.people.open_pull(repository, RAISED, author="author", branch="raise")
    wait_for(lambda: reported(hub, repository, pull), what="a report", told=town.bot.log.read_text)
    return Scene(hub, town.bot, repository, pull, town.folder)


def test_a_permitted_person_turns_the_check_green(scene: Scene) -> None:
    """The comment said how; the check and the comment say who did."""
    assert scene.check().conclusion == "failure"
    assert f"`{scene.approve}`" in scene.hub.comments(scene.repository, scene.pull)[0].body

    scene.say(f"Fine by me.\n\n{scene.approve}", author="ann")
    scene.turns("success")

    assert "`ann` approved" in scene.answered()
    assert "Approved by `ann`" in scene.summary()
    assert "Approved by `ann`" in scene.hub.comments(scene.repository, scene.pull)[0].body
    assert scene.audit() == [("ann", "approve")]


@pytest.mark.parametrize("who", ["author", "stranger", "ivy"])
def test_who_may_not_is_refused_and_told_who_may(scene: Scene, who: str) -> None:
    """The author, a stranger, and somebody who was invited to the team only."""
    scene.say(scene.approve, author=who)

    assert f"`{scene.owner}/finops` or `olga`" in scene.answered()
    assert scene.check().conclusion == "failure"
    assert scene.audit() == []


def test_an_older_commit_is_not_approved(scene: Scene) -> None:
    """Nor is one in fewer than seven digits, whatever stands around them."""
    scene.say("/tuppence approve 0123456789", author="ann")
    assert "is not the newest commit" in scene.answered()
    scene.say(f"/tuppence approve {scene.pull.head_sha[:6]}", author="ann")
    assert "is not the newest commit" in scene.answered(2)
    scene.say("/tuppence approve ```````", author="ann")
    assert "is not the newest commit" in scene.answered(3)
    assert scene.audit() == []


def test_what_is_edited_quoted_or_code_decides_nothing(scene: Scene) -> None:
    """The next command is answered, these are not."""
    comment = scene.hub.people.comment(scene.repository, scene.pull, "Looks good", author="ann")
    scene.hub.people.edit_comment(scene.repository, comment, scene.approve)
    scene.say(f"> {scene.approve}\n\n```\n{scene.approve}\n```\n<!--\n{scene.approve}\n-->", author="ann")
    scene.say("/tuppence help", author="ann")

    assert "| Command |" in scene.answered()
    assert scene.check().conclusion == "failure"
    assert scene.audit() == []


def test_of_two_approvers_at_once_one_decides(scene: Scene) -> None:
    """One decision, one audit row; the other is told."""
    scene.say(scene.approve, author="ann")
    scene.say(scene.approve, author="bob")
    scene.turns("success")
    scene.answered(2)

    assert len(scene.audit()) == 1
    assert sum("this already" in answer for answer in scene.answers()) == 1


@pytest.mark.parametrize("scene", [TWO], indirect=True, ids=["two guardrails"])
def test_each_guardrail_is_approved_by_people_of_its_own(scene: Scene) -> None:
    """The check is green when none is missing, and a dearer push asks all of them again."""
    scene.say(scene.approve, author="olga")
    assert f"is above 50\N{NO-BREAK SPACE}% (`{scene.owner}/sre`)" in scene.answered()
    scene.wait(lambda: "Approved by `olga`" in scene.summary(), "the first approval")
    scene.wait(lambda: scene.check().status == "completed", "the check")
    assert scene.check().conclusion == "failure"
    assert str(scene.check().output["title"]).endswith("1 of 2 approvals")
    assert f"Needs approval by **@{scene.owner}/sre**" in scene.summary()

    scene.say(scene.approve, author="ann")
    assert "`olga` has approved this already" in scene.answered(2)
    scene.say(scene.approve, author="sam")
    scene.turns("success")
    assert "Approved by `olga`" in scene.summary()
    assert "Approved by `sam`" in scene.summary()
    assert scene.audit() == [("olga", "approve"), ("sam", "approve")]

    scene.hub.people.push(scene.repository, {"apps/api.yaml": deployment(cpu="3")}, branch="raise")
    scene.wait(lambda: reported(scene.hub, scene.repository, scene.pull), "a report on the dearer push")
    assert scene.check().conclusion == "failure"
    assert str(scene.check().output["title"]).endswith("needs approval")


@pytest.mark.parametrize("scene", [TWO], indirect=True, ids=["two guardrails"])
def test_whoever_may_approve_one_guardrail_can_reject_the_whole(scene: Scene) -> None:
    """Nobody approves past a rejection; the next push can be approved again."""
    scene.say(scene.approve, author="olga")
    scene.say("/tuppence reject too dear", author="sam")
    scene.wait(lambda: "Rejected by `sam`" in scene.summary(), "a rejection")
    scene.say(scene.approve, author="sue")
    assert "`sam` has rejected this already" in scene.answered(3)
    assert scene.check().conclusion == "failure"
    assert "Approved by" not in scene.summary()

    scene.hub.people.push(scene.repository, {"apps/api.yaml": deployment(cpu="1900m")}, branch="raise")
    scene.wait(lambda: reported(scene.hub, scene.repository, scene.pull), "a report on the push")
    for who in ("ann", "sue"):
        scene.say(scene.approve, author=who)
    scene.turns("success")


def test_a_recheck_is_for_the_author_and_for_who_may_triage(scene: Scene) -> None:
    """Anybody can write a comment, and each analysis costs work."""
    scene.repository.roles |= {"tri": "triage", "reader": "read"}
    for who in ("stranger", "reader"):
        scene.say("/tuppence recheck", author=who)
    scene.answered(2)
    assert all("whoever opened the pull request" in each for each in scene.answers())
    for who in ("author", "tri"):
        scene.say("/tuppence recheck", author=who)
    scene.answered(4)
    assert sum("Pricing" in each for each in scene.answers()) == 2


def test_a_push_that_costs_more_asks_again_and_a_cheaper_one_does_not(scene: Scene) -> None:
    """An approval covers what was approved."""
    scene.say(scene.approve, author="olga")
    scene.turns("success")
    scene.hub.people.push(scene.repository, {"apps/api.yaml": deployment(cpu="1900m")}, branch="raise")
    scene.wait(lambda: reported(scene.hub, scene.repository, scene.pull), "a report on the cheaper push")
    assert scene.check().conclusion == "success"
    scene.hub.people.push(scene.repository, {"apps/api.yaml": deployment(cpu="3")}, branch="raise")
    scene.wait(lambda: reported(scene.hub, scene.repository, scene.pull), "a report on the dearer push")
    assert scene.check().conclusion == "failure"


def test_a_rejection_shows_its_reason(scene: Scene) -> None:
    """Harmless, whatever it holds."""
    scene.say("/tuppence reject too dear, @acme/all <b>now</b>", author="ann")
    scene.wait(lambda: "Rejected by `ann`" in scene.summary(), "a rejection")

    assert scene.check().conclusion == "failure"
    assert "@acme/all" not in scene.summary()
    assert "too dear" in scene.answered()
    assert scene.audit() == [("ann", "reject")]


def test_a_workload_is_explained_by_word_and_by_button(scene: Scene) -> None:
    """With its arithmetic, once for each comment and once for each report."""
    scene.say("/tuppence explain API", author="stranger")
    assert "h × $" in scene.answered()
    for _ in range(2):
        scene.hub.people.press(scene.repository, scene.check(), "explain", by="author")
    scene.answered(2)
    scene.say("/tuppence explain nothing-like-it", author="stranger")
    scene.wait(lambda: any("is called" in each for each in scene.answers()), "the last answer")

    assert len(scene.answers()) == 3


def test_what_was_predicted_is_kept_when_it_is_merged_and_told_when_a_week_is_over(scene: Scene) -> None:
    """Without a Prometheus the bot says that it could not measure; a restart says nothing again."""
    scene.hub.people.merge(scene.repository, scene.pull)
    ours = f"predictions where repository = {scene.repository.id}"
    scene.wait(lambda: scene.database(f"select count(*) from {ours}") == [(1,)], "a prediction")  # noqa: S608 - our own
    for _ in range(2):
        scene.bot.end(signal.SIGTERM)
        scene.database("update predictions set due_at = '2026-01-01 00:00:00.000000'")
        scene.bot.start()
        scene.wait(lambda: scene.database(f"select posted_at from {ours}") != [(None,)], "the word")  # noqa: S608 - our own

    assert "Predicted +$69.23 a month. It could not be measured" in scene.answered()
