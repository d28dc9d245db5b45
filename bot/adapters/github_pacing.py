"""How fast we write to GitHub, for one installation and all threads that write for it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

WRITES = ((80, 70.0), (500, 3610.0))
"""At most so many in so many seconds: what GitHub lets an App write in a minute and in an hour, and the ten
seconds longer that a request may be under way.
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api"""


class Pacer:
    """Lets one write at a time pass, and makes it wait where GitHub would refuse it."""

    def __init__(
        self,
        limits: Sequence[tuple[int, float]] = WRITES,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._limits, self._clock, self._sleep = limits, clock, sleep
        self._lock = threading.Lock()
        self._written: deque[float] = deque(maxlen=max(most for most, _ in limits))
        self._held_until = 0.0

    def wait(self) -> None:
        """Return when the caller may write, and count it as written."""
        while True:
            with self._lock:
                now = self._clock()
                free = self._free()
                if free <= now:
                    self._written.append(now)
                    return
            self._sleep(free - now)

    def hold(self, seconds: float) -> None:
        """Nobody writes for so long: GitHub said so."""
        with self._lock:
            self._held_until = max(self._held_until, self._clock() + seconds)

    def _free(self) -> float:
        full = (
            self._written[-most] + seconds for most, seconds in self._limits if len(self._written) >= most
        )
        return max((self._held_until, *full))
