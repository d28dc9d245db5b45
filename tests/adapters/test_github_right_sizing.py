"""Our pull requests: one a branch, whatever GitHub's answers and other people do."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.errors import GitHubRefused, GitHubUnavailable
from bot.recommendation_ports import WrittenPull
from bot.signed_marker import Markers
from tests.adapters.right_sizing_places import BRANCH, EDIT, SECRET, Bench
from tests.github.faults import Kind
from tests.github.model import Pull
from tests.github.service import github

CREATE = "POST /repos/{owner}/{repo}/pulls"
EDIT_PULL = "PATCH /repos/{owner}/{repo}/pulls/{pull_number}"
LIST = "GET /repos/{owner}/{repo}/pulls"
COMMENT = "POST /repos/{owner}/{repo}/issues/{issue_number}/comments"
REASON = "The value is 2 by now."


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A repository with our branch in it."""
    with github(tmp_path / "github") as hub:
        made = Bench.on(hub)
        made.put()
        yield made
    hub.assert_clean()


def put(bench: Bench, title: str = "Right-size", body: str = "Because.") -> WrittenPull:
    """Make the pull request say this."""
    return bench.ours.put_pull(bench.place, BRANCH, title, body)


def there(bench: Bench) -> Pull:
    """The one pull request."""
    (pull,) = bench.repository.pulls.values()
    return pull


def test_a_pull_request_is_opened_and_then_edited_in_place(bench: Bench) -> None:
    """Into the default branch, with our mark below the body."""
    first = put(bench)
    second = put(bench, "Right-size more", "Because of that.")
    pull = there(bench)
    assert first == second == WrittenPull(1, f"{bench.hub.clone_url}/acme/shop/pull/1", bench.tip(), "open")
    assert (pull.title, pull.base_ref, pull.author.login) == ("Right-size more", "main", "tuppence[bot]")
    assert pull.body is not None
    assert pull.body.startswith("Because of that.\n\n<!-- tuppence:rightsize ")


def test_the_same_again_is_not_written(bench: Bench) -> None:
    """Nobody is notified twice."""
    put(bench)
    written = bench.writes()
    put(bench)
    assert bench.writes() == written


@pytest.mark.parametrize("mark", ["", Markers([SECRET]).write("rightsize", 1, "another")])
def test_a_description_that_a_person_wrote_anew_stays(bench: Bench, mark: str) -> None:
    """The pull request is still ours: there is no second one. What they copied from another one says nothing."""
    put(bench)
    there(bench).body = f"My own words.\n\n{mark}"
    assert put(bench, "Another title").number == 1
    assert (there(bench).title, there(bench).body) == ("Right-size", f"My own words.\n\n{mark}")


def test_it_goes_into_the_default_branch_as_it_is_called_now(bench: Bench) -> None:
    """A recommendation may be older than the renaming."""
    bench.repository.git.set_ref("refs/heads/trunk", bench.main)
    bench.repository.default_branch = "trunk"
    put(bench)
    assert there(bench).base_ref == "trunk"


def test_one_that_somebody_else_opened_from_our_branch_is_theirs(bench: Bench) -> None:
    """GitHub allows no second one, and we do not write on theirs."""
    bench.hub.people.open_pull(bench.repository, None, branch=BRANCH, author="ann")
    with pytest.raises(GitHubRefused, match="ann has opened acme/shop#1"):
        put(bench)
    with pytest.raises(GitHubRefused, match="ann has opened"):
        bench.ours.close(bench.place, 1, REASON, BRANCH)


@pytest.mark.parametrize("kind", ["502", "reset", "cut", "html"])
def test_an_answer_that_is_lost_after_it_was_opened_is_read_back(bench: Bench, kind: Kind) -> None:
    """There is one, and nobody is asked to try again."""
    fault = bench.hub.fault(CREATE, kind, after_effect=True)
    assert (put(bench).number, fault.hits, len(bench.repository.pulls)) == (1, 1, 1)


def test_one_that_is_there_and_not_yet_listed_is_looked_for_later(bench: Bench) -> None:
    """GitHub says that it exists, and does not show it: the job is tried again."""
    put(bench)
    pulls = dict(bench.repository.pulls)
    bench.hub.meanwhile(CREATE, lambda: bench.repository.pulls.update(pulls))
    bench.repository.pulls.clear()
    assert put(bench).number == 1
    bench.repository.pulls.clear()

    def known_and_not_listed() -> None:
        bench.repository.pulls.update(pulls)
        bench.hub.meanwhile(LIST, bench.repository.pulls.clear)

    bench.hub.meanwhile(CREATE, known_and_not_listed)
    with pytest.raises(GitHubUnavailable, match="already exists"):
        put(bench)
    bench.repository.pulls.update(pulls)
    assert put(bench).number == 1


def test_a_branch_that_went_away_is_worth_another_try(bench: Bench) -> None:
    """Whoever tries again writes it first."""
    bench.repository.git.git("update-ref", "-d", f"refs/heads/{BRANCH}")
    with pytest.raises(GitHubUnavailable):
        put(bench)
    bench.put()
    assert put(bench).number == 1


