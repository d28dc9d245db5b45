"""The part of the composition root that tells a week's digest on the command line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bot.composition.output import put_out, write_file
from bot.composition.store import scratch_records
from bot.errors import SlackRefused, SlackUnavailable, UserError
from bot.unused import NOT_ASKED
from bot.weeks import IsoWeek, last_ended, parse_week

if TYPE_CHECKING:
    from bot.adapters.records import Records
    from bot.composition.digests import DigestPosts
    from bot.cost_memory import HoursInMemory
    from bot.cost_ports import ChargedHours
    from bot.digest import Digest
    from bot.digest_slack import Picture
    from bot.ports import Predictions
    from bot.recommendation_ports import RecommendationDecisions, Recommendations, RightSizingPulls
    from bot.server_config import ServerConfig
    from bot.settings import Settings
    from bot.unused import UnusedNow

_NO_HOURS = "A snapshot has utilisation, but no costs: add --prometheus URL for what was spent."
TEXT_WIDTH = 110
"""Columns of a digest that goes into a file or a pipe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestOptions:
    """What `tuppence digest` was asked; the fields are its options."""

    team: str | None = None
    week: str | None = None
    prometheus: str | None = None
    prices: Path | None = None
    config: Path | None = None
    repo: Path | None = None
    usage: Path | None = None
    form: str = "text"
    focus: Path | None = None
    output: Path | None = None
    post: bool = False


class _Known(NamedTuple):
    """Where savings, and what became of them, are looked up."""

    recommendations: Recommendations
    decisions: RecommendationDecisions
    pulls: RightSizingPulls
    predictions: Predictions


def tell_digest(
    options: DigestOptions,
    *,
    now: datetime | None = None,
    settings: Settings | None = None,
    config: ServerConfig | None = None,
    measured: HoursInMemory | None = None,
) -> None:
    """Tell it, or raise UserError with the reason and the way out; OutsideError where Slack said no.

    `settings` and `config` are those of the environment and of the files, where none are given.
    `measured` are hours that are known already, for where there is nobody to ask.
    """
    from bot.composition.clusters import read_config  # noqa: PLC0415
    from bot.composition.cost_hours import hours_between  # noqa: PLC0415
    from bot.composition.cost_sources import CostSources  # noqa: PLC0415
    from bot.cost_memory import HoursInMemory  # noqa: PLC0415
    from bot.digest_costs import hours_for_digest  # noqa: PLC0415
    from bot.settings import from_env  # noqa: PLC0415

    now = now or datetime.now(UTC)
    _check(options)
    week = _week(options.week, now)
    settings = from_env() if settings is None else settings
    config = read_config(options.config) if config is None else config
    sources = CostSources(settings, config, options.prometheus, options.prices)
    with ExitStack() as stack:
        hours = hours_for_digest(week)
        # A recording has no hours, but what is worth approving can be told by it alone.
        nothing = HoursInMemory(week.end) if options.usage is not None and options.focus is None else None
        costs = stack.enter_context(
            sources.hours(lambda found: hours_between(found, hours), instead=measured or nothing)
        )
        unused = NOT_ASKED if options.usage is not None else sources.unused()
        telling = _Telling(options, settings, config, costs, unused, week, now)
        digest = telling.digest(stack.enter_context(telling.known()))
        if costs is nothing:
            digest = replace(digest, notes=(*digest.notes, _NO_HOURS))
        if options.focus is not None:
            telling.export(options.focus)
        _show(digest, options)
        if options.post:
            telling.post(digest)


def _check(options: DigestOptions) -> None:
    if options.usage is not None and options.prometheus is not None:
        raise UserError("--usage and --prometheus are two sources for the same numbers: name one of them")
    if options.focus is not None and options.team is not None:
        raise UserError("--focus has the costs of all teams: leave out --team")
    named = [name for name in ("repo", "usage", "prometheus", "prices") if getattr(options, name) is not None]
    if options.post and named:
        raise UserError(
            f"--post sends what tuppence serve would: leave out {' and '.join(f'--{name}' for name in named)}"
        )


def _week(text: str | None, now: datetime) -> IsoWeek:
    newest = last_ended(now)
    if text is None:
        return newest
    week = parse_week(text)
    if week > newest:
        raise UserError(f"--week {week} has not ended yet: the newest that has is {newest}")
    return week


