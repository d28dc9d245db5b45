"""Savings waiting for a click, each in a repository, a channel and a team of its own, and what must come of them.

`tuppence serve` runs beside a GitHub and a Slack on loopback. A case is told from the others by its ids, so
that something can happen to each of them at a call of its own.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.adapters.records import Records
from bot.adapters.slack_api import SlackApi
from bot.adapters.slack_messages import SlackWebMessages
from bot.digest_json import digest_json
from bot.github_events import Repository
from bot.handlers.post_digest import post_digest
from bot.handlers.show_digest import content_with, rendered
from bot.recommendation_json import place_json, recommendation_json
from bot.recommendation_ports import Place
from bot.recommendation_records import KeptDigest, KeptRecommendation, id_of, subject_of
from bot.recommendation_slack import APPROVE, REASON, REJECT
from estimators.objects import Identity, Source
from tests.bot.decidable import FOUND, KEPT, scan
from tests.bot.digest_messages import ITEMS, TEAM
from tests.end_to_end.bots import Bot, running, wait_for
from tests.github.model import Pull
from tests.github.model import Repository as Hosted
from tests.github.service import GitHub
from tests.slack.limits import TIERS
from tests.slack.model import Channel, Group, Message, User
from tests.slack.service import Slack
from tests.yaml_objects import deployment

HURRIED = "tests.end_to_end.hurried_bot"
FILE = "apps/api.yaml"
REASONED = "sized for the sale in December"
NOW = datetime.now(UTC)
_KEY = Identity("", "payments", "Deployment", "api")


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One team: its repository, its digest with one saving, and two people who may decide."""

    name: str
    repository: Hosted
    kept: KeptRecommendation
    channel: Channel
    group: Group
    ana: User
    bea: User

    @property
    def ids(self) -> tuple[str, ...]:
        """What calls to Slack about it name."""
        return (self.channel.id, self.group.id, self.ana.id, self.bea.id)

    @property
    def pulls(self) -> list[Pull]:
        """Ours, open or not."""
        return [one for one in self.repository.pulls.values() if one.head_ref.startswith("tuppence/")]

    @property
    def branches(self) -> list[str]:
        """Ours."""
        return [one for one in self.repository.git.branches() if "tuppence/" in one]


@dataclass(slots=True)
class Town:
    """Both services, the bot, and all cases."""

    hub: GitHub
    slack: Slack
    bot: Bot
    cases: Sequence[Case]

    def digest(self, case: Case) -> Message:
        """The only message that all of the channel see."""
        [message] = [one for one in self.slack.messages(case.channel) if not one.thread_ts]
        return message

    def shown(self, case: Case) -> str:
        """What the digest says."""
        return json.dumps(self.digest(case).blocks, ensure_ascii=False)

    def told(self, case: Case, user: User) -> list[str]:
        """What somebody alone was told, oldest first."""
        return [one.text for one in self.slack.ephemerals(user, case.channel)]

    def press(self, case: Case, action: str = APPROVE, user: User | None = None) -> None:
        """Ana's click, or somebody else's."""
        self.slack.people.click(user or case.ana, self.digest(case), action, value=case.kept.id)

    def reject(self, case: Case, user: User | None = None) -> None:
        """The click and the modal."""
        self.press(case, REJECT, user)
        self.give_reason(case, user)

    def give_reason(self, case: Case, user: User | None = None) -> None:
        """In the modal; who got none, and was told so, presses again."""
        who = user or case.ana
        self.slack.wait(lambda: self.slack.views(who) or self.told(case, who))
        if not self.slack.views(who):
            self.press(case, REJECT, who)
            self.slack.wait(lambda: self.slack.views(who))
        self.slack.people.submit(who, {REASON: REASONED})

    def wait_told(self, case: Case, user: User | None = None, least: int = 1) -> str:
        """The newest of so many things that somebody is told."""
        who = user or case.ana
        self.slack.wait(lambda: len(self.told(case, who)) >= least)
        return self.told(case, who)[-1]


def prepared(hub: GitHub, slack: Slack, names: Iterable[str], database: str) -> list[Case]:
    """Repositories, people, and the digests in their channels."""
    slack.limits.tiers = dict.fromkeys(TIERS, 100_000)
    cases = [_case(hub, slack, name) for name in names]
    with closing(Records(database)) as records:
        records.prepare()
        for case in cases:
            told = replace(scan(NOW), repository=case.repository.id, full_name=case.repository.full_name)
            records.recommendations.replace(told, [case.kept])
            _post(case, records, slack)
    return cases


def _case(hub: GitHub, slack: Slack, name: str) -> Case:
    hosted = hub.people.repository(f"{name}/shop", {FILE: deployment(cpu="2")})
    installation = hub.people.install(hosted.owner)
    there = Repository(hosted.id, name, "shop", f"{hub.clone_url}/{name}/shop.git", "main")
    found = replace(
        FOUND, key=_KEY, source=Source(FILE, 2), changes=(replace(FOUND.changes[0], object=_KEY),)
    )
    kept = replace(
        KEPT, id=id_of(hosted.id, found), subject=subject_of(hosted.id, _KEY), repository=hosted.id,
        place=place_json(Place(installation.id, there)), head_sha=hosted.git.sha("refs/heads/main"),
        namespace="payments", name="api", team=name, found_at=NOW,
        recommendation={**recommendation_json(found), "currency": "USD"},
    )  # fmt: skip
    ana, bea = slack.person("ana"), slack.person("bea")
    group, channel = slack.group(f"sre-{name}", ana, bea), slack.channel(name, ana, bea)
    return Case(name, hosted, kept, channel, group, ana, bea)


