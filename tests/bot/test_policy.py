"""`.tuppence.yaml`: what it says, and how every mistake in it is told."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bot
from bot.configuration import Misconfigured
from bot.errors import UserError
from bot.manifests.documents import load_settings
from bot.policy import CommentRules, Environment, Policy, parse
from estimators.change import Protection
from estimators.guardrail import Guardrail
from estimators.report import Severity, Verdict

WHOLE = """
environments:
  - name: production
    paths: [clusters/production/**, ./charts/*/values-production.yaml]
    cluster: prod-eu
    values: [values.yaml, values-production.yaml]
    prices: prices/prod.yaml
    prometheus_selector: {cluster: prod-eu}
  - {name: staging, paths: ["clusters/staging/**"]}
ignore: ["**/testdata/**"]
comment: {min_change: 2.50, min_severity: risky, always: false}
guardrails:
  - environments: [production]
    teams: [payments]
    monthly_increase: 500
    percent: 12.5
    verdict: risky
    message: Ask the SRE team.
    approvers: ["@acme/sre", alice]
protect:
  - workload: payments/*
    fields: [limits.memory, replicas]
    reason: "INC-1234: out of memory at month's end"
    until: 2027-03-31
suggestions: true
"""


def problems(text: str) -> list[str]:
    """What is said about `text`, a line each, without the file's name."""
    with pytest.raises(Misconfigured) as caught:
        parse(text, "p.yaml")
    return [str(problem).removeprefix("p.yaml:") for problem in caught.value.problems]


def test_every_key_arrives() -> None:
    """The whole example, field by field; amounts are exact decimals."""
    assert parse(WHOLE, "p.yaml") == Policy(
        environments=(
            Environment(
                name="production",
                paths=("clusters/production/**", "charts/*/values-production.yaml"),
                cluster="prod-eu",
                values=("values.yaml", "values-production.yaml"),
                prices="prices/prod.yaml",
                prometheus_selector={"cluster": "prod-eu"},
            ),
            Environment(name="staging", paths=("clusters/staging/**",)),
        ),
        ignore=("**/testdata/**",),
        comment=CommentRules(min_change=Decimal("2.5"), min_severity=Severity.RISKY, always=False),
        guardrails=(
            Guardrail(
                environments=("production",),
                teams=("payments",),
                monthly_increase=Decimal(500),
                percent=Decimal("12.5"),
                verdict=Verdict.RISKY,
                message="Ask the SRE team.",
                approvers=("acme/sre", "alice"),
            ),
        ),
        protect=(
            Protection(
                workload="payments/*",
                reason="INC-1234: out of memory at month's end",
                fields=("limits.memory", "replicas"),
                until=date(2027, 3, 31),
                source="p.yaml",
            ),
        ),
        suggestions=True,
    )


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "environments:\nguardrails:\n", "{}"])
def test_an_empty_policy_asks_for_nothing(text: str) -> None:
    """An empty file, comments alone and keys without values are all the default."""
    assert parse(text) == Policy()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("environmets: []", "1: environmets: unknown key; did you mean 'environments'?", id="typing error"),
        pytest.param("xyz: 1", "1: xyz: unknown key; known here: environments, ignore, comment, guardrails, protect, suggestions", id="unknown key"),
        pytest.param("- a", "1: needs a mapping with environments, ignore, comment, guardrails, protect, suggestions, not a list", id="a list"),
        pytest.param("environments: {a: b}", "1: environments: needs a list such as [a, b], not a mapping", id="no list"),
        pytest.param("environments:\n- {name: a}", "2: environments[0]: needs the key 'paths': Files and folders that belong to it.", id="missing key"),
        pytest.param("environments:\n- {name: a, paths: [x]}\n- name: a\n  paths: [b]", "3: environments[1].name: 'a' is on line 2 already", id="twice"),
        pytest.param("ignore:\n- a\n- /etc", "3: ignore[1]: needs a path from the repository's root, with /, not '/etc'", id="absolute"),
        pytest.param("ignore: [C:/x]", "1: ignore[0]: needs a path from the repository's root, with /, not 'C:/x'", id="drive"),
        pytest.param("ignore: ['a\\b']", r"1: ignore[0]: needs a path from the repository's root, with /, not 'a\\b'", id="backslash"),
        pytest.param("ignore: [a/../../b]", "1: ignore[0]: may not leave the repository with '..': 'a/../../b'", id="way out"),
        pytest.param("ignore: ['a[b']", "1: ignore[0]: needs a pattern whose [ has its ], not 'a[b'", id="open bracket"),
        pytest.param("ignore: ['a**/b']", "1: ignore[0]: needs ** to stand alone between two /, not 'a**/b'", id="two stars in a name"),
        pytest.param("ignore: [no]", "1: ignore[0]: needs text, not false; put it in quotes", id="the Norway problem"),
        pytest.param("comment: {min_change: -1}", "1: comment.min_change: needs a plain number, not below 0, such as 250, not -1", id="negative"),
        pytest.param("comment: {min_change: .nan}", "1: comment.min_change: needs a plain number, not below 0, such as 250, not '.nan'", id="not a number"),
        pytest.param("comment: {min_change: true}", "1: comment.min_change: needs a number such as 250, not true", id="a flag for a number"),
        pytest.param("comment: {min_severity: bad}", "1: comment.min_severity: needs one of info, caution, risky, not 'bad'", id="severity"),
        pytest.param("comment: {always: 1}", "1: comment.always: needs true or false, not 1", id="a number for a flag"),
        pytest.param("guardrails:\n- message: x", "2: guardrails[0]: needs at least one threshold: monthly_increase, percent, verdict", id="no threshold"),
        pytest.param("guardrails: [{verdict: unknown}]", "1: guardrails[0].verdict: needs one of caution, risky, not 'unknown'", id="verdict"),
        pytest.param("guardrails: [{percent: 1, approvers: ['a b']}]", "1: guardrails[0].approvers[0]: needs a GitHub user or a team such as acme/sre, not 'a b'", id="approver"),
        pytest.param("protect: [{workload: api, reason: x}]", "1: protect[0].workload: needs namespace/name, such as payments/api or payments/*, not 'api'", id="workload"),
        pytest.param("protect: [{workload: a/b, reason: x, until: 2026-02-30}]", "1: protect[0].until: needs a day such as 2026-12-31, not '2026-02-30'", id="no such day"),
        pytest.param("protect: [{workload: a/b, reason: x, fields: [cpus]}]", "1: protect[0].fields[0]: needs one of requests, requests.cpu, requests.memory, limits, limits.cpu, limits.memory, cpu, memory, gpu, replicas, autoscaling, not 'cpus'", id="field"),
        pytest.param("environments: [{name: a, paths: [x], prices: a/}]", "1: environments[0].prices: needs a file, not the folder 'a/'", id="folder"),
        pytest.param("environments: [{name: a, paths: [x], prometheus_selector: a}]", "1: environments[0].prometheus_selector: needs names with their values, such as {cluster: prod}, not 'a'", id="selector"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_and_what_would_be_right(text: str, said: str) -> None:
    """One line a mistake: where, what is wrong, what would be right."""
    assert problems(text) == [said]


def test_the_published_schema_agrees() -> None:
    """Editors take what `parse` takes, and mark an unknown key."""
    schema = json.loads((Path(bot.__file__).parent / "data" / "tuppence-policy.schema.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    whole = load_settings(WHOLE, "p.yaml").value
    assert list(validator.iter_errors(whole)) == []
    assert list(validator.iter_errors({**whole, "environmets": []}))
    assert list(validator.iter_errors({"guardrails": [{"percent": -1}]}))


def test_every_problem_is_told_at_once() -> None:
    """Nobody wants to mend a file one mistake at a time; the order is the file's."""
    said = problems("ignore: [/a]\ncommet: {}\nguardrails:\n- {}\nsuggestions: maybe\n")
    assert [line.partition(":")[0] for line in said] == ["1", "2", "4", "5"]


@pytest.mark.parametrize("text", ["a: [", "a: 1\na: 2", "\tignore: []", "a: 1\n---\nb: 2"])
def test_what_is_no_yaml_names_file_and_line(text: str) -> None:
    """Broken YAML, a key written twice, a tab, a second document."""
    with pytest.raises(UserError, match=r"^p\.yaml:\d+: "):
        parse(text, "p.yaml")


@given(text=st.text(max_size=200))
def test_no_text_gives_anything_but_a_policy_or_a_line(text: str) -> None:
    """Whatever a stranger writes."""
    try:
        parse(text)
    except UserError as error:
        assert str(error).startswith(".tuppence.yaml:")  # noqa: PT017 - most texts are no policy, some are


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["a/b", "risky", "2026-11-01"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "paths", "workload", "reason", "percent", "verdict", "always"])
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    document=st.dictionaries(
        st.sampled_from(["environments", "ignore", "comment", "guardrails", "protect", "suggestions"]), values
    )
)
def test_values_of_any_shape_are_told_apart(document: dict[str, object]) -> None:
    """A value of the wrong shape in any place is a problem with a line, never a traceback."""
    try:
        parse(json.dumps(document))
    except UserError as error:
        assert str(error).startswith(".tuppence.yaml:1: ")  # noqa: PT017 - some of them are sound
