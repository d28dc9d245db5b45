"""Cached clones, fetched from real repositories by real git over HTTP and from files."""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import pytest

from bot.adapters.git_cache import GitCache, clone_url
from bot.adapters.git_remote import Limits, Remote
from bot.errors import GitUnavailable, OutsideError
from bot.ports import Tree
from tests.end_to_end.repositories import Repository
from tests.git_http import GitServer, git_server

PASSWORD = "ghs_" + "canary." * 70
NOWHERE = "0" * 40


@dataclass
class Pull:
    """A pull request: main moved on since it began, and GitHub has merged both for a test."""

    folder: Path
    start: str
    base: str
    head: str
    merge: str


@pytest.fixture
def pull(tmp_path: Path) -> Pull:
    """Its repository, with a large file nobody reads."""
    repository = Repository(tmp_path / "served" / "shop.git")
    repository.git("config", "uploadpack.allowFilter", "true")
    repository.git("config", "uploadpack.allowAnySHA1InWant", "true")
    start = repository.commit({"api.yaml": "a: 1\n", "web.yaml": "w: 1\n", "large.bin": os.urandom(100_000)})
    repository.git("checkout", "--quiet", "-b", "change")
    head = repository.commit({"api.yaml": "a: 2\n"})
    repository.git("checkout", "--quiet", "main")
    base = repository.commit({"web.yaml": "w: 2\n"})
    repository.git("checkout", "--quiet", "--detach")
    repository.git("merge", "--quiet", "--no-ff", "--message=Test", head)
    merge = repository.git("rev-parse", "HEAD")
    repository.git("update-ref", "refs/pull/7/merge", merge)
    repository.git("checkout", "--quiet", "main")
    return Pull(repository.folder, start, base, head, merge)


@pytest.fixture
def server(pull: Pull) -> Iterator[GitServer]:
    """What serves it, for a password."""
    with git_server(pull.folder.parent, PASSWORD) as serving:
        yield serving


@pytest.fixture
def cache(tmp_path: Path) -> GitCache:
    """A cache with nothing in it."""
    return GitCache(tmp_path / "cache")


def remote(server: GitServer, password: str = PASSWORD, name: str = "shop.git") -> Remote:
    """Where the pull request's repository is fetched from."""
    return Remote(1, f"{server.url}/{name}", lambda: password)


def read(tree: Tree) -> dict[str, str]:
    """The manifests of a tree."""
    return {path: data.decode() for path, data in tree.read(["api.yaml", "web.yaml"])}


def packed(folder: Path) -> int:
    """Bytes in the packs of a cache."""
    return sum(file.stat().st_size for file in folder.rglob("*.pack"))


def test_a_test_merge_is_compared_with_the_target_it_was_merged_into(
    cache: GitCache, pull: Pull, server: GitServer
) -> None:
    """What main gained meanwhile is on both sides, even where the caller's base is old."""
    with cache.open(remote(server)) as repository:
        change = repository.change(7, head=pull.head, base=pull.start, merge=pull.merge)
        assert (change.base.name, change.head.name, change.merged) == (pull.base, pull.merge, True)
        assert change.target.name == pull.base
        assert read(change.base) == {"api.yaml": "a: 1\n", "web.yaml": "w: 2\n"}
        assert read(change.head) == {"api.yaml": "a: 2\n", "web.yaml": "w: 2\n"}


@pytest.mark.parametrize("merge", [None, "stale", NOWHERE], ids=["conflict", "of another head", "dropped"])
def test_without_a_fitting_merge_the_head_is_compared_with_the_merge_base(
    cache: GitCache, pull: Pull, server: GitServer, merge: str | None
) -> None:
    """What main gained meanwhile is on neither side."""
    with cache.open(remote(server)) as repository:
        said = pull.base if merge == "stale" else merge
        change = repository.change(7, head=pull.head, base=pull.base, merge=said)
        assert (change.base.name, change.head.name, change.merged) == (pull.start, pull.head, False)
        assert change.target.name == pull.base
        assert read(change.head) == {"api.yaml": "a: 2\n", "web.yaml": "w: 1\n"}


def test_contents_are_fetched_when_they_are_read_and_all_at_once(
    cache: GitCache, pull: Pull, server: GitServer, tmp_path: Path
) -> None:
    """A file that nobody reads never travels; what was read once is there."""
    with cache.open(remote(server)) as repository:
        tree = repository.tree(pull.head)
        before = server.transfers
        read(tree)
        assert server.transfers == before + 1
        read(tree)
        assert server.transfers == before + 1
        assert packed(tmp_path / "cache") < 100_000
        assert len(next(iter(tree.read(["large.bin"])))[1]) == 100_000


def test_what_is_known_needs_no_network(cache: GitCache, pull: Pull, server: GitServer) -> None:
    """A second delivery of the same head asks GitHub for nothing."""
    for _ in range(2):
        with cache.open(remote(server)) as repository:
            read(repository.change(7, head=pull.head, base=pull.base, merge=pull.merge).head)
        asked, server.asked = server.asked, []
    assert asked == []


