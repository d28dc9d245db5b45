"""Reports as the estimators give them, one for every state a reader may meet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal

from estimators.guardrail import CrossedGuardrail
from estimators.money import NOTHING, Range, total
from estimators.objects import Identity, Source, Unpriced
from estimators.prices import Provenance, Rates
from estimators.report import (
    Confidence,
    CostLine,
    Estimate,
    FieldChange,
    Finding,
    PodAmounts,
    ReplicaCount,
    Report,
    Row,
    Severity,
    Verdict,
)

HOURS = Decimal(730)
RATES = Rates(
    Decimal("0.031611"), Decimal("0.004237"), Decimal("3.40"),
    "OpenCost in prod-eu", "2026-11-20", Provenance.MEASURED, "general",
)  # fmt: skip
PRICES = "OpenCost in prod-eu, 2026-11-20"
USAGE = "Prometheus, 2 to 16 November, 99 % complete"
HEAD = "4f2c9ab1d5e8f70123456789abcdef0123456789"
SIMULATED = "simulated over 4,032 of 4,032 steps"


def pods(expected: str, floor: str = "", ceiling: str = "", source: str = "manifest") -> ReplicaCount:
    """A count of pods, exact unless a range is given."""
    count = Range(Decimal(floor or expected), Decimal(expected), Decimal(ceiling or expected))
    measured = source in {"hpa-simulated", "observed", "nodes"}
    note = SIMULATED if source == "hpa-simulated" else ""
    return ReplicaCount(count, source, Provenance.MEASURED if measured else Provenance.REQUESTED, note)


def estimate(
    replicas: ReplicaCount, cpu: str, memory: str, gpus: str = "0", storage: str = "0", rates: Rates = RATES
) -> Estimate:
    """One side, with the arithmetic the product does: quantity x price x hours, storage by the month."""
    pod = PodAmounts(Decimal(cpu), Decimal(memory), Decimal(gpus), Decimal(storage))
    by_hour = (
        ("cpu", pod.cpu_cores, "core", rates.cpu_core_hour),
        ("memory", pod.memory_gib, "GiB", rates.memory_gib_hour),
        ("gpu", pod.gpus, "GPU", rates.gpu_hour),
    )
    lines = []
    for label, amount, unit, price in by_hour:
        if amount:
            quantity = replicas.count * amount
            monthly = quantity * (price * HOURS)
            lines.append(
                CostLine(label, amount, unit, quantity, price, f"{unit}-hour", monthly, rates.source)
            )
    if pod.storage_gib:
        quantity, price = replicas.count * pod.storage_gib, Decimal("0.04")
        lines.append(
            CostLine(
                "storage",
                pod.storage_gib,
                "GiB",
                quantity,
                price,
                "GiB-month",
                quantity * price,
                rates.source,
            )
        )
    return Estimate(replicas, pod, rates, tuple(lines), total(line.monthly for line in lines))


def row(
    name: str,
    before: Estimate | None,
    after: Estimate | None,
    verdict: Verdict,
    changes: Iterable[tuple[str, str, str]] = (),
    *,
    findings: Iterable[Finding] = (),
    seen: str = "",
    because: str = "",
    kind: str = "Deployment",
    environment: str = "",
    status: str = "changed",
    confidence: Confidence = Confidence.HIGH,
    blast_radius: str = "",
) -> Row:
    """A row whose change is after - before, or nothing where a side that exists has no cost."""
    namespace, _, own = name.rpartition("/")
    file = f"deploy/{own}.yaml"
    unknown = (status != "added" and before is None) or (status != "removed" and after is None)
    change = (after.monthly if after else NOTHING) - (before.monthly if before else NOTHING)
    return Row(
        identity=Identity(environment, namespace, kind, own),
        status=status,
        source=Source(file, 1),
        verdict=verdict,
        confidence=confidence,
        before=before,
        after=after,
        change=NOTHING if unknown else change,
        changes=tuple(
            FieldChange(label, old, new, "spec.template", Source(file, 20 + i))
            for i, (label, old, new) in enumerate(changes)
        ),
        findings=tuple(findings),
        seen=seen,
        unknown_because=because,
        blast_radius=blast_radius,
    )


def finding(
    rule: str,
    severity: Severity,
    message: str,
    evidence: Mapping[str, str] | None = None,
    safe: str = "",
    how: str = "",
) -> Finding:
    """A finding on line 24 of the API's manifest."""
    source = Source("deploy/api.yaml", 24)
    return Finding(rule, severity, message, "spec.template", source, evidence or {}, safe, how)


def report(rows: Iterable[Row], **facts: object) -> Report:
    """A report of these rows: its sums, its worst verdict and its least confidence follow from them."""
    rows = tuple(rows)
    verdicts, confidences = list(Verdict), list(Confidence)
    known = [item for item in rows if item.change or (item.before and item.after)]
    basis = Report(
        currency="USD",
        base="main",
        head=HEAD,
        verdict=min((item.verdict for item in rows), key=verdicts.index, default=Verdict.NONE),
        confidence=min((item.confidence for item in rows), key=confidences.index, default=Confidence.NONE),
        before=total(item.before.monthly for item in known if item.before),
        after=total(item.after.monthly for item in known if item.after),
        rows=rows,
        prices=PRICES,
        usage=USAGE,
    )
    return replace(basis, **facts)  # type: ignore[arg-type]


