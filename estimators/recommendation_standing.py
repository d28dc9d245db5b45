"""Which volume claims and load balancers something may be proposed for, and why the others are left alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from estimators.change import Cluster
from estimators.claims_named import claims_named
from estimators.finders.candidate import Standing
from estimators.inventory import Inventory
from estimators.objects import Identity, ManifestObject
from estimators.recommendation import LeftAlone, Reason
from estimators.recommendation_terms import Terms
from estimators.rules.standing import SEEN_DAYS, balancer_usage, claim_usage
from estimators.usage import ClaimUsage, Series
from estimators.workload import VolumeClaim


class StandingSorted(NamedTuple):
    """What the history knows, and what is left alone altogether."""

    fit: list[Standing]
    left: list[LeftAlone]


class _Thing(NamedTuple):
    object: ManifestObject
    claim: VolumeClaim | None
    seen: Series | None
    used: ClaimUsage | None


def standing_candidates(
    inventory: Inventory, cluster: Cluster, terms: Terms, objects: Iterable[ManifestObject]
) -> StandingSorted:
    """The claims and load balancers of one environment, whose `objects` name some, in order of identity."""
    found = StandingSorted([], [])
    named = _named(objects)
    for identity, thing in sorted(_things(inventory, cluster), key=lambda pair: pair[0]):
        usage = cluster.usage
        if terms.frozen:
            reason, facts = Reason.FROZEN, {"why": terms.frozen}
        elif usage is None or thing.seen is None:
            reason, facts = Reason.NOT_SEEN, {}
        elif usage.window.whole_days < SEEN_DAYS:
            days = str(usage.window.whole_days)
            reason, facts = Reason.SHORT_HISTORY, {"days": days, "needed": str(SEEN_DAYS)}
        else:
            found.fit.append(
                Standing(
                    thing.object,
                    thing.claim,
                    thing.seen,
                    thing.used,
                    inventory,
                    usage,
                    cluster,
                    named.get((identity.namespace, identity.name), ""),
                )
            )
            continue
        found.left.append(LeftAlone(identity.environment, identity, reason, facts=facts))
    return found


def _things(inventory: Inventory, cluster: Cluster) -> Iterator[tuple[Identity, _Thing]]:
    for identity, (thing, claim) in inventory.claims.items():
        used = claim_usage(cluster.usage, identity)
        yield identity, _Thing(thing, claim, used.mounted if used else None, used)
    for identity, thing in inventory.load_balancers.items():
        balancer = balancer_usage(cluster.usage, identity)
        yield identity, _Thing(thing, None, balancer.ready if balancer else None, None)


def _named(objects: Iterable[ManifestObject]) -> dict[tuple[str, str], str]:
    """Claims by namespace and name, and what names each."""
    return {
        claim: f"{thing.identity.kind} {thing.identity.name}"
        for thing in objects
        for claim in claims_named(thing)
    }
