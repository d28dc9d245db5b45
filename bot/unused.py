"""What stands in clusters, is used by nothing, and is declared by no repository that was looked at. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from bot.recommendation_records import Scan
from bot.records import Json
from estimators.objects import ManifestObject, dig, sequence, text
from estimators.unused import CLAIM, SERVICE, VOLUME, Unused

MOST_NAMED = 5
"""So many are named wherever people read; the others are counted."""
_STANDING = frozenset({CLAIM, VOLUME, SERVICE})
_OF_A_TEMPLATE = re.compile(r"-[0-9]+\Z")
_Place = tuple[str, str, str]
"""Kind, namespace and name."""


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
    """What is told of it, the dearest first; `more` cost `more_monthly` and are not named."""

    things: tuple[Unused, ...]
    more: int = 0
    more_monthly: Decimal = Decimal(0)

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


def declared(objects: Iterable[ManifestObject], cluster_of: Callable[[str], str]) -> Json:
    """What a repository declares of such things, as a scan keeps it: cluster, kind, namespace and name.

    `cluster_of` tells under which name the hours of an environment's cluster are kept, `""` where that is
    not known. The claims that a StatefulSet makes are one, `data-db-*`.
    """
    rows = {
        (cluster_of(thing.identity.environment), kind, thing.identity.namespace, name)
        for thing in objects
        for kind, name in _names(thing)
    }
    return {"rows": [list(row) for row in sorted(rows)]}


def undeclared(found: Iterable[Unused], scans: Collection[Scan]) -> UnusedThings | None:
    """What of it no repository declares that was looked at, the dearest first.

    None where a look is older than that it is kept what a repository declares: the next one tells.
    """
    looks = [scan.declares for scan in scans if scan.head_sha]
    if None in looks:
        return None
    known: dict[_Place, set[str]] = defaultdict(set)
    for look in looks:
        for cluster, *place in look["rows"] if look else ():
            known[tuple(place)].add(cluster)
    things = (thing for thing in found if not any(_is_on(thing, known, place) for place in _places(thing)))
    return UnusedThings(tuple(sorted(things, key=_dearest)))


def _names(thing: ManifestObject) -> Iterator[tuple[str, str]]:
    if thing.identity.kind in _STANDING and not thing.group:
        yield thing.identity.kind, thing.identity.name
    for template in sequence(dig(thing.body, "spec", "volumeClaimTemplates")):
        yield CLAIM, f"{text(dig(template, 'metadata', 'name'))}-{thing.identity.name}-*"


def _places(thing: Unused) -> Iterator[_Place]:
    """The names under which it may be declared; the namespace may be given when that is applied."""
    for name in {thing.name, _OF_A_TEMPLATE.sub("-*", thing.name)}:
        yield thing.kind, thing.namespace, name
        yield thing.kind, "", name


def _is_on(thing: Unused, known: Mapping[_Place, Collection[str]], place: _Place) -> bool:
    clusters = known.get(place, ())
    return bool(clusters) and (not thing.cluster or not {"", thing.cluster}.isdisjoint(clusters))


def _dearest(thing: Unused) -> tuple[Decimal, str, str, str, str]:
    return -thing.monthly, thing.cluster, thing.kind, thing.namespace, thing.name
