"""`.tuppence.yaml`, what a repository says about how its changes are priced and judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from bot.configuration import Key, Misconfigured, Problem, check
from bot.manifests.documents import load_settings
from bot.value_kinds import (
    APPROVER,
    DAY,
    FILE,
    FLAG,
    MONEY,
    PATH_GLOB,
    PERCENT,
    TEXT,
    TEXTS_BY_NAME,
    WORKLOAD,
    one_of,
)
from estimators.change import Protection
from estimators.guardrail import Guardrail
from estimators.money import ZERO
from estimators.report import Severity, Verdict

FILE_NAME = ".tuppence.yaml"
THRESHOLDS = ("monthly_increase", "percent", "verdict")
_OF_CONTAINERS = ("requests", "requests.cpu", "requests.memory", "limits", "limits.cpu", "limits.memory")
PROTECTED_FIELDS = (*_OF_CONTAINERS, "cpu", "memory", "gpu", "replicas", "autoscaling")

POLICY_KEYS = (
    Key(
        "environments",
        "Where the repository's files are deployed; the first one with a matching path counts.",
        many=True,
        keys=(
            Key("name", "What the environment is called in reports.", TEXT, required=True, unique=True),
            Key("paths", "Files and folders that belong to it.", PATH_GLOB, many=True, required=True),
            Key("cluster", "The cluster it runs on, by the name the server's settings give it.", TEXT),
            Key(
                "values",
                "Helm values files, in Helm's order; one without `/` stands beside each `Chart.yaml`.",
                FILE,
                many=True,
            ),
            Key("prices", "The price sheet of its cluster.", FILE),
            Key(
                "prometheus_selector",
                "Labels that tell its cluster from others on one Prometheus.",
                TEXTS_BY_NAME,
            ),
        ),
    ),
    Key("ignore", "Files that are not looked at.", PATH_GLOB, many=True),
    Key(
        "comment",
        "When a pull request gets a comment; without any of these, when it has a cost or a finding.",
        keys=(
            Key("min_change", "Say nothing below this change, up or down.", MONEY),
            Key(
                "min_severity",
                "Speak all the same from this severity on.",
                one_of(*(str(severity) for severity in Severity)),
            ),
            Key("always", "Comment even when nothing changes.", FLAG),
        ),
    ),
    Key(
        "guardrails",
        "Lines that need an approval to be crossed; any one threshold crosses.",
        many=True,
        keys=(
            Key(
                "environments",
                "The environments it speaks of, added up; all of them when left out.",
                TEXT,
                many=True,
            ),
            Key("teams", "The teams it speaks of, added up; all of them when left out.", TEXT, many=True),
            Key("monthly_increase", "Crossed by a larger expected increase, in the prices' currency.", MONEY),
            Key(
                "percent",
                "Crossed by a larger expected increase, of what the changed workloads cost before.",
                PERCENT,
            ),
            Key(
                "verdict",
                "Crossed by a workload with this verdict or a worse one.",
                one_of(str(Verdict.CAUTION), str(Verdict.RISKY)),
            ),
            Key("message", "What whoever crosses it should know.", TEXT),
            Key("approvers", "Who may approve it.", APPROVER, many=True),
        ),
    ),
    Key(
        "protect",
        "Settings that somebody had a reason for: changing them is reported as risky.",
        many=True,
        keys=(
            Key(
                "workload",
                "Which workloads, volumes and load balancers, by namespace and name.",
                WORKLOAD,
                required=True,
            ),
            Key(
                "fields",
                "What is protected; requests, limits, replicas and autoscaling when left out.",
                one_of(*PROTECTED_FIELDS),
                many=True,
            ),
            Key("reason", "Why, for whoever wants to change it.", TEXT, required=True),
            Key("until", "The last day it holds.", DAY),
        ),
    ),
    Key(
        "suggestions",
        "Offer safe values as review suggestions to accept with one click; `false` when left out.",
        FLAG,
    ),
)


@dataclass(frozen=True, slots=True)
class Environment:
    """Where some of the repository's files are deployed. Paths are globs from the repository's root."""

    name: str
    paths: tuple[str, ...]
    cluster: str = ""
    values: tuple[str, ...] = ()
    prices: str = ""
    prometheus_selector: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CommentRules:
    """When a pull request is commented on. `min_change` is an amount a month, up or down."""

    min_change: Decimal = ZERO
    min_severity: Severity = Severity.CAUTION
    always: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """What a repository asks for; an absent file asks for nothing."""

    environments: tuple[Environment, ...] = ()
    ignore: tuple[str, ...] = ()
    comment: CommentRules = CommentRules()
    guardrails: tuple[Guardrail, ...] = ()
    protect: tuple[Protection, ...] = ()
    suggestions: bool = False


def parse(text: str, file: str = FILE_NAME) -> Policy:
    """The policy in `text`; `file` names it in messages. Raises `Misconfigured` with every problem."""
    document = load_settings(text, file)
    values, problems = check(POLICY_KEYS, document.value, file, document.locate)
    for index, guardrail in enumerate(values.get("guardrails", ())):
        if not any(name in guardrail for name in THRESHOLDS):
            where = ("guardrails", index)
            what = f"needs at least one threshold: {', '.join(THRESHOLDS)}"
            problems.append(Problem(file, document.locate(where), f"guardrails[{index}]", what))
    if problems:
        raise Misconfigured(problems)
    return _policy(values, file)


def _policy(values: Mapping[str, Any], file: str) -> Policy:
    comment = dict(values.get("comment", {}))
    if "min_severity" in comment:
        comment["min_severity"] = Severity(comment["min_severity"])
    return Policy(
        environments=tuple(Environment(**one) for one in values.get("environments", ())),
        ignore=values.get("ignore", ()),
        comment=CommentRules(**comment),
        guardrails=tuple(_guardrail(one) for one in values.get("guardrails", ())),
        protect=tuple(Protection(**one, source=file) for one in values.get("protect", ())),
        suggestions=values.get("suggestions", False),
    )


def _guardrail(values: Mapping[str, Any]) -> Guardrail:
    verdict = values.get("verdict")
    return Guardrail(**{**values, "verdict": Verdict(verdict) if verdict else None})
