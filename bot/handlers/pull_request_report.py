"""A report on a pull request: look, analyse, say it in the comment and in the check.

Each function is one step of a durable workflow: it may be run again, and then does nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot import policy
from bot.approvals import APPROVALS_LAST, standing
from bot.comment import render_failed
from bot.errors import UserError
from bot.github_events import PullRequestRef
from bot.inert import md
from bot.policy import Policy
from bot.policy_in_force import first_line, policy_in_force, policy_text
from bot.ports import (
    Audit,
    CheckRuns,
    Checks,
    Comments,
    Decisions,
    Heads,
    Policies,
    Publications,
    PullRequests,
    Reports,
    Revisions,
    Tree,
)
from bot.publication import CheckOutput, Publication, compose_publication
from bot.pull_requests import PullRequestFacts
from bot.recommendation_ports import RecommendationDecisions
from bot.records import Head, PricedReport, ShownPullRequest
from bot.remembered_exceptions import with_exceptions
from bot.report_json import dump_report
from bot.review_ports import ShownPullRequests
from bot.suggested_lines import suggest
from estimators.approval import consent_to
from estimators.audit_chain import AuditFact
from estimators.guardrail import CrossedGuardrail
from estimators.objects import Source
from estimators.report import Report

Price = Callable[[Tree, Tree, Policy], tuple[Report, tuple[CrossedGuardrail, ...]]]
Links = Callable[[PullRequestFacts], Callable[[Source, str], str]]


@dataclass(frozen=True, slots=True)
class Sight:
    """The pull request now, and the place of its head among those seen."""

    facts: PullRequestFacts
    head: Head


def look(ref: PullRequestRef, *, pulls: PullRequests, heads: Heads, now: Callable[[], datetime]) -> Sight:
    """Ask GitHub what the pull request is now; deliveries come late and in any order."""
    at = now()
    facts = pulls.facts(ref)
    return Sight(facts, heads.see(ref.repository.id, ref.number, facts.head_sha, at))


def analyse(
    facts: PullRequestFacts,
    *,
    revisions: Revisions,
    price: Price,
    links: Links,
    policies: Policies,
    reports: Reports,
    decisions: Decisions,
    exceptions: RecommendationDecisions,
    now: Callable[[], datetime],
) -> Publication:
    """Price and judge the change, remember the report, and put into words what to say.

    `exceptions` has what people rejected of our recommendations: their reasons are told again.
    """
    at = now()
    with revisions.trees(facts) as (base, head, target):
        # The base may be the merge base, however old it is: guardrails that came since hold all the same.
        rules, notes = _policy_in_force(facts, target, head, policies, at)
        report, crossed = price(base, head, rules)
        report = with_exceptions(report, exceptions.rejected(facts.ref.repository.id))
        report = replace(report, base=facts.base_ref, head=facts.head_sha, partial=(*report.partial, *notes))
        # Without live numbers a finding may be missing that still holds: nothing is said then.
        suggestions = suggest(report, base, head) if rules.suggestions and not report.gaps else None
    decided = standing(
        facts,
        consent_to(report),
        [guardrail.key for guardrail in crossed],
        reports=reports,
        decisions=decisions,
        at=at,
    )
    publication = compose_publication(
        report, crossed, rules.comment, links(facts), head_sha=facts.head_sha, decided=decided
    )
    reports.keep(
        PricedReport(
            report_hash=publication.report_hash,
            repository=facts.ref.repository.id,
            number=facts.ref.number,
            head_sha=facts.head_sha,
            base_sha=facts.base_sha,
            merge_base=base.name,
            report=dump_report(report, crossed),
            priced_at=at,
            expires=at + APPROVALS_LAST,
        )
    )
    return replace(publication, suggestions=suggestions)


def say_comment(
    sight: Sight, publication: Publication, *, comments: Comments, publications: Publications
) -> None:
    """Keep the one comment true; the first one is made only where the policy wants it."""
    ref = sight.facts.ref
    known = publications.comment(ref.repository.id, ref.number)
    kept = comments.put(ref, publication.comments, sight.head, known, create=publication.speak)
    if kept is not None:
        publications.keep_comment(kept)


def say_failure(sight: Sight, reason: str, *, comments: Comments, publications: Publications) -> None:
    """Where the comment speaks of an older head, let it say that this one could not be estimated."""
    ref, head = sight.facts.ref, sight.head
    known = publications.comment(ref.repository.id, ref.number)
    if known is None or known.head_sha == head.head_sha:
        return
    kept = comments.put(ref, [render_failed(head.head_sha, reason)], head, known, create=False)
    if kept is not None:
        publications.keep_comment(kept)


def say_check(
    facts: PullRequestFacts,
    output: CheckOutput | None,
    *,
    check_runs: CheckRuns,
    checks: Checks,
    shown: ShownPullRequests,
    name: str,
) -> None:
    """Keep the one check run of this head true; None says that work has begun.

    A check belongs to a commit, and several pull requests may have it as head. What one of them needs an
    approval for, another one into a branch without guardrails does not let through.
    """
    ref = facts.ref
    with checks.turn(ref.repository.id, facts.head_sha):
        if output is not None:
            output = held_by(output, shown.blocked_with(ref.repository.id, facts.head_sha, ref.number))
        known = checks.check(ref.repository.id, facts.head_sha, name)
        checks.keep_check(check_runs.put(ref, facts.head_sha, output, known))


def held_by(output: CheckOutput, others: Sequence[ShownPullRequest]) -> CheckOutput:
    """What the check says where other pull requests of the commit need an approval that they do not have."""
    if not others or output.conclusion == "failure":
        return output
    which = ", ".join(other.name for other in others)
    more = f"The same commit is proposed in {which}, which says: {others[0].told}. One check speaks of both."
    way_out = "Approve or close it there, then press *Recheck* here."
    return replace(
        output,
        conclusion="failure",
        title=f"Held by {others[0].name}",
        summary=f"{md(more)} {way_out}\n\n{output.summary}",
    )


def note_shown(facts: PullRequestFacts, *, reports: Reports, audit: Audit, at: datetime) -> None:
    """One audit row for each report that was shown on a head."""
    report = reports.newest(facts.ref.repository.id, facts.ref.number)
    if report is not None:
        audit.append(
            AuditFact(
                at=at,
                actor="tuppence",
                action="report.shown",
                subject=f"{facts.ref.repository.full_name}#{facts.ref.number}",
                key=f"report/{report.repository}/{report.number}/{report.head_sha}/{report.report_hash}",
                details={"head": report.head_sha, "report": report.report_hash},
            )
        )


def outage(reason: str, *, again: bool) -> CheckOutput:
    """What the check says when we, or something we call, failed: it never blocks a merge."""
    more = " It is tried again by itself." if again else " Press *Recheck* to try again."
    return CheckOutput("neutral", "Could not estimate", f"{reason}.{more}")


def _policy_in_force(
    facts: PullRequestFacts, target: Tree, head: Tree, policies: Policies, at: datetime
) -> tuple[Policy, list[str]]:
    """The target's policy; where it cannot be read, the last one that could. A fork's is never used."""
    rules, problem = policy_in_force(
        target,
        repository=facts.ref.repository.id,
        branch=facts.base_ref,
        sha=facts.base_sha,
        policies=policies,
        at=at,
    )
    notes = [problem] if problem else []
    proposed = policy_text(head)
    if proposed is not None and proposed != policy_text(target):
        try:
            policy.parse(proposed)
        except UserError as error:
            notes.append(f"this pull request breaks the policy: {first_line(error)}")
    return rules, notes
