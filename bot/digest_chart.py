"""A picture of a week's digest: what each day of four weeks cost. Drawn without a display."""

from __future__ import annotations

import io

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from bot.cost_chart import CostChart, drawn, tick
from bot.cost_words import day
from bot.digest import ALL_TEAMS, Digest
from bot.digest_words import week_words
from bot.inert import plain
from bot.words import money

_INCHES, _DPI = (10.0, 3.6), 120
_BEFORE, _NOW = "#9ecae1", "#0072b2"
_INK, _FAINT = "#1d1c1d", "#dddddd"
_WEEK = 7
_LONGEST_NAME = 40
"""The title with a longer one is wider than the picture."""


def digest_chart(digest: Digest) -> CostChart:
    """A PNG of 1200 x 432 pixels; the week's own days are darker than those before."""
    figure = Figure(figsize=_INCHES, dpi=_DPI, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for place, (_, cost) in enumerate(digest.trend):
        colour = _NOW if place >= len(digest.trend) - _WEEK else _BEFORE
        if cost is None:
            axes.text(place, 0, "?", ha="center", va="bottom", color=_INK)
        else:
            axes.bar(place, float(cost), 0.7, color=colour, zorder=2)
    _dress(axes, digest)
    file = io.BytesIO()
    figure.savefig(file, format="png", metadata={"Software": None})
    return CostChart(file.getvalue(), alt_text(digest))


def alt_text(digest: Digest) -> str:
    """What the picture shows, in two sentences."""
    known = [(at, cost) for at, cost in digest.trend if cost is not None]
    if not known:
        return f"Bar chart of what {_subject(digest)} cost by day; no day was measured as a whole."
    low, high = (choose(known, key=lambda each: each[1]) for choose in (min, max))
    least, most = (money(cost, digest.currency) for _, cost in (low, high))
    told = (
        f"Bar chart of what {_subject(digest)} cost by day from {day(digest.trend[0][0])} "
        f"to {day(digest.trend[-1][0])}: "
    )
    told += (
        f"{least} each." if least == most else f"from {least} on {day(low[0])} to {most} on {day(high[0])}."
    )
    missing = len(digest.trend) - len(known)
    verb = "was" if missing == 1 else "were"
    return f"{told} {missing} of {len(digest.trend)} days {verb} not measured." if missing else told


def _subject(digest: Digest) -> str:
    return "everything" if digest.team == ALL_TEAMS else f"team {plain(digest.team, _LONGEST_NAME)}"


def _dress(axes: Axes, digest: Digest) -> None:
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: tick(value, digest.currency)))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.grid(axis="y", color=_FAINT, zorder=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(_FAINT)
    axes.tick_params(length=0, colors=_INK, labelsize=10)
    places = list(range(0, len(digest.trend), _WEEK))
    axes.set_xticks(places, [f"{digest.trend[place][0].day} {digest.trend[place][0]:%b}" for place in places])
    axes.set_xlim(-0.6, len(digest.trend) - 0.4)
    axes.set_ylim(bottom=0, top=None if any(cost for _, cost in digest.trend) else 1.0)
    axes.set_xlabel(f"dark: {week_words(digest.week)}", loc="right", color="#616061", fontsize=9)
    title = f"What {drawn(_subject(digest))} cost by day (UTC)"
    axes.set_title(title, loc="left", color=_INK, fontsize=13, fontweight="bold", pad=12, parse_math=False)
