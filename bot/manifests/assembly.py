"""From bodies with a place to objects with an identity: environments, moves and doubles."""

from __future__ import annotations

import posixpath
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import NamedTuple

from bot.manifests.jobs import Job
from bot.manifests.trees import is_below, shown
from estimators.objects import Body, Identity, ManifestObject, Path, Source, Unpriced, dig, text

# Kinds that live in no namespace and that can matter to a price or are often rendered with those that do.
_CLUSTER_WIDE = frozenset(
    {
        "APIService",
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "IngressClass",
        "MutatingWebhookConfiguration",
        "Namespace",
        "PersistentVolume",
        "PriorityClass",
        "RuntimeClass",
        "StorageClass",
        "ValidatingWebhookConfiguration",
    }
)
_SAME_ROOT = 0.5  # the share of common objects from which a root that went is the one that came


class Group(NamedTuple):
    """The objects of one folder in one environment."""

    folder: str
    kind: str
    environment: str


@dataclass(frozen=True, slots=True)
class Placed:
    """A body and where it was written. `locate` gives file and line of a field."""

    body: Body
    file: str
    line: int
    locate: Callable[[Path], tuple[str, int]] = field(repr=False)


class Assembly:
    """The objects of one side, in the order they were found."""

    def __init__(self) -> None:
        self.groups: dict[Group, list[ManifestObject]] = defaultdict(list)
        self.fixed: set[Group] = set()
        self.unnamed: list[Unpriced] = []
        self.unread_files: set[str] = set()
        self.hidden: tuple[str, ...] = ()
        """Files and folders that nobody may read."""
        self.failed: set[Group] = set()
        # File and reason of the entries that a root was rendered without.
        self.left_out: dict[Group, set[tuple[str, str]]] = defaultdict(set)

    def may_hold(self, file: str) -> bool:
        """Whether a file may be there all the same, though nothing was read of it."""
        above = map(shown, self.hidden)
        return file in self.unread_files or any(file == path or is_below(file, path) for path in above)

    def may_hold_root(self, folder: str) -> bool:
        """Whether what makes a folder a root may be there, though nobody may read it."""
        return any(
            folder in {path, posixpath.dirname(path)} or is_below(folder, path) for path in self.hidden
        )

    def add(self, job: Job, placed: Placed) -> None:
        """Give one body its identity."""
        body = placed.body
        kind = str(body.get("kind"))
        name = dig(body, "metadata", "name") or dig(body, "metadata", "generateName")
        namespace = text(dig(body, "metadata", "namespace"))
        if not namespace and kind not in _CLUSTER_WIDE:
            namespace = job.default_namespace
        source = Source(shown(placed.file), placed.line)
        if not isinstance(name, str | int | float) or name == "":
            # Configuration of many tools has a kind and an apiVersion too, but no specification.
            if "spec" in body:
                reason = f"line {placed.line}: it has no metadata.name"
                self.unnamed.append(Unpriced(kind, namespace, "", source.file, reason, job.environment))
            return
        group = group_of(job)
        if job.fixed:
            self.fixed.add(group)
        self.groups[group].append(
            ManifestObject(
                identity=Identity(job.environment, namespace, kind, str(name)),
                api_version=str(body.get("apiVersion")),
                body=body,
                source=source,
                locate=_Locator(placed.locate),
            )
        )

    def objects(self, environments: Mapping[Group, str]) -> Iterator[ManifestObject]:
        """All objects; `environments` renames those of some groups."""
        for group, found in self.groups.items():
            name = environments.get(group)
            for item in found:
                yield (
                    item if name is None else replace(item, identity=item.identity._replace(environment=name))
                )


class _Locator:
    """A renderer's `locate`, giving a Source."""

    __slots__ = ("_locate",)

    def __init__(self, locate: Callable[[Path], tuple[str, int]]) -> None:
        self._locate = locate

    def __call__(self, path: Path) -> Source:
        file, line = self._locate(path)
        return Source(shown(file), line)


def group_of(job: Job) -> Group:
    """The group that the objects of a job are in."""
    return Group(job.folder, job.kind.value if job.kind else "", job.environment)


def leave_out_unread(side: Assembly, other: Assembly) -> None:
    """Remove from one side what the other may hold too, but could not read or render.

    Else an object would seem to have gone, and its cost to be saved, because of a missing bracket. An entry
    that only the other side's root was rendered without may hold what is only here.
    """
    there = {item.identity for objects in other.groups.values() for item in objects}
    hidden = {one for one in side.groups if one not in other.groups and other.may_hold_root(one.folder)}
    for group in (other.failed | {one for one in hidden if one.kind}) & side.groups.keys():
        del side.groups[group]
    for group, objects in side.groups.items():
        is_partial = bool(other.left_out.get(group, set()) - side.left_out.get(group, set()))
        side.groups[group] = [
            item
            for item in objects
            if item.identity in there
            or not (is_partial or (other.may_hold(item.source.file) and not group.kind))
        ]


def moved(base: Assembly, head: Assembly) -> dict[Group, str]:
    """The environments that groups of the head keep: they are only there, and one like them only went.

    A policy's environment is never changed: moving between two of those is a real change.
    """
    gone = [group for group in base.groups if group not in head.groups and group not in base.fixed]
    kept: dict[Group, str] = {}
    for group in head.groups:
        if group in base.groups or group in head.fixed or not gone:
            continue
        come = {item.identity for item in head.groups[group]}
        like, best = max((_likeness({item.identity for item in base.groups[old]}, come), old) for old in gone)
        if like >= _SAME_ROOT:
            gone.remove(best)
            if best.environment != group.environment:
                kept[group] = best.environment
    return kept


def told_apart(side: Assembly) -> dict[Group, str]:
    """Environments for roots that are copies of one another in one environment, or in none.

    Copies of an application for each region or customer are such; their folders tell them apart. Roots of
    one named environment may share a few objects, such as their namespace; without a name, none.
    """
    held = {
        group: {item.identity for item in objects}
        for group, objects in side.groups.items()
        if group.kind and group not in side.fixed
    }
    holders: dict[Identity, list[Group]] = defaultdict(list)
    for group, identities in held.items():
        for identity in identities:
            holders[identity].append(group)
    pairs = {pair for groups in holders.values() for pair in combinations(groups, 2)}
    alike = {
        group
        for one, other in pairs
        if not one.environment or _likeness(held[one], held[other]) >= _SAME_ROOT
        for group in (one, other)
    }
    names = Counter(posixpath.basename(group.folder) for group in alike)
    return {
        group: group.folder
        if names[posixpath.basename(group.folder)] > 1
        else posixpath.basename(group.folder)
        for group in alike
    }


def _likeness(one: AbstractSet[Identity], other: AbstractSet[Identity]) -> float:
    """Common identities over all identities, environments aside."""
    ours, theirs = ({identity[1:] for identity in side} for side in (one, other))
    return len(ours & theirs) / len(ours | theirs)


def without_doubles(
    objects: Iterator[ManifestObject], changed: frozenset[str]
) -> tuple[tuple[ManifestObject, ...], tuple[tuple[ManifestObject, Source], ...]]:
    """One object for each identity: the one in a changed file, else the last; and what was passed over."""
    kept: dict[Identity, ManifestObject] = {}
    doubles: list[tuple[Identity, Source]] = []
    for item in objects:
        other = kept.get(item.identity)
        if other is not None:
            wins = item.source.file in changed or other.source.file not in changed
            doubles.append((item.identity, (other if wins else item).source))
            if not wins:
                continue
        kept[item.identity] = item
    return tuple(kept.values()), tuple((kept[identity], source) for identity, source in doubles)
