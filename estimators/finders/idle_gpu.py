"""Workloads that hold GPUs and stopped using them, judged by their own history of gaps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from estimators.finders.candidate import Candidate, Proposal, new_value
from estimators.finders.gpu_gaps import BUSY, Gaps, gaps
from estimators.recommendation import LeftAlone, Reason
from estimators.rules.pods import fixed, only_group
from estimators.rules.removal import IDLE_CORES, total_cpu
from estimators.rules.standing import SEEN_DAYS
from estimators.rules.words import core_words, count_words, percent_words
from estimators.usage import coverage, observed, peak

FINDER = "idle-gpu"
LONGER = 2.0
"""Times the longest gap that ended with work: an idle spell has to outlast it to be another kind of spell."""
WORKING = 0.5
"""Share of the CPU that work takes from which on it is taken to work, whatever its GPUs do."""
POLLING = 0.1
"""Share of the requested CPU below which nothing is taken to work."""
KNOWN = 0.8
"""Of a fortnight, however long its processors were watched: an exporter of last week knows no weekly run."""
LEAST_HOURS = 72.0
"""Three days, so that a weekend is not enough where history is all work or all rest."""


def idle_gpu(candidate: Candidate) -> Iterator[Proposal | LeftAlone]:
    """GPUs idle for at least three days and for twice as long as any gap that ended with work.

    "0 % for 30 minutes" is wrong for most: on a public serving trace 87 % of such GPUs resume. What
    resumes every night or every week has gaps as long in its history, and is left alone with the
    chance that it comes back.
    """
    group, now, gpu = only_group(candidate.side), fixed(candidate.side), candidate.history.gpu
    if group is None or not now or gpu is None or not observed(gpu.busy_ratio).size:
        return
    found = gaps(gpu.busy_ratio, candidate.usage.window.step_seconds)
    if not found.open:
        return
    facts = _facts(found)
    if found.open < max(LEAST_HOURS, LONGER * found.longest):
        if found.closed and found.open >= 1:
            yield candidate.left(FINDER, Reason.COMES_BACK, **facts)
        return
    known = ~np.isnan(gpu.busy_ratio) | (candidate.history.replicas == 0)
    days = np.count_nonzero(known) * candidate.usage.window.step_seconds / 86_400
    if days < KNOWN * SEEN_DAYS:
        yield candidate.left(FINDER, Reason.POOR_HISTORY, window=f"{days:.3g} days of its GPUs")
        return
    if why := next(_in_the_way(candidate, found), ""):
        yield candidate.left(FINDER, Reason.RISKY, why=why, **facts)
        return
    yield Proposal(
        FINDER,
        candidate,
        (new_value(candidate.workload.object, group.replicas_path, 0),),
        {**facts, "window": candidate.window(coverage(gpu.busy_ratio))},
        risks=(
            f"Work may come back; the chance is {_chance(found)}.",
            "What the process holds in GPU memory (models, sessions) is lost.",
        ),
        undo=f"Put replicas back to {now}; models are loaded anew, and a free GPU has to be found.",
    )


def _in_the_way(candidate: Candidate, found: Gaps) -> Iterator[str]:
    """Why it is not switched off although its GPUs rest."""
    gpu = candidate.history.gpu
    if cores := _works_on(candidate, found):
        yield f"its processors go on working: {cores}"
    if gpu and (gpu.note or gpu.shared):
        yield gpu.note or "others share its GPU"
    if candidate.workload.claims:
        yield "it has volumes of its own"


def _works_on(candidate: Candidate, found: Gaps) -> str:
    """The CPU it uses while its GPUs rest, in words, where that is half of what work takes, or more.

    Work takes what it used while its GPUs were busy, or what it requests where they never were. Little of
    what it requests is polling, whatever its work takes.
    """
    history, steps = candidate.history, round(found.open * 3600 / candidate.usage.window.step_seconds)
    busy = history.gpu.busy_ratio if history.gpu else np.empty(0)
    cores = total_cpu(history)
    resting = np.flatnonzero(~np.isnan(busy))[-steps:]
    now, before = observed(cores[resting]), observed(cores[busy > BUSY])
    if not now.size:
        return ""
    each = sum(float(item.get("cpu", 0)) for item in candidate.side.requests.values())
    requested, mean = each * (peak(history.replicas) or 0.0), float(now.mean())
    work = float(before.mean()) if before.size else requested
    least = max(WORKING * work, POLLING * requested, IDLE_CORES)
    return f"{core_words(mean)} on average" if mean >= least else ""


def _facts(found: Gaps) -> dict[str, str]:
    return {
        "idle for": count_words(found.open, "hour"),
        "longest gap before": count_words(found.longest, "hour") if found.closed else "none",
        "gaps before": str(len(found.closed)),
        "chance that it comes back": _chance(found),
    }


def _chance(found: Gaps) -> str:
    chance = found.comes_back()
    if chance is None:
        return "not known: there was no gap before that ended with work"
    return f"at most {percent_words(chance)}"
