"""Savings on default branches: the steps of their durable workflows, and when they are started."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import partial

from bot.adapters.cron_runs import runs_per_month
from bot.adapters.git_cache import GitCache
from bot.adapters.github_app import AppTokens
from bot.adapters.github_branches import GitHubBranches
from bot.adapters.github_right_sizing import GitHubRightSizing
from bot.adapters.records import Records
from bot.composition.allocation import kept_as, priced_clusters
from bot.composition.clusters import ClustersHistory, known_clusters
from bot.composition.processes import RESTS_AFTER, Processes, ends_after
from bot.composition.repository_prices import RepositoryPrices
from bot.cost_config import owners
from bot.entrypoints.jobs import Json
from bot.entrypoints.savings_jobs import SavingsWorkflows, Steps
from bot.handlers import automate_savings
from bot.handlers.check_stale import difference, may_be_untrue
from bot.handlers.find_savings import KILLS_DAYS, WINDOW_DAYS, find_savings, note_unseen
from bot.handlers.right_size import Became, RightSizingPorts, open_pull, upkeep
from bot.logs import configure
from bot.manifests.render import make_renderer
from bot.recommendation_json import place_from, place_json
from bot.recommendation_records import KeptRecommendation
from bot.redaction import Redactor
from bot.server_config import ServerConfig
from bot.settings import GitHubSettings, Settings
from bot.signed_marker import Markers
from bot.web_links import web_address
from estimators.audit_chain import AuditFact

AT_ONCE = 2
"""Branches are looked at one after the other; meanwhile a click opens its pull request."""
LONGEST_SECONDS = 1800
_HOUR = "%Y-%m-%dT%H"
Answered = Callable[[int, int, Mapping[str, str]], None]
_looking: _Looking


class Savings:
    """The steps, and the processes that take the heavy ones."""

    def __init__(
        self,
        settings: Settings,
        config: ServerConfig,
        github: GitHubSettings,
        records: Records,
        secrets: Sequence[str],
        *,
        minted: Callable[[str], None],
        answered: Answered,
    ) -> None:
        """`minted` is told of every token, `answered` of every answer of GitHub's; see AppTokens."""
        self._config, self._records = config, records
        self._branches = _branches(settings, github, _tokens(github, minted, answered))
        self._asked = bool(priced_clusters(settings, config))
        # Whoever names teams after the first start is not to wait for tomorrow's look.
        told = repr((settings.prometheus.url, config)).encode()
        self._told = hashlib.sha256(told).hexdigest()[:8]
        given = (settings, config, github, tuple(secrets))
        self._processes = Processes("look for savings", AT_ONCE, _begin, given, rests_after=RESTS_AFTER)
        self.stop = self._processes.stop

    def start(self, work: SavingsWorkflows) -> None:
        """Look at what was not looked at today. Without any Prometheus there is nothing to recommend from."""
        if self._asked:
            work.scans(f"{_now():{_HOUR}}", self._told)

    def steps(self, tell: Callable[[str, Json], bool], tell_approver: Callable[[str, Json], None]) -> Steps:
        """One handler call each; those that tell are about Slack."""
        return Steps(
            installed=self._installed,
            seen=self._seen,
            pushed=self._pushed,
            scan=self._scan,
            open_subjects=self._open_subjects,
            upkeep=self._upkeep,
            subject_of_pull=self._subject_of_pull,
            due=self._due,
            subject_of=self._subject_of,
            open_pull=self._open_pull,
            tell=tell,
            tell_approver=tell_approver,
        )

    def check_stale(self, kept: KeptRecommendation) -> str:
        """What has changed since it was found, `""` where it holds. Raises OutsideError."""
        return self._processes.call(_check_stale, kept)

    def _installed(self) -> list[Json]:
        """What was found in a repository that is gone, or not to be looked at any more, is not proposed."""
        found = self._branches.installed()
        places = [place for place in found if self._config.scans(place.repository.full_name)]
        self._records.recommendations.keep_only([place.repository.id for place in places])
        return [place_json(place) for place in places]

    def _seen(self) -> list[int]:
        return [scan.repository for scan in self._records.recommendations.scans()]

    def _pushed(self, place: Json, files: Sequence[str] | None) -> Json | None:
        repository, records = place_from(place).repository, self._records
        if not (self._asked and self._config.scans(repository.full_name)) or not may_be_untrue(
            repository.id, files, recommendations=records.recommendations, pulls=records.right_sizing
        ):
            return None
        now = _now()
        following = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        told = {"hour": f"{now:{_HOUR}}", "next": f"{following:{_HOUR}}"}
        return {**told, "seconds": (following - now).total_seconds()}

    def _scan(self, place: Json) -> Json:
        try:
            return self._processes.call(_scan, place)
        except Exception:
            note_unseen(place_from(place), recommendations=self._records.recommendations, at=_now())
            raise

    def _upkeep(self, place: Json, subject: str) -> Json | None:
        return self._processes.call(_upkeep, place, subject)

    def _open_pull(self, recommendation: str) -> Json | None:
        return self._processes.call(_open_pull, recommendation)

    def _open_subjects(self, place: Json) -> list[str]:
        pulls = self._records.right_sizing.open_ones(place["repository"]["id"])
        return [pull.subject for pull in pulls]

    def _subject_of_pull(self, place: Json, number: int) -> str:
        pull = self._records.right_sizing.numbered(place["repository"]["id"], number)
        return pull.subject if pull else ""

    def _due(self, place: Json) -> list[str]:
        records = self._records
        return automate_savings.due(
            place["repository"]["id"],
            rules=self._config.automation,
            recommendations=records.recommendations,
            decisions=records.recommendation_decisions,
            pulls=records.right_sizing,
            at=_now(),
        )

    def _subject_of(self, recommendation: str) -> str:
        found = self._records.recommendations.find(recommendation)
        return found.subject if found else ""


