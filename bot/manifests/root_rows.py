"""What is told of a root by itself, and the kustomization of ours that may lie over it."""

from __future__ import annotations

import json
import posixpath
import tempfile
from pathlib import Path

from bot.manifests.assembly import Placed
from bot.manifests.jobs import Job
from bot.manifests.rendered import LeftOut, RootKind
from bot.manifests.roots import KUSTOMIZATIONS
from bot.manifests.trees import join, shown
from estimators.objects import Path as FieldPath
from estimators.objects import Unpriced, sequence, text

_OVERLAY = "tuppence-overlay"


def laid_over(tree: Path, job: Job) -> str:
    """The folder to render: the job's own, or a kustomization of ours laid over it."""
    if not job.overlay or job.kind is not RootKind.KUSTOMIZE:
        return job.folder
    folder = Path(tempfile.mkdtemp(prefix=f"{_OVERLAY}-", dir=tree)).name
    above = f"../{job.folder}" if job.folder else ".."
    components = [
        posixpath.relpath(inside, folder)
        for written in sequence(job.overlay.get("components"))
        if (inside := join(job.folder, text(written))) is not None
    ]
    kustomization = {**job.overlay, "components": components, "resources": [above]}
    (tree / folder / KUSTOMIZATIONS[0]).write_text(json.dumps(kustomization, default=str))
    return folder


def with_origin(job: Job, placed: Placed) -> Placed:
    """What a laid-over kustomization of ours set was written in the Argo CD or Flux object."""

    def locate(path: FieldPath) -> tuple[str, int]:
        file, line = placed.locate(path)
        return (job.origin, 1) if file.startswith(f"{_OVERLAY}-") else (file, line)

    if not job.overlay:
        return placed
    file, line = (job.origin, 1) if placed.file.startswith(f"{_OVERLAY}-") else (placed.file, placed.line)
    return Placed(placed.body, file, line, locate)


def failed_row(job: Job, reason: str) -> Unpriced:
    """A root of which nothing is rendered."""
    folder = shown(job.folder) or "."
    file = "Chart.yaml" if job.kind is RootKind.HELM else KUSTOMIZATIONS[0]
    return Unpriced("Root", "", folder, posixpath.normpath(f"{folder}/{file}"), reason, job.environment)


def left_out_row(job: Job, entry: LeftOut) -> Unpriced:
    """An entry of a kustomization that its root is rendered without."""
    is_ours = entry.file.startswith(f"{_OVERLAY}-")
    file, line = (shown(job.origin), 1) if is_ours else (shown(entry.file), entry.line)
    reason = f"{file}:{line}: {entry.reason}; the rest of this root was rendered"
    return Unpriced("Root", "", shown(job.folder) or ".", file, reason, job.environment)
