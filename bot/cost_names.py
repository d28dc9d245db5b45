"""Names that people ask about: those there are, and those that were nearly meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from difflib import get_close_matches
from typing import NamedTuple

from bot.cost_answer import CostRefusal
from bot.cost_commands import SPOKEN, CostQuestion
from bot.cost_words import day
from estimators.allocation import WorkloadCost
from estimators.ownership import Dimension, Owners, label_as_exported, label_value

MOST_SUGGESTIONS = 3
_MOST_LABELS = 5
_ALIKE = 0.6
DIMENSIONS = {dimension.value.replace(" ", "-"): dimension for dimension in Dimension}
"""What labels say of an owner, as questions call it."""
_OWNERS = ("team", "namespace", "application", "environment", "business-unit")
"""What may have the same name: it is looked for in this order."""


class Names(NamedTuple):
    """What can be asked about by name: `of` by the kind of question, workloads as `namespace/name`.

    Of a label that is asked about the names are its values; `labels` are those that there are.
    """

    of: Mapping[str, frozenset[str]]
    labels: frozenset[str] = frozenset()

    def spelled(self, question: CostQuestion) -> str:
        """The name as it is written here: what people chose is asked for in any case of letters."""
        if question.kind not in {*SPOKEN, "label"}:
            return f"{question.namespace}/{question.name}" if question.namespace else question.name
        known, wanted = self.of[question.kind], question.name.casefold()
        alike = [question.name] if question.name in known else sorted(known)
        return next((name for name in alike if name.casefold() == wanted), question.name)


def names_in(
    workloads: Iterable[WorkloadCost],
    owners: Owners,
    *,
    label: str = "",
    teams: Iterable[str] = (),
    nodes: Iterable[str] = (),
) -> Names:
    """The names of workloads that may be seen, and of `teams` and `nodes`; `label` is what is asked about."""
    seen = tuple(workloads)
    found = {owners.of(item.workload, item.labels) for item in seen}
    of = {kind: {owner.of(dimension) for owner in found} for kind, dimension in DIMENSIONS.items()}
    of["team"] |= set(teams)
    of["namespace"] = {item.workload.namespace for item in seen}
    of["workload"] = {f"{item.workload.namespace}/{item.workload.name}" for item in seen}
    of["node"] = set(nodes)
    of["label"] = {label_value(item.labels, label) for item in seen} if label else set()
    labels = frozenset(name for item in seen for name in item.labels) if label else frozenset()
    return Names({kind: frozenset(names - {""}) for kind, names in of.items()}, labels)


def refused_name(
    question: CostQuestion, names: Names, since: datetime, said_by: Sequence[str] = ()
) -> CostRefusal | None:
    """Why a question has no answer: what it names was not there `since` the first hour that was looked at.

    None where it was, or where nothing is named. `said_by` are the labels that say such names.
    """
    if question.label and not names.of["label"]:
        return _no_label(question, names, since)
    known = names.of.get(question.kind, frozenset())
    wanted = names.spelled(question)
    if not question.name or wanted in known:
        return None
    told = [
        f"{_nothing_called(question, wanted)} since {day(since)}.",
        *_none_known(question, known, said_by),
    ]
    meant = (_about(question, name) for name in _near(wanted, known))
    suggestions = tuple(dict.fromkeys([*_elsewhere(question, names), *meant]))[:MOST_SUGGESTIONS]
    if known and not suggestions:
        told.append(_all_names(question))
    return CostRefusal(tuple(told), suggestions)


def _nothing_called(question: CostQuestion, wanted: str) -> str:
    if question.label:
        return f"No workload had {question.label}={wanted}"
    return f"No {_called(question)} called {wanted} was measured"


def _called(question: CostQuestion) -> str:
    return question.kind.replace("-", " ")


def _none_known(question: CostQuestion, known: frozenset[str], said_by: Sequence[str]) -> Iterator[str]:
    """How names come to be known."""
    if known or question.kind not in DIMENSIONS:
        return
    called = _called(question)
    if question.kind == "team":
        yield "No team is known: name teams in tuppence.yaml, or label workloads with team."
    else:
        way = f"label workloads with {said_by[0]}, or name another label in tuppence.yaml"
        yield f"No {called} is known: {way}."


def _all_names(question: CostQuestion) -> str:
    """Where to find a name that nothing there is like."""
    if question.kind == "workload":
        return "Ask for its namespace, which tells the workloads in it."
    if question.label:
        return "Without a value you are told of each value."
    return f"Without a name you are told of each {_called(question)}."


def _no_label(question: CostQuestion, names: Names, since: datetime) -> CostRefusal:
    """No workload has the label: which ones there are."""
    told = [f"No workload had a label called {question.label} since {day(since)}."]
    near = _near(label_as_exported(question.label), names.labels)
    if not names.labels:
        told.append("No label is known: kube-state-metrics exports those of its --metric-labels-allowlist.")
    elif not near:
        some = sorted(names.labels)
        more = f" and {len(some) - _MOST_LABELS} more" if len(some) > _MOST_LABELS else ""
        told.append(f"They had {', '.join(some[:_MOST_LABELS])}{more}.")
    return CostRefusal(tuple(told), tuple(replace(question, label=name, name="") for name in near))


def _elsewhere(question: CostQuestion, names: Names) -> list[CostQuestion]:
    """The same name as another kind of thing, or a workload's in another namespace."""
    if question.kind == "workload":
        found = (name for name in sorted(names.of["workload"]) if name.partition("/")[2] == question.name)
        return [_about(question, name) for name in found]
    if question.kind not in _OWNERS:
        return []
    others = (replace(question, kind=kind) for kind in _OWNERS if kind != question.kind)
    spelled = (
        replace(other, name=names.spelled(replace(other, name=other.name.lower())))
        if other.kind == "namespace"
        else replace(other, name=names.spelled(other))
        for other in others
    )
    return [other for other in spelled if other.name in names.of[other.kind]]


def _about(question: CostQuestion, name: str) -> CostQuestion:
    if question.kind != "workload":
        return replace(question, name=name)
    namespace, _, workload = name.partition("/")
    return replace(question, namespace=namespace, name=workload)


def _near(wanted: str, names: Iterable[str]) -> list[str]:
    """Names that are written alike, then those that begin or end with it, or are a word of it."""
    by_case = {name.casefold(): name for name in sorted(names)}
    sought = wanted.casefold()
    alike = get_close_matches(sought, by_case, n=MOST_SUGGESTIONS, cutoff=_ALIKE)
    words = sought.split()
    around = [name for name in by_case if (sought in name or name in words) and name not in alike]
    return [by_case[name] for name in [*alike, *around][:MOST_SUGGESTIONS]]
