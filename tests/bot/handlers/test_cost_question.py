"""Which hours answer a question, who may ask it, and what is said where there is no answer."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from bot.adapters.records import Records
from bot.cost_access import Sight, groups_that_see, sight
from bot.cost_answer import CostAnswer, CostRefusal, CostReply
from bot.cost_commands import CostQuestion, NotUnderstood
from bot.cost_json import cost_json
from bot.cost_memory import HoursInMemory
from bot.cost_page import compose
from bot.cost_ports import CostHours
from bot.cost_slack import cost_message
from bot.cost_windows import Hours, windows_until
from bot.cost_words import said
from bot.handlers.cost_question import answer_question
from bot.server_config import ServerConfig, SharedCosts, Team
from estimators.allocate import allocate
from estimators.allocation import WindowCost
from estimators.ownership import Dimension
from tests import cost_samples
from tests.bot.cost_answers import CONFIG, QUESTIONS, answered, reply, shop
from tests.cost_samples import END, HOUR, NOW


def at(year: int, month: int, day: int, hour: int = 0) -> datetime:
    """A moment in UTC."""
    return datetime(year, month, day, hour, tzinfo=UTC)


PAYMENTS = sight(CONFIG.access, {"payments-people"})


@pytest.mark.parametrize(
    ("window", "end", "asked", "before"),
    [
        ("7d", at(2026, 11, 22, 13), (15, 22, 13), at(2026, 11, 8, 13)),
        ("mtd", at(2026, 11, 22, 13), (1, 22, 0), at(2026, 10, 1)),
        ("mtd", at(2026, 11, 1), None, at(2026, 9, 1)),
    ],
    ids=["a week", "a month so far", "a month that has just ended"],
)
def test_windows_end_at_the_newest_hour(
    window: str, end: datetime, asked: tuple[int, int, int] | None, before: datetime
) -> None:
    """And are compared with as many hours before them, or of the month before."""
    found = windows_until(window, end)
    assert found.asked.end == end
    if asked:
        assert (found.asked.start.day, found.asked.end.day, found.asked.start.hour) == asked
    assert found.before.start == before
    assert found.before.end <= found.asked.start


def test_a_long_month_is_compared_with_all_of_a_short_one() -> None:
    """On 31 March there are more hours than February had."""
    found = windows_until("mtd", at(2026, 3, 31, 12))
    assert found.before == Hours(at(2026, 2, 1), at(2026, 3, 1))


def sentences(found: CostReply | NotUnderstood) -> str:
    """What is said first."""
    assert isinstance(found, CostRefusal)
    return " ".join(found.sentences)


def test_nothing_measured_yet_says_how_to_begin() -> None:
    """Which setting, and when the first hours come."""
    found = sentences(reply("namespace", costs=HoursInMemory(END)))
    assert "No hour of any cluster has been measured yet." in found
    assert "PROMETHEUS_URL" in found
    assert "minutes" in found


@pytest.mark.parametrize(
    ("text", "suggestions"),
    [
        ("namespace paymets", ["namespace payments 7d"]),
        ("namespace checkout mtd", ["team checkout mtd"]),
        ("team payment", ["team payments 7d"]),
        ("team shop", ["namespace shop 7d"]),
        ("workload shop/api", ["workload payments/api 7d"]),
        ("workload payments/ledgr vs last", ["workload payments/ledger 7d vs last"]),
        ("namespace zzz", []),
        ("application payments", ["team payments 7d", "namespace payments 7d"]),
        ("environment produktion", ["environment production 7d"]),
        ("environment production 30days", ["environment production 7d"]),
        ("business-unit retail", ["business-unit Retail Banking 7d"]),
        ("label Tiers", ["label tier 7d"]),
        ("label tier=wed", ["label tier=web 7d"]),
        ("label colour", []),
        ("node n33", ["node n3 7d"]),
    ],
)
def test_a_name_that_is_not_there_finds_those_that_are_near(text: str, suggestions: list[str]) -> None:
    """Also as another kind of thing, and in another namespace."""
    found = reply(text)
    assert isinstance(found, CostRefusal)
    assert [ask.text for ask in found.suggestions][: len(suggestions)] == suggestions
    assert bool(found.suggestions) == bool(suggestions)
    for ask in found.suggestions:
        assert isinstance(reply(ask.text), CostAnswer)


def test_access_is_by_group_and_fails_closed() -> None:
    """No group, or one that is not named: nothing; no access in the file: everything."""
    assert sight({}, ()).whole
    assert sight(CONFIG.access, {"platform"}).whole
    assert not sight(CONFIG.access, ()).covers("payments")
    assert not sight(CONFIG.access, {"other"}).covers("payments")
    assert PAYMENTS.covers("payments")
    assert not PAYMENTS.covers("payments-2")
    assert groups_that_see(CONFIG.access, "payments") == ("payments-people", "platform")
    assert groups_that_see(CONFIG.access, "shop") == ("platform",)


@pytest.mark.parametrize("name", ["shop", "not-there"])
def test_a_namespace_out_of_sight_is_refused_whether_it_is_there_or_not(name: str) -> None:
    """With who may see it, and what may be asked."""
    for text in (f"namespace {name}", f"workload {name}/api"):
        found = sentences(reply(text, sight=PAYMENTS))
        assert found == (
            f"What {name} costs is not yours to see. People in platform may. You may see payments."
        )


@pytest.mark.parametrize("kind", ["gpu", "idle", "node", "node n0", "node not-there"])
def test_nodes_are_for_those_who_see_everything(kind: str) -> None:
    """They are nobody's alone."""
    assert "only to people who may see all" in sentences(reply(kind, sight=PAYMENTS))


