"""The rules of docs/architecture.md that import-linter cannot state, kept by reading the source."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted(
    path.relative_to(ROOT) for part in ("bot", "estimators") for path in (ROOT / part).rglob("*.py")
)
TESTS = sorted(path.relative_to(ROOT) for path in (ROOT / "tests").rglob("*.py"))
OURS = {"bot", "estimators"}

VENDORS = {
    "alembic": ("bot/adapters/records_*.py", "bot/migrations/*.py"),
    "apscheduler": ("bot/entrypoints/schedule.py",),
    "click": ("bot/entrypoints/*.py", "bot/app.py"),
    "cronsim": ("bot/adapters/cron_runs.py",),
    "dbos": ("bot/entrypoints/*jobs.py", "bot/entrypoints/deliveries.py"),
    "github": ("bot/adapters/github_*.py",),
    "helm_python": ("bot/manifests/*.py",),
    "jinja2": ("bot/rendering.py",),
    "jwt": ("bot/adapters/github_app.py",),
    "kubernetes": ("bot/adapters/kubernetes_*.py",),
    "matplotlib": ("bot/cost_chart.py", "bot/digest_chart.py"),
    "numpy": ("estimators/*.py", "bot/demo/*.py", "bot/adapters/prometheus_*.py", "bot/adapters/usage_*.py"),
    "platformdirs": ("bot/settings.py",),
    "prometheus_api_client": ("bot/adapters/prometheus_*.py",),
    "prometheus_client": ("bot/metrics.py",),
    "pykustomize": ("bot/manifests/*.py",),
    "requests": (
        "bot/adapters/github_client.py",
        "bot/adapters/prometheus_*.py",
        "bot/adapters/webhook_sender.py",
    ),
    "rich": (
        "bot/progress.py",
        "bot/terminal.py",
        "bot/cost_terminal.py",
        "bot/digest_text.py",
        "bot/app.py",
    ),
    "slack_bolt": ("bot/entrypoints/slack*.py", "bot/adapters/slack_*.py"),
    "slack_sdk": ("bot/entrypoints/slack*.py", "bot/adapters/slack_*.py"),
    "sqlalchemy": ("bot/adapters/*_store.py", "bot/adapters/records*.py", "bot/migrations/*.py"),
    "starlette": (
        "bot/entrypoints/http_app.py",
        "bot/entrypoints/serving.py",
        "bot/entrypoints/slack_http.py",
    ),
    "urllib3": (
        "bot/adapters/github_client.py",
        "bot/adapters/kubernetes_*.py",
        "bot/adapters/prometheus_*.py",
    ),
    "uvicorn": ("bot/entrypoints/serving.py",),
    "yaml": ("bot/manifests/documents.py",),
}
"""Which files may import which vendor. A new vendor gets a line here and one in docs/dependencies.md."""

IMPURE = {
    "asyncio", "ftplib", "http", "io", "logging", "multiprocessing", "os", "pathlib", "random",
    "secrets", "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess", "sys", "tempfile", "threading", "time",
    "urllib", "warnings",
}  # fmt: skip
READERS_OF_THE_ENVIRONMENT = {Path("bot/settings.py"), Path("bot/manifests/render_child.py")}
"""The child that renders hands its own environment, which was emptied, to the renderer."""
SHARED_BY_ADAPTERS = {"strict_json", "sketch_store", "usage_assembly", "usage_sketches"}
"""How JSON is read, and the cache that whoever reads utilisation reads and writes through."""
SLOW = (
    "github",
    "kubernetes",
    "prometheus_api_client",
    "prometheus_client",
    "slack_bolt",
    "slack_sdk",
    "sqlalchemy",
    "starlette",
    "uvicorn",
    "numpy",
    "pandas",
    "matplotlib",
    "requests",
    "jinja2",
)


def tree(path: Path) -> ast.Module:
    """The parsed source of a file of ours."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, anywhere in it."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def vendors(path: Path) -> set[str]:
    """The top-level names of what a file imports from other people."""
    return {name.partition(".")[0] for name in imported(path)} - OURS - set(sys.stdlib_module_names)


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_a_vendor_is_imported_only_where_it_belongs(path: Path) -> None:
    """One file, or one adapter, knows one vendor; all others go through it."""
    misplaced = {
        vendor
        for vendor in vendors(path)
        if not any(fnmatchcase(path.as_posix(), place) for place in VENDORS.get(vendor, ()))
    }
    assert not misplaced


@pytest.mark.parametrize("path", [path for path in SOURCES if path.parts[0] == "estimators"], ids=str)
def test_estimators_are_pure(path: Path) -> None:
    """No input, output, clock or log: the same arguments always give the same answer."""
    assert vendors(path) <= {"numpy"}
    assert not {name.partition(".")[0] for name in imported(path)} & IMPURE
    clocks = {"now", "today", "utcnow"}
    called = {
        node.func.attr
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    named = {
        node.func.id
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not called & clocks
    assert not named & {"open", "print", "input", "eval", "exec", "__import__"}


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if path not in READERS_OF_THE_ENVIRONMENT], ids=str
)
def test_only_the_settings_read_the_environment(path: Path) -> None:
    """A secret has one door."""
    attributes = {
        node.attr
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os"
    }
    assert not attributes & {"environ", "environb", "getenv", "getenvb"}


@pytest.mark.parametrize("path", [path for path in SOURCES if path.parent == Path("bot/adapters")], ids=str)
def test_an_adapter_knows_one_outside_system(path: Path) -> None:
    """Files of one outside system share the first word of their names, and import no other's."""
    system = path.stem.partition("_")[0]
    others = {
        name
        for name in imported(path)
        if name.startswith("bot.adapters.")
        and name.split(".")[2].partition("_")[0] != system
        and name.split(".")[2] not in SHARED_BY_ADAPTERS
    }
    assert not others


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_files_stay_short(path: Path) -> None:
    """At most 300 lines: what is longer holds more than one idea."""
    lines = len((ROOT / path).read_text(encoding="utf-8").splitlines())
    assert lines <= 300


@pytest.mark.parametrize("path", [*SOURCES, *TESTS], ids=str)
def test_functions_stay_short(path: Path) -> None:
    """At most 50 lines, tests included."""
    functions = (
        node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    lengths = {node.name: (node.end_lineno or node.lineno) - node.lineno + 1 for node in functions}
    assert {name: length for name, length in lengths.items() if length > 50} == {}


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_no_module_has_a_vendors_name(path: Path) -> None:
    """`python bot/x.py` puts the file's folder first on the path: a `kubernetes.py` would hide the vendor."""
    assert path.stem not in {*VENDORS, "github", "slack", "slack_sdk", "slack_bolt"}


def test_help_loads_no_slow_library() -> None:
    """The answer to `--help` must not wait for a client nobody uses."""
    program = (
        "import sys\nfrom bot.entrypoints.cli import cli\n"
        "try:\n    cli(['--help'])\nexcept SystemExit as stop:\n    code = stop.code\n"
        "print('loaded:', *sorted({name.partition('.')[0] for name in sys.modules}))\nsys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = done.stdout.rpartition("loaded:")[2].split()
    assert "click" in loaded
    assert not set(SLOW) & set(loaded)