def _post(case: Case, records: Records, slack: Slack) -> None:
    items = (replace(ITEMS[0], id=case.kept.id, workload="payments/api"),)
    content = content_with(digest_json(replace(TEAM, team=case.name, recommendations=items)), None)
    wanted = KeptDigest(
        team=case.name, week=TEAM.week, channel=case.channel.id, content=content, begun_at=NOW
    )
    messages = SlackWebMessages(SlackApi(slack.bot_token, slack.api_url))
    post_digest(
        wanted, digests=records.digests, messages=messages, render=lambda each: rendered(each, {}), now=NOW
    )


@contextmanager
def deciding(
    hub: GitHub,
    slack: Slack,
    names: Iterable[str],
    folder: Path,
    database: str = "",
    without_approvers: Collection[str] = (),
    **more: str,
) -> Iterator[Town]:
    """The bot in a hurry, with a case of each name. Nothing looks for savings, as no Prometheus is known."""
    url = database or f"sqlite:///{folder}/tuppence.db"
    cases = prepared(hub, slack, names, url)
    (folder / "tuppence.yaml").write_text(config_of(cases, without_approvers))
    surroundings = {**surroundings_of(slack), "TUPPENCE_DATABASE_URL": url, **more}
    options = ["--config", str(folder / "tuppence.yaml")]
    with running(hub, folder, program=HURRIED, options=options, **surroundings) as bot:
        hub.hooks.url = None  # reports on pull requests are another story
        slack.events_url = f"{bot.url}/slack/events"
        yield Town(hub, slack, bot, cases)


def no_longer_found(town: Town, case: Case) -> None:
    """A look of just now does not find it any more."""
    now = datetime.now(UTC)
    told = replace(scan(now), repository=case.repository.id, full_name=case.repository.full_name)
    with town.bot.records() as records:
        records.recommendations.replace(told, [])


def config_of(cases: Iterable[Case], without_approvers: Collection[str] = ()) -> str:
    """Each case's team."""
    lines = ["teams:"]
    for case in cases:
        group = "" if case.name in without_approvers else f", approvers: {{slack_group: {case.group.handle}}}"
        lines.append(f"  - {{name: {case.name}, namespaces: [payments]{group}}}")
    return "\n".join(lines)


def surroundings_of(slack: Slack) -> dict[str, str]:
    """What an app of this workspace is configured with."""
    return {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_SIGNING_SECRET": slack.signing_secret,
        "SLACK_API_URL": slack.api_url,
    }


@dataclass(frozen=True, slots=True)
class Truth:
    """What is to be seen of a case in the end: in its digest, on GitHub, and in the audit trail."""

    shown: str
    pulls: int
    branches: int
    comments: int
    audit: tuple[str, ...]


APPROVED = Truth("*Approved* by Ana: <", 1, 1, 0, ("recommendation.approve", "right-size.opened"))
REJECTED = Truth(f"*Rejected* by Ana: {REASONED}", 0, 0, 0, ("recommendation.reject",))
CLOSED = Truth(
    "*Closed without a merge*: <", 1, 0, 1,
    ("recommendation.approve", "right-size.opened", "right-size.closed"),
)  # fmt: skip


def be_shown(town: Town, truth: Callable[[Case], Truth], cases: Sequence[Case] | None = None) -> None:
    """Wait until each case is as it must be in Slack and on GitHub."""

    def problems() -> dict[str, list[str]]:
        mine = town.cases if cases is None else cases
        return {case.name: wrong for case in mine if (wrong := untrue(town, case, truth(case)))}

    wait_for(
        lambda: not problems(),
        what="the truth",
        told=lambda: f"{town.bot.log.read_text()[-1500:]}\n{str(problems())[:1500]}",
    )


def become_true(town: Town, truth: Callable[[Case], Truth]) -> None:
    """Wait until each case is as it must be, with its audit rows, and stays so."""

    def problems() -> dict[str, list[str]]:
        rows = town.bot.audit()
        return {case.name: wrong for case in town.cases if (wrong := audit_problems(rows, case, truth(case)))}

    be_shown(town, truth)
    wait_for(lambda: not problems(), what="the audit rows", told=lambda: str(problems()))
    town.bot.verify_audit()
    be_shown(town, truth)


def untrue(town: Town, case: Case, truth: Truth) -> list[str]:
    """What is not as it must be."""
    comments = [one for pull in case.pulls for one in town.hub.comments(case.repository, pull)]
    messages = [one for one in town.slack.messages(case.channel) if not one.thread_ts]
    found = {
        f"{len(messages)} digests": len(messages) == 1,
        f"{len(case.pulls)} pull requests": len(case.pulls) == truth.pulls,
        f"the branches are {case.branches}": len(case.branches) == truth.branches,
        f"{len(comments)} comments": len(comments) == truth.comments,
    }
    if len(messages) == 1:
        shown = town.shown(case)
        found[f"the digest is {shown[-600:]}"] = truth.shown in shown
    return [what for what, true in found.items() if not true]


def audit_problems(rows: Sequence[Any], case: Case, truth: Truth) -> list[str]:
    """What is not as it must be in the audit trail."""
    mine = Counter(row["action"] for row in rows if case.kept.id in json.dumps(row["details"]))
    return [] if mine == Counter(truth.audit) else [f"the audit rows are {dict(mine)}"]
