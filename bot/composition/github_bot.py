"""What the bot does on GitHub: the handlers with their real ports, as the steps of durable workflows."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Any

from bot.adapters.cron_runs import runs_per_month
from bot.adapters.git_cache import GitCache, GitRevisions
from bot.adapters.github_app import READ_FILES, AppTokens
from bot.adapters.github_checks import GitHubCheckRuns
from bot.adapters.github_comments import GitHubComments
from bot.adapters.github_people import GitHubPeople
from bot.adapters.github_pull_requests import GitHubPullRequests
from bot.adapters.github_reviews import GitHubReviews
from bot.adapters.records import Records
from bot.composition.allocation import kept_as
from bot.composition.clusters import ClustersHistory, known_clusters
from bot.composition.rehearsal import SaidCheckRuns, SaidComments, SaidReviews
from bot.composition.repository_prices import RepositoryPrices
from bot.entrypoints.github_jobs import GitHubWorkflows, Steps
from bot.github_events import (
    BaseMoved,
    CheckAsked,
    CommandWritten,
    InstallationChanged,
    PullRequestClosed,
    PullRequestRef,
    Repository,
    from_json,
)
from bot.handlers import comment_commands, measure_change, pull_request_report, review_suggestions
from bot.handlers.note_shown import note_shown
from bot.handlers.price_change import price_change
from bot.handlers.pull_request_report import Sight
from bot.manifests.render import make_renderer
from bot.policy import Policy
from bot.ports import CheckRuns, Comments, Tree
from bot.publication import CHECK_NAME, CheckOutput, Publication
from bot.pull_requests import PullRequestFacts
from bot.records import Head
from bot.redaction import Redactor
from bot.review_ports import Reviews
from bot.server_config import ServerConfig
from bot.settings import GitHubSettings, Settings
from bot.signed_marker import Markers
from bot.web_links import line_links, web_address
from estimators.guardrail import CrossedGuardrail
from estimators.report import Report

log = logging.getLogger(__name__)

Json = dict[str, Any]
SAY = partial(print, flush=True)
HOURS = 14 * 24
"""How far usage is looked back at."""


class GitHubBot:
    """Every step is one handler call."""

    def __init__(
        self,
        settings: Settings,
        config: ServerConfig,
        github: GitHubSettings,
        records: Records,
        redactor: Redactor,
        *,
        rehearsed: bool,
        answered: Callable[[int, int, Mapping[str, str]], None] = lambda _installation, _status, _headers: (
            None
        ),
    ) -> None:
        """`answered` is told of every answer of GitHub's; see AppTokens."""
        tokens = AppTokens(
            github.app_id, github.private_key, github.api_url, minted=redactor.add, answered=answered
        )
        self._settings, self._records = settings, records
        self._clusters = known_clusters(settings, config)
        self._kept_as = partial(kept_as, settings, config)
        self._web = web_address(github.api_url)
        self._pulls = GitHubPullRequests(tokens)
        markers = Markers(github.webhook_secrets)
        self._comments: Comments = GitHubComments(tokens, markers)
        self._reviews: Reviews = GitHubReviews(tokens, markers)
        self._check_runs: CheckRuns = GitHubCheckRuns(tokens)
        if rehearsed:
            self._comments, self._check_runs = SaidComments(SAY), SaidCheckRuns(SAY)
            self._reviews = SaidReviews(SAY)
        self._people = GitHubPeople(tokens)
        self._revisions = GitRevisions(
            GitCache(settings.cache / "repositories"),
            lambda ref: tokens.mint(ref.installation, ref.repository.id, READ_FILES).value,
            clone_base=github.clone_url,
        )

    def steps(self, *, analyse: Callable[[Json], Json]) -> Steps:
        """One handler call each; the one that takes long may be done elsewhere."""
        return Steps(
            look=self._look,
            begin=lambda told: self._say_check(told, None),
            analyse=analyse,
            comment=self._say_comment,
            check=self._check,
            finish=self._finish,
            suggest=self._suggest,
            apologise=self._apologise,
            command=self._command,
            answer=lambda ref, answer: comment_commands.say_answer(
                _ref(ref), comment_commands.Answer(**answer), comments=self._comments
            ),
            merged=self._merged,
            measure=self._measure,
            refs_of=self._refs_of,
        )

    def _look(self, told: Json) -> Json:
        ref = _ref(told)
        sight = pull_request_report.look(ref, pulls=self._pulls, heads=self._records.heads, now=_now)
        facts = sight.facts
        self._records.shown.note_state(ref.repository.id, ref.number, is_open=facts.open)
        reported = self._records.reports.newest(ref.repository.id, ref.number)
        check = self._records.checks.check(ref.repository.id, facts.head_sha, CHECK_NAME)
        same = reported is not None and (reported.head_sha, reported.base_sha) == (
            facts.head_sha,
            facts.base_sha,
        )
        return {
            "facts": facts.to_json(),
            "head": asdict(sight.head),
            "open": facts.open,
            "done": same and check is not None and check.status == "completed",
            "quiet_seconds": _now().timestamp() - sight.head.order / 1000,
        }

    def analyse(self, told: Json) -> Json:
        """Price the pull request, remember the report, and put into words what to say."""
        publication = pull_request_report.analyse(
            _sight(told).facts,
            revisions=self._revisions,
            price=self._price,
            links=lambda facts: line_links(self._web, facts),
            policies=self._records.policies,
            reports=self._records.reports,
            decisions=self._records.decisions,
            exceptions=self._records.recommendation_decisions,
            now=_now,
        )
        return publication.to_json()

    def _price(self, base: Tree, head: Tree, policy: Policy) -> tuple[Report, tuple[CrossedGuardrail, ...]]:
        sheets = {name: one.prices for name, one in self._clusters.items() if one.prices}
        priced = price_change(
            base,
            head,
            policy,
            today=_now().date(),
            render=make_renderer(),
            prices=RepositoryPrices(base, clusters=sheets),
            history=ClustersHistory(self._settings, self._clusters, HOURS),
            runs_per_month=runs_per_month,
        )
        return priced.report, priced.crossed

    def _say_comment(self, told: Json, publication: Json) -> None:
        pull_request_report.say_comment(
            _sight(told),
            Publication.from_json(publication),
            comments=self._comments,
            publications=self._records.publications,
        )

    def _say_check(self, told: Json, output: CheckOutput | None) -> None:
        pull_request_report.say_check(
            _sight(told).facts,
            output,
            check_runs=self._check_runs,
            checks=self._records.checks,
            shown=self._records.shown,
            name=CHECK_NAME,
        )

    def _check(self, told: Json, publication: Json) -> None:
        output = Publication.from_json(publication).check
        # First: whoever writes this commit's check after us must know of it.
        note_shown(_sight(told).facts, output, web=self._web, shown=self._records.shown, at=_now())
        self._say_check(told, output)

    def _apologise(self, told: Json, reason: str, again: bool) -> None:  # noqa: FBT001 - a step's argument
        self._say_check(told, pull_request_report.outage(reason, again=again))
        if not again:
            pull_request_report.say_failure(
                _sight(told), reason, comments=self._comments, publications=self._records.publications
            )

    def _finish(self, told: Json) -> None:
        pull_request_report.note_shown(
            _sight(told).facts, reports=self._records.reports, audit=self._records.audit, at=_now()
        )

    def _suggest(self, told: Json, publication: Json) -> None:
        standing = Publication.from_json(publication).suggestions
        if standing is None:
            return
        facts = _sight(told).facts
        refused = review_suggestions.offer(
            facts,
            standing,
            diffs=self._pulls,
            reviews=self._reviews,
            publications=self._records.publications,
        )
        for place in refused:
            log.warning("GitHub refused a suggestion on %s at %s", facts.ref.repository.full_name, place)

    def _command(self, ref: Json, told: Json) -> Json:
        """What a comment or the button *Explain* asks for."""
        event, records = from_json(told), self._records
        if isinstance(event, CheckAsked):
            answer = comment_commands.explain_report(_ref(ref), event.head_sha, reports=records.reports)
        elif isinstance(event, CommandWritten):
            answer = comment_commands.obey(
                event,
                pulls=self._pulls,
                people=self._people,
                reports=records.reports,
                decisions=records.decisions,
                now=_now,
            )
        else:
            raise TypeError(f"{told['kind']} asks for nothing")
        return asdict(answer)

    def _merged(self, told: Json) -> None:
        event, records = from_json(told), self._records
        if isinstance(event, PullRequestClosed):
            records.shown.note_state(event.ref.repository.id, event.ref.number, is_open=False)
            measure_change.remember(
                event, reports=records.reports, predictions=records.predictions, at=_now()
            )

    def start_measuring(self, work: GitHubWorkflows) -> None:
        """Start the measuring of every change that was merged long enough ago; once a day each."""
        now = _now()
        for prediction in self._records.predictions.due(now):
            work.measure(dict(prediction.reference), f"{now:%Y-%m-%d}")

    def _measure(self, ref: Json) -> None:
        """Tell how what was said of a merged pull request compares with what happened."""
        for prediction in self._records.predictions.due(_now()):
            if (prediction.repository, prediction.number) == (ref["repository"]["id"], ref["number"]):
                measure_change.measure(
                    prediction,
                    costs=self._records.costs,
                    kept_as=self._kept_as,
                    comments=self._comments,
                    predictions=self._records.predictions,
                    at=_now(),
                )

    def _refs_of(self, told: Json) -> list[Json]:
        event = from_json(told)
        if isinstance(event, CheckAsked):
            if event.ref is not None:
                return [asdict(event.ref)]
            refs = self._pulls.open_ones(event.installation, event.repository)
            return [asdict(ref) for ref in refs if self._pulls.facts(ref).head_sha == event.head_sha]
        if isinstance(event, BaseMoved):
            found = self._pulls.open_ones(event.installation, event.repository, event.branch)
        elif isinstance(event, InstallationChanged) and event.action in {"created", "added", "unsuspend"}:
            found = [
                ref for each in event.repositories for ref in self._pulls.open_ones(event.installation, each)
            ]
        else:
            found = []
        return [asdict(ref) for ref in found]


def _ref(told: Json) -> PullRequestRef:
    return PullRequestRef(**{**told, "repository": Repository(**told["repository"])})


def _sight(told: Json) -> Sight:
    return Sight(PullRequestFacts.from_json(told["facts"]), Head(**told["head"]))


def _now() -> datetime:
    return datetime.now(UTC)
