"""What a team reads in Slack on Monday, and finance: golden files, Slack's limits, and strangers' texts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from itertools import cycle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.digest import Digest, DigestItem, ItemState, TeamWeek
from bot.digest_slack import Picture, digest_message
from bot.recommendation_slack import ACTIONS, APPROVE, reject_modal, why_message
from bot.slack_message import SlackMessage, problems
from bot.unused import UnusedThings
from estimators.recommendation import Recommendation
from estimators.unused import CLAIM
from tests.bot.decidable import FOUND
from tests.bot.digest_messages import DECIDED, EVERY_STATE, ITEMS, QUIET, TEAM, UNMEASURED, UNUSED, finance
from tests.bot.strangers import NASTY, rewritten, texts
from tests.slack.blocks import message_problems, posted_size, view_problems

PICTURE = Picture("F000000001", "Bar chart of 28 days: about $1,300 a day")
MESSAGES: dict[str, Callable[[], SlackMessage]] = {
    "team": lambda: digest_message(TEAM, {}, PICTURE),
    "decided": lambda: digest_message(TEAM, DECIDED),
    "quiet": lambda: digest_message(QUIET, {}, PICTURE),
    "unmeasured": lambda: digest_message(UNMEASURED, {}),
    "finance": lambda: digest_message(finance(), {}, PICTURE),
    "why": lambda: why_message(FOUND, "USD"),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_reads_as_its_golden_file(name: str, golden: Callable[[str, str], None]) -> None:
    """The same facts, the same message."""
    message = taken(MESSAGES[name]())
    golden(f"digest/{name}.slack.json", json.dumps(message.to_json(), indent=1, ensure_ascii=False) + "\n")


def taken(message: SlackMessage) -> SlackMessage:
    """What Slack takes, by our own limits and by those of the Slack that tests play."""
    assert problems(message) == ()
    assert message_problems(list(message.blocks)) == []
    assert posted_size(list(message.blocks)) <= 13_200
    return message


def read(message: SlackMessage) -> str:
    return json.dumps(message.blocks, ensure_ascii=False)


def test_a_quiet_week_is_one_line() -> None:
    """With neither a picture nor a button."""
    [block] = taken(digest_message(QUIET, {}, PICTURE)).blocks

    assert block["text"]["text"].endswith("Little moved, the budget holds, and there is nothing to approve.")
    assert "\n" not in block["text"]["text"]
    quiet = replace(finance(), notes=(), coverage=Decimal(1), unused=None, quiet=True)
    assert len(taken(digest_message(quiet, {})).blocks) == 1


def test_days_before_anything_was_measured_are_not_drawn() -> None:
    """The first week of all is a row of seven bars, and is called so."""
    first = replace(
        TEAM, trend=tuple((at, cost if n > 20 else None) for n, (at, cost) in enumerate(TEAM.trend))
    )
    assert " the last 7 days" in read(digest_message(first, {}))
    assert " the last four weeks" in read(digest_message(TEAM, {}))


def test_a_quiet_week_does_not_hide_what_waits() -> None:
    """What is to be merged, or could not be looked at, is small print below the line."""
    waits = "1 right-sizing pull request waits to be merged."
    _, small = taken(digest_message(replace(QUIET, notes=(waits,)), {})).blocks

    assert (small["type"], small["elements"][0]["text"]) == ("context", waits)


def test_every_recommendation_can_be_decided() -> None:
    """Four buttons each, that carry its id and nothing else; an approval says what it does."""
    message = taken(digest_message(TEAM, {}))
    rows = [block["elements"] for block in message.blocks if block["type"] == "actions"]

    assert [{each["value"] for each in row} for row in rows] == [{item.id} for item in ITEMS]
    assert all({each["action_id"] for each in row} == ACTIONS for row in rows)
    confirm = rows[0][0]["confirm"]["text"]["text"]
    assert "pull request in acme/shop: CPU request 2 → 1200m. Nothing is merged" in confirm
    assert [each["action_id"] for row in rows for each in row if "confirm" in each] == [APPROVE] * 3


@pytest.mark.parametrize("state", EVERY_STATE, ids=lambda state: state.state)
def test_after_a_decision_its_buttons_give_way_to_one_line(state: ItemState) -> None:
    """The other recommendations keep theirs; the line says who, and where it goes on."""
    message = taken(digest_message(TEAM, {ITEMS[0].id: state}))
    shown = read(message)

    assert f'"{ITEMS[0].id}"' not in shown
    assert "*Worth approving*: −⁠$2,520 a month" in shown
    assert f'"{ITEMS[1].id}"' in shown
    assert state.said in shown
    assert state.why in shown.replace("\u2060", "")
    if state.address:
        assert f"<{state.address}|pull request>" in shown


def test_when_all_is_decided_that_is_said() -> None:
    """Nothing is worth approving any more."""
    states = {item.id: EVERY_STATE[0] for item in ITEMS}

    assert "*Worth approving*: all is decided" in read(taken(digest_message(TEAM, states)))


def test_finance_gets_a_table_that_adds_up_and_no_buttons() -> None:
    """Who owns it decides; what is over its budget stands out."""
    message = taken(digest_message(finance(), {}, PICTURE))
    [table] = [block for block in message.blocks if block["type"] == "table"]
    first = [row[0].get("text", "") for row in table["rows"]]

    assert first[:3] == ["Team", "checkout", "research"]
    assert first[-3:-1] == ["unallocated", "idle"]
    assert all(block["type"] != "actions" for block in message.blocks)
    assert "$22,390" in read(message)
    research = table["rows"][2]
    assert [cell["type"] for cell in research].count("rich_text") == 1


def many(teams: int) -> Digest:
    """Finance's digest of a large company, with names as long as Kubernetes has them."""
    digest = finance(teams)
    rows = tuple(row._replace(team=f"{'n' * 58}-{at:03}") for at, row in enumerate(digest.teams))
    return replace(digest, teams=rows)


