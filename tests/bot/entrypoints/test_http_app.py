"""The webhook, the probes and the metrics over real HTTP."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.entrypoints import http_app, serving
from bot.entrypoints.http_app import make_app
from bot.errors import OutsideError, UserError
from bot.github_events import Delivery, Event, PullRequestChanged
from bot.metrics import Metrics
from tests.deliveries import SECRET, body, comment, headers, pull_request
from tests.served import Answer, ask, ask_raw, served

OPENED = body(pull_request("opened"))
HEAD = b"POST /github/webhook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@dataclass
class Bot:
    """What is behind the HTTP: what it received, and how it is made to behave."""

    received: list[tuple[Delivery, Event]] = field(default_factory=list)
    storing: Callable[[], object] = lambda: None
    reasons: Sequence[str] = ()
    checking: Callable[[], object] = lambda: None
    port: int = 0

    def receive(self, delivery: Delivery, event: Event) -> None:
        """Store it, as the test says."""
        self.storing()
        self.received.append((delivery, event))

    def ready(self) -> Sequence[str]:
        """Check, as the test says."""
        self.checking()
        return self.reasons

    def deliver(self, sent: bytes = OPENED, event: str = "pull_request", **changes: str) -> Answer:
        """Deliver to it over HTTP."""
        return ask(self.port, "POST", "/github/webhook", sent, headers(event, sent, **changes))

    def measured(self, name: str, **labels: str) -> float:
        """The sum of the samples of a metric that have these labels."""
        text = ask(self.port, "GET", "/metrics")[2]
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        return sum(
            sample.value
            for sample in samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )


@pytest.fixture
def bot() -> Iterator[Bot]:
    """Served on loopback."""
    behind = Bot()
    app = make_app(
        ready=behind.ready, metrics=Metrics(), receive=behind.receive, secrets=["new secret", SECRET]
    )
    with served(app) as behind.port:
        yield behind


def test_a_delivery_is_stored_and_then_accepted(bot: Bot) -> None:
    """202, and what was stored is what GitHub sent."""
    status, _, text = bot.deliver()
    [(delivery, event)] = bot.received
    assert (status, text) == (202, '{"stored":"PullRequestChanged"}')
    assert delivery.event == "pull_request"
    assert isinstance(event, PullRequestChanged)
    assert event.ref.repository.full_name == "acme/shop"


def test_an_ignored_delivery_is_accepted_and_not_stored(bot: Bot) -> None:
    """GitHub's page of recent deliveries shows why."""
    status, _, text = bot.deliver(body({"zen": "Keep it logically awesome."}), "ping")
    assert (status, text) == (202, '{"ignored":"event ping"}')
    assert bot.received == []


def test_what_cannot_be_stored_is_not_accepted(bot: Bot) -> None:
    """503, and nothing is lost: GitHub can be asked to deliver again."""

    def fail() -> None:
        raise OutsideError("the database is away")

    bot.storing = fail
    status, sent, text = bot.deliver()
    assert (status, sent["Retry-After"], text) == (503, "30", "could not be stored\n")
    bot.storing = lambda: None
    assert bot.deliver()[0] == 202
    assert len(bot.received) == 1


