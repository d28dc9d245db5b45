"""A pull request of ours stays true, or is closed with the reason; what people do with it is theirs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.errors import GitHubUnavailable
from bot.handlers.right_size import Became
from estimators.recommendation import FieldChange, Reason
from tests.right_size_work import Work, at_work, cpu, found
from tests.yaml_objects import deployment


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    """The test ends with an error if GitHub would not have taken what we sent."""
    with at_work(tmp_path) as made:
        yield made


@pytest.mark.parametrize(("how", "state"), [("close", "closed"), ("merge", "merged")])
def test_what_people_have_ended_is_not_opened_again(work: Work, how: str, state: str) -> None:
    """It is noted, and an approval that is older than that changes nothing."""
    kept = work.opened()
    getattr(work.bench.hub.people, how)(work.bench.repository, work.pull)
    became = work.upkeep()
    assert became == Became(kept.id, state, address=work.row.address)  # type: ignore[arg-type]
    assert (work.row.state, work.row.closed_because) == (state, "")
    assert work.open(kept).state == state
    assert len(work.bench.repository.pulls) == 1


@pytest.mark.parametrize("how", ["close", "merge"])
def test_another_approval_after_people_have_ended_one_opens_the_next(work: Work, how: str) -> None:
    """It is about other values, and somebody wanted them."""
    work.opened()
    getattr(work.bench.hub.people, how)(work.bench.repository, work.pull)
    work.upkeep()
    (another,) = work.scanned(found(cpu("250m", current="500m" if how == "merge" else "2")))
    assert work.open(another).state == "opened"
    assert (work.row.number, work.row.state, work.row.id) == (2, "open", another.id)


def test_a_true_one_is_left_alone(work: Work) -> None:
    """Also where the value of today is a little another one, or the base has moved elsewhere."""
    work.opened()
    for today in (cpu("500m"), cpu("480m"), cpu("250m")):
        work.scanned(found(today))
        work.bench.hub.people.push(work.bench.repository, {"README.md": f"# {today.proposed}\n"})
        written = work.bench.writes()
        assert work.upkeep() is None
        assert work.bench.writes() == written
    assert work.pull.state == "open"


def test_a_base_that_moved_in_the_file_is_followed(work: Work) -> None:
    """The branch is written anew; the number stays."""
    work.opened()
    before = work.row
    work.push("# Ours\n" + deployment(cpu="2", memory="2Gi"))
    work.scanned(found(cpu()))
    assert work.upkeep() is None
    assert work.text.startswith("# Ours\n")
    assert "cpu: 500m" in work.text
    assert f"/blob/{work.bench.main}/" in (work.pull.body or "")
    assert work.row == replace(before, head_sha=work.pull.head_sha)
    assert work.row.head_sha != before.head_sha


def test_a_branch_that_somebody_else_has_pushed_to_is_theirs(work: Work) -> None:
    """Nothing is written there, and the pull request stays open."""
    work.opened()
    work.push(work.text + "# mine\n", work.pull.head_ref)
    work.push("# Ours\n" + deployment(cpu="2", memory="2Gi"))
    written = work.bench.writes()
    assert work.upkeep() is None
    assert (work.bench.writes(), work.pull.state) == (written, "open")


@pytest.mark.parametrize("today", [[], [cpu("1500m")]], ids=["nothing", "far less deep"])
def test_what_the_facts_no_longer_allow_is_closed(work: Work, today: list[FieldChange]) -> None:
    """With the reason, once; the branch goes."""
    kept = work.opened()
    work.scanned(*([found(*today)] if today else []))
    became = work.upkeep()
    assert became is not None
    assert (became.id, became.state) == (kept.id, "closed")
    assert (work.pull.state, work.row.state) == ("closed", "closed")
    assert "no longer proposes it" in work.said()
    assert work.row.closed_because == became.why
    assert work.pull.head_ref not in work.bench.repository.git.branches()


@pytest.mark.parametrize(
    ("reason", "finder"),
    [
        (Reason.ROLLOUT, ""),
        (Reason.NOT_AS_DECLARED, ""),
        (Reason.FROZEN, ""),
        (Reason.SLO_BURNING, ""),
        (Reason.POOR_HISTORY, ""),
        (Reason.NOT_SEEN, ""),
        (Reason.TOO_YOUNG, ""),
        (Reason.SHORT_HISTORY, ""),
        (Reason.POOR_HISTORY, "container-resources"),
    ],
)
def test_what_could_not_be_judged_just_now_stays_open(work: Work, reason: Reason, finder: str) -> None:
    """A push of another image is looked at while it is rolled out; a freeze ends some day."""
    kept = work.opened()
    work.scanned(left=(reason, finder))
    assert (work.upkeep(), work.pull.state) == (None, "open")
    work.scanned()
    became = work.upkeep()
    assert became is not None
    assert (became.id, became.state) == (kept.id, "closed")


@pytest.mark.parametrize(
    ("left", "told"),
    [
        ((Reason.OOM_KILLED, ""), "no longer proposes it: an OOM kill is known"),
        (
            (Reason.MEMORY_GROWS, "container-resources"),
            "no longer proposes it: memory grows by 90 MiB a day.",
        ),
        ((Reason.ROLLOUT, "replicas"), "no longer proposes it."),
    ],
    ids=["the workload", "the same finder", "another finder"],
)
def test_what_speaks_against_it_by_now_is_told(work: Work, left: tuple[Reason, str], told: str) -> None:
    """What only another finder says is not about it."""
    work.opened()
    work.scanned(left=left)
    assert work.upkeep() is not None
    assert told in work.said()


def test_what_another_repository_proposes_keeps_nothing_open(work: Work) -> None:
    """It may declare the same workload, as a fork does."""
    work.opened()
    work.scanned()
    work.scanned(found(cpu()), repository=work.bench.repository.id + 1)
    became = work.upkeep()
    assert became is not None
    assert (became.state, work.pull.state) == ("closed", "closed")


def test_what_is_no_longer_known_is_closed(work: Work) -> None:
    """It stayed open for longer than recommendations are kept."""
    work.opened()
    work.scanned()
    later = work.at + timedelta(days=800)
    work.records.purge(before=later, now=later)
    assert work.records.recommendations.open_ones() == ()
    became = work.upkeep()
    assert became is not None
    assert (became.state, work.pull.state) == ("closed", "closed")
    assert "no longer proposes it" in work.said()


def test_what_cannot_be_read_just_now_is_left_alone_until_a_scan_has_missed_it(work: Work) -> None:
    """A branch is broken for an hour, and the next look finds the same again."""
    work.opened()
    work.push("kind: [")
    assert (work.upkeep(), work.pull.state) == (None, "open")
    work.scanned()
    became = work.upkeep()
    assert became is not None
    assert (became.state, work.pull.state) == ("closed", "closed")
    assert "is not in these files" in became.why


@pytest.mark.parametrize(
    ("value", "reason"), [("500m", "on the default branch already"), ("3", "is 3 by now")]
)
def test_a_value_that_came_another_way_closes_it(work: Work, value: str, reason: str) -> None:
    """Whether it is the proposed one or not."""
    work.opened()
    work.push(deployment(cpu=value, memory="2Gi"))
    became = work.upkeep()
    assert became is not None
    assert (became.state, work.pull.state) == ("closed", "closed")
    assert reason in became.why
    assert "by now" in work.said() or "already" in work.said()


def test_a_closing_that_was_broken_off_is_ours_all_the_same(work: Work) -> None:
    """Its branch goes too, and it is not taken for a person's: when the facts are back, it is opened again."""
    kept = work.opened()
    work.scanned()
    work.bench.hub.fault("DELETE /repos/{owner}/{repo}/git/refs/{ref}", "502")
    with pytest.raises(GitHubUnavailable):
        work.upkeep()
    assert work.pull.state == "closed"
    became = work.upkeep()
    assert became is not None
    assert (became.state, work.row.state) == ("closed", "closed")
    assert "no longer proposes it" in work.row.closed_because
    assert list(work.bench.repository.git.branches()) == ["main"]
    work.scanned(found(cpu()))
    assert work.open(kept).state == "opened"
    assert work.row.number == 2
