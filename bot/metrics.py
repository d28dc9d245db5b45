"""What the bot counts and times, for Prometheus to scrape."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import ParamSpec, TypeVar

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

import bot
from bot.errors import OutsideError
from bot.records import Undone

CONTENT_TYPE = CONTENT_TYPE_LATEST
_ACKNOWLEDGED = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0)
"""Seconds. GitHub gives up after 10; we aim below 0.05."""
_SLACK_ACKNOWLEDGED = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0)
"""Seconds. Slack gives up after 3, and tells whoever asked so; we aim below 1."""
_WORKED = (0.05, 0.25, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0)
"""Seconds. An analysis is ended after 900; a write may wait an hour for GitHub's limit."""
_REFUSED, _FAILED = 400, 500
_LONG = 10
"""Digits that no number of requests has."""
P = ParamSpec("P")
R = TypeVar("R")
log = logging.getLogger(__name__)


class Metrics:
    """The metrics of the process that listens, and `others` in text format after them.

    Labels have few values, and none is a stranger's text.
    """

    def __init__(self, others: Callable[[], bytes] = bytes) -> None:
        self._others = others
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        Gauge("tuppence_build_info", "The version that runs.", ["version"], registry=self.registry).labels(
            bot.__version__
        ).set(1)
        self._deliveries = Counter(
            "tuppence_deliveries",
            "Webhook deliveries: what was stored, ignored, unstored (by event) or refused (by status).",
            ["outcome", "what"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "tuppence_delivery_seconds",
            "From a delivery's first byte to our answer.",
            buckets=_ACKNOWLEDGED,
            registry=self.registry,
        )
        self._slack_requests = Counter(
            "tuppence_slack_requests",
            "Slack's requests, over HTTP or its socket, by outcome: taken, refused or unstored.",
            ["outcome"],
            registry=self.registry,
        )
        self._slack_seconds = Histogram(
            "tuppence_slack_acknowledgement_seconds",
            "From the arrival of a request of Slack's to our answer.",
            buckets=_SLACK_ACKNOWLEDGED,
            registry=self.registry,
        )

    def delivery(self, outcome: str, what: str, seconds: float) -> None:
        """Count a delivery that was answered."""
        self._deliveries.labels(outcome, what).inc()
        self._seconds.observe(seconds)

    def slack_request(self, status: int, seconds: float) -> None:
        """Count a request of Slack's that was answered with an HTTP status, or as if with one."""
        outcome = "taken" if status < _REFUSED else "refused" if status < _FAILED else "unstored"
        self._slack_requests.labels(outcome).inc()
        self._slack_seconds.observe(seconds)

    def render(self) -> bytes:
        """All of them in Prometheus's text format, of `CONTENT_TYPE`."""
        return generate_latest(self.registry) + self._others()


class WorkMetrics:
    """The metrics of the process that works."""

    def __init__(
        self, undone: Callable[[], Iterable[Undone]], clock: Callable[[], float] = time.time
    ) -> None:
        """`undone` is asked at every scrape, and may raise OutsideError."""
        self.registry = CollectorRegistry()
        ProcessCollector(namespace="tuppence_worker", registry=self.registry)
        self.registry.register(_UndoneWork(undone, clock))
        self._steps = Counter(
            "tuppence_steps",
            "Steps of the work, by what they do: how many were done, and how many failed.",
            ["step", "outcome"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "tuppence_step_seconds",
            "How long a step took, waiting for its turn at the processor or at GitHub included.",
            ["step"],
            buckets=_WORKED,
            registry=self.registry,
        )
        self._taken_over = Counter(
            "tuppence_work_taken_over",
            "Pieces of work that an executor had begun which is gone, or that another version left.",
            registry=self.registry,
        )
        self._requests = Counter(
            "tuppence_github_requests",
            "Requests to GitHub by the class of the answer: 2xx to 5xx, or none.",
            ["status"],
            registry=self.registry,
        )
        self._remaining = Gauge(
            "tuppence_github_rate_limit_remaining",
            "Requests that an installation has left in this hour, as GitHub said last.",
            ["installation"],
            registry=self.registry,
        )

    def watched(self, step: str, call: Callable[P, R]) -> Callable[P, R]:
        """`call`, counted and timed as `step`."""

        def run(*arguments: P.args, **named: P.kwargs) -> R:
            began, outcome = time.monotonic(), "failed"
            try:
                result = call(*arguments, **named)
                outcome = "done"
                return result
            finally:
                self._steps.labels(step, outcome).inc()
                self._seconds.labels(step).observe(time.monotonic() - began)

        return run

    def took_over(self, count: int) -> None:
        """Count work that was taken over."""
        self._taken_over.inc(count)

    def github_answered(self, installation: int, status: int, headers: Mapping[str, str]) -> None:
        """Count an answer of GitHub's; its status is 0 where there was none."""
        self._requests.labels(f"{status // 100}xx" if status else "none").inc()
        remaining = str(headers.get("x-ratelimit-remaining", ""))
        if remaining.isascii() and remaining.isdigit() and len(remaining) < _LONG:
            self._remaining.labels(str(installation)).set(int(remaining))

    def render(self) -> bytes:
        """All of them in Prometheus's text format."""
        return generate_latest(self.registry)


class _UndoneWork(Collector):
    """What waits, counted when it is asked for; nothing where the database does not answer."""

    def __init__(self, undone: Callable[[], Iterable[Undone]], clock: Callable[[], float]) -> None:
        self._undone, self._clock = undone, clock

    def collect(self) -> Iterator[Metric]:
        """Both gauges."""
        try:
            found = list(self._undone())
        except OutsideError as error:
            log.warning("The work that waits could not be counted: %s", error)
            return
        work = GaugeMetricFamily(
            "tuppence_work", "Pieces of work that are waiting or begun.", labels=["queue", "state"]
        )
        for each in found:
            work.add_metric([each.queue, each.state], each.count)
        yield work
        now = self._clock()
        since = min((each.since.timestamp() for each in found), default=now)
        yield GaugeMetricFamily(
            "tuppence_oldest_work_seconds",
            "The age of the oldest piece of work that is not done; 0 where all is.",
            max(0.0, now - since),
        )
