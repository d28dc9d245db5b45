"""The command line: `tuppence diff`, `usage export`, `init`, `check-config`, `demo`, `audit`, `serve`...

Everything heavy is imported by the command that needs it, so that `--help` is there at once.
"""

from __future__ import annotations

import errno
import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import bot
from bot.composition.output import open_standard_output, put_line
from bot.entrypoints.cli_audit import audit
from bot.entrypoints.cli_cost import cost
from bot.entrypoints.cli_digest import digest
from bot.entrypoints.cli_options import FILE, output_option, prices_option
from bot.entrypoints.cli_replay import replay
from bot.errors import OutsideError, UserError

if TYPE_CHECKING:
    from bot.app import DiffOptions

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
GUARDRAIL_CROSSED = 1
UNUSABLE = 2
COLLECT_EVERY = (20_000, 20, 20)
"""Nearly all that a command makes it keeps to its end: looking for garbage at Python's pace of 700, 10, 10
takes a sixth of the time of a big change and finds none. This pace needs no more memory."""


class Days(click.ParamType[int]):
    """A time back from now, such as `14d`, `36h`: whole days or hours, given as hours."""

    name = "14d"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ANN401
        """Hours. Fails for anything but digits and a unit, and for more than a year."""
        if isinstance(value, int):
            return value
        number, unit = str(value)[:-1], str(value)[-1:]
        if number.isascii() and number.isdigit() and len(number) < 5 and unit in {"h", "d"}:
            hours = int(number) * (24 if unit == "d" else 1)
            if 0 < hours <= 366 * 24:
                return hours
        return self.fail(f"{str(value)[:40]!r} is not a time: write 14d or 36h, at most 366d", param, ctx)


def window_option(command: Any) -> Any:  # noqa: ANN401
    """`--window`."""
    return click.option(
        "--window",
        type=Days(),
        default="14d",
        show_default=True,
        metavar="14d",
        help="How much history to look at, back from now or from the end of the snapshot.",
    )(command)


def details_option(command: Any) -> Any:  # noqa: ANN401
    """`--details`."""
    return click.option(
        "--details", is_flag=True, help="Text with the arithmetic, the evidence and every workload as well."
    )(command)


@click.group(context_settings=_CONTEXT)
@click.version_option(bot.__version__, prog_name="tuppence")
def cli() -> None:
    """Say what a Kubernetes change costs a month, and what it may break.

    Start with `tuppence diff` in a repository of manifests, or with `tuppence demo` anywhere.
    """


@cli.command(short_help="Price a change and say what it may break.")
@click.argument("base", required=False)
@click.argument("head", required=False)
@click.option("--repo", type=FILE, default=Path(), metavar="DIR", help="The git repository; may be bare.")
@click.option("--base-dir", type=FILE, metavar="A", help="A folder before the change, instead of a revision.")
@click.option("--head-dir", type=FILE, metavar="B", help="The folder after the change.")
@click.option("--policy", type=FILE, metavar="FILE", help="Policy instead of the base's .tuppence.yaml.")
@click.option("--env", metavar="NAME", help="Only this environment.")
@prices_option
@click.option("--prometheus", metavar="URL", help="Prometheus to read live utilisation from.")
@click.option("--usage", type=FILE, metavar="FILE", help="A snapshot made by `tuppence usage export`.")
@click.option("--kube-context", metavar="NAME", help="Read live facts from this kubeconfig context.")
@window_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="Text for people, Markdown for a comment, JSON for programs.",
)
@details_option
@click.option(
    "--fail-on", type=click.Choice(["caution", "risky"]), help="Exit 1 at this verdict or a worse one."
)
@output_option
@click.option("--unsafe-render", is_flag=True, help="Render charts although this system cannot contain them.")
def diff(**options: Any) -> None:  # noqa: ANN401
    """Price the change from BASE to HEAD and say what it may break.

    \b
    tuppence diff                            HEAD against the working tree
    tuppence diff main                       where you left main, against the working tree
    tuppence diff v1.2 v1.3                  exactly these two revisions
    tuppence diff --base-dir A --head-dir B  two folders, without git

    Without live utilisation it tells the cost, and calls a cut unknown, never safe:

    \b
    tuppence diff main --prometheus http://localhost:9090
    tuppence diff main --usage usage.json    a file from tuppence usage export

    Exit status: 0 fine; 1 a guardrail or --fail-on was crossed; 2 something could not be used.
    """  # noqa: D301 - \b keeps click from reflowing the lines
    from bot import app  # noqa: PLC0415

    chosen: DiffOptions = app.DiffOptions(**options)
    sys.exit(GUARDRAIL_CROSSED if app.diff(chosen) else 0)


