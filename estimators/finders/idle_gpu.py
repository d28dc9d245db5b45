"""Workloads that hold GPUs and stopped using them, judged by their own history of gaps."""

from __future__ import annotations

from collections.abc import Iterator

from estimators.finders.candidate import Candidate, Proposal, new_value
from estimators.finders.gpu_gaps import Gaps, gaps
from estimators.recommendation import LeftAlone, Reason
from estimators.rules.pods import fixed, only_group
from estimators.rules.words import count_words, percent_words
from estimators.usage import coverage, observed

FINDER = "idle-gpu"
LONGER = 2.0
"""Times the longest gap that ended with work: an idle spell has to outlast it to be another kind of spell."""
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
    if gpu.note or gpu.shared:
        yield candidate.left(FINDER, Reason.RISKY, why=gpu.note or "others share its GPU", **facts)
        return
    if candidate.workload.claims:
        yield candidate.left(FINDER, Reason.RISKY, why="it has volumes of its own", **facts)
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
