"""An answer about cost in finished sentences and aligned numbers; what shows it only lays it out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot import savings_words, unused_words
from bot.cost_answer import CostAnswer, CostHelp, CostRefusal, CostReply
from bot.cost_causes import what_moved, what_moved_it
from bot.cost_commands import COMMANDS, EXAMPLES, OF_NODES, OPTIONS, WINDOWS, CostQuestion, NotUnderstood
from bot.cost_page_nodes import come_and_gone, idle_gpus
from bot.cost_page_table import CostSection, CostTable, changes_of_workloads, part_names, table_of
from bot.cost_small_print import is_compared, small_print
from bot.cost_words import (
    Sentence,
    Words,
    amount,
    asked_window,
    compared,
    sentence,
    share,
    shares,
    strong,
    trend,
    window_before,
)
from bot.savings_answer import SavingsAnswer
from bot.words import count, money, number
from estimators.allocation import as_money
from estimators.money import to_cents
from estimators.showback import Kind

CALLED = {
    "team": "Team ",
    "application": "Application ",
    "environment": "Environment ",
    "business-unit": "Business unit ",
    "node": "Node ",
}
"""What stands before a name that does not say what it is of."""
UNNAMED = frozenset({"", "default"})
"""What a cluster is called that nobody named."""


@dataclass(frozen=True, slots=True)
class CostPage:
    """`headline` first, then `trend` (a sparkline) with `parts` (where the money goes), then `told`.

    `apart` is no part of `table` and its sum. `asks` are questions that could be asked instead, where
    something can be pressed. `question` is None where nothing was answered.
    """

    headline: Sentence
    trend: str = ""
    parts: tuple[tuple[str, str], ...] = ()
    told: tuple[Sentence, ...] = ()
    table: CostTable | None = None
    apart: CostSection | None = None
    small: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    question: CostQuestion | None = None


def compose(reply: CostReply | NotUnderstood, rows: int | None = None) -> CostPage:
    """Say it; `rows` is how many rows of the table fit, at most those that were asked for."""
    match reply:
        case NotUnderstood():
            asks = (reply.suggestion,) if reply.suggestion else ()
            more = () if asks else (sentence("help says what can be asked."),)
            return CostPage(sentence(f"{reply.reason[:1].upper()}{reply.reason[1:]}."), told=more, asks=asks)
        case CostRefusal():
            first, *others = reply.sentences
            told = tuple(sentence(text) for text in others)
            return CostPage(sentence(first), told=told, asks=tuple(ask.text for ask in reply.suggestions))
        case CostHelp():
            return _help()
        case SavingsAnswer():
            return CostPage(
                savings_words.headline(reply),
                table=savings_words.table(reply),
                apart=unused_words.apart(reply.unused, reply.currency),
                small=tuple(savings_words.at_the_end(reply)),
            )
        case _:
            return _answered(reply, reply.question.rows if rows is None else min(rows, reply.question.rows))


def _help() -> CostPage:
    usage: dict[tuple[str, str], list[str]] = {}
    for command in COMMANDS[:-1]:  # the last one asks for this page
        usage.setdefault((command.argument, command.alike or command.meaning), []).append(command.name)
    windows = ", ".join(f"{window.name} ({window.meaning})" for window in WINDOWS)
    options = ", ".join(f"{option.name} ({option.meaning})" for option in OPTIONS)
    return CostPage(
        sentence("What things cost, and why. Ask one of these:"),
        table=CostTable(
            ("Ask", "About"),
            tuple(
                (f"{', '.join(names)} {argument}".strip(), told) for (argument, told), names in usage.items()
            ),
            words=(0, 1),
        ),
        small=(f"For example: {', '.join(EXAMPLES)}", f"Windows: {windows}", f"Options: {options}"),
    )


def _answered(answer: CostAnswer, rows: int) -> CostPage:
    table = table_of(answer, rows, compared=is_compared(answer))
    return CostPage(
        headline=tuple(_headline(answer)),
        trend=trend(answer.days),
        parts=tuple(_parts(answer)),
        told=tuple(_told(answer, changes_of_workloads(table))),
        table=table,
        small=tuple(small_print(answer)),
        question=answer.question,
    )


def _parts(answer: CostAnswer) -> Iterator[tuple[str, str]]:
    """Where the money goes; not told of all nodes and GPUs, whose tables say it."""
    total = answer.found.total
    asked = answer.question
    if not total.cost or (asked.kind in OF_NODES and not asked.name):
        return
    names = part_names(answer.question)
    for name, part, told in zip(names, total.parts, shares(total.parts), strict=True):
        if part:
            yield name, told


def _headline(answer: CostAnswer) -> Iterator[Words]:
    """What it cost, against the window before, and where the month is heading."""
    yield from _total(answer)
    total, earlier = answer.found.total, answer.found.previous_parts
    before = window_before(answer.question.window, answer.windows)
    now = _headlined(answer, total.parts)
    then = _headlined(answer, earlier) if earlier else 0
    if answer.question.kind != "top" and earlier and is_compared(answer) and (now or then):
        yield from sentence(", ", *compared(now, then, answer.currency, before))
    yield Words(".")
    if now or then:
        yield from _month(answer)


def _headlined(answer: CostAnswer, parts: Sequence[int]) -> int:
    """The amount that a headline is about: of `idle` the idle part, else all."""
    return parts[5] if answer.question.kind == "idle" else sum(parts)


def _total(answer: CostAnswer) -> Iterator[Words]:
    asked, found = answer.question, answer.found
    when = f" {asked_window(asked.window, answer.windows)}"
    cost = strong(amount(found.total.cost, answer.currency))
    match asked.kind:
        case "idle":
            idle = found.total.parts.idle_share
            part = f" ({share(idle / found.total.cost)})" if found.total.cost else ""
            yield from sentence(
                strong(amount(idle, answer.currency)),
                " of the ",
                cost,
                f" that nodes cost{when} was idle{part}",
            )
        case "gpu":
            yield from (
                sentence("GPUs cost ", cost, when)
                if found.total.cost
                else sentence(f"No GPU cost anything{when}")
            )
        case "top":
            dearest = [row for row in found.rows if row.kind is Kind.TENANT]
            shown = sum(row.cost for row in dearest[: asked.rows])
            part = share(shown / found.total.cost) if found.total.cost else share(0)
            of = "the bill of" if answer.whole else "what you may see, "
            yield from sentence(
                strong(f"The {min(asked.rows, len(dearest))} dearest"),
                f" of {count(len(dearest), 'workload')} cost ",
                strong(amount(shown, answer.currency)),
                f"{when}, {part} of {of} ",
                cost,
            )
        case "node" if not asked.name:
            nodes = count(sum(bool(row.cost) for row in found.rows), "node")
            yield from sentence(strong(nodes), " cost ", cost, when)
        case _:
            yield from (*_subject(answer), Words(" cost "), cost, Words(when))


def _subject(answer: CostAnswer) -> Sentence:
    asked = answer.question
    if asked.name:
        name = answer.found.total.group
        if asked.label:
            return sentence("Workloads with ", strong(f"{asked.label}={name}"))
        return sentence(CALLED.get(asked.kind, ""), strong(name))
    if not answer.whole:
        return sentence("The namespaces that you may see")
    if len(answer.clusters) > 1:
        return sentence(f"All {len(answer.clusters)} clusters")
    named = answer.clusters[0] not in UNNAMED
    return sentence("The cluster ", strong(answer.clusters[0])) if named else sentence("The cluster")


def _month(answer: CostAnswer) -> Iterator[Words]:
    if answer.month is None:
        return
    course = amount(answer.month.amount, answer.currency)
    yield from sentence(" On course for ", strong(course), f" in {answer.windows.asked.end:%B}")
    if answer.budget is not None:
        over = to_cents(as_money(answer.month.amount) - answer.budget)
        budget = money(answer.budget, answer.currency)
        if over > 0:
            yield from sentence(
                ", ", strong(f"{money(over, answer.currency)} over"), f" its budget of {budget}"
            )
        else:
            yield Words(f", within its budget of {budget}")
    yield Words(".")


def _told(answer: CostAnswer, changes: Mapping[str, str]) -> Iterator[Sentence]:
    asked, found = answer.question, answer.found
    if asked.kind == "gpu":
        yield from idle_gpus(answer)
    if asked.kind == "idle" and answer.orphans:
        orphans = amount(answer.orphans, answer.currency)
        yield sentence("Volumes that nobody claims cost ", strong(orphans), " more.")
    if asked.kind == "node" and not asked.name and is_compared(answer):
        yield from come_and_gone(answer)
    if is_compared(answer) and found.movers and asked.kind not in OF_NODES:
        if asked.kind == "workload":
            yield what_moved_it(found.movers[0], answer.currency)
        else:
            within = asked.name if asked.kind == "namespace" else ""
            yield what_moved(found.movers, answer.currency, within, changes)
    if unowned := _unowned(answer):
        yield unowned
    efficiency = found.total.efficiency
    if asked.kind not in {*OF_NODES, "top"} and efficiency is not None:
        they, it = ("Uses ", "it asks") if asked.name else ("Workloads use ", "they ask")
        yield sentence(they, strong(share(efficiency)), f" of what {it} for.")
    if asked.kind == "workload" and (monthly := found.total.monthly_per_replica) is not None:
        hours = (found.end - found.start).total_seconds() / 3600 * found.covered
        replicas = number(Decimal(str(found.total.replica_hours / hours)), 1) if hours else "0"
        told = strong(money(monthly, answer.currency))
        yield sentence("A replica costs ", told, f" a month; {replicas} ran on average.")


def _unowned(answer: CostAnswer) -> Sentence:
    """What the unallocated row is made of, and how it goes away."""
    causes = answer.found.unowned
    asked = answer.question
    if not (answer.said_by or asked.label) or asked.name or not causes:
        return ()
    parts: list[str | Words] = [f"Without {asked.label}: " if asked.label else "Unallocated: "]
    for index, cause in enumerate(causes[:3]):
        told = f" {amount(cause.cost, answer.currency)} ({count(cause.workloads, 'workload')})"
        parts += [", " if index else "", strong(cause.namespace), told]
    if len(causes) > 3:
        parts.append(f" and {count(len(causes) - 3, 'more namespace')}")
    if asked.kind == "team":
        way = " Give them a team label, or their namespaces to a team in tuppence.yaml."
    else:
        way = f" Give them the label {answer.said_by[0]}." if answer.said_by else ""
    return sentence(*parts, f".{way}")