@cli.group(short_help="Take live utilisation along as a file.")
def usage() -> None:
    """Take live utilisation along as a file, for machines that cannot reach Prometheus."""


@usage.command()
@click.option("--prometheus", metavar="URL", help="Prometheus to read; default: PROMETHEUS_URL.")
@click.option(
    "--namespace", "namespaces", multiple=True, metavar="NS", help="Only this one; may be repeated."
)
@click.option("--kube-context", metavar="NAME", help="Read live facts from this kubeconfig context.")
@window_option
@click.option("--output", type=FILE, required=True, metavar="FILE", help="The snapshot to write.")
def export(**options: Any) -> None:  # noqa: ANN401
    """Write the snapshot that `tuppence diff --usage` reads.

    \b
    tuppence usage export --prometheus http://localhost:9090 --output usage.json
    """  # noqa: D301 - \b keeps click from reflowing the lines
    from bot import app  # noqa: PLC0415

    put_line(app.export_usage(app.ExportOptions(**options)))


@cli.command(short_help="Write a starter .tuppence.yaml.")
@click.option("--repo", type=FILE, default=Path(), metavar="DIR", help="The repository to look at.")
@click.option("--force", is_flag=True, help="Replace a .tuppence.yaml that is already there.")
def init(repo: Path, *, force: bool) -> None:
    """Write a commented starter .tuppence.yaml from what is found in the repository.

    \b
    tuppence init
    tuppence check-config .tuppence.yaml    after editing it
    """  # noqa: D301 - \b keeps click from reflowing the lines
    from bot import app  # noqa: PLC0415

    put_line(app.init(repo, force=force))


@cli.command("check-config", short_help="Find every mistake of a configuration file.")
@click.argument("file", type=FILE)
def check_config(file: Path) -> None:
    """Find every mistake of a .tuppence.yaml or tuppence.yaml, each with its line."""
    from bot import app  # noqa: PLC0415

    put_line(app.check_config(file))


@cli.command(short_help="Show the whole story on sample data.")
@click.option("--keep", type=FILE, metavar="DIR", help="Leave the sample repository there to play with.")
@details_option
def demo(keep: Path | None, *, details: bool) -> None:
    """Show the whole story on sample data: offline, no accounts.

    \b
    tuppence demo
    tuppence demo --keep sample    leaves the sample repository in ./sample
    """  # noqa: D301 - \b keeps click from reflowing the lines
    from bot.composition.demo import demo as tell  # noqa: PLC0415

    tell(keep, details=details)


@cli.command(short_help="Run the bot: on pull requests, and in Slack.")
@click.option(
    "--config",
    "file",
    type=FILE,
    metavar="FILE",
    help="Clusters and teams; default: ./tuppence.yaml, where it is there.",
)
@click.option("--dry-run", is_flag=True, help="Print what would be written on GitHub; records are not kept.")
def serve(*, file: Path | None, dry_run: bool) -> None:
    """Run the bot: a comment and a check on every pull request; questions, digests and approvals in Slack.

    The environment says what it serves: the GitHub App, Slack, the database, Prometheus. The file describes
    clusters and teams; tuppence check-config checks it.
    """
    from bot.composition.clusters import read_config  # noqa: PLC0415
    from bot.settings import from_env, serving_from_env  # noqa: PLC0415

    given = (from_env(), serving_from_env(), read_config(file))
    if dry_run:
        from bot.composition.rehearsal import dry_run as rehearse  # noqa: PLC0415

        rehearse(*given)
        return
    from bot.composition.server import serve as run  # noqa: PLC0415

    run(*given)


cli.add_command(audit)
cli.add_command(cost)
cli.add_command(digest)
cli.add_command(replay)


def main() -> None:
    """Run a command. What a person can mend is one line on stderr, and exit status 2."""
    gc.set_threshold(*COLLECT_EVERY)
    open_standard_output()
    try:
        cli(prog_name="tuppence", standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(UNUSABLE)
    except click.ClickException as error:
        command = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "tuppence"
        reason = " ".join(error.format_message().split()).removesuffix(".")
        click.echo(f"tuppence: {reason}: see {command} --help", err=True)
        sys.exit(UNUSABLE)
    except click.Abort:
        sys.exit(130)
    except (UserError, OutsideError) as error:
        click.echo(f"tuppence: {error}", err=True)
        sys.exit(UNUSABLE)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        place = f" for {error.filename}" if error.filename else ""
        click.echo(f"tuppence: no space left on device{place}: free some, and run it again", err=True)
        sys.exit(UNUSABLE)
