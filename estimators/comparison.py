"""Two sets of objects -> a report: what the change costs and what it may break."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from estimators.blast_radius import blast_radius
from estimators.change import Cluster, Side, WorkloadChange
from estimators.confidence import confidence
from estimators.field_changes import field_changes, first_source
from estimators.inventory import Inventory, take_inventory
from estimators.money import NOTHING, total
from estimators.objects import Body, Identity, ManifestObject, Source, Unpriced, dig, text
from estimators.other_rows import other_rows, unpriced_objects
from estimators.renames import renames
from estimators.report import Confidence, FieldChange, Finding, Report, Row, Severity, Verdict
from estimators.rules import judge
from estimators.safe_savings import with_savings
from estimators.seen import seen
from estimators.sides import SideBuilder
from estimators.verdict import report_verdict, row_verdict, unknown_because
from estimators.workload import Workload

_BY_CONFIDENCE = (Confidence.NONE, Confidence.LOW, Confidence.MEDIUM, Confidence.HIGH)
_BY_VERDICT = tuple(Verdict)


@dataclass(frozen=True, slots=True)
class Revision:
    """One side of a change: its name, its objects, what could not be read, and doubled definitions.

    `doubled` is identity -> where the definition stands that lost.
    """

    name: str
    objects: Sequence[ManifestObject]
    unpriced: Sequence[Unpriced] = ()
    doubled: Mapping[Identity, Source] = field(default_factory=dict)
    left_out_hooks: int = 0


def compare(
    base: Revision, head: Revision, cluster_of: Callable[[str], Cluster], partial: Iterable[str] = ()
) -> Report:
    """Price and judge the change from `base` to `head`; `cluster_of` gives an environment's cluster."""
    rows: list[Row] = []
    # What could be read on neither side is one gap, in the head's words: its line may have moved.
    known = {_place(item) for item in head.unpriced}
    unpriced = [*head.unpriced, *(item for item in base.unpriced if _place(item) not in known)]
    environments = dict.fromkeys(thing.identity.environment for thing in (*base.objects, *head.objects))
    clusters = {name: cluster_of(name) for name in environments}
    for name, cluster in clusters.items():
        live = cluster.usage.objects if cluster.usage else ()
        old, new = (
            [item for item in side.objects if item.identity.environment == name] for side in (base, head)
        )
        before, after = take_inventory(old, live), take_inventory(new, _without_removed(live, old, new))
        comparison = _EnvironmentComparison(before, after, cluster, base, head)
        rows += comparison.rows()
        rows += other_rows(before, after, cluster)
        unpriced += unpriced_objects(before, after)
    rows.sort(key=_worst_first)
    unpriced += [item for row in rows for item in _without_price(row)]
    return _report(base, head, rows, unpriced, clusters, tuple(partial))


def _without_removed(
    live: Sequence[Body], old: Sequence[ManifestObject], new: Sequence[ManifestObject]
) -> list[Body]:
    """The live objects that are left once the change has taken away what it no longer declares."""
    was, now = (
        {
            (kind, namespace or "default", name)
            for _, namespace, kind, name in (item.identity for item in side)
        }
        for side in (old, new)
    )
    gone = was - now
    return [body for body in live if _live_name(body) not in gone]


def _live_name(body: Body) -> tuple[str, str, str]:
    namespace = text(dig(body, "metadata", "namespace")) or "default"
    return text(body.get("kind")), namespace, text(dig(body, "metadata", "name"))


def _place(item: Unpriced) -> tuple[str, ...]:
    return item.environment, item.kind, item.namespace, item.name, item.file


class _EnvironmentComparison:
    """The workloads of one environment, before and after."""

    def __init__(
        self, before: Inventory, after: Inventory, cluster: Cluster, base: Revision, head: Revision
    ) -> None:
        self._before, self._after, self._cluster = before, after, cluster
        self._base, self._head = base, head
        self._builder = SideBuilder(cluster)

    def rows(self) -> Iterator[Row]:
        """A row for each workload that the change touches."""
        before, after = self._before.workloads, self._after.workloads
        renamed = renames(before, after)
        gone = {*renamed.values()}
        for identity in dict.fromkeys([*before, *after]):
            if identity in gone:
                continue
            earlier = renamed.get(identity, identity)
            old, new = before.get(earlier), after.get(identity)
            if old is None or new is None or self._differs(old, new):
                row = self._row(old, new)
                if row is not None:
                    yield row

    def _differs(self, old: Workload, new: Workload) -> bool:
        """Whether the workload, or anything that acts on it, is not the same on both sides."""
        if old.identity != new.identity or old.object.body != new.object.body:
            return True
        acting = [
            (
                _body(side.autoscaler(item.identity)),
                _body(side.vertical(item.identity)),
                [budget.object.body for budget in side.budgets_of(item)],
                side.defaults_of(item.identity),
                side.namespace_of(item.identity),
                side.overheads,
                side.storage_classes,
                [thing.body for thing in side.devices],
            )
            for side, item in ((self._before, old), (self._after, new))
        ]
        return acting[0] != acting[1]

    def _row(self, old: Workload | None, new: Workload | None) -> Row | None:
        history = next(
            (found for item in (old, new) if item and (found := self._builder.history(item.identity))), None
        )
        before = self._builder.build(old, self._before, history) if old else None
        after = self._builder.build(new, self._after, history, before) if new else None
        changes = _changes(before, after)
        usage = self._cluster.usage
        sure = confidence(history, usage.window) if usage else Confidence.NONE
        sure = _doubted(sure, before, after)
        change = WorkloadChange(before, after, changes, history, sure, self._cluster)
        findings = self._findings(change)
        row = _assembled(change, findings)
        same_pods = before is not None and after is not None and before.pod_request == after.pod_request
        # However many pods there are, as many cost the same before and after.
        unknown = not (row.before and row.after) and not same_pods
        return row if changes or findings or row.change or unknown else None

    def _findings(self, change: WorkloadChange) -> tuple[Finding, ...]:
        found = with_savings(change, judge(change))
        identity = change.side.workload.identity
        other = self._head.doubled.get(identity)
        if other is None or identity in self._base.doubled:
            return found
        message = f"defined twice: the definition at line {other.line} of {other.file} is not used"
        return (Finding("duplicate-object", Severity.CAUTION, message, "metadata.name", other), *found)


