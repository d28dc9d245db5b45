"""Savings that the command line finds in a repository that is there. Part of the composition root."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from bot.adapters.cron_runs import runs_per_month
from bot.adapters.git_commands import Git
from bot.adapters.git_trees import RevisionTree, commit, remote_urls
from bot.adapters.price_files import read_prices
from bot.adapters.records import Records
from bot.composition.allocation import kept_as, priced_clusters
from bot.composition.clusters import ClustersHistory, known_clusters
from bot.composition.live import history_for
from bot.composition.repository_prices import RepositoryPrices
from bot.cost_config import owners
from bot.errors import UserError
from bot.github_events import Repository
from bot.handlers.find_savings import KILLS_DAYS, WINDOW_DAYS, find_savings
from bot.manifests.render import make_renderer
from bot.ports import ClusterHistory
from bot.progress import progress_bar
from bot.recommendation_ports import Place
from bot.server_config import ServerConfig
from bot.settings import Settings


@dataclass(frozen=True, slots=True)
class SavingsHere:
    """Where the numbers come from by which savings are judged."""

    settings: Settings
    config: ServerConfig
    prometheus: str | None
    usage: Path | None

    def find(self, repo: Path | None, prices: Path | None, *, store: Records, now: datetime) -> None:
        """Look at HEAD of a repository: of the named one, else of the one here, where there is one.

        Nothing is looked for where there are no numbers; where a repository was named that is a UserError.
        """
        git = _repository(repo)
        if git is None:
            if self.usage is not None:
                raise UserError(
                    "--usage judges the savings of a repository, and none is here: add --repo DIR"
                )
            return
        with closing(git):
            history = self._history()
            if history is not None:
                self._find(git, history, prices, store, now)
                if not store.recommendations.scans() and repo is not None:
                    raise UserError(f"--repo: HEAD of {repo} declares no Kubernetes object: name another one")
            elif repo is not None:
                raise UserError("--repo needs numbers to judge by: add --prometheus URL or --usage FILE")

    def _find(
        self, git: Git, history: ClusterHistory, prices: Path | None, store: Records, now: datetime
    ) -> None:
        named = read_prices(prices) if prices else None
        clusters = known_clusters(self.settings, self.config)
        sheets = {name: one.prices for name, one in clusters.items() if one.prices}
        sha = commit(git, "HEAD")
        with progress_bar("Looking for savings") as progress:
            scanned = find_savings(
                _place(git),
                sha,
                RevisionTree(git, sha),
                render=make_renderer(progress=progress),
                prices=lambda tree: RepositoryPrices(tree, named, sheets),
                history=history,
                runs_per_month=runs_per_month,
                policies=store.policies,
                recommendations=store.recommendations,
                owners=owners(self.config),
                kept_as=partial(kept_as, self.settings, self.config),
                at=now,
            )
        if not scanned.objects and not scanned.problems:
            store.recommendations.keep_only([])  # a repository of something else: nothing was looked at

    def _history(self) -> ClusterHistory | None:
        """The numbers to judge savings by; None where there are none."""
        hours = 24 * WINDOW_DAYS
        url, usage = self.prometheus, self.usage
        if url or usage:
            return history_for(
                prometheus=url, usage=usage, kube_context=None, hours=hours, kills_days=KILLS_DAYS
            )
        if not priced_clusters(self.settings, self.config):
            return None
        clusters = known_clusters(self.settings, self.config)
        return ClustersHistory(self.settings, clusters, hours, KILLS_DAYS)


def _repository(named: Path | None) -> Git | None:
    """The repository that a person named, else the one here; None where none is here."""
    if named is not None:
        try:
            return Git(named)
        except UserError as error:  # whose ways out are those of another command
            raise UserError(f"--repo: {str(error).partition(':')[0]}") from error
    here = Path.cwd()
    return Git(here) if any((folder / ".git").exists() for folder in (here, *here.parents)) else None


def _place(git: Git) -> Place:
    """The repository as scans name theirs; `folder` where it is fetched from nowhere."""
    url = next(iter(remote_urls(git)), "")
    parts = url.removesuffix("/").removesuffix(".git").replace(":", "/").split("/")
    owner, name = parts[-2:] if url and len(parts) > 1 else ("", "")
    folder = git.folder.resolve()
    return Place(0, Repository(0, owner or folder.parent.name, name or folder.name, url, "HEAD"))
