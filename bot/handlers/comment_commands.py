"""What each command in a comment does. Each call is a step of a durable workflow, and may run again."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from bot.approvals import standing, stored_consent
from bot.comment_commands import COMMANDS, Asked, read_command
from bot.explanation import explain
from bot.github_events import CommandWritten, PullRequestRef
from bot.inert import code, md
from bot.ports import Comments, Decisions, People, PullRequests, Reports
from bot.pull_requests import PullRequestFacts
from bot.records import Decision, PricedReport, Standing
from bot.rendering import render

_SHORTEST = 7
"""Digits of a commit: what Git itself shows."""
_NOT_YOURS = (
    "Thank you, but a recheck is for whoever opened the pull request, and for people with the triage or "
    "write role here. Every push is priced by itself."
)


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
        if written.author_id != facts.author_id and not people.may_triage(written.ref, written.author):
            return Answer(_NOT_YOURS, key)
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
        mine = [item for item in crossed if self._may(item["approvers"])]
        if not mine:
            return f"Thank you, but this needs somebody else. {_who_may(crossed)}", False
        before = self._standing(crossed)
        if before.rejection is not None:
            return self._rejected(before.rejection)
        undecided = [item for item in mine if item["key"] not in before.approvals]
        if what == "reject":
            held = [self.decisions.decide(self._decision(what, argument, item)) for item in undecided[:1]]
            return self._rejected(held[0]) if held else (_already(before.approvals[mine[0]["key"]]), False)
        held = [self.decisions.decide(self._decision(what, "", item)) for item in undecided]
        now = {**before.approvals, **{each.guardrail: each for each in held}}
        if not any(map(self._is_mine, now.values())):
            return _already(now[mine[0]["key"]]), False
        return self._approved([item for item in crossed if item["key"] not in now])

    def _approved(self, missing: Sequence[Any]) -> tuple[str, bool]:
        more = "A push that costs more, or brings a new risk, asks again."
        if missing:
            more = f"Still to be approved: {'; '.join(map(_part, missing[:10]))}."
        return f"{code(self.written.author)} approved {code(self.facts.head_sha[:7])}. {more}", True

    def _rejected(self, held: Decision) -> tuple[str, bool]:
        """The answer where that decision stands, be it a rejection or an approval that was quicker."""
        if not self._is_mine(held):
            return _already(held), False
        return f"{code(held.approver)} rejected {code(held.head_sha[:7])}: {md(held.reason)}", True

    def _standing(self, crossed: Sequence[Any]) -> Standing:
        return standing(
            self.facts,
            stored_consent(self.report),
            [item["key"] for item in crossed],
            reports=self.reports,
            decisions=self.decisions,
            at=self.at,
        )

    def _refusal(self, what: str, argument: str, crossed: Sequence[Any]) -> str:
        """Why nobody at all, or never this one, is to decide; `""` otherwise."""
        head, named = self.facts.head_sha, argument.lower().strip("`")
        if what == "approve" and not (len(named) >= _SHORTEST and head.startswith(named)):
            return (
                f"{code(argument)} is not the newest commit, which is {code(head[:7])}: nothing was approved."
            )
        if not crossed:
            return "No guardrail is crossed: there is nothing to decide."
        if self.at >= self.report.expires:
            return "This report is too old to decide about. Ask for a new one with `/tuppence recheck`."
        if self.written.author_id == self.facts.author_id:
            return f"Whoever wrote the change cannot decide about it. {_who_may(crossed)}"
        return ""

    def _may(self, approvers: Sequence[str]) -> bool:
        return any(self._is(approver) for approver in approvers)

    def _is(self, approver: str) -> bool:
        """Whether the writer is this person, or in this team. What cannot be read counts as no."""
        login = self.written.author
        organization, slash, team = approver.partition("/")
        if slash:
            return self.people.in_team(self.written.ref, organization, team, login)
        return approver.casefold() == login.casefold()

    def _is_mine(self, held: Decision) -> bool:
        """Whether this very comment decided so; the step may run a second time."""
        return held.comment_id == self.written.comment_id

    def _decision(self, what: Literal["approve", "reject"], reason: str, crossed: Any) -> Decision:  # noqa: ANN401 - JSON
        repository = self.facts.ref.repository
        return Decision(
            repository=repository.id,
            number=self.facts.ref.number,
            head_sha=self.facts.head_sha,
            report_hash=self.report.report_hash,
            guardrail=crossed["key"],
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


def _already(held: Decision) -> str:
    if held.decision == "approve":
        return f"{code(held.approver)} has approved this already."
    return f"{code(held.approver)} has rejected this already. The next push can be approved again."


def _part(crossed: Any) -> str:  # noqa: ANN401 - JSON
    return f"{md(crossed['why'])} ({_names(crossed) or 'the policy names nobody who may'})"


def _who_may(crossed: Sequence[Any]) -> str:
    named = [names for item in crossed[:10] if (names := _names(item))]
    if not named:
        return "The policy names nobody who may approve: add `approvers` to the guardrail."
    return f"Who may: {', and '.join(dict.fromkeys(named))}."


def _names(crossed: Any) -> str:  # noqa: ANN401 - JSON
    """In code, so that nobody is called by an answer."""
    return " or ".join(code(name) for name in crossed["approvers"][:10])
