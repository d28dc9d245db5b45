"""Revisions and working trees of a git repository as sides of a change. Nothing is ever checked out."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from bot.adapters.git_commands import Git
from bot.errors import UserError
from bot.ports import SkippedPath, Tree

_READ_AT_MOST = 10_000_001
_SKIPPED_MODES = {"120000": "a symlink", "160000": "a submodule"}


@contextmanager
def open_trees(
    repository: Path, base: str | None = None, head: str | None = None
) -> Iterator[tuple[Tree, Tree]]:
    """The two sides that `tuppence diff [BASE [HEAD]]` compares.

    Nothing named: HEAD and the working tree. BASE alone: its merge base with HEAD, and the working
    tree. Both: exactly these. Raises UserError for what is no repository and no revision.
    """
    git = Git(repository)
    try:
        if base is None:
            yield RevisionTree(git, commit(git, "HEAD")), WorkingTree(git)
        elif head is None:
            yield RevisionTree(git, merge_base(git, base, "HEAD")), WorkingTree(git)
        else:
            yield RevisionTree(git, commit(git, base)), RevisionTree(git, commit(git, head))
    finally:
        git.close()


def commit(git: Git, revision: str) -> str:
    """The id of the commit that a person calls `revision`."""
    # Git lets no branch or tag start with a dash, and would take it for an option.
    found = None
    if revision and not revision.startswith("-") and "\0" not in revision:
        found = git.tried("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if found is None and revision == "HEAD":
        raise UserError(f"{git.folder} has no commit yet: commit the manifests there first")
    if found is None:
        raise UserError(
            f"{git.folder} has no revision {revision!r}: check the name, or fetch it with `git fetch origin`"
        )
    return found.splitlines()[-1]


def merge_base(git: Git, one: str, other: str) -> str:
    """The id of the newest commit that both share."""
    found = git.tried("merge-base", commit(git, one), commit(git, other))
    if found is None:
        raise UserError(
            f"{one!r} and {other!r} share no history in {git.folder}: "
            "fetch more with `git fetch --unshallow`, or name both revisions"
        )
    return found


def remote_urls(git: Git) -> tuple[str, ...]:
    """Where the repository is fetched from: Argo CD and Flux name it so."""
    lines = (git.tried("config", "--null", "--get-regexp", r"^remote\..*\.url$") or "").split("\0")
    return tuple(line.partition("\n")[2] for line in lines if line)


class RevisionTree:
    """The files of one commit."""

    def __init__(self, git: Git, commit_id: str) -> None:
        """List the files of a commit, as `commit` gives its id. Raises UserError where they are too many."""
        self._git = git
        self._commit = commit_id
        self._skipped: list[SkippedPath] = []
        self._paths: dict[str, str] = {}
        for mode, blob, path in _entries(git.listing(commit_id), blob_at=2):
            if reason := _SKIPPED_MODES.get(mode) or _leaves_tree(path):
                self._skipped.append(SkippedPath(path, reason))
            else:
                self._paths[path] = blob

    @property
    def name(self) -> str:
        """The commit's id."""
        return self._commit

    @property
    def skipped(self) -> Sequence[SkippedPath]:
        """Symlinks, submodules and paths that would leave the tree."""
        return self._skipped

    def paths(self) -> Mapping[str, str]:
        """Every regular file with its blob's id."""
        return self._paths

    def read(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """The content of `paths`, in order, cut off after 10,000,001 bytes."""
        wanted = list(paths)
        yield from zip(wanted, self._git.blobs([self._paths[path] for path in wanted]), strict=True)


class WorkingTree:
    """The files as they lie on disk: tracked ones, and untracked ones that are not ignored.

    Unchanged files come from git's objects, so that line ends and content filters make no difference.
    """

    def __init__(self, git: Git) -> None:
        """List the files; raises UserError for a bare repository."""
        root = git.tried("rev-parse", "--show-toplevel")
        if root is None:
            raise UserError(f"{git.folder} has no working tree: name two revisions, BASE and HEAD")
        self._git = git
        self._root = Path(root)
        self._skipped: list[SkippedPath] = []
        self._on_disk: set[str] = set()
        self._paths = self._tracked()
        listing = ("ls-files", "-z", "--full-name")
        for path in self._named(*listing, "--modified", ":/") | self._named(
            *listing, "--others", "--exclude-standard", ":/"
        ):
            self._from_disk(path)

    @property
    def name(self) -> str:
        """The path of the working tree."""
        return str(self._root)

    @property
    def skipped(self) -> Sequence[SkippedPath]:
        """Symlinks, submodules, repositories within."""
        return self._skipped

    def paths(self) -> Mapping[str, str]:
        """Every regular file with the id that its content has, or would have, in git."""
        return self._paths

    def read(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """The content of `paths`, in order, cut off after 10,000,001 bytes; files gone since are left out."""
        wanted = list(paths)
        stored = self._git.blobs([self._paths[path] for path in wanted if path not in self._on_disk])
        for path in wanted:
            if path not in self._on_disk:
                yield path, next(stored)
                continue
            with suppress(OSError):  # gone since, as in a plain folder
                if (content := self._content(path)) is not None:
                    yield path, content[:_READ_AT_MOST]

    def _tracked(self) -> dict[str, str]:
        paths: dict[str, str] = {}
        listing = self._git.run("ls-files", "-z", "--full-name", "--stage", ":/")
        for mode, blob, path in _entries(listing, blob_at=1):
            if reason := _SKIPPED_MODES.get(mode) or _leaves_tree(path):
                self._skipped.append(SkippedPath(path, reason))
            else:
                paths[path] = blob
        return paths

    def _named(self, *arguments: str) -> set[str]:
        return {os.fsdecode(path) for path in self._git.run(*arguments).split(b"\0") if path}

    def _from_disk(self, path: str) -> None:
        """Take a file that differs from the index as it lies on disk."""
        self._paths.pop(path, None)
        skipped = {entry.path for entry in self._skipped} if path.endswith("/") else set()
        if path.endswith("/") and path.rstrip("/") not in skipped:
            self._skipped.append(SkippedPath(path, "a repository of its own"))
            return
        try:
            if (self._root / path).is_symlink():
                self._skipped.append(SkippedPath(path, "a symlink"))
            elif (content := self._content(path)) is not None:
                blob = hashlib.sha1(b"blob %d\0" % len(content) + content)  # noqa: S324 - git's own id
                self._paths[path] = blob.hexdigest()
                self._on_disk.add(path)
        except OSError as error:
            self._skipped.append(SkippedPath(path, str(error.strerror), hidden=True))

    def _content(self, path: str) -> bytes | None:
        """None where no file is there, or none any more. Raises OSError where it may not be read."""
        file = self._root / path
        try:
            return file.read_bytes() if file.is_file() else None
        except (FileNotFoundError, NotADirectoryError):
            return None


def _entries(listing: bytes, *, blob_at: int) -> Iterator[tuple[str, str, str]]:
    """Mode, blob id and path of each entry of `git ls-tree -z` or `git ls-files -z --stage`."""
    for entry in listing.split(b"\0"):
        facts, tab, path = entry.partition(b"\t")
        if tab:
            columns = facts.decode().split(" ")
            yield columns[0], columns[blob_at], os.fsdecode(path)


def _leaves_tree(path: str) -> str:
    """Git writes no such path, but a hand-made tree object may hold one."""
    parts = path.split("/")
    return "a path that leaves the tree" if {"", ".", "..", ".git"} & set(parts) else ""
