"""What stands on somebody's Home tab."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from bot.cost_access import EVERYTHING, Sight
from bot.cost_answer import CostRefusal, CostReply
from bot.cost_commands import SAVINGS, CostQuestion
from bot.handlers.cost_question import answer_question
from bot.handlers.open_savings import NOT_LOOKED
from bot.handlers.slack_home import home, my_teams
from bot.records import ShownPullRequest
from bot.savings_answer import SavingsAnswer
from bot.server_config import Approvers, ServerConfig, Team
from bot.slack_message import problems
from bot.slack_ports import SlackPerson
from bot.unused import UnusedThings
from tests.bot.digest_messages import ITEMS
from tests.bot.test_unused import FRONT, LEFT
from tests.cost_samples import NOW, shop

CHECKOUT = Team("checkout", ("payments", "shop"), approvers=Approvers(slack_group="checkout-leads"))
RESEARCH = Team("research", ("ml",), approvers=Approvers(slack_users=("U2",)))
CONFIG = ServerConfig(teams=(CHECKOUT, RESEARCH), people={"U1": "Ana"})
NOTHING = CostRefusal(NOT_LOOKED)
COSTS, HALF_OF_OCTOBER = shop(53), shop(35)
PULL = ShownPullRequest(
    repository=1,
    number=12,
    name="acme/shop#12",
    address="https://github.com/acme/shop/pull/12",
    author="ana",
    told="Risky · +$2,894 a month · needs approval",
    blocked=True,
    open=True,
    at=NOW,
)


@dataclass(frozen=True)
class Groups:
    """The port SlackPeople: who is in which group."""

    members: dict[str, set[str]] = field(default_factory=lambda: {"checkout-leads": {"U1"}})

    def person(self, user_id: str, *, fresh: bool = False) -> SlackPerson:
        raise AssertionError((user_id, fresh))

    def in_group(self, user_id: str, group: str, *, fresh: bool = False) -> bool:
        return not fresh and user_id in self.members.get(group, ())


@dataclass(frozen=True)
class Shown:
    """The port ShownPullRequests."""

    pulls: tuple[ShownPullRequest, ...] = ()

    def keep(self, pull: ShownPullRequest) -> None:
        raise AssertionError(pull)

    def note_state(self, repository: int, number: int, *, is_open: bool) -> None:
        raise AssertionError((repository, number, is_open))

    def blocked_with(self, repository: int, head_sha: str, number: int) -> Sequence[ShownPullRequest]:
        raise AssertionError((repository, head_sha, number))

    def open_ones(self, most: int) -> Sequence[ShownPullRequest]:
        return self.pulls[:most]


def ask(question: CostQuestion, seen: Sight) -> CostReply:
    return answer_question(question, costs=COSTS, config=CONFIG, now=NOW, sight=seen)


def tab(
    user: str = "U1", seen: Sight = EVERYTHING, teams: frozenset[str] = frozenset({"checkout"}), *pulls: ShownPullRequest,
    saved: SavingsAnswer | CostRefusal = NOTHING,
) -> str:  # fmt: skip
    """All text of the tab, which Slack takes."""
    made = home(user, seen=seen, teams=teams, ask=ask, config=CONFIG, shown=Shown(pulls), saved=saved)
    assert problems(made) == ()
    return str(made.blocks)


def test_my_teams_are_those_that_i_approve_for() -> None:
    """By their group or by name; all teams are everybody's where none says who approves."""
    assert my_teams("U1", CONFIG.teams, people=Groups()) == {"checkout"}
    assert my_teams("U2", CONFIG.teams, people=Groups()) == {"research"}
    assert my_teams("U3", CONFIG.teams, people=Groups()) == frozenset()
    nobodys = [replace(team, approvers=Approvers()) for team in CONFIG.teams]
    assert my_teams("U3", nobodys, people=Groups()) == {"checkout", "research"}


def test_who_approves_for_no_team_is_told_so() -> None:
    """Not that their teams cost nothing."""
    assert "You approve for no team of `tuppence.yaml`." in tab(teams=frozenset())
    assert "None of your teams has any cost that was measured." in tab(teams=frozenset({"gone"}))


