"""What features about the cost of clusters may ask of the outside, beside `bot/ports.py`.

Every moment is a full hour in UTC, every amount of money an integer of nano-units.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from estimators.allocation import ClusterHour, HourCost, WindowCost
from estimators.allocation_days import DayCost, NodesDay


class KeptHour(NamedTuple):
    """An hour that was asked for: which share of its samples was there (0-1), and how often and when last."""

    hour: datetime
    covered: float
    asks: int
    asked_at: datetime


class ClusterHours(Protocol):
    """One cluster's past, measured."""

    @property
    def currency(self) -> str:
        """What its prices are in."""
        ...

    def read(self, start: datetime, end: datetime) -> Iterator[ClusterHour]:
        """The hours of `[start, end)` of which anything is known. Raises OutsideError without an answer."""
        ...


class ChargedHours(Protocol):
    """Clusters' hours, charged, as answers read them. Every method may raise StoreUnavailable."""

    def clusters(self) -> Sequence[str]:
        """The clusters of which anything is kept."""
        ...

    def kept(self, cluster: str, start: datetime, end: datetime) -> Sequence[KeptHour]:
        """The hours of `[start, end)` that are kept, in order; the others are missing."""
        ...

    def window(
        self, cluster: str, start: datetime, end: datetime, namespaces: Collection[str] = ()
    ) -> WindowCost:
        """All hours of `[start, end)` added up.

        Where namespaces are named, the workloads of each other one are added up as well
        (`allocation_window.others_added_up`).
        """
        ...

    def days(
        self, cluster: str, start: datetime, end: datetime, namespaces: Collection[str] = ()
    ) -> Sequence[DayCost]:
        """The days of `[start, end)` in order, with the workloads that `window` has."""
        ...

    def whole_days(self, cluster: str, start: datetime, end: datetime) -> Sequence[DayCost]:
        """The same days without any workload."""
        ...

    def node_days(self, cluster: str, start: datetime, end: datetime, node: str = "") -> Sequence[NodesDay]:
        """What all nodes cost on the same days, or the one that is named."""
        ...


class CostHours(ChargedHours, Protocol):
    """The same, to be kept as well."""

    def keep(self, cluster: str, hours: Sequence[HourCost], *, currency: str, at: datetime) -> None:
        """Remember hours that were asked for at `at`, in the place of what is kept of them; all or none.

        Raises UserError where the cluster's other hours are in another currency, or where an hour costs
        more than a database can add up.
        """
        ...

    def asked(self, cluster: str, hours: Collection[datetime], at: datetime) -> None:
        """Remember that hours were asked for in vain: what is kept of them stays."""
        ...
