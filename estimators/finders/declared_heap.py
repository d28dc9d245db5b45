"""What a container's manifest says of the memory its runtime gives itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from estimators.objects import Body, mapping, sequence, text
from estimators.quantity import GIB, MIB

_UNITS = {"": Decimal(1), "k": Decimal(1024), "m": MIB, "g": GIB}
_JVM = re.compile(r"-Xmx([0-9]{1,12})([kmg]?)\b", re.IGNORECASE)
_NODE = re.compile(r"--max[-_]old[-_]space[-_]size[= ]([0-9]{1,9})\b")
_GO = re.compile(r"GOMEMLIMIT=([0-9]{1,12})([kmg]?)i?b", re.IGNORECASE)
_SHARE = re.compile(r"-XX:MaxRAM(Percentage|Fraction)=")
_OPTIONS = re.compile(r"\b(JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS|JAVA_OPTS|CATALINA_OPTS|JVM_OPTS)=")


@dataclass(frozen=True, slots=True)
class Heap:
    """`size` in bytes is how large the heap may become, None where the manifest does not say.

    `follows` the memory limit where it is a share of that: a JVM takes a quarter unless told otherwise.
    """

    size: Decimal | None
    follows: bool


def declared_heap(container: Body) -> Heap:
    """What command, arguments and environment say. What an image or a Secret says is not seen."""
    said = "\n".join(_words(container))
    sizes = [
        Decimal(count) * _UNITS[unit.casefold()] for count, unit in [*_JVM.findall(said), *_GO.findall(said)]
    ]
    sizes += [Decimal(count) * MIB for count in _NODE.findall(said)]
    if sizes:
        return Heap(max(sizes), follows=False)
    return Heap(None, follows=bool(_SHARE.search(said) or _OPTIONS.search(said)))


def _words(container: Body) -> Iterator[str]:
    for part in ("command", "args"):
        yield from map(text, sequence(container.get(part)))
    for variable in map(mapping, sequence(container.get("env"))):
        yield f"{text(variable.get('name'))}={text(variable.get('value'))}"