def test_a_month_that_was_hardly_measured_is_no_comparison() -> None:
    """Nothing is told that its missing hours would have made."""

    def ask_then(question: CostQuestion, seen: Sight) -> CostReply:
        return answer_question(question, costs=HALF_OF_OCTOBER, config=CONFIG, now=NOW, sight=seen)

    made = home(
        "U1",
        seen=EVERYTHING,
        teams=frozenset({"checkout"}),
        ask=ask_then,
        config=CONFIG,
        shown=Shown(),
        saved=NOTHING,
    )
    text = made.blocks[1]["text"]["text"].replace("\u2060", "")
    assert text == "*checkout* $350\nNot compared: of the same days of October 19 % was measured."


def test_teams_stand_beside_the_month_before() -> None:
    """Mine alone."""
    text = tab()
    assert "*checkout* $" in text
    assert "on the same days of October" in text
    assert "research" not in text


def test_what_waits_for_approval_is_told_to_whoever_may_see_all() -> None:
    """With a link; a name is text and nothing else."""
    other = replace(PULL, number=13, author="bea", name="acme/<!channel>#13", address=PULL.address)
    quiet = replace(PULL, number=14, author="bea", blocked=False, told="Safe")
    text = tab("U1", EVERYTHING, frozenset(), PULL, other, quiet)
    assert "Waiting for approval" in text
    assert "<https://github.com/acme/shop/pull/12|acme/shop" in text
    assert "<!channel>" not in text
    assert "Safe" not in text
    assert "Waiting" not in tab("U2", Sight(("ml",)), frozenset(), PULL)


@pytest.mark.parametrize(("user", "sees"), [("U1", True), ("U2", False)])
def test_my_pull_requests_are_those_of_my_login(user: str, sees: bool) -> None:
    """As `people` says; whoever is not named there has none."""
    assert ("My pull requests" in tab(user, Sight(("shop",)), frozenset(), PULL)) is sees


def test_however_much_there_is_it_fits() -> None:
    """The rest is counted."""
    many = [replace(PULL, number=number, name="a/" + "b" * 250, told="x" * 250) for number in range(400)]
    text = tab("U1", EVERYTHING, frozenset(), *many)
    assert "more" in text


@pytest.mark.parametrize("name", ["search/indexer", "<!channel>" * 40], ids=["name", "mention"])
def test_savings_of_my_teams_stand_there_with_where_to_approve_them(name: str) -> None:
    """Five at most; whatever a name holds, it is text and it fits."""
    items = tuple(replace(ITEMS[0], id=f"{n:032x}", workload=name) for n in range(9))
    saved = SavingsAnswer(CostQuestion(SAVINGS), "USD", items, (), (), {}, {}, 1, NOW)
    made = home(
        "U1",
        seen=EVERYTHING,
        teams=frozenset({"checkout"}),
        ask=ask,
        config=CONFIG,
        shown=Shown((PULL,)),
        saved=saved,
    )
    assert problems(made) == ()
    titles = [block["text"]["text"] for block in made.blocks if block["type"] == "header"]
    assert titles == [
        "My teams this month",
        "Waiting for approval",
        "Savings worth approving",
        "My pull requests",
    ]
    text = made.blocks[5]["text"]["text"]
    assert text.startswith("*9 changes* are worth approving: *\u2212\u2060$526 a month*.\n")
    shown = text.count("CPU request")
    assert shown == 5 if name == "search/indexer" else 0 < shown <= 5
    assert f"and {9 - shown} more\n`/cost savings` in any channel" in text
    assert "<!" not in text
    assert "Savings worth approving" not in str(tab())


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (0, ""),
        (1, "1 volume or load balancer that nothing uses costs $18.25 a month: `/cost savings` names it."),
        (
            40,
            "40 volumes and load balancers that nothing uses cost $730 a month: `/cost savings` names them.",
        ),
    ],
    ids=["none", "one", "many"],
)
def test_what_nothing_uses_is_one_line_with_where_it_is_named(count: int, told: str) -> None:
    """Without a button, also where there is nothing to approve or no repository was looked at."""
    things = UnusedThings((FRONT,) * count, left=(LEFT,))
    saved = SavingsAnswer(CostQuestion(SAVINGS), "USD", (), (), (), {}, {}, 0, looked_at=None, unused=things)
    text = tab(saved=saved)
    assert told in text
    assert ("that nothing uses" in text) is bool(count)
    assert "Savings worth approving" not in text
    assert "that nothing uses" not in tab(saved=replace(saved, unused=None))
