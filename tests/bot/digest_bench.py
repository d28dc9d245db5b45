"""A digest in a channel of a Slack on loopback, over a real store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from bot.adapters.records import Records
from bot.adapters.slack_api import SlackApi
from bot.adapters.slack_messages import SlackWebMessages
from bot.digest_json import digest_json
from bot.handlers.post_digest import post_digest
from bot.handlers.show_digest import Showing, content_with, rendered, show_decision
from bot.recommendation_records import KeptDigest, RecommendationDecision
from tests.bot.decidable import KEPT, scan
from tests.bot.digest_messages import ITEMS, TEAM
from tests.slack.model import Channel
from tests.slack.service import Slack, slack

NOW = datetime.now(UTC)
MINE = replace(TEAM, recommendations=(replace(ITEMS[0], id=KEPT.id), *ITEMS[1:]))


@dataclass(slots=True)
class Bench:
    """A channel of a Slack on loopback, and a store with one recommendation."""

    hub: Slack
    records: Records
    messages: SlackWebMessages
    channel: Channel

    def wanted(self, **more: str) -> KeptDigest:
        content = content_with(digest_json(MINE), None)
        made = KeptDigest(
            team="checkout", week="2026-W47", channel=self.channel.id, content=content, begun_at=NOW
        )
        return replace(made, **more)  # type: ignore[arg-type]

    def post(self, **more: str) -> KeptDigest:
        return post_digest(
            self.wanted(**more),
            digests=self.records.digests,
            messages=self.messages,
            render=lambda content: rendered(content, {}),
            now=NOW,
        )

    @property
    def showing(self) -> Showing:
        records = self.records
        return Showing(
            records.digests,
            records.recommendations,
            records.recommendation_decisions,
            records.right_sizing,
            self.messages,
        )

    def show(self, channel: str = "", timestamp: str = "") -> int:
        return show_decision(KEPT.id, "checkout", self.showing, NOW, channel=channel, timestamp=timestamp)

    def decide(self, what: str, *, actor: str = "slack/T1/UANA") -> None:
        self.records.recommendation_decisions.decide(
            RecommendationDecision(
                id=KEPT.id,
                repository=KEPT.repository,
                subject=KEPT.subject,
                finder=KEPT.finder,
                decision="approve" if what == "approve" else "reject",
                actor=actor,
                said="Ana Schmidt",
                reason="" if what == "approve" else "sized for the sale",
                about="search/indexer",
                at=NOW,
            )
        )


@contextmanager
def digest_bench(folder: Path) -> Iterator[Bench]:
    """One, whose bot may not do what Slack does not allow."""
    with slack() as hub, closing(Records(f"sqlite:///{folder / 'records.db'}")) as records:
        records.prepare()
        records.recommendations.replace(scan(NOW), [KEPT])
        yield Bench(
            hub, records, SlackWebMessages(SlackApi(hub.bot_token, hub.api_url)), hub.channel("checkout")
        )
        hub.assert_clean()
