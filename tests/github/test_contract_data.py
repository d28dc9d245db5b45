"""How GitHub's description comes here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.github import contract, contract_data
from tests.github.contract_data import ContractMissingError


def test_without_the_data_a_test_says_what_to_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And without npm, what to install."""
    monkeypatch.setattr(contract_data, "KEPT", tmp_path)
    with pytest.raises(ContractMissingError, match=r"python -m tests\.github\.contract_data"):
        contract_data.read("openapi.json")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ContractMissingError, match=r"install Node\.js"):
        contract_data.bring()


def test_the_data_is_brought_once() -> None:
    """With it here, neither npm nor a network is asked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", "")
        assert contract_data.bring() == contract_data.folder()


def test_every_package_is_pinned_by_its_digest_and_by_no_address() -> None:
    """So that any registry will do."""
    packages = json.loads(contract_data.LOCK.read_text("utf-8"))["packages"]
    del packages[""]
    assert packages
    assert all("integrity" in package and "resolved" not in package for package in packages.values())


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/repos/o/r/contents/a/b.yaml", "/repos/{owner}/{repo}/contents/{path}"),
        ("/repos/o/r/commits/feature/x", "/repos/{owner}/{repo}/commits/{ref}"),
        ("/repos/o/r/commits/feature/x/check-runs", "/repos/{owner}/{repo}/commits/{ref}/check-runs"),
        ("/repos/o/r/issues/comments/7", "/repos/{owner}/{repo}/issues/comments/{comment_id}"),
    ],
)
def test_a_path_belongs_to_the_most_exact_template(path: str, key: str) -> None:
    """Although a branch's name and a file's path may hold slashes."""
    found = contract.find("GET", path)
    assert found is not None
    assert found[0].template == key
