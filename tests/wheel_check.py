"""Whether the wheel is whole: run by `make wheel` with the Python that has it and nothing else.

Prints a line for each check and exits 1 at the first that fails.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import bot
from bot import rendering
from bot.adapters.records import Records

CHECKOUT = Path(__file__).resolve().parents[1]
INSTALLED = Path(bot.__file__).resolve().parent
TUPPENCE = Path(sys.executable).parent / "tuppence"
MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: shop}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec: {{containers: [{{name: web, image: web, resources: {{requests: {{cpu: 500m, memory: 1Gi}}}}}}]}}
"""


def run(*arguments: str) -> str:
    """What `tuppence` prints; it has to exit 0 and leave stderr empty."""
    done = subprocess.run([str(TUPPENCE), *arguments], capture_output=True, text=True, check=False)
    if done.returncode or done.stderr:
        expect(False, f"tuppence {' '.join(arguments)}: exit status {done.returncode}, {done.stderr}")
    return done.stdout


def expect(holds: bool, what: str) -> None:
    """Stop with `what` unless it holds."""
    print("ok    " if holds else "FAILED", what)
    if not holds:
        sys.exit(1)


def names(folder: Path, pattern: str) -> set[str]:
    """The files under a folder, by their paths in it, without what Python caches."""
    files = (path for path in folder.rglob(pattern) if path.is_file() and path.suffix != ".pyc")
    return {path.relative_to(folder).as_posix() for path in files}


def main() -> None:
    """All checks."""
    expect(
        CHECKOUT not in INSTALLED.parents or "site-packages" in INSTALLED.parts,
        "runs the wheel, not the checkout",
    )
    expect(version("tuppence") in run("--version"), "--version says the version of the wheel")
    expect("diff" in run("--help"), "--help lists the commands")
    templates = names(CHECKOUT / "templates", "*.j2")
    expect(bool(templates) and templates == names(INSTALLED / "templates", "*.j2"), "every template is there")
    for template in sorted(templates):
        rendering._environment().get_template(template)
    expect(names(CHECKOUT / "bot", "*") <= names(INSTALLED, "*"), "every module and data file is there")
    with tempfile.TemporaryDirectory() as folder:
        for side, replicas in (("base", 1), ("head", 3)):
            path = Path(folder, side, "web.yaml")
            path.parent.mkdir()
            path.write_text(MANIFEST.format(replicas=replicas), encoding="utf-8")
        folders = ("--base-dir", f"{folder}/base", "--head-dir", f"{folder}/head")
        for form in ("text", "markdown", "json"):
            expect("web" in run("diff", *folders, "--format", form), f"diff renders {form}")
        records = Records(f"sqlite:///{folder}/records.db")
        records.prepare()
        expect(records.check() == (), "the records make their tables")
        records.close()


if __name__ == "__main__":
    main()
