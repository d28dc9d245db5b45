"""Everything that one tree deploys, and what of it moves when some of its files say something else."""

from __future__ import annotations

import hashlib
import posixpath
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from bot.manifests.assembly import Assembly, Group, group_of, told_apart
from bot.manifests.change import Side, Terms, finished, read_sides
from bot.manifests.edits.rendered_once import RenderedOnce
from bot.manifests.jobs import Job
from bot.manifests.origin import leaves
from bot.manifests.rendered import RootKind
from bot.manifests.roots import UnitKey
from bot.ports import SkippedPath, Tree
from estimators.objects import Identity, ManifestObject, Path, dotted


class EditedTree:
    """A tree with other content in some of its files."""

    def __init__(self, tree: Tree, files: Mapping[str, bytes]) -> None:
        self._tree, self._files = tree, dict(files)
        ids = {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}
        self._paths = {**tree.paths(), **ids}

    @property
    def name(self) -> str:
        """The name of the tree below."""
        return self._tree.name

    @property
    def skipped(self) -> Sequence[SkippedPath]:
        """What the tree below skips."""
        return self._tree.skipped

    def paths(self) -> Mapping[str, str]:
        """Every file, the edited ones with the digest of their content."""
        return self._paths

    def read(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """The content of files, in their order; those of the tree below are asked for in one go."""
        wanted = list(paths)
        waiting = iter(wanted)
        for path, data in self._tree.read([path for path in wanted if path not in self._files]):
            for other in waiting:
                if other == path:
                    break
                if other in self._files:
                    yield other, self._files[other]
            yield path, data
        yield from ((other, self._files[other]) for other in waiting if other in self._files)


class _NoTree:
    """The tree that everything is new against."""

    name = "nothing"
    skipped: Sequence[SkippedPath] = ()

    def paths(self) -> Mapping[str, str]:
        return {}

    def read(self, _paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        return iter(())


class Written(NamedTuple):
    """An object as one root gave it; `group` is that root in its environment."""

    group: Group
    item: ManifestObject


class Moved(NamedTuple):
    """A field of an object that differs: None where one side has no such field."""

    identity: Identity
    path: Path
    before: Any
    after: Any

    def __str__(self) -> str:
        """Read as `prod: Deployment shop/api spec.replicas 2 → 3`."""
        return (
            f"{self.identity} {dotted(self.path) or 'as a whole'} {_said(self.before)} → {_said(self.after)}"
        )


class WholeTree:
    """One tree, read wholly: its objects under the names that everybody knows them by."""

    def __init__(self, tree: Tree, terms: Terms) -> None:
        """Read every file that deploys something. `terms.only_environment` must be None."""
        self.tree = tree
        # Not for the first reading: what a second one gives otherwise is made up anew each time.
        self._terms = replace(terms, render=RenderedOnce(terms.render))
        (_, head), changed = read_sides(_NoTree(), tree, terms)
        self._assembly = head.assembly
        self._apart = told_apart(head.assembly)
        self.side: Side = finished(head, self._apart, changed)
        self.units = head.units
        self.jobs: dict[Group, list[Job]] = defaultdict(list)
        for job in head.jobs:
            self.jobs[group_of(job)].append(job)
        self._leaves = _leaves(head.assembly)
        self._objects: dict[Identity, list[Written]] = defaultdict(list)
        for group, items in head.assembly.groups.items():
            for item in items:
                self._objects[self._named(group, item.identity)].append(Written(group, item))

    def find(self, identity: Identity) -> Sequence[Written]:
        """The objects of that identity: more than one where it is written more than once."""
        return self._objects.get(identity, ())

    def moved(self, files: Mapping[str, bytes]) -> tuple[tuple[Moved, ...], str]:
        """What differs once some files have other content; and why more may differ, `""` where all is known.

        A field that two renderings of the same files give differently, such as a random password, is none.
        """
        edited = EditedTree(self.tree, files)
        (base, head), _ = read_sides(self.tree, edited, self._terms)
        affected = self.units.affected(files)
        if not self._has(base.assembly, files, affected):
            # What deploys an object may be known of everything only: a chart that renders Applications.
            (_, base), _ = read_sides(_NoTree(), self.tree, self._terms)
            (_, head), _ = read_sides(_NoTree(), edited, self._terms)
        reasons = [
            *(
                f"{group.folder} renders no more"
                for group in sorted(head.assembly.failed - base.assembly.failed)
            ),
            *(
                f"what moves in {group.folder} is not known: it cannot be rendered"
                for group in sorted(base.assembly.failed)
                if UnitKey(RootKind(group.kind), group.folder) in affected
            ),
            *(
                f"{file} is read no more"
                for file in sorted(head.assembly.unread_files - base.assembly.unread_files)
            ),
        ]
        before, after = _leaves(base.assembly), _leaves(head.assembly)
        return tuple(self._differences(before, after)), "; ".join(reasons)

    def _has(self, part: Assembly, files: Mapping[str, bytes], affected: set[UnitKey]) -> bool:
        """Whether a reading of what some files touch found the objects that they touch in the whole tree."""
        whole = self._assembly.groups
        folders = {posixpath.dirname(file) for file in files}
        touched = {
            group
            for group in whole
            if (
                UnitKey(RootKind(group.kind), group.folder) in affected and self._takes(group, files)
                if group.kind
                else group.folder in folders
            )
        }
        return all(
            sorted(item.identity for item in whole.get(group, ()))
            == sorted(item.identity for item in part.groups.get(group, ()))
            for group in touched | part.groups.keys()
        )

    def _takes(self, group: Group, files: Mapping[str, bytes]) -> bool:
        """Whether a root in its environment takes any of some files, and not only its other environments."""
        jobs = [job for other, found in self.jobs.items() if other[:2] == group[:2] for job in found]
        values = {file for job in jobs for file in job.values_files}
        own = {file for job in self.jobs[group] for file in job.values_files}
        return any(file in own or file not in values for file in files)

    def _differences(self, before: _Leaves, after: _Leaves) -> Iterator[Moved]:
        for key in dict.fromkeys([*before, *after]):
            group, identity, _ = key
            old, new = before.get(key), after.get(key)
            named = self._named(group, identity)
            if old is None or new is None:
                yield Moved(named, (), old is not None, new is not None)
                continue
            again = self._leaves.get(key, old)
            for path in dict.fromkeys([*old, *new]):
                was, now = old.get(path, _ABSENT), new.get(path, _ABSENT)
                if _differ(was, now) and not _differ(was, again.get(path, _ABSENT)):
                    yield Moved(named, path, _none(was), _none(now))

    def _named(self, group: Group, identity: Identity) -> Identity:
        environment = self._apart.get(group)
        return identity if environment is None else identity._replace(environment=environment)


_Leaves = dict[tuple[Group, Identity, int], dict[Path, Any]]
_ABSENT = object()


def _leaves(assembly: Assembly) -> _Leaves:
    """Every scalar of every object, nulls aside; objects of one identity in one root count from 0."""
    found: _Leaves = {}
    times: dict[tuple[Group, Identity], int] = defaultdict(int)
    for group, items in assembly.groups.items():
        for item in items:
            key = (group, item.identity)
            found[*key, times[key]] = {path: value for path, value in leaves(item.body) if value is not None}
            times[key] += 1
    return found


def _differ(one: object, other: object) -> bool:
    return type(one) is not type(other) or one != other


def _none(value: object) -> object:
    return None if value is _ABSENT else value


def _said(value: object) -> str:
    return "nothing" if value is None else str(value)[:40]
