"""What can be asked about cost. One table feeds the parser, the help, the command line and the docs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from difflib import get_close_matches
from typing import Any, NamedTuple

LONGEST = 200
"""Characters of a question; the longest names of Kubernetes leave room for the rest."""
MOST_ROWS = 50
USUAL_ROWS = 10
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
"""Names of namespaces, workloads and nodes (RFC 1123)."""
_LABEL = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_./]{0,315}[A-Za-z0-9])?")
"""Names of labels, with their prefix."""
OF_NODES = frozenset({"node", "gpu", "idle"})
"""Questions whose answer is of nodes, which are nobody's alone."""
SPOKEN = frozenset({"team", "application", "environment", "business-unit"})
"""What has names that people chose: they may hold spaces, and are asked for in any case of letters."""
SAVINGS = "savings"
"""The one question whose answer is of now, not of a window."""
_SPACED = frozenset({*SPOKEN, "label", SAVINGS})
_QUOTES = str.maketrans("\u201c\u201d\u2018\u2019\u00ab\u00bb", '""\'\'""')


class CostCommand(NamedTuple):
    """One thing to ask. `argument` is what follows it, `meaning` what the answer tells the cost of.

    Commands with the same `alike` stand in one line of the help, which then says this of them.
    """

    name: str
    argument: str
    meaning: str
    example: str
    alike: str = ""


_OWNER = "Each of them; with a name, that one and its workloads."
COMMANDS = (
    CostCommand("namespace", "[NAME]", "A namespace, or each of them.", "payments", _OWNER),
    CostCommand("team", "[NAME]", "A team's workloads, or each team's.", "checkout", _OWNER),
    CostCommand("application", "[NAME]", "An application, or each of them.", "shop", _OWNER),
    CostCommand("environment", "[NAME]", "An environment, or each of them.", "production", _OWNER),
    CostCommand("business-unit", "[NAME]", "A business unit, or each of them.", "retail", _OWNER),
    CostCommand("label", "KEY[=VALUE]", "What has a label, or each value of it.", "tier=web"),
    CostCommand("workload", "NAMESPACE/NAME", "A workload, and a replica of it.", "payments/api"),
    CostCommand("top", "[N]", "The workloads that cost most.", "5"),
    CostCommand("node", "[NAME]", "A node, or each of them.", "node-1"),
    CostCommand("gpu", "", "GPUs by model, and how long they sat idle.", ""),
    CostCommand("idle", "", "What nobody asked for: the idle part of each node.", ""),
    CostCommand(SAVINGS, "[TEAM|NAMESPACE]", "What could be saved: each change worth approving.", "payments"),
    CostCommand("help", "", "This list.", ""),
)
EXAMPLES = ("namespace payments", "team checkout 30d vs last", "label tier=web", "top 5")
_BEGINNING = 2
"""So many letters of a command are enough for a suggestion."""
_SHORT = {"ns": "namespace"}
"""kubectl's own short names that no command begins with."""


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
    """What somebody asked. `name` is `""` for all; a workload's has its `namespace` apart.

    A `label` has the value that was asked for as its name, `savings` what they are to be of: a team, a
    namespace, or a workload as `namespace/name`.
    """

    kind: str
    name: str = ""
    namespace: str = ""
    window: str = WINDOWS[0].name
    versus: bool = False
    rows: int = USUAL_ROWS
    chart: bool = False
    label: str = ""

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
        about, between = (self.label, "=") if self.label else (self.namespace, "/")
        name = f"{about}{between}{self.name}" if about and self.name else about or self.name
        count = str(self.rows) if self.kind == "top" else ""
        words = [
            self.kind,
            name,
            count,
            "" if self.kind == SAVINGS else self.window,
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
    if [word.lower() for word in words[:2]] == ["business", "unit"]:
        wanted, *rest = "business-unit", *words[2:]
    by_name = {command.name: command for command in COMMANDS}
    command = by_name.get(wanted.lower())
    if command is None:
        near = _near(wanted.lower(), by_name)
        if near:
            return NotUnderstood(f"there is no question called {wanted}", " ".join([near[0], *rest]))
        guess = f"namespace {wanted.lower()}" if _NAME.fullmatch(wanted.lower()) else "help"
        return NotUnderstood(f"there is no question called {wanted}", guess)
    return _question(command, rest)


def _near(wanted: str, commands: Iterable[str]) -> list[str]:
    """The command that was nearly meant: one that begins so (`env`), else one that is written alike."""
    wanted = _SHORT.get(wanted, wanted)
    begins = [name for name in commands if name.startswith(wanted) and len(wanted) >= _BEGINNING]
    return begins[:1] or get_close_matches(wanted, commands, n=1, cutoff=0.6)


def _question(command: CostCommand, rest: Sequence[str]) -> CostQuestion | NotUnderstood:
    windows = [word.lower() for word in rest if word.lower() in _WINDOW_NAMES]
    options = [word.lower() for word in rest if word.lower() in _OPTION_WORDS]
    left = [word for word in rest if word.lower() not in {*windows, *options}]
    if command.name == SAVINGS and (windows or options):
        reason = f"savings are those of now, for a month: they take no {[*windows, *options][0]}"
        return NotUnderstood(reason, " ".join([command.name, *left]))
    known = CostQuestion(
        command.name,
        window=windows[0] if windows else WINDOWS[0].name,
        versus="vs" in options,
        chart="chart" in options,
    )
    if len(windows) > 1:
        reason = f"{windows[0]} and {windows[1]} are two windows"
        return NotUnderstood(reason, " ".join([command.name, *left, windows[0]]))
    if len(left) > 1 and command.name not in _SPACED:
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
    if command.name in _SPACED or not name:
        return replace(known, name=name)
    if _NAME.fullmatch(name.lower()):
        return replace(known, name=name.lower())
    return NotUnderstood(f"that is no name of a {command.name}", command.name)


def _place(_command: CostCommand, known: CostQuestion, name: str) -> CostQuestion | NotUnderstood:
    namespace, _, workload = name.lower().rpartition("/")
    if _NAME.fullmatch(namespace) and _NAME.fullmatch(workload):
        return replace(known, name=workload, namespace=namespace)
    return NotUnderstood("a workload is named as NAMESPACE/NAME", "workload payments/api")


def _label(command: CostCommand, known: CostQuestion, name: str) -> CostQuestion | NotUnderstood:
    key, _, value = (part.strip() for part in name.partition("="))
    if _LABEL.fullmatch(key):
        return replace(known, label=key, name=value)
    return NotUnderstood(f"{command.name} takes the name of a label, or KEY=VALUE", "label team")


_WINDOW_NAMES = tuple(window.name for window in WINDOWS)
_OPTION_WORDS = tuple(word for option in OPTIONS for word in option.name.split())
_ARGUMENTS = {
    "": _nothing,
    "[N]": _number,
    "[NAME]": _name,
    "[TEAM|NAMESPACE]": _name,
    "NAMESPACE/NAME": _place,
    "KEY[=VALUE]": _label,
}


def _plain(text: str) -> str:
    """Without what is not seen (zero-width, bidirectional, control) and with straight quotes taken off."""
    seen = "".join(
        " " if unicodedata.category(letter) in {"Cc", "Zs", "Zl", "Zp"} else letter
        for letter in text.translate(_QUOTES)
        if unicodedata.category(letter) not in {"Cf", "Cs", "Co", "Cn"}
    )
    return seen.replace('"', " ").replace("`", " ").replace("'", " ")
