"""Work that nobody asks for: started every so often, under ids that make a second start do nothing."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Schedule:
    """Calls `job` at once and then every `seconds`, in a thread of its own, until it is stopped.

    The job only starts durable work. One that fails is logged and called again the next time.
    """

    job: Callable[[], None]
    seconds: float = 3600.0
    _stopped: threading.Event = field(default_factory=threading.Event)
    _beat: float = 0.0
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._beat = time.monotonic()
        self._thread = threading.Thread(target=self._work, name="schedule", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the job that runs now."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(5)

    def ready(self) -> Sequence[str]:
        """Why nothing would be started: no sign of life for two rounds."""
        late = time.monotonic() - self._beat > 2 * self.seconds
        dead = self._thread is None or not self._thread.is_alive()
        return ("the scheduler has stopped",) if late or dead else ()

    def _work(self) -> None:
        while not self._stopped.is_set():
            self._beat = time.monotonic()
            try:
                self.job()
            except Exception:
                log.exception("a scheduled job failed; it is started again in %g seconds", self.seconds)
            self._stopped.wait(self.seconds)
