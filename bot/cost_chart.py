"""A picture of what something cost day by day, for Slack and for files. Drawn without a display."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont
from matplotlib.ft2font import FT2Font
from matplotlib.ticker import FuncFormatter, MaxNLocator

from bot.cost_answer import ChartDay, CostAnswer
from bot.cost_commands import OF_NODES, CostQuestion
from bot.cost_page import CALLED
from bot.cost_page_table import part_names
from bot.cost_words import amount, asked_window, day, window_before
from bot.inert import plain
from bot.words import money
from estimators.allocation import NANO

_INCHES, _DPI = (10.0, 4.5), 120
_COLOURS = ("#0072b2", "#56b4e9", "#009e73", "#e69f00", "#cc79a7", "#c8c8c8", "#8c8c8c")
"""Of the parts in their order: Okabe and Ito's palette, which colour-blind people can tell apart."""
_INK, _FAINT = "#1d1c1d", "#dddddd"
_WHOLE_DAY = 0.9
_MOST_LABELS = 16
_PART_NAMES = frozenset(name for asked in ("", "api") for name in part_names(CostQuestion("team", asked)))


@dataclass(frozen=True, slots=True)
class CostChart:
    """A PNG of 1200 x 540 pixels, and what it shows in words."""

    png: bytes
    alt: str


def cost_chart(answer: CostAnswer) -> CostChart:
    """The days of an answer that was to have a chart: parts stacked, the days before as a line."""
    figure = Figure(figsize=_INCHES, dpi=_DPI, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    _bars(axes, answer)
    _line(axes, answer)
    _dress(figure, axes, answer)
    file = io.BytesIO()
    figure.savefig(file, format="png", metadata={"Software": None})
    return CostChart(file.getvalue(), alt_text(answer))


def alt_text(answer: CostAnswer) -> str:
    """What the picture shows, in two sentences."""
    days = [each for each in answer.chart if each.covered >= _WHOLE_DAY]
    subject = _subject(answer)
    if not days:
        return f"Bar chart of {subject} by day; no day was measured as a whole."
    low, high = (choose(days, key=lambda each: sum(each.parts)) for choose in (min, max))
    sums = [sum(part) for part in zip(*(each.parts for each in answer.chart), strict=True)]
    largest = part_names(answer.question)[sums.index(max(sums))]
    least, most = (amount(sum(each.parts), answer.currency) for each in (low, high))
    spread = (
        f"{least} on each day"
        if least == most
        else (f"from {least} on {day(low.day)} to {most} on {day(high.day)}")
    )
    told = (
        f"Bar chart of {subject} by day from {day(answer.chart[0].day)} to {day(answer.chart[-1].day)}: "
        f"{spread}; the largest part is {largest}."
    )
    if any(each.previous is not None for each in days):
        paired = [each for each in days if each.previous is not None]
        above = sum(sum(each.parts) > (each.previous or 0) for each in paired)
        before = window_before(answer.question.window, answer.windows)
        told += f" {above or 'None'} of {len(paired)} days cost more than those of {before}, drawn as a line."
    return told


def _subject(answer: CostAnswer) -> str:
    asked = answer.question
    name = plain(answer.found.total.group, 60)
    if asked.name and asked.label:
        return f"what workloads with {plain(asked.label, 60)}={name} cost"
    if asked.name:
        return f"what {CALLED.get(asked.kind, '').lower()}{name} cost"
    if asked.kind in OF_NODES:
        return "what GPUs cost" if asked.kind == "gpu" else "what nodes cost"
    return "what everything cost" if answer.whole else "what you may see cost"


def _bars(axes: Axes, answer: CostAnswer) -> None:
    places = range(len(answer.chart))
    bottom = [0.0] * len(answer.chart)
    names = part_names(answer.question)
    for index, (name, colour) in enumerate(zip(names, _COLOURS, strict=True)):
        heights = [each.parts[index] / NANO for each in answer.chart]
        if not any(heights):
            continue
        bars = axes.bar(places, heights, 0.7, bottom, color=colour, label=name, zorder=2)
        for bar, each in zip(bars, answer.chart, strict=True):
            bar.set_alpha(1.0 if each.covered >= _WHOLE_DAY else 0.45)
        bottom = [low + height for low, height in zip(bottom, heights, strict=True)]
    for place, each in enumerate(answer.chart):
        if not each.covered:
            axes.text(place, 0, "?", ha="center", va="bottom", color=_INK)


def _line(axes: Axes, answer: CostAnswer) -> None:
    known = [
        (place, each.previous / NANO) for place, each in enumerate(answer.chart) if each.previous is not None
    ]
    if not known:
        return
    before = window_before(answer.question.window, answer.windows)
    places, amounts = zip(*known, strict=True)
    axes.plot(
        places,
        amounts,
        color=_INK,
        linewidth=1.6,
        linestyle="--",
        marker="o",
        markersize=4,
        label=before,
        zorder=3,
    )


def _dress(figure: Figure, axes: Axes, answer: CostAnswer) -> None:
    currency = answer.currency
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: tick(value, currency)))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.grid(axis="y", color=_FAINT, zorder=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(_FAINT)
    axes.tick_params(length=0, colors=_INK, labelsize=10)
    axes.set_xticks(*_labels(answer.chart))
    axes.set_ylim(bottom=0)
    when = asked_window(answer.question.window, answer.windows)
    subject = drawn(_subject(answer))
    title = f"{subject[:1].upper()}{subject[1:]} {when}, by day (UTC)"
    axes.set_title(title, loc="left", color=_INK, fontsize=13, fontweight="bold", pad=12, parse_math=False)
    if any(each.covered < _WHOLE_DAY for each in answer.chart):
        axes.set_xlabel("pale: not all of the day was measured", loc="right", color="#616061", fontsize=9)
    handles, names = axes.get_legend_handles_labels()
    ordered = sorted(zip(names, handles, strict=True), key=lambda item: item[0] not in _PART_NAMES)
    figure.legend(
        [handle for _, handle in ordered],
        [name for name, _ in ordered],
        loc="outside lower center",
        ncols=len(ordered),
        frameon=False,
        fontsize=9.5,
        labelcolor=_INK,
        handlelength=1.4,
        columnspacing=1.2,
    )


def drawn(text: str) -> str:
    """`text` with a box for what the font has no sign for."""
    known = FT2Font(findfont("DejaVu Sans")).get_charmap()
    return "".join(sign if ord(sign) in known else "□" for sign in text)


def _labels(days: Sequence[ChartDay]) -> tuple[list[int], list[str]]:
    """Where the days are named: each, or every few of many."""
    step = -(-len(days) // _MOST_LABELS)
    places = list(range(0, len(days), step))
    weekly = len(days) <= 10
    return places, [
        f"{days[place].day:%a}\n{days[place].day.day} {days[place].day:%b}" if weekly
        else f"{days[place].day.day}\n{days[place].day:%b}"
        for place in places
    ]  # fmt: skip


def tick(value: float, currency: str) -> str:
    """An amount beside an axis; `$` begins a formula there."""
    text = money(Decimal(str(round(value, 2))), currency, cents=True)
    return text.replace(".00", "").replace("$", r"\$")
