"""What `tuppence diff` costs beside parsing the same bytes: `python -m tests.benchmarks.bench_diff`.

Every command runs in a process of its own, several times, in turns with the others; the best run
counts. Ratios are of processor time, which other work on the machine disturbs least; limits in
seconds are of time on the clock.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path

from tests.benchmarks.many_workloads import WORKLOADS, make_repository

FORMATS = ("text", "markdown", "json")
ROUNDS = 5

_PARSE = """
import sys, time, pathlib, yaml
texts = [file.read_bytes() for side in sys.argv[1:] for file in sorted(pathlib.Path(side).rglob("*.yaml"))]
started = time.process_time()
for text in texts:
    for document in yaml.load_all(text, yaml.CSafeLoader):
        pass
print(time.process_time() - started)
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One finished process and those it waited for: seconds on the clock, of processor, peak bytes."""

    clock: float
    processor: float
    peak: int
    output: str


@dataclass(frozen=True, slots=True)
class Measure:
    """What was measured, in which unit, and what it should not be above; no aim for what only explains."""

    name: str
    value: float
    unit: str
    aim: float = inf

    def __str__(self) -> str:
        """A line of the printed table."""
        aim = "" if self.aim == inf else f"aim <= {self.aim:g}"
        verdict = "" if self.value <= self.aim else "   above the aim"
        return f"{self.name:<64} {self.value:7.2f} {self.unit:<3} {aim}{verdict}"


def measure(scratch: Path, rounds: int = ROUNDS) -> Iterator[Measure]:
    """Everything the aims are about, measured in one run."""
    commands = _commands(scratch)
    best: dict[str, Run] = {}
    parsing: list[float] = []
    for _ in range(rounds):
        parsing.append(float(run(_parse(scratch)).output))
        for name, command in commands.items():
            best[name] = _better(best.get(name), run(command))
    start_up = best["nothing"].processor
    for form in FORMATS:
        beyond = best[form].processor - start_up
        name = f"diff --format {form} of {WORKLOADS:,} workloads / parsing their bytes"
        yield Measure(name, beyond / min(parsing), "x", 2)
    for form in FORMATS:
        yield Measure(f"peak memory of it, {form}", best[form].peak / 1e6, "MB", 200)
    yield Measure("tuppence --help", best["help"].clock, "s", 0.2)
    yield Measure("diff of one small change, plain YAML", best["one"].clock, "s", 0.5)
    yield Measure("parsing alone, of processor", min(parsing), "s")
    yield Measure("start-up: diff of an empty change, of processor", start_up, "s")


def run(command: Sequence[str]) -> Run:
    """Run it to its end. Raises RuntimeError where it fails."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    output = process.stdout.read()
    # Popen's own wait tells no usage. Linux counts those a process waited for, git above all, with it.
    _, status, usage = os.wait4(process.pid, 0)
    clock = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return Run(clock, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, output.decode())


def _commands(scratch: Path) -> Mapping[str, Sequence[str]]:
    many = make_repository(scratch / "many")
    one = make_repository(scratch / "one", workloads=1)
    for side, revision in (("before", "HEAD~1"), ("after", "HEAD")):
        git = [
            "git",
            "-C",
            str(many),
            "worktree",
            "add",
            "--quiet",
            "--detach",
            str(scratch / side),
            revision,
        ]
        subprocess.run(git, check=True, capture_output=True)
    tuppence = [sys.executable, "-m", "bot"]
    diff = [*tuppence, "diff", "HEAD~1", "HEAD", "--repo"]
    return {
        "help": [*tuppence, "--help"],
        "nothing": [*tuppence, "diff", "HEAD", "HEAD", "--repo", str(many)],
        "one": [*diff, str(one)],
        **{form: [*diff, str(many), "--format", form] for form in FORMATS},
    }


def _parse(scratch: Path) -> Sequence[str]:
    return [sys.executable, "-c", _PARSE, str(scratch / "before"), str(scratch / "after")]


def _better(known: Run | None, new: Run) -> Run:
    """The best time of each kind, and the worst memory."""
    if known is None:
        return new
    return Run(
        min(known.clock, new.clock),
        min(known.processor, new.processor),
        max(known.peak, new.peak),
        new.output,
    )


def main() -> None:
    """Print every measure."""
    with tempfile.TemporaryDirectory(prefix="tuppence-bench-") as scratch:
        for found in measure(Path(scratch)):
            print(found)


if __name__ == "__main__":
    main()
