"""Looks at branches and their pull requests as durable work: once a day, in turn, and over a kill."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.records_work import work_database
from tests.postgres_server import Server

ROOT = Path(__file__).resolve().parents[3]
HOURS = [f"2026-11-20T{hour:02}" for hour in (7, 8)]
PROGRAM = """
import json, os, sys, time
from bot.adapters.records_work import work_database
from bot.entrypoints import jobs, savings_jobs
from bot.entrypoints.savings_jobs import SavingsWorkflows, Steps
from bot.errors import GitHubUnavailable
from tests.durable_work import await_end

url, journal, name, script = sys.argv[1:5]
plan = json.loads(script)

def write(step, about):
    with open(journal, "a") as file:
        file.write(json.dumps({"step": step, "about": about, "by": name}) + "\\n")

def lines():
    return [json.loads(line) for line in open(journal)]

def done(step, about, result):
    write(step + " begins", about)
    if plan.get("kill_at") == [step, about] and not os.path.exists(journal + ".killed"):
        open(journal + ".killed", "w").close()
        os.kill(os.getpid(), 9)
    time.sleep(plan.get("slow", 0))
    tries = sum(line["step"] == step + " begins" and line["about"] == about for line in lines())
    if tries <= plan.get("fail", {}).get(step + " " + about, 0):
        raise GitHubUnavailable("GitHub answered 502")
    write(step, about)
    return result

def place(number):
    repository = {"id": number, "owner": "acme", "name": f"r{number}", "clone_url": "", "default_branch": "main"}
    return {"installation": 1, "repository": repository}

def of(place):
    return place["repository"]["name"]

steps = Steps(
    installed=lambda: done("installed", "", [place(number) for number in plan["repositories"]]),
    seen=lambda: plan.get("seen", plan["repositories"]),
    pushed=lambda place, files: plan["now"] if files is None or "api.yaml" in files else None,
    scan=lambda place: done("scan", of(place), {"found": 1}),
    open_subjects=lambda place: plan.get("open", {}).get(of(place), []),
    upkeep=lambda place, subject: done("upkeep", subject, plan.get("became", {}).get(subject)),
    subject_of_pull=lambda place, number: plan.get("pulls", {}).get(str(number), ""),
    due=lambda place: done("due", of(place), plan.get("due", {}).get(of(place), [])),
    subject_of=lambda id: plan.get("subjects", {}).get(id, ""),
    open_pull=lambda id: done("open_pull", id, {"state": "opened"}),
    tell=lambda id, became: done("tell", id + " " + became["state"], not plan.get("untold")),
    tell_approver=lambda id, became: done("tell_approver", id + " " + became["state"], None),
)
jobs.PAUSES, savings_jobs.SCANNED_AGAIN = (0.05, 0.05), (0.05,)
savings_jobs.SETTLES_SECONDS = plan.get("settles", 0.01)
workflows = SavingsWorkflows(steps)
work = jobs.Jobs(work_database(url).url, name, [workflows])
work.start()
for hour in plan.get("hours", []):
    for _ in range(2):
        workflows.scans(hour, plan.get("told", ""))
for files in plan.get("pushes", []):
    workflows.pushed(place(1), files)
    time.sleep(plan.get("between", 0))
for number in plan.get("closed", []):
    workflows.closed(place(1), number)
for clicked in plan.get("clicked", []):
    workflows.right_size(clicked)
def reached():
    told = [[line["step"], line["about"]] for line in lines()]
    return all(told.count(each) >= plan["until"].count(each) for each in plan["until"])
await_end(reached)
work.stop(1)
"""


class Worker:
    """A database and a journal, and the processes that work on them."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self._journal = url, folder / "journal"
        self._journal.touch()
        work_database(url).prepare()

    def start(self, name: str = "one", **plan: Any) -> subprocess.Popen[bytes]:  # noqa: ANN401 - JSON
        """A process that has its own name, as a replica's pod has."""
        arguments = [self.url, str(self._journal), name, json.dumps({"repositories": [1, 2, 3], **plan})]
        return subprocess.Popen([sys.executable, "-c", PROGRAM, *arguments], cwd=ROOT)

    def run(self, **plan: Any) -> int:  # noqa: ANN401 - JSON
        """One process until it ends: how."""
        with self.start(**plan) as process:
            return process.wait(150)

    def told(self, *steps: str) -> list[str]:
        """`step about` of what was written down of some steps, in order; of all where none is named."""
        lines = [json.loads(line) for line in self._journal.read_text().splitlines()]
        return [f"{line['step']} {line['about']}" for line in lines if not steps or line["step"] in steps]


@pytest.fixture
def worker(tmp_path: Path) -> Worker:
    """On SQLite."""
    return Worker(f"sqlite:///{tmp_path / 'tuppence.db'}", tmp_path)


