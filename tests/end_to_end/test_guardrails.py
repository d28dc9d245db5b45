"""Exit status 1: a line that somebody drew was crossed. The report comes all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.commands import Ran, process, tuppence
from tests.end_to_end.repositories import Repository, deployment, write

BARE = deployment().replace("requests: {cpu: 500m, memory: 1Gi}", "").replace("limits: {memory: 1Gi}", "")
AFTER = {
    "none": deployment(),
    "safe": deployment(replicas=3),
    "unknown": deployment(memory="512Mi", limit="512Mi"),
    "caution": BARE,
    "risky": deployment(limit="512Mi"),
}
"""A change of each verdict that manifests alone can give: the last has a limit below its request."""


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for each verdict, and `before`."""
    root = tmp_path_factory.mktemp("sides")
    for verdict, text in {"before": deployment(), **AFTER}.items():
        write(root / verdict, {"a.yaml": text})
    return root


def diff(sides: Path, verdict: str, *options: object) -> Ran:
    """The JSON of two folders."""
    folders = ("--base-dir", sides / "before", "--head-dir", sides / verdict)
    return tuppence("diff", *folders, "--format", "json", *options)


@pytest.mark.parametrize("verdict", AFTER)
def test_without_a_guardrail_every_verdict_is_fine(sides: Path, verdict: str) -> None:
    """Nothing fails that nobody asked to."""
    ran = diff(sides, verdict)

    assert (ran.status, ran.err, ran.json["verdict"]) == (0, "", verdict)


@pytest.mark.parametrize(
    ("fail_on", "crossed"),
    [("caution", {"caution", "risky"}), ("risky", {"risky"})],
    ids=["caution", "risky"],
)
@pytest.mark.parametrize("verdict", AFTER)
def test_fail_on_is_crossed_by_its_verdict_and_worse_ones(
    sides: Path, verdict: str, fail_on: str, crossed: set[str]
) -> None:
    """A saving that is safe and what is unknown never are."""
    ran = diff(sides, verdict, "--fail-on", fail_on)

    assert ran.status == (verdict in crossed)
    assert ran.json["verdict"] == verdict


@pytest.mark.parametrize(
    ("guardrail", "verdict", "status"),
    [
        pytest.param("verdict: caution", "risky", 1, id="a worse verdict"),
        pytest.param("verdict: risky", "caution", 0, id="a milder verdict"),
        pytest.param("monthly_increase: 1", "safe", 1, id="more than one dollar"),
        pytest.param("monthly_increase: 100000", "safe", 0, id="less than 100,000 dollars"),
        pytest.param("percent: 49", "safe", 1, id="half more is more than 49 %"),
        pytest.param("percent: 50", "safe", 0, id="half more is not more than 50 %"),
        pytest.param("monthly_increase: 0", "unknown", 0, id="a saving is no increase"),
        pytest.param(
            "environments: [production]\n    verdict: risky", "risky", 0, id="of another environment"
        ),
    ],
)
def test_guardrails_of_a_policy(
    sides: Path, tmp_path: Path, guardrail: str, verdict: str, status: int
) -> None:
    """Named by `--policy`; the report says which and why."""
    policy = (
        write(tmp_path, {"policy.yaml": f"guardrails:\n  - {guardrail}\n    message: Ask us.\n"})
        / "policy.yaml"
    )
    ran = diff(sides, verdict, "--policy", policy)

    assert ran.status == status
    assert [item["message"] for item in ran.json["guardrails"]] == ["Ask us."] * status


def test_the_policy_of_the_base_counts(tmp_path: Path) -> None:
    """A change cannot loosen the policy it is judged by."""
    repository = Repository(tmp_path / "r")
    strict = "guardrails:\n  - {verdict: risky, message: The base speaks.}\n"
    repository.commit({".tuppence.yaml": strict, "a.yaml": deployment()})
    repository.commit({".tuppence.yaml": "guardrails: []\n", "a.yaml": AFTER["risky"]})
    ran = process("diff", "HEAD~1", "HEAD", cwd=repository.folder)

    assert ran.status == 1
    assert "The base speaks." in ran.out
    assert ran.err == ""


def test_a_first_policy_counts_at_once(tmp_path: Path) -> None:
    """Where the base has none, the change's own is better than none."""
    repository = Repository(tmp_path / "r")
    repository.commit({"a.yaml": deployment()})
    repository.commit({".tuppence.yaml": "guardrails: [{verdict: risky}]\n", "a.yaml": AFTER["risky"]})

    assert tuppence("diff", "HEAD~1", "HEAD", cwd=repository.folder).status == 1


def test_a_policy_that_cannot_be_read_is_no_permission(tmp_path: Path) -> None:
    """It is refused, with its line."""
    repository = Repository(tmp_path / "r")
    repository.commit({".tuppence.yaml": "ignore: []\nguardrails: nonsense\n", "a.yaml": deployment()})
    repository.commit({"a.yaml": AFTER["risky"]})

    assert (
        ".tuppence.yaml:2: guardrails" in tuppence("diff", "HEAD~1", "HEAD", cwd=repository.folder).complaint
    )
