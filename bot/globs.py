"""Path patterns as repositories know them: `*` stays inside one folder, `**` crosses folders."""

from __future__ import annotations

from fnmatch import fnmatchcase


def matches(pattern: str, path: str) -> bool:
    """Whether `path`, or a folder it lies in, fits `pattern`; both from the repository's root.

    The time is bounded by segments x segments: no pattern of a stranger can make it run away.
    """
    wanted = pattern.rstrip("/").split("/")
    reached = {0}
    for name in path.split("/"):
        reached = _skip(wanted, reached)
        if len(wanted) in reached:
            return True
        reached = {
            after
            for at in reached
            for after in ((at,) if wanted[at] == "**" else (at + 1,))
            if wanted[at] == "**" or fnmatchcase(name, wanted[at])
        }
    return len(wanted) in _skip(wanted, reached)


def _skip(wanted: list[str], reached: set[int]) -> set[int]:
    """The places in a pattern that are reached, with those behind a `**` that stands for nothing."""
    found = set()
    for place in reached:
        at = place
        found.add(at)
        while at < len(wanted) and wanted[at] == "**":
            at += 1
            found.add(at)
    return found
