"""What stands in the digest of a week: costs of that week alone, and what records remember."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.adapters.records import Records
from bot.cost_access import EVERYTHING
from bot.cost_answer import CostRefusal
from bot.cost_commands import CostQuestion
from bot.cost_memory import HoursInMemory
from bot.cost_reading import CostReading
from bot.cost_windows import Hours, Windows
from bot.digest import ALL_TEAMS, MOST_RECOMMENDED, Digest
from bot.digest_costs import WeekCosts, read_week
from bot.server_config import ServerConfig, Team
from bot.weeks import parse_week
from estimators.allocate import allocate
from estimators.allocation import as_money
from estimators.ownership import Dimension
from estimators.report import Verdict
from tests import cost_samples
from tests import week_samples as samples
from tests.week_samples import CONFIG, NOW, WEEK, digest, kept, recommendation


@pytest.fixture
def store() -> Iterator[Records]:
    """Empty records."""
    with samples.records() as found:
        yield found


def made(team: str, store: Records, **more: object) -> Digest:
    """The digest."""
    found = samples.reply(team, store, **more)  # type: ignore[arg-type]  # handed on
    assert isinstance(found, Digest)
    return found


@pytest.mark.parametrize("team", ["checkout", "search", "research"])
def test_a_team_is_told_the_cost_of_the_iso_week(team: str) -> None:
    """To the last nano-unit what the same question about that window answers."""
    windows = Windows(Hours(WEEK.start, WEEK.end), Hours(WEEK.before.start, WEEK.start))
    answer = CostReading(CostQuestion("team", team), samples.costs(), CONFIG, EVERYTHING, windows).answer()
    found = digest(team)
    assert found.total == as_money(answer.found.total.cost)
    assert found.previous == as_money(answer.found.total.previous or 0)
    assert found.coverage == 1


def test_finances_teams_add_up_to_the_bill() -> None:
    """Exactly: tenants, idle and shared costs; and each team has what its own digest says."""
    found = digest("all")
    assert found.bill is not None
    assert found.bill.tenants + found.bill.idle + found.bill.shared == found.bill.bill
    assert sum(row.total for row in found.teams) == found.bill.bill == found.total
    for row in found.teams:
        if row.kind == "tenant":
            alone = digest(row.team)
            assert (row.total, row.previous, row.budget_monthly) == (
                alone.total,
                alone.previous,
                alone.budget_monthly,
            )
            assert row.projected == pytest.approx(alone.projected, abs=Decimal("1e-6"))
            assert alone.unallocated_share == found.unallocated_share
        if row.kind == "unallocated":
            assert found.unallocated_share == round(row.total / found.bill.bill, 4)


def test_the_trend_has_the_days_of_four_weeks() -> None:
    """Those of this week, all measured, add up to its total but for how shared costs are split by the day."""
    trend = digest("checkout").trend
    assert len(trend) == 28
    assert (trend[0][0], trend[-1][0]) == (
        (WEEK.end - timedelta(28)).date(),
        (WEEK.end - timedelta(1)).date(),
    )
    assert sum(cost or 0 for _, cost in trend[-7:]) == pytest.approx(
        digest("checkout").total, rel=Decimal("0.01")
    )
    short = made_from_hours(days=10)
    assert [cost is None for _, cost in short.trend] == [True] * 18 + [False] * 10


def made_from_hours(days: int) -> Digest:
    """Checkout's digest where only the last days were measured."""
    hours = HoursInMemory(WEEK.end)
    hours.add("prod", map(allocate, cost_samples.hours(days, WEEK.end)), "USD")
    with samples.records() as store:
        return made("checkout", store, hours=hours)


def test_a_week_that_was_measured_in_part_is_not_compared() -> None:
    """Nor is it quiet; its coverage and the reason are told."""
    found = made_from_hours(days=10)
    assert (found.previous, found.movers, found.quiet) == (None, (), False)
    assert any(note.startswith("Not compared with the week before, of which ") for note in found.notes)
    part = made_from_hours(days=5)
    assert part.coverage == Decimal("0.7143")
    assert "Not compared: nothing was measured the week before." in part.notes


