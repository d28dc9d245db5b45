"""From an approval to one pull request, whatever is killed, lost or done twice on the way."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest

from bot.errors import GitHubRefused, GitHubUnavailable
from bot.handlers.right_size import Became, branch_of
from bot.recommendation_records import KeptRecommendation
from tests.github.faults import Kind
from tests.github.service import key_pair
from tests.right_size_work import FILE, NOW, Work, at_work, cpu, found, open_apart
from tests.yaml_objects import deployment


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    """The test ends with an error if GitHub would not have taken what we sent."""
    with at_work(tmp_path) as made:
        yield made


def test_an_approval_becomes_one_pull_request(work: Work) -> None:
    """The value stands where it came from, and nothing else has moved."""
    (kept,) = work.scanned(found(cpu()))
    became = work.open(kept)
    pull, row = work.pull, work.row
    assert became == Became(kept.id, "opened", address=row.address)
    assert pull.title == "Right-size payments/api: CPU request 2 → 500m"
    assert pull.head_ref == branch_of(kept) == row.branch
    assert (row.number, row.state, row.id, row.head_sha) == (1, "open", kept.id, pull.head_sha)
    assert work.text == deployment(cpu="2", memory="2Gi").replace("cpu: 2,", "cpu: 500m,")
    assert pull.body is not None
    assert "Approved by Ann Smith on 23 November 2026" in pull.body
    assert "memory grows by 90 MiB a day" in pull.body
    assert "https://git.example/acme/shop/blob/" in pull.body


def test_a_repository_that_was_renamed_since_the_look_is_found(work: Work) -> None:
    """By its old name, until the next look knows the new one."""
    (kept,) = work.scanned(found(cpu()))
    work.bench.hub.people.rename(work.bench.repository, "store")
    assert work.open(kept).state == "opened"
    assert (len(work.bench.repository.pulls), work.pull.state) == (1, "open")
    work.scanned()
    became = work.upkeep()
    assert became is not None
    assert (became.state, work.pull.state) == ("closed", "closed")
    assert list(work.bench.repository.git.branches()) == ["main"]


def test_doing_it_again_writes_nothing(work: Work) -> None:
    """Nor do several processes at once make a second one."""
    kept = work.opened()
    written = work.bench.writes()
    with ThreadPoolExecutor(4) as pool:
        assert {became.state for became in pool.map(lambda _: work.open(kept), range(4))} == {"opened"}
    assert (work.bench.writes(), len(work.bench.repository.pulls)) == (written, 1)


def test_several_processes_at_once_open_one(work: Work) -> None:
    """Whoever is first."""
    (kept,) = work.scanned(found(cpu()))
    with ThreadPoolExecutor(4) as pool:
        assert {became.state for became in pool.map(lambda _: work.open(kept), range(4))} == {"opened"}
    assert len(work.bench.hub.journal.of("pull.created")) == 1
    assert len(work.bench.hub.journal.of("branch.moved")) == 1
    assert work.row.number == 1


def test_two_processes_open_one(work: Work, tmp_path: Path) -> None:
    """Each with a clone, tokens and a connection to our records of its own, as two replicas have."""
    (kept,) = work.scanned(found(cpu()))
    hub = work.bench.hub
    given = [
        (hub.app_id, hub.private_key, hub.api_url, hub.clone_url, str(tmp_path), n, kept.id) for n in (1, 2)
    ]
    with get_context("spawn").Pool(2) as replicas:
        assert replicas.map(open_apart, given) == ["opened", "opened"]
    assert len(hub.journal.of("pull.created")) == 1
    assert len(hub.journal.of("branch.moved")) == 1
    assert len(work.bench.repository.pulls) == work.row.number == 1


@pytest.mark.parametrize("kind", ["502", "reset"])
@pytest.mark.parametrize(
    "operation",
    [
        "POST /repos/{owner}/{repo}/git/commits",
        "POST /repos/{owner}/{repo}/git/refs",
        "POST /repos/{owner}/{repo}/pulls",
    ],
)
def test_what_was_broken_off_is_finished(work: Work, operation: str, kind: Kind) -> None:
    """As if nothing had been."""
    (kept,) = work.scanned(found(cpu()))
    work.bench.hub.fault(operation, kind)
    with pytest.raises(GitHubUnavailable):
        work.open(kept)
    assert work.open(kept).state == "opened"
    assert (len(work.bench.repository.pulls), work.row.number) == (1, 1)


def test_another_approval_for_the_workload_goes_into_the_same_pull_request(work: Work) -> None:
    """One branch and one pull request a workload."""
    work.opened()
    since = work.row.opened_at
    (deeper,) = work.scanned(found(cpu("250m")))
    assert work.open(deeper).state == "opened"
    assert (work.pull.title, work.row.id) == ("Right-size payments/api: CPU request 2 → 250m", deeper.id)
    assert (work.row.number, work.row.opened_at) == (1, since)
    assert "cpu: 250m" in work.text


def test_what_cannot_be_written_is_left_to_a_person(work: Work) -> None:
    """With what to change, and where; no branch is made."""
    (kept,) = work.scanned(found(replace(cpu(), path=(), current="", proposed="")))
    became = work.open(kept)
    assert became.state == "by-hand"
    assert became.why.startswith(f"remove Deployment payments/api ({FILE}:2)")
    assert work.bench.repository.pulls == {}


@pytest.mark.parametrize(
    ("now", "why"),
    [
        pytest.param(
            "3", "spec.template.spec.containers[0].resources.requests.cpu is 3 by now", id="another"
        ),
        pytest.param("500m", "the values are on the default branch already", id="the proposed one"),
    ],
)
def test_a_value_that_is_another_one_by_now_is_stale(work: Work, now: str, why: str) -> None:
    """The approval was for what stood there."""
    (kept,) = work.scanned(found(cpu()))
    work.push(deployment(cpu=now, memory="2Gi"))
    became = work.open(kept)
    assert became.state == "stale"
    assert why in became.why


def test_what_is_no_longer_proposed_is_stale(work: Work) -> None:
    """The scan came between the click and the work."""
    (kept,) = work.scanned(found(cpu()))
    work.scanned()
    assert work.open(kept).state == "stale"


def test_without_the_permission_it_is_said_what_to_grant_or_to_do(work: Work) -> None:
    """Everything else works without."""
    (kept,) = work.scanned(found(cpu()))
    work.bench.hub.world.installations[work.bench.place.installation].permissions["contents"] = "read"
    became = work.open(kept)
    assert became.state == "by-hand"
    assert "Contents: Read and write" in became.why
    assert became.why.endswith(f". Begin at {FILE}:1")


def test_a_key_that_github_does_not_take_is_no_work_for_whoever_approved(work: Work) -> None:
    """It is tried again, and opened once an administrator has renewed the key."""
    (kept,) = work.scanned(found(cpu()))
    app = work.bench.hub.world.app
    key, app.public_key = app.public_key, key_pair.__wrapped__()[1]
    with pytest.raises(GitHubRefused, match="GITHUB_APP_PRIVATE_KEY") as refused:
        work.open(kept)
    assert refused.value.denied
    app.public_key = key
    assert work.open(kept).state == "opened"


@pytest.mark.parametrize(
    ("names", "branch"),
    [
        (("shop", "indexer"), "tuppence/right-size-shop-indexer-01234567"),
        (("", "..//~^:?*[\\"), "tuppence/right-size-workload-01234567"),
        (("a" * 90, "b"), f"tuppence/right-size-{'a' * 60}-01234567"),
    ],
)
def test_a_branch_has_a_name_that_git_takes(names: tuple[str, str], branch: str) -> None:
    """Whatever the workload is called."""
    namespace, name = names
    kept = KeptRecommendation(
        id="", subject="0123456789abcdef", repository=1, place={}, head_sha="", environment="",
        namespace=namespace, kind="", name=name, finder="", team="", cluster="", recommendation={},
        open=True, found_at=NOW,
    )  # fmt: skip
    assert branch_of(kept) == branch
