"""The steps of action.yml, run as a runner would, against a GitHub on loopback."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.manifests import documents
from tests.end_to_end.repositories import Repository as Checkout
from tests.github.client import Shop
from tests.github.service import GitHub, github
from tests.yaml_objects import deployment

ROOT = Path(__file__).parent.parent
BASE, RAISED = {"apps/api.yaml": deployment()}, {"apps/api.yaml": deployment(cpu="2")}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[GitHub]:
    """A GitHub of the test's own."""
    with github(tmp_path / "github") as running:
        yield running
    running.assert_clean()


class Runner:
    """A runner with a checkout of a test merge, and what GitHub sets in every step."""

    def __init__(self, shop: Shop, folder: Path) -> None:
        [action] = documents.read((ROOT / "action.yml").read_bytes()).documents
        self.action: Mapping[str, Any] = action.body
        self.temp = folder / "temp"
        self.temp.mkdir()
        (self.temp / "tuppence").symlink_to(Path(sys.prefix))  # what the step Install makes
        self.report = self.temp / "tuppence-report"
        self.checkout = Checkout(folder / "checkout")
        self.checkout.commit(BASE)
        self.event: dict[str, Any] = {"pull_request": {"number": shop.pull.number}}
        self.environment = {
            "PATH": os.environ["PATH"],
            "XDG_CACHE_HOME": str(folder / "cache"),
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_API_URL": shop.hub.api_url,
            "GITHUB_EVENT_PATH": str(folder / "event.json"),
            "GITHUB_OUTPUT": str(folder / "output"),
            "GITHUB_REPOSITORY": "acme/shop",
            "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        }
        token = shop.token({"pull_requests": "write"})
        self.inputs = {"token": token, "author": shop.hub.world.app.bot.login}

    def push(self, files: dict[str, str]) -> None:
        """A test merge of a branch with these files."""
        self.checkout.git("checkout", "--quiet", "-B", "topic", "main")
        self.checkout.commit(files)
        self.checkout.git("checkout", "--quiet", "--detach", "main")
        self.checkout.git("merge", "--quiet", "--no-ff", "--message=A test merge", "topic")

    def run(self, name: str, **inputs: str) -> subprocess.CompletedProcess[str]:
        """One step."""
        [step] = [it for it in self.action["runs"]["steps"] if it["name"] == name]
        given = {key: str(it.get("default", "")) for key, it in self.action["inputs"].items()}
        given |= self.inputs | {key.replace("_", "-"): value for key, value in inputs.items()}

        def value(text: str) -> str:
            if "format(" in text:
                return given["report"] or str(self.report)
            return re.sub(r"\$\{\{ inputs\.([a-z-]+) \}\}", lambda found: given[found[1]], text)

        Path(self.environment["GITHUB_EVENT_PATH"]).write_text(json.dumps(self.event))
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            env=self.environment | {key: value(text) for key, text in step.get("env", {}).items()},
            cwd=self.checkout.folder,
            check=False,
            capture_output=True,
            text=True,
        )

    @property
    def output(self) -> dict[str, str]:
        """What the steps have put out."""
        lines = Path(self.environment["GITHUB_OUTPUT"]).read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)


@pytest.fixture
def shop(hub: GitHub) -> Shop:
    """A repository with one pull request."""
    return Shop(hub)


@pytest.fixture
def runner(shop: Shop, tmp_path: Path) -> Runner:
    """A runner for it."""
    return Runner(shop, tmp_path)


def said(shop: Shop) -> list[str]:
    """The comments of ours."""
    return [comment.body for comment in shop.hub.comments(shop.repository, shop.pull)]


def test_the_comment_is_kept_through_pushes(runner: Runner, shop: Shop) -> None:
    """One comment; a second run edits it, a third that says the same writes nothing."""
    runner.push(RAISED)
    assert runner.run("Price the change").returncode == 0
    assert runner.run("Comment").returncode == 0
    assert "+$69.23 a month" in said(shop)[0]
    assert runner.output["verdict"] in {"unknown", "safe", "caution"}
    assert json.loads((runner.report / "report.json").read_text())["schema"] == "tuppence.report/v1"

    runner.push({"apps/api.yaml": deployment(cpu="1")})
    runner.run("Price the change")
    assert "corrected" in runner.run("Comment").stdout
    assert "+$23.08 a month" in said(shop)[0]
    assert "says so already" in runner.run("Comment").stdout
    assert len(said(shop)) == 1


