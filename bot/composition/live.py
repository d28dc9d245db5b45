"""Where live numbers come from: a snapshot file, Prometheus, the Kubernetes API, or two of them.

Part of the composition root: it knows the real adapters. Their imports are inside the functions,
since most commands need none of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bot.composition.output import refuse_unwritable
from bot.errors import UserError
from bot.progress import progress_bar
from bot.settings import PrometheusSettings, Settings, from_env
from bot.words import count
from estimators.objects import Body
from estimators.usage import LiveFacts, UsageSnapshot, Window, WorkloadKey, WorkloadUsage, last_hours

if TYPE_CHECKING:
    from bot.adapters.prometheus_api import PrometheusApi
    from bot.ports import ClusterHistory

STEP_SECONDS = 300
"""Five minutes, as the simulation of autoscalers takes them."""
REQUEST_SECONDS = 30.0

Touched = Collection[tuple[str, str, str]]
"""Namespace, kind and name."""

_NAMED_BY = {
    "Deployment": "deployment",
    "StatefulSet": "statefulset",
    "DaemonSet": "daemonset",
    "CronJob": "cronjob",
}
"""Kinds whose namespace kube-state-metrics tells, with the label that has their name."""

_STANDING = frozenset({"PersistentVolumeClaim", "Service", "StatefulSet"})
"""Kinds of which a report says whether anybody used them, and how full they were."""


def history_for(
    *, prometheus: str | None, usage: Path | None, kube_context: str | None, hours: int, kills_days: int = 0
) -> ClusterHistory | None:
    """What the options and the environment name; None where they name nothing.

    `kills_days` is as PrometheusHistory has it. Raises UserError for options that exclude each other.
    """
    if usage is not None and prometheus is not None:
        raise UserError("--usage and --prometheus are two sources for the same numbers: name one of them")
    if usage is not None:
        return FileHistory.read(usage, hours)
    settings = from_env()
    url = settings.prometheus.url if prometheus is None else prometheus
    if url or prometheus is not None:
        return PrometheusHistory(settings, url, hours, kube_context, kills_days=kills_days)
    return ContextOnly(kube_context, settings.kubernetes_api_url) if kube_context else None


@dataclass(frozen=True, slots=True)
class FileHistory:
    """A snapshot that was exported before."""

    found: UsageSnapshot

    @classmethod
    def read(cls, file: Path, hours: int) -> FileHistory:
        """The end of the file's window. Raises UserError for a file that cannot be used."""
        from bot.adapters.usage_file import read_snapshot  # noqa: PLC0415

        found = read_snapshot(file)
        return cls(last_hours(replace(found, source=found.source or file.name), hours))

    def snapshot(self, _touched: Touched, _selector: Mapping[str, str], _cluster: str) -> UsageSnapshot:
        """The same for every environment: a file knows one cluster."""
        return self.found


@dataclass(frozen=True, slots=True)
class ContextOnly:
    """Live facts of the Kubernetes API without any history: nodes, autoscalers, budgets."""

    context: str
    server: str = ""

    def snapshot(self, touched: Touched, _selector: Mapping[str, str], _cluster: str) -> UsageSnapshot:
        """Facts of now and no workloads. Raises ClusterUnavailable, UserError for the context."""
        facts = _facts_of_context(self.context, self.server, sorted({item[0] for item in touched if item[0]}))
        note = "no history: a kube context tells what runs now, add --prometheus URL for what was used"
        return _joined(window_until_now(hours=1), {}, 0, facts, source="", partial=(note,))


@dataclass(frozen=True, slots=True)
class PrometheusHistory:
    """Prometheus, with sketches of past days kept in the cache folder.

    `name` is that of the cluster where the server's settings know several. `kills_days` is set where
    savings are looked for: OOM kills of as many days are told, even from before the window, and all that
    stands in the namespaces, whatever was touched.
    """

    settings: Settings
    url: str
    hours: int
    context: str | None = None
    name: str = ""
    kills_days: int = 0

    def snapshot(self, touched: Touched, selector: Mapping[str, str], _cluster: str) -> UsageSnapshot:
        """History and live facts of the namespaces touched. Raises OutsideError without an answer."""
        api = open_api(self.settings.prometheus, self.url, selector)
        try:
            named = {item[0] for item in touched if item[0]}
            standing = bool(self.kills_days) or any(kind in _STANDING for _, kind, _ in touched)
            return self.of_namespaces(api, sorted(named | _namespaces_of(api, touched)), standing=standing)
        finally:
            api.close()

    def whole(self, namespaces: Sequence[str]) -> UsageSnapshot:
        """The same for these namespaces, for the whole cluster where none is named."""
        api = open_api(self.settings.prometheus, self.url, {})
        try:
            return self.of_namespaces(api, list(namespaces) or None, standing=True)
        finally:
            api.close()

    def of_namespaces(
        self, api: PrometheusApi, namespaces: Sequence[str] | None, *, standing: bool
    ) -> UsageSnapshot:
        """One snapshot, history and facts; of claims and load balancers where `standing`."""
        from bot.adapters.prometheus_running import read_running  # noqa: PLC0415
        from bot.adapters.prometheus_standing import Standing, read_standing  # noqa: PLC0415
        from bot.adapters.prometheus_usage import read_usage  # noqa: PLC0415
        from bot.adapters.sketch_store import SketchStore  # noqa: PLC0415

        window = window_until_now(self.hours)
        store = SketchStore(self.settings.cache / f"usage-{self._place(api.url)}.sqlite")
        try:
            with progress_bar("Reading utilisation") as progress:
                history = read_usage(
                    api,
                    namespaces=namespaces,
                    window=window,
                    store=store,
                    progress=progress,
                    kills_since=window.end - timedelta(days=self.kills_days) if self.kills_days else None,
                )
            facts = self._facts(api, window, namespaces or ())
            stands = read_standing(api, window=window, namespaces=namespaces) if standing else Standing()
            running = read_running(api, at=window.end, namespaces=namespaces) if self.kills_days else {}
        finally:
            store.close()
        joined = _joined(
            window,
            history.workloads,
            history.scrape_interval_seconds,
            facts,
            source="Prometheus",
            partial=tuple(dict.fromkeys([*history.partial, *api.warnings])),
        )
        return replace(
            joined,
            claims=stands.claims,
            balancers=stands.balancers,
            running=running,
            partial=(*joined.partial, *stands.partial),
        )

    def _facts(self, api: PrometheusApi, window: Window, namespaces: Sequence[str]) -> LiveFacts:
        """The Kubernetes API tells more of what is there, but only of the namespaces asked about."""
        from bot.adapters.prometheus_live import read_controllers, read_live  # noqa: PLC0415

        if not self.context:
            return read_live(api, at=window.end, namespaces=namespaces)
        facts = _facts_of_context(self.context, self.settings.kubernetes_api_url, namespaces)
        there = {_deployment(body) for body in facts.objects}
        more = [body for body in read_controllers(api, at=window.end) if _deployment(body) not in there]
        return replace(facts, objects=(*facts.objects, *more))

    def _place(self, url: str) -> str:
        """A name for what is behind `url`: headers and users tell tenants of one server apart."""
        given = self.settings.prometheus
        headers = (f"{name}: {value}" for name, value in sorted(given.headers.items()))
        parts = (url, self.name, (given.basic_auth or ("",))[0], *headers)
        return hashlib.sha256("\n".join(filter(None, parts)).encode()).hexdigest()[:16]


