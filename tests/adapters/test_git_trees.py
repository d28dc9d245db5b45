"""Git revisions and working trees, read from real repositories."""

from __future__ import annotations

import os
import subprocess
import time
import tracemalloc
from pathlib import Path

import pytest

from bot.adapters.git_commands import Git
from bot.adapters.git_trees import RevisionTree, WorkingTree, commit, open_trees, remote_urls
from bot.errors import OutsideError, UserError
from bot.ports import SkippedPath, Tree


def git(folder: Path, *arguments: str, data: bytes | None = None) -> str:
    """Git as a person runs it."""
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
    done = subprocess.run(
        ("git", *identity, *arguments), cwd=folder, capture_output=True, check=True, input=data
    )
    return os.fsdecode(done.stdout).strip()


def write(folder: Path, files: dict[str, str]) -> None:
    """Files by path."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def commit_all(folder: Path) -> str:
    """Everything as a new commit; its id."""
    git(folder, "add", "-A")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "change")
    return git(folder, "rev-parse", "HEAD")


def content(tree: Tree) -> dict[str, str]:
    """Every file of a tree."""
    return {path: data.decode() for path, data in tree.read(tree.paths())}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet")
    write(folder, {"a.yaml": "a: 1\n", "deep/b.yaml": "b: 1\n"})
    commit_all(folder)
    return folder


def test_without_arguments_head_is_compared_with_the_working_tree(repository: Path) -> None:
    """Staged, unstaged, untracked and deleted files count; ignored ones do not."""
    head = git(repository, "rev-parse", "HEAD")
    write(repository, {"c.yaml": "c: 1\n", ".gitignore": "ignored.yaml\n"})
    commit_all(repository)
    head = git(repository, "rev-parse", "HEAD")
    write(
        repository,
        {"a.yaml": "a: 2\n", "new/d.yaml": "d: 1\n", "ignored.yaml": "x: 1\n", "staged.yaml": "s: 1\n"},
    )
    git(repository, "add", "staged.yaml")
    (repository / "c.yaml").unlink()
    with open_trees(repository) as (base, work):
        assert (base.name, work.name) == (head, str(repository))
        assert content(base) == {
            ".gitignore": "ignored.yaml\n",
            "a.yaml": "a: 1\n",
            "c.yaml": "c: 1\n",
            "deep/b.yaml": "b: 1\n",
        }
        assert content(work) == {
            ".gitignore": "ignored.yaml\n",
            "a.yaml": "a: 2\n",
            "deep/b.yaml": "b: 1\n",
            "new/d.yaml": "d: 1\n",
            "staged.yaml": "s: 1\n",
        }
        assert work.paths()["deep/b.yaml"] == base.paths()["deep/b.yaml"]


def test_a_file_only_touched_is_unchanged(repository: Path) -> None:
    """Its content decides, not its date."""
    os.utime(repository / "a.yaml", (1, 1))
    with open_trees(repository / "deep") as (base, work):
        assert base.paths() == work.paths()


def test_a_base_alone_means_its_merge_base_with_head(repository: Path) -> None:
    """What happened on the base's branch since is not this change's doing."""
    fork = git(repository, "rev-parse", "HEAD")
    git(repository, "switch", "--quiet", "-c", "feature")
    write(repository, {"feature.yaml": "f: 1\n"})
    commit_all(repository)
    git(repository, "switch", "--quiet", "main")
    write(repository, {"later.yaml": "l: 1\n"})
    main = commit_all(repository)
    git(repository, "switch", "--quiet", "feature")
    write(repository, {"uncommitted.yaml": "u: 1\n"})
    with open_trees(repository, "main") as (base, work):
        assert base.name == fork
        assert work.paths().keys() - base.paths().keys() == {"feature.yaml", "uncommitted.yaml"}
    with open_trees(repository, "main", "feature") as (base, head):
        assert base.name == main
        assert head.paths().keys() ^ base.paths().keys() == {"feature.yaml", "later.yaml"}


def test_a_bare_repository_has_revisions_and_no_working_tree(repository: Path, tmp_path: Path) -> None:
    """Servers keep bare clones."""
    git(repository, "branch", "other")
    git(tmp_path, "clone", "--quiet", "--bare", str(repository), "bare.git")
    with open_trees(tmp_path / "bare.git", "main", "other") as (base, head):
        assert content(base) == content(head) == {"a.yaml": "a: 1\n", "deep/b.yaml": "b: 1\n"}
    with pytest.raises(UserError, match="no working tree"), open_trees(tmp_path / "bare.git"):
        pass


@pytest.mark.parametrize(
    "revision", ["nothing", "--help", "--output=x", "", "a\0b", "$(touch pwned)", "HEAD:a.yaml", "a b\nc"]
)
def test_an_unknown_revision_is_told_in_one_line(repository: Path, revision: str) -> None:
    """Options, commands and blobs are no revisions either."""
    opened = Git(repository)
    with pytest.raises(UserError, match="has no revision") as caught:
        commit(opened, revision)
    assert "\n" not in str(caught.value)
    assert not (repository / "pwned").exists()
    assert not (repository / "x").exists()


def test_a_branch_may_be_called_like_a_command(repository: Path) -> None:
    """There is no shell to run it."""
    git(repository, "branch", "$(id)")
    with open_trees(repository, "$(id)", "HEAD") as (base, head):
        assert base.name == head.name


def test_histories_that_share_nothing_have_no_merge_base(repository: Path) -> None:
    """A shallow clone is the usual reason."""
    git(repository, "switch", "--quiet", "--orphan", "other")
    commit_all(repository)
    with pytest.raises(UserError, match="share no history"), open_trees(repository, "main"):
        pass


def test_what_is_no_repository_is_told(tmp_path: Path) -> None:
    """With the way out."""
    with pytest.raises(UserError, match="--base-dir"), open_trees(tmp_path):
        pass
    with pytest.raises(UserError, match="not a folder"), open_trees(tmp_path / "gone"):
        pass
    git(tmp_path, "init", "--quiet")
    with pytest.raises(UserError, match="has no commit yet"), open_trees(tmp_path):
        pass


def test_any_file_name_is_read(repository: Path) -> None:
    """Quotes, line ends, markup, wildcards and bytes that are no text."""
    names = [
        "`x` | <img>.yaml",
        "a\nb.yaml",
        '"quoted".yaml',
        "*.yaml",
        ":(glob)x.yaml",
        "-x.yaml",
        "ü\u202e.yaml",
    ]
    for name in [*map(os.fsencode, names), b"\xff.yaml"]:
        Path(os.fsdecode(os.path.join(os.fsencode(repository), name))).write_text("x: 1\n")  # noqa: PTH118 - bytes
    with open_trees(repository) as (base, work):
        assert work.paths().keys() - base.paths().keys() == {*names, "\udcff.yaml"}
        assert set(content(work).values()) == {"a: 1\n", "b: 1\n", "x: 1\n"}
    commit_all(repository)
    with open_trees(repository) as (base, work):
        assert base.paths() == work.paths()
        assert content(base)["\udcff.yaml"] == "x: 1\n"


def test_symlinks_submodules_and_nested_repositories_are_skipped_and_listed(
    repository: Path, tmp_path: Path
) -> None:
    """Nothing outside the tree is ever read."""
    secret = tmp_path / "secret"
    secret.write_text("s: 1\n")
    (repository / "link.yaml").symlink_to(secret)
    (repository / "folder").symlink_to(tmp_path)
    git(repository, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},module")
    git(repository, "add", "link.yaml")
    git(repository, "commit", "--quiet", "-m", "links")
    inner = repository / "inner"
    inner.mkdir()
    git(inner, "init", "--quiet")
    write(inner, {"x.yaml": "x: 1\n"})
    commit_all(inner)
    (repository / "a.yaml").unlink()
    (repository / "a.yaml").symlink_to(secret)
    with open_trees(repository) as (base, work):
        assert set(base.skipped) == {
            SkippedPath("link.yaml", "a symlink"),
            SkippedPath("module", "a submodule"),
        }
        assert set(work.skipped) == {
            *base.skipped,
            SkippedPath("a.yaml", "a symlink"),
            SkippedPath("folder", "a symlink"),
            SkippedPath("inner/", "a repository of its own"),
        }
        assert content(work) == {"deep/b.yaml": "b: 1\n"}


def test_paths_that_leave_the_tree_are_skipped(repository: Path) -> None:
    """Git itself writes none, but anybody can push a hand-made tree object."""
    blob = git(repository, "rev-parse", "HEAD:a.yaml")
    inner = git(repository, "mktree", data=f"100644 blob {blob}\tpasswd\n".encode())
    tree = git(repository, "mktree", data=f"040000 tree {inner}\t..\n100644 blob {blob}\tok.yaml\n".encode())
    made = git(repository, "commit-tree", tree, "-m", "evil")
    with open_trees(repository, "HEAD", made) as (_, head):
        assert list(head.paths()) == ["ok.yaml"]
        assert list(head.skipped) == [SkippedPath("../passwd", "a path that leaves the tree")]


def test_nothing_in_a_repository_is_run(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Monitors, filters, hooks and `GIT_*` variables are all able to start programs, or to lead elsewhere."""
    pwned = repository / "pwned"
    program = repository / "program"
    program.write_text(f"#!/bin/sh\ntouch {pwned}\ncat\n")
    program.chmod(0o755)
    write(repository, {".gitattributes": "*.yaml filter=evil diff=evil\n"})
    commit_all(repository)
    for key in ("core.fsmonitor", "filter.evil.clean", "filter.evil.smudge", "diff.evil.textconv"):
        git(repository, "config", key, str(program))
    git(repository, "config", "filter.evil.process", str(program))
    git(repository, "config", "filter.evil.required", "true")
    for hook in ("post-index-change", "post-checkout", "reference-transaction"):
        (repository / ".git/hooks" / hook).write_bytes(program.read_bytes())
        (repository / ".git/hooks" / hook).chmod(0o755)
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(program))
    write(repository, {"a.yaml": "a: 2\n", "deep/b.yaml": "b: 1\n", "new.yaml": "n: 1\n"})
    with open_trees(repository) as (base, work):
        assert content(base)["a.yaml"] == "a: 1\n"
        assert content(work)["a.yaml"] == "a: 2\n"
    assert not pwned.exists()


