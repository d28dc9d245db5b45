"""`tuppence audit`, as an auditor runs it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from bot.adapters.records import Records
from bot.records import Decision
from tests.end_to_end.commands import tuppence

DECISION = Decision(
    repository=1,
    number=12,
    head_sha="a" * 40,
    report_hash="r" * 64,
    guardrail="money",
    decision="approve",
    approver_id=583231,
    approver="ann",
    reason="spring sale",
    comment_id=2,
    pull_request="shop/manifests#12",
    at=datetime(2026, 11, 21, 20, 54, 3, tzinfo=UTC),
)
DOCS = Path(__file__).parents[2] / "docs" / "audit.md"


@pytest.fixture
def decided(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Three decisions on two pull requests; the address of where they are kept."""
    monkeypatch.setenv("TUPPENCE_DATABASE_URL", database_url)
    with closing(Records(database_url)) as records:
        records.prepare()
        records.decisions.decide(DECISION)
        later = DECISION.at + timedelta(hours=1)
        bob = replace(DECISION, head_sha="b" * 40, decision="reject", approver="bob", at=later)
        records.decisions.decide(replace(bob, reason="too much\x1b[31m\u202e"))
        records.decisions.decide(replace(DECISION, number=13, pull_request="shop/manifests#13", at=later))
    return database_url


@pytest.mark.parametrize("command", ["list", "verify", "export"])
def test_a_store_that_is_not_there_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """A mistyped address must not pass for a chain that is whole. Nothing is made by looking."""
    monkeypatch.delenv("TUPPENCE_DATABASE_URL", raising=False)
    complaint = tuppence("audit", command, cwd=tmp_path).complaint
    assert complaint.startswith("sqlite:///tuppence.db: tuppence serve has never written there")
    assert "TUPPENCE_DATABASE_URL" in complaint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "said"),
    [("list", "No audit rows.\n"), ("verify", "There are no audit rows.\n"), ("export", "")],
)
def test_a_store_where_nobody_decided_is_empty(
    database_url: str, monkeypatch: pytest.MonkeyPatch, command: str, said: str
) -> None:
    """And whole."""
    monkeypatch.setenv("TUPPENCE_DATABASE_URL", database_url)
    with closing(Records(database_url)) as records:
        records.prepare()
    ran = tuppence("audit", command)
    assert (ran.status, ran.out, ran.err) == (0, said, "")


@pytest.mark.usefixtures("decided")
def test_the_list_shows_who_decided_what() -> None:
    """Oldest first, and nothing in it reaches the terminal as a code."""
    lines = tuppence("audit", "list").out.splitlines()
    assert [line.split()[0] for line in lines] == ["seq", "1", "2", "3"]
    assert re.match(r"1 +2026-11-21 20:54:03Z +ann +approve +shop/manifests#12 +\{.*spring sale", lines[1])
    assert "\x1b" not in "".join(lines)
    assert "\u202e" not in "".join(lines)


@pytest.mark.usefixtures("decided")
@pytest.mark.parametrize(
    ("options", "shown"),
    [
        pytest.param(["--last", "1"], ["3"], id="newest"),
        pytest.param(["--subject", "shop/manifests#12"], ["1", "2"], id="one pull request"),
        pytest.param(["--actor", "ann"], ["1", "3"], id="one person"),
        pytest.param(["--actor", "ann", "--last", "1"], ["3"], id="their newest"),
        pytest.param(["--actor", "nobody"], [], id="none"),
    ],
)
def test_the_list_can_be_narrowed(options: list[str], shown: list[str]) -> None:
    """By subject, by actor, by number."""
    assert [line.split()[0] for line in tuppence("audit", "list", *options).out.splitlines()[1:]] == shown


@pytest.mark.usefixtures("decided")
def test_a_whole_chain_is_said_to_be_whole() -> None:
    """With the hash to keep, and the command that asks for it later."""
    ran = tuppence("audit", "verify")
    assert ran.status == 0
    assert "3 audit rows are whole" in ran.out
    command = ran.out.splitlines()[-1].split()[1:]
    assert tuppence(*command).status == 0
    other = tuppence("audit", "verify", "--noted", "0" * 64)
    assert (other.status, other.out) == (1, f"no row has the hash {'0' * 64}\n")


def test_tampering_is_found(decided: str) -> None:
    """Exit status 1, and a line that names the row."""
    engine = create_engine(decided.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(text("UPDATE audit SET actor = 'mallory' WHERE seq = 2"))
    engine.dispose()
    ran = tuppence("audit", "verify")
    assert (ran.status, ran.out.count("\n")) == (1, 1)
    assert ran.out.startswith("row 2 (reject by mallory on shop/manifests#12) was changed")


@pytest.mark.usefixtures("decided")
def test_an_export_is_checked_by_the_program_in_the_docs(tmp_path: Path) -> None:
    """Whoever gets the file needs no Tuppence."""
    [program] = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    export = tmp_path / "audit.jsonl"
    assert tuppence("audit", "export", "--output", export).out == ""
    assert export.read_text() == tuppence("audit", "export").out
    good = export.read_text()
    rows = [json.loads(line) for line in good.splitlines()]
    assert [row["seq"] for row in rows] == [1, 2, 3]
    assert json.loads(rows[1]["details"])["reason"] == "too much\x1b[31m\u202e"
    bad = [good.replace("ann", "eve"), "".join(good.splitlines(keepends=True)[::2])]
    for content, status in ((good, 0), (bad[0], 1), (bad[1], 1)):
        done = subprocess.run(
            [sys.executable, "-c", program], input=content, text=True, capture_output=True, check=False
        )
        assert done.returncode == status, done.stderr


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        pytest.param("mysql://x/y", "TUPPENCE_DATABASE_URL: mysql is not supported", id="database"),
        pytest.param("postgresql://bot:hunter2@127.0.0.1:1/x", "cannot be used", id="outage"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str, reason: str
) -> None:
    """Exit status 2, and never a password."""
    monkeypatch.setenv("TUPPENCE_DATABASE_URL", url)
    complaint = tuppence("audit", "verify", cwd=tmp_path).complaint
    assert reason in complaint
    assert "hunter2" not in complaint


@pytest.mark.usefixtures("decided")
def test_what_was_noted_must_be_a_hash() -> None:
    """Said with what was given."""
    assert "--noted abc: is not a hash" in tuppence("audit", "verify", "--noted", "abc").complaint


@pytest.mark.usefixtures("decided")
def test_an_export_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """A folder is no file."""
    ran = tuppence("audit", "export", "--output", tmp_path, cwd=tmp_path)
    assert f"--output {tmp_path}: cannot be written" in ran.complaint
