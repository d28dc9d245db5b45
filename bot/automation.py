"""Whether `automation` of `tuppence.yaml` lets a saving's pull request be opened without a click."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fnmatch import fnmatchcase

from bot.server_config import Automation
from estimators.quantity import InvalidQuantityError, parse_quantity
from estimators.recommendation import FieldChange, Recommendation
from estimators.report import Confidence, Verdict

_REQUESTS = {"cpu": "cpu-request", "memory": "memory-request"}
_BOUNDS = frozenset({"minReplicas", "maxReplicas", "minReplicaCount", "maxReplicaCount"})
_TARGETS = frozenset({"averageUtilization", "targetCPUUtilizationPercentage"})
"""Fields of autoscalers of which a higher value means fewer pods."""
_CONFIDENCE = tuple(Confidence)


def covering(rules: Iterable[Automation], recommendation: Recommendation) -> Automation | None:
    """The first of the rules that covers all of a recommendation, None where none does."""
    return next((rule for rule in rules if covers(rule, recommendation)), None)


def covers(rule: Automation, recommendation: Recommendation) -> bool:
    """Whether a rule covers a recommendation, which is safe and saves, and cuts only what the rule names.

    What nobody knows the size of is no cut: a field that was not there yet, or an object that is to go.
    """
    return (
        recommendation.verdict is Verdict.SAFE
        and recommendation.allocated < 0
        and bool(recommendation.changes)
        and any(fnmatchcase(recommendation.environment, pattern) for pattern in rule.environments)
        and _CONFIDENCE.index(recommendation.confidence) >= _CONFIDENCE.index(rule.min_confidence)
        and all(_allows(rule, change) for change in recommendation.changes)
    )


def said(rule: Automation) -> str:
    """The rule in words, for the audit trail and the pull request."""
    most = "" if rule.max_percent is None else f" by at most {rule.max_percent.normalize():f} %"
    return (
        f"automation in tuppence.yaml: cuts of {', '.join(rule.changes)}{most} "
        f"in {', '.join(rule.environments)}, confidence {rule.min_confidence} or better"
    )


def _allows(rule: Automation, change: FieldChange) -> bool:
    cut = _cut(change)
    return (
        _class_of(change) in rule.changes
        and cut is not None
        and cut > 0
        and (rule.max_percent is None or cut <= rule.max_percent)
    )


def _class_of(change: FieldChange) -> str:
    """What the configuration calls the field, `""` where it has no name for it."""
    if change.path[-3:-1] == ("resources", "requests"):
        return _REQUESTS.get(str(change.path[-1]), "")
    if change.path[-1:] == ("replicas",):
        return "replicas"
    return "autoscaling" if _BOUNDS.union(_TARGETS).intersection(map(str, change.path[-1:])) else ""


def _cut(change: FieldChange) -> Decimal | None:
    """How much less is asked for, in percent of what is asked for now; negative for more, None for unknown.

    A target that rises from 50 to 80 keeps 5 pods where there were 8.
    """
    try:
        now, then = parse_quantity(change.current), parse_quantity(change.proposed)
    except InvalidQuantityError:
        return None
    if _TARGETS.intersection(map(str, change.path[-1:])):
        now, then = then, now
    return (now - then) / now * 100 if now > 0 else None
