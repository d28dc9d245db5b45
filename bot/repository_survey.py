"""What a repository looks like from its file names: environments, charts, and who deploys it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MOST_FILES = 50_000
LARGEST_FILE = 200_000  # bytes
FOLDERS_OF_ENVIRONMENTS = frozenset({"overlays", "clusters", "environments", "envs", "env"})
WELL_KNOWN = frozenset(
    {
        "production",
        "prod",
        "preprod",
        "staging",
        "stage",
        "development",
        "dev",
        "testing",
        "test",
        "qa",
        "uat",
    }
)
LEFT_OUT = frozenset({"node_modules", "vendor", "testdata", "base", "common", "components", "charts"})

_VALUES = re.compile(r"values[-_.]([a-z0-9][a-z0-9-]*)\.ya?ml")
_GITOPS = re.compile(
    rb"^apiVersion:\s*[\"']?(argoproj\.io|kustomize\.toolkit\.fluxcd\.io|helm\.toolkit\.fluxcd\.io)/"
    rb".*\n(?:(?!---).*\n)*?kind:\s*[\"']?(ApplicationSet|Application|Kustomization|HelmRelease)\b",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class FoundEnvironment:
    """An environment that the repository seems to have: globs of its files, its values files by name."""

    name: str
    paths: tuple[str, ...]
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Survey:
    """`deployers` are `Argo CD` and `Flux`, where their objects are in the repository."""

    environments: tuple[FoundEnvironment, ...]
    charts: tuple[str, ...]
    kustomizations: int
    deployers: tuple[str, ...]


def survey(root: Path) -> Survey:
    """Look through the YAML files under `root`, at most 50,000 of them, never through links."""
    paths: dict[str, dict[str, None]] = {}
    values: dict[str, dict[str, None]] = {}
    charts, kustomizations, deployers = [], 0, set()
    for path in _yaml_files(root):
        if environment := _environment(path):
            glob, name = environment
            paths.setdefault(name, {})[glob] = None
        if match := _VALUES.fullmatch(path.name):
            paths.setdefault(match[1], {})[f"**/{path.name}"] = None
            values.setdefault(match[1], {})[path.name] = None
        if path.name == "Chart.yaml":
            charts.append(path.parent.as_posix())
        kustomizations += path.stem == "kustomization"
        deployers |= _deployers(root / path)
    environments = (
        FoundEnvironment(name, tuple(paths[name]), tuple(values.get(name, ()))) for name in sorted(paths)
    )
    return Survey(tuple(environments), tuple(charts), kustomizations, tuple(sorted(deployers)))


def _yaml_files(root: Path) -> Iterator[PurePosixPath]:
    left = MOST_FILES
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "node_modules")
        for name in sorted(files):
            path = Path(folder, name)
            if path.suffix in {".yaml", ".yml"} and not path.is_symlink():
                yield PurePosixPath(path.relative_to(root).as_posix())
                left -= 1
            if left == 0:
                return


def _environment(path: PurePosixPath) -> tuple[str, str] | None:
    """The glob and name of the first folder on the way to `path` that is named by its environment."""
    for at, folder in enumerate(path.parts[:-1]):
        if folder in WELL_KNOWN:
            return f"**/{folder}/**", folder
        name, is_folder = path.parts[at + 1], at + 2 < len(path.parts)
        if folder in FOLDERS_OF_ENVIRONMENTS and is_folder and name not in LEFT_OUT | WELL_KNOWN:
            return f"{'**/' if at else ''}{folder}/{name}/**", name
    return None


def _deployers(path: Path) -> set[str]:
    try:
        if path.stat().st_size > LARGEST_FILE:
            return set()
        found = {match[1] for match in _GITOPS.finditer(path.read_bytes())}
    except OSError:
        return set()
    return {"Argo CD" if group == b"argoproj.io" else "Flux" for group in found}
