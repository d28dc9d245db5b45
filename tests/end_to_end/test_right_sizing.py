"""`tuppence serve` looks for savings by itself, and opens the pull requests that nobody has to click for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.adapters.records import Records
from tests.end_to_end.bots import reported, running, shop, wait_for
from tests.end_to_end.stories import HURRIED
from tests.github.model import Pull, Repository
from tests.github.service import GitHub
from tests.savings_past import FILES, half_a_month

CONFIG = """
automation:
  - {environments: ["*"], changes: [cpu-request, memory-request], min_confidence: high}
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What Prometheus knows."""
    with half_a_month(tmp_path_factory.mktemp("prometheus")) as address:
        yield address


def ours(repository: Repository) -> list[Pull]:
    """The pull requests that the app has opened."""
    return [pull for pull in repository.pulls.values() if pull.head_ref.startswith("tuppence/right-size-")]


def test_a_saving_that_the_policy_covers_becomes_one_pull_request_with_its_own_report(
    hub: GitHub, url: str, tmp_path: Path
) -> None:
    """Found on the default branch, written where the request stands; who approved it is in the audit trail.

    Its merge is noted at once, and by the look that follows nothing is open any more.
    """
    repository = shop(hub, FILES)
    config = tmp_path / "tuppence.yaml"
    config.write_text(CONFIG)
    options = ["--config", str(config)]
    with running(hub, tmp_path, program=HURRIED, options=options, PROMETHEUS_URL=url) as bot:
        wait_for(lambda: ours(repository), what="a pull request", told=bot.log.read_text)
        [pull] = ours(repository)
        wait_for(lambda: reported(hub, repository, pull), what="a report", told=bot.log.read_text)
        wait_for(lambda: hub.comments(repository, pull), what="a comment", told=bot.log.read_text)
        wait_for(
            lambda: "right-size.opened" in [row["action"] for row in bot.audit()],
            what="an audit row", told=bot.log.read_text,
        )  # fmt: skip
        [changed] = repository.git.changes("refs/heads/main", f"refs/heads/{pull.head_ref}")
        bot.verify_audit()
        audit = [(row["actor"], row["action"]) for row in bot.audit()]
        assert (changed.path, pull.state, len(ours(repository))) == ("apps/api.yaml", "open", 1)

        hub.people.merge(repository, pull, by="ann")
        wait_for(
            lambda: "right-size.merged" in [row["action"] for row in bot.audit()],
            what="the merge", told=bot.log.read_text,
        )  # fmt: skip
        with closing(Records(bot.environment["TUPPENCE_DATABASE_URL"])) as records:
            wait_for(lambda: not records.recommendations.open_ones(), what="a look", told=bot.log.read_text)

    assert ("policy", "recommendation.approve") in audit
    assert ("tuppence", "right-size.opened") in audit
    assert "automation in tuppence.yaml" in (pull.body or "")
