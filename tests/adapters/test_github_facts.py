"""What GitHub says of pull requests and people."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.adapters.git_cache import GitCache, GitRevisions
from bot.adapters.github_app import READ_FILES
from bot.errors import GitHubRefused, GitHubUnavailable
from tests.adapters.github_jobs import FILES, Job
from tests.github.service import github


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    """A pull request; the test ends with an error if GitHub would not have taken what we sent."""
    with github(tmp_path / "github") as hub:
        yield Job.on(hub)
    hub.assert_clean()


def test_facts_of_an_open_pull_request(job: Job) -> None:
    """GitHub tries the merge only when asked: the question is repeated until it has."""
    facts = job.pulls.facts(job.ref)
    assert (facts.open, facts.merged, facts.draft, facts.merged_at) == (True, False, False, None)
    assert (facts.head_sha, facts.base_ref) == (job.pull.head_sha, "main")
    assert facts.base_sha == job.repository.git.sha("refs/heads/main")
    assert facts.merge_sha == job.repository.git.sha(f"refs/pull/{job.pull.number}/merge")
    assert (facts.author, facts.author_id, facts.title) == ("author", job.pull.author.id, "Change")


def test_a_conflict_has_no_test_merge(job: Job) -> None:
    """The head is then compared with the merge base."""
    job.hub.people.push(job.repository, {"api.yaml": "other: 1\n"})
    assert job.pulls.facts(job.ref).merge_sha is None


def test_a_merge_that_github_never_tries_is_given_up(job: Job) -> None:
    """After a few questions, not for ever."""
    job.pull.unknown_reads = 1000
    assert job.pulls.facts(job.ref).merge_sha is None
    assert job.hub.journal.calls["GET /repos/{owner}/{repo}/pulls/{pull_number}"] == 3


def test_facts_of_a_merged_pull_request_whose_fork_is_gone(job: Job) -> None:
    """`head.repo` is null then."""
    fork = job.hub.people.fork(job.repository, "stranger")
    pull = job.hub.people.open_pull(
        job.repository, {"b.yaml": "b: 1\n"}, fork=fork, author="stranger", draft=True
    )
    ref = replace(job.ref, number=pull.number)
    assert job.pulls.facts(ref).draft
    job.hub.people.merge(job.repository, pull)
    job.hub.people.delete_fork(fork)
    facts = job.pulls.facts(ref)
    assert (facts.open, facts.merged, facts.merge_sha) == (False, True, None)
    assert facts.merged_at is not None
    assert facts.merged_at.tzinfo is not None


def test_open_pull_requests_are_listed_by_their_target(job: Job) -> None:
    """Closed ones are left out."""
    job.repository.git.set_ref("refs/heads/release", job.repository.git.sha("refs/heads/main"))
    release = job.hub.people.open_pull(job.repository, {"b.yaml": "b: 1\n"}, base="release")
    closed = job.hub.people.open_pull(job.repository, {"c.yaml": "c: 1\n"})
    job.hub.people.close(job.repository, closed)
    listed = job.pulls.open_ones(job.ref.installation, job.ref.repository)
    assert {ref.number for ref in listed} == {job.pull.number, release.number}
    (only,) = job.pulls.open_ones(job.ref.installation, job.ref.repository, "release")
    assert only == replace(job.ref, number=release.number)


def test_the_changed_lines_are_those_that_were_added(job: Job) -> None:
    """Lines around them and lines that went are none; a binary file has none."""
    files = {
        "api.yaml": FILES["api.yaml"].replace("line2: 2\n", "").replace(": 9\n", ": 90\n") + "line11: 11\n"
    }
    pull = job.hub.people.open_pull(job.repository, {**files, "new.yaml": "a: 1\n++b: 2\n"})
    changed = job.pulls.changed_files(replace(job.ref, number=pull.number))
    assert {name: file.lines for name, file in changed.items()} == {"api.yaml": {8, 10}, "new.yaml": {1, 2}}
    assert changed["new.yaml"].content == blob_id("a: 1\n++b: 2\n")
    pull = job.hub.people.open_pull(job.repository, {"image.bin": bytes(range(256)) * 40})
    (image,) = job.pulls.changed_files(replace(job.ref, number=pull.number)).values()
    assert image.lines == frozenset()


def blob_id(text: str) -> str:
    """How git names a file's content."""
    return hashlib.sha1(f"blob {len(text)}\0{text}".encode(), usedforsecurity=False).hexdigest()


