"""Bare clones without contents, one a repository, that the two sides of a pull request are read from.

Only commits and trees are fetched; contents follow in batches when they are read. Several processes
share the folder: one fetches at a time, and a cache is made anew only while nobody else reads it.
"""

from __future__ import annotations

import fcntl
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeVar
from urllib.parse import quote

from bot.adapters.git_commands import Git
from bot.adapters.git_remote import Limits, Remote, fetch_commits, fetch_contents, make_bare, tidy
from bot.adapters.git_trees import RevisionTree
from bot.errors import GitUnavailable, OutsideError, UserError
from bot.github_events import PullRequestRef, Repository
from bot.ports import Tree
from bot.pull_requests import PullRequestFacts

_T = TypeVar("_T")
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_LOCK_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class FetchedChange:
    """The two sides of a pull request. `merged`: the head is GitHub's test merge, the base its target.

    `target` is the newest commit that is known of the branch it goes into: the base, or one after it.
    """

    base: Tree
    head: Tree
    target: Tree
    merged: bool


def clone_url(base: str, full_name: str, said: str) -> str:
    """What GitHub `said`, or where `base` is set, the same repository below it."""
    return f"{base.rstrip('/')}/{quote(full_name)}.git" if base else said


class GitCache:
    """The clones below one folder."""

    def __init__(self, folder: Path, *, limits: Limits | None = None) -> None:
        self._folder = folder
        self._limits = limits or Limits()

    @contextmanager
    def open(self, remote: Remote) -> Iterator[CachedRepository]:
        """The clone of one repository. What is read from it must be read inside the `with`."""
        home = self._folder / str(remote.repository_id)
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (home / "use.lock").open("a") as use:
            _lock(use, fcntl.LOCK_SH)
            cached = CachedRepository(home, use, remote, self._limits)
            try:
                yield cached
            finally:
                cached.close()

    @contextmanager
    def commit(
        self, repository: Repository, sha: str, password: Callable[[], str], *, clone_base: str = ""
    ) -> Iterator[Tree]:
        """The files of one commit, to be read inside the `with`. Raises GitUnavailable."""
        url = clone_url(clone_base, repository.full_name, repository.clone_url)
        with self.open(Remote(repository.id, url, password)) as clone:
            yield clone.tree(sha)


