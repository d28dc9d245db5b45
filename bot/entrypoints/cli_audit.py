"""`tuppence audit`: the bot's decisions and who made them."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bot.composition.output import put_line
from bot.entrypoints.cli_options import output_option

NOT_WHOLE = 1


@click.group(short_help="Who approved, rejected or changed what.")
def audit() -> None:
    """Who approved, rejected or changed what: list it, verify it, take it along.

    The rows are in the database that TUPPENCE_DATABASE_URL names.
    """


@audit.command("list")
@click.option(
    "--last",
    type=click.IntRange(1),
    default=50,
    show_default=True,
    metavar="N",
    help="How many of the newest.",
)
@click.option("--subject", default="", metavar="NAME", help="Only rows on this, such as shop/manifests#12.")
@click.option("--actor", default="", metavar="LOGIN", help="Only rows of this person.")
def list_rows(last: int, subject: str, actor: str) -> None:
    """Show the newest audit rows, oldest first."""
    from bot.composition import store  # noqa: PLC0415

    put_line(store.list_audit(last=last, subject=subject, actor=actor))


@audit.command()
@click.option(
    "--noted", default="", metavar="HASH", help="A hash that verify printed earlier: it must still be there."
)
def verify(noted: str) -> None:
    """Check that no audit row was changed, removed or inserted.

    Exit status: 0 all rows are whole, or there are none; 1 they are not, with a line for each problem.
    """
    from bot.composition import store  # noqa: PLC0415

    text, whole = store.verify_audit(noted)
    put_line(text)
    sys.exit(0 if whole else NOT_WHOLE)


@audit.command(short_help="Write every audit row as a line of JSON.")
@output_option
def export(output: Path | None) -> None:
    """Write every audit row as a line of JSON, with the hashes that others can check."""
    from bot.composition import store  # noqa: PLC0415

    store.export_audit(output)
