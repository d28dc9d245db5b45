"""The price sheets that a repository's policy names, as the server reads them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.adapters.price_files import parse_prices
from bot.adapters.price_list import default_sheet
from bot.errors import UserError
from bot.ports import Tree
from estimators.prices import PriceSheet


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