@dataclass(frozen=True, slots=True)
class _Telling:
    """One digest, with what it is made of."""

    options: DigestOptions
    settings: Settings
    config: ServerConfig
    costs: ChargedHours
    unused: UnusedNow
    week: IsoWeek
    now: datetime

    def digest(self, known: _Known) -> Digest:
        """Made. Raises UserError for a team that nobody knows."""
        from bot.cost_answer import CostRefusal  # noqa: PLC0415
        from bot.handlers.weekly_digest import weekly_digest  # noqa: PLC0415
        from bot.settings import serving_from_env  # noqa: PLC0415
        from bot.web_links import web_address  # noqa: PLC0415

        github = serving_from_env().github
        found = weekly_digest(
            self.options.team or "",
            self.week,
            costs=self.costs,
            recommendations=known.recommendations,
            decisions=known.decisions,
            pulls=known.pulls,
            predictions=known.predictions,
            config=self.config,
            at=self.now,
            unused=self.unused,
            web=web_address(github.api_url) if github else "",
        )
        if isinstance(found, CostRefusal):
            asks = " or ".join(f"--team {ask.name}" for ask in found.suggestions)
            meant = f" Did you mean {asks}?" if asks else ""
            raise UserError(f"{' '.join(found.sentences)}{meant}")
        return found

    @contextmanager
    def known(self) -> Iterator[_Known]:
        """What the records have, or in a store that is thrown away what is found now in a repository."""
        from bot.adapters.records import Records  # noqa: PLC0415 - slow to import
        from bot.composition.savings_here import SavingsHere  # noqa: PLC0415

        with ExitStack() as stack:
            kept = stack.enter_context(closing(Records(self.settings.database_url)))
            if not kept.costs.clusters():
                if self.options.post:
                    raise UserError(
                        "--post needs the records of tuppence serve: set TUPPENCE_DATABASE_URL as it is there"
                    )
                kept = stack.enter_context(scratch_records())
            elif not self._looks_here() and (self.options.post or kept.recommendations.scans()):
                yield _known(kept, kept)
                return
            found = stack.enter_context(scratch_records())
            look = SavingsHere(self.settings, self.config, self.options.prometheus, self.options.usage)
            look.find(self.options.repo, self.options.prices, store=found, now=self.now)
            yield _known(found, kept)

    def _looks_here(self) -> bool:
        """Whether a person named what savings are to be found in, or judged by."""
        named = (self.options.repo, self.options.usage, self.options.prometheus)
        return any(one is not None for one in named)

    def export(self, file: Path) -> None:
        """Write finance's CSV."""
        write_file(file, "--focus", self._focus())

    def _focus(self) -> bytes:
        from bot.handlers.focus_export import export_focus  # noqa: PLC0415

        return export_focus(self.week, costs=self.costs, config=self.config).encode()

    def post(self, digest: Digest) -> None:
        """Send it, with its picture and finance's file, and say where it is."""
        from bot.adapters.records import Records  # noqa: PLC0415
        from bot.composition.digests import DigestPosts, channels  # noqa: PLC0415
        from bot.digest import ALL_TEAMS  # noqa: PLC0415
        from bot.digest_json import digest_json  # noqa: PLC0415
        from bot.settings import serving_from_env  # noqa: PLC0415

        slack = serving_from_env().slack
        if slack is None:
            raise UserError(
                "--post needs Slack: set SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET, see docs/slack-app.md"
            )
        if digest.team not in channels(self.config):
            key = f"channel of team {digest.team}" if digest.team else "digest.finance_channel"
            raise UserError(f"--post knows no channel: set {key} in tuppence.yaml")
        if digest.total is None:
            raise UserError(f"--post sends no digest of {self.week}: no hour of it was measured")
        with closing(Records(self.settings.database_url)) as records:
            posts = DigestPosts(self.config, slack, records)
            picture = None if digest.quiet else _picture(digest, posts)
            posted = posts.post(digest.team, str(self.week), digest_json(digest), picture, self.now)
            if digest.team == ALL_TEAMS:
                posts.attach(str(self.week), self._focus())
        said = "Posted to" if posted["new"] else "Already posted to"
        sys.stderr.write(f"{said} {posted['channel']}.\n")


def _picture(digest: Digest, posts: DigestPosts) -> Picture | None:
    """None where Slack does not take it: then the days are told as a row of bars."""
    from bot.digest_chart import digest_chart  # noqa: PLC0415 - matplotlib takes a second

    chart = digest_chart(digest)
    try:
        return posts.show(digest.team, digest.week, chart.png, chart.alt)
    except (SlackUnavailable, SlackRefused):
        return None


def _known(found: Records, kept: Records) -> _Known:
    return _Known(found.recommendations, found.recommendation_decisions, kept.right_sizing, kept.predictions)


def _show(digest: Digest, options: DigestOptions) -> None:
    if options.form == "json":
        from bot.digest_json import dump_digest  # noqa: PLC0415

        text = dump_digest(digest)
    else:
        from bot.digest_text import digest_as_text, show_on_terminal  # noqa: PLC0415

        if options.output is None and sys.stdout.isatty():
            show_on_terminal(digest)
            return
        text = digest_as_text(digest, width=TEXT_WIDTH)
    put_out(text, options.output)
