"""What the fence keeps out, tried from inside; each attack is shown to work without the fence."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.errors import RenderRefused
from bot.manifests import landlock, sandbox, seccomp
from bot.manifests.sandbox import Fence, FencedChild, Limits, Program, Stopped, find_fence

PYTHON = os.path.realpath(sys.executable)
PROBE = str(Path(__file__).with_name("fence_probe.py"))
CANARY = "canary-7c1f"
FENCES = (Fence.LANDLOCK, Fence.BUBBLEWRAP)

ATTACKS = (
    "tcp",
    "udp",
    "unix socket",
    "socket pair",
    "io_uring",
    "secret file",
    "secret folder",
    "link to a secret",
    "parent's environment",
    "write beside the tree",
    "write into the tree",
    "change modes",
    "truncate",
    "start a process",
    "signal another process",
    "limit another process",
    "slow another process",
    "keep another process to some processors",
)


class Prey:
    """Listeners, secrets and victims on this machine, and what the probe is told about them."""

    def __init__(self, folder: Path) -> None:
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.unix = socket.socket(socket.AF_UNIX)
        self.unix.bind(str(folder / "socket"))
        self.unix.listen()
        for listener in (self.tcp, self.udp, self.unix):
            listener.setblocking(False)
        self.tree = folder / "tree"
        self.tree.mkdir()
        (folder / "home" / ".ssh").mkdir(parents=True)
        secret = folder / "home" / ".ssh" / "id_ed25519"
        secret.write_text(CANARY, encoding="utf-8")
        self.victim = folder / "victim"
        self.victim.write_text("whole", encoding="utf-8")
        (self.tree / "own").write_text("readable", encoding="utf-8")
        (self.tree / "link").symlink_to(secret)
        self.outside, self.inside = folder / "outside", self.tree / "inside"
        self.told = {
            "tcp": self.tcp.getsockname()[1],
            "udp": self.udp.getsockname()[1],
            "unix": str(folder / "socket"),
            "secret": str(secret),
            "link": str(self.tree / "link"),
            "own": str(self.tree / "own"),
            "outside": str(self.outside),
            "inside": str(self.inside),
            "victim": str(self.victim),
            "pid": os.getpid(),
            "may_trace": True,
        }

    def visited(self) -> bool:
        """Whether anything reached a listener."""
        for listener in (self.tcp, self.unix):
            try:
                listener.accept()[0].close()
            except BlockingIOError:
                continue
            return True
        try:
            return bool(self.udp.recv(16))
        except BlockingIOError:
            return False

    def close(self) -> None:
        """Stop listening."""
        for listener in (self.tcp, self.udp, self.unix):
            listener.close()


@pytest.fixture
def prey(tmp_path: Path) -> Iterator[Prey]:
    """Fresh prey for one run of the probe."""
    prey = Prey(tmp_path)
    yield prey
    prey.close()


def run_probe(prey: Prey, fence: Fence) -> Mapping[str, str]:
    """Let the probe loose; nothing it tries may kill it, and its last words count."""
    told = {**prey.told, "may_trace": fence is not Fence.NONE}
    program = Program("command", command=(PYTHON, "-I", "-S", PROBE, json.dumps(told)), readable=(PROBE,))
    with FencedChild(program, (str(prey.tree),), fence, Limits()) as child:
        code, printed, complaint = child.output()
    assert code == 0, complaint
    outcome: Mapping[str, str] = json.loads(printed.splitlines()[-1])
    return outcome


@pytest.mark.parametrize("fence", FENCES)
def test_every_attack_fails_inside_the_fence(prey: Prey, fence: Fence) -> None:
    """No network, secret, write, process or signal gets through, and nothing reaches a listener."""
    outcome = run_probe(prey, fence)
    got_through = {name: word for name, word in outcome.items() if word.startswith("SUCCESS")}
    assert got_through == {}
    assert {*ATTACKS, "trace another process"} <= outcome.keys()
    assert CANARY not in json.dumps(outcome)
    assert not prey.visited()
    assert not prey.outside.exists()
    assert not prey.inside.exists()
    assert prey.victim.read_text(encoding="utf-8") == "whole"


def test_every_attack_works_without_the_fence(prey: Prey) -> None:
    """The control: the same probe, unfenced, gets all of it, so the test above can fail."""
    outcome = run_probe(prey, Fence.NONE)
    assert {name for name in ATTACKS if not outcome[name].startswith("SUCCESS")} == set()
    assert CANARY in outcome["secret file"]
    assert CANARY in outcome["link to a secret"]
    assert prey.visited()
    assert prey.outside.exists()


@pytest.mark.parametrize("fence", [*FENCES, Fence.NONE])
def test_the_environment_is_empty(prey: Prey, fence: Fence, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token in our environment is in nobody else's, with or without a fence."""
    monkeypatch.setenv("GITHUB_TOKEN", CANARY)
    outcome = run_probe(prey, fence)
    assert CANARY not in outcome["environment"]
    # bubblewrap adds PWD, Python LC_CTYPE.
    assert json.loads(outcome["environment"]).keys() <= {"HOME", "TMPDIR", "PWD", "LC_CTYPE"}


@pytest.mark.parametrize("fence", FENCES)
def test_the_exported_tree_is_readable(prey: Prey, fence: Fence) -> None:
    """The fence leaves the renderer its work."""
    assert run_probe(prey, fence)["own file"] == "readable"


