"""From Monday's digest to what a click really saved: `tuppence serve` between Prometheus, GitHub and Slack."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.recommendation_slack import APPROVE, REASON, REJECT, SNOOZE, WHY
from tests.end_to_end.bots import reported
from tests.end_to_end.mondays import (
    MERGED_AGO,
    Monday,
    a_month,
    as_read,
    difference,
    manifest,
    monday,
    ours,
    shared_manifest,
    text_of,
)
from tests.github.model import Pull, Repository
from tests.github.service import GitHub

SAVED = "−$87.60"
"""Two pods of 1.5 cores less each, at $0.04 an hour, in 730 hours."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What Prometheus knows."""
    with a_month(tmp_path_factory.mktemp("prometheus")) as address:
        yield address


def approved_by_ana(it: Monday, repository: Repository) -> Pull:
    """The pull request after her click; that of somebody who may not comes to nothing."""
    it.click(it.cy, APPROVE, "api")
    it.wait(lambda: "is not yours to decide" in it.told(it.cy), "a refusal")
    assert it.click(it.ana, APPROVE, "api") < 3
    it.wait(lambda: "*Approved* by Ana: <" in it.shown(), "a link to the pull request")
    [pull] = ours(repository)
    assert f"/acme/shop/pull/{pull.number}|pull request>" in it.shown()
    assert it.told(it.ana).startswith("You approved payments/api.")
    return pull


def says_what_it_does(hub: GitHub, repository: Repository, pull: Pull) -> None:
    """One line in one commit, and the same saving in its description and in its report."""
    assert difference(repository, pull) == [
        "-              cpu: 2  # asked for on the first day",
        "+              cpu: 500m  # asked for on the first day",
    ]
    assert len(repository.git.commits("refs/heads/main", pull.head_sha)) == 1
    body = as_read(pull.body or "")
    for words in (f"Saves {SAVED[1:]} a month", "p95 0.41 cores", "high", "Approved by Ana", "go back"):
        assert words in body
    [report] = hub.comments(repository, pull)
    assert f"Safe · {SAVED} a month" in as_read(report.body)


