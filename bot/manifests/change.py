"""From two trees to the objects of both sides that a change can have touched."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from bot.globs import matches
from bot.manifests.assembly import Group, leave_out_unread, moved, told_apart, without_doubles
from bot.manifests.chart_values import changed_values
from bot.manifests.environments import EnvironmentRule
from bot.manifests.jobs import Deployment, DeploymentKey, Job
from bot.manifests.leftovers import leftovers
from bot.manifests.rendered import Renderer, RootKind
from bot.manifests.roots import UnitKey
from bot.manifests.sides import SideReader
from bot.manifests.trees import Contents, shown
from bot.ports import Tree
from estimators.objects import ManifestObject, Source, Unpriced

__all__ = ["Change", "EnvironmentRule", "Side", "read_change"]

# An app of apps of apps is as deep as people go; a chart may also render itself for ever.
_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a change.

    `duplicates` holds the objects that were written more than once, each with the place of one that
    was passed over. `left_out_hooks` counts Helm hooks and tests.
    """

    objects: tuple[ManifestObject, ...]
    unpriced: tuple[Unpriced, ...]
    left_out_hooks: int
    duplicates: tuple[tuple[ManifestObject, Source], ...]


@dataclass(frozen=True, slots=True)
class Change:
    """Both sides, the files that differ, and what of them could not be looked at in full."""

    base: Side
    head: Side
    changed_files: tuple[str, ...]
    partial: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """How trees are read: see `read_change`. `contents` is what is known of files that were read before."""

    render: Renderer
    environments: Sequence[EnvironmentRule] = ()
    ignore: Sequence[str] = ()
    only_environment: str | None = None
    repository_urls: Sequence[str] = ()
    contents: Contents = field(default_factory=Contents)

    def ignored(self, path: str) -> bool:
        """Whether the policy leaves a path out."""
        return any(matches(glob, path) for glob in self.ignore)

    def wanted(self, environment: str) -> bool:
        """Whether an environment is looked at."""
        return self.only_environment is None or environment == self.only_environment


def read_change(
    base: Tree,
    head: Tree,
    *,
    environments: Sequence[EnvironmentRule] = (),
    ignore: Sequence[str] = (),
    only_environment: str | None = None,
    render: Renderer,
    repository_urls: Sequence[str] = (),
) -> Change:
    """The objects that a change can have touched, on both sides.

    Changed files lead to the Kustomize and Helm roots that use them, to the Argo CD and Flux objects
    that deploy these, else to the manifests in their folder; only those are rendered and read.
    `repository_urls` are the addresses of this repository, for Argo CD and Flux to be matched with;
    where none is known, a path that exists here is taken to be meant. Bad input is `unpriced`, never raised.
    """
    terms = Terms(render, environments, ignore, only_environment, repository_urls)
    sides, changed = read_sides(base, head, terms)
    leave_out_unread(sides[0].assembly, sides[1].assembly)
    leave_out_unread(sides[1].assembly, sides[0].assembly)
    apart = told_apart(sides[0].assembly) | told_apart(sides[1].assembly)
    kept = moved(sides[0].assembly, sides[1].assembly)
    files = frozenset(shown(path) for path in changed)
    return Change(
        base=finished(sides[0], apart, files),
        head=finished(sides[1], apart | kept, files),
        changed_files=tuple(sorted(files)),
        partial=tuple(dict.fromkeys(reason for side in sides for reason in side.partial)),
    )


def read_sides(base: Tree, head: Tree, terms: Terms) -> tuple[tuple[SideReader, SideReader], frozenset[str]]:
    """Both sides with what a change can have touched, and the files that differ."""
    before, after = base.paths(), head.paths()
    changed = frozenset(
        path
        for path in before.keys() | after.keys()
        if before.get(path) != after.get(path) and not terms.ignored(path)
    )
    rules, urls = terms.environments, terms.repository_urls
    one, other = (SideReader(tree, terms.contents, rules, terms.ignored, urls) for tree in (base, head))
    if changed:
        _Reading((one, other), changed, terms.wanted).read(terms.render)
        other.unpriced += leftovers([one, other], changed, terms.ignored)
    return (one, other), changed


