"""The fenced process: limits itself, fences itself in, then renders what the parent asks for, line by line.

It reads one JSON object a line and answers each with one JSON line, `{"answer": ...}` or
`{"error": "..."}`. The first line is the set-up; see `sandbox.start` for its keys. It runs
without the site module and imports nothing but the standard library, the fence and one renderer.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Protocol

from bot.manifests import landlock, seccomp

Answer = Callable[[Mapping[str, Any]], bytes]

_PR_SET_PDEATHSIG = 1


class RenderError(Exception):
    """The renderer's own words on why a root has no objects."""


class _Chart(Protocol):
    """The part of helm_python's Chart that rendering needs."""

    metadata: Mapping[str, Any]
    dependencies: list[Mapping[str, Any]]
    crds: list[Mapping[str, str]]

    def merge_values(self, values: Mapping[str, Any]) -> dict[str, Any]: ...

    def render(self, values: Mapping[str, Any], *, name: str, namespace: str) -> dict[str, str]: ...


def main() -> None:
    """Serve until the parent closes the pipe."""
    lines = sys.stdin.buffer
    setup = json.loads(lines.readline())
    enter(setup)
    if setup["renderer"] == "command":
        os.execv(setup["command"][0], setup["command"])  # noqa: S606 - no shell is the point
    answer = _RENDERERS[setup["renderer"]](setup["library"])
    output = sys.stdout.buffer
    for line in lines:
        try:
            reply = b'{"answer": ' + answer(json.loads(line)) + b"}"
        except RenderError as error:
            reply = json.dumps({"error": str(error)}).encode()
        output.write(reply + b"\n")
        output.flush()


def enter(setup: Mapping[str, Any]) -> None:
    """Take the limits and the fence of `setup` upon this process; there is no way back.

    Raises OSError where the kernel refuses: nothing is rendered then.
    """
    for limit, value in (
        (resource.RLIMIT_CPU, setup["cpu_seconds"]),
        # Not the address space, of which Go reserves gigabytes, but what can be written to.
        (resource.RLIMIT_DATA, setup["memory_bytes"]),
        (resource.RLIMIT_FSIZE, setup["file_bytes"]),
        (resource.RLIMIT_NOFILE, setup["open_files"]),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(limit)[1]
        allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (allowed, allowed))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(ctypes.c_int(_PR_SET_PDEATHSIG), ctypes.c_ulong(signal.SIGKILL))
        if setup["parent"] not in (None, os.getppid()):
            sys.exit("the parent died before it could be watched")
    if setup["landlock"]:
        landlock.restrict(setup["readable"], setup["executable"])
    if setup["seccomp"]:
        seccomp.restrict(may_execute=setup["renderer"] == "command")


def _kustomize(library: str) -> Answer:
    """Call the C interface of pykustomize (its `libpykustomize.h`); its Python part would ask for cffi."""
    native = ctypes.CDLL(library)
    native.pykustomize_last_error.restype = ctypes.c_char_p
    native.pykustomize_free.argtypes = [ctypes.c_void_p]
    options = json.dumps({"load_restrictions": 1}).encode()

    def answer(job: Mapping[str, Any]) -> bytes:
        result = ctypes.c_void_p()
        folder = os.fsencode(job["folder"])
        if native.pykustomize_build_to_json(folder, options, ctypes.byref(result)) != 0:
            raise RenderError((native.pykustomize_last_error() or b"").decode(errors="replace"))
        try:
            return ctypes.string_at(result.value or 0)
        finally:
            native.pykustomize_free(result)

    return answer


def _helm(library: str) -> Answer:
    """Import helm_python from its folder alone: the rest of site-packages is out of reach."""
    spec = importlib.util.spec_from_file_location(
        "helm_python", f"{library}/__init__.py", submodule_search_locations=[library]
    )
    if spec is None or spec.loader is None:
        raise ImportError(library)
    helm = importlib.util.module_from_spec(spec)
    sys.modules["helm_python"] = helm
    spec.loader.exec_module(helm)

    def answer(job: Mapping[str, Any]) -> bytes:
        try:
            with helm.Chart.load(job["chart"]) as chart:
                return json.dumps(_render_chart(helm, chart, job)).encode()
        except (helm.HelmError, RecursionError) as error:
            raise RenderError(str(error)) from error

    return answer


def _render_chart(helm: ModuleType, chart: _Chart, job: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for shown, path in job["values_files"]:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - pathlib costs start-up time
            text = file.read()
        try:
            values = _merge(values, helm.values_from_yaml(text))
        except helm.HelmError as error:
            raise RenderError(f"{shown}: {error}") from error
    values = _merge(values, job["values"])
    metadata = chart.metadata
    if metadata.get("type") == "library":
        raise RenderError(f"{metadata.get('name')} is a library chart: it renders nothing by itself")
    present = {dependency.get("name") for dependency in chart.dependencies}
    merged = chart.merge_values(values)
    for dependency in metadata.get("dependencies") or ():
        if dependency.get("name") not in present and _is_enabled(dependency, merged):
            raise RenderError(f"missing in charts/ directory: {dependency.get('name')}")
    templates = chart.render(values, name=job["release_name"], namespace=job["namespace"])
    crds = {} if job["skip_crds"] else {crd["filename"]: crd["data"] for crd in chart.crds}
    return {"templates": templates, "crds": crds}


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Lay values over values as Helm does; a null stays, since it removes a chart's default."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = _merge(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged


def _is_enabled(dependency: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Whether Helm would use this dependency: the first condition that is set, else any tag that is set."""
    for condition in str(dependency.get("condition") or "").split(","):
        value: Any = values
        for key in condition.strip().split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, bool):
            return value
    tags = values.get("tags")
    switches = [tags.get(tag) for tag in dependency.get("tags") or ()] if isinstance(tags, dict) else []
    known = [switch for switch in switches if isinstance(switch, bool)]
    return any(known) if known else True


_RENDERERS: dict[str, Callable[[str], Answer]] = {"kustomize": _kustomize, "helm": _helm}


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        main()