def in_turn(*things: str) -> list[str]:
    """The beginnings and ends of things of which each begins when the one before has ended."""
    return [
        line
        for step, about in map(str.split, things)
        for line in (f"{step} begins {about}", f"{step} {about}")
    ]


def test_each_branch_is_looked_at_once_a_day_and_one_after_the_other(worker: Worker) -> None:
    """However often that is asked for; the next hour only asks what is there."""
    assert worker.run(hours=HOURS, slow=0.05, until=[["due", "r3"]]) == 0
    assert worker.told("installed") == ["installed "] * 2
    assert worker.told("scan begins", "scan") == in_turn("scan r1", "scan r2", "scan r3")

    assert worker.run(hours=["2026-11-21T00"], until=[["installed", ""]], repositories=[2]) == 0
    assert worker.told("scan") == ["scan r1", "scan r2", "scan r3", "scan r2"]


def test_what_the_server_is_told_anew_is_a_reason_to_look_again_on_the_same_day(worker: Worker) -> None:
    """Teams that are named after the first start get their savings then, and not tomorrow."""
    for told in ("without teams", "with teams", "with teams"):
        assert worker.run(hours=HOURS[:1], told=told, repositories=[1], until=[["due", "r1"]]) == 0
    assert worker.told("scan") == ["scan r1"] * 2


def test_a_push_is_a_reason_to_look_again_once_an_hour(worker: Worker) -> None:
    """Where what is open may be untrue by it. What is pushed after the hour's look has the next one's."""
    now = {"hour": "2026-11-20T09", "next": "2026-11-20T10", "seconds": 1.5}
    plan: dict[str, Any] = {"repositories": [1], "now": now, "due": {"r1": ["a"]}, "subjects": {"a": "s"}}
    assert worker.run(hours=HOURS[:1], pushes=[["other.yaml"]], until=[["tell", "a opened"]], **plan) == 0
    assert worker.told("scan") == ["scan r1"]

    pushes = [["api.yaml"], ["other.yaml"], None, ["api.yaml"]]
    assert worker.run(pushes=pushes, between=0.3, until=[["scan", "r1"]] * 3, **plan) == 0
    assert worker.told("scan") == ["scan r1"] * 3

    later = {"hour": "2026-11-20T10", "next": "2026-11-20T11", "seconds": 3600}
    assert worker.run(pushes=[None], until=[], **{**plan, "now": later}) == 0
    assert worker.told("scan") == ["scan r1"] * 3
    # By the day's look, and by the first after a push: what stays by hand is not tried by the hour.
    assert worker.told("open_pull") == ["open_pull a"] * 2


def test_what_was_pushed_is_looked_at_when_it_is_rolled_out(worker: Worker) -> None:
    """What came meanwhile waits for as long, though the next hour begins before."""
    now = {"hour": "2026-11-20T09", "next": "2026-11-20T10", "seconds": 0.1}
    plan: dict[str, Any] = {"repositories": [1], "now": now, "settles": 2}
    began = time.monotonic()
    assert worker.run(pushes=[None, None], until=[["scan", "r1"]] * 2, **plan) == 0
    assert time.monotonic() - began > 2
    assert worker.told("scan") == ["scan r1"] * 2


def test_what_people_did_with_a_pull_request_of_ours_is_noted_at_once(worker: Worker) -> None:
    """Without a look at the branch; other pull requests are nobody's here."""
    plan: dict[str, Any] = {"pulls": {"7": "s"}, "became": {"s": {"id": "a", "state": "merged"}}}
    assert worker.run(closed=[6, 7], until=[["tell", "a merged"]], **plan) == 0
    assert worker.told("scan", "upkeep") == ["upkeep s"]


def test_a_repository_that_is_back_on_the_same_day_is_looked_at_then(worker: Worker) -> None:
    """What was found was forgotten with the App's leave. One whose look goes on is not looked at twice."""
    plan: dict[str, Any] = {"repositories": [1, 2], "seen": []}
    assert worker.run(hours=HOURS, slow=0.3, until=[["due", "r2"]], **plan) == 0
    assert worker.told("scan") == ["scan r1", "scan r2"]
    assert worker.run(hours=["2026-11-20T09"], until=[], **{**plan, "seen": [2]}) == 0
    assert worker.told("scan") == ["scan r1", "scan r2", "scan r1"]


def test_replicas_share_the_work(tmp_path: Path, postgres: Server) -> None:
    """Two ask at once, and no branch is looked at twice."""
    shared = Worker(postgres.new_database(), tmp_path)
    plan: dict[str, Any] = {"hours": HOURS[:1], "slow": 0.05, "until": [["due", "r3"]]}
    with shared.start("one", **plan) as one, shared.start("two", **plan) as two:
        assert (one.wait(150), two.wait(150)) == (0, 0)
    assert sorted(shared.told("installed", "scan")) == ["installed ", "scan r1", "scan r2", "scan r3"]


