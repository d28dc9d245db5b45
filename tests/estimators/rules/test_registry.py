"""The list of rules, the rules themselves and their documentation agree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from estimators.report import Severity
from estimators.rules import RULE_TEXTS, RULES, RuleText, judge
from tests.builders import change, container, side, workload
from tests.usage_builders import container_usage, history

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "rules.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### `([a-z-]+)`\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))
ELSEWHERE = {"duplicate-object", "unused-removed", "remembered"}
"""Of what is no workload: found while two revisions are compared, or where a pull request is reported on."""


def test_every_listed_rule_is_a_function_and_every_function_is_listed() -> None:
    """A function's docstring starts with the rules it knows."""
    known = {item.id for item in RULE_TEXTS}
    named = [known.intersection(re.findall(r"`([a-z-]+)`", rule.__doc__ or "")) for rule in RULES]

    assert all(named)
    assert set().union(*named) == known - ELSEWHERE
    assert len(known) == len(RULE_TEXTS)


@pytest.mark.parametrize("rule", RULE_TEXTS, ids=lambda rule: rule.id)
def test_every_rule_has_a_section_with_its_severities(rule: RuleText) -> None:
    """When it speaks, on what evidence, and what is safe."""
    section = SECTIONS[rule.id]

    for part in ("**When**", "**Evidence**", "**safe**"):
        assert part.casefold() in section.casefold()
    stated = {item for item in Severity if f"({item})" in section}
    assert stated == set(rule.severities)


def test_no_section_is_of_a_rule_that_is_gone() -> None:
    """The page lists what there is."""
    assert set(SECTIONS) == {item.id for item in RULE_TEXTS}


def test_findings_come_worst_first() -> None:
    """And in the order of the rules among equals."""
    before = side(workload(container(requests={"cpu": "1"}, limits={"memory": "2Gi"})))
    after = side(workload(container(limits={"memory": "1Mi"}), replicas=1))
    found = judge(change(before, after, history(container_usage(cpu=0.9))))

    severities = [item.severity for item in found]
    assert severities == sorted(severities, key=[Severity.RISKY, Severity.CAUTION, Severity.INFO].index)
    assert found[0].rule == "memory-limit-below-peak"
