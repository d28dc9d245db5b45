"""An answer about cost in Markdown."""

from __future__ import annotations

from bot.cost_page import CostPage
from bot.cost_words import Sentence, escaped
from bot.inert import Markdown, md
from bot.rendering import render

_LONGEST_SENTENCE = 700


def page_as_markdown(page: CostPage) -> str:
    """The page as GitHub and other readers of Markdown show it."""
    parts = [f"{name} {part}" for name, part in page.parts]
    return render(
        "cost/answer.md.j2",
        headline=_marked(page.headline),
        where=" · ".join(filter(None, (page.trend, *parts))),
        told=[_marked(sentence) for sentence in page.told],
        table=page.table,
        apart=page.apart,
        small=page.small,
    )


def _marked(sentence: Sentence) -> Markdown:
    return Markdown(
        "".join(
            escaped(part.text, lambda text: f"**{md(text)}**")
            if part.strong
            else escaped(part.text, lambda text: md(text, _LONGEST_SENTENCE))
            for part in sentence
        )
    )