@pytest.mark.parametrize("teams", [1, 30, 31, 200, 500])
def test_many_teams_fit_and_still_add_up(teams: int) -> None:
    """The dearest have a row of their own, the others share one."""
    for digest in (finance(teams), many(teams)):
        message = taken(digest_message(digest, {}, PICTURE))
        [table] = [block for block in message.blocks if block["type"] == "table"]
        spent = [row[1]["text"] for row in table["rows"][1:-1]]
        total = table["rows"][-1][1]["elements"][0]["elements"][0]["text"]
        assert sum(map(_cents, spent)) == _cents(total)


def _cents(text: str) -> Decimal:
    return Decimal(text.replace("$", "").replace(",", ""))


def test_a_digest_of_500_namespaces_fits() -> None:
    """Five hundred of everything, with names as long as Kubernetes has them."""
    name = f"{'namespace' * 7}/{'workload' * 7}"
    items = tuple(replace(ITEMS[at % 3], id=f"{at:032x}", workload=name) for at in range(5))
    crowded = replace(
        TEAM,
        team="t" * 100,
        movers=TEAM.movers * 100,
        merged=TEAM.merged * 100,
        approvals=TEAM.approvals * 100,
        recommendations=items,
        more=495,
        left_alone=TEAM.left_alone * 500,
        left_counts={f"reason-{at}": at for at in range(40)},
        notes=("n" * 300,) * 50,
        unused=UnusedThings(
            tuple(replace(UNUSED.things[0], namespace="n" * 63, name="c" * 253) for _ in range(500))
        ),
    )
    message = taken(digest_message(crowded, {}, PICTURE))

    assert read(message).count(APPROVE) == 5
    assert r"\n• and 495 more\n" in read(message)


@settings(max_examples=60, deadline=None)
@given(st.lists(texts, min_size=1, max_size=12), st.booleans())
def test_strangers_write_text_and_nothing_else(written: list[str], finances: bool) -> None:
    """No mention, link, markup or broken message comes out of a name, a reason or a cause."""
    turn = cycle(written)
    changed = of_strangers(finance() if finances else TEAM, lambda: next(turn))
    state = ItemState("rejected", said=next(turn), why=next(turn), address=next(turn))
    inert(taken(digest_message(changed, {changed.recommendations[0].id: state})))


