"""Names that people ask about: those there are, and those that were nearly meant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from difflib import get_close_matches
from typing import NamedTuple

from bot.cost_answer import CostRefusal
from bot.cost_commands import CostQuestion
from bot.cost_words import day

MOST_SUGGESTIONS = 3
_ALL_NAMES = {
    "namespace": "Without a name you are told of each namespace.",
    "team": "Without a name you are told of each team.",
    "workload": "Ask for its namespace, which tells the workloads in it.",
}
"""Where to find a name that nothing there is like."""


class Names(NamedTuple):
    """What can be asked about by name; workloads as `namespace/name`."""

    namespaces: frozenset[str]
    teams: frozenset[str]
    workloads: frozenset[str]

    def spelled(self, question: CostQuestion) -> str:
        """The name as it is written here: teams are asked for in any case of letters."""
        if question.kind == "team":
            wanted = question.name.casefold()
            return next((team for team in sorted(self.teams) if team.casefold() == wanted), question.name)
        return f"{question.namespace}/{question.name}" if question.namespace else question.name


def refused_name(question: CostQuestion, names: Names, since: datetime) -> CostRefusal | None:
    """Why a question has no answer: what it names was not there `since` the first hour that was looked at.

    None where it was, or where nothing is named.
    """
    if not question.name:
        return None
    known = {"namespace": names.namespaces, "team": names.teams, "workload": names.workloads}[question.kind]
    wanted = names.spelled(question)
    if wanted in known:
        return None
    told = [f"No {question.kind} {wanted} was measured since {day(since)}."]
    if question.kind == "team" and not known:
        told.append("No team is known: name teams in tuppence.yaml, or label workloads with team.")
    meant = (_about(question, name) for name in _near(wanted, known))
    suggestions = tuple(dict.fromkeys([*_elsewhere(question, names), *meant]))[:MOST_SUGGESTIONS]
    if known and not suggestions:
        told.append(_ALL_NAMES[question.kind])
    return CostRefusal(tuple(told), suggestions)


def _elsewhere(question: CostQuestion, names: Names) -> list[CostQuestion]:
    """The same name as another kind of thing, or a workload's in another namespace."""
    if question.kind == "namespace" and question.name in {team.casefold() for team in names.teams}:
        return [replace(question, kind="team")]
    if question.kind == "team" and question.name.lower() in names.namespaces:
        return [replace(question, kind="namespace", name=question.name.lower())]
    if question.kind == "workload":
        found = (name for name in sorted(names.workloads) if name.partition("/")[2] == question.name)
        return [_about(question, name) for name in found]
    return []


def _about(question: CostQuestion, name: str) -> CostQuestion:
    if question.kind != "workload":
        return replace(question, name=name)
    namespace, _, workload = name.partition("/")
    return replace(question, namespace=namespace, name=workload)


def _near(wanted: str, names: Iterable[str]) -> list[str]:
    """Names that are written alike, then those that begin or end with it."""
    by_case = {name.casefold(): name for name in sorted(names)}
    alike = get_close_matches(wanted.casefold(), by_case, n=MOST_SUGGESTIONS, cutoff=0.6)
    around = [name for name in by_case if wanted.casefold() in name and name not in alike]
    return [by_case[name] for name in [*alike, *around][:MOST_SUGGESTIONS]]
