"""`tuppence digest`: a week's digest as Slack gets it, on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bot.entrypoints.cli_options import FILE, config_option, output_option, prices_option

if TYPE_CHECKING:
    from bot.composition.digest_cli import DigestOptions


@click.command(short_help="Tell a team's week: what it cost, what moved it, what is worth approving.")
@click.option("--team", metavar="NAME", help="Whose week; without it, that of all teams, for finance.")
@click.option(
    "--week",
    metavar="2026-W47",
    help="Which week (ISO, Monday to Monday in UTC); default: the last that ended.",
)
@click.option("--prometheus", metavar="URL", help="Prometheus to read hours and utilisation from.")
@prices_option
@config_option
@click.option(
    "--repo",
    type=FILE,
    metavar="DIR",
    help="A git repository to look for savings in; default: what tuppence serve found, else the one here.",
)
@click.option(
    "--usage", type=FILE, metavar="FILE", help="A snapshot to judge savings by, instead of Prometheus."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Text for people, JSON for programs.",
)
@click.option(
    "--focus", type=FILE, metavar="FILE", help="Write every workload by day there, as FOCUS 1.2 CSV."
)
@output_option
@click.option(
    "--post", is_flag=True, help="Send it to its Slack channel as well, unless it is there already."
)
def digest(**options: Any) -> None:  # noqa: ANN401
    """Tell what a week cost, what moved it, and what is worth approving.

    \b
    tuppence digest                                 all teams, last week
    tuppence digest --team checkout --week 2026-W47
    tuppence digest --prometheus http://localhost:9090 --repo .
    tuppence digest --focus week.csv                for finance's tools

    Hours are read from Prometheus with --prometheus, else from the records that tuppence serve keeps at
    TUPPENCE_DATABASE_URL, else from PROMETHEUS_URL.

    Exit status: 0 fine; 2 a name is not known, or something could not be used.
    """  # noqa: D301 - \b keeps click from reflowing the lines
    from bot.composition import digest_cli as composition  # noqa: PLC0415

    chosen: DigestOptions = composition.DigestOptions(**options)
    composition.tell_digest(chosen)
