"""Marks that only we can make."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.signed_marker import Markers, short_name

OURS = Markers(["secret"])
WORDS = st.lists(st.from_regex(r"[A-Za-z0-9_.]{1,40}", fullmatch=True), min_size=1, max_size=5)


@given(WORDS, st.text(max_size=50), st.text(max_size=50))
def test_a_mark_is_read_as_it_was_written(words: list[str], before: str, after: str) -> None:
    """Wherever it stands in a text."""
    assert OURS.read("comment", before + OURS.write("comment", *words) + after) == words


@given(WORDS, st.integers(0), st.characters())
def test_no_changed_mark_is_believed(words: list[str], at: int, other: str) -> None:
    """Not a single character of it."""
    mark = OURS.write("comment", *words)
    at %= len(mark)
    changed = mark[:at] + other + mark[at + 1 :]
    assert changed == mark or OURS.read("comment", changed) is None


def test_marks_of_other_secrets_and_kinds_are_not_ours() -> None:
    """An older secret of ours still counts."""
    mark = OURS.write("comment", 1)
    assert Markers(["other"]).read("comment", mark) is None
    assert OURS.read("reply", mark) is None
    assert OURS.read("reply", mark.replace("comment", "reply")) is None
    assert Markers(["new", "secret"]).read("comment", mark) == ["1"]


@pytest.mark.parametrize("word", ["-->", "a b", "", "ü", "a\n", "<"])
def test_only_plain_words_are_written(word: str) -> None:
    """Nothing can end the HTML comment early."""
    with pytest.raises(ValueError, match="cannot say"):
        OURS.write("comment", word)


@given(st.text())
def test_any_text_has_a_plain_short_name(text: str) -> None:
    """Lone surrogates and all."""
    assert OURS.read("reply", OURS.write("reply", short_name(text + "\ud800"))) is not None


def test_a_seal_holds_for_what_it_was_made_of() -> None:
    """Of either secret, and of these words in this order alone."""
    seal = Markers(["old"]).seal("commit", 7, "tree", "parent")
    both = Markers(["new", "old"])
    assert both.is_seal(seal, "commit", 7, "tree", "parent")
    assert not both.is_seal(seal, "commit", 7, "parent", "tree")
    assert not both.is_seal(seal, "closed", 7, "tree", "parent")
    assert not both.is_seal("", "commit", 7, "tree", "parent")
    assert not Markers(["new"]).is_seal(seal, "commit", 7, "tree", "parent")
