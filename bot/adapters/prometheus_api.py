"""Prometheus, Thanos, Mimir, VictoriaMetrics: the one wrapper over prometheus-api-client.

Everything that asks Prometheus goes through `PrometheusApi`, so that every answer has a timeout, a
size limit and its warnings, and every query is counted.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bot.adapters.prometheus_address import checked_headers, read_address
from bot.adapters.prometheus_answers import (
    MALFORMED,
    NOT_AN_ANSWER,
    on_grid,
    samples_of,
    side_by_side,
    usable,
    without_cycle_collector,
)
from bot.errors import PrometheusUnavailable, UserError
from estimators.usage import Series

if TYPE_CHECKING:
    from prometheus_api_client import PrometheusConnect

MAX_POINTS = 11_000
"""Points per series that a Prometheus server allows in one `query_range`."""
MAX_SERIES = 100_000
MAX_BYTES = 50_000_000
SMALLEST_SPLIT = 4  # steps

_LABEL = re.compile(r"[a-zA-Z_]\w*\Z", re.ASCII)
_DNS_1123 = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\Z")


class Sample(NamedTuple):
    """One series of an instant query."""

    labels: Mapping[str, str]
    value: float


class RangeSeries(NamedTuple):
    """One series of a range query: a value per step of the grid that was asked, NaN for none."""

    labels: Mapping[str, str]
    values: Series


@dataclass(slots=True)
class Counters:
    """What was asked of the server so far. Sample counts are the server's own, where it tells them."""

    requests: int = 0
    samples_returned: int = 0
    samples_dropped: int = 0
    """Values that were NaN, infinite or negative."""
    samples_processed: int = 0
    peak_samples: int = 0
    """The most samples that one query held in the server's memory."""


def quoted(value: str) -> str:
    """`value` as a PromQL string: JSON's rules, which PromQL shares."""
    return json.dumps(value, ensure_ascii=False)


def is_kubernetes_name(value: str) -> bool:
    """Whether `value` is a DNS-1123 name, as names of namespaces and workloads are."""
    return _DNS_1123.match(value) is not None


def matcher(label: str, *values: str) -> str:
    """A PromQL matcher of a label that holds a Kubernetes name; several values are alternatives.

    Raises `UserError` for a value that is no DNS-1123 name: it comes from strangers' manifests.
    """
    for value in values:
        if not is_kubernetes_name(value):
            raise UserError(f"{value[:80]!r} is not a Kubernetes name, so Prometheus is not asked about it")
    if not values or not _LABEL.match(label):
        raise UserError(f"no matcher can be made of label {label[:80]!r} and {len(values)} values")
    if len(values) == 1:
        return f"{label}={quoted(values[0])}"
    return f"{label}=~{quoted('|'.join(re.escape(value) for value in sorted(values)))}"


