"""One side of a change while it is read: its files, its roots, and the objects found so far."""

from __future__ import annotations

import posixpath
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from bot.errors import OutsideError
from bot.manifests import argo, flux
from bot.manifests.assembly import Assembly, Placed, group_of
from bot.manifests.documents import Document
from bot.manifests.environments import EnvironmentRule, environment_of
from bot.manifests.gitops import Repository, is_deployment, key_of, written_in
from bot.manifests.jobs import Deployment, DeploymentKey, Job
from bot.manifests.rendered import RenderedObject, Renderer, RenderResult, RootKind
from bot.manifests.root_rows import failed_row, laid_over, left_out_row, with_origin
from bot.manifests.roots import UnitKey, Units
from bot.manifests.trees import ARGO, CONFIG_MAP, FLUX, OBJECT, Contents, Files, is_below, shown
from bot.ports import Tree
from estimators.objects import Body, Unpriced, dig, mapping, text
from estimators.objects import Path as FieldPath

_YAML = (".yaml", ".yml")


class SideReader:
    """Reads one tree. `ignored` tells paths that the policy leaves out."""

    def __init__(
        self,
        tree: Tree,
        contents: Contents,
        rules: Sequence[EnvironmentRule],
        ignored: Callable[[str], bool],
        urls: Sequence[str],
    ) -> None:
        self.tree = tree
        self.files = Files(tree, contents)
        self.units = Units(self.files, rules)
        self.assembly = Assembly()
        self.assembly.hidden = tuple(skipped.path for skipped in tree.skipped if skipped.hidden)
        self.unpriced: list[Unpriced] = []
        self.partial: list[str] = []
        self.jobs: list[Job] = []
        self.hooks = 0
        self.deployments: dict[DeploymentKey, Deployment] = {}
        self._aside: dict[DeploymentKey, Deployment] = {}
        self._rules, self._ignored = rules, ignored
        self.pointed: set[UnitKey] = set()
        self._read: set[str] = set()
        self._unlisted: set[str] = set()
        self._config_maps: dict[tuple[str, str], Mapping[str, Any]] | None = None
        self._sources: dict[str, str] = {}
        self.repository = Repository(
            self.units, rules, tuple(urls), self._config_map, lambda name: self._sources.get(name, "")
        )

    def leave_unlisted(self, other: Units) -> None:
        """Pass over files that a kustomization of both sides names on the other side only."""
        for key, unit in other.units.items():
            own = self.units.units.get(key)
            if own and key.kind is RootKind.KUSTOMIZE:
                self._unlisted |= unit.files - own.files

    def find_deployments(self) -> None:
        """Argo CD and Flux objects in plain files."""
        found = list(written_in(self.files, self._ignored))
        for body, _ in found:
            if body.get("kind") == "GitRepository":
                self._sources[text(dig(body, "metadata", "name"))] = text(dig(body, "spec", "url"))
        for body, file in found:
            if is_deployment(body):
                deployment = self._resolved(body, file, file)
                self.pointed |= deployment.units
                self.deployments[deployment.key] = deployment

    def charts_of_deployments(self) -> set[UnitKey]:
        """The charts whose templates are Argo CD or Flux objects: applications of applications."""
        return {
            owner
            for path in self.files.paths
            if path.endswith(_YAML)
            and "templates/" in path
            and (self.files.has_mark(path, ARGO) or self.files.has_mark(path, FLUX))
            for owner in self.units.owners(path)
        }

    def leave_to_render(self, affected: set[UnitKey]) -> None:
        """Put the objects of plain files aside that an affected root renders anyway.

        Only rendered have they the values, the name and the environment of each overlay. One that only
        itself has rendered, such as the Application of an Argo CD that deploys itself, stays.
        """
        by = {key: self.units.rendering(one.file) & affected for key, one in self.deployments.items()}
        waiting = {key for key, units in by.items() if units}
        rendered = self.units.roots(affected) - self.pointed
        rendered |= {unit for key in by.keys() - waiting for unit in self.deployments[key].units}
        while coming := [key for key in waiting if by[key] & rendered]:
            waiting -= set(coming)
            self._aside |= {key: self.deployments.pop(key) for key in coming}
            rendered |= {unit for key in coming for unit in self._aside[key].units}

    def _resolved(self, body: Body, file: str, found_in: str, by: Job | None = None) -> Deployment:
        """What an object deploys; without an environment of its own it is in that of the job it came by."""
        key = key_of(body, found_in)
        expand = flux.expand if "toolkit.fluxcd.io/" in text(body.get("apiVersion")) else argo.expand
        jobs: list[Job] = []
        unpriced = []
        for found, reason in expand(body, self.repository):
            for job in found:
                place = by if by is not None and not job.environment else job
                jobs.append(replace(job, origin=file, environment=place.environment, fixed=place.fixed))
            if reason:
                environment = by.environment if by else ""
                unpriced.append(Unpriced(key.kind, key.namespace, key.name, shown(file), reason, environment))
        return Deployment(key, body, file, tuple(jobs), tuple(unpriced))

    def default_jobs(self, roots: set[UnitKey], changed: frozenset[str]) -> Iterator[Job]:
        """Some roots as they render by themselves."""
        for key in sorted(roots):
            if key not in self.units.units or self._ignored(key.path):
                continue
            fixed = environment_of(key.path, self._rules)
            if key.kind is RootKind.KUSTOMIZE:
                environment = fixed if fixed is not None else self.units.overlay_name(key.path)
                yield Job(key.kind, key.path, environment, fixed is not None)
                continue
            every = self.units.units[key].values
            touched = {file for unit in self.units.below([key]) for file in self._touched(unit, changed)}
            for one in every:
                own = {file for other in every if other is not one for file in other.files} - set(one.files)
                if not touched or touched - own:
                    names = {rule.name for rule in self._rules}
                    yield Job(
                        key.kind, key.path, one.environment, one.environment in names, values_files=one.files
                    )

    def _touched(self, unit: UnitKey, changed: frozenset[str]) -> Iterator[str]:
        return (file for file in changed if unit in self.units.owners(file))

    def read_plain(
        self, folders: Collection[str], changed: frozenset[str], wanted: Callable[[str], bool]
    ) -> None:
        """Every manifest in some folders that belongs to no root, and was not read yet."""
        candidates = [
            path
            for folder in folders
            for path in self.files.in_folder(folder)
            if path.endswith((*_YAML, ".json"))
            and path not in self._read
            and path not in self._unlisted
            and not self._ignored(path)
            and not self.units.is_part(path)
        ]
        self._read |= set(candidates)
        self.files.scan(candidates)
        paths = [
            path
            for path in candidates
            if self.files.has_mark(path, OBJECT) or (path in changed and path.endswith(_YAML))
        ]
        self.files.prepare(paths)
        orders = [job for one in self.deployments.values() for job in one.jobs if job.kind is None]
        for path in paths:
            job = self._plain_job(path, orders)
            if wanted(job.environment):
                self._read_file(path, job, is_changed=path in changed)
        for skipped in self.tree.skipped:
            is_folder = skipped.hidden and any(
                folder == skipped.path or is_below(folder, skipped.path) for folder in folders
            )
            if is_folder or (skipped.path.endswith(_YAML) and posixpath.dirname(skipped.path) in folders):
                file = shown(skipped.path)
                self.unpriced.append(Unpriced("File", "", file, file, f"not read: {skipped.reason}"))

    def plain_folders(self, job: Job) -> list[str]:
        """The folders whose plain manifests an Argo CD or Flux object deploys."""
        below = [folder for folder in self.files.folders if job.recurse and is_below(folder, job.folder)]
        return [job.folder, *below]

    def _plain_job(self, path: str, orders: Sequence[Job]) -> Job:
        """A plain file's environment is the policy's; who deploys it gives namespace and variables."""
        environment = environment_of(path, self._rules)
        folder = posixpath.dirname(path)
        own = [
            job for job in orders if job.folder == folder or (job.recurse and is_below(folder, job.folder))
        ]
        order = max(own, key=lambda job: len(job.folder), default=Job(None, folder))
        return Job(
            None,
            folder,
            environment or "",
            environment is not None,
            default_namespace=order.default_namespace,
            substitute=order.substitute,
        )

    def _read_file(self, path: str, job: Job, *, is_changed: bool) -> None:
        for problem in self.files.reading(path).problems:
            if problem.lost:
                self.assembly.unread_files.add(shown(path))
            if is_changed or not (problem.encrypted or problem.template):
                file, reason = shown(path), f"line {problem.line}: {problem.reason}"
                self.unpriced.append(Unpriced("File", "", file, file, reason, job.environment))
        for item in self.files.objects(path):
            if not is_deployment(item.body):
                body = item.body if job.substitute is None else flux.substituted(item.body, job.substitute)
                self.assembly.add(job, Placed(body, path, item.line, partial(_locate, path, item)))

    def render(self, jobs: Sequence[Job], renderer: Renderer) -> None:
        """Render jobs; Argo CD and Flux objects among the results are taken in for the next round."""
        rooted = [job for job in jobs if job.kind is not None]
        self.jobs += rooted
        if not rooted:
            return
        with tempfile.TemporaryDirectory(prefix="tuppence-tree-") as name:
            folder = Path(name)
            keys = self.units.below(UnitKey(job.kind, job.folder) for job in rooted if job.kind)
            units = [self.units.units[key] for key in keys]
            named = {file for unit in units for file in unit.files} | {
                file for job in rooted for file in job.values_files
            }
            if reason := self.files.export(folder, [key.path for key in keys], named):
                self.partial.append(reason)
            requests = [job.request(laid_over(folder, job)) for job in rooted]
            try:
                results = renderer(folder, requests)
            except OutsideError as error:
                results = [RenderResult(request, failure=str(error)) for request in requests]
        for job, result in zip(rooted, results, strict=True):
            if result.failure is not None:
                self.assembly.failed.add(group_of(job))
                self.unpriced.append(failed_row(job, result.failure))
                # As they are written, they still tell what of them is in this repository.
                unit = UnitKey(result.request.kind, job.folder)
                self.deployments |= {
                    key: one for key, one in self._aside.items() if unit in self.units.rendering(one.file)
                }
            for entry in result.left_out:
                self.assembly.left_out[group_of(job)].add((entry.file, entry.reason))
                self.unpriced.append(left_out_row(job, entry))
            for item in result.objects:
                self._take(job, item)

    def _take(self, job: Job, item: RenderedObject) -> None:
        if item.is_hook:
            self.hooks += 1
            return
        body = item.body if job.substitute is None else flux.substituted(item.body, job.substitute)
        placed = with_origin(job, Placed(body, item.file, item.line, item.locate))
        if is_deployment(body):
            deployment = self._resolved(body, placed.file, f"{job.folder} {job.environment}", job)
            self.deployments[deployment.key] = deployment
        else:
            self.assembly.add(job, placed)

    def _config_map(self, namespace: str, name: str) -> Mapping[str, Any] | None:
        if self._config_maps is None:
            yaml = [path for path in self.files.paths if path.endswith(_YAML)]
            self.files.scan(yaml)
            marked = [path for path in yaml if self.files.has_mark(path, CONFIG_MAP)]
            self.files.prepare(marked)
            bodies = [item.body for path in marked for item in self.files.objects(path)]
            self._config_maps = {
                (text(dig(body, "metadata", "namespace")), text(dig(body, "metadata", "name"))): mapping(
                    body.get("data")
                )
                for body in bodies
                if body.get("kind") == "ConfigMap"
            }
        return self._config_maps.get((namespace, name), self._config_maps.get(("", name)))


def _locate(file: str, document: Document, path: FieldPath) -> tuple[str, int]:
    return file, document.locate(path)