def test_a_repository_on_disk_is_fetched_without_a_password(cache: GitCache, pull: Pull) -> None:
    """A `file:` address works, as GITHUB_CLONE_URL may name one."""
    address = clone_url(pull.folder.parent.as_uri(), "shop", "https://github.com/acme/shop.git")

    def password() -> str:
        raise AssertionError("nobody asked for it")

    with cache.open(Remote(1, address, password)) as repository:
        assert read(repository.tree(pull.head))["api.yaml"] == "a: 2\n"


def test_the_password_is_seen_nowhere(
    cache: GitCache, pull: Pull, server: GitServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in an argument or environment of any process while it is used, and in no file after."""
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text("[credential]\n\thelper = store\n")
    monkeypatch.setenv("HOME", str(home))
    seen: list[bytes] = []
    server.on_request = lambda: seen.extend(_processes())
    with cache.open(remote(server)) as repository:
        read(repository.change(7, head=pull.head, base=pull.base, merge=pull.merge).head)
    assert server.refused
    assert any(b"git-remote-http" in text or b"remote-http" in text for text in seen)
    assert not [text for text in seen if PASSWORD.encode() in text]
    files = [file for folder in (home, tmp_path / "cache") for file in folder.rglob("*") if file.is_file()]
    assert any(file.name == "config" for file in files)
    assert not [file for file in files if PASSWORD.encode() in file.read_bytes()]
    assert PASSWORD not in repr(remote(server))


def _processes() -> Iterator[bytes]:
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                yield (process / name).read_bytes()
            except OSError:
                continue


@pytest.mark.parametrize("break_it", ["pack", "HEAD", "config", "index", "refs"])
def test_a_broken_clone_is_made_anew(
    cache: GitCache, pull: Pull, server: GitServer, tmp_path: Path, break_it: str
) -> None:
    """Whatever a full disk or a killed process left, the next reader gets the right files."""
    with cache.open(remote(server)) as repository:
        read(repository.tree(pull.start))
    bare = tmp_path / "cache" / "1" / "bare.git"
    targets = {"pack": "*.pack", "index": "*.idx", "HEAD": "HEAD", "config": "config"}
    if break_it == "refs":
        (bare / "refs" / "kept").rename(tmp_path / "gone")
        (bare / "refs" / "kept").write_text("no folder")
    for file in bare.rglob(targets.get(break_it, "nothing")):
        file.chmod(0o600)
        file.write_bytes(b"[broken")
    with cache.open(remote(server)) as repository:
        change = repository.change(7, head=pull.head, base=pull.base, merge=pull.merge)
        assert read(change.head) == {"api.yaml": "a: 2\n", "web.yaml": "w: 2\n"}


def test_a_clone_that_breaks_while_it_is_read_is_made_anew_by_the_next(
    cache: GitCache, pull: Pull, server: GitServer, tmp_path: Path
) -> None:
    """The reader hears of it; nobody has to clean up."""
    with cache.open(remote(server)) as repository:
        tree = repository.tree(pull.start)
        read(tree)
        for pack in (tmp_path / "cache").rglob("*.pack"):
            pack.chmod(0o600)
            pack.write_bytes(b"PACK")
        with pytest.raises(OutsideError):
            read(tree)
    with cache.open(remote(server)) as repository:
        assert read(repository.tree(pull.start))["api.yaml"] == "a: 1\n"


def test_a_broken_clone_is_left_alone_while_others_read_it(
    cache: GitCache, pull: Pull, server: GitServer, tmp_path: Path
) -> None:
    """The second use waits its turn instead of pulling the files from under the first."""
    with cache.open(remote(server)) as first:
        tree = first.tree(pull.start)
        (tmp_path / "cache" / "1" / "broken").touch()
        with cache.open(remote(server)) as second, pytest.raises(GitUnavailable) as caught:
            second.tree(pull.head)
        assert caught.value.kind == "broken"
        assert read(tree)["api.yaml"] == "a: 1\n"
    with cache.open(remote(server)) as third:
        assert read(third.tree(pull.head))["api.yaml"] == "a: 2\n"


def test_locks_and_half_packs_of_a_killed_git_are_swept_away(
    cache: GitCache, pull: Pull, server: GitServer, tmp_path: Path
) -> None:
    """They would make every later fetch fail, or fill the disk."""
    with cache.open(remote(server)) as repository:
        repository.tree(pull.start)
    bare = tmp_path / "cache" / "1" / "bare.git"
    left = [
        bare / "objects" / "pack" / "tmp_pack_x",
        bare / "packed-refs.lock",
        bare / "refs/kept/7/head.lock",
    ]
    for file in left:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    with cache.open(remote(server)) as repository:
        repository.change(7, head=pull.head, base=pull.base)
    assert not any(file.exists() for file in left)


def test_one_fetches_while_the_others_wait(pull: Pull, server: GitServer, tmp_path: Path) -> None:
    """Ten pull requests that come at once clone the repository one after the other, whole."""

    def work(number: int) -> dict[str, str]:
        with GitCache(tmp_path / "cache").open(remote(server)) as repository:
            return read(repository.change(number, head=pull.head, base=pull.base, merge=pull.merge).head)

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(work, range(10))) == [{"api.yaml": "a: 2\n", "web.yaml": "w: 2\n"}] * 10


def test_failures_say_of_which_kind_they_are(
    cache: GitCache, pull: Pull, server: GitServer, tmp_path: Path
) -> None:
    """What a second try can help is told from what it cannot, and the password is never quoted."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}/shop.git"
        cases = {
            "refused": remote(server, password="ghs_wrong"),
            "gone": remote(server),
            "outage": Remote(1, nobody, lambda: PASSWORD),
        }
        for kind, source in cases.items():
            with cache.open(source) as repository, pytest.raises(GitUnavailable) as caught:
                repository.tree(NOWHERE if kind == "gone" else pull.head)
            assert caught.value.kind == kind
            assert "ghs_" not in str(caught.value)
    assert not (tmp_path / "cache" / "1" / "broken").exists()


@pytest.mark.parametrize(
    "address",
    [
        "ext::sh -c 'touch {folder}/ran'",
        "ssh://git@example.org/a",
        "https://a:b@example.org/a",
        "--upload-pack=x",
    ],
    ids=["program", "ssh", "password in it", "option"],
)
def test_only_plain_addresses_are_fetched_from(cache: GitCache, tmp_path: Path, address: str) -> None:
    """An address can start no program."""
    url = address.format(folder=tmp_path)
    with cache.open(Remote(1, url, lambda: "")) as repository, pytest.raises(GitUnavailable, match="plain"):
        repository.tree(NOWHERE)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("commit", ["HEAD", "--all", "main", "a" * 39, "A" * 40], ids=str)
def test_only_commit_ids_are_asked_for(cache: GitCache, server: GitServer, commit: str) -> None:
    """A name could be an option, or move while we read."""
    with cache.open(remote(server)) as repository, pytest.raises(GitUnavailable, match="no commit id"):
        repository.tree(commit)
    assert server.asked == []


def test_a_fetch_that_does_not_end_is_ended(pull: Pull, server: GitServer, tmp_path: Path) -> None:
    """With everything that it started."""
    ended = Event()

    def hang() -> None:
        ended.wait(100)

    server.on_request = hang
    started = time.monotonic()
    with (
        GitCache(tmp_path / "cache", limits=Limits(seconds=0.5)).open(remote(server)) as repository,
        pytest.raises(GitUnavailable) as caught,
    ):
        repository.tree(pull.head)
    assert caught.value.kind == "slow"
    assert time.monotonic() - started < 60
    ended.set()
    assert not [text for text in _processes() if server.url.encode() in text and b"fetch" in text]


def test_a_repository_that_is_too_large_is_not_kept(pull: Pull, server: GitServer, tmp_path: Path) -> None:
    """The disk is for all repositories."""
    with GitCache(tmp_path / "cache", limits=Limits(bytes=50_000)).open(remote(server)) as repository:
        tree = repository.tree(pull.head)
        with pytest.raises(GitUnavailable) as caught:
            list(tree.read(["large.bin"]))
    assert caught.value.kind == "large"
    with GitCache(tmp_path / "cache").open(remote(server)) as repository:
        read(repository.tree(pull.head))
    assert packed(tmp_path / "cache") < 50_000


def test_many_small_fetches_are_packed(
    cache: GitCache, pull: Pull, server: GitServer, tmp_path: Path
) -> None:
    """A pack for each push would make reading slower and slower; what was fetched stays readable."""
    source = Repository.__new__(Repository)
    source.folder = pull.folder
    heads = [source.commit({"api.yaml": f"a: {number}\n"}) for number in range(25)]
    with cache.open(remote(server)) as repository:
        trees = [repository.tree(head) for head in heads]
        assert len(list((tmp_path / "cache").rglob("*.pack"))) < 25
        assert [read(tree)["api.yaml"] for tree in trees] == [f"a: {number}\n" for number in range(25)]


def test_an_address_may_be_replaced() -> None:
    """GITHUB_CLONE_URL is where the same names are found."""
    said = "https://github.com/acme/shop.git"
    assert clone_url("", "acme/shop", said) == said
    assert clone_url("http://127.0.0.1:9/git/", "acme/shop", said) == "http://127.0.0.1:9/git/acme/shop.git"
    assert clone_url("file:///srv", "acme/sh op", said) == "file:///srv/acme/sh%20op.git"


def test_git_must_be_there(pull: Pull, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its absence is said, not mistaken for a broken clone."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    source = Remote(1, pull.folder.as_uri(), lambda: "")
    with (
        GitCache(tmp_path / "cache").open(source) as repository,
        pytest.raises(OutsideError, match="git is not on PATH"),
    ):
        repository.tree(pull.head)