def test_a_pull_request_that_is_not_there_is_refused(job: Job) -> None:
    """Or one in a repository that the app lost."""
    with pytest.raises(GitHubRefused) as caught:
        job.pulls.facts(replace(job.ref, number=999))
    assert caught.value.status == 404


def test_a_token_that_was_revoked_is_replaced_by_the_next_try(job: Job) -> None:
    """As after the app was reinstalled."""
    job.pulls.facts(job.ref)
    job.hub.expire_tokens()
    with pytest.raises(GitHubUnavailable):
        job.pulls.facts(job.ref)
    assert job.pulls.facts(job.ref).open


def test_both_sides_are_fetched_with_a_token_that_reads_files_alone(job: Job, tmp_path: Path) -> None:
    """What main gained meanwhile is on both sides."""
    job.hub.people.push(job.repository, {"main.yaml": "m: 1\n"})
    revisions = GitRevisions(
        GitCache(tmp_path / "cache"),
        lambda ref: job.tokens.mint(ref.installation, ref.repository.id, READ_FILES).value,
        clone_base=job.hub.clone_url,
    )
    with revisions.trees(job.pulls.facts(job.ref)) as (base, head, _):
        before, after = (dict(side.read(side.paths())) for side in (base, head))
    assert before == {"api.yaml": FILES["api.yaml"].encode(), "main.yaml": b"m: 1\n"}
    assert after["api.yaml"] == FILES["api.yaml"].replace(": 5\n", ": 50\n").encode()
    assert after.keys() == before.keys()
    assert {"contents": "read", "metadata": "read"} in [use.granted for use in job.hub.scopes()]


@pytest.mark.parametrize(
    ("login", "may"),
    [
        ("ann", True),
        ("tri", True),
        ("reader", False),
        ("nobody-at-all", False),
        ("../../user", False),
        ("..", False),
        ("", False),
    ],
)
def test_who_may_sort_pull_requests(job: Job, login: str, *, may: bool) -> None:
    """Whoever triages or writes; who reads only, or is not known, may not."""
    for person in ("ann", "tri", "reader"):
        job.hub.people.person(person)
    assert job.people.may_triage(job.ref, login) is may


@pytest.mark.parametrize(
    ("team", "login", "member"),
    [
        ("finops", "ann", True),
        ("finops", "eve", False),
        ("finops", "mallory", False),
        ("nowhere", "ann", False),
        ("../finops", "ann", False),
        ("..", "ann", False),
    ],
    ids=["member", "invited", "stranger", "no such team", "path", "dots"],
)
def test_only_active_members_are_in_a_team(job: Job, team: str, login: str, member: bool) -> None:
    """An unknown team has no members."""
    job.hub.people.team("acme", "finops", "ann", pending=("eve",))
    job.hub.people.person("mallory")
    assert job.people.in_team(job.ref, "acme", team, login) is member


def test_a_team_that_the_app_may_not_see_has_no_members(job: Job) -> None:
    """The permission was not granted: deny, and do not ask again and again."""
    job.hub.people.team("acme", "finops", "ann")
    del job.hub.world.installations[job.ref.installation].permissions["members"]
    assert job.people.in_team(job.ref, "acme", "finops", "ann") is False


def test_an_outage_is_not_taken_for_a_no(job: Job) -> None:
    """The question is asked again later; nobody is let in meanwhile."""
    job.hub.people.team("acme", "finops", "ann")
    job.hub.fault("* /orgs/*", "502")
    with pytest.raises(GitHubUnavailable):
        job.people.in_team(job.ref, "acme", "finops", "ann")
    job.hub.fault("* *permission", "502")
    with pytest.raises(GitHubUnavailable):
        job.people.may_triage(job.ref, "ann")