@pytest.mark.parametrize(
    ("week", "days", "known"),
    [
        ("2026-W44", 45, True),
        ("2026-W22", 45, True),
        ("2026-W44", 31, True),
        ("2026-W44", 28, False),
        ("2026-W47", 45, False),
    ],
    ids=["within the week", "with the week", "a day was not measured", "four days were not", "none ended"],
)
def test_what_a_month_came_to_that_ended(week: str, days: int, known: bool) -> None:
    """Each of its 31 days costs the same. What was not measured well is not known."""
    iso = parse_week(week)
    hours = HoursInMemory(iso.end)
    hours.add("prod", map(allocate, cost_samples.hours(days, iso.end)), "USD")
    found = read_week("research", iso, costs=hours, config=CONFIG)
    assert isinstance(found, WeekCosts)
    digest, closed = found.digest, found.digest.closed
    assert digest.total is not None
    assert (closed is not None) is known
    assert not closed or closed == pytest.approx(digest.total / 7 * 31, rel=Decimal("1e-6"))
    whole = read_week(ALL_TEAMS, iso, costs=hours, config=CONFIG)
    assert isinstance(whole, WeekCosts)
    [row] = [row for row in whole.digest.teams if row.team == "research"]
    assert row.closed == pytest.approx(closed, abs=Decimal("1e-6")) if closed else row.closed is None


def test_finance_is_told_of_gpus_that_nobody_held() -> None:
    """One of two, all week; a team is told of those that it held itself."""
    assert digest("all").gpu_unheld_cost == Decimal("3.40") * 168
    assert digest("research").gpu_unheld_cost is None


def test_of_several_clusters_a_mover_says_where_it_is() -> None:
    """The same workload runs in both."""
    hours = HoursInMemory(WEEK.end)
    for name in ("eu", "us"):
        hours.add(name, map(allocate, cost_samples.hours(14, WEEK.end)), "USD")
    found = read_week("search", WEEK, costs=hours, config=CONFIG)
    assert isinstance(found, WeekCosts)
    assert [mover.place for mover in found.digest.movers] == ["search/indexer in eu", "search/indexer in us"]
    assert [mover.place for mover in digest("search").movers] == ["search/indexer"]


@pytest.mark.parametrize(
    ("days", "told"),
    [(0, []), (5, ["only for 29\u00a0% of the hours that they were held"]), (7, ["for no hour"])],
)
def test_gpus_whose_use_was_not_measured_are_told(days: int, told: list[str]) -> None:
    """On so many days of the week; they are neither busy nor idle. Others held none."""
    until = WEEK.start + timedelta(days=days)
    hours = HoursInMemory(WEEK.end)
    unmeasured = (
        replace(hour, containers=tuple(replace(one, gpu_busy=None) for one in hour.containers))
        if WEEK.start <= hour.hour < until
        else hour
        for hour in cost_samples.hours(14, WEEK.end)
    )
    hours.add("prod", map(allocate, unmeasured), "USD")
    for team in ("research", "checkout"):
        found = read_week(team, WEEK, costs=hours, config=CONFIG)
        assert isinstance(found, WeekCosts)
        notes = [f"Whether GPUs were used is known {part}: dcgm-exporter measures it." for part in told]
        assert list(found.digest.notes) == (notes if team == "research" else [])


def test_nothing_measured_is_not_nothing_spent() -> None:
    """The total is not known, and what there is to approve stays."""
    found = digest("unmeasured")
    assert (found.total, found.previous, found.coverage, found.quiet) == (None, None, Decimal(0), False)
    assert len(found.recommendations) == MOST_RECOMMENDED


def test_at_most_five_recommendations_of_the_team_by_saving_for_risk() -> None:
    """The others are counted with what they would save."""
    found = digest("checkout")
    assert [item.workload for item in found.recommendations] == [
        "payments/api",
        "shop/web",
        "payments/mail",
        "payments/tax",
        "payments/cart",
    ]
    assert (found.more, found.more_saving) == (2, Decimal(-5))
    assert found.recommendations[0].address == (
        f"{samples.WEB}/shop/manifests/blob/{'a' * 40}/apps/api/deployment.yaml#L21"
    )


def test_what_is_under_way_rejected_or_put_off_is_not_proposed() -> None:
    """It is told with who said so and why, unless it is under way."""
    found = digest("checkout")
    told = {row.workload: row.reason for row in found.left_alone}
    assert told == {
        "payments/pay": "protected (INC-1234: heap dumps) until 31 March 2027",
        "payments/ledger": "Ann rejected it: month end needs it",
        "payments/batch": "Ann snoozed it until 7 December 2026",
        "volume claim payments/archive-2025 in prod": (
            "protected (audit of 2025) until 31 March 2027, says the policy of shop/manifests"
        ),
    }
    every = {item.workload for item in found.recommendations} | set(told)
    assert "payments/queue" not in every
    assert found.left_counts == {"memory-grows": 1, "protected": 1, "younger-than-the-window": 1}


