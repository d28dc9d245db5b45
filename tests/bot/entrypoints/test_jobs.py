"""Durable work on SQLite: exactly once, one pull request at a time, and over a kill."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

PROGRAM = """
import json, os, sys, time
from dataclasses import asdict
from bot.entrypoints import github_jobs, jobs
from bot.entrypoints.deliveries import Queue
from bot.errors import GitHubUnavailable, UserError
from bot.logs import configure
from bot.redaction import Redactor
from bot.github_events import BaseMoved, CommandWritten, Delivery, PullRequestClosed, PullRequestChanged, PullRequestRef, Repository
from tests.durable_work import await_end

database, journal, script = sys.argv[1:4]
plan = json.loads(script)
shop = Repository(7, "acme", "shop", "file:///nowhere", "main")
heads = plan.get("heads", {})

def write(**told):
    with open(journal, "a") as file:
        file.write(json.dumps({**told, "at": time.time()}) + "\\n")

def lines():
    return [json.loads(line) for line in open(journal)] if os.path.exists(journal) else []

def count(step, **more):
    wanted = {"step": step, **more}
    return sum(wanted.items() <= line.items() for line in lines())

def trouble(step):
    if plan.get("kill_at") == step and not os.path.exists(journal + ".killed"):
        open(journal + ".killed", "w").close()
        os.kill(os.getpid(), 9)
    if step in plan.get("refuse", []):
        raise UserError("prices.yaml, line 3: 'x' is no price: write a number\\nand more")
    if count("tried " + step) < plan.get("fail", {}).get(step, 0):
        write(step="tried " + step)
        raise GitHubUnavailable("GitHub answered 502")

def look(ref):
    number = ref["number"]
    pushed = [line for line in lines() if line["step"] == "push" and line["number"] == number]
    head = pushed[-1]["head"] if pushed else "h0"
    quiet = time.time() - pushed[-1]["at"] if pushed else 60
    trouble("look")
    return {"number": number, "head": head, "open": True, "quiet_seconds": quiet,
            "done": count("finish", number=number, head=head) > 0}

def analyse(sight):
    write(step="analyse", number=sight["number"], head=sight["head"])
    patience = time.monotonic() + 30
    while time.monotonic() < patience and len({line["number"] for line in lines() if line["step"] == "analyse"}) < plan.get("meets", 1):
        time.sleep(0.05)
    time.sleep(plan.get("slow", 0))
    trouble("analyse")
    write(step="analysed", number=sight["number"], head=sight["head"])
    return {"said": sight["head"]}

def effect(name):
    def run(sight, *told):
        trouble(name)
        if not count(name, number=sight["number"], head=sight["head"]):
            write(step=name, number=sight["number"], head=sight["head"])
    return run

def apologise(sight, reason, again):
    write(step="apologise", number=sight["number"], reason=reason, again=again)

def command(ref, told):
    trouble("command")
    return {"text": told["text"], "key": str(told["comment_id"]), "report": told["text"] == "approve"}

def merged(told):
    trouble("merged")
    write(step="merged", number=told["ref"]["number"])

def measure(ref):
    trouble("measure")
    write(step="measure", number=ref["number"])

def answer(ref, answer):
    trouble("answer")
    if not count("answer", key=answer["key"]):
        write(step="answer", number=ref["number"], key=answer["key"], text=answer["text"])

configure(Redactor(()), stream=open(journal + ".log", "a"))
jobs.PAUSES = (0.1, 0.2)
github_jobs.QUIET_SECONDS = plan.get("quiet", 0.0)
steps = github_jobs.Steps(look=look, begin=effect("begin"), analyse=analyse, comment=effect("comment"),
                   check=effect("check"), finish=effect("finish"), suggest=effect("suggest"), apologise=apologise, refs_of=lambda told: [],
                   command=command, answer=answer,
                   merged=merged, measure=measure)
def pushed(place, files):
    write(step="pushed", place=place, files=files)

def closed(place, number):
    write(step="closed", place=place, number=number)

workflows = github_jobs.GitHubWorkflows(steps, pushed, closed)
work = jobs.Jobs(database, "one", [workflows])
work.start()
way_in = Queue(database)

def give(delivery, event):
    way_in.put(github_jobs.work_of(delivery, event))

for number, head, digest, pause in plan.get("deliveries", []):
    write(step="push", number=number, head=head)
    ref = PullRequestRef(1, shop, number)
    give(Delivery("x", "pull_request", digest), PullRequestChanged(ref, head, "main", "synchronize"))
    time.sleep(pause)
for number, text, digest in plan.get("comments", []):
    ref = PullRequestRef(1, shop, number)
    give(Delivery("x", "issue_comment", digest), CommandWritten(ref, 77, "ann", 5, "MEMBER", text))