def test_whoever_is_in_no_group_is_told_so() -> None:
    """Rather than shown nothing."""
    assert "you are in none of the groups" in sentences(reply("namespace shop", sight=Sight(())))
    listed = answered("namespace", sight=Sight(()))
    assert listed.found.total.cost == 0


@pytest.mark.parametrize(
    "text",
    [
        "namespace",
        "team",
        "top",
        "namespace payments",
        "team checkout",
        "team vs last",
        "application",
        "application shop",
        "environment production",
        "business-unit",
        "label tier",
        "label tier=backend",
    ],
)
def test_nothing_out_of_sight_is_told(text: str) -> None:
    """Neither a row, nor a mover, nor a cause, nor the bill; what is seen costs what it costs for all."""
    found = answered(text, sight=PAYMENTS)
    message = str(cost_message(found).message.to_json())
    for hidden in ("shop/", "trainer", "indexer", "research", "models", "web", "bill ", "idle, nobody"):
        assert hidden not in message
    everything = answered("namespace payments")
    if text == "namespace":
        assert found.found.total.cost == everything.found.total.cost
        assert found.days == everything.days


@pytest.mark.parametrize(
    "text",
    [
        "team reserch",
        "team research",
        "application models",
        "environment research",
        "label tier=web",
        "label env",
    ],
)
def test_suggestions_know_only_what_is_seen(text: str) -> None:
    """A name out of sight is not there, and a typo finds none."""
    found = reply(text, sight=PAYMENTS)
    assert isinstance(found, CostRefusal)
    assert not any("research" in ask.text or "models" in ask.text for ask in found.suggestions)
    assert "web" not in str([ask.text for ask in found.suggestions])


def test_labels_that_there_are_are_named() -> None:
    """Those of workloads that may be seen."""
    assert "They had app, app_kubernetes_io_part_of, business_unit" in sentences(reply("label colour"))
    assert "env and" not in sentences(reply("label colour", sight=PAYMENTS))
    assert "--metric-labels-allowlist" in sentences(reply("label colour", sight=Sight(())))


@pytest.mark.parametrize("text", ["node", "node n3", "gpu", "idle", "top", "label tier=web", "environment"])
def test_every_answer_has_its_days(text: str) -> None:
    """As many as were asked about; those of whole days add up to what the hours of those cost."""
    found = answered(text)
    assert [day.day.day for day in found.days] == list(range(15, 23))
    whole = answered(f"{text} chart")
    for amount, drawn in zip(found.days[1:], whole.chart[1:], strict=True):
        parts = drawn.parts.idle_share if text == "idle" else sum(drawn.parts)
        assert amount.amount == parts


def test_a_node_costs_what_its_row_says() -> None:
    """In all parts, and alone."""
    rows = {row.group: row for row in answered("node").found.rows}
    one = answered("node n1").found
    assert one.total.parts == rows["n1"].parts
    assert one.total.previous == rows["n1"].previous
    assert answered("node n1").found.movers == ()


def test_a_group_costs_what_its_workloads_do() -> None:
    """By any label, whoever asks for it."""
    rows = {row.group: row.cost for row in answered("label team").found.rows}
    assert rows["checkout"] == answered("label team=Checkout").found.total.cost
    assert (
        answered("application shop").found.total.cost == answered("environment production").found.total.cost
    )


def test_a_poorly_measured_window_is_no_comparison() -> None:
    """Half of the week before is missing: no change is told, and why."""
    gap = frozenset(END - timedelta(days=7) - n * HOUR for n in range(1, 80))
    found = answered("namespace payments", costs=cost_samples.shop(16, missing=gap))
    page = compose(found)
    assert said(page.headline).startswith("payments cost $84.78 in the last 7 days. On course")
    assert any("not compared: of the week before 53" in remark for remark in page.small)
    assert not any("What moved" in said(sentence) for sentence in page.told)
    assert cost_json(found)["comparable"] is False


def test_missing_hours_are_coverage_and_a_gap_in_the_trend() -> None:
    """Nothing is stretched; a day without hours is no day of 0."""
    gone = frozenset(at(2026, 11, 19) + n * HOUR for n in range(24))
    page = compose(answered("namespace payments", costs=cost_samples.shop(16, missing=gone)))
    assert page.small[0].startswith("86\xa0% of the hours measured")
    assert page.trend[4] == "·"


