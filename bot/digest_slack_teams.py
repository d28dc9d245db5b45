"""The table of all teams in finance's digest: what each spent, where its month goes, what it could save."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from bot.cost_words import column, share
from bot.digest import Digest, TeamWeek
from bot.inert import plain
from bot.slack_message import Block
from bot.words import count, money
from estimators.allocation import as_nano

MOST_TEAMS = 30
"""More rows nobody reads in a message; a table of Slack's has a hundred."""
_TENANT = "tenant"
_HEADS = ("Team", "Spent", "Change", "Budget", "On course", "Idle", "To save")
_LONGEST_NAME = 60
_UNKNOWN = "—"
_WHOLE_FROM = Decimal(100)


def teams_table(digest: Digest, rows: int) -> Block:
    """The dearest teams, the others as one, what is no team's, and the sum; columns add up as shown."""
    teams = sorted(
        (row for row in digest.teams if row.kind == _TENANT), key=lambda team: (-team.total, team.team)
    )
    shown, others = teams[:rows], teams[rows:]
    if others:
        shown.append(_together(count(len(others), "other team"), others))
    shown += [row for row in digest.teams if row.kind != _TENANT]
    cells = list(zip(*_columns(shown, digest), strict=True))
    told = [
        [
            _cell(plain(team.team, _LONGEST_NAME)),
            *(_cell(cell, bold=_is_over(team, at)) for at, cell in enumerate(row)),
        ]
        for team, row in zip(shown, cells, strict=False)
    ]
    total = [_cell(cell, bold=True) for cell in ("All", *cells[-1])]
    right = {"align": "right"}
    return {
        "type": "table",
        "column_settings": [{"is_wrapped": True}, *(right for _ in _HEADS[1:])],
        "rows": [[_cell(head) for head in _HEADS], *told, total],
    }


def _together(name: str, teams: Sequence[TeamWeek]) -> TeamWeek:
    """Several teams as one row; what is not known of one of them is not known."""
    return TeamWeek(
        name,
        sum((team.total for team in teams), Decimal(0)),
        _sum(team.previous for team in teams),
        _sum(team.budget_monthly for team in teams),
        _sum(team.projected for team in teams),
        None,
        sum((team.savings for team in teams), Decimal(0)),
    )


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    total = Decimal(0)
    for each in amounts:
        if each is None:
            return None
        total += each
    return total


def _columns(teams: Sequence[TeamWeek], digest: Digest) -> Iterator[list[str]]:
    """The cells of each column below its head, the sum last; `—` where nothing is known."""
    currency = digest.currency
    cells, total = column([as_nano(team.total) for team in teams], currency, whole_from=_WHOLE_FROM)
    yield [*cells, total]
    moved = [None if team.previous is None else team.total - team.previous for team in teams]
    yield _some(moved, _change(digest), currency, signed=True)
    yield _some([team.budget_monthly for team in teams], digest.budget_monthly, currency)
    yield _some([team.projected for team in teams], digest.projected, currency)
    idle = [_share(team.idle_share) for team in teams]
    yield [*idle, _share(digest.idle_share)]
    # Nothing found to save is not nothing to save: a team's manifests may be where nobody looks.
    saved = [abs(team.savings) or None for team in teams]
    yield _some(saved, sum(filter(None, saved), Decimal(0)) if any(saved) else None, currency)


def _change(digest: Digest) -> Decimal | None:
    if digest.total is None or digest.previous is None:
        return None
    return digest.total - digest.previous


def _some(
    amounts: Sequence[Decimal | None], whole: Decimal | None, currency: str, *, signed: bool = False
) -> list[str]:
    """A column of which some amounts are not known; then the last cell is what is known of them all."""
    known = [as_nano(each) for each in amounts if each is not None]
    cells, total = column(known, currency, signed=signed, whole_from=_WHOLE_FROM)
    turn = iter(cells)
    told = [_UNKNOWN if each is None else next(turn) for each in amounts]
    if len(known) < len(amounts):
        total = _UNKNOWN if whole is None else money(whole, currency, signed=signed)
    return [*told, total]


def _share(part: Decimal | None) -> str:
    return _UNKNOWN if part is None else share(float(part))


def _is_over(team: TeamWeek, column: int) -> bool:
    """Whether the cell is where the month goes, and that is over the budget."""
    over = None not in (team.projected, team.budget_monthly) and team.projected > team.budget_monthly  # type: ignore[operator]
    return over and _HEADS[column + 1] == "On course"


def _cell(text: str, *, bold: bool = False) -> Block:
    if not bold:
        return {"type": "raw_text", "text": text or " "}
    run = {"type": "text", "text": text or " ", "style": {"bold": True}}
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [run]}]}
