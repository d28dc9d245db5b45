"""Our application behind the real server, on loopback."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

from starlette.applications import Starlette

from bot.entrypoints.serving import listening, make_server

Answer = tuple[int, http.client.HTTPMessage, str]


@contextmanager
def served(app: Starlette) -> Iterator[int]:
    """The port on which `app` is served."""
    server = make_server(app)
    listener = listening("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.005)
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def ask(
    port: int, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> Answer:
    """Status, headers and text of an answer."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request(method, path, body or None, dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()


def ask_raw(port: int, *pieces: bytes, pause: float = 0.0) -> bytes:
    """All that comes back for bytes that are sent piece by piece; `b""` where the connection is just closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(pause)
        except OSError:
            pass  # the server has had enough; its answer may still be there
        came = bytearray()
        try:
            while chunk := connection.recv(65_536):
                came += chunk
        except ConnectionResetError:
            pass
        return bytes(came)
