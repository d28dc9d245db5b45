"""The composition root: what each command needs, bound to the real things.

With `bot/composition/` the only place that knows every adapter. Imports are inside the functions:
each command pays for what it uses.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bot.composition.output import put_out
from bot.errors import UserError

if TYPE_CHECKING:
    from bot.composition.repository_prices import RepositoryPrices
    from bot.handlers.price_change import Priced
    from bot.page_details import Links
    from bot.policy import Policy
    from bot.ports import Tree

TEXT_WIDTH = 100
"""Columns of a text report that goes into a file or a pipe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffOptions:
    """What `tuppence diff` was asked; the fields are its options."""

    base: str | None = None
    head: str | None = None
    repo: Path = Path()
    base_dir: Path | None = None
    head_dir: Path | None = None
    policy: Path | None = None
    env: str | None = None
    prices: Path | None = None
    prometheus: str | None = None
    usage: Path | None = None
    kube_context: str | None = None
    window: int = 14 * 24
    form: str = "text"
    fail_on: str | None = None
    details: bool = False
    output: Path | None = None
    unsafe_render: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """What `tuppence usage export` was asked."""

    output: Path
    prometheus: str | None = None
    namespaces: tuple[str, ...] = ()
    kube_context: str | None = None
    window: int = 14 * 24


def diff(options: DiffOptions) -> bool:
    """Price a change and show it; True where a guardrail or `fail_on` was crossed."""
    from estimators.report import Verdict  # noqa: PLC0415

    priced = price(options)
    show(priced, options)
    worst = tuple(Verdict)
    failed = options.fail_on is not None and worst.index(priced.report.verdict) <= worst.index(
        Verdict(options.fail_on)
    )
    return failed or bool(priced.crossed)


def price(options: DiffOptions) -> Priced:
    """Everything of `diff` but the showing."""
    from bot.adapters.cron_runs import runs_per_month  # noqa: PLC0415
    from bot.composition.live import history_for  # noqa: PLC0415
    from bot.handlers.price_change import price_change  # noqa: PLC0415
    from bot.manifests.render import make_renderer  # noqa: PLC0415
    from bot.progress import progress_bar  # noqa: PLC0415

    with _trees(options) as (base, head), progress_bar("Rendering") as progress:
        return price_change(
            base,
            head,
            _policy(options, base, head),
            environment=options.env,
            repository_urls=_addresses(options),
            today=datetime.now(UTC).date(),
            render=make_renderer(unsafe=options.unsafe_render, progress=progress),
            prices=_prices(options, base),
            history=history_for(
                prometheus=options.prometheus,
                usage=options.usage,
                kube_context=options.kube_context,
                hours=options.window,
            ),
            runs_per_month=runs_per_month,
        )


@contextmanager
def _trees(options: DiffOptions) -> Iterator[tuple[Tree, Tree]]:
    folders = (options.base_dir, options.head_dir)
    if any(folders):
        if None in folders or options.base:
            raise UserError("--base-dir and --head-dir go together, and without BASE and HEAD")
        from bot.adapters.folder_tree import FolderTree  # noqa: PLC0415

        yield FolderTree(folders[0]), FolderTree(folders[1])  # type: ignore[arg-type]
        return
    from bot.adapters.git_trees import open_trees  # noqa: PLC0415

    with open_trees(options.repo, options.base, options.head) as trees:
        yield trees


def _addresses(options: DiffOptions) -> tuple[str, ...]:
    """Where the repository is fetched from; nowhere for two folders."""
    if options.base_dir is not None:
        return ()
    from bot.adapters.git_commands import Git  # noqa: PLC0415
    from bot.adapters.git_trees import remote_urls  # noqa: PLC0415

    return remote_urls(Git(options.repo))


def _policy(options: DiffOptions, base: Tree, head: Tree) -> Policy:
    """The policy a person named, else the base's, which a change cannot loosen; else the head's first one."""
    from bot.policy import FILE_NAME, Policy, parse  # noqa: PLC0415

    if options.policy is not None:
        return parse(_text(options.policy, "--policy"), str(options.policy))
    for tree in (base, head):
        if FILE_NAME in tree.paths():
            [(_, data)] = tree.read([FILE_NAME])
            return parse(data.decode("utf-8", "replace"), FILE_NAME)
    return Policy()


def _text(path: Path, option: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{option} {path}: is not UTF-8 text; save it as UTF-8") from error
    except OSError as error:
        raise UserError(f"{option} {path}: cannot be read: {error.strerror}") from error


def _prices(options: DiffOptions, base: Tree) -> RepositoryPrices:
    """A named sheet is read at once: a mistake in it is worth saying even where nothing is priced."""
    from bot.adapters.price_files import read_prices  # noqa: PLC0415
    from bot.composition.repository_prices import RepositoryPrices  # noqa: PLC0415

    return RepositoryPrices(base, None if options.prices is None else read_prices(options.prices))


def show(priced: Priced, options: DiffOptions) -> None:
    """Write the report where and as it was asked for."""
    from bot.comment import render_comment  # noqa: PLC0415
    from bot.report_json import dump_report  # noqa: PLC0415
    from bot.terminal import report_as_text, show_report  # noqa: PLC0415

    links = _links(options)
    if options.form == "json":
        text = dump_report(priced.report, priced.crossed)
    elif options.form == "markdown":
        text = render_comment(priced.report, links=links, crossed=priced.crossed)
    elif options.output is None and sys.stdout.isatty():
        from rich.console import Console  # noqa: PLC0415

        show_report(priced.report, Console(), links=links, crossed=priced.crossed, details=options.details)
        return
    else:
        text = report_as_text(
            priced.report, width=TEXT_WIDTH, links=links, crossed=priced.crossed, details=options.details
        )
    put_out(text if text.endswith("\n") or options.output else f"{text}\n", options.output)


def _links(options: DiffOptions) -> Links:
    """Files on this machine, for a terminal that can open them; other formats have no address to link to."""
    folder = options.head_dir or (options.repo if options.head is None else None)
    if folder is None or options.form != "text":
        return lambda _source, _side: ""
    root = folder.resolve()
    return lambda source, side: (root / source.file).as_uri() if side == "after" and source.file else ""


def export_usage(options: ExportOptions) -> str:
    """Write a snapshot and say what is in it."""
    from bot.composition.live import export  # noqa: PLC0415
    from bot.settings import from_env  # noqa: PLC0415

    return export(
        from_env(),
        options.output,
        prometheus=options.prometheus,
        namespaces=options.namespaces,
        kube_context=options.kube_context,
        hours=options.window,
    )


def init(folder: Path, *, force: bool) -> str:
    """Write a starter policy and say what was found."""
    from bot.handlers.init_policy import init_policy  # noqa: PLC0415

    return init_policy(folder, force=force)


def check_config(file: Path) -> str:
    """Check a policy or the server's settings."""
    from functools import partial  # noqa: PLC0415

    from bot.composition.clusters import read_sheet  # noqa: PLC0415
    from bot.handlers.check_config import check_config as check  # noqa: PLC0415

    return check(file, sheet=partial(read_sheet, file.parent))
