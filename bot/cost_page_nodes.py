"""What an answer says of nodes and of their GPUs, beside its table."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from bot.cost_answer import CostAnswer, GpuHours
from bot.cost_words import Sentence, Words, amount, sentence, strong
from bot.words import number

_MOST_NAMED = 3


def come_and_gone(answer: CostAnswer) -> Iterator[Sentence]:
    """Which nodes are new, and which are no more."""
    rows = answer.found.rows
    come = [row.group for row in rows if row.cost and not row.previous]
    gone = [row.group for row in rows if row.previous and not row.cost]
    for told, names in (("New: ", come), ("Gone: ", gone)):
        if names:
            shown = [strong(name) for name in names[:_MOST_NAMED]]
            listed = [part for name in shown for part in (Words(", "), name)][1:]
            more = len(names) - len(shown)
            yield sentence(told, *listed, f" and {more:,} more." if more else ".")


def idle_gpus(answer: CostAnswer) -> Iterator[Sentence]:
    """Idle GPUs in money and in hours: those that nobody held, and those that were held and not busy."""
    rows = answer.found.rows
    if unheld := sum(row.parts.idle_share for row in rows):
        # A model's hours are told by the price of those that were held; what nobody ever held has none.
        known = [(row, answer.gpus.get(row.group, GpuHours()).held) for row in rows]
        hours = sum(row.parts.idle_share * held / row.parts.gpu for row, held in known if row.parts.gpu)
        about = (
            f" (about {_gpu_hours(hours)})"
            if all(held or not row.parts.idle_share for row, held in known)
            else ""
        )
        yield sentence(
            strong(amount(unheld, answer.currency)), f" of it was for GPUs that nobody held{about}."
        )
    slack = sum(round(row.measured_cost - row.used_cost) for row in rows)
    if slack > 0:
        hours = sum(held.measured - held.busy for held in answer.gpus.values())
        yield sentence(
            strong(amount(slack, answer.currency)),
            f" was for GPUs that were held and not busy ({_gpu_hours(hours)}).",
        )
    elif any(row.parts.gpu for row in rows) and not any(row.measured_cost for row in rows):
        yield sentence("How busy they were is not measured: run NVIDIA's DCGM exporter.")


def _gpu_hours(hours: float) -> str:
    return f"{number(Decimal(str(hours)), 0 if hours >= 10 else 1)} GPU-hours"