def the_story() -> Report:
    """One pull request with a dangerous saving, an autoscaler's new bounds, a GPU and a safe saving."""
    below_peak = finding(
        "memory-limit-below-peak", Severity.RISKY, "memory limit 512Mi is below the 683 MiB it peaked at",
        {"container": "api", "old limit": "1Gi", "new limit": "512Mi", "peak": "683 MiB", "OOM kills": "2",
         "window": "14 days to 2026-11-16, 99 % measured", "saves": "13.92 USD"},
        "832Mi",
    )  # fmt: skip
    headroom = finding(
        "node-headroom", Severity.CAUTION, "30 pods would not fit: node pool general has room for 21",
        {"needed": "15 cores", "free": "10.5 cores", "pool": "general"},
    )  # fmt: skip
    idle_gpu = finding(
        "gpu-increase-while-idle", Severity.CAUTION, "more GPU while the one it has is mostly idle",
        {"busy": "22 %", "window": "14 days to 2026-11-16"},
    )  # fmt: skip
    a100 = replace(RATES, pool="gpu-a100")
    return report(
        [
            row("payments/api", estimate(pods("12"), "0.5", "1"), estimate(pods("12"), "0.5", "0.5"), Verdict.RISKY,
                [("memory request", "1Gi", "512Mi"), ("memory limit", "1Gi", "512Mi")], findings=[below_peak],
                seen="peak 683 MiB, 2 OOM kills", blast_radius="12 pods, 40 % of namespace payments; service api"),
            row("checkout/web",
                estimate(pods("8.2", "4", "10", "observed"), "1.5", "3"),
                estimate(pods("11.6", "4", "30", "hpa-simulated"), "1.5", "3"), Verdict.CAUTION,
                [("HPA max", "10", "30"), ("HPA cpu target", "70 %", "50 %")], findings=[headroom],
                seen="8.2 pods on average, at max 3 % of the time", confidence=Confidence.MEDIUM,
                blast_radius="30 pods, 62 % of namespace checkout; service web, ingress shop"),
            row("ml/trainer", estimate(pods("1"), "8", "64", "1", rates=a100), estimate(pods("1"), "8", "64", "2", rates=a100),
                Verdict.CAUTION, [("nvidia.com/gpu", "1", "2")], findings=[idle_gpu], kind="StatefulSet",
                seen="the one it has was busy 22 % of 14 days"),
            row("search/indexer", estimate(pods("3"), "2", "4"), estimate(pods("3"), "1.2", "4"), Verdict.SAFE,
                [("cpu request", "2", "1200m")], seen="p95 0.81 cores"),
            *(row(f"web/{name}", estimate(pods("1"), "0.1", "0.125"), estimate(pods("1"), cpu, "0.125"), Verdict.SAFE,
                  [("cpu request", "100m", f"{Decimal(cpu) * 1000:.0f}m")])
              for name, cpu in (("blog", "0.11"), ("docs", "0.12"), ("status", "0.13"))),
        ],
        unpriced=(
            Unpriced("Root", "", "charts/legacy", "charts/legacy", "needs a chart from another repository"),
            Unpriced("Widget", "shop", "foo", "deploy/widget.yaml", "no pod template"),
        ),
    )  # fmt: skip


def quiet() -> Report:
    """Nothing that costs or risks changed."""
    return report([], confidence=Confidence.HIGH)


def nothing_priced() -> Report:
    """Everything that changed is beyond us, and says why."""
    ask = "runs one pod per node and no nodes are known: add --prometheus URL, --usage FILE or --kube-context NAME"
    agent = row("monitoring/agent", None, None, Verdict.UNKNOWN, [("cpu request", "100m", "200m")], kind="DaemonSet",
                because=ask, confidence=Confidence.NONE)  # fmt: skip
    unpriced = (
        Unpriced("DaemonSet", "monitoring", "agent", "deploy/agent.yaml", ask),
        Unpriced(
            "File", "", "deploy/broken.yaml", "deploy/broken.yaml", "line 7: found a tab where spaces belong"
        ),
    )
    return report([agent], unpriced=unpriced, usage="", prices="OpenCost's default prices, 2026-11-01")


def unreadable() -> Report:
    """The only file that changed cannot be read: that is not "no impact"."""
    reason = "line 7: found a tab where spaces belong"
    return report(
        [], unpriced=(Unpriced("File", "", "deploy/broken.yaml", "deploy/broken.yaml", reason),), usage=""
    )


