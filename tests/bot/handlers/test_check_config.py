"""`tuppence check-config` on both configuration files."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import UserError
from bot.handlers.check_config import check_config as check
from estimators.prices import BUILT_IN

SERVER = """
clusters:
  - name: prod-eu
    prometheus: {url: "http://prometheus:9090", selector: {cluster: prod-eu}, headers: {X-Scope-OrgID: a}}
    prices: /etc/tuppence/prices.yaml
    kube_context: prod-eu
teams:
  - name: payments
    namespaces: [payments, "payments-*"]
    labels: {team: payments}
    channel: "#payments"
    approvers: {slack_group: sre, slack_users: [U123], github_team: acme/sre}
    budget_monthly: 17500
digest: {day: mon, time: "09:00", time_zone: Europe/Berlin}
access: {sre: ["*"]}
shared: {namespaces: [kube-system], split: proportional}
automation:
  - {environments: [development], changes: [cpu-request], max_percent: 30, min_confidence: high}
retention_days: 400
"""


def check_config(file: Path) -> str:
    """Every price sheet is there."""
    return check(file, sheet=lambda _named: BUILT_IN)


def said(file: Path, text: str) -> list[str]:
    """What is said about a file with `text`, without the file's name."""
    file.write_text(text)
    with pytest.raises(UserError) as caught:
        check_config(file)
    return [line.removeprefix(f"{file}:") for line in str(caught.value).splitlines()]


def test_a_sound_policy_is_summed_up(tmp_path: Path) -> None:
    """So that its author sees that it was understood."""
    file = tmp_path / ".tuppence.yaml"
    file.write_text("environments: [{name: a, paths: [x]}]\nguardrails: [{percent: 5}, {verdict: risky}]\n")
    assert check_config(file) == f"{file}: a sound policy: 1 environment, 2 guardrails, 0 protected workloads"


def test_every_key_of_the_server_is_taken(tmp_path: Path) -> None:
    """The whole of tuppence.yaml."""
    file = tmp_path / "tuppence.yaml"
    file.write_text(SERVER)
    assert check_config(file) == f"{file}: a sound configuration of the server"


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("tuppence.yaml", "", "configuration of the server"),
        (".tuppence.yaml", "", "policy"),
        ("config.yaml", "retention_days: 5", "configuration of the server"),
        ("tuppence.yaml", "ignore: [a]", "policy"),
    ],
)
def test_a_file_is_known_by_its_keys_then_its_name(tmp_path: Path, name: str, text: str, kind: str) -> None:
    """Files are often renamed on their way into a ConfigMap."""
    file = tmp_path / name
    file.write_text(text)
    assert kind in check_config(file)


def test_every_problem_of_the_servers_file_is_told_at_once(tmp_path: Path) -> None:
    """One line each, in the file's order."""
    text = """\
clusters:
  - name: a
    prometheus: {url: "ftp://x", selecter: {}}
  - name: a
teams:
  - {name: t, budget_monthly: lots}
digest: {day: monday, time: 9:00, time_zone: Mars/Base}
access: {sre: all}
retention_days: 0.5
"""
    assert said(tmp_path / "tuppence.yaml", text) == [
        "3: clusters[0].prometheus.selecter: unknown key; did you mean 'selector'?",
        "3: clusters[0].prometheus.url: needs a URL such as http://prometheus:9090, without a password, not 'ftp://x'",
        "4: clusters[1].name: 'a' is on line 2 already",
        "6: teams[0].budget_monthly: needs a plain number, not below 0, such as 250, not 'lots'",
        "7: digest.day: needs one of mon, tue, wed, thu, fri, sat, sun, not 'monday'",
        "7: digest.time: needs a time such as \"09:00\", not '9:00'",
        "7: digest.time_zone: needs a time zone such as Europe/Berlin, not 'Mars/Base'",
        "8: access: needs a list of patterns for 'sre', not 'all'",
        "9: retention_days: needs whole days, 0 to 36500, not 0.5",
    ]


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """A missing one, a folder, and one that is not UTF-8."""
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    for file, reason in (
        (tmp_path / "none", "No such file"),
        (tmp_path, "Is a directory"),
        (binary, "not UTF-8"),
    ):
        with pytest.raises(UserError, match=reason):
            check_config(file)
