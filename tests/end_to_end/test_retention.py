"""Records are kept as long as `retention_days` says, by a bot that runs."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.adapters.records import Records
from bot.records import LastGoodPolicy, PricedReport
from estimators.audit_chain import AuditFact
from tests.end_to_end.bots import RAISED, Bot, reported, running, shop, wait_for
from tests.github.service import GitHub

DAYS_AGO = (100, 40, 20)


def remember(folder: Path) -> None:
    """A report and an audit row of each of `DAYS_AGO`, and a policy that is in force."""
    with closing(Records(f"sqlite:///{folder}/tuppence.db")) as records:
        records.prepare()
        for number, days in enumerate(DAYS_AGO):
            at = datetime.now(UTC) - timedelta(days=days)
            records.reports.keep(
                PricedReport(
                    report_hash=f"hash-{number}",
                    repository=77,
                    number=number,
                    head_sha="a" * 40,
                    base_sha="b" * 40,
                    merge_base="c" * 40,
                    report="{}",
                    priced_at=at,
                    expires=at,
                )
            )
            records.audit.append(
                AuditFact(
                    at=at,
                    actor="ann",
                    action="approved",
                    subject=f"acme/shop#{number}",
                    key=f"old/{number}",
                    details={},
                )
            )
        records.policies.keep(
            LastGoodPolicy(
                repository=77, branch="main", base_sha="b" * 40, text="", at=at - timedelta(days=999)
            )
        )


def kept(folder: Path) -> set[int]:
    """The pull requests whose reports are there."""
    with closing(Records(f"sqlite:///{folder}/tuppence.db")) as records:
        assert records.policies.last_good(77, "main") is not None
        return {number for number in range(len(DAYS_AGO)) if records.reports.newest(77, number)}


def old_subjects(bot: Bot) -> list[str]:
    """Of the audit rows that are left, once the chain is found to be whole."""
    return [row["subject"] for row in bot.audit() if row["key"].startswith("old/")]


@pytest.mark.parametrize(
    ("setting", "left"),
    [("retention_days: 30", {2}), ("", {0, 1, 2}), ("retention_days: 0", {0, 1, 2})],
    ids=["thirty days", "two years when left out", "for ever"],
)
def test_what_is_too_old_goes_and_the_chain_stays_whole(
    hub: GitHub, tmp_path: Path, setting: str, left: set[int]
) -> None:
    """Soon after the start; what the bot does meanwhile is not touched."""
    remember(tmp_path)
    config = tmp_path / "tuppence.yaml"
    config.write_text(f"{setting}\n")
    with running(hub, tmp_path, options=["--config", str(config)]) as bot:
        wait_for(
            lambda: "Removed what is too old" in bot.log.read_text(), what="a purge", told=bot.log.read_text
        )
        repository = shop(hub)
        pull = hub.people.open_pull(repository, RAISED)
        wait_for(lambda: reported(hub, repository, pull), what="a report", told=bot.log.read_text)
        wait_for(lambda: any(row["action"] == "report.shown" for row in bot.audit()), what="its audit row")

        assert kept(tmp_path) == left
        assert old_subjects(bot) == [f"acme/shop#{number}" for number in sorted(left)]
        assert any(row["action"] == "audit.purged" for row in bot.audit()) == (len(left) < len(DAYS_AGO))