def test_a_missing_object_is_an_outside_error(repository: Path) -> None:
    """A partial clone lacks objects, and nothing may fetch them silently."""
    blob = git(repository, "rev-parse", "HEAD:a.yaml")
    (repository / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with open_trees(repository, "HEAD", "HEAD") as (base, _), pytest.raises(OutsideError, match="missing"):
        content(base)


def test_a_missing_object_is_not_asked_for_elsewhere(repository: Path) -> None:
    """Git would start the remote's program by itself to get it."""
    pwned = repository / "pwned"
    for key, value in {
        "core.repositoryFormatVersion": "1", "extensions.partialClone": "origin", "remote.origin.promisor": "true",
        "remote.origin.url": f"ext::touch {pwned}", "protocol.ext.allow": "always",
    }.items():  # fmt: skip
        git(repository, "config", key, value)
    blob = git(repository, "rev-parse", "HEAD:a.yaml")
    (repository / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with open_trees(repository, "HEAD", "HEAD") as (base, _), pytest.raises(OutsideError):
        content(base)
    assert not pwned.exists()


def test_what_stands_in_an_objects_place_does_not_count(repository: Path) -> None:
    """`git replace` shows one commit's files under another one's id."""
    shown = commit(Git(repository), "HEAD")
    write(repository, {"a.yaml": "a: another\n"})
    git(repository, "replace", shown, commit_all(repository))
    with open_trees(repository, shown, shown) as (base, _):
        assert content(base)["a.yaml"] == "a: 1\n"


def test_a_large_file_is_cut_off_and_the_next_one_is_whole(repository: Path) -> None:
    """One byte more than is ever read is enough to see that it is too large."""
    write(repository, {"large.yaml": "x" * 10_100_000, "z.yaml": "z: 1\n"})
    commit_all(repository)
    with open_trees(repository, "HEAD", "HEAD") as (base, _):
        found = content(base)
    assert (len(found["large.yaml"]), found["z.yaml"]) == (10_000_001, "z: 1\n")


def test_an_iterator_left_half_way_spoils_nothing(repository: Path) -> None:
    """The process that answers is shared by all readers."""
    with open_trees(repository, "HEAD", "HEAD") as (base, head):
        assert next(base.read(["a.yaml", "deep/b.yaml"])) == ("a.yaml", b"a: 1\n")
        assert content(head) == {"a.yaml": "a: 1\n", "deep/b.yaml": "b: 1\n"}


def test_six_thousand_files_are_listed_and_read_quickly(repository: Path) -> None:
    """Large GitOps repositories have as many."""
    write(repository, {f"apps/{number % 50}/{number}.yaml": f"a: {number}\n" for number in range(6000)})
    commit_all(repository)
    write(repository, {"apps/7/7.yaml": "a: changed\n"})
    opened = Git(repository)
    begin = time.perf_counter()
    base, work = RevisionTree(opened, commit(opened, "HEAD")), WorkingTree(opened)
    assert len(content(base)) == len(content(work)) == 6002
    assert time.perf_counter() - begin < 15
    opened.close()


def folders_in_folders(repository: Path, innermost: str, levels: int) -> str:
    """A commit whose every folder holds the next one ten times: a few objects, and 10 ** levels paths."""
    tree = innermost
    for _ in range(levels):
        listed = "".join(f"040000 tree {tree}\td{number}\n" for number in range(10))
        tree = git(repository, "mktree", data=listed.encode())
    return git(repository, "commit-tree", tree, "-m", "many")


def test_more_files_than_memory_holds_are_not_listed(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody can push them in a kilobyte; what they cost is known before it is spent."""
    monkeypatch.setattr("bot.adapters.git_commands.MOST_LISTED", 100_000)
    many = folders_in_folders(repository, git(repository, "rev-parse", "HEAD^{tree}"), 5)
    opened = Git(repository)

    with pytest.raises(UserError, match="has more files than can be looked at"):
        RevisionTree(opened, many)
    assert len(RevisionTree(opened, commit(opened, "HEAD")).paths()) == 2


def test_folders_without_files_do_not_keep_us_for_ever(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git goes through all of them, and prints nothing."""
    empty = git(repository, "hash-object", "-w", "-t", "tree", "/dev/null")
    many = folders_in_folders(repository, empty, 30)
    opened = Git(repository)
    monkeypatch.setattr("bot.adapters.git_commands._SECONDS", 0.5)

    with pytest.raises(UserError, match="has more files than can be looked at"):
        RevisionTree(opened, many)


def test_few_contents_are_in_memory_at_once(repository: Path) -> None:
    """A hundred files of ten megabytes each are a pull request of a hundred kilobytes."""
    write(repository, {f"{number}.yaml": f"# {number}\n" + "# x\n" * 250_000 for number in range(100)})
    commit_all(repository)
    opened = Git(repository)
    tree = RevisionTree(opened, commit(opened, "HEAD"))
    tracemalloc.start()
    try:
        assert sum(len(data) for _, data in tree.read(tree.paths())) > 100_000_000
        assert tracemalloc.get_traced_memory()[1] < 40_000_000
    finally:
        tracemalloc.stop()
    opened.close()


def test_the_addresses_of_the_remotes_are_known(repository: Path) -> None:
    """Argo CD and Flux name the repository by one of them."""
    git(repository, "remote", "add", "origin", "git@example.org:team/apps.git")
    assert remote_urls(Git(repository)) == ("git@example.org:team/apps.git",)
