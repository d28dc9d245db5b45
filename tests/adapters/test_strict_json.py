"""JSON of strangers: whatever the bytes are, the answer is one line that says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.adapters import usage_file
from bot.errors import UserError

NOT_JSON = [
    ("nothing", b"", ":1:1: is not JSON"),
    ("a page", b"<html>", ":1:1: is not JSON"),
    ("half a file", b'{"schema":\n "tuppence', ":2:2: is not JSON"),
    ("no text", b"\x80\x81\x82\x83", "is not valid UTF-8 text"),
    ("a list", b"[]", "the document: expected an object"),
    ("a key twice", b'{"schema": 1, "schema": 2}', 'the key "schema" stands twice'),
    ("5,000 digits", b'{"schema": ' + b"9" * 5000 + b"}", "Exceeds the limit"),
    ("100,000 deep", b"[" * 100_000, "is nested too deeply"),
    ("half a surrogate pair", rb'{"schema": "\ud800"}', "is not valid UTF-8 text"),
]


@pytest.mark.parametrize(("content", "words"), [pytest.param(*row[1:], id=row[0]) for row in NOT_JSON])
def test_a_file_that_is_no_snapshot_is_refused_in_one_line(
    content: bytes, words: str, tmp_path: Path
) -> None:
    """Whatever the bytes are, the answer is a UserError and quick."""
    path = tmp_path / "usage.json"
    path.write_bytes(content)
    with pytest.raises(UserError) as refusal:
        usage_file.read_snapshot(path)
    assert words in str(refusal.value)
    assert len(str(refusal.value)) < 300


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A wrong path gives the path."""
    with pytest.raises(UserError, match=r"nowhere\.json: cannot be read: No such file"):
        usage_file.read_snapshot(tmp_path / "nowhere.json")


def test_an_endless_file_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The size is limited while reading, since a pipe has no size beforehand."""
    monkeypatch.setattr(usage_file, "_MOST_BYTES", 2**20)
    path = tmp_path / "usage.json"
    path.write_bytes(b" " * 2**21)
    with pytest.raises(
        UserError, match=r"is larger than 1 MiB; export one --namespace or a shorter --window"
    ):
        usage_file.read_snapshot(path)
