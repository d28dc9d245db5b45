"""Somebody's Home tab in Slack: their teams this month, approvals that are wanted, their pull requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from bot.cost_access import Sight
from bot.cost_answer import CostAnswer, CostRefusal, CostReply
from bot.cost_commands import MOST_ROWS, CostQuestion
from bot.cost_page import compose
from bot.cost_small_print import is_compared, not_compared
from bot.cost_words import amount, compared, said, window_before
from bot.digest import MOST_RECOMMENDED
from bot.recommendation_slack import changes_in_short, kept, linked
from bot.records import ShownPullRequest
from bot.review_ports import ShownPullRequests
from bot.savings_answer import SavingsAnswer
from bot.savings_words import headline
from bot.server_config import ServerConfig, Team
from bot.slack_message import Block, SlackMessage, fitted, mrkdwn
from bot.slack_ports import SlackPeople
from bot.unused_words import in_short
from bot.words import money

MOST_LISTED = 20
_MOST_READ = 500
_HINT = (
    "Ask `/cost namespace payments`, `/cost team checkout` or `/cost help` in any channel: "
    "only you see the answer."
)
_MONTH = CostQuestion("team", window="mtd", versus=True, rows=MOST_ROWS)


def my_teams(user_id: str, teams: Sequence[Team], *, people: SlackPeople) -> frozenset[str]:
    """The names of the teams that somebody approves for; all where no team says who does in Slack."""
    named = [team for team in teams if team.approvers.slack_group or team.approvers.slack_users]
    mine = {
        team.name
        for team in named
        if user_id in team.approvers.slack_users or people.in_group(user_id, team.approvers.slack_group)
    }
    return frozenset(mine if named else {team.name for team in teams})


def home(
    user_id: str,
    *,
    seen: Sight,
    teams: frozenset[str],
    ask: Callable[[CostQuestion, Sight], CostReply],
    config: ServerConfig,
    shown: ShownPullRequests,
    saved: SavingsAnswer | CostRefusal,
) -> SlackMessage:
    """The tab; `saved` is what could be saved of their teams, as far as they see it. Raises StoreUnavailable.

    Approvals of all repositories are told to those who may see all namespaces; one's own pull requests
    to whom `people` names.
    """
    reply = ask(_MONTH, seen)
    pulls = shown.open_ones(_MOST_READ)
    login = config.people.get(user_id, "").lower()
    wanted = [pull for pull in pulls if pull.blocked and seen.whole]
    mine = [pull for pull in pulls if login and pull.author.lower() == login]

    def render(rows: int) -> SlackMessage:
        blocks = [
            _header("My teams this month"),
            _text("\n".join(_teams(reply, teams, rows))),
            *_listed("Waiting for approval", wanted, rows),
            *_worth_approving(saved, rows),
            *_unused(saved),
            *_listed("My pull requests", mine, rows),
            {"type": "context", "elements": [{"type": "mrkdwn", "text": _HINT}]},
        ]
        return SlackMessage("What your teams cost", tuple(blocks))

    return fitted(render, MOST_LISTED)[0]


def _teams(reply: CostReply, teams: frozenset[str], rows: int) -> Iterator[str]:
    if not isinstance(reply, CostAnswer):
        yield mrkdwn(said(compose(reply).headline))
        return
    before = window_before(reply.question.window, reply.windows)
    found = [row for row in reply.found.rows if row.group in teams]
    for row in found[:rows]:
        told = f"*{mrkdwn(row.group)}* {amount(row.cost, reply.currency)}"
        if row.previous is not None and is_compared(reply):
            moved = compared(row.cost, row.previous, reply.currency, before)
            told += ", " + "".join(f"*{words.text}*" if words.strong else words.text for words in moved)
        yield told
    if len(found) > rows:
        yield f"and {len(found) - rows} more: `/cost team mtd`"
    if found and not is_compared(reply):
        why = not_compared(reply)
        yield mrkdwn(f"{why[:1].upper()}{why[1:]}.")
    if not teams:
        yield "You approve for no team of `tuppence.yaml`. `/cost team` lists all that you may see."
    elif not found:
        yield "None of your teams has any cost that was measured. `/cost team` lists all that you may see."


def _worth_approving(saved: SavingsAnswer | CostRefusal, rows: int) -> Iterator[Block]:
    """The best of them, and where they can be approved: nobody looks at a tab for as long as that takes."""
    if not isinstance(saved, SavingsAnswer) or not saved.items:
        return
    yield _header("Savings worth approving")
    shown = saved.items[: min(rows, MOST_RECOMMENDED)]
    lines = ["".join(f"*{part.text}*" if part.strong else part.text for part in headline(saved))]
    for item in shown:
        saving = money(item.allocated, saved.currency, signed=True)
        lines.append(f"• *{saving}* {linked(item.address, item.workload)}: {mrkdwn(changes_in_short(item))}")
    if len(saved.items) > len(shown):
        lines.append(f"and {len(saved.items) - len(shown):,} more")
    lines.append("`/cost savings` in any channel shows them with *Approve*, *Reject*, *Snooze* and *Why?*")
    yield _text(kept("\n".join(lines)))


def _unused(saved: SavingsAnswer | CostRefusal) -> Iterator[Block]:
    """How much stands there that nothing uses: it has no buttons, and where it is named is enough."""
    if isinstance(saved, SavingsAnswer) and saved.unused and saved.unused.count:
        yield _text(in_short(saved.unused, saved.currency, "`/cost savings`"))


def _listed(title: str, pulls: Sequence[ShownPullRequest], rows: int) -> Iterator[Block]:
    if not pulls:
        return
    yield _header(title)
    lines = [f"<{pull.address}|{mrkdwn(pull.name)}> {mrkdwn(pull.told)}" for pull in pulls[:rows]]
    if len(pulls) > rows:
        lines.append(f"and {len(pulls) - rows} more")
    yield _text("\n".join(lines))


def _header(text: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": text}}


def _text(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}
