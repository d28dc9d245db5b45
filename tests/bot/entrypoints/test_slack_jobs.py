"""Clicks on recommendations as durable work: one at a time for each, told and carried out, over a kill."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import json, os, sys, time
from bot.entrypoints import jobs, slack_jobs
from bot.entrypoints.deliveries import Queue, Work
from bot.entrypoints.slack_jobs import SlackWorkflows, Steps
from bot.errors import GitHubRefused, SlackRefused, SlackUnavailable
from bot.logs import configure
from bot.recommendation_slack import APPROVE, MODAL, REJECT
from bot.redaction import Redactor
from bot.slack_events import Asker, ButtonPressed, ModalSubmitted, to_json
from tests.durable_work import await_end

database, journal, script = sys.argv[1:4]
plan = json.loads(script)

def write(step, about):
    with open(journal, "a") as file:
        file.write(json.dumps([step, about]) + "\\n")

def count(step):
    return sum(json.loads(line)[0] == step for line in open(journal))

def step(name, about, result):
    write(name + " begins", about)
    if plan.get("kill_at") == name and not os.path.exists(journal + ".killed"):
        open(journal + ".killed", "w").close()
        os.kill(os.getpid(), 9)
    if name in plan.get("denied", []):
        raise GitHubRefused("GitHub refuses the App's access", 401, denied=True)
    if name in plan.get("refused", []):
        raise SlackRefused("Slack says missing_scope", "missing_scope")
    if count(name + " begins") <= plan.get("fail", {}).get(name, 0):
        raise SlackUnavailable("Slack did not answer")
    time.sleep(plan.get("slow", 0))
    write(name, about)
    return result

def decide(told):
    about = told.get("value") or json.loads(told["private_metadata"])["id"]
    said = [{"to": "asker", "message": {"text": about, "blocks": []}}]
    return step("decide", about, {"said": said, "changed": about, "team": "t", "right_size": about})

steps = Steps(
    answer=lambda told: step("answer", told.get("value"), []),
    say=lambda told, piece: step("say", piece["message"]["text"], True),
    sorry=lambda reason, again: [
        {"to": "asker", "message": {"text": ("sorry: " if again else "never: ") + reason, "blocks": []}}
    ],
    decide=decide,
    show=lambda told, id, team: step("show", id, 1),
)
configure(Redactor(()), stream=open(journal + ".log", "a"))
slack_jobs.ANSWERED_AGAIN, slack_jobs.SAID_AGAIN = (0.05, 0.05), (0.05, 0.05)
more = {} if plan.get("alone") else {"start_right_sizing": lambda id: write("start", id)}
work = jobs.Jobs(database, "one", [SlackWorkflows(steps, **more)])
work.start()
queue = Queue(database)
for at, (kind, user, id) in enumerate(plan.get("events", [])):
    asker = Asker("T1", user, "C1")
    event = (
        ModalSubmitted(asker, MODAL, {"reason": "x"}, json.dumps({"id": id})) if kind == "modal"
        else ButtonPressed(asker, APPROVE if kind == "approve" else kind, id, "", "t")
    )
    queue.put(Work("slack", f"slack/{at}", (to_json(event),)))
await_end(lambda: count("say") >= plan["until"])
work.stop(1)
"""


def run(folder: Path, **plan: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - JSON
    """One process over the database in `folder`; what was done so far, in order."""
    journal = folder / "journal"
    journal.touch()
    arguments = [f"sqlite:///{folder}/jobs.sqlite", str(journal), json.dumps(plan)]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], cwd=ROOT, capture_output=True, check=False, timeout=150
    )
    assert done.returncode in {0, -9}, done.stderr.decode()
    return [(step, about) for step, about in map(json.loads, journal.read_text().splitlines())]


def of(journal: list[tuple[str, str]], *steps: str) -> list[str]:
    return [about for step, about in journal if step in steps]


def test_clicks_on_one_recommendation_never_overlap(tmp_path: Path) -> None:
    """Whoever clicks, a modal among them; clicks on another one do not wait."""
    events = [("approve", "UANA", "a"), ("modal", "UBEA", "a"), ("approve", "UBEA", "b")]
    journal = run(tmp_path, events=events, slow=1, until=3)

    ours = [step for step, about in journal if about == "a" and step.startswith("decide")]
    assert ours == ["decide begins", "decide", "decide begins", "decide"]
    order = [(step, about) for step, about in journal if step.startswith("decide")]
    assert order.index(("decide begins", "b")) < max(
        at for at, each in enumerate(order) if each == ("decide begins", "a")
    )
    assert sorted(of(journal, "start")) == ["a", "a", "b"]
    assert sorted(of(journal, "show")) == ["a", "a", "b"]


@pytest.mark.parametrize("step", ["decide", "show", "say"])
def test_a_killed_process_goes_on_where_it_was(step: str, tmp_path: Path) -> None:
    """What was approved is carried out and said; what follows has an id of its own, so it is done once."""
    run(tmp_path, events=[("approve", "UANA", "a")], until=1, kill_at=step)
    journal = run(tmp_path, until=1, kill_at=step)

    assert set(of(journal, "start")) == {"a"}
    assert [of(journal, each) for each in ("decide", "show", "say")] == [["a"]] * 3


def test_what_cannot_be_decided_now_is_said(tmp_path: Path) -> None:
    """After the last try; nothing is carried out."""
    journal = run(tmp_path, events=[("approve", "UANA", "a")], until=1, fail={"decide": 9})

    assert of(journal, "say") == ["sorry: Slack did not answer"]
    assert of(journal, "start", "show") == []


def test_what_only_an_administrator_can_mend_is_said_at_once(tmp_path: Path) -> None:
    """To ask again does not help before that, and is neither done nor asked for."""
    journal = run(tmp_path, events=[("approve", "UANA", "a")], until=1, denied=["decide"])

    assert of(journal, "say") == ["never: GitHub refuses the App's access"]
    assert of(journal, "decide begins") == ["a"]


def test_what_slack_refuses_is_not_asked_again(tmp_path: Path) -> None:
    """It would say the same; an answer's own address takes five tries in all."""
    journal = run(tmp_path, events=[("approve", "UANA", "a")], until=1, refused=["decide"])

    assert [text.partition(": ")[2] for text in of(journal, "say")] == ["Slack says missing_scope"]
    assert of(journal, "decide begins") == ["a"]


def test_a_digest_that_cannot_be_written_anew_keeps_nobody_from_an_answer(tmp_path: Path) -> None:
    """The decision stands, and is carried out."""
    journal = run(tmp_path, events=[("approve", "UANA", "a")], until=1, fail={"show": 9})

    assert of(journal, "start", "say") == ["a", "a"]


def test_an_approval_that_nobody_carries_out_is_in_the_log(tmp_path: Path) -> None:
    """Rather than lost."""
    run(tmp_path, events=[("approve", "UANA", "a")], until=1, alone=True)

    assert "nothing here opens pull requests" in (tmp_path / "journal.log").read_text()


def test_other_clicks_are_answered_as_ever(tmp_path: Path) -> None:
    """In their person's turn."""
    journal = run(tmp_path, events=[("cost_share", "UANA", "x"), ("approve", "UANA", "a")], until=1)

    assert of(journal, "answer") == ["x"]
    assert of(journal, "decide") == ["a"]
