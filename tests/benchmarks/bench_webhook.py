"""How long GitHub waits for the webhook's answer, beside an endpoint that does nothing.

Run by hand: `python -m tests.benchmarks.bench_webhook`. The real server, worker and database (SQLite, then
PostgreSQL) run in processes of their own; behind the webhook 100 pull requests wait for analyses.
"""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from bot.adapters.records_work import work_database
from bot.entrypoints import worker_process
from bot.entrypoints.deliveries import Queue, Spool, Taking
from bot.entrypoints.github_jobs import GitHubWorkflows, Steps
from bot.entrypoints.jobs import Jobs
from tests.deliveries import SECRET, body, headers, pull_request
from tests.postgres_server import serving

ROOT = Path(__file__).resolve().parents[2]
ONE_BY_ONE, BURST, SENDERS = 400, 1_000, 20
PADDING = "x" * 20_000
"""A real payload has about 25 kB."""
BOT = """
import logging, sys, time
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from bot.entrypoints import http_app, serving
from bot.entrypoints.deliveries import Queue, Spool
from bot.entrypoints.github_jobs import work_of
from bot.adapters.records_work import work_database
from bot.entrypoints.worker_process import WorkerProcess
from bot.metrics import Metrics
from tests.benchmarks.bench_webhook import work

async def empty(request):
    await request.body()
    return PlainTextResponse("", 202)

if __name__ == "__main__":
    database, secret, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    logging.basicConfig(level=logging.INFO)
    logging.getLogger("bot.entrypoints.http_app").setLevel(logging.WARNING)
    worker = WorkerProcess(work, (database, seconds))
    worker.start()
    place = work_database(database)
    deliveries = Spool(place.inbox) if place.inbox else Queue(place.url)
    app = http_app.make_app(
        ready=worker.ready, metrics=Metrics(), receive=lambda delivery, event: deliveries.put(work_of(delivery, event)), secrets=[secret]
    )
    app.router.routes.append(Route("/empty", empty, methods=["POST"]))
    serving.run(app, serving.listening("127.0.0.1", 0))
"""


def burn(seconds: float) -> None:
    """Keep a processor busy."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        sorted(str(number) for number in range(2000))


def work(pipe: Connection, database: str, seconds: float) -> None:
    """The real worker and queue. An analysis keeps a processor busy for `seconds`, two at a time, as ours do."""
    pool = ProcessPoolExecutor(
        2, mp_context=get_context("spawn"), initializer=worker_process.belong_to_parent
    )

    def analyse(_sight: object) -> dict[str, object]:
        pool.submit(burn, seconds).result()
        return {}

    steps = Steps(
        look=lambda _: {"open": True, "done": False, "quiet_seconds": 9.0},
        begin=lambda _: None,
        analyse=analyse,
        comment=lambda *_: None,
        check=lambda *_: None,
        finish=lambda _: None,
        suggest=lambda *_: None,
        apologise=lambda *_: None,
        refs_of=lambda _: [],
        command=lambda *_: {},
        answer=lambda *_: None,
        merged=lambda _: None,
        measure=lambda _: None,
    )
    place = work_database(database)
    place.prepare()
    jobs = Jobs(place.url, "bench", [GitHubWorkflows(steps)])
    jobs.start()
    if place.inbox is not None:
        Taking(Spool(place.inbox), Queue(place.url).put).start()
    worker_process.answer(pipe, ready=jobs.ready, metrics=bytes)


def deliver(port: int, path: str, number: int) -> float:
    """Seconds until the answer to a new delivery; each has a connection of its own, as GitHub's have."""
    sent = body(pull_request("opened", number=number, body=PADDING))
    signed = headers("pull_request", sent)
    started = time.perf_counter()
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("POST", path, sent, signed)
        status = connection.getresponse().status
    took = time.perf_counter() - started
    if status != 202:
        raise SystemExit(f"{path} answered {status}")
    return took


def row(name: str, took: Sequence[float], empty: Sequence[float]) -> str:
    """Percentiles in milliseconds, and the ratio of the 99th to the empty endpoint's."""
    ordered, beside = sorted(took), sorted(empty)
    at = [ordered[int(len(ordered) * share)] * 1000 for share in (0.5, 0.9, 0.99)]
    ratio = at[2] / 1000 / beside[int(len(beside) * 0.99)]
    return f"{name:44}" + "".join(f"{value:9.1f}" for value in at) + f"{ratio:9.1f}"


def measure(kind: str, database: str, seconds: float) -> None:
    """A bot whose analyses each take `seconds` of processor time, over a new database."""
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("w+") as log:
        program = Path(folder) / "listening.py"
        program.write_text(BOT, encoding="utf-8")
        url = database or f"sqlite:///{folder}/bench.db"
        arguments = [sys.executable, str(program), url, SECRET, str(seconds)]
        with subprocess.Popen(
            arguments, cwd=ROOT, stderr=log, env={**os.environ, "PYTHONPATH": str(ROOT)}
        ) as bot:
            while "Listening on" not in (said := (Path(folder) / "log").read_text()):
                if bot.poll() is not None:
                    raise SystemExit(said)
                time.sleep(0.1)
            port = int(said.partition("Listening on 127.0.0.1:")[2].split()[0])
            numbers = iter(range(1, 1_000_000))
            alone = [deliver(port, "/empty", next(numbers)) for _ in range(ONE_BY_ONE)]
            for _ in range(100):
                deliver(port, "/github/webhook", next(numbers))
            time.sleep(3)
            name = f"{kind}, 100 of {seconds:g} s queued: "
            beside = [deliver(port, "/empty", next(numbers)) for _ in range(ONE_BY_ONE)]
            print(row(f"{name}empty", beside, alone))
            took = [deliver(port, "/github/webhook", next(numbers)) for _ in range(ONE_BY_ONE)]
            print(row(f"{name}one by one", took, alone))
            with ThreadPoolExecutor(SENDERS) as pool:
                began = time.perf_counter()
                burst = list(
                    pool.map(
                        lambda n: deliver(port, "/github/webhook", n), (next(numbers) for _ in range(BURST))
                    )
                )
                lasted = time.perf_counter() - began
            print(row(f"{name}{BURST} by {SENDERS} ({BURST / lasted:.0f}/s)", burst, alone), flush=True)
            bot.kill()


if __name__ == "__main__":
    print(f"{'':44}{'p50 ms':>9}{'p90 ms':>9}{'p99 ms':>9}{'ratio':>9}")
    with serving() as postgres:
        for cost in (0.0, 0.5):
            measure("SQLite", "", cost)
            measure("PostgreSQL", postgres.new_database(), cost)
