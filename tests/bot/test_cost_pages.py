"""What people read when they ask what something costs, in each place where they ask."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import cycle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from bot.cost_answer import CostAnswer, CostRefusal
from bot.cost_commands import MOST_ROWS, NotUnderstood, parse
from bot.cost_csv import cost_csv
from bot.cost_json import cost_json, dump_cost
from bot.cost_markdown import page_as_markdown
from bot.cost_memory import HoursInMemory
from bot.cost_page import compose
from bot.cost_slack import ASK, CHART, SHARE, cost_message
from bot.cost_terminal import page_as_text
from bot.cost_words import column
from bot.slack_message import SlackMessage, problems
from estimators.allocation import NANO, HourCost
from estimators.showback import Kind, Parts, Row
from tests.bot.cost_answers import QUESTIONS, answered, reply
from tests.bot.strangers import rewritten, texts
from tests.cost_samples import NOW
from tests.slack.blocks import message_problems
from tests.slack.page import page

ROOT = Path(__file__).resolve().parents[2]
ANSWERS = [name for name in QUESTIONS if isinstance(reply(QUESTIONS[name]), CostAnswer)]


@pytest.mark.parametrize("width", [40, 60, 100])
@pytest.mark.parametrize("name", ANSWERS)
def test_no_terminal_is_so_narrow_that_an_amount_is_cut(name: str, width: int) -> None:
    """What does not fit side by side stands below each other."""
    found = compose(answered(QUESTIONS[name]))
    told = " ".join(page_as_text(found, width=width).split())
    cells = [cell for row in found.table.rows for cell in row if "$" in cell] if found.table else []
    assert [cell for cell in cells if cell not in told] == []


@pytest.mark.parametrize("name", QUESTIONS)
def test_an_answer_reads_as_its_golden_files(name: str, golden: Callable[[str, str], None]) -> None:
    """In Slack, in Markdown and in a terminal."""
    said = reply(QUESTIONS[name])
    message = cost_message(said).message
    golden(f"cost/{name}.slack.json", json.dumps(message.to_json(), indent=1, ensure_ascii=False) + "\n")
    if not isinstance(said, CostRefusal | NotUnderstood):  # an error where nothing can be pressed
        golden(f"cost/{name}.md", page_as_markdown(compose(said)))
        golden(f"cost/{name}.txt", page_as_text(compose(said), width=100))


@pytest.mark.parametrize("name", ANSWERS)
def test_programs_get_the_same_numbers(name: str, golden: Callable[[str, str], None]) -> None:
    """As JSON and as CSV."""
    golden(f"cost/{name}.json", dump_cost(answered(QUESTIONS[name])))
    golden(f"cost/{name}.csv", cost_csv(answered(QUESTIONS[name])))


@pytest.mark.parametrize("name", ANSWERS)
def test_the_json_has_the_published_shape(name: str) -> None:
    """docs/cost.schema.json, and none of the schema's keys is left out."""
    schema = json.loads((ROOT / "docs" / "cost.schema.json").read_text("utf-8"))
    told = json.loads(dump_cost(answered(QUESTIONS[name])))
    Draft202012Validator(schema).validate(told)
    assert list(told) == list(schema["properties"])


@pytest.mark.parametrize("name", ANSWERS)
def test_tenants_idle_and_shared_are_the_bill(name: str) -> None:
    """Exactly, as the JSON has them; and each row is the sum of its parts."""
    told = cost_json(answered(QUESTIONS[name]))
    amount = {key: Decimal(told[key]) for key in ("bill", "tenants", "idle", "shared", "total")}
    assert amount["tenants"] + amount["idle"] + amount["shared"] == amount["bill"]
    assert sum(Decimal(row["cost"]) for row in told["rows"]) == amount["total"]
    for row in told["rows"]:
        assert sum(Decimal(row[part]) for part in Parts._fields) == Decimal(row["cost"])


