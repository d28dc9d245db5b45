"""What happens on a pull request, told at once of many: each in an account of its own, held to what must be true.

A story's calls to GitHub are counted in a run where nothing goes wrong, so that a matrix over them has every
one of them, and a new call comes into it by itself.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.end_to_end.bots import FILES, PATIENCE, RAISED, Bot, shop, wait_for
from tests.github.model import Pull, Repository
from tests.github.service import GitHub
from tests.yaml_objects import deployment

POLICY = "guardrails: [{monthly_increase: 10, message: Ask FinOps., approvers: [%s/finops]}]\n"
MARK, REPLY = "<!-- tuppence:comment ", "<!-- tuppence:reply "
LONGEST = PATIENCE
HURRIED = "tests.end_to_end.hurried_bot"


@dataclass(slots=True)
class Scene:
    """One account with one repository and, sooner or later, one pull request."""

    hub: GitHub
    account: str
    repository: Repository
    pull: Pull | None = None

    @property
    def opened(self) -> Pull:
        assert self.pull is not None
        return self.pull

    def open(self) -> None:
        self.pull = self.hub.people.open_pull(self.repository, RAISED, branch="raise")

    def install(self) -> None:
        self.hub.people.install(self.repository.owner)

    def push(self) -> None:
        self.hub.people.push(self.repository, {"apps/api.yaml": deployment(cpu="3")}, branch="raise")

    def approve(self) -> None:
        text = f"/tuppence approve {self.opened.head_sha[:7]}"
        self.hub.people.comment(self.repository, self.opened, text, author="ann")


@dataclass(frozen=True, slots=True)
class Truth:
    """What is to be seen on the pull request in the end, and how many rows its audit has."""

    words: tuple[str, ...]
    conclusion: str
    replies: int
    audit: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Story:
    """`before` leads to the truth `first`, if there is one; then `act` is what everything is about."""

    name: str
    before: Callable[[GitHub, str], Scene]
    act: Callable[[Scene], None]
    then: Truth
    first: Truth | None = None


def _installed(hub: GitHub, account: str) -> Scene:
    return Scene(hub, account, shop(hub, owner=account))


def _open(hub: GitHub, account: str) -> Scene:
    scene = _installed(hub, account)
    scene.open()
    return scene


def _open_and_guarded(hub: GitHub, account: str) -> Scene:
    hub.people.team(account, "finops", "ann")
    scene = Scene(hub, account, shop(hub, {**FILES, ".tuppence.yaml": POLICY % account}, owner=account))
    scene.open()
    return scene


def _open_without_the_app(hub: GitHub, account: str) -> Scene:
    scene = Scene(hub, account, hub.people.repository(f"{account}/shop", FILES))
    scene.open()
    return scene


_SHOWN = Truth(("+$69.23",), "success", 0, (("report.shown", 1),))
_REFUSED = Truth(("+$69.23", "Ask FinOps."), "failure", 0, (("report.shown", 1),))
OPENED = Story("a pull request is opened", _installed, Scene.open, _SHOWN)
PUSHED = Story(
    "a commit is pushed",
    _open,
    Scene.push,
    Truth(("+$115 ",), "success", 0, (("report.shown", 2),)),
    first=_SHOWN,
)
APPROVED = Story(
    "a guardrail is approved",
    _open_and_guarded,
    Scene.approve,
    Truth(("+$69.23", "Approved by `ann`"), "success", 1, (("report.shown", 1), ("approve", 1))),
    first=_REFUSED,
)
INSTALLED = Story(
    "the app is installed",
    _open_without_the_app,
    Scene.install,
    _SHOWN,
)
STORIES = (OPENED, PUSHED, APPROVED, INSTALLED)


@dataclass(frozen=True, slots=True)
class Call:
    """The nth call of an operation in a story."""

    operation: str
    nth: int

    @property
    def writes(self) -> bool:
        """Whether it makes a difference that it was carried out though its answer was lost."""
        return not self.operation.startswith(("GET ", "GIT ")) and not self.operation.endswith(
            "/access_tokens"
        )


def prepared(bot: Bot, hub: GitHub, story: Story, accounts: Iterable[str]) -> list[Scene]:
    """A scene for each account, up to where the story is to begin."""
    url, hub.hooks.url = hub.hooks.url, None
    if story.first is not None:
        hub.hooks.url = url
    scenes = [story.before(hub, account) for account in accounts]
    hub.hooks.url = url
    if story.first is not None:
        become_true(bot, scenes, story.first)
    return scenes


def become_true(bot: Bot, scenes: Sequence[Scene], truth: Truth) -> None:
    """Wait until all is as it must be on GitHub, and then until nothing happens any more."""
    wait_for(
        lambda: not any(map(_untrue(truth), scenes)),
        what="the truth",
        seconds=LONGEST,
        told=lambda: f"{bot.log.read_text()[-2000:]}\n{str(_problems(scenes, truth))[:1000]}",
    )
    _quiet(scenes[0].hub)


def hold_true(bot: Bot, *told: tuple[Sequence[Scene], Truth]) -> None:
    """When nothing happens any more all still must be as it must, and so must the audit rows."""
    for scenes, truth in told:
        become_true(bot, scenes, truth)
    wait_for(
        lambda: not _problems_of_all(told, bot.audit()),
        what="the audit rows",
        told=lambda: f"{bot.log.read_text()[-2000:]}\n{str(_problems_of_all(told, bot.audit()))[:1000]}",
    )
    bot.verify_audit()


def calls(bot: Bot, hub: GitHub) -> dict[str, list[Call]]:
    """The calls of each story where all goes well, by the story's name.

    Those of `OPENED` are all there. The others end in the same report, so theirs are what comes before it and
    the operations that `OPENED` has not.
    """
    scenes = {
        story.name: prepared(bot, hub, story, [f"clean-{number}"])[0] for number, story in enumerate(STORIES)
    }
    before = len(hub.journal.asked)
    for story in STORIES:
        story.act(scenes[story.name])
    for story in STORIES:
        become_true(bot, [scenes[story.name]], story.then)
    asked = hub.journal.asked[before:]
    found = {name: _counted(asked, scene.account) for name, scene in scenes.items()}
    known = {call.operation for call in found[OPENED.name]}
    for story in STORIES[1:]:
        found[story.name] = list(_its_own(found[story.name], known))
    return found


def _counted(asked: Sequence[tuple[str, str]], account: str) -> list[Call]:
    counted: Counter[str] = Counter()
    found = []
    for about, operation in asked:
        if about == account:
            counted[operation] += 1
            found.append(Call(operation, counted[operation]))
    return found


def _its_own(made: Sequence[Call], known: Collection[str]) -> Iterator[Call]:
    reports = False
    for call in made:
        reports = reports or "check-runs" in call.operation
        # How often a process asks to be let in depends on what it did before.
        if not call.operation.endswith("/access_tokens") and not (reports and call.operation in known):
            yield call


def _quiet(hub: GitHub, seconds: float = 0.8) -> None:
    """Until GitHub has not been asked anything for a moment."""
    asked, since = -1, time.monotonic()
    while time.monotonic() - since < seconds:
        if asked != len(hub.journal.asked):
            asked, since = len(hub.journal.asked), time.monotonic()
        time.sleep(0.05)


def _problems(scenes: Sequence[Scene], truth: Truth) -> dict[str, list[str]]:
    """What is not as it must be, by account."""
    return {scene.account: wrong for scene in scenes if (wrong := _untrue(truth)(scene))}


def _untrue(truth: Truth) -> Callable[[Scene], list[str]]:
    def untrue(scene: Scene) -> list[str]:
        hub, head = scene.hub, scene.opened.head_sha
        ours = [each.body for each in hub.comments(scene.repository, scene.opened)]
        comments = [body for body in ours if MARK in body]
        runs = hub.check_runs(scene.repository)
        told = {
            f"{len(comments)} comments": len(comments) == 1,
            f"{len(ours) - len(comments)} replies": len(ours) - len(comments) == truth.replies,
            f"the comment is {comments}": all(
                word in body for body in comments for word in (*truth.words, f"`{head[:7]}`", f" {head} ")
            ),
            "two runs on one commit": len({(run.sha, run.name) for run in runs}) == len(runs),
            f"the runs are {[(run.sha[:7], run.status, run.conclusion) for run in runs]}": all(
                run.status == "completed" for run in runs
            )
            and [run.conclusion for run in runs if run.sha == head] == [truth.conclusion],
        }
        return [what for what, true in told.items() if not true]

    return untrue


def _problems_of_all(
    told: Iterable[tuple[Sequence[Scene], Truth]], rows: Sequence[Any]
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for scenes, truth in told:
        found |= _problems(scenes, truth) | _audit_problems(rows, scenes, truth)
    return found


def _audit_problems(rows: Sequence[Any], scenes: Sequence[Scene], truth: Truth) -> dict[str, list[str]]:
    found = {}
    for scene in scenes:
        subject = f"{scene.repository.full_name}#{scene.opened.number}"
        mine = Counter(row["action"] for row in rows if row["subject"] == subject)
        if mine != Counter(dict(truth.audit)):
            found[scene.account] = [f"the audit rows are {dict(mine)}"]
    return found
