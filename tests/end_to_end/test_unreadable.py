"""What may not be read is not known: it is never told as removed, with its cost saved."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.commands import process
from tests.end_to_end.repositories import Repository, deployment

_ALL = "-dac_override,-dac_read_search"
AS_PEOPLE = ("setpriv", f"--bounding-set={_ALL}", f"--inh-caps={_ALL}") if os.geteuid() == 0 else ()
"""Without root's right to read everything."""
FILES = {
    "apps/api.yaml": deployment(replicas=4),
    "overlay/kustomization.yaml": "resources: [web.yaml]\n",
    "overlay/web.yaml": deployment("web", replicas=4),
}


@pytest.fixture(params=["apps", "apps/api.yaml", "overlay", "overlay/web.yaml"])
def hidden(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A repository whose working tree has this path that nobody may read, beside it a folder as it was."""
    repository = Repository(tmp_path / "now")
    repository.commit(FILES)
    Repository(tmp_path / "before").commit(FILES)
    path = repository.folder / request.param
    mode = path.stat().st_mode
    path.chmod(0)
    yield request.param
    path.chmod(mode)


@pytest.mark.parametrize(
    "sides", ["--base-dir before --head-dir now", "HEAD --repo now"], ids=["folders", "working tree"]
)
def test_what_may_not_be_read_is_not_removed(hidden: str, tmp_path: Path, sides: str) -> None:
    """It is named with the reason, and no amount is told."""
    ran = process("diff", *sides.split(), cwd=tmp_path, before=AS_PEOPLE)

    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith("Cost not known")
    assert f"- {hidden}" in ran.out
    assert "not read: Permission denied" in ran.out


def test_a_locked_place_for_a_snapshot_is_said(tmp_path: Path) -> None:
    """Before anybody is asked."""
    locked = tmp_path / "locked"
    locked.mkdir(mode=0)
    export = ("usage", "export", "--prometheus", "http://127.0.0.1:1", "--output", locked / "usage.json")
    complaint = process(*export, before=AS_PEOPLE).complaint
    locked.chmod(0o700)

    assert f"--output {locked / 'usage.json'}: cannot be written: Permission denied" in complaint


def test_a_locked_database_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line."""
    locked = tmp_path / "locked"
    locked.mkdir(mode=0)
    monkeypatch.setenv("TUPPENCE_DATABASE_URL", f"sqlite:///{locked}/tuppence.db")
    complaint = process("audit", "verify", before=AS_PEOPLE).complaint
    locked.chmod(0o700)

    assert "tuppence.db cannot be used: " in complaint
