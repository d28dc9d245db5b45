"""What is read to answer a question about cost: two windows of hours of every cluster, and their days."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from operator import attrgetter

from bot.cost_access import Sight
from bot.cost_answer import ChartDay, CostAnswer, CostRefusal, GpuHours, PriceSource
from bot.cost_commands import CostQuestion
from bot.cost_config import owners, shared_rule
from bot.cost_names import DIMENSIONS, Names, names_in, refused_name
from bot.cost_ports import ChargedHours
from bot.cost_windows import PROJECTED_FROM, Hours, Windows, midnight, month_of
from bot.server_config import ServerConfig
from estimators.allocation import WindowCost, WorkloadCost
from estimators.allocation_days import DayCost, NodesDay
from estimators.ownership import Labels
from estimators.prices import Provenance
from estimators.projection import FULL_DAY, DayAmount, project
from estimators.showback import GroupBy, GroupKind
from estimators.showback_answer import Answer, Question, Selection, answer
from estimators.showback_days import daily, daily_by_group, daily_of_nodes
from estimators.usage import WorkloadKey

_DAY = timedelta(days=1)
_ROWS_BY = {"gpu": GroupKind.GPU_MODEL, "idle": GroupKind.NODE, "top": GroupKind.WORKLOAD}
_OF_NODES: Mapping[str, Callable[[NodesDay], int]] = {
    "gpu": attrgetter("gpu"),
    "idle": attrgetter("idle"),
    "node": attrgetter("bill"),
}
"""Which amount of nodes a question is about."""
_NOT_PROJECTED = frozenset({"top", "idle"})


def listed(names: Sequence[str], last: str = "and") -> str:
    """Names in a sentence."""
    if not names:
        return "no namespace: you are in none of the groups that access in tuppence.yaml names"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}"


class CostReading:
    """One question about two windows, with what is read for it. Every method may raise StoreUnavailable.

    `windows` are the hours asked about of each cluster that was measured in either window.
    """

    def __init__(
        self,
        question: CostQuestion,
        costs: ChargedHours,
        config: ServerConfig,
        sight: Sight,
        windows: Windows,
    ) -> None:
        self._asked, self._costs, self._config, self._sight = question, costs, config, sight
        self._windows = windows
        self.owners, self._rule = owners(config), shared_rule(config)
        namespace = question.namespace or (question.name if question.kind == "namespace" else "")
        self._only = (namespace,) if namespace else ()
        self._read(self._only)

    def refusal(self) -> CostRefusal | None:
        """Why these hours have no answer."""
        currencies = {window.currency: window.cluster for window in self.windows}
        if len(currencies) > 1:
            told = listed([f"{cluster} in {currency}" for currency, cluster in currencies.items()])
            return CostRefusal(
                (f"Clusters count in several currencies: {told}. Their costs cannot be added up.",)
            )
        if not self._asked.name and not self._asked.label:
            return None
        if self._only:
            if any(self._asks_for(item.workload) for item in self._workloads()):
                return None
            self._read(())  # whatever else was meant may be anywhere
        return refused_name(self._asked, self._names, self._windows.before.start, self._said_by)

    def answer(self, since: datetime | None = None) -> CostAnswer:
        """The answer, once `refusal` has found nothing; its days are those from `since` on, if told."""
        question = self.question
        found = answer(question, self.windows, self._then)
        days, projected = self._days(since), self._asked.kind not in _NOT_PROJECTED
        until = self._windows.asked.end
        return CostAnswer(
            self._asked,
            found,
            self._windows,
            tuple(window.cluster for window in self.windows),
            self.windows[0].currency,
            days=tuple(day for day in days if day.day >= (since or self._windows.asked.start).date()),
            month=project(days, month_of(until).date()) if projected else None,
            budget=self._budget(),
            prices=_prices(self.windows, self._asked.name if self._asked.kind == "node" else ""),
            gpus=_gpu_hours(self.windows) if self._asked.kind == "gpu" else {},
            orphans=sum(window.orphans for window in self.windows),
            split=self._rule.split,
            shares_something=bool(found.shared),
            whole=self._sight.whole,
            said_by=self._said_by,
            chart=tuple(self._chart(question)) if self._asked.chart else (),
        )

    def owner_of(self, workload: WorkloadKey) -> str:
        """The team of a workload by the labels it had in these windows; `""` for nobody's."""
        return self.owners.of(workload, self._labels.get(workload, {})).team

    def _read(self, namespaces: Sequence[str]) -> None:
        both = [
            [self._costs.window(name, *hours, namespaces) for hours in self._windows]
            for name in self._costs.clusters()
        ]
        measured = [(now, then) for now, then in both if now.covered or then.covered]
        self.windows: Sequence[WindowCost] = [now for now, _ in measured]
        self._then = [then for _, then in measured]

    def _workloads(self) -> Iterator[WorkloadCost]:
        """Of both windows, the newer ones last."""
        return (item for window in (*self._then, *self.windows) for item in window.workloads)

    def _asks_for(self, workload: WorkloadKey) -> bool:
        """Whether a namespace or a workload is the one that is asked about."""
        name = workload.namespace if self._asked.kind == "namespace" else workload.name
        return workload.namespace in self._only and name == self._asked.name

    @cached_property
    def _labels(self) -> dict[WorkloadKey, Labels]:
        """Of every workload, the newest it had."""
        return {item.workload: item.labels for item in self._workloads()}

    @cached_property
    def _names(self) -> Names:
        both, whole = (*self.windows, *self._then), self._sight.whole
        return names_in(
            (item for item in self._workloads() if self._sight.covers(item.workload.namespace)),
            self.owners,
            label=self._asked.label,
            teams=[team.name for team in self._config.teams] if whole else (),
            nodes=[node.node for window in both for node in window.nodes] if whole else (),
        )

    @property
    def _said_by(self) -> tuple[str, ...]:
        """The labels that say what the question's rows are of, where labels do."""
        dimension = DIMENSIONS.get(self._asked.kind)
        return self.owners.labels_of(dimension) if dimension else ()

    @cached_property
    def question(self) -> Question:
        """The question as the estimators take it."""
        asked = self._asked
        rows = GroupBy(GroupKind(_ROWS_BY.get(asked.kind, asked.kind.replace("-", " "))), asked.label)
        only = None
        if asked.name:
            only = Selection(rows, self._names.spelled(asked))
            rows = rows if asked.kind == "node" else GroupBy(GroupKind.WORKLOAD)
        visible = None if self._sight.whole else self._sight.covers
        return Question(rows, only, self.owners, self._rule, visible)

    def _budget(self) -> Decimal | None:
        """A team's, or that of the team which is just this namespace."""
        asked = self._asked
        if asked.kind == "team":
            name = self._names.spelled(asked)
            return next((team.budget_monthly for team in self._config.teams if team.name == name), None)
        if asked.kind == "namespace" and asked.name:
            alone = (
                team.budget_monthly
                for team in self._config.teams
                if team.namespaces == (asked.name,) and not team.labels
            )
            return next(alone, None)
        return None

    def _days(self, since: datetime | None) -> tuple[DayAmount, ...]:
        """The days of the window, of the month, those that a projection needs, and all `since` then."""
        asked = self._windows.asked
        start = min(
            asked.start, month_of(asked.end), midnight(asked.end) - PROJECTED_FROM, since or asked.end
        )
        if amount := _OF_NODES.get(self._asked.kind):
            read = {
                window.cluster: self._costs.node_days(window.cluster, start, asked.end, self._asked.name)
                for window in self.windows
            }
            return daily_of_nodes(read, amount)
        if not self.question.of_all:
            return daily(self.question, self._read_days(start, self._namespaces(start)))
        whole = {
            window.cluster: self._costs.whole_days(window.cluster, start, asked.end)
            for window in self.windows
        }
        return daily(self.question, whole)

    def days_by_group(self, since: datetime) -> Mapping[str, tuple[DayAmount, ...]]:
        """The days from then on of every group that the question's rows are of."""
        return daily_by_group(self.question, self._read_days(since, ()))

    def _read_days(self, start: datetime, only: Sequence[str]) -> dict[str, Sequence[DayCost]]:
        end = self._windows.asked.end
        return {window.cluster: self._costs.days(window.cluster, start, end, only) for window in self.windows}

    def _namespaces(self, since: datetime) -> Sequence[str]:
        """Where what is asked about ran since then; none named means that it may be anywhere."""
        if self._only or since < self._windows.asked.start:
            return self._only
        question, group = self.question, self.question.selecting
        return sorted(
            {
                item.workload.namespace
                for window in self.windows
                for item in window.workloads
                if question.asks_for(
                    group(window.cluster, item.workload, item.labels), item.workload.namespace
                )
            }
        )

    def _chart(self, question: Question) -> Iterator[ChartDay]:
        """Whole days, so that they can be compared: the window's first one from its midnight."""
        asked, before = self._windows
        day = midnight(asked.start)
        shift = day - midnight(before.start)
        while day < asked.end:
            drawn = self._total(question, Hours(day, min(day + _DAY, asked.end)))
            then = self._total(question, Hours(day - shift, day - shift + _DAY))
            share = (min(day + _DAY, asked.end) - day) / _DAY
            yield ChartDay(
                day.date(),
                drawn.total.parts,
                drawn.covered * share,
                then.total.cost if then.covered >= FULL_DAY else None,
            )
            day += _DAY

    def _total(self, question: Question, hours: Hours) -> Answer:
        windows = [self._costs.window(window.cluster, *hours, self._only) for window in self.windows]
        return answer(question, windows, [])


def _prices(windows: Sequence[WindowCost], only: str) -> tuple[PriceSource, ...]:
    """Whose prices the nodes had, or the one that is named, those of the most money first."""
    found: Counter[tuple[str, bool]] = Counter()
    for window in windows:
        for node in window.nodes:
            if not only or node.node == only:
                found[node.source, node.provenance is Provenance.ASSUMED] += node.bill
    ordered = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return tuple(PriceSource(source, assumed, cost) for (source, assumed), cost in ordered if source)


def _gpu_hours(windows: Sequence[WindowCost]) -> dict[str, GpuHours]:
    """By model; a workload that held several has its hours split as its cost is."""
    found: defaultdict[str, GpuHours] = defaultdict(GpuHours)
    for window in windows:
        for item in window.workloads:
            for model, cost in item.gpu_models.items():
                share = cost / item.gpu if item.gpu else 0.0
                known = found[model]
                found[model] = GpuHours(
                    known.held + item.gpus * share,
                    known.busy + item.gpu_busy * share,
                    known.measured + item.gpu_measured * share,
                )
    return dict(found)
