"""Which workloads something may be proposed for, and why the others are left alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from estimators.blast_radius import TIER_LABELS
from estimators.change import Cluster, Side
from estimators.confidence import confidence
from estimators.finders.candidate import Candidate
from estimators.inventory import Inventory, take_inventory
from estimators.objects import Body, ManifestObject, dig, mapping, sequence, text
from estimators.pod_request import effective_pod
from estimators.quantity import show_amount
from estimators.recommendation import LeftAlone, Reason
from estimators.recommendation_terms import CRITICAL, CRITICAL_TIERS, Profile, Terms
from estimators.report import Confidence
from estimators.rules.pods import fixed, switched_off
from estimators.rules.slo import BURNING
from estimators.rules.words import count_words
from estimators.running import other_than_declared
from estimators.sides import SideBuilder
from estimators.usage import Series, UsageSnapshot, WorkloadKey, WorkloadUsage, observed
from estimators.workload import Scaling, Workload

LEAST_DAYS = 14
"""Both of two weekly peaks."""
_LATE_START = timedelta(hours=1)
"""A first sample this late is a scrape that came late, not a young workload."""
_ENOUGH = frozenset({Confidence.HIGH, Confidence.MEDIUM})
_OFF_BY = Decimal("0.1")
"""Share of the declared pods that may be missing, or too many: pods on a node that nobody scraped."""
_COUNTED_BY = {"hpa-simulated": "on average by its autoscaler", "nodes": "by the nodes that match"}
_TO_COMPLETION = frozenset({Scaling.JOB, Scaling.CRON})
_PAUSES = re.compile(r"pause(-[a-z0-9]+)?([:@].*)?")
"""`registry.k8s.io/pause:3.9`, a copy of it elsewhere, or that of one architecture."""
_REPLAY_OFF_BY = Decimal("0.5")
"""The same of a replayed autoscaler, which knows neither the load within a step nor pods that wait."""


class Sorted(NamedTuple):
    """Workloads with usable history; every workload's side; and what is left alone altogether."""

    fit: list[Candidate]
    sides: list[Side]
    left: list[LeftAlone]
    inventory: Inventory


def candidates(objects: Sequence[ManifestObject], cluster: Cluster, terms: Terms) -> Sorted:
    """The workloads of one environment, in the order of their identities: each fits, or is left and why."""
    usage = cluster.usage
    inventory = take_inventory(objects, usage.objects if usage else ())
    builder = SideBuilder(cluster)
    live = _live_workloads(usage)
    found = Sorted([], [], [], inventory)
    for identity, workload in sorted(inventory.workloads.items()):
        history = builder.history(identity)
        side = builder.build(workload, inventory, history)
        found.sides.append(side)
        known = _Known(side, history, usage, live.get(history.key if history else workload.key, {}))
        held = next(_held(known, terms), None)
        if held:
            reason, facts = held
            found.left.append(LeftAlone(identity.environment, identity, reason, facts=facts))
        elif history and usage:
            profile = _profile(workload, inventory, terms)
            found.fit.append(_candidate(side, inventory, history, cluster, usage, profile))
    return found


class _Known(NamedTuple):
    side: Side
    history: WorkloadUsage | None
    usage: UsageSnapshot | None
    live: Body


def _candidate(
    side: Side,
    inventory: Inventory,
    history: WorkloadUsage,
    cluster: Cluster,
    usage: UsageSnapshot,
    profile: Profile,
) -> Candidate:
    template = side.workload.groups[0].template
    return Candidate(
        side=side,
        pod=effective_pod(
            template,
            inventory.defaults_of(side.workload.identity),
            inventory.overheads.get(template.runtime_class),
        ),
        history=history,
        usage=usage,
        cluster=cluster,
        profile=profile,
        confidence=confidence(history, usage.window),
    )


def _profile(workload: Workload, inventory: Inventory, terms: Terms) -> Profile:
    """The environment's profile; a workload of a critical tier is critical in any environment."""
    identity = workload.identity
    namespace = dig(inventory.namespace_of(identity), "metadata", "labels")
    for labels in (workload.object.labels, workload.groups[0].template.labels, namespace or {}):
        tiers = {str(labels.get(name, "")).casefold() for name in TIER_LABELS}
        if tiers & CRITICAL_TIERS:
            return CRITICAL
    return terms.profile


def _held(known: _Known, terms: Terms) -> Iterator[tuple[Reason, Mapping[str, str]]]:
    """Why nothing at all is proposed for a workload; nothing where something may be."""
    history, usage = known.history, known.usage
    yield from _never(known.side)
    if terms.frozen:
        yield Reason.FROZEN, {"why": terms.frozen}
    if _keeps_room(known.side.workload):
        yield Reason.RISKY, {"why": "it does nothing but keep room free for others"}
    if history is None or usage is None:
        yield Reason.NOT_SEEN, {}
        return
    if usage.window.days < LEAST_DAYS:
        yield Reason.SHORT_HISTORY, {"days": f"{usage.window.days:.3g}", "needed": str(LEAST_DAYS)}
    if (age := _younger(history, usage)) is not None:
        yield Reason.TOO_YOUNG, {"days": f"{age:.3g}", "needed": str(LEAST_DAYS)}
    if confidence(history, usage.window) not in _ENOUGH:
        yield Reason.POOR_HISTORY, {"window": f"{usage.window.days:.3g} days"}
    burn = history.error_budget_burn
    if burn is not None and burn > BURNING:
        yield Reason.SLO_BURNING, {"burn rate": f"{burn:.2f}"}
    if dig(known.side.workload.object.body, "spec", "paused") is True:
        yield Reason.ROLLOUT, {"paused": "true"}
    if facts := _rollout(known.live):
        yield Reason.ROLLOUT, facts
    if facts := _otherwise_counted(known.side, history, usage):
        yield Reason.NOT_AS_DECLARED, facts
    if facts := _otherwise_sized(known.side.workload, history, usage):
        yield Reason.NOT_AS_DECLARED, facts


