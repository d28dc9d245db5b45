"""Reasons that people gave are told where a later change touches the same thing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from bot.comment import render_comment
from bot.policy import CommentRules
from bot.publication import compose_publication
from bot.remembered_exceptions import MOST, Rejected, with_exceptions
from estimators.change import Cluster
from estimators.comparison import Revision, compare
from estimators.objects import Source
from estimators.recommendation import FieldChange, Recommendation
from estimators.report import Report, Severity
from tests.bot.sample_reports import comment_links
from tests.kept_recommendations import API, about, kept, memory, rejection
from tests.yaml_objects import autoscaler, deployment, objects

BEFORE = deployment(memory="2Gi", memory_limit="2Gi")
LOWERED = deployment(memory="1Gi", memory_limit="2Gi")
SIDECAR = """
        - name: proxy
          image: registry.example/proxy:1
          resources: {requests: {memory: 64Mi}}
"""
SCALER = API._replace(kind="HorizontalPodAutoscaler")
FEWEST = FieldChange(SCALER, ("spec", "minReplicas"), "", "4", "2", count=True)
REPLICAS = FieldChange(API, ("spec", "replicas"), "", "2", "1", count=True)
MEMORY = about(memory("2Gi", "512Mi"))


def report(before: str, after: str, environment: str = "production") -> Report:
    """What the comparison of two manifests says."""
    sides = [
        Revision(name, objects(text, environment) if text else [])
        for name, text in (("main", before), ("4f2c9ab", after))
    ]
    return compare(sides[0], sides[1], lambda _environment: Cluster())


def rejected(
    one: Recommendation, reason: str = "limit was set after INC-1234", said: str = "Ann"
) -> Rejected:
    """What Ann rejected."""
    row = kept(one)
    return row, rejection(row, reason, said=said)


def told(found: Report, exceptions: Sequence[Rejected]) -> list[str]:
    """What is told again, in all rows."""
    rows = with_exceptions(found, exceptions).rows
    return [item.message for row in rows for item in row.findings if item.rule == "remembered"]


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        pytest.param(BEFORE, LOWERED, MEMORY, id="the same field"),
        pytest.param(BEFORE, deployment(memory="4Gi", memory_limit="4Gi"), MEMORY, id="the other way"),
        pytest.param(
            BEFORE, deployment(memory="2Gi", memory_limit="1Gi"), MEMORY, id="the limit of what was a request"
        ),
        pytest.param(BEFORE, "", MEMORY, id="the workload goes"),
        pytest.param(
            BEFORE, deployment(memory="2Gi", memory_limit="2Gi", replicas=1), about(REPLICAS), id="replicas"
        ),
        pytest.param(
            deployment() + "---\n" + autoscaler(least=4),
            deployment() + "---\n" + autoscaler(least=2),
            about(FEWEST),
            id="an autoscaler's bound",
        ),
        pytest.param(
            deployment() + "---\n" + autoscaler(least=4),
            deployment(),
            about(FEWEST),
            id="the autoscaler goes",
        ),
        pytest.param(
            BEFORE.replace("containers:", f"containers:{SIDECAR.rstrip()}"),
            LOWERED.replace("containers:", f"containers:{SIDECAR.rstrip()}"),
            MEMORY,
            id="a sidecar came before it",
        ),
    ],
)
def test_a_reason_is_told_where_its_field_changes(before: str, after: str, change: Recommendation) -> None:
    """By whom and when it was given, and about what."""
    [line] = told(report(before, after), [rejected(change)])
    assert line.startswith("Ann rejected ")
    assert line.endswith(" on 23 November 2026: «limit was set after INC-1234»")


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        pytest.param(
            BEFORE, deployment(cpu="1", memory="2Gi", memory_limit="2Gi"), MEMORY, id="another field"
        ),
        pytest.param(
            BEFORE, LOWERED, about(memory("2Gi", "1Gi", name="proxy", index=1)), id="another container"
        ),
        pytest.param(BEFORE, LOWERED, about(REPLICAS), id="other than memory"),
        pytest.param(
            BEFORE, LOWERED, about(memory("2Gi", "1Gi"), key=API._replace(name="web")), id="another workload"
        ),
        pytest.param(
            BEFORE,
            LOWERED,
            about(memory("2Gi", "1Gi"), key=API._replace(environment="staging")),
            id="another environment",
        ),
        pytest.param(
            BEFORE,
            LOWERED,
            about(memory("2Gi", "1Gi"), key=API._replace(kind="StatefulSet")),
            id="another kind",
        ),
        pytest.param(
            deployment() + "---\n" + autoscaler(least=4), deployment(), MEMORY, id="the autoscaler alone goes"
        ),
        pytest.param(
            BEFORE,
            BEFORE + SIDECAR.rstrip(),
            MEMORY,
            id="a sidecar comes",
        ),
        pytest.param(
            BEFORE,
            BEFORE.replace("containers:", f"containers:{SIDECAR.rstrip()}"),
            MEMORY,
            id="a sidecar comes before it",
        ),
        pytest.param(BEFORE, BEFORE, MEMORY, id="nothing changes"),
    ],
)
def test_a_reason_is_not_told_elsewhere(before: str, after: str, change: Recommendation) -> None:
    """What nobody spoke about needs no word."""
    assert told(report(before, after), [rejected(change)]) == []


def test_a_rejection_without_a_reason_is_not_told() -> None:
    """There is nothing to tell."""
    assert told(report(BEFORE, LOWERED), [rejected(MEMORY, " \n")]) == []


def test_the_newest_reason_about_a_thing_is_told_and_not_too_many() -> None:
    """An older one about the same is not."""
    again = rejected(about(memory("2Gi", "1Gi")), "newer")
    assert [line[-7:] for line in told(report(BEFORE, LOWERED), [again, rejected(MEMORY)])] == ["«newer»"]
    cpu, limit = (
        FieldChange(API, (*MEMORY.changes[0].path[:-2], sum_of, resource), "main", "1", "2")
        for sum_of, resource in (("requests", "cpu"), ("requests", "nvidia.com/gpu"))
    )
    many = [rejected(about(item)) for item in (cpu, limit, REPLICAS, memory("2Gi", "1Gi"))]
    assert len(told(report(BEFORE, ""), many)) == MOST == 3


def test_a_reason_stands_on_the_line_that_changes_and_judges_nothing() -> None:
    """The verdict stays what it was."""
    found = report(BEFORE, LOWERED)
    [row] = with_exceptions(found, [rejected(MEMORY)]).rows
    finding = row.findings[-1]
    [change] = found.rows[0].changes
    assert (finding.severity, finding.path, finding.source) == (Severity.INFO, change.path, change.source)
    assert replace(row, findings=found.rows[0].findings) == found.rows[0]
    assert finding.source != Source("app.yaml", 1)


def test_a_comment_tells_the_reason_at_its_workload(golden: Callable[[str, str], None]) -> None:
    """In the table, where it is read."""
    both = about(memory("2Gi", "512Mi"), memory("2Gi", "512Mi", sum_of="limits"))
    found = with_exceptions(report(BEFORE, LOWERED), [rejected(both)])
    golden("remembered.md", render_comment(found, links=comment_links))


def test_a_reason_is_said_whatever_the_policy_keeps_silent_about() -> None:
    """A person's word is worth a comment where the amount is not."""
    quiet = CommentRules(min_change=Decimal(10_000), min_severity=Severity.RISKY)
    found = report(BEFORE, LOWERED)
    for one, speaks in ((found, False), (with_exceptions(found, [rejected(MEMORY)]), True)):
        said = compose_publication(one, (), quiet, comment_links, head_sha="4f2c9ab")
        assert said.speak is speaks
    [note] = [item for item in said.check.annotations if "INC-1234" in item.message]
    assert note.level == "notice"


def test_what_strangers_said_is_inert() -> None:
    """Names and reasons come from Slack."""
    nasty = "<script> @acme/everyone | [x](https://evil.example) ``` \n# head --><!-- \u202e"
    found = with_exceptions(report(BEFORE, LOWERED), [rejected(MEMORY, nasty, said="@ann <!here>")])
    body = render_comment(found, links=comment_links)
    for live in ("<script", "@acme", "@ann", "](https://evil", "<!--", "\u202e", "\n# head", "```"):
        assert live not in body
