"""What the bot counts and times, for Prometheus to scrape."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

import bot

CONTENT_TYPE = CONTENT_TYPE_LATEST
_ACKNOWLEDGED = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0)
"""Seconds. GitHub gives up after 10; we aim below 0.05."""


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

    def delivery(self, outcome: str, what: str, seconds: float) -> None:
        """Count a delivery that was answered."""
        self._deliveries.labels(outcome, what).inc()
        self._seconds.observe(seconds)

    def render(self) -> bytes:
        """All of them in Prometheus's text format, of `CONTENT_TYPE`."""
        return generate_latest(self.registry) + self._others()


class WorkMetrics:
    """The metrics of the process that works."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(namespace="tuppence_worker", registry=self.registry)

    def render(self) -> bytes:
        """All of them in Prometheus's text format."""
        return generate_latest(self.registry)
