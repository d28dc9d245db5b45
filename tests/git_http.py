"""Git over real HTTP on loopback, with git's own server program behind a password."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit


@dataclass
class GitServer:
    """Where it listens, and what was asked of it."""

    url: str = ""
    password: str = ""
    asked: list[str] = field(default_factory=list)
    refused: int = 0
    on_request: Callable[[], None] = lambda: None

    @property
    def transfers(self) -> int:
        """How often objects were asked for; a listing of refs is no transfer."""
        return sum(path.startswith("POST") for path in self.asked)


@contextmanager
def git_server(root: Path, password: str = "") -> Iterator[GitServer]:
    """Serve the repositories below `root`."""
    server = GitServer(password=password)
    backend = Path(subprocess.check_output(["git", "--exec-path"], text=True).strip()) / "git-http-backend"

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = _body(self)
            expected = "Basic " + base64.b64encode(f"x-access-token:{server.password}".encode()).decode()
            if server.password and self.headers.get("Authorization") != expected:
                server.refused += 1
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="GitHub"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            parts = urlsplit(self.path)
            server.asked.append(f"{self.command} {parts.path}")
            server.on_request()
            done = subprocess.run(
                [str(backend)], input=body, env=_cgi(self, root), capture_output=True, check=False
            )
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
            self.send_response(int(headers.pop("Status", "200").split()[0]))
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815 - the name http.server looks for

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
            """Quiet."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = True
    Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    server.url = f"http://127.0.0.1:{listening.server_address[1]}"
    try:
        yield server
    finally:
        listening.shutdown()
        listening.server_close()


def _body(handler: BaseHTTPRequestHandler) -> bytes:
    if handler.headers.get("Transfer-Encoding") != "chunked":
        return handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
    pieces = []
    while size := int(handler.rfile.readline(), 16):
        pieces.append(handler.rfile.read(size))
        handler.rfile.readline()
    handler.rfile.readline()
    return b"".join(pieces)


def _cgi(handler: BaseHTTPRequestHandler, root: Path) -> dict[str, str]:
    parts = urlsplit(handler.path)
    return {
        "PATH": os.defpath,
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_PROTOCOL": handler.headers.get("Git-Protocol", ""),
        "PATH_INFO": parts.path,
        "QUERY_STRING": parts.query,
        "REQUEST_METHOD": handler.command,
        "CONTENT_TYPE": handler.headers.get("Content-Type", ""),
        "HTTP_CONTENT_ENCODING": handler.headers.get("Content-Encoding", ""),
    }