class CachedRepository:
    """One clone, held open. Every method raises GitUnavailable, and mends a broken clone first."""

    def __init__(self, home: Path, use: IO[str], remote: Remote, limits: Limits) -> None:
        self._home, self._use, self._remote, self._limits = home, use, remote, limits
        self._bare = home / "bare.git"
        self._git: Git | None = None

    def change(self, number: int, *, head: str, base: str, merge: str | None = None) -> FetchedChange:
        """The two sides of pull request `number`, by commit ids.

        `merge` is GitHub's test merge: where it is one of `head`, it is compared with the target that it
        was merged into. Without it, or where it is of another head, `head` is compared with its merge
        base with `base`.
        """
        if merge is not None:
            with _unless_gone():
                found = self._mending(lambda: self._merged(number, merge, head))
                if found is not None:
                    return found
        return self._mending(lambda: self._since_merge_base(number, head, base))

    def tree(self, commit: str) -> Tree:
        """The files of one commit."""
        return self._mending(lambda: self._tree(commit, {f"refs/kept/commits/{commit}": commit}))

    def close(self) -> None:
        """End what reads."""
        if self._git is not None:
            self._git.close()
            self._git = None

    def _merged(self, number: int, merge: str, head: str) -> FetchedChange | None:
        git = self._fetched({f"refs/kept/{number}/merge": merge})
        parents = git.run("rev-list", "--parents", "--max-count=1", merge).decode().split()[1:]
        if len(parents) != 2 or parents[1] != head:
            return None
        target = RevisionTree(git, parents[0])
        return FetchedChange(target, RevisionTree(git, merge), target, merged=True)

    def _since_merge_base(self, number: int, head: str, base: str) -> FetchedChange:
        git = self._fetched({f"refs/kept/{number}/head": head, f"refs/kept/{number}/base": base})
        shared = git.tried("merge-base", base, head)
        if shared is None:
            raise GitUnavailable("the pull request shares no history with its target", "gone")
        sides = RevisionTree(git, shared), RevisionTree(git, head)
        return FetchedChange(*sides, RevisionTree(git, base), merged=False)

    def _tree(self, commit: str, kept: Mapping[str, str]) -> Tree:
        return RevisionTree(self._fetched(kept), commit)

    def _fetched(self, kept: Mapping[str, str]) -> Git:
        """Git in the clone, which holds the commits of `kept` by then."""
        for commit in kept.values():
            if not _COMMIT.fullmatch(commit):
                raise GitUnavailable(f"{commit!r} is no commit id", "gone")
        if (self._home / "broken").exists():
            raise OutsideError("the cached clone is broken")
        git = self._opened()
        missing = {ref: commit for ref, commit in kept.items() if not _has(git, commit)}
        if missing:
            with self._fetching():
                fetch_commits(self._bare, self._remote, missing, self._limits)
                # Packing is a courtesy to later readers; where it fails, fetching or reading will say so.
                with suppress(OutsideError):
                    tidy(self._bare, self._limits)
        return git

    def _opened(self) -> Git:
        if self._git is None:
            with self._fetching():
                if not self._bare.exists():
                    make_bare(self._bare)
            try:
                self._git = _FillingGit(self._bare, self._fill, self._doubt)
            except UserError as error:
                raise OutsideError(f"the cached clone is broken: {error}") from error
        return self._git

    def _fill(self, blobs: set[str]) -> None:
        with self._fetching():
            fetch_contents(self._bare, self._remote, blobs, self._limits)

    @contextmanager
    def _fetching(self) -> Iterator[None]:
        """Alone with the clone among those who write to it."""
        with (self._home / "fetch.lock").open("a") as lock:
            _lock(lock, fcntl.LOCK_EX)
            _sweep(self._bare)
            try:
                yield
            except GitUnavailable as error:
                if error.kind == "large":
                    self._doubt()
                raise

    def _doubt(self) -> None:
        (self._home / "broken").touch()

    def _mending(self, work: Callable[[], _T]) -> _T:
        """Do it; where the clone turns out to be broken, make it anew and do it once more."""
        try:
            return work()
        except GitUnavailable:
            raise
        except OutsideError as error:
            self._doubt()
            self._make_anew(error)
            return work()

    def _make_anew(self, reason: OutsideError) -> None:
        self.close()
        try:
            fcntl.flock(self._use, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise GitUnavailable(f"the cached clone is broken, and in use: {reason}", "broken") from reason
        shutil.rmtree(self._bare, ignore_errors=True)
        (self._home / "broken").unlink(missing_ok=True)
        fcntl.flock(self._use, fcntl.LOCK_SH)


class _FillingGit(Git):
    """Git in a clone without contents: what is about to be read is fetched first, all at once."""

    def __init__(self, folder: Path, fill: Callable[[set[str]], None], doubt: Callable[[], None]) -> None:
        super().__init__(folder)
        self._fill, self._doubt = fill, doubt

    def blobs(self, ids: list[str]) -> Iterator[bytes]:
        """As in any repository."""
        try:
            if missing := self._missing(ids):
                self._fill(missing)
            yield from super().blobs(ids)
        except GitUnavailable:
            raise
        except OutsideError:
            self._doubt()
            raise

    def _missing(self, ids: list[str]) -> set[str]:
        asked = "".join(f"{blob}\n" for blob in ids).encode()
        lines = self.run("cat-file", "--batch-check=%(objecttype)", given=asked).decode().splitlines()
        return {line.removesuffix(" missing") for line in lines if line.endswith(" missing")}


@contextmanager
def _unless_gone() -> Iterator[None]:
    """GitHub makes the test merge anew whenever a branch moves, and drops the old one."""
    try:
        yield
    except GitUnavailable as error:
        if error.kind != "gone":
            raise


def _has(git: Git, commit: str) -> bool:
    return git.tried("cat-file", "-e", f"{commit}^{{commit}}") is not None


def _lock(file: IO[str], how: int) -> None:
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(file, how | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise GitUnavailable("others have used the cached clone for too long", "busy") from None
            time.sleep(0.05)
        else:
            return


def _sweep(bare: Path) -> None:
    """Remove what a killed git left: half packs, and locks that nobody holds."""
    for leftover in (*bare.glob("objects/pack/tmp_*"), *bare.glob("*.lock"), *bare.glob("refs/**/*.lock")):
        leftover.unlink(missing_ok=True)


class GitRevisions:
    """Both sides of pull requests, read from the cache."""

    def __init__(
        self, cache: GitCache, password: Callable[[PullRequestRef], str], *, clone_base: str = ""
    ) -> None:
        """`password` is an installation token that may read the repository's files."""
        self._cache, self._password, self._clone_base = cache, password, clone_base

    @contextmanager
    def trees(self, facts: PullRequestFacts) -> Iterator[tuple[Tree, Tree, Tree]]:
        """Base, head and target; see the port. Raises GitUnavailable, GitHubUnavailable."""
        ref = facts.ref
        url = clone_url(self._clone_base, ref.repository.full_name, ref.repository.clone_url)
        remote = Remote(ref.repository.id, url, lambda: self._password(ref))
        with self._cache.open(remote) as repository:
            change = repository.change(
                ref.number, head=facts.head_sha, base=facts.base_sha, merge=facts.merge_sha
            )
            yield change.base, change.head, change.target
