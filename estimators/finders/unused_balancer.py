"""Load balancers in front of nobody: they are billed by the hour all the same."""

from __future__ import annotations

from collections.abc import Iterator

from estimators.finders.candidate import Proposal, Standing, removal
from estimators.objects import dig, string_map
from estimators.recommendation import LeftAlone, Reason
from estimators.rules.standing import unused_days
from estimators.rules.words import count_words

FINDER = "unused-balancer"


def unused_balancer(standing: Standing) -> Iterator[Proposal | LeftAlone]:
    """A Service of type LoadBalancer that had no ready endpoint on any day of two weeks.

    Without endpoints nothing answers, so that no traffic has to be measured. One whose pods the manifests
    declare is waiting for them, and one without a selector has endpoints that somebody else keeps: both
    are left.
    """
    if standing.claim is not None or (standing.seen == 1).any():
        return
    if left := standing.not_known(FINDER):
        yield left
        return
    selector = string_map(dig(standing.object.body, "spec", "selector"))
    if not selector:
        yield standing.left(FINDER, Reason.RISKY, why="it has no selector: others keep its endpoints")
        return
    for workload in standing.workloads():
        if any(selector.items() <= group.template.labels.items() for group in workload.groups):
            own = workload.identity
            yield standing.left(FINDER, Reason.RISKY, why=f"it selects the pods of {own.kind} {own.name}")
            return
    yield Proposal(
        FINDER,
        standing,
        (removal(standing.object, "LoadBalancer"),),
        {
            "ready endpoints": f"none on any of {count_words(unused_days(standing.seen), 'day')}",
            "selects": ", ".join(f"{key}={value}" for key, value in sorted(selector.items())),
            "window": standing.window,
        },
        risks=("Its address goes: whoever still has it, in DNS or in a firewall, finds nobody.",),
        undo="Put the Service back; it gets another address unless the old one is reserved.",
        by_hand=True,
    )
