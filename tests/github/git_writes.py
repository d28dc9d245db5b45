"""What GitHub's Git Data API writes into a real git repository: objects first, then what a branch points to."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.github.git_store import ENVIRONMENT, GitStore, TreeEntry, tree_entries


def kind(store: GitStore, sha: str) -> str:
    """`blob`, `tree` or `commit`; `""` for what is not there."""
    try:
        return store.git("cat-file", "-t", sha).decode().strip()
    except subprocess.CalledProcessError:
        return ""


def blob(store: GitStore, content: bytes) -> str:
    """A file's content."""
    return store.git("hash-object", "-w", "--stdin", stdin=content).decode().strip()


def listed(store: GitStore, tree: str) -> list[TreeEntry]:
    """The entries of one folder."""
    return list(tree_entries(store.git("ls-tree", "-z", "--long", tree)))


def tree(store: GitStore, base: str | None, entries: Sequence[tuple[str, str, str]]) -> str:
    """The tree `base` with other entries: mode, id and path of each."""
    told = "".join(f"{mode} {sha}\t{path}\0" for mode, sha, path in entries).encode()
    with tempfile.TemporaryDirectory() as folder:
        own = {**ENVIRONMENT, "GIT_INDEX_FILE": str(Path(folder, "index"))}

        def run(*arguments: str, given: bytes = b"") -> bytes:
            command = ["git", "-C", str(store.path), *arguments]
            return subprocess.run(command, input=given, capture_output=True, check=True, env=own).stdout

        run("read-tree", base or "--empty")
        run("update-index", "-z", "--index-info", given=told)
        return run("write-tree").decode().strip()


def commit(store: GitStore, tree_sha: str, parents: Sequence[str], message: str, author: str) -> str:
    """A commit by an app, which GitHub itself commits; `author` is a login."""
    who = {
        "GIT_AUTHOR_NAME": author,
        "GIT_AUTHOR_EMAIL": f"41898282+{author}@users.noreply.example.com",
        "GIT_COMMITTER_NAME": "GitHub",
        "GIT_COMMITTER_EMAIL": "noreply@example.com",
    }
    command = ["git", "-C", str(store.path), "commit-tree", tree_sha]
    command += [word for parent in parents for word in ("-p", parent)]
    made = subprocess.run(
        command, input=message.encode(), capture_output=True, check=True, env={**ENVIRONMENT, **who}
    )
    return made.stdout.decode().strip()


def contains(store: GitStore, sha: str, other: str) -> bool:
    """Whether `other` is a commit or one of its ancestors: whether moving from it is a fast forward."""
    command = ["git", "-C", str(store.path), "merge-base", "--is-ancestor", other, sha]
    return subprocess.run(command, capture_output=True, check=False, env=ENVIRONMENT).returncode == 0


def branch_with(store: GitStore, branch: str, files: Mapping[str, tuple[str, bytes]], message: str) -> str:
    """One more commit on a branch, with the mode and the content of each file; somebody pushed it."""
    tip = store.sha(f"refs/heads/{branch}")
    entries = [(mode, blob(store, content), path) for path, (mode, content) in files.items()]
    sha = commit(store, tree(store, f"{tip}^{{tree}}", entries), [tip], message, "ann")
    store.set_ref(f"refs/heads/{branch}", sha)
    return sha


def delete_ref(store: GitStore, ref: str) -> None:
    """Remove a ref."""
    store.git("update-ref", "-d", ref)
