"""`tuppence init`: a commented starter `.tuppence.yaml` from what the repository holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from bot.errors import UserError
from bot.policy import FILE_NAME
from bot.repository_survey import FoundEnvironment, Survey, survey
from bot.words import count

HEAD = """\
# What this repository tells Tuppence. docs/policy.md describes every key;
# `tuppence check-config .tuppence.yaml` finds every mistake. A line such as `#ignore:` is an example.
"""

NO_ENVIRONMENTS = """
# Where files are deployed: the first environment with a matching path counts.
#environments:
#  - name: production
#    paths: ["clusters/production/**"]
"""

EXAMPLES = """
# Files that are never priced. Patterns start at the repository's root; `**` crosses folders.
#ignore: ["docs/**", "**/testdata/**"]

# When a pull request gets a comment: not below 5 a month, unless something is risky.
#comment:
#  min_change: 5
#  min_severity: risky

# Lines that need an approval to be crossed. A saving never crosses an amount.
#guardrails:
#  - environments: [production]
#    monthly_increase: 500
#    percent: 20
#    verdict: risky
#    message: Ask the SRE team before you raise this.
#    approvers: [acme/sre]

# Settings that somebody had a reason for.
#protect:
#  - workload: payments/api
#    fields: [limits]
#    reason: "INC-1234: it ran out of memory at month's end"
#    until: 2027-03-31

# Offer safe values as suggestions that one click accepts.
#suggestions: true
"""


def init_policy(folder: Path, *, force: bool) -> str:
    """Write the file into the repository that `folder` lies in, and say what was found.

    Raises `UserError` where the file exists already, unless `force` is given, or cannot be written.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: is not a folder; name one with --repo")
    root = next((place for place in (folder, *folder.resolve().parents) if (place / ".git").exists()), folder)
    found = survey(root)
    target = root / FILE_NAME
    try:
        with target.open("w" if force else "x", encoding="utf-8") as file:
            file.write(starter(found))
    except FileExistsError as error:
        raise UserError(f"{target}: exists already; --force writes a new one over it") from error
    except OSError as error:
        raise UserError(f"{target}: cannot be written: {error.strerror}") from error
    return f"Wrote {target}: {_found(found)}.\nRead it, then try: tuppence diff"


def starter(found: Survey) -> str:
    """The text of the file, which `check-config` takes as it stands."""
    environments = "\n".join(_environments(found)) + "\n" if found.environments else NO_ENVIRONMENTS
    return f"{HEAD}# Found here: {_found(found)}.\n{environments}{EXAMPLES}"


def _environments(found: Survey) -> Iterator[str]:
    yield "\n# Where files are deployed: the first environment with a matching path counts.\nenvironments:"
    for environment in found.environments:
        yield from _environment(environment)
    yield "#    cluster: production-eu"
    yield "#    prices: prices/production.yaml"


def _environment(environment: FoundEnvironment) -> Iterator[str]:
    yield f"  - name: {json.dumps(environment.name)}"
    yield f"    paths: {json.dumps(environment.paths)}"
    if environment.values:
        yield f"    values: {json.dumps(['values.yaml', *environment.values])}"


def _found(found: Survey) -> str:
    parts = [
        count(len(found.environments), "environment"),
        count(len(found.charts), "Helm chart"),
        count(found.kustomizations, "kustomization"),
    ]
    if found.deployers:
        parts.append(f"objects of {' and '.join(found.deployers)}")
    return ", ".join(parts)
