"""`tuppence.yaml` as a typed configuration, or every problem of it at once."""

from __future__ import annotations

import pickle
from datetime import time
from decimal import Decimal

import pytest

from bot.configuration import Misconfigured
from bot.errors import UserError
from bot.server_config import (
    Approvers,
    Automation,
    ClusterConfig,
    DigestTime,
    PrometheusSource,
    ServerConfig,
    SharedCosts,
    Team,
    parse,
)
from bot.server_keys import RETENTION_DAYS
from estimators.ownership import Dimension
from estimators.prices import BUILT_IN, PriceSheet
from estimators.report import Confidence

WHOLE = """
clusters:
  - name: prod-eu
    prometheus: {url: "http://prometheus:9090", selector: {cluster: prod-eu}, headers: {X-Scope-OrgID: a}}
    prices: prices.yaml
    kube_context: prod
  - name: staging
teams:
  - name: payments
    namespaces: [payments, "payments-*"]
    labels: {team: payments}
    channel: "#payments"
    approvers: {slack_group: sre, slack_users: [U123], github_team: acme/sre}
    budget_monthly: 17500
  - name: search
digest: {day: fri, time: "07:30", time_zone: Europe/Berlin}
access: {sre: ["*"]}
ownership: {team: [squad, team], business_unit: [unit]}
shared: {namespaces: [kube-system], split: fixed, percents: {"shop-*": 60, search: 40}}
repositories: [acme/*, Globex/shop]
automation:
  - {environments: [development], changes: [cpu-request], max_percent: 30, min_confidence: medium}
retention_days: 400
"""


def sheet(named: str) -> PriceSheet:
    """The one file that is there."""
    if named != "prices.yaml":
        raise UserError(f"{named} is not a file")
    return BUILT_IN


def test_the_whole_file_arrives() -> None:
    """Every key in its place and of its type, the price sheet read; and it can be sent to another process."""
    config = parse(WHOLE, "tuppence.yaml", sheet=sheet)
    source = PrometheusSource("http://prometheus:9090", {"cluster": "prod-eu"}, {"X-Scope-OrgID": "a"})
    assert config == ServerConfig(
        clusters=(ClusterConfig("prod-eu", source, BUILT_IN, "prod"), ClusterConfig("staging")),
        teams=(
            Team(
                "payments",
                ("payments", "payments-*"),
                {"team": "payments"},
                "#payments",
                Approvers("sre", ("U123",), "acme/sre"),
                Decimal(17500),
            ),
            Team("search"),
        ),
        digest=DigestTime("fri", time(7, 30), "Europe/Berlin"),
        access={"sre": ("*",)},
        ownership={Dimension.TEAM: ("squad", "team"), Dimension.BUSINESS_UNIT: ("unit",)},
        shared=SharedCosts(("kube-system",), "fixed", {"shop-*": Decimal(60), "search": Decimal(40)}),
        repositories=("acme/*", "Globex/shop"),
        automation=(Automation(("development",), ("cpu-request",), Decimal(30), Confidence.MEDIUM),),
        retention_days=400,
    )
    assert pickle.loads(pickle.dumps(config)) == config  # noqa: S301 - our own


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "clusters: []\nteams: []\n", "digest: {}\n"])
def test_what_is_left_out_has_a_default(text: str) -> None:
    """An empty file, empty lists."""
    assert parse(text, "tuppence.yaml", sheet=sheet) == ServerConfig()
    assert ServerConfig().retention_days == RETENTION_DAYS == 730


def test_savings_are_looked_for_in_the_repositories_that_are_named_and_in_all_without_names() -> None:
    """As GitHub has it, in upper or lower case."""
    some = ServerConfig(repositories=("acme/*", "Globex/shop"))
    names = ["acme/web", "Acme/Web", "globex/SHOP", "globex/shop-old", "other/acme"]
    assert [some.scans(name) for name in names] == [True, True, True, False, False]
    assert all(map(ServerConfig().scans, names))


def test_an_automation_wants_the_most_confidence_unless_it_says_less() -> None:
    """Nobody looks before the pull request is opened."""
    text = "automation: [{environments: ['*'], changes: [replicas]}]"
    [found] = parse(text, "tuppence.yaml", sheet=sheet).automation
    assert found.min_confidence is Confidence.HIGH


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            "clusters:\n- name: a\n  prices: b.yaml\n- {}\nretention_days: -1",
            [
                "3: clusters[0].prices: b.yaml is not a file",
                "4: clusters[1]: needs the key 'name': What policies call the cluster.",
                "5: retention_days: needs a plain number, not below 0, such as 730, not -1",
            ],
            id="price sheets are read, and problems elsewhere told with theirs",
        ),
        pytest.param(
            "teams: [{name: a, approvers: {github_team: payments}}]",
            [
                (
                    "1: teams[0].approvers.github_team: needs a team with its organization, such as acme/sre, "
                    "not 'payments'"
                )
            ],
            id="a team of nobody's organization",
        ),
        pytest.param(
            "shared: {percents: {a: 60, b: 60}}",
            ["1: shared.percents: gives out 120 percent; at most 100 are there"],
            id="more than there is to pay",
        ),
        pytest.param(
            "retention_days: 1000000000000",
            ["1: retention_days: needs whole days, 0 to 36500, not 1000000000000"],
            id="more than a calendar holds",
        ),
        pytest.param(
            "clusters:\n- name: prod-eu\n- name: PROD.EU",
            ["3: clusters[1].name: 'PROD.EU' and 'prod-eu' would share PROMETHEUS_TOKEN_PROD_EU; rename one"],
            id="two clusters, one variable",
        ),
        pytest.param(
            "clusters: [{name: file}, {name: prod-file}]",
            [
                "1: clusters[0].name: may not end in 'file', as secrets' files do, not 'file'",
                "1: clusters[1].name: may not end in 'file', as secrets' files do, not 'prod-file'",
            ],
            id="a variable that names a file",
        ),
        pytest.param(
            "clusters:\n- name: a\n  prometheus:\n    url: http://p\n    headers: {authorization: Bearer x}",
            [
                "5: clusters[0].prometheus.headers: authorization is a secret; set PROMETHEUS_TOKEN_A in the environment instead"
            ],
            id="a secret in the file",
        ),
        pytest.param(
            "teams:\n- name: a\n  approvers: {slack_users: ['@ana', U02AB34CD]}",
            [
                "3: teams[0].approvers.slack_users[0]: needs a member's id from their Slack profile, such as U02AB34CD, not '@ana'"
            ],
            id="a name, by which nobody could approve",
        ),
        pytest.param(
            "clusters: 5\nteams: [4]",
            [
                "1: clusters: needs a list such as [a, b], not 5",
                "2: teams[0]: needs a mapping with name, namespaces, labels, channel, approvers, budget_monthly, not 4",
            ],
            id="not even the shape",
        ),
    ],
)
def test_every_problem_is_told_with_its_line(text: str, said: list[str]) -> None:
    """And with the way out; never the value of a secret."""
    with pytest.raises(Misconfigured) as caught:
        parse(text, "tuppence.yaml", sheet=sheet)
    assert [line.removeprefix("tuppence.yaml:") for line in str(caught.value).splitlines()] == said
