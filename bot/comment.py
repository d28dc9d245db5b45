"""The comment on a pull request, in Markdown for GitHub."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from bot import words
from bot.inert import Markdown, md
from bot.page import Size, compose, is_quiet
from bot.page_details import Links
from bot.records import Standing
from bot.rendering import render
from estimators.guardrail import CrossedGuardrail
from estimators.report import Report

MOST_CHARACTERS = 60_000
"""GitHub refuses a comment of more than 65,536 characters; a marker and a margin fit between."""
_MOST_BYTES = 200_000
"""GitHub measures a comment's bytes too, at 262,144."""

SIZES = (
    Size(table=10, others=150, arithmetic=20, findings=40, unpriced=100, text=300),
    Size(table=10, others=50, arithmetic=10, findings=15, unpriced=40, text=200),
    Size(table=10, others=10, arithmetic=3, findings=10, unpriced=10, text=100),
    Size(table=10, others=0, arithmetic=0, findings=0, unpriced=5, text=50),
)
"""From everything to what always fits."""

_ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}(/[A-Za-z0-9][A-Za-z0-9._-]{0,99})?")


def render_comment(
    report: Report,
    *,
    links: Links,
    crossed: Sequence[CrossedGuardrail] = (),
    decided: Standing = Standing(),  # noqa: B008 - it never changes
    approve: str = "",
    most: int = MOST_CHARACTERS,
) -> str:
    """The comment for `report`, in at most `most` characters: the largest size that fits.

    `decided` tells who approved which of the crossed guardrails, or rejected them; `approve` is what to
    write in order to, `""` where nobody can.

    Asking for less (GitHub refused it all the same) gives the next smaller size; the smallest is
    what comes back where even that is too long.
    """
    if is_quiet(report, crossed):
        return render("github/no_impact.md.j2", head=words.revision(report.head))
    comment = ""
    for size in SIZES:
        page = compose(report, size, links=links, crossed=crossed)
        comment = render(
            "github/comment.md.j2",
            page=page,
            crossed=[_crossed(item, decided) for item in page.crossed],
            rejection=decided.rejection,
            approve=approve,
        )
        if len(comment) <= most and len(comment.encode("utf-8", "replace")) <= _MOST_BYTES:
            break
    return comment


def render_failed(head: str, reason: str) -> str:
    """The comment where `head` could not be estimated, and why."""
    return render("github/failed.md.j2", head=words.revision(head), reason=reason)


class _Crossed(NamedTuple):
    """A guardrail; while nobody has approved it, its approvers are mentioned: these people are asked."""

    why: str
    message: str
    approvers: tuple[Markdown, ...]
    approved_by: str


def _crossed(item: CrossedGuardrail, decided: Standing) -> _Crossed:
    """Mentions come from the base branch's policy, and are made of valid names only."""
    approvers = (
        Markdown(f"**@{name}**") if _ACCOUNT.fullmatch(name) else md(name) for name in item.approvers[:10]
    )
    approval = decided.approvals.get(item.key)
    return _Crossed(item.why, item.message, tuple(approvers), approval.approver if approval else "")