def _keeps_room(workload: Workload) -> bool:
    """Whether its containers only pause: their requests hold room that others are to find at once.

    Cluster Autoscaler's FAQ calls such pods overprovisioning; they are idle on purpose.
    """
    template = workload.groups[0].template
    specs = sequence(dig(workload.object.body, *template.path, "containers"))
    images = [text(mapping(item).get("image")).rpartition("/")[2] for item in specs]
    return bool(images) and all(_PAUSES.fullmatch(image) for image in images)


def _never(side: Side) -> Iterator[tuple[Reason, Mapping[str, str]]]:
    """What no history changes: it asks for no pods, each run is another one, or its groups differ."""
    if switched_off(side):
        yield Reason.SWITCHED_OFF, {}
    if side.workload.scaling in _TO_COMPLETION:
        yield Reason.RUNS_TO_COMPLETION, {}
    if len(side.workload.groups) != 1:
        yield Reason.SEVERAL_GROUPS, {}


def _otherwise_counted(side: Side, history: WorkloadUsage, usage: UsageSnapshot) -> Mapping[str, str]:
    """What shows that other pods run than its cost is counted with: then nothing would save what is said.

    Somebody scaled it by hand, something that nobody declared scales it, half of its pods are not scraped,
    its autoscaler is another one than declared, or its pods are on fewer nodes than its selectors match.
    """
    declared = fixed(side)
    if declared is not None:
        seen = _pods_of_late(history.replicas, usage)
        if abs(seen - declared) <= max(declared * _OFF_BY, Decimal("0.5")):
            return {}
        return {"declared": f"{count_words(declared, 'pod')}", "seen": f"{count_words(seen, 'pod')}"}
    counted = side.estimate.replicas if side.estimate else None
    ran = observed(history.replicas)
    by_whom = _COUNTED_BY.get(counted.source if counted else "")
    if counted is None or by_whom is None or not ran.size:
        return {}
    expected, mean = counted.count.expected, Decimal(float(ran.mean()))
    if abs(mean - expected) <= max(expected * _REPLAY_OFF_BY, Decimal(1)):
        return {}
    return {
        "declared": f"{count_words(expected, 'pod')} {by_whom}",
        "seen": count_words(mean, "pod"),
    }


def _otherwise_sized(workload: Workload, history: WorkloadUsage, usage: UsageSnapshot) -> Mapping[str, str]:
    """What shows that its pods have other requests or limits than are declared; see `other_than_declared`."""
    other = other_than_declared(workload, history.key, usage.running)
    if other is None:
        return {}
    field, declared, seen = other
    return {
        "field": f"resources.{field.part}.{field.resource}",
        "container": field.container,
        "declared": show_amount(field.resource, declared),
        "seen": show_amount(field.resource, seen),
    }


def _pods_of_late(replicas: Series, usage: UsageSnapshot) -> Decimal:
    """How many pods ran in the last day in which any did, 0 where none did for three days.

    A weekend at which it is switched off does not count, nor do a few hours at which a rollout had more.
    """
    lately = replicas[-3 * 86_400 // usage.window.step_seconds :]
    running = lately[lately > 0][-86_400 // usage.window.step_seconds :]
    return Decimal(float(np.median(running))) if running.size else Decimal(0)


def _younger(history: WorkloadUsage, usage: UsageSnapshot) -> float | None:
    """The days since its first sample, None where it is as old as the window, or as a window has to be."""
    series = [one for item in history.containers for one in (item.cpu_cores, item.memory_peak_bytes)]
    if not series:
        return None
    seen = ~np.isnan(np.vstack(series)).all(axis=0)
    if not seen.any():
        return None
    late = timedelta(seconds=usage.window.step_seconds) * int(np.argmax(seen))
    age = usage.window.days - late / timedelta(days=1)
    return None if late <= _LATE_START or age >= LEAST_DAYS else age


def _live_workloads(usage: UsageSnapshot | None) -> Mapping[WorkloadKey, Body]:
    """Live objects that may be in a rollout, by what history calls them."""
    return {
        _key(body): body
        for body in (usage.objects if usage else ())
        if body.get("kind") in {"Deployment", "StatefulSet", "DaemonSet", "Rollout"}
    }


def _key(body: Body) -> WorkloadKey:
    name, namespace = (text(dig(body, "metadata", key)) for key in ("name", "namespace"))
    return WorkloadKey(namespace, text(body.get("kind")), name)


def _rollout(live: Body) -> Mapping[str, str]:
    """What shows that pods are being replaced just now, as far as the live object tells.

    `kubectl rollout status` asks the same: has the controller seen the newest generation, and are all
    pods of the newest template?
    """
    generation, seen = dig(live, "metadata", "generation"), dig(live, "status", "observedGeneration")
    if isinstance(generation, int) and isinstance(seen, int) and seen < generation:
        return {"generation": str(generation), "observed generation": str(seen)}
    wanted = dig(live, "spec", "replicas")
    updated, running = dig(live, "status", "updatedReplicas"), dig(live, "status", "replicas")
    if isinstance(wanted, int) and isinstance(updated, int) and updated < wanted:
        return {"updated pods": str(updated), "wanted pods": str(wanted)}
    if isinstance(wanted, int) and isinstance(running, int) and running > wanted:
        return {"running pods": str(running), "wanted pods": str(wanted)}
    return {}
