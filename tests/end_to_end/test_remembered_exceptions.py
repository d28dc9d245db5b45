"""A reason that somebody gave in Slack is read by whoever changes the same thing months later."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from bot.adapters.records import Records
from bot.recommendation_records import Scan
from estimators.recommendation import FieldChange
from tests.end_to_end.bots import RAISED, reported, running, shop, wait_for
from tests.github.service import GitHub
from tests.kept_recommendations import API, NOW, about, kept, rejection

KEY = API._replace(environment="")
CPU = ("spec", "template", "spec", "containers", 0, "resources", "requests", "cpu")


def reject(folder: Path, repository: int) -> None:
    """Ann rejected less CPU for the API, in the records of a bot that runs."""
    one = about(FieldChange(KEY, CPU, "main", "500m", "200m"), key=KEY)
    found = kept(one, repository=repository)
    scan = Scan(
        repository=repository,
        full_name="acme/shop",
        head_sha="a" * 40,
        at=NOW,
        left_alone={"rows": []},
        problems={"rows": []},
        realisable={},
    )
    with closing(Records(f"sqlite:///{folder}/tuppence.db")) as records:
        records.recommendations.replace(scan, [found])
        records.recommendation_decisions.decide(rejection(found, "starts slowly, see INC-1234 @acme/sre"))


def test_a_later_pull_request_is_told_the_reason(hub: GitHub, tmp_path: Path) -> None:
    """At the workload, on the line that changes, and without calling anybody; elsewhere it is not told."""
    with running(hub, tmp_path) as bot:
        repository = shop(hub)
        reject(tmp_path, repository.id + 1)
        before = hub.people.open_pull(repository, RAISED, branch="before")
        wait_for(lambda: reported(hub, repository, before), what="a report", told=bot.log.read_text)
        assert "INC-1234" not in hub.comments(repository, before)[0].body

        reject(tmp_path, repository.id)
        pull = hub.people.open_pull(repository, {**RAISED, "new.txt": "\n"}, branch="after")
        wait_for(lambda: reported(hub, repository, pull), what="a report", told=bot.log.read_text)

        body = hub.comments(repository, pull)[0].body
        seen = body.replace("\xa0", " ")
        assert (
            "Ann rejected CPU request 500m → 200m on 23 November 2026: «starts slowly, see INC-1234" in seen
        )
        assert "@acme" not in body
        [run] = hub.check_runs(repository, sha=pull.head_sha)
        assert run.conclusion == hub.check_runs(repository, sha=before.head_sha)[0].conclusion
