"""One commit in two pull requests: the way around a guardrail that a branch without one would be."""

from __future__ import annotations

from pathlib import Path

from tests.end_to_end.bots import reported, running, shop, wait_for
from tests.github.service import GitHub
from tests.yaml_objects import deployment

FILES = {"apps/api.yaml": deployment(), "README.md": "The shop's manifests\n"}
RAISED = {"apps/api.yaml": deployment(cpu="2")}
POLICY = "guardrails: [{monthly_increase: 10, approvers: [acme/finops]}]\n"


def test_a_branch_without_guardrails_lets_nothing_through(hub: GitHub, tmp_path: Path) -> None:
    """The check of the commit stays failed while a pull request with it needs an approval; then it does not."""
    with running(hub, tmp_path) as bot:
        repository = shop(hub, {**FILES, ".tuppence.yaml": POLICY})
        guarded = hub.people.open_pull(repository, RAISED, branch="raise")
        wait_for(lambda: reported(hub, repository, guarded), what="a report", told=bot.log.read_text)
        repository.git.set_ref("refs/heads/bare", repository.git.sha("main"))
        hub.people.push(repository, {".tuppence.yaml": "guardrails: []\n"}, branch="bare")

        other = hub.people.open_pull(repository, None, base="bare", branch="raise")
        [run] = hub.check_runs(repository, sha=guarded.head_sha)
        wait_for(
            lambda: run.output.get("title") == f"Held by acme/shop#{guarded.number}",
            what="the check to be held",
            told=bot.log.read_text,
        )
        assert run.conclusion == "failure"
        assert "+$69.23 a month" in hub.comments(repository, other)[0].body

        hub.people.close(repository, guarded)
        hub.hooks.settle()
        hub.people.comment(repository, other, "/tuppence recheck", author="author")
        wait_for(lambda: run.conclusion == "success", what="the check to pass", told=bot.log.read_text)