class _Looking:
    """What a pool's process keeps between calls."""

    def __init__(
        self, settings: Settings, config: ServerConfig, github: GitHubSettings, redactor: Redactor
    ) -> None:
        self._records = Records(settings.database_url)
        tokens = _tokens(github, redactor.add, lambda _installation, _status, _headers: None)
        self._branches = _branches(settings, github, tokens)
        self._ports = RightSizingPorts(
            branches=self._branches,
            right_sizing=GitHubRightSizing(tokens, Markers(github.webhook_secrets)),
            pulls=self._records.right_sizing,
            recommendations=self._records.recommendations,
            policies=self._records.policies,
            render=make_renderer(),
            web=web_address(github.api_url),
        )
        clusters = known_clusters(settings, config)
        self._sheets = {name: one.prices for name, one in clusters.items() if one.prices}
        self._history = ClustersHistory(settings, clusters, WINDOW_DAYS * 24, KILLS_DAYS)
        self._owners, self._kept_as = owners(config), partial(kept_as, settings, config)

    def scan(self, told: Json) -> Json:
        """Look at the newest commit of a default branch; what that came to, in numbers."""
        place, records = place_from(told), self._records
        sha = self._branches.head(place)
        with self._branches.tree(place, sha) as tree:
            scanned = find_savings(
                place,
                sha,
                tree,
                render=make_renderer(),
                prices=lambda tree: RepositoryPrices(tree, clusters=self._sheets),
                history=self._history,
                runs_per_month=runs_per_month,
                policies=records.policies,
                recommendations=records.recommendations,
                owners=self._owners,
                kept_as=self._kept_as,
                at=_now(),
            )
        return {**asdict(scanned), "problems": len(scanned.problems)}

    def check_stale(self, kept: KeptRecommendation) -> str:
        """What has changed about the fields of a recommendation since it was found."""
        ports = self._ports
        return difference(
            kept,
            branches=ports.branches,
            policies=ports.policies,
            render=ports.render,
            pods=self._history,
            now=_now(),
        )

    def upkeep(self, told: Json, subject: str) -> Json | None:
        """Keep a workload's open pull request true; what became of it, None where nothing did."""
        place, records = place_from(told), self._records
        pull = records.right_sizing.find(place.repository.id, subject)
        if pull is None or pull.state != "open":
            return None
        kept = records.recommendations.find(pull.id)
        became = upkeep(
            place,
            pull,
            records.recommendation_decisions.of([pull.id]).get(pull.id),
            ports=self._ports,
            currency=_currency_of(kept) if kept else "",
            now=_now(),
        )
        return None if became is None else self._noted(became, place.repository.full_name)

    def open_pull(self, recommendation: str) -> Json | None:
        """Open the pull request of a recommendation; None where nobody approved it."""
        records = self._records
        kept = records.recommendations.find(recommendation)
        decision = records.recommendation_decisions.of([recommendation]).get(recommendation)
        if kept is None or decision is None or decision.decision != "approve":
            return None
        became = open_pull(kept, decision, ports=self._ports, currency=_currency_of(kept), now=_now())
        return self._noted(became, place_from(kept.place).repository.full_name)

    def _noted(self, became: Became, full_name: str) -> Json:
        """Once in the audit trail, however often it is found to be so."""
        self._records.audit.append(
            AuditFact(
                at=_now(),
                actor="tuppence",
                action=f"right-size.{became.state}",
                subject=full_name,
                key=f"right-size/{became.id}/{became.state}/{became.address}",
                details=asdict(became),
            )
        )
        return asdict(became)


def _tokens(github: GitHubSettings, minted: Callable[[str], None], answered: Answered) -> AppTokens:
    return AppTokens(github.app_id, github.private_key, github.api_url, minted=minted, answered=answered)


def _branches(settings: Settings, github: GitHubSettings, tokens: AppTokens) -> GitHubBranches:
    return GitHubBranches(tokens, GitCache(settings.cache / "repositories"), clone_base=github.clone_url)


def _currency_of(kept: KeptRecommendation) -> str:
    return str(kept.recommendation["currency"])


def _begin(settings: Settings, config: ServerConfig, github: GitHubSettings, secrets: Sequence[str]) -> None:
    global _looking  # noqa: PLW0603 - the one thing that a pool's process keeps between calls
    redactor = Redactor(secrets)
    configure(redactor)
    _looking = _Looking(settings, config, github, redactor)


def _scan(place: Json) -> Json:
    with ends_after(LONGEST_SECONDS):
        return _looking.scan(place)


def _check_stale(kept: KeptRecommendation) -> str:
    with ends_after(LONGEST_SECONDS):
        return _looking.check_stale(kept)


def _upkeep(place: Json, subject: str) -> Json | None:
    with ends_after(LONGEST_SECONDS):
        return _looking.upkeep(place, subject)


def _open_pull(recommendation: str) -> Json | None:
    with ends_after(LONGEST_SECONDS):
        return _looking.open_pull(recommendation)


def _now() -> datetime:
    return datetime.now(UTC)
