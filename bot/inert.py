"""Text written by strangers, made harmless before people read it.

Names, paths, labels and messages may come from a pull request. Nothing here trusts them to be one
line, visible, or free of Markdown, HTML, mentions and terminal codes.
"""

from __future__ import annotations

import html
import re
from urllib.parse import quote

_LONGEST = 300
"""Characters of one text: enough for a sentence, too few to push the rest of a report off the page."""

_LONGEST_PIECE = 20

_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\ud800-\udfff\ufdd0-\ufdef\ufeff\ufff9-\ufffb\ufffe\uffff\U000110bd\U000110cd"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Unicode's control, format and surrogate characters: bidi tricks, zero-width letters, escape codes."""

_HARMLESS = re.compile(r"[A-Za-z(+\u2212][A-Za-z0-9 .,;()/%+\u00b7\u00d7\u2026\u2192\u2212-]*")
"""What most texts are made of; they need no escaping, unless a rule below looks at whole words."""
_NO_BREAK = "\u200b"
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;", "|": "&#124;", "$": "<span>$</span>"}
"""GitHub's documentation asks for the span where a dollar sign is not to begin a formula."""
_LINE_START = re.compile(r"^()([-+=#])(?=\2|\s|$)|^([0-9]{1,9})([.)])(?=\s|$)")
"""A list, a heading or a rule, if the text came to stand first on its line."""
_SPECIAL = re.compile(
    r"(?P<flag>(?<!\S)--(?-i:[a-z][a-z-]*(?: [A-Z]{2,})?)(?![\w-]))"
    r"|(?P<keep> → |(?<=[0-9]) (?=%)|(?<=\*) | (?=\*))"
    r"|(?P<escape>[\\`*_~\[\]])"
    r"|(?P<entity>[<>&|]|\$(?![0-9]))"
    r"|(?P<break>@|\#|:(?=//|[\w+-]+:)|\bwww(?=\.)|\bGH(?=-[0-9]))"
    r"|(?P<commit>\b[0-9a-f]{7,}\b)",
    re.IGNORECASE,
)
_MORE_TO_DO = re.compile(r"www\.|gh-[0-9]|[0-9a-f]{7}|--| → | %", re.IGNORECASE)
_URL_SAFE = ":/?#@!$&'*+,;=%~-._"


class Markdown(str):
    """Text that is Markdown already: made by this module, never by a stranger."""

    __slots__ = ()


def plain(text: str, most: int = _LONGEST) -> str:
    """One visible line of at most `most` characters: white space folded, unseen characters as U+FFFD."""
    line = " ".join(text[: most * 4].split())
    line = _UNSEEN.sub("\ufffd", line)
    return line if len(line) <= most else _cut(line, most - 1) + "…"


def _cut(line: str, most: int) -> str:
    """The beginning of a line, without a piece of a word where that is short."""
    whole, space, piece = line[: most + 1].rpartition(" ")
    return whole.rstrip() if space and len(piece) <= _LONGEST_PIECE else line[:most].rstrip()


def visible(line: str) -> str:
    """A line of a file as it is, but for unseen characters, which are U+FFFD, and tabs, which are spaces."""
    return _UNSEEN.sub("\ufffd", line.expandtabs(4))


def md(text: str, most: int = _LONGEST) -> Markdown:
    """`text` as Markdown that reads as it is written, wherever GitHub shows it: paragraph, list or table.

    No emphasis, link, image, HTML, table border or formula comes out of it, and GitHub makes no
    mention, reference or emoji of it: a zero-width space stands where one would begin. Flags such as
    `--usage FILE` become code; an arrow keeps to both its sides, a percent sign to its number, and the
    stars of a cron schedule to each other.
    """
    if isinstance(text, Markdown):
        return text
    if len(text) <= most and _HARMLESS.fullmatch(text) and not _MORE_TO_DO.search(text):
        return Markdown(" ".join(text.split()))
    line = _SPECIAL.sub(_escape, plain(html.unescape(text[: most * 8]), most))
    return Markdown(_LINE_START.sub(r"\1\3\\\2\4", line))


def _escape(match: re.Match[str]) -> str:
    found = match[0]
    if match["flag"]:
        return code(found)
    if match["keep"]:
        return found.replace(" ", "\xa0")
    if match["escape"]:
        return "\\" + found
    if match["commit"]:
        return _NO_BREAK.join(found[at : at + 6] for at in range(0, len(found), 6))
    if match["entity"]:
        return _ENTITIES[found]
    return found + _NO_BREAK


def code(text: str, most: int = 100) -> Markdown:
    """`text` as a code span, where GitHub looks for nothing. A backtick would end it, a pipe its cell."""
    line = plain(text, most).replace("`", "'").replace("|", "¦")
    return Markdown(f"`{line}`" if line else "")


def unbroken(text: str) -> Markdown:
    """`text` as Markdown that stays on one line, also between a minus and its dollar sign."""
    return Markdown(md(text).replace(" ", "\xa0").replace("\u2212", "\u2212\u2060").replace("…", "…\u2060"))


def phrases(text: str, least: int = 9) -> Markdown:
    """`text` as Markdown whose lines are at least `least` characters long where a column is narrow.

    On a telephone, GitHub gives a table's last column the width of its longest word: a sentence
    becomes a tower. Code stays as it is.
    """
    glued, line = "", 0
    for part in re.split(r"(`[^`]*`| )", md(text)):
        if part == " ":
            glued += "\xa0" if line < least else part
            line = line + 1 if line < least else 0
        else:
            glued, line = glued + part, line + len(part)
    return Markdown(glued)


def address(url: str, most: int = 1000) -> str:
    """`url` with everything encoded that could end it early; `""` where it is no web page or too long."""
    if not url.startswith(("https://", "http://")):
        return ""
    encoded = quote(url.encode("utf-8", "replace"), safe=_URL_SAFE)
    return encoded if len(encoded) <= most else ""


def link(label: Markdown, url: str) -> Markdown:
    """`label` linked to `url`, or alone where that is no address to link to."""
    target = address(url)
    return Markdown(f"[{label}]({target})") if label and target else label
