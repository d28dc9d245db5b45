"""What could be saved, in sentences, wherever it is shown. Plain text: who shows it makes it inert."""

from __future__ import annotations

from collections.abc import Iterator

from bot.cost_page_table import CostTable
from bot.cost_words import Sentence, moment, sentence, strong
from bot.digest import DigestItem
from bot.recommendation_words import changes_words, counted_words, finder_words
from bot.savings_answer import SavingsAnswer
from bot.words import NOT_KNOWN, count, money
from estimators.recommendation import Reason

_MOST_REASONS = 3
_COLUMNS = ("Workload", "Change", "A month", "Off the bill", "Confidence")
_WORDS = (0, 1, 4)


def headline(answer: SavingsAnswer) -> Sentence:
    """How many changes are worth approving, and what a month of them comes to."""
    if answer.looked_at is None:
        return sentence("No repository was looked at for savings yet.")
    where = (" in ", strong(answer.question.name)) if answer.question.name else ()
    if not answer.items:
        return sentence("Nothing is worth approving", *where, " now.")
    worth = strong(count(len(answer.items), "change"))
    verb = " is worth approving" if len(answer.items) == 1 else " are worth approving"
    told = strong(f"{money(answer.allocated, answer.currency, signed=True)} a month")
    return sentence(worth, verb, *where, ": ", told, ".")


def table(answer: SavingsAnswer) -> CostTable | None:
    """All of them, the most worth first."""
    rows = tuple(_row(item, answer.currency) for item in answer.items)
    return CostTable(_COLUMNS, rows, words=_WORDS) if rows else None


def left(answer: SavingsAnswer) -> Iterator[str]:
    """What is left alone for reasons that no person gave: how many, and the names of some."""
    counts = sorted(answer.left_counts.items(), key=lambda item: (-item[1], item[0]))
    told = [
        counted_words(reason, amount, answer.left_names.get(reason, ()))
        for reason, amount in counts
        if reason != Reason.PROTECTED or not answer.left_alone
    ]
    yield from told[:_MOST_REASONS]
    if len(told) > _MOST_REASONS:
        yield f"and {count(len(told) - _MOST_REASONS, 'other reason')}"


def small_print(answer: SavingsAnswer) -> Iterator[str]:
    """What was looked at, and when."""
    if answer.looked_at is None:
        yield "Some of it may be declared in a repository"
        yield "Where tuppence serve has a GitHub App, it looks at every default branch once a day"
        yield from answer.notes
        return
    branches = f"{answer.repositories:,} default branch{'' if answer.repositories == 1 else 'es'}"
    yield f"Found on {branches}, looked at on {moment(answer.looked_at)} or later"
    if answer.remarks:
        yield f"{count(answer.remarks, 'remark')} on what could not be looked at: the weekly digest has them"
    yield from answer.notes


def at_the_end(answer: SavingsAnswer) -> Iterator[str]:
    """What is not offered, and the small print, a line each."""
    for one in answer.under_way:
        yield f"Under way: {one.workload}, {one.told}"
    for row in answer.left_alone:
        yield f"Left as it is: {row.workload}, {row.reason}"
    for told in left(answer):
        yield f"Left as it is: {told}"
    yield from small_print(answer)


def _row(item: DigestItem, currency: str) -> tuple[str, ...]:
    realisable = item.realisable
    return (
        f"{item.workload} ({item.environment})" if item.environment else item.workload,
        ", ".join(changes_words(item.values)) or finder_words(item.finder),
        money(item.allocated, currency, signed=True),
        NOT_KNOWN if realisable is None else money(realisable, currency, signed=True),
        item.confidence,
    )
