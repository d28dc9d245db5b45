"""`tuppence serve --dry-run`: everything is read and priced, and nothing is written."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from tests.end_to_end.bots import FILES, PATIENCE, PROMPT, RAISED, ROOT, Bot, shop, wait_for
from tests.github.service import GitHub
from tests.ports import held_port
from tests.yaml_objects import deployment

POLICY = {".tuppence.yaml": "suggestions: true\n"}
EXPECTED = ("would set the check of", "success", "#2: would suggest", "```suggestion\n  replicas: 2\n```")


def test_a_dry_run_prints_and_leaves_no_trace(hub: GitHub, tmp_path: Path) -> None:
    """Neither on GitHub nor in the records."""
    said = tmp_path / "said.txt"
    with held_port() as port, said.open("wb") as out, (tmp_path / "bot.log").open("wb") as log:
        bot = Bot(hub, tmp_path, port)
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", PROMPT, "serve", "--dry-run"],
            cwd=ROOT,
            env=bot.environment,
            stdout=out,
            stderr=log,
        )
        try:
            wait_for(bot.ready, what="the bot to be ready", told=bot.log.read_text)
            hub.hooks.url = f"{bot.url}/github/webhook"
            repository = shop(hub, {**FILES, "web.yaml": deployment("web", replicas=3), **POLICY})
            pull = hub.people.open_pull(repository, RAISED)
            hub.people.open_pull(repository, {"web.yaml": deployment("web", replicas=1)})
            wait_for(
                lambda: all(words in said.read_text() for words in EXPECTED),
                what="what would be written",
                told=bot.log.read_text,
            )
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0

    assert "acme/shop#1: would comment:" in said.read_text()
    assert "+$69.23 a month" in said.read_text()
    assert hub.comments(repository, pull) == []
    assert hub.check_runs(repository) == []
    assert not repository.review_comments
    assert not list(tmp_path.glob("tuppence*.db"))
    assert hub.hooks.secret not in said.read_text() + bot.log.read_text()
    assert {
        scope for use in hub.scopes() for scope, level in use.granted.items() if level == "write"
    } == set()
