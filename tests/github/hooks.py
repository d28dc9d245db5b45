"""The app's webhook: signs events, sends them one after the other, and keeps what was answered."""

from __future__ import annotations

import hmac
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha1, sha256
from itertools import count
from queue import SimpleQueue
from threading import Thread

import requests

from tests.github import contract
from tests.github.contract_data import Json
from tests.github.journal import Journal
from tests.github.model import now
from tests.github.shapes import when

PATIENCE = 10.0
"""Seconds until GitHub gives a receiver up."""


@dataclass(slots=True)
class Delivery:
    """One event on its way; `status_code` is 0 until an answer came, or when none did."""

    id: int
    guid: str
    event: str
    payload: dict[str, Json]
    at: datetime
    redelivery: bool = False
    status_code: int = 0
    status: str = "pending"
    seconds: float = 0.0
    request_headers: Mapping[str, str] = field(default_factory=dict)
    answer: str = ""

    def item(self) -> Json:
        """`hook-delivery-item`."""
        return {
            "id": self.id,
            "guid": self.guid,
            "delivered_at": when(self.at),
            "redelivery": self.redelivery,
            "duration": round(self.seconds, 2),
            "status": self.status,
            "status_code": self.status_code,
            "event": self.event,
            "action": self.payload.get("action"),
            "installation_id": self.payload.get("installation", {}).get("id"),
            "repository_id": self.payload.get("repository", {}).get("id"),
        }

    def whole(self) -> Json:
        """`hook-delivery`."""
        request = {"headers": dict(self.request_headers), "payload": self.payload}
        return {
            **self.item(),
            "url": "",
            "request": request,
            "response": {"headers": {}, "payload": self.answer},
        }


def signed(secret: str, body: bytes) -> dict[str, str]:
    """The two signatures that GitHub sends; the second is kept for old receivers."""
    key = secret.encode()
    return {
        "X-Hub-Signature-256": "sha256=" + hmac.new(key, body, sha256).hexdigest(),
        "X-Hub-Signature": "sha1=" + hmac.new(key, body, sha1).hexdigest(),
    }


class Hooks:
    """Deliveries in the order of their events; sent from a thread of its own once `url` is set.

    Without `url` events are kept, and `send` or `redeliver` can send them later.
    """

    def __init__(self, journal: Journal, app_id: int) -> None:
        self.url: str | None = None
        self.secret = "webhook-secret-" + uuid.uuid4().hex
        self.deliveries: dict[int, Delivery] = {}
        self._app_id = app_id
        self._journal = journal
        self._ids = count(9_000_000_001)
        self._queue: SimpleQueue[Delivery | None] = SimpleQueue()
        self._unsent = 0
        self._thread = Thread(target=self._work, daemon=True)
        self._thread.start()

    def emit(self, event: str, payload: dict[str, Json]) -> Delivery:
        """Queue an event whose payload must be as GitHub describes it."""
        problems = contract.webhook_problems(event, payload.get("action"), payload)
        self._journal.violations.extend(f"webhook {event}: {problem}" for problem in problems)
        return self._queued(Delivery(next(self._ids), str(uuid.uuid4()), event, payload, now()))

    def redeliver(self, earlier: Delivery) -> Delivery:
        """Queue the same event once more: same GUID, same body."""
        again = Delivery(
            next(self._ids), earlier.guid, earlier.event, earlier.payload, now(), redelivery=True
        )
        return self._queued(again)

    def _queued(self, delivery: Delivery) -> Delivery:
        self.deliveries[delivery.id] = delivery
        if self.url is not None:
            self._unsent += 1
            self._queue.put(delivery)
        return delivery

    def sent(self) -> list[Delivery]:
        """Every delivery that was tried, oldest first."""
        return [it for it in self.deliveries.values() if it.status != "pending"]

    def send(self, delivery: Delivery, *, url: str | None = None) -> int:
        """Send it now, from the thread that asks; the status that was answered, 0 for none."""
        body = json.dumps(delivery.payload, separators=(",", ":")).encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/044aadd",
            "X-GitHub-Event": delivery.event,
            "X-GitHub-Delivery": delivery.guid,
            "X-GitHub-Hook-ID": "1",
            "X-GitHub-Hook-Installation-Target-Type": "integration",
            "X-GitHub-Hook-Installation-Target-ID": str(self._app_id),
            **signed(self.secret, body),
        }
        began = time.monotonic()
        delivery.request_headers = headers
        try:
            answer = requests.post(
                url or self.url or "", body, headers=headers, timeout=PATIENCE, allow_redirects=False
            )
            delivery.status_code, delivery.answer = answer.status_code, answer.text
        except requests.RequestException as failure:
            delivery.status_code, delivery.answer = 0, str(failure)
        delivery.seconds = time.monotonic() - began
        delivery.status = "OK" if 200 <= delivery.status_code < 300 else "failed"
        return delivery.status_code

    def settle(self, seconds: float = 150.0) -> None:
        """Wait until everything that was queued has been sent."""
        until = time.monotonic() + seconds
        while self._unsent:
            if time.monotonic() > until:
                raise TimeoutError(f"{self._unsent} events are still to be sent")
            time.sleep(0.005)

    def close(self) -> None:
        """Stop sending."""
        self._queue.put(None)
        self._thread.join(PATIENCE)

    def _work(self) -> None:
        while (delivery := self._queue.get()) is not None:
            self.send(delivery)
            self._unsent -= 1