def test_a_branch_that_cannot_be_looked_at_is_tried_again_and_does_not_hold_up_the_others(
    worker: Worker,
) -> None:
    """Nothing is opened of what yesterday's look found."""
    due = {"r2": ["a"]}
    fail = {"scan r1": 1, "scan r2": 9}
    assert worker.run(hours=HOURS[:1], fail=fail, due=due, subjects={"a": "s"}, until=[["due", "r3"]]) == 0
    assert worker.told("scan begins") == [f"scan begins {name}" for name in ("r1", "r1", "r2", "r2", "r3")]
    assert worker.told("scan", "due") == ["scan r1", "due r1", "scan r3", "due r3"]
    assert worker.told("open_pull") == []


def test_after_a_look_open_pull_requests_are_kept_true_and_new_ones_are_opened(worker: Worker) -> None:
    """One piece of work on a workload at a time; Slack hears of what changed."""
    plan: dict[str, Any] = {
        "repositories": [1],
        "open": {"r1": ["s", "t"]},
        "became": {"s": {"id": "old", "state": "closed"}},
        "due": {"r1": ["new", "gone"]},
        "subjects": {"new": "s"},
        "slow": 0.1,
        "until": [["tell", "new opened"], ["upkeep", "t"]],
    }
    assert worker.run(hours=HOURS[:1], **plan) == 0
    told = [line for line in worker.told() if not line.endswith((" t", " r1", " "))]
    assert told == [
        *in_turn("upkeep s"), "tell begins old closed", "tell old closed",
        *in_turn("open_pull new"), "tell begins new opened", "tell new opened",
    ]  # fmt: skip
    assert worker.told("upkeep", "tell").count("upkeep t") == 1


def test_a_click_opens_its_pull_request_once(worker: Worker) -> None:
    """Pressed twice, or tried again by GitHub's outage; a later look tries what came to nothing."""
    plan: dict[str, Any] = {"repositories": [1], "subjects": {"a": "s"}}
    failed: dict[str, Any] = {"fail": {"open_pull a": 3}, "until": [["open_pull begins", "a"]]}
    assert worker.run(clicked=["a", "a"], **failed, **plan) == 0
    assert worker.told("open_pull", "tell") == []

    assert (
        worker.run(clicked=["a"], hours=HOURS, due={"r1": ["a"]}, until=[["tell", "a opened"]], **plan) == 0
    )
    assert worker.told("open_pull", "tell") == ["open_pull a", "tell a opened"]


def test_two_approvals_for_a_workload_never_overlap(worker: Worker) -> None:
    """They end in the same branch."""
    plan: dict[str, Any] = {"subjects": {"a": "s", "b": "s"}, "slow": 0.3}
    assert worker.run(clicked=["a", "b"], until=[["tell", "b opened"]], **plan) == 0
    told = [line for line in worker.told() if "tell" not in line]
    assert told == in_turn("open_pull a", "open_pull b")


def test_what_no_digest_tells_is_told_to_the_approver_once(worker: Worker) -> None:
    """Though what is to be done by hand comes to the same each day."""
    plan: dict[str, Any] = {"repositories": [1], "subjects": {"a": "s"}, "due": {"r1": ["a"]}, "untold": True}
    until = [["tell_approver", "a opened"], ["tell", "a opened"]]
    assert worker.run(clicked=["a"], hours=HOURS, until=until, **plan) == 0
    assert worker.told("tell") == ["tell a opened"] * 2
    assert worker.told("tell_approver") == ["tell_approver a opened"]


def test_a_recommendation_that_is_not_known_opens_nothing(worker: Worker) -> None:
    """Somebody made up an id."""
    assert worker.run(clicked=["made-up"], until=[]) == 0
    assert worker.told() == []


@pytest.mark.parametrize("step", [["scan", "r1"], ["open_pull", "a"], ["tell", "a opened"]], ids=str)
def test_a_kill_loses_nothing(worker: Worker, step: list[str]) -> None:
    """The step that was under way runs again, and what was done before it does not."""
    plan: dict[str, Any] = {
        "repositories": [1],
        "due": {"r1": ["a"]},
        "subjects": {"a": "s"},
        "until": [["tell", "a opened"]],
    }
    assert worker.run(hours=HOURS[:1], kill_at=step, **plan) == -signal.SIGKILL
    assert worker.run(**plan) == 0
    assert worker.told("installed", "scan", "due", "open_pull", "tell") == [
        "installed ", "scan r1", "due r1", "open_pull a", "tell a opened",
    ]  # fmt: skip