def test_without_an_impact_nothing_is_said(runner: Runner, shop: Shop) -> None:
    """Nobody wants a comment on a README."""
    runner.push({"README.md": "Words\n"})
    runner.run("Price the change")
    assert "no impact" in runner.run("Comment").stdout
    assert said(shop) == []


def test_a_strangers_marker_is_not_ours(runner: Runner, shop: Shop) -> None:
    """Only what the token's own account wrote is edited."""
    shop.hub.people.comment(shop.repository, shop.pull, "Hi <!-- tuppence:action -->", author="stranger")
    runner.push(RAISED)
    runner.run("Price the change")
    assert "commented" in runner.run("Comment").stdout


def test_a_crossed_guardrail_fails_after_it_was_said(runner: Runner, shop: Shop) -> None:
    """The policy of the base decides, and the report is published first."""
    runner.checkout.commit({".tuppence.yaml": "guardrails: [{monthly_increase: 10, message: Ask FinOps.}]\n"})
    runner.push({**RAISED, ".tuppence.yaml": "guardrails: []\n"})
    assert runner.run("Price the change").returncode == 0
    assert runner.run("Comment").returncode == 0
    assert "Ask FinOps." in said(shop)[0]
    assert runner.output["crossed"] == "true"

    last = runner.action["runs"]["steps"][-1]
    assert (last["name"], last["if"]) == ("Guardrails", "steps.price.outputs.crossed == 'true'")
    assert runner.run("Guardrails").returncode == 1


def test_bad_arguments_end_the_step(runner: Runner) -> None:
    """With the one line that says why, and no comment."""
    runner.push(RAISED)
    failed = runner.run("Price the change", usage="nowhere.json")
    assert failed.returncode == 2
    assert "nowhere.json" in failed.stderr


def test_files_of_the_pull_request_are_never_imported(runner: Runner) -> None:
    """Python would take a module from the folder that it is started in."""
    trap = "raise SystemExit('imported')\n"
    runner.push({**RAISED, "bot/__init__.py": trap, "json.py": trap, "venv.py": trap, "yaml.py": trap})
    assert runner.run("Price the change").returncode == 0
    assert runner.run("Comment").returncode == 0


def test_a_forks_report_is_published_by_the_second_workflow(runner: Runner, shop: Shop) -> None:
    """The pull request is the one that GitHub names; mentions and markers of the fork's are dead."""
    fork = shop.hub.people.fork(shop.repository, "stranger")
    pull = shop.hub.people.open_pull(shop.repository, RAISED, fork=fork, author="stranger", branch="raise")
    runner.report.mkdir()
    (runner.report / "report.md").write_text(
        "Hello @acme/everyone &#64;acme/everyone &#x0040;acme/everyone &commat;acme/everyone <!-- tuppence:action -->"
    )
    (runner.report / "report.json").write_text('{"verdict": "risky", "number": 1}')
    runner.event = {
        "workflow_run": {
            "head_repository": {"owner": {"login": "stranger"}},
            "head_branch": "raise",
            "head_sha": pull.head_sha,
        }
    }
    done = runner.run("Comment", report=str(runner.report))
    [comment] = shop.hub.comments(shop.repository, pull)

    assert f"commented on pull request {pull.number}" in done.stdout
    assert html.unescape(comment.body).count("@\u200bacme/everyone") == 4
    assert "@acme" not in html.unescape(comment.body)
    assert comment.body.count("<!--") == 1
    assert "a fork" in comment.body

    runner.event["workflow_run"]["head_sha"] = "0" * 40
    assert "newer head" in runner.run("Comment", report=str(runner.report)).stdout


def test_a_token_that_may_not_comment_is_said(runner: Runner, shop: Shop) -> None:
    """In the log of the run, with what to set, and without the token."""
    runner.push(RAISED)
    runner.run("Price the change")
    runner.inputs["token"] = shop.token({"pull_requests": "read"})
    failed = runner.run("Comment")
    assert failed.returncode == 1
    assert "pull-requests: write" in failed.stdout
    assert runner.inputs["token"] not in failed.stdout + failed.stderr
