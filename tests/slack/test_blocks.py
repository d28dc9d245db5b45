"""What Slack would refuse of Block Kit, and what it takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.slack.block_checks import Json
from tests.slack.blocks import message_problems, posted_size, view_problems
from tests.slack.examples import (
    AT_THE_LIMIT,
    CONFIRM,
    MODAL,
    Part,
    actions,
    button,
    image,
    marked,
    menu,
    options,
    plain,
    question,
    rich,
    section,
    table,
)

REFUSED: dict[str, tuple[list[Part], str]] = {
    "51 blocks": ([section()] * 51, "no more than 50 items allowed [json-pointer:/blocks]"),
    "section text": ([section("x" * 3001)], "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"),
    "empty text": ([section("")], "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
    "text as a string": ([{"type": "section", "text": "x"}], "unsupported type"),
    "empty section": ([{"type": "section"}], "must define either `text` or `fields`"),
    "11 fields": ([{"type": "section", "fields": [marked()] * 11}], "no more than 10 items"),
    "long field": ([{"type": "section", "fields": [marked("x" * 2001)]}], "/blocks/0/fields/0/text"),
    "no fields": ([{"type": "section", "fields": []}], "no fewer than 1"),
    "marked header": ([{"type": "header", "text": marked()}], "unsupported type: 'mrkdwn'"),
    "long header": ([{"type": "header", "text": plain("x" * 151)}], "less than 151"),
    "11 in context": ([{"type": "context", "elements": [marked()] * 11}], "no more than 10 items"),
    "button in context": ([{"type": "context", "elements": [button()]}], "unsupported type: 'button'"),
    "26 actions": ([actions(*(button(f"a{index}") for index in range(26)))], "no more than 25 items"),
    "no actions": ([actions()], "no fewer than 1"),
    "same action in a block": ([actions(button(), button())], "action_id 'a' already exists"),
    "long action id": ([actions(button("a" * 256))], "less than 256"),
    "long button": ([actions(button(text=plain("x" * 76)))], "less than 76"),
    "marked button": ([actions(button(text=marked()))], "unsupported type: 'mrkdwn'"),
    "long value": ([actions(button(value="v" * 2001))], "less than 2001"),
    "long link": ([actions(button(url="https://x.example/" + "x" * 3000))], "less than 3001"),
    "script link": ([actions(button(url="javascript:alert(1)"))], "invalid url"),
    "style": ([actions(button(style="warning"))], "value not allowed"),
    "unknown key of an element": ([actions(button(colour="red"))], "invalid additional property: colour"),
    "unknown key of a block": ([section(title="x")], "invalid additional property: title"),
    "unknown block": ([{"type": "video"}], "unsupported type: 'video'"),
    "confirm without title": ([actions(button(confirm={**CONFIRM, "title": None}))], "/confirm/title"),
    "long confirm": ([actions(button(confirm={**CONFIRM, "deny": plain("x" * 31)}))], "less than 31"),
    "101 options": ([actions(menu(options=options(101)))], "no more than 100 items"),
    "long option": ([actions(menu(options=[{"text": plain("x" * 76), "value": "v"}]))], "less than 76"),
    "long option value": ([actions(menu(options=[{"text": plain(), "value": "v" * 151}]))], "less than 151"),
    "option link in a menu": ([actions(menu(options=options(1, url="https://x.example")))], "property: url"),
    "no source of options": ([actions({"type": "static_select", "action_id": "m"})], "either options or"),
    "strange initial option": (
        [actions(menu(initial_option={"text": plain(), "value": "9"}))],
        "not one of the options",
    ),
    "long placeholder": ([actions(menu(placeholder=plain("x" * 151)))], "less than 151"),
    "one in overflow": ([actions({"type": "overflow", "action_id": "o", "options": options(1)})], "no fewer than 2"),
    "six in overflow": ([actions({"type": "overflow", "action_id": "o", "options": options(6)})], "no more than 5"),
    "many selected in actions": (
        [actions({"type": "multi_users_select", "action_id": "u"})],
        "unsupported type: 'multi_users_select'",
    ),
    "image without alt": ([{"type": "image", "image_url": "https://x.example"}], "missing required field: alt_text"),
    "empty alt": ([image(alt_text="")], "must be more than 0 characters"),
    "long alt": ([image(alt_text="x" * 2001)], "less than 2001"),
    "two images": ([image(slack_file={"id": "F1"})], "either `image_url` or `slack_file`"),
    "101 rows": ([table(101)], "no more than 100 items"),
    "21 columns": ([table(1, 21)], "no more than 20 items"),
    "empty cell": ([table(text="")], "must be more than 0 characters"),
    "ragged table": ([{"type": "table", "rows": [*table()["rows"], *table(1, 2)["rows"]]}], "same number of cells"),
    "two tables": ([table(), table()], "only_one_table_allowed"),
    "long table": ([table(100, 1, "x" * 101)], "no more than 10000 characters"),
    "long markdown": ([{"type": "markdown", "text": "x" * 6001}] * 2, "less than 12001 characters in all"),
    "same block id": ([section(block_id="b"), section(block_id="b")], "block_id 'b' already exists"),
    "long block id": ([section(block_id="b" * 256)], "less than 256"),
    "empty rich text": ([rich()], "no fewer than 1"),
    "unknown run": ([rich({"type": "bold", "text": "x"})], "unsupported type: 'bold'"),
}  # fmt: skip


@pytest.mark.parametrize("blocks", AT_THE_LIMIT.values(), ids=AT_THE_LIMIT.keys())
def test_slack_takes_what_is_at_a_limit(blocks: list[Part]) -> None:
    """Nothing is refused that the documentation allows."""
    assert [str(it) for it in message_problems(blocks)] == []


@pytest.mark.parametrize(("blocks", "problem"), REFUSED.values(), ids=REFUSED.keys())
def test_slack_refuses_what_is_over_a_limit(blocks: list[Part], problem: str) -> None:
    """The problem says what and where."""
    assert any(problem in str(it) for it in message_problems(blocks))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        pytest.param({"title": plain("x" * 25)}, "less than 25", id="title"),
        pytest.param({"submit": plain("x" * 25)}, "less than 25", id="submit"),
        pytest.param({"close": marked()}, "unsupported type: 'mrkdwn'", id="close"),
        pytest.param({"private_metadata": "x" * 3001}, "less than 3001", id="metadata"),
        pytest.param({"callback_id": "x" * 256}, "less than 256", id="callback"),
        pytest.param({"blocks": [section()] * 101}, "no more than 100 items", id="blocks"),
        pytest.param({"blocks": []}, "no fewer than 1", id="empty"),
        pytest.param({"blocks": [table()]}, "unsupported type: 'table'", id="table"),
        pytest.param({"blocks": [question()]}, "missing required field: submit", id="input"),
        pytest.param({"hash": "x"}, "invalid additional property: hash", id="unknown key"),
        pytest.param({"type": "workflow_step"}, "unsupported type", id="type"),
        pytest.param(
            {
                "submit": plain(),
                "blocks": [
                    question({"type": "plain_text_input", "action_id": "q", "focus_on_load": True})
                    for _ in "ab"
                ],
            },
            "only one element can have the focus",
            id="focus",
        ),
    ],
)
def test_a_modal_has_limits_of_its_own(change: Part, problem: str) -> None:
    """One change makes a fine modal a bad one."""
    assert view_problems(MODAL) == []
    assert any(problem in str(it) for it in view_problems({**MODAL, **change}))


def test_a_home_tab_has_no_title() -> None:
    """100 blocks, and none of a modal's texts."""
    assert view_problems({"type": "home", "blocks": [section()] * 100}, "home") == []
    assert view_problems({**MODAL, "type": "home"}, "home") != []


