"""Which lines of a change are offered another value, and what the offer looks like."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given

from bot.ports import SkippedPath
from bot.suggested_lines import suggest
from bot.suggestions import Suggestion
from estimators.objects import Source
from estimators.report import Finding, Report, Severity, Verdict
from tests.bot.github_markdown import PARSER, addresses, foreign_html, noticed
from tests.bot.sample_reports import estimate, finding, pods, report, row
from tests.bot.strangers import texts

LIMITS = "requests: {cpu: 1, memory: 1Gi}\nlimits: {cpu: 1, memory: 1Gi}  # as agreed\n"


@dataclass
class Files:
    """A tree of files in memory."""

    files: Mapping[str, str]
    name: str = "head"
    skipped: Sequence[SkippedPath] = field(default=())

    def paths(self) -> Mapping[str, str]:
        return {path: f"id of {text}" for path, text in self.files.items()}

    def read(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        return ((path, self.files[path].encode()) for path in paths)


def found(
    resource: str = "memory", safe: str = "2Gi", *, value: str = "1Gi", rule: str = "memory-limit-below-peak",
    severity: Severity = Severity.RISKY, file: str = "api.yaml", line: int = 2,
) -> Finding:  # fmt: skip
    """A finding about a limit of the API's one container."""
    made = finding(rule, severity, f"{resource} limit {value} is too little", {"peak": "1.7 GiB"}, safe)
    path = f"spec.template.spec.containers[0].resources.limits.{resource}"
    return replace(made, value=value, path=path, source=Source(file, line))


def about(
    *findings: Finding, name: str = "payments/api", environment: str = "", status: str = "changed"
) -> Report:
    """A report of one workload with these findings."""
    one = estimate(pods("2"), "1", "1")
    before, after = (None if status == "added" else one, None if status == "removed" else one)
    verdict = Verdict.RISKY
    return report([
        row(name, before, after, verdict, findings=findings, environment=environment, status=status)
    ])  # fmt: skip


def offered(told: Report, text: str = LIMITS, before: Mapping[str, str] | None = None) -> list[Suggestion]:
    """What is suggested where `api.yaml` is new or was something else."""
    return list(suggest(told, Files(before or {}), Files({"api.yaml": text, "b.yaml": text, "c.json": text})))


def test_the_line_is_offered_with_the_safe_value_and_the_reason() -> None:
    """Everything that a person needs to decide, and nothing else."""
    (one,) = offered(about(found()))
    assert (one.path, one.line, one.content) == ("api.yaml", 2, f"id of {LIMITS}")
    assert one.markdown() == (
        "🔴 **payments/api**: memory limit 1Gi is too little. 2Gi is safe.\n\n"
        "```suggestion\nlimits: {cpu: 1, memory: 2Gi}  # as agreed\n```\n\n"
        "<sub>Deployment payments/api · peak 1.7 GiB · `memory-limit-below-peak`</sub>"
    )


def test_two_values_of_a_line_are_one_suggestion() -> None:
    """GitHub would not apply a second one to a line that has changed."""
    (one,) = offered(about(found(), found("cpu", "1500m", value="1", severity=Severity.CAUTION)))
    assert one.replacement == "limits: {cpu: 1500m, memory: 2Gi}  # as agreed"
    assert [line[:2] for line in one.reason.split("\n")] == ["🔴 ", "🟠 "]
    assert len(one.evidence.split("\n")) == 2


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param(found(), found(safe="3Gi"), "3Gi", id="what is enough for both"),
        pytest.param(found(), found(rule="oom-history"), "2Gi", id="the same value for two reasons"),
        pytest.param(found(), found(safe="512Mi", rule="unschedulable"), None, id="more for one, less for the other"),
    ],
)  # fmt: skip
def test_workloads_that_share_a_line_must_agree(one: Finding, other: Finding, expected: str | None) -> None:
    """An overlay's line may set a field of several."""
    shared = report([*about(one, environment="staging").rows, *about(other, environment="production").rows])
    values = [each.replacement for each in offered(shared)]
    assert values == ([f"limits: {{cpu: 1, memory: {expected}}}  # as agreed"] if expected else [])


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(about(found(safe="")), id="no safe value"),
        pytest.param(about(found(value="")), id="a field that is absent"),
        pytest.param(about(found(value="512Mi")), id="the line holds another value"),
        pytest.param(about(found(line=1)), id="the line of another field"),
        pytest.param(about(found(line=0)), id="no line"),
        pytest.param(about(found(file="gone.yaml")), id="no such file"),
        pytest.param(about(found(file="c.json")), id="no YAML"),
        pytest.param(about(found(), status="removed"), id="a workload that goes"),
    ],
)
def test_what_cannot_be_replaced_is_not_offered(told: Report) -> None:
    """The report says it all the same."""
    assert offered(told) == []


