"""Workloads of development that rest at night and at weekends: hours at which they need not run."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from estimators.finders.candidate import Candidate, Proposal, new_value
from estimators.objects import dig, string_map
from estimators.recommendation import LeftAlone, Reason
from estimators.recommendation_terms import DEVELOPMENT
from estimators.rules.pods import fixed
from estimators.rules.removal import total_cpu
from estimators.rules.uptime import minute_of_week, rest_cores, works
from estimators.rules.words import core_words
from estimators.uptime import PATH, PREFIX, has_controller, read_uptime
from estimators.usage import coverage

FINDER = "off-hours"
LEAST_OFF = 0.25
"""Share of the week; less is not worth waiting for pods in the morning."""
_HOURS, _WEEKEND = 24, (5, 6)


def off_hours(candidate: Candidate) -> Iterator[Proposal | LeftAlone]:
    """Hours outside of which it never did more than rest, with an hour to spare on either side.

    Only where people told the environment to be development, nothing scales the workload, and
    kube-downscaler is known to run. It is the same hours each day, Monday to Friday where it rested on
    every day of both weekends. What rests all the time is for `idle-workload`.
    """
    history, now = candidate.history, fixed(candidate.side)
    if candidate.profile is not DEVELOPMENT or candidate.identity.kind != "Deployment" or not now:
        return
    if _has_schedule(candidate):
        return
    busy = _busy_hours(candidate)
    said = _uptime(busy) if busy.any() else ""
    uptime = read_uptime(said) if said else None
    if uptime is None or 1 - float(uptime.share) < LEAST_OFF:
        return
    facts = {"runs": f"{uptime.hours:g} of 168 hours a week", "hours": said}
    if not has_controller(candidate.cluster):
        yield candidate.left(FINDER, Reason.NO_SCHEDULER, **facts)
        return
    rest = core_words(rest_cores(history))
    yield Proposal(
        FINDER,
        candidate,
        (new_value(candidate.workload.object, PATH, said),),
        {
            **facts,
            "rests up to": f"{rest} over all pods",
            "window": candidate.window(coverage(total_cpu(history))),
            "profile": candidate.profile.name,
        },
        risks=(
            "Whoever works late finds it off until the morning.",
            "What little it does while it rests (timers, polls) is not done then.",
        ),
        undo=f"Take the annotation out; kube-downscaler puts the {now} replicas back within a minute.",
    )


def _has_schedule(candidate: Candidate) -> bool:
    """Whether somebody gave it, or its namespace, hours already, or excluded it."""
    namespace = string_map(dig(candidate.side.namespace_body, "metadata", "annotations"))
    return any(name.startswith(PREFIX) for name in (*candidate.workload.object.annotations, *namespace))


def _busy_hours(candidate: Candidate) -> NDArray[np.bool_]:
    """Of a week, weekday by hour in UTC, those in which it worked in any week of the window."""
    window = candidate.usage.window
    busy = np.zeros(7 * _HOURS, dtype=bool)
    busy[minute_of_week(window)[works(candidate.history)] // 60] = True
    return busy.reshape(7, _HOURS)


def _uptime(busy: NDArray[np.bool_]) -> str:
    """The annotation: the shortest stretch of hours of a day that holds all work, an hour wider each way."""
    days = "Mon-Sun" if busy[list(_WEEKEND)].any() else "Mon-Fri"
    hours: NDArray[np.bool_] = np.logical_or.reduce(busy, axis=0)
    rest, begins = max((_rest_after(hours, hour), hour) for hour in range(_HOURS))
    if rest <= 2:
        return f"{days} 00:00-24:00 UTC"
    first, length = (begins + rest - 1) % _HOURS, _HOURS - rest + 2
    last = first + length
    if last <= _HOURS:
        return f"{days} {first:02}:00-{last:02}:00 UTC"
    # Work that goes on after midnight belongs to the next day: then Saturday has hours of its own.
    return f"{days} 00:00-{last - _HOURS:02}:00 UTC,{days} {first:02}:00-24:00 UTC"


def _rest_after(hours: NDArray[np.bool_], begin: int) -> int:
    """How many hours of rest follow on one another from an hour on, around the clock."""
    ahead = np.roll(hours, -begin)
    return int(np.argmax(ahead)) if ahead.any() else _HOURS
