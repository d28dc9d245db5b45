"""What could be saved, as somebody asked: what is worth approving, what is under way, and what is left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from bot.cost_commands import CostQuestion
from bot.digest import DigestItem, LeftRow
from bot.unused import UnusedThings


class UnderWay(NamedTuple):
    """A workload whose saving was approved, or is proposed by an open pull request, which `address` is of."""

    workload: str
    told: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class SavingsAnswer:
    """`items` are open, the most worth first; `under_way` and `left_alone` are not offered, and say why.

    `left_counts` and `left_names` are those of a digest. `repositories` is how many default
    branches were looked at, `looked_at` when the one whose newest look is oldest was, None where none was
    yet; `remarks` counts what of them could not be looked at. `unused` is what nothing uses and no
    repository declares, None where that is not known; it is no part of `allocated`. `notes` say what else
    is not known.
    """

    question: CostQuestion
    currency: str
    items: tuple[DigestItem, ...]
    under_way: tuple[UnderWay, ...]
    left_alone: tuple[LeftRow, ...]
    left_counts: Mapping[str, int]
    left_names: Mapping[str, tuple[str, ...]]
    repositories: int
    looked_at: datetime | None
    remarks: int = 0
    unused: UnusedThings | None = None
    notes: tuple[str, ...] = ()

    @property
    def allocated(self) -> Decimal:
        """What a month's cost changes by if all of it is approved: negative where it falls."""
        return sum((item.allocated for item in self.items), Decimal(0))