def _body(acting: object) -> object:
    """The manifest of an autoscaler, which says all there is to compare."""
    thing = getattr(acting, "object", None)
    return thing.body if isinstance(thing, ManifestObject) else None


def _changes(before: Side | None, after: Side | None) -> tuple[FieldChange, ...]:
    if before is None or after is None:
        return ()
    changes = field_changes(before, after)
    old, new = before.workload.identity, after.workload.identity
    if old == new:
        return changes
    at = after.workload.object.locate(("metadata", "name"))
    names = [f"{item.namespace}/{item.name}" if item.namespace else item.name for item in (old, new)]
    return (FieldChange("name", names[0], names[1], "metadata.name", at), *changes)


def _doubted(sure: Confidence, *sides: Side | None) -> Confidence:
    """A simulation that rests on a stand-in caps the confidence."""
    if any(side and side.simulation and side.simulation.doubt for side in sides):
        return min(sure, Confidence.LOW, key=_BY_CONFIDENCE.index)
    return sure


def _assembled(change: WorkloadChange, findings: tuple[Finding, ...]) -> Row:
    before, after = change.before, change.after
    estimates = [side.estimate if side else None for side in (before, after)]
    amounts = [estimate.monthly if estimate else NOTHING for estimate in estimates]
    known = all(side is None or side.estimate for side in (before, after))
    status = "changed" if before and after else "added" if after else "removed"
    thing = change.side.workload.object
    return Row(
        identity=thing.identity,
        status=status,
        source=first_source(change.changes, thing.source),
        verdict=row_verdict(change, findings),
        confidence=change.confidence,
        before=estimates[0],
        after=estimates[1],
        change=amounts[1] - amounts[0] if known else NOTHING,
        changes=change.changes,
        findings=findings,
        seen=seen(change),
        unknown_because=unknown_because(change),
        blast_radius=blast_radius(change) if findings else "",
        labels={**thing.labels, **change.side.workload.groups[0].template.labels},
    )


def _without_price(row: Row) -> Iterator[Unpriced]:
    """The whole row where its cost is not known, else the parts of it that have no price."""
    identity, here = row.identity, row.after or row.before
    parts = here.unpriced if here else ()
    reasons = parts if row.cost_known else (row.unknown_because,)
    for reason in reasons:
        yield Unpriced(
            identity.kind,
            identity.namespace,
            identity.name,
            row.source.file,
            reason,
            identity.environment,
        )


def _worst_first(row: Row) -> tuple[int, object, Identity]:
    return _BY_VERDICT.index(row.verdict), -abs(row.change.expected), row.identity


def _report(
    base: Revision,
    head: Revision,
    rows: Sequence[Row],
    unpriced: Sequence[Unpriced],
    clusters: Mapping[str, Cluster],
    gaps: Sequence[str],
) -> Report:
    known = [row for row in rows if row.cost_known]
    some = next(iter(clusters.values()), Cluster())
    return Report(
        currency=some.prices.currency,
        base=base.name,
        head=head.name,
        verdict=report_verdict(rows),
        confidence=min((row.confidence for row in rows), key=_BY_CONFIDENCE.index, default=Confidence.NONE),
        before=total(row.before.monthly for row in known if row.before),
        after=total(row.after.monthly for row in known if row.after),
        rows=tuple(rows),
        unpriced=tuple(unpriced),
        partial=tuple(dict.fromkeys([*gaps, *_partial(clusters.values())])),
        gaps=tuple(dict.fromkeys(gaps)),
        hours_per_month=some.hours_per_month,
        prices=_prices(rows, clusters.values()),
        usage="; ".join(dict.fromkeys(filter(None, map(_usage, clusters.values())))),
        left_out_hooks=head.left_out_hooks,
    )


def _partial(clusters: Iterable[Cluster]) -> Iterator[str]:
    for cluster in clusters:
        yield from cluster.prices.notes
        if cluster.usage:
            yield from cluster.usage.partial


def _prices(rows: Iterable[Row], clusters: Iterable[Cluster]) -> str:
    """The sources of the rates in the report, else of the sheets it would have used."""
    used = [side.rates for row in rows for side in (row.before, row.after) if side]
    # How many nodes a mean was taken over belongs to the row, not to the footer.
    found = [f"{rates.source.partition(' (')[0]}, {rates.as_of}" for rates in used]
    return "; ".join(
        dict.fromkeys(found or [f"{item.prices.source}, {item.prices.as_of}" for item in clusters])
    )


def _usage(cluster: Cluster) -> str:
    usage = cluster.usage
    if usage is None or not (usage.workloads or usage.claims or usage.balancers):
        return ""
    window = usage.window
    return f"{usage.source or 'usage'}, {window.start:%Y-%m-%d} to {window.end:%Y-%m-%d}"
