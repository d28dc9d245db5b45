"""The cost of one workload a month: quantity per pod x pods x hours x rate, plus its volumes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from estimators.change import Cluster
from estimators.devices import ClaimedDevices
from estimators.gpu import GpuShare
from estimators.gpu_model import gpu_price
from estimators.money import NOTHING, ZERO, Range, total
from estimators.pod_request import EffectivePod
from estimators.prices import Provenance, Rates
from estimators.quantity import GIB
from estimators.rates import RateBook
from estimators.replicas import UnknownCount
from estimators.report import CostLine, Estimate, PodAmounts, ReplicaCount
from estimators.storage import StorageRate, claim_count, storage_rate
from estimators.workload import DeviceRequest, PodGroup, Scaling, VolumeClaim, Workload

_WEAKEST = (Provenance.UNPRICED, Provenance.ASSUMED, Provenance.REQUESTED, Provenance.MEASURED)


def weakest(*found: Provenance) -> Provenance:
    """The provenance a sum of such numbers can claim."""
    return min(found, key=_WEAKEST.index)


def estimate_workload(
    workload: Workload,
    pods: Mapping[str, EffectivePod],
    counts: Mapping[str, ReplicaCount | UnknownCount],
    devices: Mapping[str, ClaimedDevices],
    cluster: Cluster,
    book: RateBook,
    earlier: Range = NOTHING,
) -> Estimate | UnknownCount:
    """What the workload costs, or why its pod count cannot be told.

    `pods`, `counts` and `devices` (claimed GPUs) are by group name. A workload of several groups is
    summed; its `pod` is the mean pod at the expected counts. `earlier` are the pods of the base: a
    StatefulSet keeps their volumes.
    """
    lines: list[CostLine] = []
    parts: list[tuple[ReplicaCount, PodAmounts, Rates]] = []
    notes: list[str] = []
    unpriced: list[str] = []
    for group in workload.groups:
        count = counts[group.name]
        if isinstance(count, UnknownCount):
            return count
        pod = pods[group.name]
        per_node = workload.scaling is Scaling.PER_NODE
        rates = book.rates_for(group.template, pod.pod, one_a_node=per_node)
        share = book.gpus_for(group.template, pod.pod)
        claimed = devices[group.name].requests
        if rates.gpu_assumed and (share.count or any(_price_of(item, cluster) is None for item in claimed)):
            rates = replace(rates, provenance=Provenance.ASSUMED)
            notes.append(
                f"nobody gave the price of its GPUs: {rates.gpu_hour.normalize():f} an hour is assumed"
            )
        notes += share.notes
        unpriced += [*share.unpriced, *(problem.message for problem in devices[group.name].problems)]
        amounts = _amounts(workload, group, pod, claimed, share)
        lines += _lines(
            group.name, replace(amounts, gpus=share.count), count.count, rates, cluster.hours_per_month
        )
        lines += _claimed_lines(group.name, claimed, count.count, rates, cluster)
        lines += _volumes(workload, group, count.count, earlier, cluster)
        parts.append((count, amounts, rates))
    counted, amounts, rates = parts[0] if len(parts) == 1 else _merged(parts)
    monthly = total(line.monthly for line in lines)
    said = tuple(dict.fromkeys([*notes, *unpriced]))
    return Estimate(counted, amounts, rates, tuple(lines), monthly, said, tuple(dict.fromkeys(unpriced)))


def _amounts(
    workload: Workload,
    group: PodGroup,
    pod: EffectivePod,
    claimed: Sequence[DeviceRequest],
    gpus: GpuShare,
) -> PodAmounts:
    claims = (*workload.claims, *group.template.ephemeral_claims)
    provenance = {
        name: Provenance.ASSUMED
        for name, resource in (("cpu_cores", "cpu"), ("memory_gib", "memory"))
        if resource in pod.assumed
    }
    if gpus.provenance is not Provenance.REQUESTED:
        provenance["gpus"] = gpus.provenance
    return PodAmounts(
        cpu_cores=pod.pod.get("cpu", ZERO),
        memory_gib=pod.pod.get("memory", ZERO) / GIB,
        gpus=gpus.count + sum((item.count for item in claimed if item.per_pod), ZERO),
        storage_gib=sum((item.size or ZERO for item in claims), ZERO) / GIB,
        provenance=provenance,
    )


def _lines(group: str, pod: PodAmounts, count: Range, rates: Rates, hours: Decimal) -> Iterator[CostLine]:
    """The arithmetic of what is charged by the hour; nothing for what a pod does not ask for."""
    for label, amount, unit, rate in (
        ("cpu", pod.cpu_cores, "core", rates.cpu_core_hour),
        ("memory", pod.memory_gib, "GiB", rates.memory_gib_hour),
        ("gpu", pod.gpus, "GPU", rates.gpu_hour),
    ):
        if amount:
            quantity = count * amount
            monthly = quantity * (rate * hours)
            yield CostLine(label, amount, unit, quantity, rate, f"{unit}-hour", monthly, rates.source, group)


def _claimed_lines(
    group: str, claimed: Sequence[DeviceRequest], count: Range, rates: Rates, cluster: Cluster
) -> Iterator[CostLine]:
    """GPUs claimed through Dynamic Resource Allocation: per pod, or one claim that all pods share."""
    for item in claimed:
        if item.per_pod:
            quantity = Range(
                count.floor * item.count, count.expected * item.count, count.ceiling * item.ceiling
            )
        else:
            quantity = Range(
                *(amount if count.ceiling else ZERO for amount in (item.count, item.count, item.ceiling))
            )
        priced = _price_of(item, cluster)
        price = rates.gpu_hour if priced is None else priced
        source = rates.source if priced is None else cluster.prices.source
        if quantity:
            monthly = quantity * (price * cluster.hours_per_month)
            yield CostLine("gpu", item.count, "GPU", quantity, price, "GPU-hour", monthly, source, group)


def _price_of(device: DeviceRequest, cluster: Cluster) -> Decimal | None:
    """What the sheet says of the model that a claim demands; None where it says nothing."""
    price = gpu_price(cluster.prices, device.product) if device.product else None
    return price.hourly if price else None


def _volumes(
    workload: Workload, group: PodGroup, count: Range, earlier: Range, cluster: Cluster
) -> Iterator[CostLine]:
    """Claim templates once per replica that ever was, ephemeral ones per pod."""
    for claim in workload.claims:
        yield from volume_line(claim, claim_count(claim, count, earlier), cluster, group.name)
    for claim in group.template.ephemeral_claims:
        yield from volume_line(claim, count, cluster, group.name)


def volume_line(claim: VolumeClaim, count: Range, cluster: Cluster, group: str = "") -> Iterator[CostLine]:
    """The cost of `count` volumes of one claim; nothing where the claim asks for no size."""
    if claim.size:
        size = claim.size / GIB
        rate: StorageRate = storage_rate(claim.storage_class, cluster)
        quantity = count * size
        yield CostLine(
            "storage",
            size,
            "GiB",
            quantity,
            rate.gib_month,
            "GiB-month",
            quantity * rate.gib_month,
            rate.source,
            group,
        )


def _merged(
    parts: list[tuple[ReplicaCount, PodAmounts, Rates]],
) -> tuple[ReplicaCount, PodAmounts, Rates]:
    """Several groups as one: pods added up, the mean pod, the mean rates weighted by what they price."""
    counts = [count for count, _, _ in parts]
    summed = ReplicaCount(
        total(item.count for item in counts),
        counts[0].source if len({item.source for item in counts}) == 1 else "manifest",
        weakest(*(item.provenance for item in counts)),
        ", ".join(filter(None, (item.note for item in counts))),
    )
    weights = [item.count.expected or item.count.ceiling for item in counts]
    pods = sum(weights, ZERO) or Decimal(1)

    def mean(field: str) -> Decimal:
        weighted = (getattr(pod, field) * weight for (_, pod, _), weight in zip(parts, weights, strict=True))
        return sum(weighted, ZERO) / pods

    provenance: dict[str, Provenance] = {}
    for _, pod, _ in parts:
        provenance.update(pod.provenance)
    amounts = PodAmounts(mean("cpu_cores"), mean("memory_gib"), mean("gpus"), mean("storage_gib"), provenance)
    rates = [item for _, _, item in parts]
    if len(set(rates)) == 1:
        return summed, amounts, rates[0]
    return summed, amounts, _mean_rates(parts, weights)


def _mean_rates(parts: list[tuple[ReplicaCount, PodAmounts, Rates]], weights: list[Decimal]) -> Rates:
    def mean(rate: str, amount: str) -> Decimal:
        shares = [getattr(pod, amount) * weight for (_, pod, _), weight in zip(parts, weights, strict=True)]
        whole = sum(shares, ZERO)
        if not whole:
            return Decimal(getattr(parts[0][2], rate))
        priced = (getattr(rates, rate) * share for (_, _, rates), share in zip(parts, shares, strict=True))
        return sum(priced, ZERO) / whole

    every = [rates for _, _, rates in parts]
    return Rates(
        mean("cpu_core_hour", "cpu_cores"),
        mean("memory_gib_hour", "memory_gib"),
        mean("gpu_hour", "gpus"),
        source=" and ".join(dict.fromkeys(item.source for item in every)),
        as_of=min(item.as_of for item in every),
        provenance=weakest(*(item.provenance for item in every)),
        pool=", ".join(dict.fromkeys(filter(None, (item.pool for item in every)))),
    )
