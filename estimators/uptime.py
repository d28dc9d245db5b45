"""Hours at which kube-downscaler lets a Deployment run, and what that makes of its pods.

The annotation's form is that of py-kube-downscaler (`kube_downscaler/helper.py`): weekdays, from and to
(exclusive), time zone; several separated by commas; or `always` and `never`. Absolute times and
schedules without a time zone are not read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from estimators.change import Cluster
from estimators.money import ZERO, Range
from estimators.objects import Body, Path, dig, text
from estimators.replicas import UnknownCount
from estimators.report import ReplicaCount
from estimators.workload import Workload

UPTIME = "downscaler/uptime"
PATH: Path = ("metadata", "annotations", UPTIME)
PREFIX = "downscaler/"
CONTROLLER = "kube-downscaler"
"""What its Deployment is called in its own manifests and in its chart (`py-kube-downscaler`)."""
WEEK_MINUTES = 7 * 24 * 60
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TERM = re.compile(r"([a-z]{3})-([a-z]{3}) (\d\d):(\d\d)-(\d\d):(\d\d) ([a-zA-Z/_]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Uptime:
    """The minutes of a week, from Monday, at which pods may run, in a time zone."""

    minutes: NDArray[np.bool_]
    zone: str

    @property
    def share(self) -> Decimal:
        """Of the week."""
        return Decimal(int(np.count_nonzero(self.minutes))) / WEEK_MINUTES

    @property
    def hours(self) -> float:
        """Hours a week."""
        return int(np.count_nonzero(self.minutes)) / 60


def read_uptime(said: str) -> Uptime | None:
    """The hours that an annotation says; None where it is no schedule that we know, or mixes time zones."""
    if said.casefold() in {"always", "never"}:
        return Uptime(np.full(WEEK_MINUTES, said.casefold() == "always"), "UTC")
    minutes, zones = np.zeros(WEEK_MINUTES, dtype=bool), set()
    for term in said.split(","):
        match = _TERM.fullmatch(term.strip())
        if match is None or not {match[1].casefold(), match[2].casefold()} <= set(_DAYS):
            return None
        first, last = (_DAYS.index(match[number].casefold()) for number in (1, 2))
        begin, end = (int(match[hour]) * 60 + int(match[hour + 1]) for hour in (3, 5))
        for day in range(first, last + 1 if first <= last else last + 8):
            minutes[day % 7 * 1440 + min(begin, 1440) : day % 7 * 1440 + min(end, 1440)] = True
        zones.add(match[7])
    return Uptime(minutes, zones.pop()) if len(zones) == 1 else None


def has_controller(cluster: Cluster) -> bool:
    """Whether a kube-downscaler runs in the cluster, as far as live objects tell."""
    return any(
        body.get("kind") == "Deployment"
        and CONTROLLER in text(dig(body, "metadata", "name"))
        and dig(body, "spec", "replicas") != 0
        for body in (cluster.usage.objects if cluster.usage else ())
    )


def uptime_of(workload: Workload, namespace: Body, cluster: Cluster) -> Uptime | None:
    """The hours of a Deployment where a controller keeps them; its own annotation before its namespace's."""
    if workload.identity.kind != "Deployment":
        return None
    said = text(dig(workload.object.body, *PATH)) or text(dig(namespace, *PATH))
    return read_uptime(said) if said and has_controller(cluster) else None


def at_uptime(count: ReplicaCount | UnknownCount, uptime: Uptime | None) -> ReplicaCount | UnknownCount:
    """The mean of a week in which pods run at those hours alone."""
    if uptime is None or isinstance(count, UnknownCount) or count.source != "manifest":
        return count
    pods = Range(ZERO, count.count.expected * uptime.share, count.count.ceiling)
    note = f"runs {uptime.hours:g} of 168 hours a week ({UPTIME})"
    return replace(count, count=pods, source="schedule", note=note)
