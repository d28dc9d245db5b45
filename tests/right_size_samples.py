"""Approved recommendations as their pull requests tell them, one of each kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from bot.manifests.edits.source_files import Kind
from bot.manifests.edits.wanted import Place, Wanted
from bot.recommendation_records import POLICY, RecommendationDecision
from bot.right_size_page import RightSize
from estimators.objects import Identity, Path, Source
from estimators.recommendation import FieldChange, LeftAlone, Realisable, Reason, Recommendation
from estimators.report import Confidence, Verdict

AT = datetime(2026, 11, 23, 9, 14, tzinfo=UTC)
WINDOW = "14 days to 2026-11-22, 99 % measured"
CONTAINERS: Path = ("spec", "template", "spec", "containers")
WEB = "https://git.example/acme/shop"
SHA = "0123456789abcdef0123456789abcdef01234567"


def decision(
    *, actor: str = "slack/T1/U1", said: str = "Ann Smith", reason: str = ""
) -> RecommendationDecision:
    """An approval."""
    return RecommendationDecision(
        id="1", repository=7, subject="2", finder="", decision="approve", actor=actor, said=said,
        reason=reason, about="", at=AT,
    )  # fmt: skip


def page(
    key: Identity,
    finder: str,
    changes: Sequence[FieldChange],
    allocated: str,
    realisable: Realisable,
    evidence: Mapping[str, str],
    *,
    approved: RecommendationDecision | None = None,
    confidence: Confidence = Confidence.HIGH,
    verdict: Verdict = Verdict.SAFE,
    blast_radius: str = "",
    risks: tuple[str, ...] = (),
    undo: str = "Put the values back; the pods are replaced once more.",
    left: Sequence[LeftAlone] = (),
    file: str = "k8s/production/indexer.yaml",
) -> RightSize:
    """A pull request of ours."""
    source = Source(file, 24)
    found = Recommendation(
        finder, key.environment, key, source, tuple(changes), Decimal(allocated), realisable, evidence,
        confidence, verdict, blast_radius, risks, undo,
    )  # fmt: skip
    places = [
        Place(Wanted.of(change), file, 24 + number, Kind.MANIFEST, change.current)
        for number, change in enumerate(changes)
    ]
    return RightSize(found, approved or decision(), places, left, "USD", WEB, SHA)


def of_containers() -> RightSize:
    """CPU and memory of one container, of which the limit follows."""
    key = Identity("production", "shop", "Deployment", "indexer")
    return page(
        key,
        "container-resources",
        [
            FieldChange(key, (*CONTAINERS, 0, "resources", "requests", "cpu"), "indexer", "2", "1200m"),
            FieldChange(key, (*CONTAINERS, 0, "resources", "requests", "memory"), "indexer", "2Gi", "768Mi"),
            FieldChange(key, (*CONTAINERS, 0, "resources", "limits", "memory"), "indexer", "2Gi", "768Mi"),
        ],
        "-132.40",
        Realisable(Decimal("-62.05"), "node ip-10-0-3-17.internal is no longer needed; somebody, or an autoscaler of nodes, has to take it away", ("ip-10-0-3-17.internal",)),
        {
            "CPU p95": "0.81 cores a pod",
            "CPU peak": "1.02 cores a pod, Sun 2026-11-15 02:10 UTC",
            "CPU window": WINDOW,
            "memory peak": "604 MiB, Sun 2026-11-15 02:15 UTC",
            "memory window": WINDOW,
            "profile": "production",
        },
        blast_radius="6 of 31 pods in shop, behind Service indexer",
        risks=(
            "A load larger than any in the window may be OOM-killed or evicted.",
            "On a busy node a pod gets no more CPU than it requests.",
        ),
    )  # fmt: skip


def of_several_containers() -> RightSize:
    """One of two containers; the other's memory grows. The bill stays as it is."""
    key = Identity("", "shop", "Deployment", "checkout")
    return page(
        key,
        "container-resources",
        [
            FieldChange(key, (*CONTAINERS, 0, "resources", "requests", "cpu"), "app", "1", "400m"),
            FieldChange(key, (*CONTAINERS, 1, "resources", "requests", "cpu"), "proxy", "500m", "100m"),
        ],
        "-18.20",
        Realisable(Decimal(0), "no node goes away, and the room is left for other pods"),
        {
            "app CPU p95": "0.29 cores a pod",
            "app CPU peak": "0.34 cores a pod, Tue 2026-11-17 11:00 UTC",
            "app CPU window": WINDOW,
            "proxy CPU p95": "0.05 cores a pod",
            "proxy CPU peak": "0.08 cores a pod, Tue 2026-11-17 11:00 UTC",
            "proxy CPU window": WINDOW,
            "profile": "production",
        },
        approved=decision(reason="Load tests of October were lower still."),
        confidence=Confidence.MEDIUM,
        verdict=Verdict.CAUTION,
        risks=("On a busy node a pod gets no more CPU than it requests.",),
        left=[
            LeftAlone(
                "", key, Reason.MEMORY_GROWS, "container-resources", {"container": "app", "a_day": "90 MiB"}
            ),
            LeftAlone(
                "",
                key,
                Reason.PROTECTED,
                "container-resources",
                {"reason": "INC-1234", "until": "2027-03-31"},
            ),
        ],
        file="apps/checkout/values-prod.yaml",
    )


