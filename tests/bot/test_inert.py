"""Strangers' text."""

import html
import sys
import unicodedata

import pytest
from hypothesis import given, settings

from bot.inert import Markdown, address, code, link, md, phrases, plain, unbroken
from tests.bot import github_markdown as github
from tests.bot.strangers import NASTY, texts


def test_every_control_and_format_character_is_made_visible() -> None:
    """Unicode's categories Cc, Cf and Cs, whatever they hold in this Python's version."""
    unseen = [
        chr(code) for code in range(sys.maxunicode) if unicodedata.category(chr(code)) in {"Cc", "Cf", "Cs"}
    ]
    left = [character for character in unseen if character in plain(f"a{character}b")]

    assert left == []


@pytest.mark.parametrize("text", NASTY, ids=ascii)
@pytest.mark.parametrize("place", ["{}", "* {}\n", "word {} word", "| {} | b |\n|---|---|\n| {} | d |"])
def test_no_markdown_comes_out_of_a_text(text: str, place: str) -> None:
    """First on a line, in a list, in a sentence and in a table, it stays the text it is."""
    shown = place.replace("{}", md(text))

    assert github.addresses(shown) == []
    assert github.foreign_html(shown) == []
    assert github.noticed(shown) == []
    assert github.uneven_tables(shown) == []
    assert not github.block_types(shown) & {
        "heading_open",
        "hr",
        "fence",
        "code_block",
        "blockquote_open",
        "ordered_list_open",
    }


@settings(deadline=None)
@given(texts)
def test_a_reader_sees_what_was_written(text: str) -> None:
    """Less the characters nobody sees, with entities read and the spaces that keep GitHub from acting."""
    spans = [token.content for token in github.inline(f"word {md(text)}") if token.type != "html_inline"]
    read = "".join(spans).replace("\u200b", "").replace("\xa0", " ").removeprefix("word").strip()

    assert read == plain(html.unescape(text[:2400]))


@settings(deadline=None)
@given(texts)
def test_a_code_span_holds_its_text(text: str) -> None:
    """It neither ends early nor takes in what follows."""
    spans = [token for token in github.inline(f"{code(text)} after") if token.type == "code_inline"]

    assert [span.content for span in spans] == ([code(text)[1:-1]] if code(text) else [])


@settings(deadline=None)
@given(texts)
def test_a_link_leads_where_it_says(text: str) -> None:
    """Whatever stands in a path, the link neither ends early nor leads elsewhere."""
    shown = link(code("x"), f"https://github.example/{text}")

    assert all(item.startswith("https://github.example/") for item in github.addresses(shown))
    assert "|" not in shown


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "", "https://x/" + "a" * 2000]
)
def test_only_web_pages_are_linked_to(url: str) -> None:
    """And only with addresses short enough to carry."""
    assert address(url) == ""
    assert link(code("x"), url) == "`x`"


def test_what_is_markdown_already_stays() -> None:
    """Escaping twice would show the escapes."""
    assert md(Markdown("**x**")) == "**x**"


@pytest.mark.parametrize(
    ("text", "shown"),
    [("add --usage FILE or --kube-context NAME", "add `--usage FILE` or `--kube-context NAME`"), ("70 % → 50 %", "70\xa0%\xa0→\xa050\xa0%"),
     ("a\n b\tc", "a b c"), ("saves $14", "saves $14"), ("3.5 pods", "3.5 pods"), ("snake_case", "snake\\_case"),
     ("15 */2 * * *", "15\xa0\\*/2\xa0\\*\xa0\\*\xa0\\*")],
)  # fmt: skip
def test_plain_sentences_stay_readable(text: str, shown: str) -> None:
    """No escape where none is needed; flags are code, and arrows keep to their sides."""
    assert md(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("not known here", "not…"),
        ("not known here, by far", "not…"),
        ("not known ", "not known"),
        ("a" * 30, "aaaaaaaa…"),
        ("known here", "known…"),
    ],
)
def test_a_text_is_cut_between_words(text: str, shown: str) -> None:
    """At most nine characters here; in a word only where it is all there is."""
    assert plain(text, 9) == shown


def test_an_amount_stays_on_one_line() -> None:
    """A browser would break between a minus and a dollar sign; word joiners keep them together."""
    assert (
        unbroken("\u2212$6.52…\u2212$0.87 or so") == "\u2212\u2060$6.52…\u2060\u2212\u2060$0.87\xa0or\xa0so"
    )


def test_a_sentence_in_a_narrow_column_breaks_into_phrases() -> None:
    """Not into words; what somebody may copy out of a code span keeps its own space."""
    told = phrases("no nodes are known yet: add --prometheus URL to see them")

    assert told.split(" ") == [
        "no\xa0nodes\xa0are",
        "known\xa0yet:",
        "add\xa0`--prometheus",
        "URL`",
        "to\xa0see\xa0them",
    ]


@settings(deadline=None)
@given(texts)
def test_phrases_say_what_the_text_says(text: str) -> None:
    """Only spaces change."""
    assert phrases(text).replace("\xa0", " ") == md(text).replace("\xa0", " ")
