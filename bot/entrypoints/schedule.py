"""Work that nobody asks for, by the clock: each job only starts durable work, under an id that is done once.

So several replicas may all keep the same times, and a time that comes twice in autumn does nothing twice.
The jobs live in memory and are told anew at every start.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from bot.server_config import DigestTime

BEAT_SECONDS = 10.0
LATE = 6
"""Beats that may be missed: a minute, since a busy database can hold up a job for half of one."""


class Schedule:
    """Calls jobs when they are due, one after the other in a thread, between `start` and `stop`.

    A job that fails is logged and called again the next time. One that is late is called all the same, and
    once for all the times it missed: its id says for which day or week it is.
    """

    def __init__(self, beat_seconds: float = BEAT_SECONDS) -> None:
        self._beat_seconds = beat_seconds
        self._beat = 0.0
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self.every(beat_seconds, "heartbeat", self._live)

    def every(self, seconds: float, name: str, job: Callable[[], None]) -> None:
        """Call `job` at the start, and then at this interval."""
        trigger = IntervalTrigger(seconds=seconds, timezone=UTC)
        self._scheduler.add_job(job, trigger, id=name, next_run_time=datetime.now(UTC))

    def weekly(self, when: DigestTime, name: str, job: Callable[[], None]) -> None:
        """Call `job` each week at a local time.

        A time that the clock leaves out, or at which nothing ran, is not made up for here.
        """
        zone = ZoneInfo(when.time_zone)
        trigger = CronTrigger(
            day_of_week=when.day, hour=when.at.hour, minute=when.at.minute, second=0, timezone=zone
        )
        self._scheduler.add_job(job, trigger, id=name)

    def start(self) -> None:
        """Begin."""
        self._live()
        self._scheduler.start()

    def stop(self) -> None:
        """Call nothing any more; a job that runs is not waited for."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        self._beat = 0.0

    def ready(self) -> Sequence[str]:
        """Why nothing would be started. The scheduler says that it runs even when its thread has died."""
        late = time.monotonic() - self._beat > LATE * self._beat_seconds
        return ("the scheduler has stopped",) if late or not self._beat else ()

    def _live(self) -> None:
        self._beat = time.monotonic()
