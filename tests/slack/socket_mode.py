"""Socket Mode: a WebSocket that the app opens and on which Slack sends what it would POST otherwise.

Only what RFC 6455 needs for short text messages: no fragments, no compression. Each interaction goes to
one of the connections, and `acknowledge` waits for the envelope to come back.
"""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import struct
import uuid
from dataclasses import dataclass, field
from threading import Condition, RLock
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.slack.model import World

_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_MOST_CONNECTIONS = 10


def frame(kind: int, payload: bytes) -> bytes:
    """One unmasked frame, as a server sends it."""
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x80 | kind, size)
    elif size < 65_536:
        head = struct.pack("!BBH", 0x80 | kind, 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | kind, 127, size)
    return head + payload


@dataclass(slots=True, eq=False)
class _Connection:
    """One open WebSocket."""

    socket: socket.socket
    lock: RLock = field(default_factory=RLock)

    def send(self, kind: int, payload: bytes) -> None:
        with self.lock:
            self.socket.sendall(frame(kind, payload))

    def read(self) -> tuple[int, bytes]:
        """Kind and payload of the next frame; ConnectionError when the other side has gone."""
        first, second = self._exactly(2)
        size = second & 0x7F
        if size == 126:
            size = struct.unpack("!H", self._exactly(2))[0]
        elif size == 127:
            size = struct.unpack("!Q", self._exactly(8))[0]
        mask = self._exactly(4) if second & 0x80 else bytes(4)
        payload = self._exactly(size)
        return first & 0x0F, bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))

    def _exactly(self, size: int) -> bytes:
        found = bytearray()
        while len(found) < size:
            piece = self.socket.recv(size - len(found))
            if not piece:
                raise ConnectionError("the other side has gone")
            found += piece
        return bytes(found)


@dataclass(slots=True)
class Sockets:
    """Every open connection, and the acknowledgements that came."""

    world: World
    _open: list[_Connection] = field(default_factory=list)
    _came: dict[str, Any] = field(default_factory=dict)
    _news: Condition = field(default_factory=Condition)
    _next: int = 0

    @property
    def connected(self) -> int:
        """How many connections there are."""
        return len(self._open)

    def serve(self, peer: socket.socket, path: str, key: str) -> None:
        """Shake hands, then read until the app goes."""
        ticket = parse_qs(urlsplit(path).query).get("ticket", [""])[0]
        if ticket not in self.world.tickets or len(self._open) >= _MOST_CONNECTIONS:
            peer.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            return
        self.world.tickets.discard(ticket)
        accept = base64.b64encode(hashlib.sha1((key + _MAGIC).encode()).digest()).decode()  # noqa: S324 - RFC 6455
        peer.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept.encode() + b"\r\n\r\n"
        )
        connection = _Connection(peer)
        hello = {
            "type": "hello",
            "num_connections": len(self._open) + 1,
            "connection_info": {"app_id": self.world.app_id},
        }
        connection.send(_TEXT, json.dumps(hello).encode())
        self._open.append(connection)
        try:
            self._listen(connection)
        except OSError:
            pass
        finally:
            if connection in self._open:
                self._open.remove(connection)

    def _listen(self, connection: _Connection) -> None:
        while True:
            kind, payload = connection.read()
            if kind == _CLOSE:
                connection.send(_CLOSE, payload)
                return
            if kind == _PING:
                connection.send(_PONG, payload)
            elif kind == _TEXT:
                came = json.loads(payload)
                with self._news:
                    self._came[came["envelope_id"]] = came.get("payload")
                    self._news.notify_all()

    def ask(self, kind: str, payload: dict[str, Any], patience: float) -> tuple[bool, Any]:
        """Send an envelope over one of the connections: whether it was acknowledged, and with what."""
        envelope = str(uuid.uuid4())
        connection = self._open[self._next % len(self._open)]
        self._next += 1
        body = {"envelope_id": envelope, "type": kind, "payload": payload, "accepts_response_payload": True}
        connection.send(_TEXT, json.dumps(body).encode())
        with self._news:
            came = self._news.wait_for(lambda: envelope in self._came, patience)
            return came, self._came.pop(envelope, None)

    def disconnect(self, reason: str = "refresh_requested") -> None:
        """Ask every client to come again, as Slack does every few hours, and hang up."""
        for connection in list(self._open):
            connection.send(_TEXT, json.dumps({"type": "disconnect", "reason": reason}).encode())
            connection.send(_CLOSE, struct.pack("!H", 1000))

    def close(self) -> None:
        """End every connection."""
        for connection in list(self._open):
            try:
                connection.socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
