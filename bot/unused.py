"""What stands in clusters, is used by nothing, and is declared by no repository that was looked at. Pure.

A look at a repository keeps of it what it declares, which claims it names, and what its policy protects.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from bot.recommendation_records import Scan
from bot.records import Json
from estimators.change import Protection
from estimators.claims_named import claims_named
from estimators.objects import ManifestObject, dig, sequence, text
from estimators.unused import CLAIM, SERVICE, VOLUME, Unused, protection_of

MOST_NAMED = 5
"""So many are named wherever people read; the others are counted."""
_STANDING = frozenset({CLAIM, VOLUME, SERVICE})
_OF_A_TEMPLATE = re.compile(r"-[0-9]+\Z")
_ByPlace = dict[tuple[str, ...], dict[str, str]]
"""By kind, namespace and name the clusters, and which repository says so of each."""


@dataclass(frozen=True, slots=True)
class UnusedNow:
    """What nothing uses, in all clusters that could be asked; `away` says why the others could not.

    `found` is None where nothing is known of any of them.
    """

    found: tuple[Unused, ...] | None = None
    away: tuple[str, ...] = ()


NOT_ASKED = UnusedNow()


@dataclass(frozen=True, slots=True)
class UnusedThings:
    """What is told of it, the dearest first; `more` cost `more_monthly` and are not named.

    `left` is what is left as it is, and says why: it is in no count and no sum here.
    """

    things: tuple[Unused, ...]
    more: int = 0
    more_monthly: Decimal = Decimal(0)
    left: tuple[Unused, ...] = ()

    @property
    def count(self) -> int:
        """How many there are, named or not."""
        return len(self.things) + self.more

    @property
    def monthly(self) -> Decimal:
        """What all of them cost a month. It is not a saving that somebody can approve."""
        return sum((thing.monthly for thing in self.things), self.more_monthly)

    def named(self, most: int = MOST_NAMED) -> UnusedThings:
        """The dearest, the others counted."""
        others = self.things[most:]
        cost = sum((thing.monthly for thing in others), self.more_monthly)
        return UnusedThings(self.things[:most], self.more + len(others), cost)


def declared(
    objects: Collection[ManifestObject],
    cluster_of: Callable[[str], str],
    protections: Iterable[Protection] = (),
) -> Json:
    """What a scan keeps of a repository for this.

    `rows` are what it declares of such things: cluster, kind, namespace and name. `cluster_of` tells under
    which name the hours of an environment's cluster are kept, `""` where that is not known. The claims that
    a StatefulSet makes are one, `data-db-*`. `named` are claims that it names elsewhere, as a source of
    disks or snapshots or as a workload's volume, with the same columns. `protect` is what its policy
    protects on its `clusters`.
    """
    at = {name: cluster_of(name) for name in {thing.identity.environment for thing in objects}}
    rows = {
        (at[thing.identity.environment], kind, thing.identity.namespace, name)
        for thing in objects
        for kind, name in _names(thing)
    }
    named = {
        (at[thing.identity.environment], CLAIM, namespace, name)
        for thing in objects
        for namespace, name in claims_named(thing)
    }
    return {
        "rows": [list(row) for row in sorted(rows)],
        "named": [list(row) for row in sorted(named)],
        "clusters": sorted({*at.values()}),
        "protect": [
            {"workload": one.workload, "reason": one.reason, "until": one.until and one.until.isoformat()}
            for one in protections
        ],
    }


def undeclared(found: Iterable[Unused], scans: Collection[Scan], today: date) -> UnusedThings | None:
    """What of it no repository declares that was looked at, the dearest first.

    Left is what is needed without a pod, and what somebody protects on that day: on the thing, on its
    namespace, or in the policy of a repository on the same cluster. None where a look is older than that
    it is kept what a repository declares and protects: the next one tells.
    """
    looks = [(scan.full_name, scan.declares or {}) for scan in scans if scan.head_sha]
    if not all("protect" in look for _, look in looks):
        return None
    known, named = _by_place(looks, "rows"), _by_place(looks, "named")
    told = sorted((thing for thing in found if not _repository(thing, known)), key=_dearest)
    policies = {name: tuple(_protections(looks, name)) for name in {thing.cluster for thing in told}}
    judged = [
        replace(thing, left=thing.left or _left(thing, named, policies[thing.cluster], today))
        for thing in told
    ]
    free = (thing for thing in judged if not thing.left)
    return UnusedThings(tuple(free), left=tuple(thing for thing in judged if thing.left))


def _by_place(looks: Iterable[tuple[str, Json]], key: str) -> _ByPlace:
    found: _ByPlace = defaultdict(dict)
    for repository, look in looks:
        for cluster, *place in look[key]:
            found[tuple(place)][cluster] = repository
    return found


def _repository(thing: Unused, found: _ByPlace) -> str:
    """The repository that has it, `""` where none does; it may be given the namespace when it is applied."""
    for name in (thing.name, _OF_A_TEMPLATE.sub("-*", thing.name)):
        for namespace in (thing.namespace, ""):
            for cluster, repository in found.get((thing.kind, namespace, name), {}).items():
                if _may_be(cluster, thing.cluster):
                    return repository
    return ""


def _left(
    thing: Unused, named: _ByPlace, protections: Collection[Protection], today: date
) -> Protection | str:
    if protection := protection_of(thing, protections, today):
        return protection
    repository = _repository(thing, named)
    return f"{repository} names it" if repository else ""


def _protections(looks: Iterable[tuple[str, Json]], cluster: str) -> Iterator[Protection]:
    """What policies protect on a cluster: those of repositories that are deployed to it, or to none."""
    for repository, look in looks:
        if not look["clusters"] or any(_may_be(one, cluster) for one in look["clusters"]):
            for told in look["protect"]:
                until = date.fromisoformat(told["until"]) if told["until"] else None
                source = f"the policy of {repository}"
                yield Protection(told["workload"], told["reason"], until=until, source=source)


def _may_be(cluster: str, where: str) -> bool:
    """Whether a cluster that a repository is deployed to may be the one where something stands."""
    return not where or cluster in {"", where}


def _names(thing: ManifestObject) -> Iterator[tuple[str, str]]:
    if thing.identity.kind in _STANDING and not thing.group:
        yield thing.identity.kind, thing.identity.name
    for template in sequence(dig(thing.body, "spec", "volumeClaimTemplates")):
        yield CLAIM, f"{text(dig(template, 'metadata', 'name'))}-{thing.identity.name}-*"


def _dearest(thing: Unused) -> tuple[Decimal, str, str, str, str]:
    return -thing.monthly, thing.cluster, thing.kind, thing.namespace, thing.name
