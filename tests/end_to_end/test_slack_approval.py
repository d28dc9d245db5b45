"""From a click in Slack to the pull request: `tuppence serve` beside a GitHub and a Slack on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

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
from tests.end_to_end.bots import Bot, running
from tests.github.model import Repository as Hosted
from tests.github.service import GitHub
from tests.slack.model import Channel, Message, User
from tests.slack.service import Slack, slack
from tests.yaml_objects import deployment

CONFIG = """
teams:
  - {name: checkout, namespaces: [payments], approvers: {slack_group: sre}}
"""
NAMES = ("api", "web")
FILES = {f"apps/{name}.yaml": deployment(name, cpu="2") for name in NAMES}
NOW = datetime.now(UTC)


@dataclass(slots=True)
class Monday:
    """A digest with two savings of a repository, and who reads it."""

    hub: GitHub
    slack: Slack
    bot: Bot
    repository: Hosted
    kept: dict[str, KeptRecommendation]
    channel: Channel
    ana: User
    bea: User

    @property
    def shown(self) -> str:
        """The digest."""
        return json.dumps(self.digest.blocks, ensure_ascii=False)

    @property
    def digest(self) -> Message:
        return self.slack.messages(self.channel)[0]

    @property
    def branches(self) -> list[str]:
        """Of our pull requests."""
        return [pull.head_ref for pull in self.repository.pulls.values()]

    def click(self, user: User, action: str, name: str) -> None:
        self.slack.people.click(user, self.digest, action, value=self.kept[name].id)

    def told(self, user: User) -> str:
        [said] = self.slack.wait(lambda: self.slack.ephemerals(user, self.channel))
        return said.text


def recommendation(name: str, place: Place, sha: str) -> KeptRecommendation:
    """What a scan would have kept: half of the CPU request."""
    key = Identity("", "payments", "Deployment", name)
    change = replace(FOUND.changes[0], object=key)
    found = replace(FOUND, key=key, source=Source(f"apps/{name}.yaml", 2), changes=(change,))
    number = place.repository.id
    return replace(
        KEPT, id=id_of(number, found), subject=subject_of(number, key), repository=number,
        place=place_json(place), head_sha=sha, namespace="payments", name=name,
        recommendation={**recommendation_json(found), "currency": "USD"}, found_at=NOW,
    )  # fmt: skip


@pytest.fixture
def monday(hub: GitHub, tmp_path: Path) -> Iterator[Monday]:
    """Nothing looks for savings by itself, as no Prometheus is known."""
    repository = hub.people.repository("acme/shop", FILES)
    installation = hub.people.install(repository.owner)
    where = Repository(repository.id, "acme", "shop", f"{hub.clone_url}/acme/shop.git", "main")
    sha = repository.git.sha("refs/heads/main")
    kept = {name: recommendation(name, Place(installation.id, where), sha) for name in NAMES}
    (tmp_path / "tuppence.yaml").write_text(CONFIG)
    with slack() as service:
        ana, bea = service.person("ana"), service.person("bea")
        service.group("sre", ana, bea)
        channel = service.channel("checkout", ana, bea)
        with closing(Records(f"sqlite:///{tmp_path}/tuppence.db")) as records:
            records.prepare()
            records.recommendations.replace(replace(scan(NOW), repository=repository.id), list(kept.values()))
            items = tuple(replace(ITEMS[0], id=one.id, workload=one.name) for one in kept.values())
            content = content_with(digest_json(replace(TEAM, recommendations=items)), None)
            post_digest(
                KeptDigest(
                    team="checkout", week=TEAM.week, channel=channel.id, content=content, begun_at=NOW
                ),
                digests=records.digests,
                messages=SlackWebMessages(SlackApi(service.bot_token, service.api_url)),
                render=lambda each: rendered(each, {}),
                now=NOW,
            )
        surroundings = {
            "SLACK_BOT_TOKEN": service.bot_token,
            "SLACK_SIGNING_SECRET": service.signing_secret,
            "SLACK_API_URL": service.api_url,
        }
        options = ["--config", str(tmp_path / "tuppence.yaml")]
        with running(hub, tmp_path, options=options, **surroundings) as bot:
            service.events_url = f"{bot.url}/slack/events"
            yield Monday(hub, service, bot, repository, kept, channel, ana, bea)
        service.assert_clean()


def test_an_approval_becomes_one_pull_request_that_the_digest_links_to(monday: Monday) -> None:
    """Pressed three times; who approved it is in the pull request and in the audit trail."""
    for _ in range(3):
        monday.click(monday.ana, APPROVE, "api")
    monday.slack.wait(lambda: "|pull request>" in monday.shown)
    monday.slack.wait(lambda: len(monday.slack.ephemerals(monday.ana, monday.channel)) == 3)

    [pull] = monday.repository.pulls.values()
    [changed] = monday.repository.git.changes("refs/heads/main", f"refs/heads/{pull.head_ref}")
    assert changed.path == "apps/api.yaml"
    assert "Ana" in (pull.body or "")
    assert f"*Approved* by Ana: <{pull_address(monday)}|pull request>" in monday.shown
    assert monday.kept["web"].id in monday.shown
    approvals = [row["actor"] for row in monday.bot.audit() if row["action"] == "recommendation.approve"]
    assert approvals == [f"slack/{monday.slack.team.id}/{monday.ana.id}"]
    monday.bot.verify_audit()


def pull_address(monday: Monday) -> str:
    with closing(Records(monday.bot.environment["TUPPENCE_DATABASE_URL"])) as records:
        kept = monday.kept["api"]
        found = records.right_sizing.find(kept.repository, kept.subject)
        assert found is not None
        return found.address


def test_of_an_approval_and_a_rejection_in_the_same_instant_one_wins(monday: Monday) -> None:
    """Whoever loses is told who won; there is a pull request if, and only if, it was approved."""
    monday.click(monday.bea, REJECT, "api")
    monday.slack.wait(lambda: monday.slack.views(monday.bea))
    start = threading.Barrier(2)

    def approve() -> None:
        start.wait()
        monday.click(monday.ana, APPROVE, "api")

    def reject() -> None:
        start.wait()
        monday.slack.people.submit(monday.bea, {REASON: "sized for the sale"})

    threads = [threading.Thread(target=each) for each in (approve, reject)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    said = {user.name: monday.told(user) for user in (monday.ana, monday.bea)}
    if "You approved" in said["ana"]:
        assert said["bea"].startswith("Ana has approved this already")
        monday.slack.wait(lambda: "|pull request>" in monday.shown)
        assert len(monday.branches) == 1
    else:
        assert said["ana"].startswith("Bea has rejected this already")
        assert "You rejected" in said["bea"]
        monday.slack.wait(lambda: "*Rejected* by Bea: sized for the sale" in monday.shown)
        assert monday.branches == []
    decisions = [row for row in monday.bot.audit() if row["action"] in _DECISIONS]
    assert len(decisions) == 1


_DECISIONS = {"recommendation.approve", "recommendation.reject"}


def test_what_somebody_changed_meanwhile_is_not_approved(monday: Monday) -> None:
    """It is said what it is now; nothing is decided, and the buttons stay."""
    files = {"apps/web.yaml": deployment("web", cpu="1")}
    monday.hub.people.push(monday.repository, files)
    monday.click(monday.ana, APPROVE, "web")

    told = monday.told(monday.ana)
    assert told.startswith("Not approved, since it is no longer what was looked at: ")
    assert "is 1 by now, not 2" in told
    assert monday.kept["web"].id in monday.shown
    assert not [row for row in monday.bot.audit() if row["action"] in _DECISIONS]