def of_an_autoscaler() -> RightSize:
    """Minimum and target, replayed over the history."""
    key = Identity("production", "shop", "Deployment", "api")
    scaler = Identity("production", "shop", "HorizontalPodAutoscaler", "api")
    target: Path = ("spec", "metrics", 0, "resource", "target", "averageUtilization")
    return page(
        key,
        "autoscaler-bounds",
        [
            FieldChange(scaler, target, "", "50", "70", count=True),
            FieldChange(scaler, ("spec", "minReplicas"), "", "10", "6", count=True),
        ],
        "-311.00",
        Realisable(None, "its pods come and go, and may leave no node empty"),
        {
            "now": "11.2 pods on average",
            "then": "7.4 pods on average",
            "wanted at the most": "14 pods",
            "at the minimum": "82 % of the time",
            "counted by": "replaying the autoscaler over the history",
            "window": WINDOW,
            "profile": "production",
        },
        blast_radius="10 of 31 pods in shop, behind Service api and Ingress shop, tier critical",
        risks=(
            "Pods run fuller: a climb steeper than any in the window meets less room.",
            "A burst from rest is carried by fewer pods until new ones have started.",
        ),
        undo="Put the values back; pods are added within minutes, none is restarted.",
        file="k8s/overlays/production/api-hpa.yaml",
    )


def of_an_idle_gpu() -> RightSize:
    """All of it goes."""
    key = Identity("", "ml", "Deployment", "llm-serving")
    return page(
        key,
        "idle-gpu",
        [FieldChange(key, ("spec", "replicas"), "", "1", "0", count=True)],
        "-2386.04",
        Realisable(
            Decimal("-2394.40"),
            "2 nodes are no longer needed; somebody, or an autoscaler of nodes, has to take them away",
            ("gpu-pool-7f2", "gpu-pool-9c0"),
        ),
        {
            "idle for": "192 hours",
            "longest gap before": "14 hours",
            "gaps before": "6",
            "chance that it comes back": "at most 14 %",
            "window": WINDOW,
        },
        blast_radius="1 of 4 pods in ml, behind Service llm",
        risks=(
            "Work may come back; the chance is at most 14 %.",
            "What the process holds in GPU memory (models, sessions) is lost.",
        ),
        undo="Put replicas back to 1; models are loaded anew, and a free GPU has to be found.",
        file="ml/llm-serving.yaml",
    )


def by_policy() -> RightSize:
    """Without a click, in development."""
    key = Identity("development", "shop", "StatefulSet", "search")
    return page(
        key,
        "container-resources",
        [FieldChange(key, (*CONTAINERS, 0, "resources", "requests", "cpu"), "search", "400m", "300m")],
        "-6.30",
        Realisable(Decimal(0), "no node goes away, and the room is left for other pods"),
        {
            "CPU p90": "0.21 cores a pod",
            "CPU peak": "0.28 cores a pod, Mon 2026-11-16 08:40 UTC",
            "CPU window": WINDOW,
            "profile": "development",
        },
        approved=decision(
            actor=POLICY,
            said="automation",
            reason="automation in tuppence.yaml: cuts of cpu-request by at most 30 % in dev*, confidence high or better",
        ),
        risks=("On a busy node a pod gets no more CPU than it requests.",),
        file="k8s/development/search.yaml",
    )


def for_reliability() -> RightSize:
    """More memory after an OOM kill: it costs."""
    key = Identity("production", "shop", "Deployment", "reports")
    return page(
        key,
        "container-resources",
        [FieldChange(key, (*CONTAINERS, 0, "resources", "limits", "memory"), "reports", "512Mi", "640Mi")],
        "4.10",
        Realisable(None, "it asks for more, and may need another node"),
        {
            "memory peak": "511 MiB, Wed 2026-11-18 03:00 UTC",
            "memory window": WINDOW,
            "OOM kills": "3",
            "profile": "production",
        },
        file="k8s/production/reports.yaml",
    )


SAMPLES = {
    "containers": of_containers,
    "several-containers": of_several_containers,
    "autoscaler": of_an_autoscaler,
    "idle-gpu": of_an_idle_gpu,
    "policy": by_policy,
    "reliability": for_reliability,
}
