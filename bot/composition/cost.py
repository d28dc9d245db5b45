"""The part of the composition root that answers questions about cost on the command line."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bot.composition.output import put_out, write_file
from bot.cost_commands import COMMANDS, SAVINGS, CostQuestion, NotUnderstood, parse
from bot.errors import UserError

if TYPE_CHECKING:
    from bot.cost_answer import CostAnswer, CostHelp, CostRefusal, CostReply
    from bot.savings_answer import SavingsAnswer

_ON_THE_SPOT = "tuppence digest --repo . --prometheus URL looks for savings on the spot"
TEXT_WIDTH = 100
"""Columns of an answer that goes into a file or a pipe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostOptions:
    """What `tuppence cost` was asked; the fields are its options."""

    words: tuple[str, ...] = ()
    window: str | None = None
    vs_last: bool = False
    prometheus: str | None = None
    prices: Path | None = None
    config: Path | None = None
    form: str = "text"
    chart: Path | None = None
    output: Path | None = None


def tell_cost(options: CostOptions, *, now: datetime | None = None) -> None:
    """Answer, or raise UserError with the reason and a better question."""
    from bot.cost_answer import CostAnswer, CostHelp, CostRefusal  # noqa: PLC0415

    question, now = _question(options), now or datetime.now(UTC)
    reply: CostReply = CostHelp()
    if question.kind == SAVINGS:
        reply = ask_savings(question, options, now=now)
    elif question.kind != "help":
        reply = ask(question, options, now=now)
    match reply:
        case CostRefusal():
            asks = " or ".join(f"tuppence cost {ask.text}" for ask in reply.suggestions)
            meant = f" Did you mean {asks}?" if asks else ""
            raise UserError(f"{' '.join(reply.sentences)}{meant}")
        case CostAnswer() if options.chart is not None:
            from bot.cost_chart import cost_chart  # noqa: PLC0415 - slow to import

            write_file(options.chart, "--chart", cost_chart(reply).png)
    _show(reply, options)


def ask(question: CostQuestion, options: CostOptions, *, now: datetime) -> CostReply:
    """The reply from the hours that the options name."""
    from bot.composition.clusters import read_config  # noqa: PLC0415
    from bot.composition.cost_hours import hours_of  # noqa: PLC0415
    from bot.composition.cost_sources import CostSources  # noqa: PLC0415
    from bot.handlers.cost_question import answer_question  # noqa: PLC0415
    from bot.settings import from_env  # noqa: PLC0415

    config = read_config(options.config)
    sources = CostSources(from_env(), config, options.prometheus, options.prices)
    with sources.hours(lambda found: hours_of(found, question.window, now)) as costs:
        return answer_question(question, costs=costs, config=config, now=now)


def ask_savings(
    question: CostQuestion, options: CostOptions, *, now: datetime
) -> SavingsAnswer | CostRefusal:
    """What `tuppence serve` found, as it is kept, and what nothing uses now; nothing is looked for here."""
    from bot.composition.clusters import read_config  # noqa: PLC0415
    from bot.composition.cost_sources import CostSources  # noqa: PLC0415
    from bot.composition.store import open_records, scratch_records  # noqa: PLC0415
    from bot.handlers.open_savings import answer_savings  # noqa: PLC0415
    from bot.settings import from_env, serving_from_env  # noqa: PLC0415
    from bot.web_links import web_address  # noqa: PLC0415

    given = {"--vs-last": options.vs_last, "--prometheus": options.prometheus, "--prices": options.prices}
    for name in (name for name, value in given.items() if value):
        raise UserError(f"savings takes no {name}: it tells what tuppence serve found; {_ON_THE_SPOT}")
    github = serving_from_env().github
    unused = CostSources(from_env(), read_config(options.config)).unused()
    with open_records() as kept, ExitStack() as stack:
        records = kept if kept.costs.clusters() else None
        looked = records and any(scan.head_sha for scan in records.recommendations.scans())
        if not looked and not unused.found:
            raise UserError(
                "no look for savings is kept: set the TUPPENCE_DATABASE_URL that tuppence serve writes to; "
                f"{_ON_THE_SPOT}"
            )
        records = records or stack.enter_context(scratch_records())
        return answer_savings(
            question,
            recommendations=records.recommendations,
            decisions=records.recommendation_decisions,
            pulls=records.right_sizing,
            at=now,
            unused=unused,
            web=web_address(github.api_url) if github else "",
        )


def _question(options: CostOptions) -> CostQuestion:
    words = [*options.words, *([options.window] if options.window else [])]
    found = parse(" ".join(words) if options.words else "")
    if isinstance(found, NotUnderstood):
        meant = f"; did you mean tuppence cost {found.suggestion}?" if found.suggestion else ""
        raise UserError(f"{found.reason}{meant}")
    if found.kind == SAVINGS and options.chart is not None:
        raise UserError("savings have no days to be drawn: leave out --chart")
    if found.chart and options.chart is None:
        raise UserError("a chart needs a file to be drawn to: add --chart FILE")
    if found.kind == "help" and options.form == "json":
        asks = ", ".join(command.name for command in COMMANDS if command.name != "help")
        raise UserError(f"help has no JSON; ask for one of {asks}")
    return replace(found, versus=found.versus or options.vs_last, chart=options.chart is not None)


def _show(reply: CostAnswer | SavingsAnswer | CostHelp, options: CostOptions) -> None:
    from bot.cost_answer import CostAnswer  # noqa: PLC0415
    from bot.cost_page import compose  # noqa: PLC0415
    from bot.savings_answer import SavingsAnswer  # noqa: PLC0415

    if options.form == "json" and isinstance(reply, CostAnswer):
        from bot.cost_json import dump_cost  # noqa: PLC0415

        text = dump_cost(reply)
    elif options.form == "json" and isinstance(reply, SavingsAnswer):
        from bot.savings_json import dump_savings  # noqa: PLC0415

        text = dump_savings(reply)
    elif options.form == "markdown":
        from bot.cost_markdown import page_as_markdown  # noqa: PLC0415

        text = page_as_markdown(compose(reply))
    else:
        from bot.cost_terminal import page_as_text, show_on_terminal  # noqa: PLC0415

        if options.output is None and sys.stdout.isatty():
            show_on_terminal(compose(reply))
            return
        text = page_as_text(compose(reply), width=TEXT_WIDTH)
    put_out(text, options.output)
