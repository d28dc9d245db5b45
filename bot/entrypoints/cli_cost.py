"""`tuppence cost`: what things cost, and why. Its questions are those of bot/cost_commands.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bot.cost_commands import COMMANDS, WINDOWS
from bot.entrypoints.cli_options import FILE, config_option, output_option, prices_option

if TYPE_CHECKING:
    from bot.composition.cost import CostOptions

_QUESTIONS = "\n".join(
    f"tuppence cost {f'{command.name} {command.example}'.strip():<25}{command.meaning}"
    for command in COMMANDS
    if command.name != "help"
)
_WINDOWS = "; ".join(f"{window.name}: {window.meaning}" for window in WINDOWS)
_HELP = f"""\
Say what a namespace, a team or a workload costs, what moved it, and where the month is heading.

\b
{_QUESTIONS}

Hours are read from Prometheus with --prometheus, else from the records that tuppence serve keeps at
TUPPENCE_DATABASE_URL, else from PROMETHEUS_URL.

Exit status: 0 fine; 2 a name is not known, or something could not be used.
"""


@click.command(help=_HELP, short_help="Say what a namespace, a team or a workload costs, and why.")
@click.argument("words", nargs=-1, metavar="QUESTION")
@click.option(
    "--window",
    type=click.Choice([window.name for window in WINDOWS]),
    help=f"{_WINDOWS}. Default: {WINDOWS[0].name}.",
)
@click.option("--vs-last", is_flag=True, help="Part by part, beside the window before it.")
@click.option("--prometheus", metavar="URL", help="Prometheus to read the hours from.")
@prices_option
@config_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="Text for people, Markdown for a page, JSON for programs.",
)
@click.option("--chart", type=FILE, metavar="FILE", help="Draw the days there as a PNG, too.")
@output_option
def cost(**options: Any) -> None:  # noqa: ANN401
    """Ask what something costs; the help is made of the table of questions."""
    from bot.composition import cost as composition  # noqa: PLC0415

    chosen: CostOptions = composition.CostOptions(**options)
    composition.tell_cost(chosen)
