"""What a feature may ask of the outside, in Protocols of a few methods each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from estimators.prices import PriceSheet
from estimators.usage import UsageSnapshot


class SkippedPath(NamedTuple):
    """Something in a tree that is no regular file of it, and why it is not read."""

    path: str
    reason: str


class Tree(Protocol):
    """The files of one side of a change. Paths count from its root; undecodable bytes are surrogates."""

    @property
    def name(self) -> str:
        """What people know it by: a commit id or a path."""
        ...

    @property
    def skipped(self) -> Sequence[SkippedPath]:
        """Symlinks, submodules and paths that leave the tree."""
        ...

    def paths(self) -> Mapping[str, str]:
        """Every regular file, with an id of its content that is the same for the same content."""
        ...

    def read(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """The content of some of `paths()`, in their order, each cut off after 10,000,001 bytes.

        A file that is gone meanwhile is left out. Raises OutsideError where a git object is missing.
        """
        ...


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
