"""What an Argo CD or Flux object hands to its chart, and what of it changed that costs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.manifests.argo import inline_values
from bot.manifests.gitops import Elsewhere
from bot.manifests.jobs import Deployment
from estimators.asks import changed_asks
from estimators.objects import Body, dig, mapping, sequence


def changed_values(before: Deployment | None, after: Deployment | None) -> str:
    """`; its values change: resources.limits.memory 1Gi → 4Gi`, `""` where none of them costs.

    It is for charts that are not here: what is rendered tells by itself.
    """
    if (before and before.jobs) or (after and after.jobs):
        return ""
    asked = changed_asks(_values(before.body) if before else {}, _values(after.body) if after else {})
    return f"; its values change: {asked}" if asked else ""


def _values(body: Body) -> dict[str, Any]:
    if body.get("kind") == "HelmRelease":
        return dict(mapping(dig(body, "spec", "values")))
    found = list(_of_sources(body))
    return found[0] if len(found) == 1 else {f"sources[{at}]": values for at, values in enumerate(found)}


def _of_sources(body: Body) -> Iterator[dict[str, Any]]:
    """The inline values of an Application's sources, or of those of an ApplicationSet's template."""
    spec = mapping(body.get("spec"))
    if body.get("kind") == "ApplicationSet":
        spec = mapping(dig(spec, "template", "spec"))
    for source in sequence(spec.get("sources")) or [spec.get("source")]:
        try:
            yield inline_values(mapping(dig(source, "helm")))
        except Elsewhere:
            yield {}
