"""Answers about the made-up clusters of tests/cost_samples.py, by the names of their golden files."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

from bot.cost_access import EVERYTHING, Sight
from bot.cost_answer import CostAnswer, CostReply
from bot.cost_commands import NotUnderstood, parse
from bot.cost_memory import HoursInMemory
from bot.cost_ports import ChargedHours
from bot.handlers.cost_question import answer_question
from bot.server_config import ServerConfig, SharedCosts, Team
from tests import cost_samples
from tests.cost_samples import NOW

CONFIG = ServerConfig(
    teams=(
        Team("checkout", budget_monthly=Decimal(600)),
        Team("payments", namespaces=("payments",), budget_monthly=Decimal(320)),
    ),
    access={"payments-people": ("payments",), "platform": ("*",)},
    shared=SharedCosts(("kube-system",)),
)
QUESTIONS = {
    "namespace": "namespace",
    "namespace-payments": "namespace payments",
    "namespace-payments-30d": "namespace payments 30d",
    "namespace-shared": "namespace kube-system",
    "team": "team",
    "team-checkout": "team Checkout",
    "team-vs-last": "team checkout vs last",
    "application": "application",
    "application-shop": "application Shop",
    "environment": "environment 30d",
    "environment-production": "environment production",
    "business-unit": "business-unit",
    "business-unit-retail": "business-unit Retail Banking",
    "label": "label tier",
    "label-value": "label tier=web vs last",
    "workload": "workload payments/ledger mtd",
    "node": "node",
    "node-one": "node n3",
    "gpu": "gpu",
    "top": "top 3",
    "idle": "idle",
    "help": "help",
    "unknown-name": "namespace paymets",
    "not-understood": "namespac payments",
    "unknown-label": "label tiers=web",
    "unknown-node": "node n33",
}


@cache
def shop() -> HoursInMemory:
    """Forty days."""
    return cost_samples.shop()


def reply(
    text: str, *, costs: ChargedHours | None = None, sight: Sight = EVERYTHING, config: ServerConfig = CONFIG
) -> CostReply | NotUnderstood:
    """What is said to a question."""
    question = parse(text)
    if isinstance(question, NotUnderstood):
        return question
    return answer_question(question, costs=costs or shop(), config=config, now=NOW, sight=sight)


def answered(text: str, **more: object) -> CostAnswer:
    """The same, of a question that has an answer."""
    found = reply(text, **more)  # type: ignore[arg-type]  # handed on
    assert isinstance(found, CostAnswer)
    return found
