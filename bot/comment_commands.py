"""What people can ask of us in a comment: one table, which reads comments and writes the help."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

CALL = "/tuppence"
_LONGEST = 300
"""Characters of an argument."""
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_LINE_END = re.compile(r"\r\n?|\n")
"""Markdown's. What Python takes for more of them can stand in the middle of a line that somebody quotes."""
_HIDDEN = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Command:
    """One command; `argument` is what has to follow its name, `""` where nothing has to."""

    name: str
    argument: str
    meaning: str

    @property
    def usage(self) -> str:
        """How it is written: `/tuppence approve <sha>`."""
        return f"{CALL} {self.name} <{self.argument}>" if self.argument else f"{CALL} {self.name}"


COMMANDS = (
    Command("help", "", "Shows this table."),
    Command("explain", "workload", "Shows the findings, evidence and arithmetic of a workload."),
    Command("recheck", "", "Prices the newest commit again."),
    Command("approve", "sha", "Lets the newest commit cross its guardrails, if the policy names you."),
    Command("reject", "reason", "Says that it must not cross them, and why, if the policy names you."),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A command somebody wrote. `problem` says what is wrong with it; then it is not carried out."""

    name: str
    argument: str = ""
    problem: str = ""


def read_command(text: str) -> Asked | None:
    """The first command of a comment: a line that begins with `/tuppence`. None where there is none.

    Code, quoted lines and what GitHub does not show never command anything.
    """
    for line in _spoken(text):
        call, *words = line.split()
        if call.lower() == CALL:
            return _asked(words)
    return None


def _asked(words: list[str]) -> Asked:
    if not words:
        return Asked("help")
    found = next((each for each in COMMANDS if each.name == words[0].lower()), None)
    if found is None:
        return Asked("help", problem=f"There is no command {words[0][:40]!r}.")
    argument = " ".join(words[1:])[:_LONGEST] if found.argument else ""
    if found.argument and not argument:
        return Asked(found.name, problem=f"The {found.argument} is missing: {found.usage}.")
    return Asked(found.name, argument)


def _spoken(text: str) -> Iterator[str]:
    """The lines that are the writer's own words."""
    fence, quoted = "", False
    for line in _LINE_END.split(_HIDDEN.sub("", text)):
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence) and not mark[2].strip():
                fence = ""
            continue
        # A quotation's paragraph goes on until an empty line, with or without the sign before each line.
        quoted = line.lstrip().startswith(">") or (quoted and bool(line.strip()) and not mark)
        if mark:
            fence = mark[1]
        elif line.strip() and not quoted and not line.startswith(("    ", "\t")):
            yield line