def test_a_snooze_ends(store: Records) -> None:
    """Then it is proposed again."""
    samples.remember(store)
    later = made("checkout", store, at=NOW + timedelta(days=15))
    assert "snoozed" not in " ".join(row.reason for row in later.left_alone)
    assert later.more == 3


def test_other_teams_and_nobodys_savings_are_finances_alone() -> None:
    """Which counts them by team."""
    assert [item.workload for item in digest("research").recommendations] == ["ml/notebook"]
    savings = {(row.team, row.kind): row.savings for row in digest("all").teams}
    assert savings["research", "tenant"] == -310
    assert savings["unallocated", "unallocated"] == -5
    assert savings["checkout", "tenant"] == sum(
        Decimal(kept.recommendation["allocated"]) for kept in samples.OPEN if kept.team == "checkout"
    )


def test_merged_pull_requests_are_told_with_what_they_came_to() -> None:
    """Those of the week that touch the team's workloads, with the part that is the team's."""
    ours, other = digest("checkout").merged
    assert (ours.name, ours.predicted, ours.measured) == (
        "shop/manifests#28",
        Decimal(-25),
        Decimal("-22.75"),
    )
    assert (ours.ours, ours.approved_by) == (True, "Ann")
    assert (other.name, other.predicted, other.measured, other.ours) == (
        "shop/manifests#30",
        Decimal(60),
        None,
        False,
    )
    [search] = digest("search").merged
    assert (search.name, search.predicted) == ("shop/manifests#30", Decimal(90))
    assert [pull.predicted for pull in digest("all").merged] == [-25, 150]


def test_only_what_was_measured_is_compared(store: Records) -> None:
    """A part that could not be is in neither amount, and what never will be is said."""
    amounts = {("payments", "api"): "60", ("payments", "ledger"): "-10"}
    for number in (40, 41):
        store.predictions.keep(samples.prediction(number, amounts, WEEK.start))
    part = samples.measured({"production: payments/api": "55"}, ("production: payments/ledger",))
    store.predictions.finish(7, 40, part, WEEK.start + timedelta(days=6))
    store.predictions.finish(
        7, 41, samples.measured({}, ("production: payments/api",)), WEEK.start + timedelta(days=6)
    )
    store.predictions.keep(samples.prediction(42, amounts, WEEK.start, currency="EUR"))
    found = made("checkout", store)
    assert [(pull.predicted, pull.measured) for pull in found.merged] == [
        (Decimal(60), Decimal(55)),
        (Decimal(50), None),
    ]
    assert "shop/manifests#41 could not be measured." in found.notes


def test_approvals_of_the_week_are_told_with_what_became_of_them(store: Records) -> None:
    """The state of the pull request, and what it really saved once that is known."""
    samples.remember(store)
    [before] = made("checkout", store).approvals
    assert (before.workload, before.said, before.allocated) == ("payments/queue", "Ann", Decimal(-30))
    assert (before.measured, before.state) == (None, "open")
    store.predictions.keep(samples.prediction(31, {("payments", "queue"): "-30"}, WEEK.end))
    store.predictions.finish(7, 31, samples.measured({"production: payments/queue": "-28"}), NOW)
    store.right_sizing.keep(samples.pull(samples.APPROVED, 31, state="merged"))
    [after] = made("checkout", store).approvals
    assert (after.measured, after.state) == (Decimal(-28), "merged")
    assert made("search", store).approvals == ()


def test_pull_requests_that_wait_are_counted() -> None:
    """Of the team, as a sentence."""
    assert "1 right-sizing pull request waits to be merged." in digest("checkout").notes
    assert not any("waits" in note for note in digest("research").notes)


def test_what_is_merged_waits_no_more_though_no_look_has_noted_it(store: Records) -> None:
    """GitHub says so at once; repositories are looked at once a day."""
    samples.remember(store)
    store.predictions.keep(samples.prediction(31, {("payments", "queue"): "-30"}, NOW))
    found = made("checkout", store)
    assert [one.state for one in found.approvals] == ["merged"]
    assert not any("waits" in note for note in found.notes)


