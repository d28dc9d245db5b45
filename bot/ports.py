"""What a feature may ask of the outside, in Protocols of a few methods each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from estimators.prices import PriceSheet
from estimators.usage import UsageSnapshot


class Prices(Protocol):
    """Price sheets."""

    def sheet(self, file: str) -> PriceSheet:
        """The sheet in `file`, or for `""` the one that holds where nothing names another.

        Raises UserError for a file that cannot be read or is no price sheet.
        """
        ...


class ClusterHistory(Protocol):
    """Live utilisation and live facts of a cluster."""

    def snapshot(
        self, touched: Collection[tuple[str, str, str]], selector: Mapping[str, str]
    ) -> UsageSnapshot | None:
        """What is known of the namespaces of `touched` (namespace, kind, name).

        `selector` holds the labels that tell the cluster from others on the same server. Raises
        OutsideError where the source does not answer.
        """
        ...