class PrometheusApi:
    """A Prometheus-compatible server. Safe to use from several threads.

    `url` may have a path prefix and `user:password@`. `selector` holds the labels that tell one
    cluster from others on the same server; whoever writes queries puts `selector_matchers` in each.
    `warnings` collects, for people, what the server or a limit of ours left out. Answers are not
    compressed: that doubles the server's work; `headers` may ask for it on a slow line.

    Raises `UserError` for settings that cannot work; every call raises `PrometheusUnavailable`
    with one line when there is no answer. That line never holds a password or a token.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        basic_auth: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        ca_file: Path | None = None,
        verify: bool = True,
        timeout_seconds: float = 30,
        selector: Mapping[str, str] | None = None,
        max_bytes: int = MAX_BYTES,
        max_series: int = MAX_SERIES,
    ) -> None:
        self.url, in_url = read_address(url)
        self.selector = dict(selector or {})
        self.counters = Counters()
        self.warnings: list[str] = []
        self._token = token
        self._basic_auth = basic_auth or in_url
        self._headers = {"Accept-Encoding": "identity", **checked_headers(headers or {})}
        if ca_file is not None and not ca_file.is_file():
            raise UserError(f"{ca_file}: there is no such CA file for Prometheus {self.url}")
        self._verify: bool | str = str(ca_file) if ca_file is not None and verify else verify
        self._timeout = timeout_seconds
        self._max_bytes = max_bytes
        self._max_series = max_series
        self._lock = threading.Lock()
        self._client: PrometheusConnect | None = None
        if wrong := [label for label in self.selector if not _LABEL.match(label)]:
            raise UserError(f"{wrong[0][:80]!r} is not a Prometheus label name")

    @property
    def selector_matchers(self) -> tuple[str, ...]:
        """The matchers of `selector`, ready for a query."""
        return tuple(f"{label}={quoted(value)}" for label, value in sorted(self.selector.items()))

    def instant(self, query: str, *, at: datetime) -> list[Sample]:
        """The vector that `query` has at one time."""
        params = {"time": at.timestamp(), **self._server_side()}
        rows = self._ask(lambda client: client.custom_query(query, params))
        try:
            answer = [
                Sample(row["metric"], value)
                for row in self._capped(rows, query)
                if usable(value := float(row["value"][1]))
            ]
        except MALFORMED as error:
            raise PrometheusUnavailable(f"{self.url}: {NOT_AN_ANSWER}") from error
        self._count(returned=len(rows), dropped=len(rows) - len(answer))
        return answer

    def range(
        self,
        query: str,
        *,
        start: datetime,
        end: datetime,
        step_seconds: int,
        most_points: int = MAX_POINTS,
    ) -> list[RangeSeries]:
        """The series of `query` at `start`, `start + step`, ... up to and including `end`.

        A range of more than `most_points` steps, or whose answer is too large, is asked in parts;
        series that miss in a part have NaN there.
        """
        points = int((end - start).total_seconds()) // step_seconds + 1
        if points > max(1, min(most_points, MAX_POINTS)):
            return self._in_halves(query, start, points, step_seconds, most_points)
        from bot.adapters.prometheus_transport import AnswerTooLarge  # noqa: PLC0415 - imports requests

        end = start + timedelta(seconds=(points - 1) * step_seconds)
        params = self._server_side()
        try:
            with without_cycle_collector():
                rows = self._ask(
                    lambda client: client.custom_query_range(query, start, end, str(step_seconds), params)
                )
                return self._on_grid(self._capped(rows, query), start.timestamp(), step_seconds, points)
        except AnswerTooLarge:
            if points < 2 * SMALLEST_SPLIT:
                raise
            return self._in_halves(query, start, points, step_seconds, most_points)

    def close(self) -> None:
        """Give the connections back."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _ask(self, call: Callable[[PrometheusConnect], Any]) -> list[Any]:
        with self._lock:
            self.counters.requests += 1
            client = self._client = self._client or self._connect()
        try:
            answer = call(client)
        except MALFORMED as error:
            raise PrometheusUnavailable(f"{self.url}: {NOT_AN_ANSWER}") from error
        if not isinstance(answer, list):
            raise PrometheusUnavailable(f"{self.url}: {NOT_AN_ANSWER}")
        return answer

    def _connect(self) -> PrometheusConnect:
        from prometheus_api_client import PrometheusConnect  # noqa: PLC0415 - slow, and not every command asks

        from bot.adapters.prometheus_transport import Transport  # noqa: PLC0415 - imports requests

        transport = Transport(
            place=self.url,
            verify=self._verify,
            timeout_seconds=self._timeout,
            max_bytes=self._max_bytes,
            heard=self._heard,
        )
        return PrometheusConnect(
            url=self.url, headers=self._headers, session=transport, auth=self._authorise, method="POST"
        )

    def _authorise(self, request: Any) -> Any:  # noqa: ANN401 - a requests.PreparedRequest, imported lazily
        """Always given to requests as `auth`: without one it would look for a .netrc."""
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token}"
        elif self._basic_auth is not None:
            from requests.auth import HTTPBasicAuth  # noqa: PLC0415 - imports requests

            user, password = self._basic_auth
            return HTTPBasicAuth(user.encode(), password.encode())(request)
        return request

    def _server_side(self) -> dict[str, str]:
        """A query we gave up waiting for must not go on burning the server."""
        return {"timeout": f"{max(1, round(self._timeout))}s", "stats": "all"}

    def _heard(self, body: Mapping[str, Any]) -> None:
        processed, peak = samples_of(body)
        with self._lock:
            self.counters.samples_processed += processed
            self.counters.peak_samples = max(self.counters.peak_samples, peak)
        for warning in body.get("warnings") or ():
            self._warn(f"Prometheus warns: {' '.join(str(warning).split())[:200]}")

    def _warn(self, line: str) -> None:
        with self._lock:
            if line not in self.warnings:
                self.warnings.append(line)

    def _count(self, *, returned: int, dropped: int) -> None:
        with self._lock:
            self.counters.samples_returned += returned
            self.counters.samples_dropped += dropped

    def _capped(self, rows: list[Any], query: str) -> list[Mapping[str, Any]]:
        if len(rows) > self._max_series:
            kept = f"{self._max_series:,} of {len(rows):,} series"
            self._warn(f"Prometheus: only {kept} were read of {query[:100]}")
        return rows[: self._max_series]

    def _on_grid(
        self, rows: Sequence[Mapping[str, Any]], first: float, step: int, points: int
    ) -> list[RangeSeries]:
        answer: list[RangeSeries] = []
        returned = dropped = 0
        try:
            for row in rows:
                pairs = row.get("values", ())
                values, unusable = on_grid(pairs, first=first, step=step, points=points)
                returned += len(pairs)
                dropped += unusable
                answer.append(RangeSeries(row["metric"], values))
        except MALFORMED as error:
            raise PrometheusUnavailable(f"{self.url}: {NOT_AN_ANSWER}") from error
        self._count(returned=returned, dropped=dropped)
        return answer

    def _in_halves(
        self, query: str, start: datetime, points: int, step_seconds: int, most_points: int
    ) -> list[RangeSeries]:
        step = timedelta(seconds=step_seconds)
        first = points // 2
        parts = [
            (
                begin,
                self.range(
                    query,
                    start=start + begin * step,
                    end=start + (end - 1) * step,
                    step_seconds=step_seconds,
                    most_points=most_points,
                ),
            )
            for begin, end in ((0, first), (first, points))
        ]
        return [RangeSeries(labels, values) for labels, values in side_by_side(parts, points)]
