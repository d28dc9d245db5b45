"""What people read when they ask what could be saved, in each place where they ask."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bot.cost_answer import CostReply
from bot.cost_commands import SAVINGS, CostQuestion, parse
from bot.cost_markdown import page_as_markdown
from bot.cost_page import compose
from bot.cost_slack import cost_message
from bot.cost_terminal import page_as_text
from bot.digest import LeftRow
from bot.handlers.open_savings import answer_savings
from bot.recommendation_slack import ACTIONS, MODAL, REJECT, reject_modal
from bot.savings_answer import SavingsAnswer, UnderWay
from bot.savings_json import dump_savings
from bot.savings_slack import decided_in, savings_message
from bot.slack_events import Asker, ButtonPressed, HomeOpened, ModalSubmitted
from bot.slack_message import problems
from tests import week_samples as samples
from tests.bot.strangers import rewritten
from tests.slack.blocks import message_problems
from tests.slack.page import page

DOCS = Path(__file__).resolve().parents[2] / "docs"
SHAPE: dict[str, Any] = json.loads((DOCS / "savings.schema.json").read_text("utf-8"))
SCHEMA = Draft202012Validator(SHAPE)
UNLOOKED = "savings-unlooked"
QUESTIONS = {
    "savings": "savings",
    "savings-shop": "savings shop",
    "savings-none": "savings nowhere",
    UNLOOKED: "savings payments",
}


def reply(text: str, *, looked: bool = True) -> CostReply:
    """What a week's records say, or those of a bot that looked at no repository yet."""
    question = parse(text)
    assert isinstance(question, CostQuestion)
    with samples.records() as store:
        if looked:
            samples.remember(store)
        return answer_savings(
            question,
            recommendations=store.recommendations,
            decisions=store.recommendation_decisions,
            pulls=store.right_sizing,
            at=samples.NOW,
            unused=samples.UNUSED,
            web=samples.WEB,
        )


def answered(text: str, *, looked: bool = True) -> SavingsAnswer:
    found = reply(text, looked=looked)
    assert isinstance(found, SavingsAnswer)
    return found


@pytest.mark.parametrize("name", QUESTIONS)
def test_savings_read_as_their_golden_files(name: str, golden: Callable[[str, str], None]) -> None:
    """In Slack, in Markdown, in a terminal and for programs."""
    said = answered(QUESTIONS[name], looked=name != UNLOOKED)
    message = cost_message(said).message
    golden(f"cost/{name}.slack.json", json.dumps(message.to_json(), indent=1, ensure_ascii=False) + "\n")
    golden(f"cost/{name}.md", page_as_markdown(compose(said)))
    golden(f"cost/{name}.txt", page_as_text(compose(said), width=100))
    golden(f"cost/{name}.json", dump_savings(said))


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_json_has_the_published_shape(name: str) -> None:
    """docs/savings.schema.json, and none of the schema's keys is left out, however deep."""
    told = json.loads(dump_savings(answered(QUESTIONS[name], looked=name != UNLOOKED)))
    SCHEMA.validate(told)
    keys = SHAPE["properties"]
    assert list(told) == list(keys)
    for key in ("recommendations", "under_way", "left_alone"):
        for row in told[key]:
            assert list(row) == list(keys[key]["items"]["properties"])


def test_a_recommendation_is_that_of_a_digest() -> None:
    """In both published shapes, so that what reads the one reads the other."""
    digest = json.loads((DOCS / "digest.schema.json").read_text("utf-8"))["properties"]["recommendations"]
    assert SHAPE["properties"]["recommendations"]["items"] == digest["items"]


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda told: told.pop("left_counts"), id="a key is missing"),
        pytest.param(lambda told: told.update(allocated=-1.5), id="an amount is a number"),
        pytest.param(lambda told: told.update(repositories=-1), id="fewer than none"),
        pytest.param(lambda told: told["recommendations"][0].update(verdict="risky"), id="a risky one"),
        pytest.param(lambda told: told["under_way"][0].pop("told"), id="an untold one"),
    ],
)
def test_the_published_shape_refuses_what_is_none(spoil: Callable[[Any], object]) -> None:
    """Else it would hold nothing."""
    told = json.loads(dump_savings(answered("savings")))
    spoil(told)
    assert not SCHEMA.is_valid(told)


@pytest.mark.parametrize("text", ["x", "&" * 400, "<!channel>" * 60, "*_`~" * 80])
def test_slack_takes_savings_whatever_strangers_write(text: str) -> None:
    """And nothing of it is markup."""
    said = answered("savings")
    said = replace(
        said,
        question=CostQuestion(SAVINGS, text),
        items=rewritten(said.items, lambda: text) * 3,
        under_way=(UnderWay(text, text, "https://github.example/" + "x" * 2_000),) * 9,
        left_alone=(LeftRow(text, text),) * 40,
    )
    message = savings_message(said)
    assert problems(message) == ()
    assert message_problems(list(message.blocks)) == []
    drawn = page([message.to_json()], theme="light").partition('<div class="theme"')[2]
    assert drawn
    assert 'class="mention' not in drawn


def test_five_can_be_decided_about_and_the_rest_comes_next() -> None:
    """The value of each button is the recommendation's id, and the block says in which answer it stands."""
    said = answered("savings payments")
    many = replace(said, items=tuple(replace(said.items[0], id=f"{n:032x}") for n in range(9)))
    message = savings_message(many)
    rows = [block for block in message.blocks if block["type"] == "actions"]
    assert [row["block_id"] for row in rows] == [f"{n} savings payments" for n in range(1, 6)]
    values = {element["value"] for row in rows for element in row["elements"]}
    assert values == {f"{n:032x}" for n in range(5)}
    assert {element["action_id"] for element in rows[0]["elements"]} == ACTIONS
    assert "4 more, " in json.dumps(message.blocks)


ASKER = Asker("T1", "U1", "C1")
MODAL_SENT = json.loads(reject_modal("a", "b", "C1", "1.1", asked="savings shop")["private_metadata"])


@pytest.mark.parametrize(
    ("event", "asked"),
    [
        (
            ButtonPressed(ASKER, REJECT, "a", "", "t", "1.1", ephemeral=True, block_id="2 savings shop"),
            "savings shop",
        ),
        (ModalSubmitted(ASKER, MODAL, {}, json.dumps(MODAL_SENT)), "savings shop"),
        (ButtonPressed(ASKER, REJECT, "a", "", "t", "1.1", block_id="2 savings shop"), ""),
        (ButtonPressed(ASKER, REJECT, "a", "", "t", "1.1", ephemeral=True, block_id="2 node n3"), ""),
        (ButtonPressed(ASKER, "other", "a", "", "t", "1.1", ephemeral=True, block_id="2 savings"), ""),
        (ButtonPressed(ASKER, REJECT, "a", "", "t", "1.1", ephemeral=True, block_id="x" * 3000), ""),
        (ModalSubmitted(ASKER, MODAL, {}, "{"), ""),
        (ModalSubmitted(ASKER, "other", {}, json.dumps(MODAL_SENT)), ""),
        (HomeOpened(ASKER), ""),
    ],
    ids=["button", "modal", "digest", "question", "action", "forged", "broken", "other", "home"],
)
def test_where_somebody_decided_is_known(
    event: ButtonPressed | ModalSubmitted | HomeOpened, asked: str
) -> None:
    """In an answer that only they see, or elsewhere."""
    found = decided_in(event)
    assert (found.text if found else "") == asked