@pytest.mark.parametrize("name", QUESTIONS)
def test_slack_takes_every_message(name: str) -> None:
    """By our own limits, and by those of the Slack that tests play."""
    assert takes(cost_message(reply(QUESTIONS[name])).message)


def takes(message: SlackMessage) -> bool:
    """Whether Slack would."""
    assert problems(message) == ()
    assert message_problems(list(message.blocks)) == []
    return True


def test_slack_takes_a_message_of_nothing_but_signs_to_be_escaped() -> None:
    """Each is five characters there: what does not fit is left out."""
    for name in QUESTIONS:
        said = reply(QUESTIONS[name])
        if isinstance(said, CostAnswer):
            said = of_strangers(said, ["&" * 400])
        if isinstance(said, CostRefusal):
            said = CostRefusal(("&" * 5_000, *["&" * 5_000] * 3), said.suggestions)
        if isinstance(said, NotUnderstood):
            said = NotUnderstood("&" * 5_000, "&" * 5_000)
        assert takes(cost_message(said).message)


def test_buttons_ask_for_what_they_say() -> None:
    """Share and Chart carry the question, a suggestion itself; what is shared is not shared again."""
    assert buttons("namespace payments") == {
        SHARE: "namespace payments 7d",
        CHART: "namespace payments 7d chart",
        f"{ASK}_savings": "savings payments",
    }
    assert buttons("workload payments/ledger mtd")[f"{ASK}_savings"] == "savings payments/ledger"
    assert buttons("team")[f"{ASK}_savings"] == "savings"
    assert f"{ASK}_savings" not in buttons("node n3")
    assert buttons("namespac payments") == {f"{ASK}_0": "namespace payments"}
    assert buttons("namespace paymets 30d") == {f"{ASK}_0": "namespace payments 30d"}
    shared = cost_message(reply("namespace payments chart"), shared=True).message
    assert all(block["type"] != "actions" for block in shared.blocks)
    for value in (*buttons("namespace payments").values(), *buttons("namespac payments").values()):
        assert not isinstance(parse(value), NotUnderstood)


def buttons(text: str) -> dict[str, str]:
    """Values by action id."""
    blocks = cost_message(reply(text)).message.blocks
    found = [element for block in blocks if block["type"] == "actions" for element in block["elements"]]
    return {element["action_id"]: element["value"] for element in found}


def many(rows: int, name: str = "workload") -> CostAnswer:
    """An answer with many rows of tenants, and one that nobody owns."""
    answer = answered("namespace")
    tenants = [
        Row(f"{name}-{n:04}", Kind.TENANT, Parts(cpu=n * NANO), previous=0) for n in range(rows, 0, -1)
    ]
    nobodys = Row("", Kind.UNALLOCATED, Parts(cpu=7 * NANO), previous=0)
    found = replace(answer.found, rows=(*tenants, nobodys))
    return replace(answer, found=found, question=replace(answer.question, rows=MOST_ROWS))


def test_many_rows_are_put_together_and_still_add_up() -> None:
    """The rest is one row, and what nobody owns stays a row of its own."""
    table = compose(many(200), 10).table
    assert table is not None
    names = [row[0] for row in table.rows]
    assert names[9:] == ["workload-0191", "190 more", "unallocated"]
    shown = [Decimal(re.sub(r"[$,]", "", row[1])) for row in table.rows]
    assert f"${sum(shown):,}" == table.total[1] == "$20,107"


def test_of_nothing_no_change_and_no_course_is_told() -> None:
    """A cluster without GPUs."""
    costs = HoursInMemory(NOW.replace(minute=0))
    hours = (
        HourCost(hour=NOW.replace(minute=0) - timedelta(hours=back), workloads=(), nodes=())
        for back in range(336, 0, -1)
    )
    costs.add("", hours, "USD")
    first = page_as_text(compose(answered("gpu", costs=costs)), width=100).splitlines()[0]
    assert first == "No GPU cost anything in the last 7 days."