def open_api(
    given: PrometheusSettings,
    url: str,
    selector: Mapping[str, str],
    timeout_seconds: float = REQUEST_SECONDS,
) -> PrometheusApi:
    """A client that asks `url` for what `selector` chooses; it is to be closed."""
    from bot.adapters.prometheus_api import PrometheusApi  # noqa: PLC0415

    return PrometheusApi(
        url,
        token=given.token or None,
        basic_auth=given.basic_auth,
        headers=given.headers,
        ca_file=given.ca_file,
        timeout_seconds=timeout_seconds,
        selector=selector,
    )


def _deployment(body: Body) -> tuple[object, object] | None:
    named = body["metadata"]
    return (named.get("namespace"), named["name"]) if body.get("kind") == "Deployment" else None


def window_until_now(hours: int) -> Window:
    """The last hours, to a whole step."""
    now = int(datetime.now(UTC).timestamp())
    end = datetime.fromtimestamp(now - now % STEP_SECONDS, UTC)
    return Window(end - timedelta(hours=hours), end, STEP_SECONDS)


def _namespaces_of(api: PrometheusApi, touched: Touched) -> set[str]:
    """Where workloads run whose manifests name no namespace: it is given when they are applied."""
    from bot.adapters.prometheus_api import is_kubernetes_name, matcher  # noqa: PLC0415

    found: set[str] = set()
    for kind, label in _NAMED_BY.items():
        names = [
            name for space, its, name in touched if not space and its == kind and is_kubernetes_name(name)
        ]
        if names:
            matchers = ",".join((matcher(label, *sorted(names)), *api.selector_matchers))
            query = f"group by (namespace) (kube_{label}_created{{{matchers}}})"
            found |= {item.labels.get("namespace", "") for item in api.instant(query, at=datetime.now(UTC))}
    return found - {""}


def _facts_of_context(context: str, server: str, namespaces: Sequence[str]) -> LiveFacts:
    from bot.adapters.kubernetes_api import open_context  # noqa: PLC0415
    from bot.adapters.kubernetes_live import read_live  # noqa: PLC0415

    return read_live(open_context(context, server=server), namespaces=namespaces)


def _joined(
    window: Window,
    workloads: Mapping[WorkloadKey, WorkloadUsage],
    scrape_interval_seconds: int,
    facts: LiveFacts,
    *,
    source: str,
    partial: Sequence[str],
) -> UsageSnapshot:
    return UsageSnapshot(
        window=window,
        scrape_interval_seconds=scrape_interval_seconds,
        workloads=workloads,
        nodes=facts.nodes,
        objects=facts.objects,
        requested=facts.requested,
        storage_gib_hour=facts.storage_gib_hour,
        prices_as_of=facts.prices_as_of,
        source=source,
        partial=(*partial, *facts.partial),
    )


def export(
    settings: Settings,
    output: Path,
    *,
    prometheus: str | None,
    namespaces: Sequence[str],
    kube_context: str | None,
    hours: int,
) -> str:
    """Write a snapshot; a line that says what is in it."""
    from bot.adapters.usage_writer import write_snapshot  # noqa: PLC0415

    url = prometheus or settings.prometheus.url
    if not url:
        raise UserError("no Prometheus is named: add --prometheus URL or set PROMETHEUS_URL")
    refuse_unwritable(output, "--output")
    history = PrometheusHistory(settings, url, hours, kube_context)
    snapshot = history.whole(namespaces)
    write_snapshot(snapshot, output)
    notes = "".join(f"\n  {note}" for note in snapshot.partial)
    found = f"{count(len(snapshot.workloads), 'workload')}, {count(len(snapshot.nodes), 'node')}"
    return f"Wrote {output}: {found}.{notes}"