@pytest.mark.parametrize("whole", [TEAM, finance(90), QUIET], ids=["team", "finance", "quiet"])
@pytest.mark.parametrize("longest", ["&", "<", '"', "\\", "🐙", "w", "_", "@"])
def test_a_digest_fits_whatever_is_written_and_however_long(whole: Digest, longest: str) -> None:
    """Five of the longest there can be are still decided, the rest is told in fewer words or elsewhere."""
    digest = of_strangers(whole, lambda: longest * 400)
    items = tuple(_item(digest.recommendations[0], at) for at in range(5)) if digest.recommendations else ()
    named = {"oom-killed": (longest * 400,) * 3}
    crowded = replace(
        digest,
        recommendations=items,
        movers=digest.movers * 3,
        merged=digest.merged * 20,
        approvals=digest.approvals * 20,
        left_alone=digest.left_alone * 20,
        left_names=named,
        notes=(longest * 400,) * 40,
        closed=Decimal(10),
    )
    message = taken(digest_message(crowded, {}, PICTURE if whole is TEAM else None))

    assert read(message).count(f'"{APPROVE}"') == (5 if whole is TEAM else 0)


def of_strangers(digest: Digest, write: Callable[[], str]) -> Digest:
    """One in which strangers wrote every text."""
    changed: Digest = rewritten(digest, write)
    unused = changed.unused
    return replace(
        changed,
        team=digest.team and changed.team,
        week="2026-W47",
        currency="USD",
        left_counts={"oom-killed": 1},
        left_names={"oom-killed": (write(),)},
        approvals=tuple(one._replace(state="open") for one in changed.approvals),
        teams=tuple(row._replace(kind="tenant") for row in changed.teams),
        recommendations=tuple(_item(item, at) for at, item in enumerate(changed.recommendations)),
        unused=unused and UnusedThings(tuple(replace(thing, kind=CLAIM) for thing in unused.things)),
    )


def _item(item: DigestItem, at: int) -> DigestItem:
    return replace(item, id=f"{at:032x}", values=ITEMS[at % 3].values)


def inert(message: SlackMessage) -> None:
    for block in message.blocks:
        for part in _marked(block):
            rest = part
            for link in _links(part):
                rest = rest.replace(link, "")
            assert "<" not in rest
            assert "@channel" not in rest
            assert "://" not in rest


def _marked(part: object) -> list[str]:
    if isinstance(part, dict):
        own = [part["text"]] if part.get("type") == "mrkdwn" else []
        return own + [text for inner in part.values() for text in _marked(inner)]
    return [text for inner in part for text in _marked(inner)] if isinstance(part, list | tuple) else []


def _links(text: str) -> list[str]:
    return [
        f"<{rest.partition('>')[0]}>"
        for rest in text.split("<")[1:]
        if rest.startswith(("http://", "https://"))
    ]


@pytest.mark.parametrize("text", NASTY)
def test_a_question_and_its_answer_are_inert_too(text: str) -> None:
    """The modal, and all that Why? tells."""
    found: Recommendation = replace(
        rewritten(FOUND, lambda: text), changes=FOUND.changes, key=FOUND.key._replace(name=text)
    )
    inert(taken(why_message(found, "USD")))
    modal = reject_modal("0" * 32, text, "C1", "1.1")
    assert view_problems(modal, "modal") == []
    inert(SlackMessage("x", tuple(modal["blocks"][:1])))


def test_much_evidence_is_cut_between_lines() -> None:
    """And it is said how much is missing."""
    found = replace(FOUND, evidence={f"fact {at}": "x" * 200 for at in range(60)}, risks=("r" * 280,) * 40)

    assert "more" in read(taken(why_message(found, "USD")))


def test_a_team_without_savings_is_no_saving_of_nothing() -> None:
    """Unknown stays unknown in every column."""
    row = TeamWeek("new", Decimal(10), None, None, None, None, Decimal(0))
    message = taken(digest_message(replace(finance(0), teams=(row,)), {}))

    assert read(message).count('"—"') >= 4