def test_a_file_that_the_change_leaves_alone_is_not_offered() -> None:
    """None of its lines is on the diff."""
    assert offered(about(found()), before={"api.yaml": LIMITS}) == []
    assert offered(about(found()), before={"api.yaml": "limits: {}"}) != []


def test_a_template_is_not_offered() -> None:
    """What stands on its line is not what a pod gets."""
    template = "{{- if .Values.limited }}\nlimits: {memory: 1Gi}\n{{- end }}\n"
    assert offered(about(found()), template) == []


def test_the_worst_come_first_and_keep_their_names() -> None:
    """Five are made; which they are does not change with the values on the next head."""
    mild = about(found(file="api.yaml", severity=Severity.CAUTION)).rows
    bad = about(found(file="b.yaml"), name="payments/db").rows
    first = offered(report([*mild, *bad]))
    assert [each.path for each in first] == ["b.yaml", "api.yaml"]
    again = offered(about(found(safe="3Gi", value="1536Mi")), f"# longer\n{LIMITS}".replace("1Gi", "1536Mi"))
    assert again == []
    moved = found(safe="3Gi", value="1536Mi", line=3)
    (again_below,) = offered(about(moved), f"# longer\n{LIMITS}".replace("1Gi", "1536Mi"))
    assert again_below.fingerprint == first[1].fingerprint
    assert len({each.fingerprint for each in first}) == 2


def test_a_very_long_report_gives_few() -> None:
    """A stranger's thousand findings do not keep us busy."""
    many = [found(file="b.yaml", line=number) for number in range(3, 1000)]
    assert len(offered(about(found(), *many))) == 1


@given(message=texts, key=texts, fact=texts, name=texts, comment=texts)
def test_nothing_that_a_stranger_wrote_gets_out_of_its_place(
    message: str, key: str, fact: str, name: str, comment: str
) -> None:
    """No mention, link, HTML or fence comes out of a name, a message or the line itself."""
    limits = f"limits: {{memory: 1Gi}} # {comment}"
    one = replace(found(line=1), message=message, evidence={key: fact})
    for each in offered(about(one, name=name), limits.encode("utf-8", "replace").decode()):
        told = each.markdown()
        assert addresses(told) == foreign_html(told) == noticed(told) == []
        fences = [token for token in PARSER.parse(told) if token.type == "fence"]
        assert [(token.info, token.content) for token in fences] == [("suggestion", f"{each.replacement}\n")]


def test_a_fence_in_the_line_is_outgrown() -> None:
    """However long it is."""
    (one,) = offered(about(found(line=1)), "limits: {memory: 1Gi}  # `````suggestion\n")
    assert "\n``````suggestion\nlimits: {memory: 2Gi}  # `````suggestion\n``````\n" in one.markdown()


def test_a_saving_is_named() -> None:
    """As the comment names it."""
    one = replace(found(), evidence={"peak": "1.7 GiB", "saves": "13.92 USD"})
    assert "2Gi is safe and saves $13.92 a month." in offered(about(one))[0].reason
