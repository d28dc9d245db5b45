"""What an answer about cost is made of, before anybody says it in words. Money in nano-units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from bot.cost_commands import CostQuestion
from bot.cost_windows import Windows
from bot.savings_answer import SavingsAnswer
from estimators.projection import DayAmount, Projection
from estimators.showback import Parts
from estimators.showback_answer import Answer


class PriceSource(NamedTuple):
    """Whose prices a part of the node bill is made of; `assumed` where they stand in for unknown ones."""

    source: str
    assumed: bool
    cost: int


class GpuHours(NamedTuple):
    """GPU-hours of one model: held by workloads, and busy and measured within those."""

    held: float = 0.0
    busy: float = 0.0
    measured: float = 0.0


class ChartDay(NamedTuple):
    """A UTC day as it is drawn. `covered` is the share of its 24 hours that was measured (0-1).

    `previous` is what the day in its place before cost, None where that was not measured.
    """

    day: date
    parts: Parts
    covered: float
    previous: int | None


@dataclass(frozen=True, slots=True)
class CostAnswer:
    """`found` is the answer.

    `days` are those of the window, `month` a projection and `budget` a month's, each where there is one
    for what was asked. `whole` is False where somebody may not see all there is: then the bill is not
    told. `orphans` is what volumes cost that nobody claims. `said_by` are the labels that say whose things
    are, where labels do.
    """

    question: CostQuestion
    found: Answer
    windows: Windows
    clusters: tuple[str, ...]
    currency: str
    days: tuple[DayAmount, ...] = ()
    month: Projection | None = None
    budget: Decimal | None = None
    prices: tuple[PriceSource, ...] = ()
    gpus: Mapping[str, GpuHours] = field(default_factory=dict)
    orphans: int = 0
    split: str = "proportional"
    shares_something: bool = False
    whole: bool = True
    said_by: tuple[str, ...] = ()
    chart: tuple[ChartDay, ...] = ()

    @property
    def until(self) -> datetime:
        """The end of the newest hour."""
        return self.windows.asked.end


@dataclass(frozen=True, slots=True)
class CostRefusal:
    """Why there is no answer, in sentences with whatever names people typed, and questions that have one."""

    sentences: tuple[str, ...]
    suggestions: tuple[CostQuestion, ...] = ()


@dataclass(frozen=True, slots=True)
class CostHelp:
    """What can be asked."""


CostReply = CostAnswer | SavingsAnswer | CostRefusal | CostHelp
