"""Guardrails: the lines a team draws, and which of them a report crosses.

Amounts are judged on the expected change of the rows that a guardrail speaks of, added up. A
saving never crosses an amount, and what is unknown never crosses anything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from estimators.money import NOTHING, Range, in_currency, to_cents, total
from estimators.report import Report, Row, Verdict


@dataclass(frozen=True, slots=True)
class Guardrail:
    """Crossed when any one of its thresholds is. No `environments` or `teams` means all of them.

    `monthly_increase` is in the report's currency, `percent` of what the same rows cost before;
    `verdict` is the mildest verdict of one row that crosses, `caution` or `risky`.
    """

    environments: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    monthly_increase: Decimal | None = None
    percent: Decimal | None = None
    verdict: Verdict | None = None
    message: str = ""
    approvers: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """A name for what it forbids and who may allow it, whatever its place and message: 16 digits.

        An approval is given under this name, so that it ends when the guardrail is changed.
        """
        told = (
            self.environments,
            self.teams,
            str(self.monthly_increase),
            str(self.percent),
            str(self.verdict),
            self.approvers,
        )
        return hashlib.sha256(repr(told).encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class CrossedGuardrail:
    """A guardrail that was crossed: why in words, what its authors say, who may approve all the same.

    `key` is the guardrail's.
    """

    why: str
    message: str
    approvers: tuple[str, ...]
    key: str


def judge(report: Report, guardrails: Sequence[Guardrail]) -> tuple[CrossedGuardrail, ...]:
    """The guardrails that `report` crosses, in their order."""
    crossed = []
    for guardrail in guardrails:
        rows = [row for row in report.rows if _speaks_of(guardrail, row)]
        reasons = [*_amounts(guardrail, rows, report.currency), *_verdicts(guardrail, rows)]
        if reasons:
            why = _scope(guardrail) + "; ".join(reasons)
            crossed.append(CrossedGuardrail(why, guardrail.message, guardrail.approvers, guardrail.key))
    return tuple(crossed)


def _speaks_of(guardrail: Guardrail, row: Row) -> bool:
    return (not guardrail.environments or row.identity.environment in guardrail.environments) and (
        not guardrail.teams or row.team in guardrail.teams
    )


def _amounts(guardrail: Guardrail, rows: Sequence[Row], currency: str) -> list[str]:
    change = total(row.change for row in rows).expected
    before = total(_before(row) for row in rows).expected
    reasons = []
    if guardrail.monthly_increase is not None and change > guardrail.monthly_increase:
        reasons.append(
            f"the expected change of +{in_currency(f'{to_cents(change):,}', currency)} a month is above "
            f"{in_currency(f'{guardrail.monthly_increase:,f}', currency)}"
        )
    if guardrail.percent is not None and before > 0 and change * 100 > guardrail.percent * before:
        percent = (change * 100 / before).quantize(Decimal("0.1"))
        reasons.append(f"the expected change of +{percent:,} % is above {guardrail.percent:,f} %")
    return reasons


def _before(row: Row) -> Range:
    return row.before.monthly if row.before else NOTHING


def _verdicts(guardrail: Guardrail, rows: Sequence[Row]) -> list[str]:
    crossing = {Verdict.RISKY: {Verdict.RISKY}, Verdict.CAUTION: {Verdict.RISKY, Verdict.CAUTION}}
    too_bad = crossing.get(guardrail.verdict, set()) if guardrail.verdict else set()
    count = sum(row.verdict in too_bad for row in rows)
    if not count:
        return []
    worse = (
        f"{guardrail.verdict} or worse" if guardrail.verdict is Verdict.CAUTION else str(guardrail.verdict)
    )
    return [f"{count} {'workload is' if count == 1 else 'workloads are'} {worse}"]


def _scope(guardrail: Guardrail) -> str:
    named = [*guardrail.environments, *(f"team {team}" for team in guardrail.teams)]
    return f"{', '.join(named)}: " if named else ""
