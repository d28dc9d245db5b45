"""What the server takes from a repository: both sides of its pull requests, and its price sheets.

Part of the composition root: it joins the clone cache with the App's tokens.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from bot.adapters.git_cache import GitCache, clone_url
from bot.adapters.git_remote import Remote
from bot.adapters.github_app import READ_FILES, AppTokens
from bot.adapters.price_files import parse_prices
from bot.adapters.price_list import default_sheet
from bot.errors import UserError
from bot.ports import Tree
from bot.pull_requests import PullRequestFacts
from estimators.prices import PriceSheet


@dataclass(frozen=True, slots=True)
class CachedRevisions:
    """Both sides of pull requests, from clones that are kept. The token is minted when git asks for it."""

    cache: GitCache
    tokens: AppTokens
    clone_base: str

    @contextmanager
    def trees(self, facts: PullRequestFacts) -> Iterator[tuple[Tree, Tree]]:
        """Base and head: the test merge against its target, else the head against the merge base."""
        repository = facts.ref.repository

        def password() -> str:
            return self.tokens.mint(facts.ref.installation, repository.id, READ_FILES).value

        url = clone_url(self.clone_base, repository.full_name, repository.clone_url)
        with self.cache.open(Remote(repository.id, url, password)) as clone:
            change = clone.change(
                facts.ref.number, head=facts.head_sha, base=facts.base_sha, merge=facts.merge_sha
            )
            yield change.base, change.head


@dataclass(frozen=True, slots=True)
class RepositoryPrices:
    """Price sheets that the policy names in the base of the repository, else the list prices."""

    base: Tree

    def sheet(self, file: str) -> PriceSheet:
        """The sheet in `file` of the base. Raises UserError where it is not there."""
        if not file:
            return default_sheet()
        if file not in self.base.paths():
            raise UserError(f".tuppence.yaml: prices: {file} is not in the base branch")
        [(_, data)] = self.base.read([file])
        return replace(parse_prices(data, file), explicit=False)
