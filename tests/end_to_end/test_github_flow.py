"""The bot as a process of its own, beside a GitHub on loopback that checks every request."""

from __future__ import annotations

import signal
from pathlib import Path

import requests

from tests.end_to_end.bots import FILES, RAISED, SHIPPED, reported, running, shop, wait_for
from tests.github.service import GitHub
from tests.yaml_objects import deployment


def test_a_pull_request_gets_one_comment_and_one_check(hub: GitHub, tmp_path: Path) -> None:
    """What `tuppence diff` says, on the pull request."""
    with running(hub, tmp_path) as bot:
        repository = shop(hub)
        pull = hub.people.open_pull(repository, RAISED)
        wait_for(lambda: reported(hub, repository, pull), what="a report", told=bot.log.read_text)

        [comment] = hub.comments(repository, pull)
        [run] = hub.check_runs(repository, sha=pull.head_sha)
        assert "+$69.23 a month" in comment.body
        assert "cpu request 500m" in comment.body
        assert (run.name, run.conclusion) == ("Tuppence", "success")
        assert bot.end(signal.SIGTERM) == 0


def test_the_work_is_measured(hub: GitHub, tmp_path: Path) -> None:
    """One address has the numbers of the process that listens and of the one that works."""
    with running(hub, tmp_path, program=SHIPPED) as bot:
        repository = shop(hub)
        pull = hub.people.open_pull(repository, RAISED)
        wait_for(lambda: reported(hub, repository, pull), what="a report", told=bot.log.read_text)

        def told() -> str:
            return requests.get(f"{bot.url}/metrics", timeout=10).text

        wait_for(lambda: "tuppence_oldest_work_seconds 0.0" in told(), what="the work to be done", told=told)
        assert 'tuppence_steps_total{outcome="done",step="analyse"} 1.0' in told()
        assert 'tuppence_github_requests_total{status="2xx"}' in told()
        assert "tuppence_github_rate_limit_remaining{installation=" in told()
        assert "tuppence_deliveries_total{" in told()


def test_a_push_edits_the_comment_and_taking_the_change_back_clears_it(hub: GitHub, tmp_path: Path) -> None:
    """One comment for the life of a pull request."""
    with running(hub, tmp_path) as bot:
        repository = shop(hub)
        pull = hub.people.open_pull(repository, RAISED, branch="raise")
        wait_for(lambda: reported(hub, repository, pull), what="a report", told=bot.log.read_text)
        hub.people.push(repository, FILES, branch="raise")
        wait_for(lambda: reported(hub, repository, pull), what="a second report", told=bot.log.read_text)

        [comment] = hub.comments(repository, pull)
        assert "No cost or reliability impact" in comment.body


def test_a_crossed_guardrail_fails_the_check(hub: GitHub, tmp_path: Path) -> None:
    """The policy of the base branch decides, not the pull request's."""
    policy = "guardrails: [{monthly_increase: 10, message: Ask FinOps., approvers: [acme/finops]}]\n"
    with running(hub, tmp_path) as bot:
        repository = shop(hub, {**FILES, ".tuppence.yaml": policy})
        pull = hub.people.open_pull(repository, {**RAISED, ".tuppence.yaml": "guardrails: []\n"})
        wait_for(lambda: reported(hub, repository, pull), what="a report", told=bot.log.read_text)

        [run] = hub.check_runs(repository, sha=pull.head_sha)
        assert run.conclusion == "failure"
        assert "Ask FinOps." in hub.comments(repository, pull)[0].body


def test_a_guardrail_holds_for_what_began_before_it(hub: GitHub, tmp_path: Path) -> None:
    """Where GitHub has no test merge, the change is told from where its branch began, and judged by today's policy."""
    policy = "guardrails: [{monthly_increase: 10, approvers: [acme/finops]}]\n"
    with running(hub, tmp_path) as bot:
        repository = shop(hub)
        pull = hub.people.open_pull(repository, RAISED, branch="raise")
        wait_for(lambda: reported(hub, repository, pull), what="a report", told=bot.log.read_text)
        hub.people.push(repository, {"apps/api.yaml": deployment(cpu="3"), ".tuppence.yaml": policy})
        hub.people.push(repository, {"README.md": "Another head\n"}, branch="raise")
        wait_for(lambda: reported(hub, repository, pull), what="a second report", told=bot.log.read_text)

        assert pull.mergeable is False
        [run] = hub.check_runs(repository, sha=pull.head_sha)
        assert run.conclusion == "failure"


def test_a_forks_pull_request_is_read_and_never_trusted(hub: GitHub, tmp_path: Path) -> None:
    """Its head is data."""
    with running(hub, tmp_path) as bot:
        repository = shop(hub)
        pull = hub.people.open_pull(
            repository, RAISED, fork=hub.people.fork(repository, "stranger"), author="stranger"
        )
        wait_for(lambda: reported(hub, repository, pull), what="a report", told=bot.log.read_text)

        assert "+$69.23" in hub.comments(repository, pull)[0].body


def test_an_open_pull_request_gets_its_first_report_when_the_app_is_installed(
    hub: GitHub, tmp_path: Path
) -> None:
    """Nobody has to push again."""
    with running(hub, tmp_path) as bot:
        repository = hub.people.repository("acme/shop", FILES)
        pull = hub.people.open_pull(repository, RAISED)
        hub.people.install(repository.owner)
        wait_for(lambda: reported(hub, repository, pull), what="a report", told=bot.log.read_text)


def test_after_kill_9_the_work_is_done_once(hub: GitHub, tmp_path: Path) -> None:
    """Killed while it works, started again: one comment, one check run."""
    with running(hub, tmp_path) as bot:
        repository = shop(hub)
        pull = hub.people.open_pull(repository, RAISED)
        wait_for(
            lambda: hub.check_runs(repository, sha=pull.head_sha),
            what="work to begin",
            told=bot.log.read_text,
        )
        bot.end(signal.SIGKILL)
        bot.start()
        wait_for(lambda: reported(hub, repository, pull), what="a report", told=bot.log.read_text)

        assert len(hub.comments(repository, pull)) == 1
        assert len(hub.check_runs(repository, sha=pull.head_sha)) == 1


def test_no_secret_is_in_the_log_or_the_database(hub: GitHub, tmp_path: Path) -> None:
    """Nor in git's files."""
    with running(hub, tmp_path) as bot:
        repository = shop(hub)
        pull = hub.people.open_pull(repository, RAISED)
        wait_for(lambda: reported(hub, repository, pull), what="a report", told=bot.log.read_text)
        bot.end(signal.SIGTERM)

    secrets = [hub.hooks.secret, *(token.value for token in hub.world.tokens.values())]
    kept = b"".join(
        path.read_bytes()
        for path in tmp_path.rglob("*")
        if path.is_file() and "github" not in path.parts[-3:]
    )
    assert not [secret for secret in secrets if secret.encode() in kept]
    assert "BEGIN RSA" not in kept.decode("latin-1")