def test_a_saving_goes_from_the_digest_to_what_it_really_saved(
    hub: GitHub, url: str, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found, told, approved, opened, priced, merged, measured, and told the week after."""
    files = {"apps/api.yaml": manifest("api")}
    with monday(hub, url, tmp_path, database=database_url, files=files) as (it, repository):
        it.wait(it.digests, "a digest")
        assert re.findall(r"Worth approving.*? a month", it.shown()) == [f"Worth approving*: {SAVED} a month"]
        assert f"CPU request 2 → 500m\\n*{SAVED} a month*" in it.shown()
        assert ours(repository) == []

        pull = approved_by_ana(it, repository)
        it.wait(lambda: reported(hub, repository, pull), "its own report")
        says_what_it_does(hub, repository, pull)

        hub.people.merge(repository, pull, at=datetime.now(UTC).replace(microsecond=0) - MERGED_AGO)
        it.wait(lambda: it.predicted(repository, pull), "the prediction that is kept")
        it.tomorrow()
        it.wait(lambda: len(hub.comments(repository, pull)) == 2, "what it came to")
        told = as_read(hub.comments(repository, pull)[1].body).splitlines()[0]
        assert told == f"Predicted **{SAVED}** a month for `payments/api`, measured **{SAVED}**."
        it.wait(lambda: "*Merged*: <" in it.shown(), "the merge in the digest")
        it.wait(lambda: not it.open_pulls(), "the end of the pull request")

        after = it.next_digest(monkeypatch)
        link = f"<{hub.clone_url}/acme/shop/pull/{pull.number}|acme/shop#{pull.number}>"
        assert f"{link} (right-sizing, approved by Ana): predicted {SAVED} a month, measured {SAVED}" in after
        assert f"by Ana: promised {SAVED} a month, measured {SAVED}" in after
        assert "Worth approving" not in after
        assert "to be merged" not in after
        actions = [(row["actor"], row["action"]) for row in it.bot.audit()]
        it.bot.verify_audit()
    by_ana = f"slack/{it.slack.team.id}/{it.ana.id}"
    assert [one for one in actions if "recommendation" in one[1] or "right-size" in one[1]] == [
        (by_ana, "recommendation.approve"),
        ("tuppence", "right-size.opened"),
        ("tuppence", "right-size.merged"),
    ]


def test_what_cannot_be_written_or_is_not_so_any_more_opens_nothing(
    hub: GitHub, url: str, tmp_path: Path
) -> None:
    """It is said why, and what a person can do; a question is answered to whoever asked."""
    files = {"apps/shared.yaml": shared_manifest("shared"), "apps/changed.yaml": manifest("changed")}
    database = f"sqlite:///{tmp_path}/tuppence.db"
    with monday(hub, url, tmp_path, database=database, files=files) as (it, repository):
        it.wait(it.digests, "a digest")
        it.click(it.cy, WHY, "changed")
        it.wait(lambda: it.told(it.cy) == "Why payments/changed?", "an answer")
        [why] = it.slack.ephemerals(it.cy, it.channel)
        for words in (f"Allocated: *{SAVED} a month*", "CPU p95: 0.41 cores", "apps/changed.yaml:16"):
            assert words in text_of(why)

        told, hub.hooks.url = hub.hooks.url, None  # else the branch is looked at again, and nothing is stale
        hub.people.push(repository, {"apps/changed.yaml": manifest("changed", cpu="1")})
        hub.hooks.url = told
        it.click(it.bea, APPROVE, "changed")
        it.wait(lambda: it.told(it.bea), "a refusal")
        assert it.told(it.bea).startswith("Not approved, since it is no longer what was looked at: ")
        assert "is 1 by now, not 2" in it.told(it.bea)
        assert it.found("changed").id in it.shown()

        it.click(it.ana, APPROVE, "shared")
        it.wait(lambda: "*Approved* by Ana, *to be done by hand*" in it.shown(), "words about it")
        [below] = [one for one in it.slack.messages(it.channel) if one.thread_ts is not None]
        assert "*payments/shared* has to be changed by hand" in text_of(below)
        assert "apps/shared.yaml:4 says it, and " in text_of(below)
    assert ours(repository) == []
    assert list(repository.git.branches()) == ["main"]


def test_what_people_decided_holds_the_week_after(
    hub: GitHub, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rejected and put off is not proposed again, with the reason; what became untrue is closed."""
    names = ("rejected", "snoozed", "lowered")
    files = {f"apps/{name}.yaml": manifest(name) for name in names}
    database = f"sqlite:///{tmp_path}/tuppence.db"
    with monday(hub, url, tmp_path, database=database, files=files) as (it, repository):
        it.wait(it.digests, "a digest")
        it.click(it.bea, REJECT, "rejected")
        it.wait(lambda: it.slack.views(it.bea), "a question for the reason")
        it.slack.people.submit(it.bea, {REASON: "sized for the sale, INC-1234"})
        it.click(it.ana, SNOOZE, "snoozed")
        it.click(it.ana, APPROVE, "lowered")
        it.wait(lambda: "*Rejected* by Bea: sized for the sale, INC-1234" in it.shown(), "the rejection")
        it.wait(lambda: "*Snoozed* by Ana until " in it.shown(), "the snooze")
        it.wait(lambda: "*Approved* by Ana: <" in it.shown(), "a link to the pull request")
        [right_sizing] = ours(repository)

        changed = {
            "apps/rejected.yaml": manifest("rejected", cpu="1"),
            "apps/lowered.yaml": manifest("lowered"),
        }
        pull = hub.people.open_pull(repository, changed)
        it.wait(lambda: reported(hub, repository, pull), "a report")
        told = as_read(hub.comments(repository, pull)[0].body)
        assert "Bea rejected CPU request 2 → 500m" in told
        assert "«sized for the sale, INC-1234»" in told

        hub.people.push(repository, {"apps/lowered.yaml": manifest("lowered", cpu="500m")})
        it.tomorrow()
        it.wait(lambda: right_sizing.state == "closed", "the end of the pull request")
        it.wait(lambda: "*Closed without a merge*" in it.shown(), "its end in the digest")
        farewell = hub.comments(repository, right_sizing)[-1].body
        assert "Closed, since the values are on the default branch already." in as_read(farewell)

        after = it.next_digest(monkeypatch)
        assert "Worth approving" not in after
        assert "payments/rejected: Bea rejected it: sized for the sale, INC-1234" in after
        assert "payments/snoozed: Ana snoozed it until " in after
        assert [one.merged_at for one in repository.pulls.values()] == [None, None]


AUTOMATION = "automation: [{environments: ['*'], changes: [cpu-request], min_confidence: high}]"


def test_what_the_policy_covers_needs_no_click_and_waits_for_people_to_merge_it(
    hub: GitHub, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Digests count it among what waits, and say whose approval it was."""
    files = {"apps/changed.yaml": manifest("changed")}
    database = f"sqlite:///{tmp_path}/tuppence.db"
    with monday(hub, url, tmp_path, database=database, files=files, more=AUTOMATION) as (it, repository):
        it.wait(lambda: ours(repository), "a pull request")
        [pull] = ours(repository)
        it.wait(lambda: reported(hub, repository, pull), "its own report")
        it.wait(it.digests, "a digest")
        assert "Worth approving" not in it.shown()
        it.tomorrow()
        it.wait(lambda: it.scans() == 2, "another look")

        after = it.next_digest(monkeypatch)
        assert f"by automation: promised {SAVED} a month, waits to be merged" in after
        assert "1 right-sizing pull request waits to be merged." in after
    assert [(one.state, one.merged_at) for one in repository.pulls.values()] == [("open", None)]
    assert difference(repository, pull)[1] == "+              cpu: 500m  # asked for on the first day"
