"""What GitHub would make of a comment: its links, HTML, tables and mentions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

PARSER = MarkdownIt("commonmark", {"html": True, "maxNesting": 100}).enable(["table", "strikethrough"])
NOTICED = re.compile(
    r"(?<![A-Za-z0-9_`/])@[A-Za-z0-9]|(?<![A-Za-z0-9_&])#[0-9]|\bGH-[0-9]|[a-z]+://|\bwww\.|:[\w+-]+:|\$[^$0-9]*\$"
    r"|\b[0-9a-f]{7,40}\b",
    re.IGNORECASE,
)
"""Text in which GitHub would find a mention, a reference, a link, an emoji, a formula or a commit."""
OUR_INLINE = re.compile(r"<br>|</?sub>|</?span>")
OUR_BLOCK = re.compile(
    r"<details><summary>[^<>]*(&lt;[^<>]*)*</summary>\s*|</details>\s*|<sub>.*</sub>\s*", re.DOTALL
)


def inline(text: str) -> Iterator[Token]:
    """Every inline token of the document, images' alternative texts included."""
    for block in PARSER.parse(text):
        for token in block.children or ():
            yield token
            yield from token.children or ()


def addresses(text: str) -> list[str]:
    """Where its links and images lead."""
    found = [token.attrs.get("href") or token.attrs.get("src") for token in inline(text)]
    return [str(item) for item in found if item is not None]


def foreign_html(text: str) -> list[str]:
    """HTML that our templates do not write."""
    blocks = [token.content for token in PARSER.parse(text) if token.type == "html_block"]
    spans = [token.content for token in inline(text) if token.type == "html_inline"]
    return [item for item in blocks if not OUR_BLOCK.fullmatch(item)] + [
        item for item in spans if not OUR_INLINE.fullmatch(item)
    ]


def noticed(text: str) -> list[str]:
    """What GitHub would act on in plain text; it looks into no code and no link."""
    depth = 0
    found: list[str] = []
    for token in inline(text):
        depth += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        if token.type == "text" and not depth:
            found += NOTICED.findall(token.content)
    return found


def open_folds(text: str) -> int:
    """How many folds are opened and not closed, in HTML that is HTML: 0 when all is well."""
    depth = 0
    for token in PARSER.parse(text):
        if token.type == "html_block":
            depth += token.content.count("<details") - token.content.count("</details")
            if depth not in {0, 1}:
                return depth
    return depth


def block_types(text: str) -> set[str]:
    """The kinds of block it holds."""
    return {token.type for token in PARSER.parse(text)}


def uneven_tables(text: str) -> list[str]:
    """Table rows with other than their header's number of borders."""
    uneven, borders = [], 0
    for line in text.splitlines():
        if not line.startswith("|"):
            borders = 0
        elif not borders:
            borders = line.count("|")
        elif line.count("|") != borders:
            uneven.append(line)
    return uneven


def table_lines(text: str) -> int:
    """How many lines are meant as table rows: all but the rules under the headers."""
    return sum(line.startswith("|") and not re.fullmatch(r"[|:-]+", line) for line in text.splitlines())


def rows(text: str) -> int:
    """How many table rows, headers included."""
    return sum(token.type == "tr_open" for token in PARSER.parse(text))
