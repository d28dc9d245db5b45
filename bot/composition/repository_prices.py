"""Which price sheet holds: a person's, else the policy's, else the cluster's, else list prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.adapters.price_files import parse_prices
from bot.adapters.price_list import default_sheet
from bot.errors import UserError
from bot.ports import Tree
from estimators.prices import PriceSheet


@dataclass(frozen=True, slots=True)
class RepositoryPrices:
    """The sheet `named` for everything, else the policy's, read from the `base`, else one of `clusters`."""

    base: Tree
    named: PriceSheet | None = None
    clusters: Mapping[str, PriceSheet] = field(default_factory=dict)
    _known: dict[str, PriceSheet] = field(default_factory=dict, init=False, repr=False)

    def sheet(self, file: str, cluster: str) -> PriceSheet:
        """The sheet that holds where the policy says `file`. Raises UserError where that is not there."""
        if not file and not self.named and cluster in self.clusters:
            return self.clusters[cluster]
        if file not in self._known:
            self._known[file] = self.named or self._read(file)
        return self._known[file]

    def _read(self, file: str) -> PriceSheet:
        if not file:
            return default_sheet()
        if file not in self.base.paths():
            raise UserError(f".tuppence.yaml: prices: {file} is not in {self.base.name}")
        [(_, data)] = self.base.read([file])
        return parse_prices(data, file)
