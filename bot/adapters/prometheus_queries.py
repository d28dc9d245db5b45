"""Pieces of PromQL that several queries are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from bot.adapters.prometheus_api import PrometheusApi, matcher

TAG = "tuppence_metric"
"""A label of our own that tells the parts of an `or` apart."""
RENAMED = "exported_"
"""What Prometheus puts before a target's label that clashes with one of its own (`honor_labels: false`)."""
PREFIXES = ("", RENAMED)


DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """Consecutive UTC days in steps; the last one may end early, at `end`.

    Prometheus looks back: what happened within a step is what it says at the step's end.
    """

    days: tuple[date, ...]
    end: datetime
    step_seconds: int

    @property
    def start(self) -> datetime:
        """Midnight before the first day."""
        return midnight(self.days[0])

    @property
    def steps_a_day(self) -> int:
        """Steps in a whole day."""
        return 86_400 // self.step_seconds

    @property
    def steps(self) -> int:
        """Whole steps from `start` to `end`."""
        return int((self.end - self.start).total_seconds()) // self.step_seconds

    def at(self, step: int) -> datetime:
        """When the step begins, which is when the one before it ends."""
        return self.start + timedelta(seconds=step * self.step_seconds)

    def holds(self, unix_seconds: float) -> bool:
        """Whether that moment is within the span."""
        return self.start.timestamp() <= unix_seconds < self.end.timestamp()


def midnight(day: date) -> datetime:
    """The beginning of a UTC day."""
    return datetime.combine(day, time(), UTC)


@dataclass(frozen=True, slots=True)
class Scope:
    """The series that are asked for: of one cluster, in some namespaces, or in all where none is named."""

    selector: tuple[str, ...]
    namespaces: tuple[str, ...]

    @classmethod
    def of(cls, api: PrometheusApi, namespaces: Iterable[str] = ()) -> Scope:
        """The scope of `api`'s cluster."""
        return cls(api.selector_matchers, tuple(sorted(namespaces)))

    def series(self, metric: str, prefix: str, *matchers: str) -> str:
        """A selector of `metric` in these namespaces, whose labels begin with `prefix`.

        No series fits both prefixes: where `exported_namespace` is there, the plain label is the exporter's.
        """
        label = f"{prefix}namespace"
        within = matcher(label, *self.namespaces) if self.namespaces else f'{label}!=""'
        plain = () if prefix else (f'{RENAMED}namespace=""',)
        return f"{metric}{{{','.join((*self.selector, within, *plain, *matchers))}}}"

    def containers(self, metric: str, prefix: str) -> str:
        """A selector of cAdvisor's `metric`, without the sums of pods and the pause containers."""
        label = f"{prefix}container"
        return self.series(metric, prefix, f'{label}!=""', f'{label}!="POD"')

    def cluster(self, metric: str, *matchers: str) -> str:
        """A selector of `metric` in the whole cluster."""
        return f"{metric}{{{','.join((*self.selector, *matchers))}}}"


def tagged(tag: str, vector: str) -> str:
    """The vector with a label that says which part of an `or` it was."""
    return f'label_replace({vector}, "{TAG}", "{tag}", "", "")'


def any_of(vectors: Sequence[str]) -> str:
    """All of the vectors in one."""
    return " or ".join(vectors)


def own_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels under their own names, where Prometheus had renamed them."""
    own = {name: value for name, value in labels.items() if not name.startswith(RENAMED)}
    own |= {name.removeprefix(RENAMED): value for name, value in labels.items() if name.startswith(RENAMED)}
    return own