class _Reading:
    """Reads two sides in step: what is touched on one of them is read on both."""

    def __init__(
        self, sides: Sequence[SideReader], changed: frozenset[str], wanted: Callable[[str], bool]
    ) -> None:
        self._sides = sides
        self._changed = changed
        self._wanted = wanted
        self._affected: set[UnitKey] = set().union(*(side.units.affected(changed) for side in sides))
        self._told: set[DeploymentKey] = set()
        self._done: list[list[Job]] = [[] for _ in sides]

    def read(self, render: Renderer) -> None:
        """Plain manifests, then roots, then what Argo CD and Flux objects among the results deploy."""
        for side, other in zip(self._sides, reversed(self._sides), strict=True):
            side.leave_unlisted(other.units)
            side.find_deployments()
        self._affect_what_renders_the_touched()
        charts_of_objects = self._charts_of_deployments()
        untouched = charts_of_objects - self._affected
        self._affected |= charts_of_objects
        for side in self._sides:
            side.leave_to_render(self._affected)
        folders = sorted({posixpath.dirname(path) for path in self._changed})
        for side in self._sides:
            side.read_plain(folders, self._changed, self._wanted)
        roots = [side.units.roots(self._affected) for side in self._sides]
        # A chart that others come to depend on may be released by itself all the same.
        charts = {key for key in roots[0] | roots[1] if key.kind is RootKind.HELM}
        pointed = self._sides[0].pointed | self._sides[1].pointed
        wanted = [(own | charts) - pointed for own in roots]
        # What these deploy is rendered as they say, and not by itself.
        self._follow([own & charts_of_objects for own in wanted], render)
        # What was rendered to learn what it deploys, and is not touched itself, may fail.
        quiet = {key.path for key in untouched}
        for side in self._sides:
            side.unpriced = [item for item in side.unpriced if item.kind != "Root" or item.name not in quiet]
        pointed |= {unit for side in self._sides for one in side.deployments.values() for unit in one.units}
        self._follow([own - charts_of_objects - pointed for own in wanted], render)

    def _charts_of_deployments(self) -> set[UnitKey]:
        """The charts that render Argo CD and Flux objects, where these may have a changed chart rendered."""
        if not any(key.kind is RootKind.HELM for key in self._affected):
            return set()
        return {chart for side in self._sides for chart in side.charts_of_deployments()}

    def _follow(self, roots: Sequence[set[UnitKey]], render: Renderer) -> None:
        """Render some roots of each side, and what touched Argo CD and Flux objects have rendered."""
        jobs = [
            list(side.default_jobs(own, self._changed)) for side, own in zip(self._sides, roots, strict=True)
        ]
        for _ in range(_ROUNDS):
            touched = self._touched()
            self._tell(touched)
            for at, side in enumerate(self._sides):
                deployed = (side.deployments[key] for key in sorted(touched) if key in side.deployments)
                wanted = [*jobs[at], *(job for deployment in deployed for job in deployment.jobs)]
                new = self._new(wanted, self._done[at])
                self._done[at] += new
                plain = [folder for job in new if job.kind is None for folder in side.plain_folders(job)]
                side.read_plain(plain, self._changed, self._wanted)
                side.render(new, render)
            if self._touched() <= touched:
                return
        for side in self._sides:
            side.partial.append(f"applications that deploy applications were followed {_ROUNDS} times only")

    def _affect_what_renders_the_touched(self) -> None:
        """A change of a chart reaches the overlays with the objects that have it rendered."""
        for _ in range(_ROUNDS):
            reached = {
                unit
                for side in self._sides
                for deployment in side.deployments.values()
                if any(self._reaches(job) for job in deployment.jobs)
                for unit in side.units.rendering(deployment.file)
            }
            if reached <= self._affected:
                return
            self._affected |= reached

    def _new(self, jobs: Iterable[Job], done: Sequence[Job]) -> list[Job]:
        new: list[Job] = []
        for job in jobs:
            names = {job.environment or posixpath.basename(job.folder), job.environment}
            if any(map(self._wanted, names)) and job not in done and job not in new:
                new.append(job)
        return new

    def _touched(self) -> set[DeploymentKey]:
        """The Argo CD and Flux objects that differ, or whose sources do."""
        base, head = (side.deployments for side in self._sides)
        return {
            key
            for key in base.keys() | head.keys()
            if _differ(base.get(key), head.get(key))
            or any(self._reaches(job) for side in (base, head) if key in side for job in side[key].jobs)
        }

    def _reaches(self, job: Job) -> bool:
        unit = UnitKey(job.kind, job.folder) if job.kind else None
        return unit in self._affected or not self._changed.isdisjoint(job.values_files)

    def _tell(self, touched: set[DeploymentKey]) -> None:
        """What they deploy and cannot be priced is told where they themselves, or their sources, changed."""
        for key in sorted(touched - self._told):
            asked = changed_values(*(side.deployments.get(key) for side in self._sides))
            for side in self._sides:
                if key in side.deployments:
                    told = side.deployments[key].unpriced
                    side.unpriced += (replace(item, reason=item.reason + asked) for item in told)
        self._told |= touched


def _differ(one: Deployment | None, other: Deployment | None) -> bool:
    return one is None or other is None or (one.body, one.jobs) != (other.body, other.jobs)


def finished(side: SideReader, environments: dict[Group, str], changed: frozenset[str]) -> Side:
    """A side as people see it; `environments` renames those of groups that are copies of one another."""
    objects, duplicates = without_doubles(side.assembly.objects(environments), changed)
    unpriced = tuple(dict.fromkeys([*side.unpriced, *side.assembly.unnamed]))
    return Side(objects, unpriced, side.hooks, duplicates)
