"""The locks pin what pyproject.toml asks for, and `.ci/run` tells the truth."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RUNTIME = PROJECT["project"]["dependencies"]
DEVELOPMENT = [
    *RUNTIME,
    *PROJECT["dependency-groups"]["dev"],
    *(one for extra in PROJECT["project"]["optional-dependencies"].values() for one in extra),
]
LOCKS = (
    "requirements.lock",
    "requirements-dev.lock",
    "requirements-image.lock",
    "requirements-kustomize.lock",
)


def pins(lock: str) -> dict[str, str]:
    """Versions by normalised name."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    return {
        canonicalize_name(name): version
        for name, version in re.findall(r"^([\w.-]+)==([^\s\\]+)", text, re.MULTILINE)
    }


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [pytest.param(LOCKS[0], RUNTIME, id="runtime"), pytest.param(LOCKS[1], DEVELOPMENT, id="development")],
)
def test_a_lock_pins_what_the_project_asks_for(lock: str, wanted: list[str]) -> None:
    """`make lock` mends it."""
    pinned = pins(lock)
    for requirement in map(Requirement, wanted):
        version = pinned.get(canonicalize_name(requirement.name))
        assert version is not None, requirement.name
        assert version in requirement.specifier, requirement.name


def test_tests_run_with_the_versions_that_users_get() -> None:
    """Both locks pin the same."""
    runtime, development = pins(LOCKS[0]), pins(LOCKS[1])
    assert {name: development[name] for name in runtime} == runtime


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_hashes_and_no_address(lock: str) -> None:
    """Whichever registry or mirror the files come from, they are the same files."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    entries = re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]
    assert len(entries) == len(pins(lock)) > 0
    assert all("--hash=sha256:" in entry for entry in entries)


FAKE_MAKE = """#!/bin/sh
for target; do :; done
case " $FAILING " in *" $target "*) echo "$target went wrong"; failed=1 ;; esac
[ "$target" = test ] && echo "===== ${failed:+1 failed, }2 passed in 0.10s ====="
exit ${failed:-0}
"""


@pytest.mark.parametrize(
    ("failing", "status", "said"),
    [
        pytest.param("", 0, "===== 2 passed in 0.10s =====", id="all is well"),
        pytest.param("check", 1, "===== 2 passed in 0.10s =====", id="lint fails"),
        pytest.param("wheel", 1, "===== 2 passed in 0.10s =====", id="the wheel fails"),
        pytest.param("test", 1, "===== 1 failed, 2 passed in 0.10s =====", id="a test fails"),
    ],
)
def test_ci_ends_with_the_tests_closing_line_and_the_right_status(
    tmp_path: Path, failing: str, status: int, said: str
) -> None:
    """Every stage runs whatever failed before it, and no failure is lost."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci" / "run")
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "make").write_text(FAKE_MAKE)
    (programs / "make").chmod(0o755)
    done = subprocess.run(
        ["bash", tmp_path / ".ci" / "run"],
        env={"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "FAILING": failing},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status
    assert done.stdout.splitlines()[-1] == said
    assert (f"FAILED: {failing}\n" in done.stdout) is bool(failing)
    assert all(f"\n== {stage}\n" in done.stdout for stage in ("install", "check", "wheel", "test"))
