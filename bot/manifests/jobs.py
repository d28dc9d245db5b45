"""What is to be rendered or read on one side, and by whose order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from bot.manifests.rendered import RenderRequest, RootKind
from bot.manifests.roots import UnitKey
from estimators.objects import Body, Unpriced


@dataclass(frozen=True, slots=True)
class Job:
    """One folder of the tree for one environment; `kind` is None for plain YAML files.

    `namespace` is forced on every object, `default_namespace` given to those that name none.
    `overlay` holds fields of a kustomization to lay over the folder (images, patches...), `substitute`
    the variables that Flux puts into the result, None where it puts none. `fixed` marks an
    environment that the policy gave, `recurse` plain files that count in folders below as well.
    `origin` is the file of the Argo CD or Flux object, `""` for none.
    """

    kind: RootKind | None
    folder: str
    environment: str = ""
    fixed: bool = False
    release_name: str = "release"
    namespace: str = ""
    default_namespace: str = ""
    values_files: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    skip_crds: bool = False
    overlay: Mapping[str, Any] = field(default_factory=dict)
    substitute: Mapping[str, str] | None = None
    recurse: bool = True
    origin: str = ""

    def request(self, folder: str) -> RenderRequest:
        """What the renderer is asked, `folder` being this job's or the overlay laid over it."""
        return RenderRequest(
            kind=self.kind or RootKind.KUSTOMIZE,
            path=folder,
            release_name=self.release_name,
            namespace=self.namespace,
            values_files=self.values_files,
            values=self.values,
            skip_crds=self.skip_crds,
        )


class DeploymentKey(NamedTuple):
    """An Argo CD or Flux object.

    Each cluster has its own of the same name, so where it is found is part of what it is known by: its
    file, or the root and the environment that it is rendered in.
    """

    kind: str
    namespace: str
    name: str
    found_in: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """An Argo CD or Flux object: what it has rendered from this repository, and what it cannot."""

    key: DeploymentKey
    body: Body
    file: str
    jobs: tuple[Job, ...]
    unpriced: tuple[Unpriced, ...]

    @property
    def units(self) -> set[UnitKey]:
        """The charts and kustomizations that it has rendered."""
        return {UnitKey(job.kind, job.folder) for job in self.jobs if job.kind}
