"""A right-sizing pull request in words: its title, its commit, its description, and why it is closed.

Everything about a workload was written by strangers: whatever ends in Markdown or in a commit is inert.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple
from urllib.parse import quote

from bot import words
from bot.digest import ProposedValue
from bot.inert import md, plain
from bot.manifests.edits.wanted import Place
from bot.recommendation_records import POLICY, RecommendationDecision
from bot.recommendation_words import (
    changes_words,
    field_words,
    finder_words,
    reason_words,
    value_words,
    values,
    workload_words,
)
from bot.rendering import render
from estimators.money import to_cents
from estimators.recommendation import LeftAlone, Recommendation

_LONGEST_TITLE = 120
_MOST_LEFT = 10
_MOST_NODES = 5
_MOST_PLACES = 20
_WIDTH = 72
_RESOURCES = {"CPU": "cpu", "memory": "memory"}
_OF_A_WINDOW = ("window", "profile")
"""Ends of the names of evidence that says what the rest rests on."""


@dataclass(frozen=True, slots=True)
class RightSize:
    """What a pull request of ours tells. `left` is what was looked at and left for the same workload.

    `web` is where people look at the repository (`https://github.com/acme/shop`), `head_sha` the commit
    that `places` are lines of.
    """

    recommendation: Recommendation
    decision: RecommendationDecision
    places: Sequence[Place]
    left: Sequence[LeftAlone]
    currency: str
    web: str
    head_sha: str


def title_of(recommendation: Recommendation) -> str:
    """`Right-size shop/indexer: CPU request 2 → 1200m`, one line in which no keyword of GitHub's is read."""
    where = f" in {plain(recommendation.environment, 30)}" if recommendation.environment else ""
    lead = f"Right-size {plain(workload_words(recommendation.key), 60)}{where}: "
    changes = changes_words(values(recommendation.changes))
    told = ""
    for count, change in enumerate(changes, 1):
        longer = f"{told}, {change}" if told else change
        rest = f" and {len(changes) - count} more" if count < len(changes) else ""
        if told and len(lead) + len(longer) + len(rest) > _LONGEST_TITLE:
            left = len(changes) - count + 1
            return _mute(f"{lead}{told} and {left} more")
        told = longer
    return _mute(lead + told)


def message_of(page: RightSize) -> str:
    """The commit: what, why, and who approved it."""
    found = page.recommendation
    seen = "; ".join(f"{name} {value}" for name, value in _evidence(found))
    told = [
        f"{_saving(found.allocated, page.currency)} in what is allocated.",
        _off_the_bill(found, page.currency),
        f"Seen: {seen}." if seen else "",
        f"To go back: {found.undo[:1].lower()}{found.undo[1:]}" if found.undo else "",
        _approved(page.decision),
    ]
    paragraphs = [
        "\n".join(textwrap.wrap(_mute(text, 2_000), _WIDTH, break_long_words=False)) for text in told if text
    ]
    return "\n\n".join([title_of(found), *paragraphs])


def body_of(page: RightSize) -> str:
    """The description."""
    found = page.recommendation
    changed = values(found.changes)
    rows = [_row(value, found, several=len({one.container for one in changed}) > 1) for value in changed]
    told = {name for row in rows for name in row.evidence}
    return render(
        "github/right_size.md.j2",
        dot=words.DOTS[found.verdict],
        headline=_saving(found.allocated, page.currency),
        workload=workload_words(found.key),
        environment=found.environment,
        kind=found.key.kind,
        bill=_off_the_bill(found, page.currency),
        nodes=found.realisable.nodes[:_MOST_NODES] if len(found.realisable.nodes) > 1 else (),
        rows=rows,
        with_seen=any(row.seen for row in rows),
        evidence=[
            f"{name[:1].upper()}{name[1:]}: {value}" for name, value in _evidence(found) if name not in told
        ],
        finder=finder_words(found.finder),
        confidence=words.CONFIDENCES[found.confidence],
        verdict=words.VERDICTS[found.verdict].lower(),
        blast_radius=found.blast_radius,
        risks=found.risks,
        undo=found.undo,
        places=list(_places(page))[:_MOST_PLACES],
        left=[reason_words(one.reason, one.facts) for one in page.left][:_MOST_LEFT],
        approved=_approved(page.decision),
        because=page.decision.reason if page.decision.actor != POLICY else "",
    )


