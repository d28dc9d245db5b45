"""What each command in a comment does. Each call is a step of a durable workflow, and may run again."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from bot.approvals import decision_in_force, stored_consent
from bot.comment_commands import COMMANDS, Asked, read_command
from bot.explanation import explain
from bot.github_events import CommandWritten, PullRequestRef
from bot.inert import code, md
from bot.ports import Comments, Decisions, People, PullRequests, Reports
from bot.pull_requests import PullRequestFacts
from bot.records import Decision, PricedReport
from bot.rendering import render

_SHORTEST = 7
"""Digits of a commit: what Git itself shows."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What to say, and whether the report is to be made again. `text` is Markdown; `""` says nothing.

    Under one `key` a pull request is answered once.
    """

    text: str
    key: str
    report: bool = False


def obey(
    written: CommandWritten,
    *,
    pulls: PullRequests,
    people: People,
    reports: Reports,
    decisions: Decisions,
    now: Callable[[], datetime],
) -> Answer:
    """Carry out the first command of a comment. Raises OutsideError where GitHub or our store fails."""
    key = f"comment/{written.comment_id}"
    asked = read_command(written.text)
    if asked is None or written.author.endswith("[bot]"):
        return Answer("", key)
    if asked.problem or asked.name == "help":
        return Answer(_help(asked), key)
    facts = pulls.facts(written.ref)
    if not facts.open:
        return Answer("This pull request is closed: nothing is done any more.", key)
    if asked.name == "recheck":
        return Answer(f"Pricing {code(facts.head_sha[:7])} again.", key, report=True)
    report = reports.newest(written.ref.repository.id, written.ref.number)
    if report is None or report.head_sha != facts.head_sha:
        text, done = _not_yet(facts), False
    elif asked.name == "explain":
        text, done = explain(json.loads(report.report), asked.argument, facts.head_sha), False
    else:
        deciding = _Deciding(written, facts, report, people, reports, decisions, now())
        text, done = deciding.decide("approve" if asked.name == "approve" else "reject", asked.argument)
    return Answer(text, key, report=done)


def explain_report(ref: PullRequestRef, head_sha: str, *, reports: Reports) -> Answer:
    """The answer to the button *Explain*: the first workloads of the newest report, once a report."""
    report = reports.newest(ref.repository.id, ref.number)
    if report is None or report.head_sha != head_sha:
        return Answer("", "")
    text = explain(json.loads(report.report), head=head_sha)
    return Answer(text, f"explain/{report.head_sha}/{report.report_hash}")


def say_answer(ref: PullRequestRef, answer: Answer, *, comments: Comments) -> None:
    """Answer once."""
    if answer.text:
        comments.reply(ref, answer.text, answer.key)


@dataclass(frozen=True, slots=True)
class _Deciding:
    """An approval or a rejection, and everything that it is held against."""

    written: CommandWritten
    facts: PullRequestFacts
    report: PricedReport
    people: People
    reports: Reports
    decisions: Decisions
    at: datetime

    def decide(self, what: Literal["approve", "reject"], argument: str) -> tuple[str, bool]:
        """What to answer, and whether it was decided by this very comment."""
        crossed: list[Any] = json.loads(self.report.report)["guardrails"]
        refused = self._refusal(what, argument, crossed)
        if refused:
            return refused, False
        held = self.decisions.decide(self._decision(what, "" if what == "approve" else argument))
        if held.comment_id != self.written.comment_id:
            return self._decided(held), False
        who, head = code(held.approver), code(held.head_sha[:7])
        if what == "approve":
            return f"{who} approved {head}. A push that costs more, or brings a new risk, asks again.", True
        return f"{who} rejected {head}: {md(held.reason)}", True

    def _refusal(self, what: str, argument: str, crossed: Sequence[Any]) -> str:
        """Why it is not to be decided; `""` where it is."""
        head = self.facts.head_sha
        if what == "approve" and not (
            len(argument) >= _SHORTEST and head.startswith(argument.lower().strip("`"))
        ):
            return (
                f"{code(argument)} is not the newest commit, which is {code(head[:7])}: nothing was approved."
            )
        if not crossed:
            return "No guardrail is crossed: there is nothing to decide."
        if self.at >= self.report.expires:
            return "This report is too old to decide about. Ask for a new one with `/tuppence recheck`."
        if self.written.author_id == self.facts.author_id:
            return f"Whoever wrote the change cannot decide about it. {_who_may(crossed)}"
        if not all(self._may(item["approvers"]) for item in crossed):
            return f"Thank you, but this needs somebody else. {_who_may(crossed)}"
        held = decision_in_force(
            self.facts,
            stored_consent(self.report),
            reports=self.reports,
            decisions=self.decisions,
            at=self.at,
        )
        mine = held is not None and held.comment_id == self.written.comment_id
        return self._decided(held) if held is not None and not mine and held.decision == what else ""

    def _may(self, approvers: Sequence[str]) -> bool:
        return any(self._is(approver) for approver in approvers)

    def _is(self, approver: str) -> bool:
        """Whether the writer is this person, or in this team. What cannot be read counts as no."""
        login = self.written.author
        organization, slash, team = approver.partition("/")
        if slash:
            return self.people.in_team(self.written.ref, organization, team, login)
        return approver.casefold() == login.casefold()

    def _decided(self, held: Decision) -> str:
        done = "approved" if held.decision == "approve" else "rejected"
        return f"{code(held.approver)} has {done} this already."

    def _decision(self, what: Literal["approve", "reject"], reason: str) -> Decision:
        repository = self.facts.ref.repository
        return Decision(
            repository=repository.id,
            number=self.facts.ref.number,
            head_sha=self.facts.head_sha,
            report_hash=self.report.report_hash,
            decision=what,
            approver_id=self.written.author_id,
            approver=self.written.author,
            reason=reason,
            comment_id=self.written.comment_id,
            pull_request=f"{repository.full_name}#{self.facts.ref.number}",
            at=self.at,
        )


def _help(asked: Asked) -> str:
    return render("github/help.md.j2", problem=asked.problem, commands=COMMANDS)


def _not_yet(facts: PullRequestFacts) -> str:
    return f"The report on {code(facts.head_sha[:7])} is not ready. Ask again when the check is done."


def _who_may(crossed: Sequence[Any]) -> str:
    """In code, so that nobody is called by a refusal."""
    named = [" or ".join(code(name) for name in item["approvers"][:10]) for item in crossed[:10]]
    if not all(named):
        return "The policy names nobody who may approve: add `approvers` to the guardrail."
    return f"Who may: {', and '.join(dict.fromkeys(named))}."