def test_why_there_may_be_more_to_save_is_told(store: Records) -> None:
    """No look yet, an old one, or one that was not whole."""
    assert "No repository was looked at for savings yet." in made("checkout", store).notes
    broken = tuple(f"charts/{index}: it does not render" for index in range(5))
    store.recommendations.replace(samples.scan(at=NOW - timedelta(days=9), problems=broken), samples.OPEN)
    notes = made("checkout", store).notes
    assert "shop/manifests was last looked at for savings on 14 November." in notes
    assert "shop/manifests: charts/0: it does not render" in notes
    assert "2 more remarks on what could not be looked at." in notes


def test_looks_that_failed_all_week_are_told(store: Records) -> None:
    """By name, also of a repository that nobody has ever seen the inside of; of many, how many."""
    never = replace(
        samples.scan(), repository=99, full_name="shop/new", head_sha="", problems={"rows": ["away"]}
    )
    store.recommendations.replace(never, [])
    notes = made("checkout", store).notes
    assert {"No repository was looked at for savings yet.", "shop/new: away"} <= set(notes)
    for number in range(4):
        old = replace(samples.scan(at=NOW - timedelta(days=3)), repository=number, full_name=f"shop/{number}")
        store.recommendations.replace(old, [])
    notes = made(ALL_TEAMS, store).notes
    assert "4 repositories were not looked at for savings for days, some since 20 November." in notes
    assert "No repository was looked at for savings yet." not in notes


def test_pull_requests_of_a_repository_that_is_gone_do_not_wait() -> None:
    """Nobody will merge them."""
    with samples.records() as everything:
        everything.recommendations.keep_only([])
        notes = made("checkout", everything).notes
        assert made("checkout", everything).recommendations == ()
    assert not any("waits" in note for note in notes)


@pytest.mark.parametrize(
    ("budget", "quiet"), [(None, True), (Decimal(9000), True), (Decimal(100), False)], ids=str
)
def test_a_week_is_quiet_where_nothing_is_to_be_done(
    store: Records, budget: Decimal | None, quiet: bool
) -> None:
    """Nothing moved, nothing is to be approved, and the budget is in no danger."""
    store.recommendations.replace(samples.scan(), [])
    config = replace(CONFIG, teams=(Team("research", budget_monthly=budget),))
    assert made("research", store, config=config).quiet is quiet


def test_a_week_in_which_no_repository_was_looked_at_is_not_quiet(store: Records) -> None:
    """Nobody knows whether there is something to approve."""
    found = made("research", store)
    assert not found.quiet
    assert "No repository was looked at for savings yet." in found.notes


def test_finance_is_told_how_teams_come_to_be_known(store: Records) -> None:
    """Where all that was measured is nobody's."""
    way = "No team is known: name teams in tuppence.yaml, or label workloads with team."
    nobodys = ServerConfig(ownership={Dimension.TEAM: ("nobody-has-this",)})
    assert way in made("", store, config=nobodys).notes
    assert way not in made("", store).notes


def test_a_week_with_something_to_approve_is_not_quiet(store: Records) -> None:
    """Or one whose cost moved."""
    one = kept(recommendation("notebook", "-310", namespace="ml", verdict=Verdict.CAUTION), "research")
    store.recommendations.replace(samples.scan(), [one])
    assert not made("research", store).quiet
    assert not made("checkout", store).quiet


@pytest.mark.parametrize("name", ["chekout", "Checkuot"])
def test_a_team_that_nobody_knows_is_refused_with_those_that_were_meant(store: Records, name: str) -> None:
    """As a question about its cost is."""
    found = samples.reply(name, store)
    assert isinstance(found, CostRefusal)
    assert [question.name for question in found.suggestions] == ["checkout"]


def test_a_team_may_be_named_in_any_case(store: Records) -> None:
    """The digest has it as it is written in the file."""
    assert made("CheckOut", store).team == "checkout"


def test_currencies_are_not_added_up(store: Records) -> None:
    """Clusters that count in several have no digest together."""
    hours = HoursInMemory(WEEK.end)
    for name, currency in (("a", "USD"), ("b", "EUR")):
        hours.add(name, map(allocate, cost_samples.hours(8, WEEK.end)), currency)
    assert isinstance(samples.reply("", store, hours=hours, config=ServerConfig()), CostRefusal)
