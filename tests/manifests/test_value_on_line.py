"""Where a value stands on its line: found by what the file says with another one there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.manifests.documents import read
from bot.manifests.value_on_line import MOST_BYTES, LinesOfFile, replaced
from estimators.objects import dig

LIMIT = "spec.template.spec.containers[0].resources.limits.memory"
CPU = "spec.template.spec.containers[0].resources.requests.cpu"
GPU = "spec.template.spec.containers[0].resources.limits.nvidia.com/gpu"
REPLICAS = "spec.replicas"


def rewritten(text: str, line: int, field: str, old: str, new: str) -> str | None:
    """The line with the new value, as a suggestion would have it."""
    lines = LinesOfFile(text.encode())
    place, written = lines.value(line, field, old, new), lines.text(line)
    return replaced(written, {place: new}) if place and written else None


@pytest.mark.parametrize(
    ("text", "line", "field", "old", "new", "expected"),
    [
        pytest.param("limits:\n  memory: 512Mi\n", 2, LIMIT, "512Mi", "832Mi", "  memory: 832Mi", id="plain"),
        pytest.param('limits:\n  memory: "512Mi"\n', 2, LIMIT, "512Mi", "1Gi", '  memory: "1Gi"', id="double quotes"),
        pytest.param("limits:\n  memory: '512Mi'\n", 2, LIMIT, "512Mi", "1Gi", "  memory: '1Gi'", id="single quotes"),
        pytest.param(
            "limits:\n  memory:   512Mi   # was 512Mi, see INC-1\n", 2, LIMIT, "512Mi", "1Gi",
            "  memory:   1Gi   # was 512Mi, see INC-1", id="comment with the same word",
        ),
        pytest.param(
            "limits: {cpu: 1, memory: 512Mi}\n", 1, LIMIT, "512Mi", "1Gi",
            "limits: {cpu: 1, memory: 1Gi}", id="flow style",
        ),
        pytest.param(
            "r: {requests: {memory: 1Gi}, limits: {memory: 1Gi}}\n", 1, LIMIT, "1Gi", "2Gi",
            "r: {requests: {memory: 1Gi}, limits: {memory: 2Gi}}", id="the same value twice",
        ),
        pytest.param("{requests: {cpu: 1, memory: 1}}", 1, CPU, "1", "2", "{requests: {cpu: 2, memory: 1}}", id="numbers alike"),
        pytest.param("spec:\n  replicas: 1\n", 2, REPLICAS, "1", "2", "  replicas: 2", id="a number"),
        pytest.param("requests:\n  cpu: 0.50\n", 2, CPU, "0.5", "750m", "  cpu: 750m", id="a number written otherwise"),
        pytest.param("requests:\n  cpu: 1\n", 2, CPU, "1", "1500m", "  cpu: 1500m", id="a number becomes text"),
        pytest.param(
            "limits:\n  nvidia.com/gpu: 4\n", 2, GPU, "4", "2", "  nvidia.com/gpu: 2", id="a key with dots"
        ),
        pytest.param("a: 1\n---\nspec:\n  replicas: 1\n", 4, REPLICAS, "1", "2", "  replicas: 2", id="a second document"),
        pytest.param("web:\n  replicaCount: 1\n", 2, REPLICAS, "1", "2", "  replicaCount: 2", id="a chart's name for it"),
        pytest.param(
            "replicas:\n- name: api\n  count: 1\n", 3, REPLICAS, "1", "2", "  count: 2", id="Kustomize's replicas"
        ),
        pytest.param(
            "- op: replace\n  path: /spec/replicas\n  value: 1\n", 3, REPLICAS, "1", "2", "  value: 2",
            id="a JSON patch",
        ),
        pytest.param(
            "- op: add\n  path: /spec/template/spec/containers/0/resources\n  value: {limits: {memory: 1Gi}}\n", 3,
            LIMIT, "1Gi", "2Gi", "  value: {limits: {memory: 2Gi}}", id="a JSON patch of a mapping",
        ),
        pytest.param(
            "patches:\n- patch: |-\n    spec:\n      replicas: 1\n  target: {kind: Deployment}\n", 4, REPLICAS, "1", "2",
            "      replicas: 2", id="a patch written into the kustomization",
        ),
        pytest.param("limits:\n  memory: &m 512Mi\n", 2, LIMIT, "512Mi", "1Gi", "  memory: &m 1Gi", id="an anchor nobody repeats"),
        pytest.param("spec: {minReplicas: 1}", 1, "spec.minReplicas", "1", "3", "spec: {minReplicas: 3}", id="autoscaler"),
        pytest.param("hpa:\n  minReplicas: 1", 2, "spec.minReplicas", "1", "3", "  minReplicas: 3", id="autoscaler in values"),
        pytest.param('minAvailable: "50%"', 1, "spec.minAvailable", "50%", "40%", 'minAvailable: "40%"', id="a share"),
    ],
)  # fmt: skip
def test_the_value_alone_is_replaced(
    text: str, line: int, field: str, old: str, new: str, expected: str
) -> None:
    """Indentation, quotes, spaces and comments stay as somebody wrote them."""
    assert rewritten(text, line, field, old, new) == expected


@pytest.mark.parametrize(
    ("text", "line", "field", "old", "new"),
    [
        pytest.param(
            "a: {limits: &l {memory: 1Gi}}\nb: {limits: *l}\n", 1, LIMIT, "1Gi", "2Gi", id="an anchor that is repeated"
        ),
        pytest.param(
            "a: {limits: {memory: &m 1Gi}}\nb: {limits: {memory: *m}}\n", 1, LIMIT, "1Gi", "2Gi",
            id="a repeated value",
        ),
        pytest.param("a: &a {limits: {memory: 1Gi}}\nb: {<<: *a}\n", 1, LIMIT, "1Gi", "2Gi", id="a merged mapping"),
        pytest.param("a: {limits: {memory: &m 1Gi}}\nb: {limits: {memory: *m}}\n", 2, LIMIT, "1Gi", "2Gi", id="an alias"),
        pytest.param("limits:\n  memory: {{ .Values.memory }}\n", 2, LIMIT, "512Mi", "1Gi", id="a template"),
        pytest.param("limits:\n  memory: 512Mi\n{{ end }}\n", 2, LIMIT, "512Mi", "1Gi", id="a template elsewhere"),
        pytest.param("limits:\n  memory: 256Mi\n", 2, LIMIT, "512Mi", "1Gi", id="another value"),
        pytest.param("limits:\n  memory: 512Mi\n", 1, LIMIT, "512Mi", "1Gi", id="another line"),
        pytest.param("limits:\n  memory: 512Mi\n", 9, LIMIT, "512Mi", "1Gi", id="no such line"),
        pytest.param("requests:\n  memory: 512Mi\n", 2, LIMIT, "512Mi", "1Gi", id="another field of the same value"),
        pytest.param("a: 1\n# memory: 512Mi\n", 2, LIMIT, "512Mi", "1Gi", id="a comment alone"),
        pytest.param(
            "[{limits: {memory: 1Gi}}, {limits: {memory: 1Gi}}]", 1, LIMIT, "1Gi", "2Gi", id="two of the same on a line"
        ),
        pytest.param("limits:\r\n  memory: 512Mi\r\n", 2, LIMIT, "512Mi", "1Gi", id="Windows' line ends"),
        pytest.param("limits:\n\tmemory: 512Mi\n", 2, LIMIT, "512Mi", "1Gi", id="not YAML"),
        pytest.param("limits:\n  memory: 512Mi # \u202ereversed\n", 2, LIMIT, "512Mi", "1Gi", id="what nobody sees"),
        pytest.param("limits:\n  memory: 512Mi\n", 2, LIMIT, "512Mi", "1Gi\nx: y", id="more than a value"),
        pytest.param('minAvailable: "50%"', 1, "spec.minAvailable", "50%", "2", id="a count in a share's quotes"),
        pytest.param("limits:\n  memory: 512Mi\n  memory: 512Mi\n", 3, LIMIT, "512Mi", "1Gi", id="a key written twice"),
        pytest.param(
            "limits:\n  memory: 512Mi\nsops: {mac: x, version: 3}\n", 2, LIMIT, "512Mi", "1Gi", id="encrypted"
        ),
        pytest.param(
            "limits:\n  memory: 512Mi\n#" + "x" * MOST_BYTES, 2, LIMIT, "512Mi", "1Gi", id="a very long file"
        ),
    ],
)  # fmt: skip
def test_a_doubtful_place_is_none(text: str, line: int, field: str, old: str, new: str) -> None:
    """Nothing is better than another value than the one that was meant."""
    assert rewritten(text, line, field, old, new) is None


@pytest.mark.parametrize("data", [b"limits:\n  memory: 512Mi # \xff\n", b"", b"\x00", b"\xff\xfe"])
def test_bytes_that_are_no_text_have_no_place(data: bytes) -> None:
    """Whatever they are."""
    assert LinesOfFile(data).value(2, LIMIT, "512Mi", "1Gi") is None


@given(
    before=st.text("abx:'\" {}[],#&*-\n1Gi", max_size=30),
    after=st.text("abx:'\" {}[],#&*-\n1Gi", max_size=30),
)
def test_whatever_stands_around_it_only_that_value_changes(before: str, after: str) -> None:
    """Where a place is found, reading the file again says so."""
    text = f"{before}\nlimits: {{memory: 1Gi}}{after}\n"
    line = text[: text.index("limits: {m")].count("\n") + 1
    found = rewritten(text, line, LIMIT, "1Gi", "2Gi")
    if found is not None:
        lines = text.split("\n")
        told = read("\n".join([*lines[: line - 1], found, *lines[line:]]).encode())
        bodies = [document.body for document in told.documents]
        assert [dig(body, "limits", "memory") for body in bodies if "limits" in body] == ["2Gi"]