def run(code: str, limits: Limits, fence: Fence = Fence.LANDLOCK) -> tuple[int, str, str]:
    """What Python code prints inside."""
    program = Program("command", command=(PYTHON, "-I", "-S", "-c", code))
    with FencedChild(program, (), fence, limits) as child:
        return child.output()


def test_a_child_that_never_ends_is_killed_in_time() -> None:
    """An endless loop costs its wall-clock limit and no more."""
    began = time.monotonic()
    with pytest.raises(Stopped, match="longer than 1 s"):
        run("while True: pass", Limits(seconds=1))
    assert time.monotonic() - began < 30


def test_a_gigabyte_of_output_never_reaches_our_memory() -> None:
    """Reading stops at the cap."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(Stopped, match="more than 4 MiB"):
        run("import os\nwhile True: os.write(1, b'x' * 65536)", Limits(answer_bytes=4 << 20))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10


def test_memory_is_capped_by_the_kernel() -> None:
    """Two gigabytes cannot be had under a cap of one."""
    code, printed, complaint = run("x = bytearray(2 << 30); print('got it')", Limits(memory_bytes=1 << 30))
    assert (code, printed) == (1, "")
    assert "MemoryError" in complaint
    assert run("x = bytearray(2 << 30); print('got it')", Limits(memory_bytes=3 << 30))[1] == "got it\n"


def test_processor_time_is_capped_by_the_kernel() -> None:
    """That of all roots together, each of which may be quick enough."""
    code, _, _ = run("while True: pass", Limits(cpu_seconds=1, seconds=60))
    assert code in {-signal.SIGXCPU, -signal.SIGKILL}


def test_complaints_do_not_fill_the_disk() -> None:
    """They go to a file, which the kernel cuts off."""
    program = Program(
        "command", command=(PYTHON, "-I", "-S", "-c", "import os; os.write(2, bytes(3_000_000))")
    )
    with FencedChild(program, (), Fence.LANDLOCK, Limits(file_bytes=100_000)) as child:
        assert child.output()[0] == 0
        assert os.fstat(child._errors.fileno()).st_size == 100_000


def test_open_files_are_capped_by_the_kernel() -> None:
    """Each of them takes some of the kernel's memory, and the machine's number of them is limited."""
    code, _, complaint = run("import os\nfor _ in range(300): os.dup(0)", Limits(open_files=256))
    assert code == 1
    assert "Too many open files" in complaint


@pytest.mark.parametrize("begun", [True, False], ids=["at work", "about to begin"])
def test_a_child_does_not_outlive_its_parent(begun: bool) -> None:
    """Killing us with SIGKILL leaves no renderer behind."""
    parent = f"""
import sys, time
from bot.manifests.sandbox import Fence, FencedChild, Limits, Program
work = "{"print('begun', flush=True)" if begun else "pass"}\\nwhile True: pass"
program = Program("command", command=({PYTHON!r}, "-I", "-S", "-c", work))
child = FencedChild(program, (), Fence.LANDLOCK, Limits())
{"child._process.stdout.readline()" if begun else ""}
print(child._process.pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        os.kill(child, 0)
        process.send_signal(signal.SIGKILL)
        process.wait()
    deadline = time.monotonic() + 60
    while Path(f"/proc/{child}").exists() and _state(child) != "Z":
        assert time.monotonic() < deadline, "the renderer lives on"
        time.sleep(0.02)


def _state(process: int) -> str:
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return "Z"


def test_a_renderer_that_will_not_start_says_why() -> None:
    """A missing library is a reason, not a traceback."""
    broken = Program("kustomize", library="/nowhere.so")
    with (
        FencedChild(broken, (), Fence.LANDLOCK, Limits()) as child,
        pytest.raises(Stopped, match=r"ended unexpectedly \(OSError: /nowhere.so"),
    ):
        child.ask({"folder": "/"})


@pytest.mark.parametrize(
    ("filter_there", "landlock_version", "programs", "expected"),
    [
        pytest.param(True, 1, {}, Fence.LANDLOCK, id="landlock"),
        pytest.param(True, 0, {"bwrap": "/usr/bin/bwrap"}, Fence.BUBBLEWRAP, id="bubblewrap"),
        pytest.param(True, 0, {}, None, id="neither"),
        pytest.param(False, 7, {"bwrap": "/usr/bin/bwrap"}, None, id="no system-call filter"),
    ],
)
def test_the_best_fence_is_chosen_or_rendering_is_refused(
    filter_there: bool,
    landlock_version: int,
    programs: Mapping[str, str],
    expected: Fence | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Landlock, else bubblewrap, else a refusal that names the way out."""
    monkeypatch.setattr(seccomp, "is_available", lambda: filter_there)
    monkeypatch.setattr(landlock, "version", lambda: landlock_version)
    monkeypatch.setattr("shutil.which", programs.get)
    if expected:
        assert find_fence() is expected
    else:
        with pytest.raises(RenderRefused, match="--unsafe-render"):
            find_fence()


@pytest.mark.parametrize("version", range(1, landlock.version() + 1))
def test_older_kernels_landlock_still_fences(
    prey: Prey, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the rights of an older version alone, secrets stay unread and nothing is written."""
    offered: Any = f"landlock.version = lambda: {version}"
    monkeypatch.setattr(
        sandbox,
        "_START",
        sandbox._START.replace(
            "render_child.main()", f"landlock = render_child.landlock; {offered}; render_child.main()"
        ),
    )
    outcome = run_probe(prey, Fence.LANDLOCK)
    assert {name for name, word in outcome.items() if word.startswith("SUCCESS")} == set()
