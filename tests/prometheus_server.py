"""A real Prometheus on a past that the test wrote, so that the truth is known.

`backfill` turns series into blocks with `promtool`, `serving` starts `prometheus` on them.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.ports import held_port

STARTS_WITHIN_SECONDS = 150


@dataclass(frozen=True, slots=True)
class Written:
    """One series of the past: `times` in Unix seconds, rising; as many `values`."""

    metric: str
    labels: Mapping[str, str]
    times: NDArray[np.int64]
    values: NDArray[np.float64]

    def lines(self) -> str:
        """The series as OpenMetrics text."""
        labels = ",".join(f"{name}={json.dumps(value)}" for name, value in self.labels.items())
        head = f"{self.metric}{{{labels}}}"
        pairs = zip(self.values.tolist(), self.times.tolist(), strict=True)
        return "".join(f"{head} {value!r} {moment}\n" for value, moment in pairs)


def backfill(data: Path, past: Iterable[Written]) -> None:
    """Add the series to the storage folder `data`, as large blocks: fast to write and to read."""
    data.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", suffix=".om", dir=data, encoding="utf-8") as text:
        text.writelines(series.lines() for series in past)
        text.write("# EOF\n")
        text.flush()
        command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet"]
        command += ["--max-block-duration=480h", text.name, str(data)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"promtool refused the past: {done.stdout}{done.stderr}"[-2000:])


@contextmanager
def serving(data: Path, *options: str) -> Iterator[str]:
    """The URL of a Prometheus that answers from `data` and scrapes nothing, while the context lasts."""
    config = data / "prometheus.yml"
    config.write_text("scrape_configs: []\n", encoding="utf-8")
    command = [
        "prometheus",
        f"--config.file={config}",
        f"--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=100y",
        *options,
    ]
    with held_port() as port:
        command.append(f"--web.listen-address=127.0.0.1:{port}")
        with (data / "server.log").open("wb") as log:
            server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait(server, port, data / "server.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=STARTS_WITHIN_SECONDS)


def _wait(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        with closing(HTTPConnection("127.0.0.1", port, timeout=5)) as probe, suppress(OSError):
            probe.request("GET", "/-/ready")
            if probe.getresponse().status == HTTPStatus.OK:
                return
        time.sleep(0.02)
    raise RuntimeError(f"prometheus did not start: {log.read_text(encoding='utf-8')[-2000:]}")