REFUSED = {
    "no signature": (401, OPENED, {"X_Hub_Signature_256": ""}),
    "not ASCII": (401, OPENED, {"X_Hub_Signature_256": "sha256=\xe9"}),
    "form": (415, OPENED, {"Content_Type": "application/x-www-form-urlencoded"}),
    "not JSON": (400, b"{", {}),
    "no delivery id": (400, OPENED, {"X_GitHub_Delivery": ""}),
    "deep": (400, b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", {}),
}


@pytest.mark.parametrize(("expected", "sent", "changes"), REFUSED.values(), ids=REFUSED.keys())
def test_a_refusal_has_its_status_and_is_counted(
    bot: Bot, expected: int, sent: bytes, changes: dict[str, str]
) -> None:
    """Never 500."""
    assert bot.deliver(sent, **changes)[0] == expected
    assert bot.received == []
    assert bot.measured("tuppence_deliveries_total", outcome="refused", what=str(expected)) == 1


def test_neither_body_nor_signature_reaches_a_log(bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
    """Not when it is read, refused, or fails to be stored."""
    caplog.set_level(logging.DEBUG)
    canary = "c4nary"
    sent = body(comment(f"/tuppence {canary}"))

    def fail() -> None:
        raise ValueError("no")

    bot.deliver(sent, "issue_comment")
    bot.deliver(sent[:-1], "issue_comment")
    bot.deliver(sent, "issue_comment", X_Hub_Signature_256=f"sha256={canary}")
    bot.storing = fail
    bot.deliver(sent, "issue_comment")
    logged = "".join(caplog.handler.format(record) for record in caplog.records)
    assert "Refused a delivery with 401" in logged
    assert "ValueError: no" in logged
    assert canary not in logged
    assert "sha256=" not in logged


def test_a_length_beyond_githubs_is_refused_before_the_body_comes(bot: Bot) -> None:
    """Nothing is read that will not be used: the connection is closed."""
    came = ask_raw(bot.port, HEAD + b"Content-Length: 26214401\r\n\r\n{")
    assert came.startswith(b"HTTP/1.1 413 ")
    assert b"\r\nconnection: close\r\n" in came.lower()


def test_a_body_without_a_length_is_cut_off_at_25_mb(bot: Bot) -> None:
    """Chunk by chunk, it is refused when it has become too large."""
    chunk = b"100000\r\n" + b" " * 2**20 + b"\r\n"
    ask_raw(bot.port, HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 27)
    assert bot.measured("tuppence_deliveries_total", outcome="refused", what="413") == 1
    assert bot.deliver()[0] == 202


def test_a_chunked_body_is_read_like_any_other(bot: Bot) -> None:
    """A proxy may take the length away."""
    sent = headers("pull_request", OPENED)
    lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    start = f"POST /github/webhook HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{lines}Transfer-Encoding: chunked\r\n\r\n"
    chunks = [b"%x\r\n%b\r\n" % (len(part), part) for part in (OPENED[:10], OPENED[10:])]
    assert ask_raw(bot.port, start.encode(), *chunks, b"0\r\n\r\n").startswith(b"HTTP/1.1 202 ")


def test_a_slow_body_is_given_up(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then keeps no connection for ever."""
    monkeypatch.setattr(http_app, "BODY_SECONDS", 0.2)
    came = ask_raw(bot.port, HEAD + b"Content-Length: 100\r\n\r\n", *[b"{"] * 5, pause=0.1)
    assert came.startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize(
    "start", [(b"",), (HEAD,), (b"G", b"E", b"T", b" ", b"/")], ids=["silent", "half", "dripped"]
)
def test_a_request_that_does_not_begin_is_given_up(
    bot: Bot, monkeypatch: pytest.MonkeyPatch, start: tuple[bytes, ...]
) -> None:
    """However it is late."""
    monkeypatch.setattr(serving, "HEAD_SECONDS", 0.2)
    started = time.monotonic()
    assert ask_raw(bot.port, *start, pause=0.06) == b""
    assert time.monotonic() - started < 5


def test_a_body_that_ends_early_is_dropped(bot: Bot) -> None:
    """The client is gone; the next one is served."""
    with socket.create_connection(("127.0.0.1", bot.port)) as connection:
        connection.sendall(HEAD + b"Content-Length: 100\r\n\r\n{")
    assert bot.deliver()[0] == 202
    assert len(bot.received) == 1
    deadline = time.monotonic() + 10
    while not bot.measured("tuppence_deliveries_total", outcome="refused", what="400"):
        assert time.monotonic() < deadline


def test_bodies_together_take_a_bounded_memory(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Strangers may send what they like before a signature is checked; and what is done is given back."""
    monkeypatch.setattr(http_app, "MOST_HELD", 2**20)
    large = b" " * (2**20 + 1)
    for _ in range(3):
        came = ask_raw(bot.port, HEAD + b"Content-Length: %d\r\n\r\n" % len(large), large)
        assert came.startswith(b"HTTP/1.1 503 ") or came == b""
    assert bot.measured("tuppence_deliveries_total", outcome="unstored", what="held") == 3
    assert bot.deliver()[0] == 202


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /%00 HTTP/1.1",
        b"GET /%ff%fe HTTP/1.1",
        b"GET /github/webhook/../../etc/passwd HTTP/1.1",
        b"GET http://other.example/healthz HTTP/1.1",
        b"PROPFIND * HTTP/1.1",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1",
        b"GET / HTTP/9.9",
        b"\x16\x03\x01\x02\x00",
        b"POST /github/webhook HTTP/1.1\r\nContent-Length: " + b"9" * 5_000,
        b"POST /github/webhook HTTP/1.1\r\nContent-Length: -1",
        b"POST /github/webhook HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked",
        b"POST /github/webhook HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6",
        b"POST /github/webhook HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade",
    ],
    ids=lambda line: line[:60].decode("latin-1").encode("unicode_escape").decode() + f" {len(line)}",
)
def test_odd_requests_are_refused(bot: Bot, monkeypatch: pytest.MonkeyPatch, request_line: bytes) -> None:
    """Never 500, and the server goes on."""
    with monkeypatch.context() as hurried:
        hurried.setattr(serving, "HEAD_SECONDS", 0.3)
        hurried.setattr(http_app, "BODY_SECONDS", 0.3)
        came = ask_raw(bot.port, request_line + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert came == b"" or came.startswith((b"HTTP/1.1 4", b"HTTP/1.1 200 "))
    assert ask(bot.port, "GET", "/healthz")[0] == 200


def test_only_post_delivers(bot: Bot) -> None:
    """And a path is exactly what it is."""
    assert ask(bot.port, "GET", "/github/webhook")[0] == 405
    assert ask(bot.port, "POST", "/github/webhook/", OPENED, headers("pull_request", OPENED))[0] == 404


def test_the_probes_tell_alive_from_ready(bot: Bot) -> None:
    """A bot whose database is away shall not be restarted, but gets no deliveries."""
    assert ask(bot.port, "GET", "/readyz")[::2] == (200, "ready\n")
    bot.reasons = ["the database does not answer", "the scheduler last beat 90 s ago"]
    status, _, text = ask(bot.port, "GET", "/readyz")
    assert (status, text) == (503, "the database does not answer\nthe scheduler last beat 90 s ago\n")
    assert ask(bot.port, "GET", "/healthz")[::2] == (200, "alive\n")


def test_a_check_that_hangs_is_not_ready(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    """The probe is answered all the same."""
    monkeypatch.setattr(http_app, "READY_SECONDS", 0.1)
    hanging = threading.Event()
    bot.checking = lambda: hanging.wait(20)
    status, _, text = ask(bot.port, "GET", "/readyz")
    hanging.set()
    assert (status, text) == (503, "the checks took more than 0.1 s\n")


def test_probes_answer_while_storing_hangs(bot: Bot) -> None:
    """What blocks is in threads of its own."""
    hanging = threading.Event()
    bot.storing = lambda: hanging.wait(20)
    with ThreadPoolExecutor() as pool:
        delivered = pool.submit(bot.deliver)
        started = time.monotonic()
        assert ask(bot.port, "GET", "/healthz")[0] == 200
        assert time.monotonic() - started < 5
        hanging.set()
        assert delivered.result()[0] == 202


def test_a_burst_is_answered_whole(bot: Bot) -> None:
    """Two hundred deliveries at once, and each is stored once."""
    with ThreadPoolExecutor(20) as pool:
        answers = list(
            pool.map(lambda number: bot.deliver(body(pull_request("opened", number=number))), range(1, 201))
        )
    assert {status for status, _, _ in answers} == {202}
    numbers = [event.ref.number for _, event in bot.received if isinstance(event, PullRequestChanged)]
    assert sorted(numbers) == list(range(1, 201))
    assert bot.measured("tuppence_deliveries_total", outcome="stored", what="PullRequestChanged") == 200
    assert bot.measured("tuppence_delivery_seconds_count") == 200


def test_metrics_are_prometheus_text(bot: Bot) -> None:
    """With the process's own beside ours."""
    status, sent, _ = ask(bot.port, "GET", "/metrics")
    assert (status, sent["Content-Type"].partition(";")[0]) == (200, "text/plain")
    assert bot.measured("tuppence_build_info") == 1
    assert bot.measured("process_resident_memory_bytes") > 0


def test_no_secret_no_webhook() -> None:
    """An endpoint that believes everybody must not start."""
    with pytest.raises(UserError, match="GITHUB_WEBHOOK_SECRET"):
        make_app(ready=list, metrics=Metrics(), receive=Bot().receive, secrets=["", ""])


def test_without_github_there_is_no_webhook() -> None:
    """GitHub is optional."""
    with served(make_app(ready=list, metrics=Metrics())) as port:
        assert ask(port, "POST", "/github/webhook", OPENED, headers("pull_request", OPENED))[0] == 404
        assert ask(port, "GET", "/readyz")[0] == 200
