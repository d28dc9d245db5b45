"""Samples of kube-state-metrics and OpenCost, as the readers of nodes and objects take them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from bot.adapters.prometheus_api import Sample
from bot.adapters.prometheus_ksm_names import kubernetes_label

Families = Mapping[str, Sequence[Sample]]
"""Samples by metric name; labels that Prometheus had renamed to `exported_*` have their own name back."""


def highest(samples: Iterable[Sample], *labels: str) -> dict[tuple[str, ...], float]:
    """The highest value for each combination of `labels`: two scrapers of one thing count once."""
    found: dict[tuple[str, ...], float] = {}
    for sample in samples:
        key = tuple(sample.labels.get(label, "") for label in labels)
        found[key] = max(found.get(key, sample.value), sample.value)
    return found


def exact(value: float) -> Decimal:
    """A sample's value as the decimal that Prometheus printed, whole numbers without a fraction."""
    return Decimal(int(value)) if value.is_integer() else Decimal(repr(value))


def object_labels(sample: Sample) -> tuple[dict[str, str], list[str]]:
    """The Kubernetes labels in `label_*`, and those whose real name cannot be known."""
    labels, doubtful = {}, []
    for name, value in sample.labels.items():
        if name.startswith("label_"):
            label, certain = kubernetes_label(name.removeprefix("label_"))
            labels[label] = value
            if not certain:
                doubtful.append(label)
    return labels, doubtful