def farewell(reason: str) -> str:
    """What is said where a pull request of ours is closed."""
    return (
        f"Closed, since {md(reason.rstrip('.'), 600)}.\n\n"
        "<sub>The branch goes with it, unless somebody else has pushed to it. What is worth changing by now "
        "is in the team's next digest.</sub>"
    )


def _evidence(found: Recommendation) -> Iterator[tuple[str, str]]:
    """What was seen; the window only once where all of it is from the same."""
    windows = dict.fromkeys(value for name, value in found.evidence.items() if name.endswith("window"))
    for name, value in found.evidence.items():
        if not name.endswith("window") or len(windows) > 1:
            yield name, value
        elif windows.pop(value, "told") is None:
            yield "seen over", value


class _Row(NamedTuple):
    """A line of the table; `evidence` names what `seen` was made of."""

    field: str
    container: str
    now: str
    proposed: str
    seen: str
    evidence: tuple[str, ...]


def _row(value: ProposedValue, found: Recommendation, *, several: bool) -> _Row:
    named = field_words(value.field)
    about = tuple(_about(value, named, found, several=several))
    return _Row(
        field=named,
        container=value.container if several else "",
        now=value_words(value.field, value.current),
        proposed=value_words(value.field, value.proposed),
        seen="; ".join(
            f"{_measure(name, value, several=several)} {found.evidence[name]}".strip() for name in about
        ),
        evidence=about,
    )


def _about(value: ProposedValue, named: str, found: Recommendation, *, several: bool) -> Iterator[str]:
    """The evidence for one field of a container; limits follow requests, which have told it already."""
    resource = named.partition(" ")[0]
    if resource not in _RESOURCES:
        return
    start = f"{value.container} {resource} " if several else f"{resource} "
    kills = f"{value.container} OOM kills" if several else "OOM kills"
    for name in found.evidence:
        if (name.startswith(start) and not name.endswith(_OF_A_WINDOW)) or (
            resource == "memory" and name == kills
        ):
            yield name


def _measure(name: str, value: ProposedValue, *, several: bool) -> str:
    """`p95`, `peak`: the row says already whose it is."""
    short = name.removeprefix(f"{value.container} ") if several else name
    return short.removeprefix("CPU ").removeprefix("memory ")


class _Where(NamedTuple):
    """A line that was written."""

    place: str
    address: str


def _places(page: RightSize) -> Iterator[_Where]:
    for place in dict.fromkeys((one.file, one.line) for one in page.places):
        file, line = place
        yield _Where(f"{file}:{line}", f"{page.web}/blob/{page.head_sha}/{quote(file)}#L{line}")


def _saving(allocated: Decimal, currency: str) -> str:
    if not to_cents(allocated):
        return "Changes nothing"
    amount = words.money(abs(allocated), currency)
    return f"Saves {amount} a month" if allocated < 0 else f"Costs {amount} more a month"


def _off_the_bill(found: Recommendation, currency: str) -> str:
    """What the bill falls by, and why it is not the same."""
    realisable = found.realisable
    why = f": {realisable.why.rstrip('.')}" if realisable.why else ""
    if realisable.monthly is None:
        return f"What the bill {'rises' if found.allocated > 0 else 'falls'} by is not known{why}."
    if not to_cents(realisable.monthly):
        return f"The bill itself stays as it is for now{why}."
    if realisable.monthly > 0:
        return f"The bill rises by {words.money(realisable.monthly, currency)} a month{why}."
    return f"The bill itself falls by {words.money(-realisable.monthly, currency)} a month{why}."


def _approved(decision: RecommendationDecision) -> str:
    when = f"{decision.at.day} {decision.at:%B %Y, %H:%M} UTC"
    if decision.actor == POLICY:
        return f"Opened without a click on {when}, by {decision.reason}."
    return f"Approved by {plain(decision.said, 100)} on {when}."


def _mute(text: str, most: int = 256) -> str:
    """One line in which GitHub finds nobody to tell, no issue to close and no `[skip ci]`."""
    line = plain(text, most)
    for sign in ("@", "#", "[", "://"):
        line = line.replace(sign, f"{sign[0]}\u200b{sign[1:]}")
    return line.replace("GH-", "GH\u200b-")[:most]
