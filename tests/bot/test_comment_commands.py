"""Which words in a comment are a command, and what the documentation says of each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.comment_commands import COMMANDS, Asked, read_command


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        pytest.param("/tuppence recheck", Asked("recheck"), id="the whole comment"),
        pytest.param(
            "Hm.\r\n\r\n /Tuppence  APPROVE 4f2c9ab\r\nbye", Asked("approve", "4f2c9ab"), id="a line"
        ),
        pytest.param("/tuppence reject too  dear", Asked("reject", "too dear"), id="several words"),
        pytest.param("/tuppence", Asked("help"), id="nothing more"),
        pytest.param("/tuppence recheck now", Asked("recheck"), id="words that are not needed"),
        pytest.param("/tuppence help\n/tuppence recheck", Asked("help"), id="the first counts"),
        pytest.param("```\ncode\n```\n/tuppence help", Asked("help"), id="after a code block"),
    ],
)
def test_a_command_is_the_first_word_of_a_line(text: str, asked: Asked) -> None:
    """With what it needs behind it."""
    assert read_command(text) == asked


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("please /tuppence recheck", id="in a sentence"),
        pytest.param("/tuppencerecheck", id="another word"),
        pytest.param("> /tuppence recheck", id="quoted"),
        pytest.param("> Thanks\n/tuppence recheck", id="quoted to the paragraph's end"),
        *(
            pytest.param(f"> Thanks{end}/tuppence recheck\n\nNo.", id=f"quoted with U+{ord(end):04X} within")
            for end in "\v\f\x1c\x1d\x1e\x85\u2028\u2029\r"
        ),
        pytest.param("```\n/tuppence recheck\n```", id="code"),
        pytest.param("~~~~ sh\n```\n~~~\n/tuppence recheck", id="code that never ends"),
        pytest.param("    /tuppence recheck", id="indented code"),
        pytest.param("`/tuppence recheck`", id="a code span"),
        pytest.param("<!--\n/tuppence recheck\n-->", id="not shown"),
        pytest.param("", id="empty"),
    ],
)
def test_what_is_quoted_or_shown_as_code_commands_nothing(text: str) -> None:
    """Nor what nobody sees."""
    assert read_command(text) is None


def test_an_argument_has_an_end() -> None:
    """A reason is kept for as long as the audit trail."""
    asked = read_command(f"/tuppence reject {'x' * 5_000}")
    assert asked is not None
    assert asked.argument == "x" * 300


@pytest.mark.parametrize(
    "text", ["/tuppence approve", "/tuppence explain", "/tuppence reject", "/tuppence dance"]
)
def test_a_command_that_is_not_whole_says_what_is_missing(text: str) -> None:
    """It is not carried out."""
    asked = read_command(text)
    assert asked is not None
    assert asked.problem


@given(st.text(alphabet=st.sampled_from("/tuppence aprov\n\r`~> \t<!-\u2028\x85"), max_size=200))
def test_nothing_that_is_written_breaks_the_reader(text: str) -> None:
    """And what it finds is a command of the table."""
    asked = read_command(text)
    assert asked is None or asked.name in {command.name for command in COMMANDS}
