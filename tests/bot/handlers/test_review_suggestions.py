"""Suggestions from the analysis to GitHub: only on lines of the head's diff, and remembered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.adapters.records import Records
from bot.composition.rehearsal import SaidReviews
from bot.errors import StoreUnavailable
from bot.handlers.review_suggestions import offer
from bot.review_ports import Reviews
from bot.suggestions import MOST, Suggestion
from tests.adapters.github_jobs import FILES, Job
from tests.github.model import ReviewComment
from tests.github.service import github

CHANGED = FILES["api.yaml"].replace(": 5\n", ": 50\n")


@dataclass
class Work:
    """A pull request that changes line 5, and what we remember of it."""

    job: Job
    records: Records

    def one(self, name: str = "a", line: int = 5, path: str = "api.yaml") -> Suggestion:
        """Another value for a line of the file as it is at the head."""
        listed = self.job.pulls.changed_files(self.job.ref)
        return Suggestion(name, path, listed["api.yaml"].content, line, "line5: 25", "Better.", "Seen.")

    def offer(self, *standing: Suggestion, reviews: Reviews | None = None) -> tuple[str, ...]:
        """As the durable step does."""
        return offer(
            self.job.pulls.facts(self.job.ref), standing, diffs=self.job.pulls,
            reviews=reviews or self.job.reviews, publications=self.records.publications,
        )  # fmt: skip

    def made(self) -> list[ReviewComment]:
        """What is on the pull request."""
        return list(self.job.repository.review_comments.values())

    def kept(self) -> list[tuple[str, bool]]:
        """What we remember: names, and whether they are settled."""
        ref = self.job.ref
        told = self.records.publications.suggestions(ref.repository.id, ref.number)
        return [(each.fingerprint, each.resolved) for each in told]


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    """The test ends with an error if GitHub would not have taken what we sent."""
    records = Records(f"sqlite:///{tmp_path}/tuppence.db")
    records.prepare()
    with github(tmp_path / "github") as hub:
        yield Work(Job.on(hub), records)
    hub.assert_clean()
    records.close()


def test_a_suggestion_is_made_remembered_and_settled(work: Work) -> None:
    """And then nothing is asked of GitHub any more."""
    assert work.offer(work.one()) == ()
    assert (len(work.made()), work.kept()) == (1, [("a", False)])
    assert work.offer() == ()
    assert "**Settled**" in work.made()[0].body
    assert work.kept() == [("a", True)]
    facts, calls = work.job.pulls.facts(work.job.ref), sum(work.job.hub.journal.calls.values())
    offer(facts, [], diffs=work.job.pulls, reviews=work.job.reviews, publications=work.records.publications)
    assert sum(work.job.hub.journal.calls.values()) == calls


def test_a_second_run_writes_nothing(work: Work) -> None:
    """Neither on GitHub nor in the records."""
    work.offer(work.one())
    writes, kept = work.job.writes(), work.records.publications.suggestions(*number_of(work))
    work.offer(work.one())
    assert work.job.writes() == writes
    assert work.records.publications.suggestions(*number_of(work)) == kept


def test_one_that_was_made_and_not_remembered_is_found_again(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process may end between the two."""

    def fail(*_: object) -> None:
        raise StoreUnavailable("the database is gone")

    with monkeypatch.context() as now:
        now.setattr(type(work.records.publications), "keep_suggestion", fail)
        with pytest.raises(StoreUnavailable):
            work.offer(work.one())
    assert (len(work.made()), work.kept()) == (1, [])
    work.offer(work.one())
    assert (len(work.made()), work.kept()) == (1, [("a", False)])


@pytest.mark.parametrize(
    ("line", "path"),
    [(4, "api.yaml"), (10, "api.yaml"), (5, "other.yaml"), (5, "API.yaml")],
    ids=["beside the change", "off the diff", "a file that did not change", "another file"],
)
def test_only_lines_that_the_pull_request_wrote_are_offered(work: Work, line: int, path: str) -> None:
    """Nobody is asked to change what is not under review."""
    assert work.offer(work.one(line=line, path=path)) == ()
    assert work.made() == []


def test_lines_of_a_test_merge_are_not_those_of_the_head(work: Work) -> None:
    """Where the base has moved the file's lines, the same number may be another line."""
    merged = replace(work.one(), content="0" * 40)
    assert work.offer(merged) == ()
    assert work.made() == []


def test_a_suggestion_outlives_a_force_push(work: Work) -> None:
    """Its line is gone from the diff and the old head from the pull request; the comment stays one."""
    work.offer(work.one())
    pull = work.job.pull
    work.job.hub.people.push(
        work.job.repository, {"api.yaml": f"# new\n{CHANGED}"}, branch=pull.head_ref, force_from=pull.base_sha
    )
    assert work.offer(work.one(line=6)) == ()
    assert len(work.made()) == 1
    assert work.kept() == [("a", False)]


def test_what_github_refuses_is_named(work: Work) -> None:
    """The report stands, and the next head is another chance."""
    work.job.hub.fault("POST /repos/{owner}/{repo}/pulls/{pull_number}/comments", "422")
    assert work.offer(work.one()) == ("api.yaml:5",)
    assert work.kept() == []
    assert work.offer(work.one()) == ()
    assert work.kept() == [("a", False)]


def test_the_sixth_is_neither_made_nor_called_refused(work: Work) -> None:
    """Five on a pull request, the worst ones."""
    assert work.offer(*(work.one(f"a{number}") for number in range(7))) == ()
    assert len(work.made()) == MOST
    assert [name for name, _ in work.kept()] == [f"a{number}" for number in range(MOST)]


def test_a_dry_run_says_it_instead(work: Work) -> None:
    """Once, with the place and the text; and that it is settled."""
    said: list[str] = []
    for standing in ([work.one()], [work.one()], [], []):
        assert work.offer(*standing, reviews=SaidReviews(said.append)) == ()
    assert work.made() == []
    first, last = said
    assert first.startswith("acme/shop#1: would suggest a on api.yaml:5:\n\nBetter.\n")
    assert last.startswith("acme/shop#1: would say of suggestion a: ✅ **Settled** as of ")
    assert "```suggestion\nline5: 25\n```" in first


def number_of(work: Work) -> tuple[int, int]:
    """How we remember the pull request."""
    return work.job.ref.repository.id, work.job.ref.number


def questions(work: Work) -> int:
    """How often the diff and our comments were asked for."""
    calls = work.job.hub.journal.calls
    return sum(count for key, count in calls.items() if key.endswith(("/files", "/comments")))