for number, was_merged in plan.get("closed", []):
    ref = PullRequestRef(1, shop, number)
    told = PullRequestClosed(ref, "h0", was_merged, None)
    give(Delivery("x", "pull_request", f"closed-{number}"), told)
for branch, files in plan.get("pushes", []):
    told = BaseMoved(1, shop, branch, None, "h1", files and tuple(files))
    give(Delivery("x", "push", f"push-{branch}-{files}"), told)
for number, day in plan.get("measures", []):
    workflows.measure(asdict(PullRequestRef(1, shop, number)), day)
await_end(lambda: count(plan["until"][0]) >= plan["until"][1])
work.stop(1)
"""


def run(folder: Path, **plan: Any) -> tuple[list[dict[str, Any]], int]:  # noqa: ANN401 - JSON
    """One process over the database in `folder`; the journal of all processes so far, and how it ended."""
    program = folder / "worker.py"
    (folder / "journal").touch()
    program.write_text(textwrap.dedent(PROGRAM), encoding="utf-8")
    journal = folder / "journal"
    done = subprocess.run(
        [sys.executable, str(program), f"sqlite:///{folder}/jobs.sqlite", str(journal), json.dumps(plan)],
        cwd=Path(__file__).parents[3],
        env={"PYTHONPATH": str(Path(__file__).parents[3]), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=False,
        timeout=150,
    )
    assert done.returncode in {0, -9}, done.stderr.decode()
    return [json.loads(line) for line in journal.read_text().splitlines()], done.returncode


def steps(journal: list[dict[str, Any]], name: str) -> list[Any]:
    return [(line["number"], line.get("head")) for line in journal if line["step"] == name]


def test_a_delivery_is_worked_on_once_however_often_it_comes(tmp_path: Path) -> None:
    """The digest of its body is its id."""
    same = [(1, "a", "digest", 0.0)] * 3
    journal, _ = run(tmp_path, deliveries=same, until=["finish", 1])

    assert steps(journal, "analysed") == [(1, "a")]
    assert steps(journal, "comment") == steps(journal, "check") == [(1, "a")]


def test_ten_pushes_in_two_seconds_are_analysed_at_most_twice_and_end_with_the_newest(tmp_path: Path) -> None:
    """A head that is not the newest for a moment is not worth a report."""
    pushes = [(1, f"h{index}", f"d{index}", 0.2) for index in range(10)]
    journal, _ = run(tmp_path, deliveries=pushes, until=["finish", 1], quiet=1.5, slow=0.3)

    assert len(steps(journal, "analysed")) <= 2
    assert steps(journal, "comment")[-1] == (1, "h9")


def test_one_pull_request_never_overlaps_and_others_do_not_wait(tmp_path: Path) -> None:
    """The queue has a partition for each."""
    pushes = [(number, f"h{index}", f"d{number}{index}", 0.0) for index in range(2) for number in (1, 2)]
    journal, _ = run(tmp_path, deliveries=pushes, until=["finish", 2], slow=0.3, meets=2)

    spans = {
        number: [
            line["at"]
            for line in journal
            if line["step"] in {"analyse", "analysed"} and line["number"] == number
        ]
        for number in (1, 2)
    }
    assert spans[1][0] < spans[2][1]
    assert spans[2][0] < spans[1][1]
    for times in spans.values():
        assert times == sorted(times)


@pytest.mark.parametrize("step", ["look", "analyse", "comment", "check", "finish", "suggest"])
def test_a_killed_process_resumes_and_every_effect_happens_once(step: str, tmp_path: Path) -> None:
    """Ended by kill -9 in the middle of each step, then a new process with the same name."""
    _, killed = run(tmp_path, deliveries=[(1, "a", "digest", 0.0)], until=["suggest", 1], kill_at=step)
    journal, ended = run(tmp_path, until=["suggest", 1], kill_at=step)

    assert (killed, ended) == (-9, 0)
    assert steps(journal, "comment") == steps(journal, "check") == steps(journal, "finish") == [(1, "a")]


@pytest.mark.parametrize("step", ["look", "analyse", "comment", "check"])
def test_what_fails_outside_is_tried_again(step: str, tmp_path: Path) -> None:
    """Twice refused, then done; meanwhile the check says so."""
    journal, _ = run(tmp_path, deliveries=[(1, "a", "digest", 0.0)], until=["finish", 1], fail={step: 2})

    assert steps(journal, "comment") == steps(journal, "check") == [(1, "a")]
    told = [(line["reason"], line["again"]) for line in journal if line["step"] == "apologise"]
    assert told == ([] if step == "look" else [("GitHub answered 502", True)] * 2)


def test_pushes_to_the_default_branch_are_told_with_their_files(tmp_path: Path) -> None:
    """Whatever pull requests are open; another branch is of no interest to what is found on that one."""
    pushes = [["main", ["api.yaml"]], ["release", ["api.yaml"]], ["main", None]]
    journal, _ = run(tmp_path, pushes=pushes, until=["pushed", 2])

    told = [(line["place"], line["files"]) for line in journal if line["step"] == "pushed"]
    assert sorted(files or [] for _, files in told) == [[], ["api.yaml"]]
    assert {place["installation"] for place, _ in told} == {1}
    assert {place["repository"]["id"] for place, _ in told} == {7}


def test_pull_requests_that_are_over_are_told(tmp_path: Path) -> None:
    """Merged or given up: one of ours may be among them."""
    journal, _ = run(tmp_path, closed=[(1, True), (2, False)], until=["closed", 2])

    told = [
        (line["place"]["repository"]["id"], line["number"]) for line in journal if line["step"] == "closed"
    ]
    assert sorted(told) == [(7, 1), (7, 2)]


def test_every_line_of_a_step_says_which_delivery_and_pull_request_it_is_about(tmp_path: Path) -> None:
    """The id is the one that GitHub shows on the App's page."""
    deliveries = [(1, "a", "digest", 0.0)]
    run(tmp_path, deliveries=deliveries, until=["finish", 1], fail={"look": 1, "comment": 1})
    lines = [json.loads(line) for line in (tmp_path / "journal.log").read_text().splitlines()]

    about = {"delivery": "x", "pull_request": "acme/shop#1"}
    told = {line["message"]: about.items() <= line.items() for line in lines if "failed" in line["message"]}
    assert told == {"look failed: GitHub answered 502": True, "comment failed: GitHub answered 502": True}