def test_what_is_merged_already_is_refused(bench: Bench) -> None:
    """There is nothing between the branches, and asking again changes nothing."""
    bench.repository.git.set_ref("refs/heads/main", bench.tip())
    with pytest.raises(GitHubRefused, match="No commits between"):
        put(bench)


def test_two_processes_open_one(bench: Bench) -> None:
    """Whoever comes second finds the first one's."""
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: put(bench).number, range(8)))
    assert found == {1}
    assert len(bench.hub.journal.of("pull.created")) == 1


def test_it_tells_what_people_have_done(bench: Bench) -> None:
    """Open, closed, merged."""
    number = put(bench).number
    bench.hub.people.close(bench.repository, there(bench))
    assert bench.ours.pull(bench.place, number).state == "closed"
    bench.hub.people.reopen(bench.repository, there(bench))
    assert bench.ours.pull(bench.place, number).state == "open"
    bench.hub.people.merge(bench.repository, there(bench))
    assert bench.ours.pull(bench.place, number).state == "merged"


def close(bench: Bench, reason: str = REASON) -> None:
    """Give the pull request up."""
    bench.ours.close(bench.place, 1, reason, BRANCH)


def said(bench: Bench) -> list[str]:
    """Our comments."""
    return [comment.body for comment in bench.hub.comments(bench.repository, there(bench))]


def test_closing_says_why_once_and_deletes_the_branch(bench: Bench) -> None:
    """Twice changes nothing more."""
    put(bench)
    close(bench)
    written = bench.writes()
    close(bench)
    (comment,) = said(bench)
    assert comment.startswith(f"{REASON}\n\n<!-- tuppence:closed ")
    assert (there(bench).state, bench.tip(), bench.writes()) == ("closed", "", written)


@pytest.mark.parametrize("operation", [COMMENT, EDIT_PULL, "DELETE /repos/{owner}/{repo}/git/refs/{ref}"])
@pytest.mark.parametrize("after", [True, False], ids=["done all the same", "not done"])
def test_closing_goes_on_where_it_was_broken_off(bench: Bench, operation: str, *, after: bool) -> None:
    """The second try does what the first has left."""
    put(bench)
    bench.hub.fault(operation, "502", after_effect=after)
    try:
        close(bench)
    except GitHubUnavailable:
        close(bench)
    assert (there(bench).state, bench.tip(), len(said(bench))) == ("closed", "", 1)


def test_a_branch_with_work_of_somebody_else_outlives_its_pull_request(bench: Bench) -> None:
    """The pull request is closed all the same: what it says is no longer true."""
    put(bench)
    theirs = bench.hub.people.push(bench.repository, {"a": "b"}, branch=BRANCH, author="ann")
    close(bench)
    assert (there(bench).state, bench.tip()) == ("closed", theirs)


def test_a_branch_that_may_not_be_deleted_outlives_its_pull_request(bench: Bench) -> None:
    """A ruleset keeps it; nobody is asked to try again."""
    put(bench)
    tip = bench.tip()
    bench.repository.protected = ("tuppence/*",)
    close(bench)
    assert (there(bench).state, bench.tip()) == ("closed", tip)


@pytest.mark.parametrize("how", ["close", "merge"])
def test_what_people_have_ended_is_left_alone(bench: Bench, how: str) -> None:
    """No comment, no branch deleted."""
    put(bench)
    getattr(bench.hub.people, how)(bench.repository, there(bench))
    written = bench.writes()
    close(bench)
    assert bench.writes() == written


def test_each_token_can_do_what_its_work_needs(bench: Bench) -> None:
    """No one of them both writes files and opens pull requests."""
    put(bench)
    bench.ours.pull(bench.place, 1)
    close(bench)
    granted = [use.granted for use in bench.hub.scopes() if use.granted.keys() != {"metadata"}]
    assert all(one.pop("metadata") == "read" for one in granted)
    assert sorted(map(sorted, map(dict.items, granted))) == [
        [("contents", "read"), ("pull_requests", "write")],
        [("contents", "write")],
        [("pull_requests", "read")],
        [("pull_requests", "write")],
    ]
    assert all(use.tokens == 1 for use in bench.hub.scopes())


def test_the_app_is_told_of_its_own_pull_request(bench: Bench) -> None:
    """So that its cost comment follows; and of every move of the branch."""
    put(bench)
    bench.put({**EDIT, "README.md": b"# Laden\n"})
    close(bench)
    told = [
        (one.event, one.payload.get("action", ""), one.payload["sender"]["login"])
        for one in bench.hub.hooks.deliveries.values()
        if one.event in {"pull_request", "push"}
    ]
    us = "tuppence[bot]"
    assert told == [
        ("push", "", us),
        ("pull_request", "opened", us),
        ("push", "", us),
        ("pull_request", "synchronize", us),
        ("pull_request", "closed", us),
        ("push", "", us),
    ]
