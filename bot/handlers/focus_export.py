"""A week of every cluster as FOCUS rows, which add up to finance's digest exactly."""

from __future__ import annotations

from bot.cost_config import owners, shared_rule
from bot.cost_ports import ChargedHours
from bot.digest_focus import ClusterLedger, focus_csv
from bot.server_config import ServerConfig
from bot.weeks import IsoWeek
from estimators.showback_ledger import ledger


def export_focus(week: IsoWeek, *, costs: ChargedHours, config: ServerConfig) -> str:
    """The CSV text. Raises StoreUnavailable."""
    rule, whose = shared_rule(config), owners(config)
    clusters = []
    for name in costs.clusters():
        window = costs.window(name, week.start, week.end)
        days = costs.days(name, week.start, week.end)
        covered = {day.start.date(): day.covered for day in days}
        clusters.append(ClusterLedger(name, window.currency, ledger(window, days, rule), covered))
    return focus_csv(clusters, lambda workload, labels: whose.of(workload, labels).team)