def test_what_never_works_ends_in_a_word_and_not_in_an_error(tmp_path: Path) -> None:
    """The last apology says that nothing more is tried."""
    journal, _ = run(tmp_path, deliveries=[(1, "a", "d", 0.0)], until=["apologise", 3], fail={"analyse": 99})

    assert [line["again"] for line in journal if line["step"] == "apologise"] == [True, True, False]
    assert steps(journal, "comment") == []


def test_what_a_person_must_mend_is_told_at_once_and_not_tried_again(tmp_path: Path) -> None:
    """Another try would end the same."""
    journal, _ = run(tmp_path, deliveries=[(1, "a", "d", 0.0)], until=["apologise", 1], refuse=["analyse"])

    [apology] = [line for line in journal if line["step"] == "apologise"]
    assert (apology["reason"], apology["again"]) == (
        "prices.yaml, line 3: 'x' is no price: write a number",
        False,
    )
    assert len(steps(journal, "analyse")) == 1


@pytest.mark.parametrize("step", ["command", "answer"])
def test_a_command_is_answered_once_over_a_kill_and_a_second_delivery(step: str, tmp_path: Path) -> None:
    """And the report that it asks for is made."""
    comments = [(1, "approve", "first"), (1, "approve", "second")]
    _, killed = run(tmp_path, comments=comments, until=["finish", 1], kill_at=step)
    journal, ended = run(tmp_path, until=["finish", 1], kill_at=step)

    assert (killed, ended) == (-9, 0)
    assert [line["text"] for line in journal if line["step"] == "answer"] == ["approve"]
    assert steps(journal, "check") == steps(journal, "finish") == [(1, "h0")]


def test_a_command_that_never_works_is_answered_so(tmp_path: Path) -> None:
    """Nobody waits for ever."""
    journal, _ = run(tmp_path, comments=[(1, "help", "d")], until=["answer", 1], fail={"command": 99})

    assert "could not be done" in next(line["text"] for line in journal if line["step"] == "answer")


def test_what_is_closed_is_remembered_and_measured_once_a_day(tmp_path: Path) -> None:
    """Whether it was merged or given up; what failed all day has another day."""
    measures = [(1, "Monday"), (1, "Monday"), (1, "Tuesday")]
    journal, _ = run(tmp_path, closed=[(1, True), (2, False)], measures=measures, until=["measure", 2])

    assert sorted(steps(journal, "merged")) == [(1, None), (2, None)]
    assert steps(journal, "measure") == [(1, None), (1, None)]


def test_accepting_is_fast(tmp_path: Path) -> None:
    """Persisting 50 deliveries takes far less than working on them."""
    began = time.monotonic()
    journal, _ = run(
        tmp_path,
        deliveries=[(n, "a", f"d{n}", 0.0) for n in range(50)],
        until=["push", 50],
        slow=0.2,
    )
    accepted = [line["at"] for line in journal if line["step"] == "push"]

    assert accepted[-1] - accepted[0] < time.monotonic() - began
    assert accepted[-1] - accepted[0] < 50 * 0.2
