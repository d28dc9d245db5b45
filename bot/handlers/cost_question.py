"""Answer a question about cost from the hours that are kept: the newest there are, and those before them."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.cost_access import EVERYTHING, Sight, groups_that_see
from bot.cost_answer import CostHelp, CostRefusal, CostReply
from bot.cost_commands import OF_NODES, CostQuestion
from bot.cost_ports import ChargedHours
from bot.cost_reading import CostReading, listed
from bot.cost_windows import windows_until
from bot.server_config import ServerConfig

LOOK_BACK = (timedelta(days=2), timedelta(days=400))
"""Where the newest hour is looked for: mostly it is minutes old."""
NOTHING_YET = (
    "No hour of any cluster has been measured yet.",
    "Name clusters and their Prometheus in tuppence.yaml, or set PROMETHEUS_URL.",
    "Then keep tuppence serve running: the first hours are there a few minutes after its start.",
)
_DAY = timedelta(days=1)


def answer_question(
    question: CostQuestion,
    *,
    costs: ChargedHours,
    config: ServerConfig,
    now: datetime,
    sight: Sight = EVERYTHING,
) -> CostReply:
    """The answer, or why there is none and what could be asked instead.

    Whoever asks learns nothing of a namespace outside `sight`, not even whether it is there. Raises
    StoreUnavailable.
    """
    if question.kind == "help":
        return CostHelp()
    if refusal := _out_of_sight(question, config, sight):
        return refusal
    clusters = costs.clusters()
    end = max(filter(None, (_newest(costs, cluster, now) for cluster in clusters)), default=None)
    if end is None:
        return CostRefusal(NOTHING_YET)
    reading = CostReading(question, costs, config, sight, windows_until(question.window, end))
    return reading.refusal() or reading.answer()


def _newest(costs: ChargedHours, cluster: str, now: datetime) -> datetime | None:
    """The end of the newest hour of which anything was measured."""
    for back in LOOK_BACK:
        kept = [
            each.hour for each in costs.kept(cluster, _hour(now - back), _hour(now) + _DAY) if each.covered
        ]
        if kept:
            return kept[-1] + timedelta(hours=1)
    return None


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _out_of_sight(question: CostQuestion, config: ServerConfig, sight: Sight) -> CostRefusal | None:
    """A namespace that may not be seen is refused before anything is read of it."""
    if sight.whole:
        return None
    if question.kind in OF_NODES:
        return CostRefusal(
            (
                "Nodes serve all namespaces at once, so this is told only to people who may see all of them.",
                f"You may see {listed(sight.patterns or ())}.",
            )
        )
    namespace = question.namespace or (question.name if question.kind == "namespace" else "")
    if not namespace or sight.covers(namespace):
        return None
    groups = groups_that_see(config.access, namespace)
    who = (
        f"People in {listed(groups, 'or')} may"
        if groups
        else "Nobody may, until access in tuppence.yaml says so"
    )
    return CostRefusal(
        (
            f"What {namespace} costs is not yours to see. {who}.",
            f"You may see {listed(sight.patterns or ())}.",
        )
    )