def test_what_slack_does_not_take_comes_as_a_file() -> None:
    """Names of 300 characters: fewer rows, and all of them as CSV."""
    found = cost_message(many(60, "w" * 290))
    assert takes(found.message)
    lines = list(csv.reader(io.StringIO(found.csv)))
    assert len(lines) == 1 + 60 + 1
    assert {len(line) for line in lines} == {len(lines[0])}
    assert cost_message(many(20)).csv == ""


def test_a_spreadsheet_reckons_with_no_name() -> None:
    """A formula is a text."""
    answer = many(1, "=cmd|'/c calc'!A1")
    assert cost_csv(answer).splitlines()[1].startswith("'=cmd")


@pytest.mark.parametrize(
    ("amounts", "cells", "total"),
    [
        ((1_004_000_000, 1_004_000_000, 1_004_000_000), ["$1.01", "$1.00", "$1.00"], "$3.01"),
        ((1_000_400_000_000, 400_000_000, 400_000_000), ["$1,001", "<$1", "<$1"], "$1,001"),
        ((-5_000_000_000, 5_000_000_000), ["−$5.00", "$5.00"], "$0"),
        ((), [], "$0"),
    ],
    ids=["cents", "whole", "signs", "nothing"],
)
def test_columns_add_up_as_they_are_shown(amounts: tuple[int, ...], cells: list[str], total: str) -> None:
    """Largest remainder; what is there is never shown as nothing."""
    assert column(amounts, "USD") == (cells, total)


def of_strangers(answer: CostAnswer, texts: list[str]) -> CostAnswer:
    """The answer with every name in it written anew."""
    turn = cycle(texts)

    def write() -> str:
        return next(turn)

    found = answer.found
    return replace(
        answer,
        found=replace(
            found,
            total=replace(found.total, group=write()),
            rows=tuple(replace(row, group=write()) for row in found.rows),
            movers=tuple(mover._replace(workload=write()) for mover in found.movers),
            unowned=tuple(cause._replace(namespace=write()) for cause in found.unowned),
            notes=(write(), write()),
        ),
        clusters=(write(),),
        prices=rewritten(answer.prices, write),
        question=replace(answer.question, name=write()) if answer.question.name else answer.question,
    )


strangers = st.builds(
    of_strangers,
    st.sampled_from([answered(QUESTIONS[name]) for name in ANSWERS]),
    st.lists(texts | st.sampled_from(["&" * 400, "<!channel>" * 60]), min_size=1),
)


@settings(max_examples=150, deadline=None)
@given(strangers)
def test_no_name_becomes_a_mention_or_a_link_in_slack(answer: CostAnswer) -> None:
    """Nothing but what we wrote is markup, and Slack takes the message whatever a name holds."""
    message = cost_message(answer).message
    assert takes(message)
    drawn = page([message.to_json()], theme="light").partition('<div class="theme"')[2]
    assert drawn
    assert "<a " not in drawn
    assert "🎉" not in drawn
    assert 'class="mention' not in drawn
    assert re.search(r"<(script|img|pre|blockquote|i|s|em|del)\b", drawn) is None


@settings(max_examples=150, deadline=None)
@given(strangers)
def test_no_name_becomes_a_terminal_code(answer: CostAnswer) -> None:
    """One line a cell, and only what is seen."""
    told = page_as_text(compose(answer), width=100)
    assert [sign for sign in told if sign != "\n" and unicodedata.category(sign) in {"Cc", "Cf", "Cs"}] == []


@settings(max_examples=150, deadline=None)
@given(strangers)
def test_no_name_breaks_the_json_or_the_csv(answer: CostAnswer) -> None:
    """They are read back with as many rows."""
    assert len(json.loads(dump_cost(answer))["rows"]) == len(answer.found.rows)
    assert len(list(csv.reader(io.StringIO(cost_csv(answer))))) == len(answer.found.rows) + 1
