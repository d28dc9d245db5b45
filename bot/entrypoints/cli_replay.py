"""`tuppence replay`: a webhook sent to a running bot."""

from __future__ import annotations

from pathlib import Path

import click

from bot.composition.output import put_line


@click.command()
@click.argument("file", metavar="EVENT.json", type=click.Path(path_type=Path))
@click.option("--event", required=True, metavar="NAME", help="GitHub's name of the event: pull_request.")
@click.option(
    "--url",
    default="http://127.0.0.1:8080",
    show_default=True,
    metavar="URL",
    help="Where the bot runs.",
)
@click.option(
    "--sign",
    default="GITHUB_WEBHOOK_SECRET",
    show_default=True,
    metavar="SECRET_ENV",
    help="The environment variable that holds the webhook secret.",
)
def replay(file: Path, event: str, url: str, sign: str) -> None:
    """Send a signed webhook to a running bot, as GitHub would.

    EVENT.json is sent as it is. GitHub shows the payload of each delivery under the App's settings, Advanced.
    """
    from bot.composition import rehearsal  # noqa: PLC0415

    put_line(rehearsal.replay(file, event=event, url=url, sign=sign))
