"""What people type is a question, or a reason and a better one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cost_commands import (
    COMMANDS,
    EXAMPLES,
    LONGEST,
    MOST_ROWS,
    SAVINGS,
    SPOKEN,
    WINDOWS,
    CostQuestion,
    NotUnderstood,
    parse,
)


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("", CostQuestion("help")),
        ("  help ", CostQuestion("help")),
        ("namespace payments", CostQuestion("namespace", "payments")),
        ("NAMESPACE Payments 30D", CostQuestion("namespace", "payments", window="30d")),
        ("namespace \u201cpayments\u201d", CostQuestion("namespace", "payments")),
        ("\u202enamespace\u200b `payments`", CostQuestion("namespace", "payments")),
        ("team Checkout squad mtd vs last", CostQuestion("team", "Checkout squad", window="mtd", versus=True)),
        ("workload payments/api chart", CostQuestion("workload", "api", "payments", chart=True)),
        ("top", CostQuestion("top")),
        ("top 5 30d", CostQuestion("top", window="30d", rows=5)),
        ("idle", CostQuestion("idle")),
        ("savings", CostQuestion("savings")),
        ("Savings Checkout squad", CostQuestion("savings", "Checkout squad")),
        ("savings payments/api", CostQuestion("savings", "payments/api")),
        ("Environment Production 30d", CostQuestion("environment", "Production", window="30d")),
        ("business unit Retail Banking", CostQuestion("business-unit", "Retail Banking")),
        ("label app.kubernetes.io/part-of", CostQuestion("label", label="app.kubernetes.io/part-of")),
        ("label tier=Web chart", CostQuestion("label", "Web", label="tier", chart=True)),
        ("label tier = a b", CostQuestion("label", "a b", label="tier")),
        ("node IP-10-0-0-1.internal", CostQuestion("node", "ip-10-0-0-1.internal")),
    ],
)  # fmt: skip
def test_a_question_is_read(text: str, question: CostQuestion) -> None:
    """Whatever the case, the quotes and what is not seen."""
    assert parse(text) == question


@pytest.mark.parametrize(
    ("text", "reason", "suggestion"),
    [
        ("namespce payments 30d", "there is no question called namespce", "namespace payments 30d"),
        ("payments", "there is no question called payments", "namespace payments"),
        ("<!channel>", "there is no question called <!channel>", "help"),
        ("workload api", "named as NAMESPACE/NAME", "workload payments/api"),
        ("namespace payments 30days", "30days is neither", "namespace payments 30d"),
        ("namespace payments 7d 30d", "7d and 30d", "namespace payments 7d"),
        ("namespace a_b", "no name of a namespace", "namespace"),
        ("idle payments", "idle takes no name", "idle"),
        ("savings payments 30d", "they take no 30d", "savings payments"),
        ("savings vs last", "they take no vs", "savings"),
        ("saving payments", "there is no question called saving", "savings payments"),
        ("env prod", "there is no question called env", "environment prod"),
        ("nodes 30d", "there is no question called nodes", "node 30d"),
        ("ns payments", "there is no question called ns", "namespace payments"),
        ("label", "name of a label", "label team"),
        ("label =web", "name of a label", "label team"),
        ("node a_b", "no name of a node", "node"),
        ("top 0", f"from 1 to {MOST_ROWS}", "top 10"),
        ("top \u0663", f"from 1 to {MOST_ROWS}", "top 10"),
        ("x" * 8000, f"at most {LONGEST}", ""),
    ],
)  # fmt: skip
def test_a_typo_gets_a_suggestion(text: str, reason: str, suggestion: str) -> None:
    """One that can be sent as it is."""
    found = parse(text)

    assert isinstance(found, NotUnderstood)
    assert reason in found.reason
    assert found.suggestion == suggestion
    assert not suggestion or isinstance(parse(suggestion), CostQuestion)


@pytest.mark.parametrize(
    "command", [one for one in COMMANDS if one.name != SAVINGS], ids=lambda command: command.name
)
@pytest.mark.parametrize("window", WINDOWS, ids=lambda window: window.name)
def test_every_question_about_cost_takes_every_window(command: object, window: object) -> None:
    """And its own example; savings are those of now."""
    assert isinstance(command, tuple)
    assert isinstance(window, tuple)
    found = parse(f"{command[0]} {command[3]} {window[0]}")

    assert isinstance(found, CostQuestion)
    assert found.window == window[0]


def test_the_examples_of_the_help_are_questions() -> None:
    """Each can be sent as it is."""
    assert all(isinstance(parse(example), CostQuestion) for example in EXAMPLES)


@given(st.text(max_size=300))
def test_no_text_whatever_raises_and_no_name_is_more_than_a_name(text: str) -> None:
    """A name that goes on to a database or to Prometheus has only what names have."""
    found = parse(text)

    if isinstance(found, CostQuestion) and found.kind not in {*SPOKEN, "label", SAVINGS}:
        assert all(
            letter.isascii() and (letter.isalnum() or letter in "-.")
            for letter in found.name + found.namespace
        )


@given(
    st.builds(
        CostQuestion,
        kind=st.sampled_from(["namespace", "workload", "label", "node", "business-unit", SAVINGS]),
        name=st.just("api"),
        namespace=st.just(""),
        window=st.sampled_from([window.name for window in WINDOWS]),
        versus=st.booleans(),
        chart=st.booleans(),
    )
)
def test_a_question_as_text_is_the_same_question(question: CostQuestion) -> None:
    """As a button repeats it."""
    if question.kind == SAVINGS:
        question = CostQuestion(SAVINGS, "payments/api")
    if question.kind == "workload":
        question = CostQuestion(**{**question.to_json(), "namespace": "payments"})
    if question.kind == "label":
        question = CostQuestion(**{**question.to_json(), "label": "app.kubernetes.io/name"})

    assert parse(question.text) == question
    assert CostQuestion.from_json(question.to_json()) == question