def test_clusters_add_up_unless_they_count_in_several_currencies() -> None:
    """Twice the same cluster is twice the cost; euros and dollars have no sum."""
    both = cost_samples.shop(16)
    both.add("test", map(allocate, cost_samples.hours(8)), "USD")
    assert (
        answered("namespace payments", costs=both).found.total.cost
        == 2 * answered("namespace payments").found.total.cost
    )
    assert "All 2 clusters cost" in said(compose(answered("namespace", costs=both)).headline)
    both.add("euro", map(allocate, cost_samples.hours(8)), "EUR")
    assert "several currencies: euro in EUR and test in USD" in sentences(reply("idle", costs=both))


def test_a_budget_is_a_teams_or_that_of_a_namespace_which_is_all_of_a_team() -> None:
    """Else nobody set one."""
    assert answered("team CHECKOUT").budget == Decimal(600)
    assert answered("namespace payments").budget == Decimal(320)
    assert answered("namespace shop").budget is None
    wider = ServerConfig(teams=(Team("all", namespaces=("payments", "shop"), budget_monthly=Decimal(1)),))
    assert answered("namespace payments", config=wider).budget is None


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CostHours]:
    """The same cluster in a real store."""
    with closing(Records(f"sqlite:///{tmp_path_factory.mktemp('costs') / 'tuppence.db'}")) as records:
        records.prepare()
        charged = list(map(allocate, cost_samples.hours()))
        records.costs.keep("prod", charged, currency="USD", at=NOW)
        yield records.costs


@pytest.mark.parametrize(
    "text", [*(QUESTIONS[name] for name in QUESTIONS if name != "help"), "top 5 30d", "team mtd chart"]
)
def test_the_store_says_what_memory_says(text: str, stored: CostHours) -> None:
    """Every number, and the days of a chart."""
    kept, held = reply(text, costs=stored), reply(text)
    if not isinstance(kept, CostAnswer) or not isinstance(held, CostAnswer):
        assert kept == held
        return
    told, expected = cost_json(kept), cost_json(held)
    assert told == expected
    assert [day.parts for day in kept.chart] == [day.parts for day in held.chart]


class InFull(HoursInMemory):
    """The same cluster, of which all workloads are read, whoever is asked about."""

    def window(
        self,
        cluster: str,
        start: datetime,
        end: datetime,
        namespaces: Collection[str] = (),  # noqa: ARG002 - that is what it is for
    ) -> WindowCost:
        return super().window(cluster, start, end)


@pytest.fixture(scope="module")
def in_full() -> InFull:
    """As `shop`."""
    found = InFull(END)
    found.add("prod", map(allocate, cost_samples.hours()), "USD")
    return found


@pytest.mark.parametrize(
    "shared",
    [
        SharedCosts(),
        SharedCosts(("kube-system",)),
        SharedCosts(("kube-system",), "even"),
        SharedCosts(("kube-system",), "fixed", {"s*": Decimal(30), "*": Decimal("60.5")}),
        SharedCosts(("kube-system",), "central"),
    ],
    ids=["the control plane", "proportional", "even", "fixed", "central"],
)
@pytest.mark.parametrize(
    "text",
    [
        "namespace payments 30d chart",
        "namespace kube-system",
        "workload payments/ledger",
        "team checkout 30d",
        "label tier=web 30d",
    ],
)
def test_an_answer_does_not_depend_on_how_much_is_read_of_other_namespaces(
    text: str, shared: SharedCosts, in_full: InFull
) -> None:
    """All workloads of the others, or of each namespace its sum: every number, and the days of a chart."""
    config = replace(CONFIG, shared=shared)
    found, expected = answered(text, config=config), answered(text, config=config, costs=in_full)
    assert cost_json(found) == cost_json(expected)
    assert [day.parts for day in found.chart] == [day.parts for day in expected.chart]


def test_memory_gives_no_window_that_would_cut_a_piece() -> None:
    """Rather than a sum that lacks hours."""
    with pytest.raises(ValueError, match="neither midnight nor at 13:00"):
        shop().window("prod", END - 5 * HOUR, END)


def test_an_old_store_answers_with_its_newest_hour() -> None:
    """And says which that is."""
    found = answer_question(
        CostQuestion("namespace"), costs=shop(), config=CONFIG, now=NOW + timedelta(days=90)
    )
    assert isinstance(found, CostAnswer)
    assert found.until == END
    assert "until 22 Nov, 13:00 UTC" in compose(found).small[0]


@pytest.mark.parametrize(("split", "told"), [("even", "evenly"), ("central", "kept central")])
def test_how_shared_costs_are_split_is_said(split: str, told: str) -> None:
    """In the small print."""
    config = replace(CONFIG, shared=SharedCosts(("kube-system",), split))
    assert any(told in remark for remark in compose(answered("namespace", config=config)).small)


def test_ownership_and_fixed_shares_come_from_the_file() -> None:
    """Another chain of labels gives other teams; a fixed split gives payments all of what is shared."""
    chains = replace(CONFIG, ownership={Dimension.TEAM: ("app",)})
    assert "search" in {row.group for row in answered("team", config=chains).found.rows}
    fixed = SharedCosts(("kube-system",), "fixed", {"payments": Decimal(100)})
    found = answered("namespace payments", config=replace(CONFIG, shared=fixed)).found
    assert found.total.parts.shared_share == found.shared
