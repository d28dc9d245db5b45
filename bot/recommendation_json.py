"""Recommendations as JSON values and back, exactly, for the records that keep them."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from typing import Any

from bot.github_events import Repository
from bot.recommendation_ports import Place
from bot.records import Json
from estimators.objects import Identity, Source
from estimators.recommendation import FieldChange, LeftAlone, Realisable, Reason, Recommendation
from estimators.report import Confidence, Verdict


def recommendation_json(recommendation: Recommendation) -> Json:
    """One object; amounts are strings of unrounded decimals, paths are lists of names and indexes."""
    return {
        "finder": recommendation.finder,
        "environment": recommendation.environment,
        "key": list(recommendation.key),
        "source": list(recommendation.source),
        "changes": [_change_json(change) for change in recommendation.changes],
        "allocated": str(recommendation.allocated),
        "realisable": realisable_json(recommendation.realisable),
        "evidence": dict(recommendation.evidence),
        "confidence": recommendation.confidence.value,
        "verdict": recommendation.verdict.value,
        "blast_radius": recommendation.blast_radius,
        "risks": list(recommendation.risks),
        "undo": recommendation.undo,
        "labels": dict(recommendation.labels),
    }


def recommendation_from(told: Json) -> Recommendation:
    """What `recommendation_json` told."""
    return Recommendation(
        finder=told["finder"],
        environment=told["environment"],
        key=Identity(*told["key"]),
        source=Source(*told["source"]),
        changes=tuple(_change_from(change) for change in told["changes"]),
        allocated=Decimal(told["allocated"]),
        realisable=realisable_from(told["realisable"]),
        evidence=told["evidence"],
        confidence=Confidence(told["confidence"]),
        verdict=Verdict(told["verdict"]),
        blast_radius=told["blast_radius"],
        risks=tuple(told["risks"]),
        undo=told["undo"],
        labels=told["labels"],
    )


def realisable_json(realisable: Realisable) -> Json:
    """What the bill would fall by; an unknown amount is null."""
    monthly = realisable.monthly
    return {
        "monthly": None if monthly is None else str(monthly),
        "why": realisable.why,
        "nodes": list(realisable.nodes),
    }


def realisable_from(told: Json) -> Realisable:
    """What `realisable_json` told."""
    monthly = told["monthly"]
    return Realisable(None if monthly is None else Decimal(monthly), told["why"], tuple(told["nodes"]))


def left_alone_json(left: LeftAlone) -> dict[str, Any]:
    """What was left alone, and why."""
    return {
        "environment": left.environment,
        "key": list(left.key),
        "reason": left.reason.value,
        "finder": left.finder,
        "facts": dict(left.facts),
    }


def left_alone_from(told: Json) -> LeftAlone:
    """What `left_alone_json` told; what else is kept beside it does not matter."""
    return LeftAlone(
        told["environment"], Identity(*told["key"]), Reason(told["reason"]), told["finder"], told["facts"]
    )


def place_json(place: Place) -> dict[str, Any]:
    """The repository that something was found in, and its installation."""
    return {"installation": place.installation, "repository": asdict(place.repository)}


def place_from(told: Json) -> Place:
    """What `place_json` told."""
    return Place(told["installation"], Repository(**told["repository"]))


def _change_json(change: FieldChange) -> Json:
    return {
        "object": list(change.object),
        "path": list(change.path),
        "container": change.container,
        "current": change.current,
        "proposed": change.proposed,
        "count": change.count,
    }


def _change_from(told: Json) -> FieldChange:
    return FieldChange(
        object=Identity(*told["object"]),
        path=tuple(told["path"]),
        container=told["container"],
        current=told["current"],
        proposed=told["proposed"],
        count=told["count"],
    )
