"""Brings GitHub's own API description and webhook examples here: `python -m tests.github.contract_data`.

The npm packages hold 400 MB, of which the tests read 6: they are installed in a temporary folder, the parts
that say something to a validator are kept under .venv, and later runs need neither npm nor a network.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, TypeAlias

Json: TypeAlias = Any
"""What JSON holds."""

HERE = Path(__file__).parent
LOCK = HERE / "package-lock.json"
KEPT = HERE.parents[1] / ".venv" / "github-contract"

_PROSE = frozenset(("description", "example", "examples", "externalDocs", "title", "deprecated", "x-github"))


# GitHub's events and answers have a null here once a fork is deleted; the description does not say so.
_NULLABLE_TOO = (
    ("pull-request", "head", "repo"),
    ("pull-request-simple", "head", "repo"),
)


class ContractMissingError(RuntimeError):
    """The packages are not there and could not be brought."""


def folder() -> Path:
    """Where the data of the locked versions is, or belongs."""
    made_of = (LOCK, HERE / "schema.graphql", Path(__file__))
    return KEPT / hashlib.sha256(b"".join(path.read_bytes() for path in made_of)).hexdigest()[:16]


def read(name: str) -> Json:
    """One file of the data: `openapi.json`, `webhook-examples.json` or `graphql.json`."""
    path = folder() / name
    if not path.is_file():
        raise ContractMissingError(
            "GitHub's API description is missing: run `python -m tests.github.contract_data` once, "
            "which needs npm and its registry"
        )
    return json.loads(path.read_bytes())


def bring() -> Path:
    """Installs the packages unless their data is here already; another process may do the same."""
    kept = folder()
    if (kept / "webhook-examples.json").is_file():
        return kept
    npm = shutil.which("npm")
    if npm is None:
        raise ContractMissingError(
            "npm is missing: install Node.js 18 or newer (on Debian or Ubuntu: sudo apt-get install npm)"
        )
    KEPT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=KEPT) as work:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, work)
        subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
            cwd=work,
            check=True,
        )
        octokit = Path(work, "node_modules", "@octokit")
        ready = Path(work, "ready")
        ready.mkdir()
        graphql = (octokit / "graphql-schema/schema.graphql").read_text("utf-8")
        _write(ready / "graphql.json", _definitions(graphql))
        description = json.loads((octokit / "openapi/generated/api.github.com.json").read_bytes())
        examples = json.loads((octokit / "webhooks-examples/api.github.com/index.json").read_bytes())
        _write(ready / "openapi.json", _trimmed(description))
        _write(ready / "webhook-examples.json", {event["name"]: event["examples"] for event in examples})
        if not kept.exists():
            os.replace(ready, kept)  # noqa: PTH105 - atomic, and the target may have appeared meanwhile
    return kept


def served_types() -> set[str]:
    """The types of GraphQL that the fake serves a part of."""
    text = (HERE / "schema.graphql").read_text("utf-8")
    return set(re.findall(r"^(?:scalar|enum|interface|type|input) (\w+)", text, flags=re.MULTILINE))


def _definitions(schema: str) -> dict[str, str]:
    """GitHub's own definitions of those types."""
    return {
        name: found[0]
        for name in sorted(served_types())
        if (found := re.search(rf"^\w+ {name}\b[^{{\n]*(\{{.*?^\}}|$)", schema, re.MULTILINE | re.DOTALL))
    }


def _trimmed(description: dict[str, Json]) -> dict[str, Json]:
    """Paths, webhooks and components without prose and examples; schemas as JSON Schema 2020-12."""
    components = {kind: part for kind, part in description["components"].items() if kind != "examples"}
    parts = {"paths": description["paths"], "webhooks": description["x-webhooks"], "components": components}
    trimmed: dict[str, Json] = _plain(parts, names=False)
    for schema, outer, inner in _NULLABLE_TOO:
        properties = trimmed["components"]["schemas"][schema]["properties"][outer]["properties"]
        properties[inner] = {"anyOf": [properties[inner], {"type": "null"}]}
    # The list says that an account is a person and an enterprise at once; of a single one it says either.
    listed = trimmed["paths"]["/app/installations"]["get"]["responses"]["200"]
    listed["content"]["application/json"]["schema"]["items"] = {"$ref": "#/components/schemas/installation"}
    return trimmed


def _plain(node: Json, *, names: bool) -> Json:
    """`names` says that the keys are names of properties, which may be called like a keyword."""
    if isinstance(node, list):
        return [_plain(part, names=False) for part in node]
    if not isinstance(node, dict):
        return node
    if names:
        return {key: _plain(part, names=False) for key, part in node.items()}
    plain = {key: _plain(part, names=key == "properties") for key, part in node.items() if key not in _PROSE}
    return _nullable(plain) if plain.pop("nullable", False) is True else plain


def _nullable(schema: dict[str, Json]) -> dict[str, Json]:
    """OpenAPI 3.0 says `nullable`, JSON Schema lists the type `null`."""
    if not isinstance(schema.get("type"), str):
        return {"anyOf": [schema, {"type": "null"}]}
    schema["type"] = [schema["type"], "null"]
    if "enum" in schema and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
    return schema


def _write(path: Path, data: Json) -> None:
    path.write_text(json.dumps(data, separators=(",", ":")), "utf-8")


if __name__ == "__main__":
    try:
        bring()
    except (ContractMissingError, subprocess.CalledProcessError) as failure:
        sys.exit(f"GitHub's description could not be brought: {failure}")
