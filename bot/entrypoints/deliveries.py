"""Deliveries on their way to the worker: stored as durable work, by a process that does nothing else.

What answers GitHub must not wait for what works, so it knows the worker's database alone.
"""

from __future__ import annotations

from dbos import DBOSClient

from bot.entrypoints.github_jobs import EVENT
from bot.entrypoints.jobs import EVENTS, NAME, WORKFLOWS
from bot.github_events import Delivery, Event, Ignored, to_json


class Deliveries:
    """The way into the queue of events at `database_url`, which the worker has made before."""

    def __init__(self, database_url: str) -> None:
        self._client = DBOSClient(
            system_database_url=database_url, application_name=NAME, retry_connection_errors=False
        )

    def receive(self, delivery: Delivery, event: Event) -> None:
        """Persist one delivery's work. The digest of its body is its id: a second delivery does nothing."""
        if isinstance(event, Ignored):
            return
        self._client.enqueue(
            {
                "queue_name": EVENTS,
                "workflow_name": EVENT,
                "workflow_id": f"event/{delivery.digest}",
                "app_version": WORKFLOWS,
            },
            to_json(event),
            delivery.digest,
        )

    def close(self) -> None:
        """Let go of the database."""
        self._client.destroy()