def unknown() -> Report:
    """A price, but no history to judge the risk by; and one row whose cost is not known."""
    because = "no history covers what it takes away: add --prometheus URL or --usage FILE"
    ask = "scales from zero and no history is known: add --prometheus URL or --usage FILE"
    rows = [
        row("payments/api", estimate(pods("3"), "0.5", "1"), estimate(pods("3"), "0.5", "0.5"), Verdict.UNKNOWN,
            [("memory limit", "1Gi", "512Mi")], because=because, confidence=Confidence.NONE),
        row("jobs/worker", None, None, Verdict.UNKNOWN, status="added", because=ask, confidence=Confidence.NONE),
    ]  # fmt: skip
    return report(
        rows, unpriced=(Unpriced("Deployment", "jobs", "worker", "deploy/worker.yaml", ask),), usage=""
    )


def outage() -> Report:
    """Prometheus was asked and did not answer, so nothing could be judged."""
    gap = "no live numbers: https://prometheus.example: cannot be reached (timed out)"
    return replace(unknown(), unpriced=(), partial=(gap,), gaps=(gap,))


def without_history() -> Report:
    """Only capacity is added, so it is safe without any history."""
    rows = [
        row("shop/cart", estimate(pods("2"), "0.25", "0.5"), estimate(pods("4"), "0.25", "0.5"), Verdict.SAFE,
            [("replicas", "2", "4")], confidence=Confidence.NONE),
        row("shop/data", None, estimate(pods("1"), "0", "0", storage="20"), Verdict.SAFE, [("storage", "", "20Gi")],
            kind="PersistentVolumeClaim", status="added", confidence=Confidence.NONE),
    ]  # fmt: skip
    return report(rows, usage="", prices="OpenCost's default prices, 2026-11-01")


def environments() -> Report:
    """One workload in three environments, with a guardrail's worth of rows."""
    sizes = (
        ("production", "12", Verdict.CAUTION),
        ("staging", "2", Verdict.SAFE),
        ("dev", "1", Verdict.SAFE),
    )
    single = finding("single-replica", Severity.CAUTION, "falls to one replica: any restart is an outage")
    rows = [
        row("shop/cart", estimate(pods(count), "0.25", "0.5"), estimate(pods(count), "0.5", "0.5"), verdict,
            [("cpu request", "250m", "500m")], environment=environment,
            findings=[single] if verdict is Verdict.CAUTION else [], seen="p95 310m")
        for environment, count, verdict in sizes
    ]  # fmt: skip
    gap = "only 3,000 of 4,210 changed files were listed"
    return report(rows, left_out_hooks=3, partial=(gap, "12 values were left out"), gaps=(gap,))


def in_euro() -> Report:
    """Another currency, and an amount below a cent."""
    euro = replace(
        RATES, source="prices/hetzner.yaml", as_of="2026-10-01", pool="", provenance=Provenance.REQUESTED
    )
    rows = [
        row("shop/cart", estimate(pods("2"), "4", "8", rates=euro), estimate(pods("3"), "4", "8", rates=euro),
            Verdict.SAFE, [("replicas", "2", "3")]),
        row("shop/tiny", estimate(pods("1"), "0.1", "0.1", rates=euro), estimate(pods("1"), "0.1001", "0.1", rates=euro),
            Verdict.SAFE, [("cpu request", "100m", "100100u")]),
    ]  # fmt: skip
    return report(rows, currency="EUR", prices="prices/hetzner.yaml, 2026-10-01")


def savings() -> Report:
    """Three savings that history covers."""
    rows = [
        row(f"search/{name}", estimate(pods("3"), cpu, "1"), estimate(pods("3"), "0.3", "1"), Verdict.SAFE,
            [("cpu request", cpu, "300m")], seen="p95 0.21 cores")
        for name, cpu in (("indexer", "0.5"), ("query", "0.41"), ("suggest", "0.333"))
    ]  # fmt: skip
    return report(rows)


def removal() -> Report:
    """Everything goes."""
    rows = [
        row(f"old/{name}", estimate(pods("2"), "1", "2"), None, Verdict.UNKNOWN, status="removed",
            because="no history shows whether anyone still uses it: add --prometheus URL or --usage FILE")
        for name in ("api", "web")
    ]  # fmt: skip
    return report(rows)


CROSSED = {
    "story": (
        CrossedGuardrail(
            "production: 1 workload is risky",
            "SRE looks at risky changes before they merge.",
            ("acme/sre",),
            "a",
        ),
    )
}
"""The guardrails a sample crosses, by its name."""

SAMPLES = {
    "story": the_story,
    "quiet": quiet,
    "nothing-priced": nothing_priced,
    "unreadable": unreadable,
    "unknown": unknown,
    "outage": outage,
    "without-history": without_history,
    "environments": environments,
    "euro": in_euro,
    "savings": savings,
    "removal": removal,
}


def comment_links(source: Source, side: str) -> str:
    """A line of the sample repository on the web."""
    return f"https://github.example/acme/shop/blob/{HEAD if side == 'after' else 'main'}/{source.file}#L{source.line}"
