"""`tuppence replay` against a bot that is served, and against none."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.adapters import webhook_sender
from bot.composition.rehearsal import replay
from bot.entrypoints.cli import cli
from bot.entrypoints.http_app import make_app
from bot.errors import OutsideError, TuppenceError, UserError
from bot.github_events import Delivery, Event, PullRequestChanged
from bot.metrics import Metrics
from tests.deliveries import SECRET, body, pull_request
from tests.http_peer import Reply, peer
from tests.ports import held_port
from tests.served import served

OPENED = body(pull_request("opened"))


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A payload in a file; the environment holds its secret."""
    monkeypatch.setenv("TRIED_SECRET", f"{SECRET}\nan older secret")
    path = tmp_path / "opened.json"
    path.write_bytes(OPENED)
    return path


@pytest.fixture
def bot() -> Iterator[tuple[str, list[Event]]]:
    """The address of a served bot, and what it received."""
    received: list[Event] = []

    def receive(_delivery: Delivery, event: Event) -> None:
        received.append(event)

    app = make_app(ready=list, metrics=Metrics(), receive=receive, secrets=[SECRET])
    with served(app) as port:
        yield f"http://127.0.0.1:{port}", received


@pytest.mark.parametrize("path", ["", "/", "/github/webhook"])
def test_an_event_is_sent_as_github_would(file: Path, bot: tuple[str, list[Event]], path: str) -> None:
    """The bot takes it for GitHub's; the webhook's path may be left out."""
    address, received = bot
    done = CliRunner().invoke(
        cli,
        ["replay", str(file), "--event", "pull_request", "--url", address + path, "--sign", "TRIED_SECRET"],
    )
    assert (done.exit_code, done.output) == (0, '202 {"stored":"PullRequestChanged"}\n')
    assert isinstance(received[0], PullRequestChanged)


def test_a_refusal_is_told_in_one_line(
    file: Path, bot: tuple[str, list[Event]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A secret that is not the bot's, say."""
    monkeypatch.setenv("TRIED_SECRET", "another")
    with pytest.raises(
        UserError, match=r"/github/webhook answered 401: X-Hub-Signature-256 is missing or does"
    ):
        replay(file, event="pull_request", url=bot[0], sign="TRIED_SECRET")


def test_a_redirect_is_not_followed(file: Path) -> None:
    """A signed event is for the address that was named."""
    with peer(lambda _asked: Reply(status=307, headers={"Location": "http://127.0.0.1:1/"})) as (
        address,
        asked,
    ):
        with pytest.raises(UserError, match=r"answered 307: nothing more"):
            replay(file, event="ping", url=address, sign="TRIED_SECRET")
        assert len(asked) == 1


def test_a_bot_that_is_not_there_is_named(file: Path) -> None:
    """One line, and no traceback."""
    with held_port() as port:
        said = rf"http://127\.0\.0\.1:{port}/github/webhook: cannot be reached"
        with pytest.raises(OutsideError, match=said):
            replay(file, event="ping", url=f"http://127.0.0.1:{port}", sign="TRIED_SECRET")


def test_a_bot_that_says_nothing_is_given_up(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After half a minute."""
    monkeypatch.setattr(webhook_sender, "_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(OutsideError, match="did not answer within"):
            replay(file, event="ping", url=address, sign="TRIED_SECRET")


@pytest.mark.parametrize(
    ("event", "url", "sign", "said"),
    [
        ("Pull Request", "http://127.0.0.1:1", "TRIED_SECRET", "--event 'Pull Request'"),
        ("pull_requets", "http://127.0.0.1:1", "TRIED_SECRET", "did you mean pull_request?"),
        ("ping", "127.0.0.1:8080", "TRIED_SECRET", "--url '127.0.0.1:8080'"),
        ("ping", "ftp://127.0.0.1", "TRIED_SECRET", "--url 'ftp://127.0.0.1'"),
        ("ping", "http://[", "TRIED_SECRET", "--url 'http://['"),
        ("ping", "http://127.0.0.1:99999", "TRIED_SECRET", "http://127.0.0.1:99999"),
        ("ping", f"http://{'a' * 70}.example", "TRIED_SECRET", "aaa"),
        ("ping", "http://127.0.0.1:1", "NO_SUCH_SECRET", "NO_SUCH_SECRET: not set"),
    ],
    ids=["event", "slip", "no scheme", "scheme", "bracket", "port", "label too long", "secret"],
)
def test_what_was_asked_wrongly_is_named(file: Path, event: str, url: str, sign: str, said: str) -> None:
    """With the option and its value."""
    with pytest.raises(TuppenceError, match=r"^[^\n]+$") as refused:
        replay(file, event=event, url=url, sign=sign)
    assert said in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Before anything is sent."""
    with pytest.raises(UserError, match=r"none\.json: cannot be read: No such file"):
        replay(tmp_path / "none.json", event="ping", url="http://127.0.0.1:1", sign="TRIED_SECRET")
