"""Holds requests, answers and webhooks against GitHub's own OpenAPI description.

Stricter than GitHub: a field or parameter that the description does not know is a problem too,
because the service would drop it silently. Validators are made when first needed, one a schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache

from jsonschema import Draft202012Validator, FormatChecker

from tests.github import contract_data
from tests.github.contract_data import Json

Schema = dict[str, Json]

_METHODS = ("get", "post", "put", "patch", "delete")
_FORMATS = FormatChecker(formats=())


@_FORMATS.checks("date-time", raises=ValueError)
def _is_date_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@_FORMATS.checks("uri")
def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or re.match(r"[a-z][a-z+.-]*:\S*$", value) is not None


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path template, as the description has it."""

    method: str
    template: str
    name: str
    spec: Schema

    @property
    def key(self) -> str:
        """`GET /repos/{owner}/{repo}`: how routes, faults and counts name it."""
        return f"{self.method} {self.template}"


@cache
def description() -> Schema:
    """The whole trimmed description; read once a process."""
    found: Schema = contract_data.read("openapi.json")
    return found


@cache
def operations() -> Mapping[str, Operation]:
    """Every operation by its key."""
    found = {}
    for template, methods in description()["paths"].items():
        for method in _METHODS:
            if method in methods:
                spec = methods[method]
                operation = Operation(method.upper(), template, spec["operationId"], spec)
                found[operation.key] = operation
    return found


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """Path templates as patterns, the more exact ones first: few parameters, then much text."""
    templates = sorted(description()["paths"], key=lambda it: (it.count("{"), -len(it)))
    return [(re.compile(_pattern(template)), template) for template in templates]


def _pattern(template: str) -> str:
    pattern = re.escape(template).replace(r"\{", "{").replace(r"\}", "}")
    # A file's path and a branch's name may hold slashes; no other parameter does.
    pattern = re.sub(r"\{(path|ref|basehead|branch)\}", r"(?P<\1>.*)", pattern)
    return re.sub(r"\{([a-z_]+)\}", r"(?P<\1>[^/]+)", pattern)


@lru_cache(4096)
def find(method: str, path: str) -> tuple[Operation, Mapping[str, str]] | None:
    """The operation of a path below the API's base, and the path's parameters (still quoted)."""
    for pattern, template in _patterns():
        match = pattern.fullmatch(path)
        if match and (operation := operations().get(f"{method} {template}")):
            return operation, match.groupdict()
    return None


def request_problems(operation: Operation, query: Mapping[str, str], body: Json) -> Iterator[str]:
    """What GitHub's description does not allow in a request; `body` is None where there is none."""
    yield from _query_problems(operation, query)
    content = _resolved(operation.spec.get("requestBody", {})).get("content", {})
    schema = content.get("application/json", {}).get("schema")
    if body is None:
        if _resolved(operation.spec.get("requestBody", {})).get("required"):
            yield "the request has no body"
        return
    if schema is None:
        if body != {}:
            yield "the request has a body, and none is described"
        return
    yield from _problems(("request", operation.key), schema, body)


def answer_problems(operation: Operation, status: int, body: Json) -> Iterator[str]:
    """What an answer lacks or has too much of; `body` is None for an empty one."""
    if str(status) not in operation.spec["responses"]:
        if status < 400:  # GitHub describes few of its own refusals
            yield f"status {status} is not described"
        return
    answer = _resolved(operation.spec["responses"][str(status)])
    schema = answer.get("content", {}).get("application/json", {}).get("schema")
    if schema is None:
        if body is not None and status < 400:
            yield f"status {status} is described without a body"
    elif body is None:
        yield f"status {status} needs a body"
    else:
        yield from _problems(("answer", operation.key, str(status)), schema, body)


def webhook_problems(event: str, action: str | None, payload: Json) -> Iterator[str]:
    """What a webhook's payload lacks; payloads may hold more than is described, as GitHub's do."""
    name = "-".join(filter(None, (event, action))).replace("_", "-")
    spec = description()["webhooks"].get(name)
    if spec is None:
        yield f"there is no webhook {name}"
        return
    schema = spec["post"]["requestBody"]["content"]["application/json"]["schema"]
    for error in _validator(("webhook", name), schema).iter_errors(payload):
        yield f"{error.json_path}: {error.message[:300]}"


def _query_problems(operation: Operation, query: Mapping[str, str]) -> Iterator[str]:
    described = [_resolved(parameter) for parameter in operation.spec.get("parameters", ())]
    known = {parameter["name"]: parameter for parameter in described if parameter["in"] == "query"}
    for name, value in query.items():
        if name not in known:
            yield f"there is no query parameter {name}"
            continue
        schema = known[name].get("schema", {})
        for error in Draft202012Validator(schema).iter_errors(_typed(schema, value)):
            yield f"query parameter {name}: {error.message}"
    for name, parameter in known.items():
        if parameter.get("required") and name not in query:
            yield f"query parameter {name} is missing"


def _typed(schema: Schema, value: str) -> object:
    """A query's text as the type that its schema asks for, where it is one."""
    if schema.get("type") == "integer" and re.fullmatch(r"-?[0-9]+", value):
        return int(value)
    if schema.get("type") == "boolean" and value in ("true", "false"):
        return value == "true"
    return value


def _problems(key: tuple[str, ...], schema: Schema, value: Json) -> Iterator[str]:
    for error in _validator(key, schema).iter_errors(value):
        yield f"{error.json_path}: {error.message[:300]}"
    yield from _unknown_fields([schema], value, "$")


_validators: dict[tuple[str, ...], Draft202012Validator] = {}


def _validator(key: tuple[str, ...], schema: Schema) -> Draft202012Validator:
    if key not in _validators:
        whole = {**schema, "components": description()["components"]}
        _validators[key] = Draft202012Validator(whole, format_checker=_FORMATS)
    return _validators[key]


def _resolved(node: Schema) -> Schema:
    while "$ref" in node:
        target: Json = description()
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def _unknown_fields(schemas: Sequence[Schema], value: Json, at: str) -> Iterator[str]:
    """Fields that none of the schemas which may describe `value` names."""
    flat = list(_alternatives(schemas))
    if isinstance(value, list):
        items = [schema["items"] for schema in flat if "items" in schema]
        for index, item in enumerate(value if items else ()):
            yield from _unknown_fields(items, item, f"{at}[{index}]")
    if not isinstance(value, dict):
        return
    known = [schema["properties"] for schema in flat if "properties" in schema]
    more = [schema["additionalProperties"] for schema in flat if "additionalProperties" in schema]
    if not known or any(isinstance(schema, dict) for schema in more):
        return  # an open map, such as environment variables
    for name, part in value.items():
        described = [properties[name] for properties in known if name in properties]
        if described:
            yield from _unknown_fields(described, part, f"{at}.{name}")
        else:
            yield f"{at}.{name}: there is no such field"


def _alternatives(schemas: Iterable[Schema]) -> Iterator[Schema]:
    for schema in map(_resolved, schemas):
        yield schema
        for combination in ("allOf", "anyOf", "oneOf"):
            yield from _alternatives(schema.get(combination, ()))
