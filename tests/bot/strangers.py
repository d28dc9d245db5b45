"""Reports in which a stranger wrote every text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from itertools import cycle
from typing import Any

from hypothesis import strategies as st

from estimators.report import Report
from tests.bot import sample_reports

NASTY = [
    "@acme/everyone", "&#64;all", "hi @you", "#1", "acme/shop#2", "GH-3", "https://evil.example/x", "www.evil.example",
    "[a](https://evil.example)", "![a](https://evil.example/a.png)", "<img src=x>", "<!-- tuppence:marker -->", "</details>",
    "<details>", "<script>alert(1)</script>", "a|b", "a\\|b", "\\", "`", "``", "```\n", "~~~\n", "\n\n# x", "\n---\n", "- x",
    "1. x", "> x", "***", "__x__", "~~x~~", "$x$", "$$x$$", "$`x`$", ":tada:", "[^1]", "> [!NOTE]", "mail@evil.example",
    "deadbeef00", "\u202etxt.exe", "\u200b", "\u2028", "\x1b[31mred\x1b[0m", "\x1b]8;;https://evil.example\x07x", "\x9b31m", "\r",
    "\x00", "\ud800", "&lt;b&gt;", "&amp;#64;all", "&#8238;x", "| a | b |\n|---|---|", "<https://evil.example>", "[bold]x[/bold]",
    "x" * 400, "空間" * 60, "[a]: https://evil.example", "--usage `x`", " ", "", "=", "|", "*", "\t", "\\`", "_", "<", "&",
]  # fmt: skip

texts = st.one_of(
    st.lists(st.sampled_from(NASTY), min_size=1, max_size=3).map("".join),
    st.text(max_size=40),
    st.text("`|<>[]()*_~#@$&\\!-\n:/. ax1", max_size=30),
)


def rewritten(value: Any, write: Callable[[], str]) -> Any:  # noqa: ANN401 - whatever a report is made of
    """The same plain data with every text written anew, except those that only the product chooses."""
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return write()
    if isinstance(value, Mapping):
        return {
            key if key in {"cpu_cores", "memory_gib", "gpus", "storage_gib"} else write(): rewritten(
                item, write
            )
            for key, item in value.items()
        }
    if isinstance(value, tuple):
        parts = (rewritten(item, write) for item in value)
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    if is_dataclass(value) and not isinstance(value, type):
        chosen = {"status"}
        changed = {
            item.name: rewritten(getattr(value, item.name), write)
            for item in fields(value)
            if item.name not in chosen
        }
        return replace(value, **changed)
    return value


samples = st.sampled_from(["story", "unknown", "environments", "nothing-priced"])
written = st.lists(texts, min_size=1, max_size=20)


def written_by(sample: str, texts: list[str]) -> Report:
    """A sample report in which every text is one of these, in turn."""
    turn = cycle(texts)
    changed: Report = rewritten(sample_reports.SAMPLES[sample](), lambda: next(turn))
    return changed
