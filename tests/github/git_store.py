"""A real, bare git repository as GitHub keeps it, and the questions GitHub answers from it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

Files = Mapping[str, str | bytes | None]
"""Path -> content; None deletes."""

_CONFIG = (
    ("uploadpack.allowFilter", "true"),
    ("uploadpack.allowAnySHA1InWant", "true"),
    ("uploadpack.hideRefs", "refs/internal"),
    ("http.receivepack", "true"),
    ("gc.auto", "0"),
    # Nothing here outlives a test: five times as fast.
    ("core.fsync", "none"),
    ("fastimport.unpackLimit", "0"),
)
# Nothing that the machine's own git is configured to do.
ENVIRONMENT = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
_WHO = "Ann Author <ann@example.com>"
_STATUSES = {"A": "added", "M": "modified", "D": "removed", "R": "renamed", "C": "copied", "T": "changed"}


class MergeConflictError(Exception):
    """Two commits do not merge."""


@dataclass(frozen=True)
class FileChange:
    """One file of a diff; `hunks` is GitHub's `patch`, None for a binary file."""

    path: str
    previous_path: str | None
    status: str
    blob: str
    additions: int
    deletions: int
    hunks: str | None

    @cached_property
    def lines(self) -> Mapping[str, Mapping[int, str]]:
        """Side (`LEFT`, `RIGHT`) -> line number -> the hunk that shows it."""
        sides: dict[str, dict[int, str]] = {"LEFT": {}, "RIGHT": {}}
        for hunk in re.split(r"^(?=@@ )", self.hunks or "", flags=re.MULTILINE):
            header = re.match(r"@@ -(\d+)(?:,\d+)? \+(\d+)", hunk)
            if header is None:
                continue
            left, right = int(header[1]), int(header[2])
            for text in hunk.split("\n")[1:]:
                if text[:1] in (" ", "-"):
                    sides["LEFT"][left] = hunk
                    left += 1
                if text[:1] in (" ", "+"):
                    sides["RIGHT"][right] = hunk
                    right += 1
        return sides


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit as `git log` tells it."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: str
    email: str
    date: str
    message: str


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One entry of a folder: mode, `blob`, `tree` or `commit`, its id, size in bytes, path."""

    mode: str
    kind: str
    sha: str
    size: int
    path: str


class GitStore:
    """Commits, merges and compares in one bare repository."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # By sha, and what a sha names never changes.
        self._changes: dict[tuple[str, str], list[FileChange]] = {}
        self._logs: dict[tuple[str, ...], list[Commit]] = {}

    @classmethod
    def create(cls, path: Path) -> GitStore:
        """An empty bare repository that serves filters and any sha, as GitHub does."""
        command = ["git", "init", "--quiet", "--bare", "--template=", "--initial-branch=main", str(path)]
        subprocess.run(command, check=True, env=ENVIRONMENT)
        settings = "".join(
            f"[{key.split('.')[0]}]\n\t{key.split('.')[1]} = {value}\n" for key, value in _CONFIG
        )
        with (path / "config").open("a") as config:
            config.write(settings)
        return cls(path)

    def git(self, *arguments: str, stdin: bytes | None = None) -> bytes:
        """What a git command prints; an error raises."""
        done = subprocess.run(
            ["git", "-C", str(self.path), *arguments],
            input=stdin,
            capture_output=True,
            check=False,
            env=ENVIRONMENT,
        )
        if done.returncode:
            raise subprocess.CalledProcessError(
                done.returncode, done.args, done.stdout, done.stderr.decode(errors="replace")
            )
        return done.stdout

    def commit(self, branch: str, files: Files, message: str, *, parent: str | None) -> str:
        """A new commit on a branch; with `parent` None the files are the whole first tree."""
        data = message.encode()
        lines = [f"commit refs/heads/{branch}\ncommitter {_WHO} now\ndata {len(data)}\n".encode(), data]
        if parent is not None:
            lines.append(f"\nfrom {parent}\n".encode())
        for path, content in files.items():
            if content is None:
                lines.append(f"D {_quoted(path)}\n".encode())
                continue
            blob = content if isinstance(content, bytes) else content.encode()
            lines.append(f"M 100644 inline {_quoted(path)}\ndata {len(blob)}\n".encode() + blob + b"\n")
        self.git("fast-import", "--quiet", "--force", "--date-format=now", stdin=b"".join(lines))
        return self.sha(f"refs/heads/{branch}")

    def sha(self, revision: str) -> str:
        """The commit that a revision names; KeyError when there is none."""
        try:
            return self.git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").decode().strip()
        except subprocess.CalledProcessError:
            raise KeyError(revision) from None

    def set_ref(self, ref: str, sha: str) -> None:
        """Point a ref to a commit."""
        self.git("update-ref", ref, sha)

    def take(self, other: GitStore, sha: str, ref: str) -> None:
        """Bring a commit, of this or another repository (a fork), under a ref of this one."""
        if other is self:
            self.set_ref(ref, sha)
            return
        self.git("fetch", "--quiet", "--no-tags", str(other.path), f"+{sha}:{ref}")

    def branches(self) -> dict[str, str]:
        """Every branch with its tip."""
        listed = self.git("for-each-ref", "--format=%(objectname) %(refname:lstrip=2)", "refs/heads").decode()
        return {name: sha for sha, name in (line.split(" ", 1) for line in listed.splitlines())}

    def merge(self, base: str, head: str, message: str) -> str:
        """A commit that merges `head` into `base`."""
        try:
            tree = self.git("merge-tree", "--write-tree", "--no-messages", base, head).decode().split()[0]
        except subprocess.CalledProcessError:
            raise MergeConflictError(base, head) from None
        who = ("-c", "user.name=GitHub", "-c", "user.email=noreply@example.com")
        made = self.git(*who, "commit-tree", tree, "-p", base, "-p", head, "-m", message)
        return made.decode().strip()

    def merge_base(self, one: str, other: str) -> str:
        """The best common ancestor."""
        return self.git("merge-base", one, other).decode().strip()

    def commits(self, since: str, until: str) -> list[Commit]:
        """What `until` has and `since` has not, oldest first."""
        return self._log("--reverse", f"{since}..{until}")

    def commit_of(self, sha: str) -> Commit:
        """One commit."""
        return self._log("--max-count=1", sha)[0]

    def _log(self, *arguments: str) -> list[Commit]:
        if arguments not in self._logs:
            self._logs[arguments] = list(self._read_log(*arguments))
        return self._logs[arguments]

    def _read_log(self, *arguments: str) -> Iterator[Commit]:
        form = "--format=%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%B%x01"
        for record in self.git("log", form, *arguments, "--").decode(errors="replace").split("\x01")[:-1]:
            sha, tree, parents, author, email, date, message = record.lstrip("\n").split("\x00")
            yield Commit(sha, tree, tuple(parents.split()), author, email, date, message.rstrip("\n"))

    def folder(self, commit: str, path: str) -> list[TreeEntry]:
        """A folder's entries, or the one entry of a file; empty when there is none."""
        listed = self.git("ls-tree", "-z", "--long", commit, *([path] if path else ()))
        entries = list(tree_entries(listed))
        if len(entries) == 1 and entries[0].kind == "tree" and entries[0].path == path:
            return list(tree_entries(self.git("ls-tree", "-z", "--long", commit, f"{path}/")))
        return entries

    def blob(self, sha: str) -> bytes:
        """A file's content."""
        return self.git("cat-file", "blob", sha)

    def changes(self, base: str, head: str) -> list[FileChange]:
        """What a pull request changes: from the merge base to the head."""
        if (base, head) not in self._changes:
            self._changes[base, head] = list(self._read_changes(self.merge_base(base, head), head))
        return self._changes[base, head]

    def _read_changes(self, base: str, head: str) -> Iterator[FileChange]:
        told = self.git("diff", "-M", "-z", "--raw", "--numstat", "--abbrev=40", base, head)
        # First every `:mode mode sha sha letter`, its path or two; then every `added<tab>deleted<tab>path`.
        begin = re.search(rb"\0(?=(\d+|-)\t)", told)
        cut = begin.end() if begin else len(told)
        raw, numbers = (iter(part.split(b"\0")[:-1]) for part in (told[:cut], told[cut:]))
        patch = self.git("diff", "-M", base, head).decode(errors="replace")
        sections = iter(re.split(r"^diff --git .*\n", patch, flags=re.MULTILINE)[1:])
        for meta in raw:
            *_, blob, letter = meta.decode().split(" ")
            path = next(raw).decode(errors="replace")
            previous = None
            if letter[0] in "RC":
                previous, path = path, next(raw).decode(errors="replace")
                counted = next(numbers)
                for _name in (previous, path):
                    next(numbers)
            else:
                counted = next(numbers)
            added, deleted, _ = counted.split(b"\t")
            found = re.search(r"^@@ .*", next(sections), flags=re.MULTILINE | re.DOTALL)
            yield FileChange(
                path=path,
                previous_path=previous,
                status=_STATUSES[letter[0]],
                blob=blob,
                additions=int(added) if added != b"-" else 0,
                deletions=int(deleted) if deleted != b"-" else 0,
                hunks=found[0].rstrip("\n") if found else None,
            )


def _quoted(path: str) -> str:
    """A path as fast-import wants it."""
    return json.dumps(path, ensure_ascii=False) if '"' in path or "\n" in path else path


def tree_entries(listed: bytes) -> Iterator[TreeEntry]:
    """What `git ls-tree -z --long` printed."""
    for line in listed.decode(errors="replace").split("\0")[:-1]:
        meta, path = line.split("\t", 1)
        mode, kind, sha, size = meta.split()
        yield TreeEntry(mode, kind, sha, int(size) if size != "-" else 0, path)
