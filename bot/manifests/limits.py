"""What a file must be before it is read at all, and how much of it may be read."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

MAX_BYTES = 10_000_000
MAX_DOCUMENTS = 10_000
MAX_PROBLEMS = 50
MAX_NODES = 1_000_000
# The deepest CustomResourceDefinition schemas nest about 70 deep; code that walks a body may recurse.
MAX_DEPTH = 200
# In characters of source that aliases repeat: real files stay far below 100,000.
MAX_EXPANSION = 1_000_000
# libyaml compares each %TAG line with all before it: a megabyte of them would take hours.
MAX_DIRECTIVES = 1_000

WAY_OUT = "mend it, or list the file under `ignore:` in .tuppence.yaml"
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a document, or a part of it, is not priced. `line` counts from 1.

    `encrypted` marks SOPS documents and `template` files with `{{ }}`: whole, but not to be read here.
    `lost` is false for a remark on a document that was read all the same.
    """

    line: int
    reason: str
    encrypted: bool = False
    template: bool = False
    lost: bool = True


class Refused(Exception):
    """A document is outside the limits, or says what Kubernetes would not accept."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


@dataclass(slots=True)
class Budget:
    """What one file has used of its limits, and the remarks that do not stop the reading of a document."""

    nodes: int = 0
    expansion: int = 0
    remarks: list[Problem] = field(default_factory=list)

    def repeated(self, key: Hashable, line: int) -> None:
        """Remark on a key that is written twice in one mapping."""
        if len(self.remarks) < MAX_PROBLEMS:
            reason = f"`{key}` is written twice in one mapping; the last one counts: remove the other"
            self.remarks.append(Problem(line, reason, lost=False))


def refusal(data: bytes) -> Problem | None:
    """Why the file is not read at all, if so."""
    reason = ""
    if len(data) > MAX_BYTES:
        reason = f"the file is larger than {MAX_BYTES:,} bytes; split it, or list it under `ignore:`"
    elif data.startswith(_LFS_POINTER):
        reason = "the file is a Git LFS pointer; its content is not in this repository"
    elif data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in data[:4]:
        reason = "the file is encoded in UTF-16 or UTF-32; save it as UTF-8"
    elif b"\x00" in data:
        reason = "the file is binary"
    elif data.count(b"\n%") > MAX_DIRECTIVES:
        reason = f"the file has more than {MAX_DIRECTIVES:,} lines that start with `%`; {WAY_OUT}"
    return Problem(1, reason) if reason else None