@pytest.mark.parametrize(
    ("attachment", "problem"),
    [
        pytest.param({"color": "#f00"}, "no text, fallback or blocks", id="empty"),
        pytest.param({"fallback": "x", "blocks": [section()] * 51}, "no more than 50 items", id="blocks"),
        pytest.param({"fallback": "x", "markdown": True}, "invalid additional property", id="unknown key"),
    ],
)
def test_attachments_are_checked_too(attachment: Part, problem: str) -> None:
    """Also the blocks inside them."""
    assert message_problems(None, [{"fallback": "x", "blocks": [table()]}]) == []
    assert any(problem in str(it) for it in message_problems(None, [attachment]))


def test_a_table_does_not_count_for_the_length_of_a_message() -> None:
    """What `msg_blocks_too_long` counts is text."""
    assert posted_size([table(100, 20)]) == 0
    assert posted_size([section("x" * 3000)] * 4) > 12_000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["type", "text", "elements", "rows", "options", "accessory", "element", "slack_file"]),
        inner | st.sampled_from(["section", "actions", "table", "rich_text", "input", "static_select", "image"]),
        max_size=4,
    ),
)  # fmt: skip


@given(JSON)
def test_no_json_breaks_the_checks(value: Json) -> None:
    """Whatever is sent is refused in words."""
    for problem in (*message_problems(value, value), *view_problems(value), *view_problems(value, "home")):
        assert "[json-pointer:/" in str(problem)
