"""What can be asked about cost. One table feeds the parser, the help, the command line and the docs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from difflib import get_close_matches
from typing import Any, NamedTuple

LONGEST = 200
"""Characters of a question; the longest names of Kubernetes leave room for the rest."""
MOST_ROWS = 50
USUAL_ROWS = 10
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
"""Names of namespaces and workloads (RFC 1123)."""
_QUOTES = str.maketrans("\u201c\u201d\u2018\u2019\u00ab\u00bb", '""\'\'""')


class CostCommand(NamedTuple):
    """One thing to ask. `argument` is what follows it: `""`, `NAME`, `[NAME]`, `NAMESPACE/NAME` or `[N]`."""

    name: str
    argument: str
    meaning: str
    example: str


COMMANDS = (
    CostCommand("namespace", "[NAME]", "What a namespace costs; without a name, each of them.", "payments"),
    CostCommand("team", "[NAME]", "What a team's workloads cost; without a name, each team's.", "checkout"),
    CostCommand(
        "workload", "NAMESPACE/NAME", "What one workload costs, and a replica of it.", "payments/api"
    ),
    CostCommand("gpu", "", "What GPUs cost, by model, and how long they sat idle.", ""),
    CostCommand("top", "[N]", "The workloads that cost most.", "5"),
    CostCommand("idle", "", "What nobody asked for: the idle part of each node.", ""),
    CostCommand("help", "", "This list.", ""),
)


class CostWindow(NamedTuple):
    """A time to ask about."""

    name: str
    meaning: str


WINDOWS = (
    CostWindow("7d", "the last seven days"),
    CostWindow("30d", "the last thirty days"),
    CostWindow("mtd", "this month so far"),
)
OPTIONS = (
    CostWindow("vs last", "beside the window before it, part by part"),
    CostWindow("chart", "with a picture of the days"),
)


@dataclass(frozen=True, slots=True)
class CostQuestion:
    """What somebody asked. `name` is `""` for all; a workload's has its `namespace` apart."""

    kind: str
    name: str = ""
    namespace: str = ""
    window: str = WINDOWS[0].name
    versus: bool = False
    rows: int = USUAL_ROWS
    chart: bool = False

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> CostQuestion:
        """From `to_json`."""
        return cls(**told)

    @property
    def text(self) -> str:
        """The question as one would write it."""
        name = f"{self.namespace}/{self.name}" if self.namespace else self.name
        count = str(self.rows) if self.kind == "top" else ""
        words = [
            self.kind,
            name,
            count,
            self.window,
            "vs last" if self.versus else "",
            "chart" if self.chart else "",
        ]
        return " ".join(word for word in words if word)


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """Why a text is no question, and one that it might have been."""

    reason: str
    suggestion: str = ""


def parse(text: str) -> CostQuestion | NotUnderstood:
    """Read what somebody typed after the command; nothing is a call for help."""
    words = _plain(text).split()
    if sum(map(len, words)) > LONGEST:
        return NotUnderstood(f"a question has at most {LONGEST} characters")
    if not words:
        return CostQuestion("help")
    wanted, *rest = words
    by_name = {command.name: command for command in COMMANDS}
    command = by_name.get(wanted.lower())
    if command is None:
        near = get_close_matches(wanted.lower(), by_name, n=1, cutoff=0.6)
        if near:
            return NotUnderstood(f"there is no {wanted}", " ".join([near[0], *rest]))
        guess = f"namespace {wanted.lower()}" if _NAME.fullmatch(wanted.lower()) else "help"
        return NotUnderstood(f"there is no {wanted}", guess)
    return _question(command, rest)


def _question(command: CostCommand, rest: Sequence[str]) -> CostQuestion | NotUnderstood:
    windows = [word.lower() for word in rest if word.lower() in _WINDOW_NAMES]
    options = [word.lower() for word in rest if word.lower() in _OPTION_WORDS]
    left = [word for word in rest if word.lower() not in {*windows, *options}]
    known = CostQuestion(
        command.name,
        window=windows[0] if windows else WINDOWS[0].name,
        versus="vs" in options,
        chart="chart" in options,
    )
    if len(windows) > 1:
        reason = f"{windows[0]} and {windows[1]} are two windows"
        return NotUnderstood(reason, " ".join([command.name, *left, windows[0]]))
    if len(left) > 1 and command.name != "team":  # only a team's name may hold spaces
        near = get_close_matches(left[1].lower(), _WINDOW_NAMES, n=1, cutoff=0.3)
        reason = f"{left[1]} is neither a window nor an option"
        return NotUnderstood(reason, " ".join([command.name, left[0], *near]))
    return _ARGUMENTS[command.argument](command, known, " ".join(left))


def _nothing(command: CostCommand, known: CostQuestion, name: str) -> CostQuestion | NotUnderstood:
    return NotUnderstood(f"{command.name} takes no name", command.name) if name else known


def _number(command: CostCommand, known: CostQuestion, name: str) -> CostQuestion | NotUnderstood:
    if not name:
        return known
    if name.isascii() and name.isdigit() and len(name) < 4 and 0 < int(name) <= MOST_ROWS:
        return replace(known, rows=int(name))
    return NotUnderstood(
        f"{command.name} takes a number from 1 to {MOST_ROWS}", f"{command.name} {USUAL_ROWS}"
    )


def _name(command: CostCommand, known: CostQuestion, name: str) -> CostQuestion | NotUnderstood:
    if command.name == "team" or not name:
        return replace(known, name=name)
    if _NAME.fullmatch(name.lower()):
        return replace(known, name=name.lower())
    return NotUnderstood(f"that is no name of a {command.name}", command.name)


def _place(_command: CostCommand, known: CostQuestion, name: str) -> CostQuestion | NotUnderstood:
    namespace, _, workload = name.lower().rpartition("/")
    if _NAME.fullmatch(namespace) and _NAME.fullmatch(workload):
        return replace(known, name=workload, namespace=namespace)
    return NotUnderstood("a workload is named as NAMESPACE/NAME", "workload payments/api")


_WINDOW_NAMES = tuple(window.name for window in WINDOWS)
_OPTION_WORDS = tuple(word for option in OPTIONS for word in option.name.split())
_ARGUMENTS = {"": _nothing, "[N]": _number, "[NAME]": _name, "NAMESPACE/NAME": _place}


def _plain(text: str) -> str:
    """Without what is not seen (zero-width, bidirectional, control) and with straight quotes taken off."""
    seen = "".join(
        " " if unicodedata.category(letter) in {"Cc", "Zs", "Zl", "Zp"} else letter
        for letter in text.translate(_QUOTES)
        if unicodedata.category(letter) not in {"Cf", "Cs", "Co", "Cn"}
    )
    return seen.replace('"', " ").replace("`", " ").replace("'", " ")
