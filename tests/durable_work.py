"""For a process of a test's own that does durable work: when it is done."""

from __future__ import annotations

import time
from collections.abc import Callable

from dbos import DBOS

LONGEST = 100.0
"""Seconds; what was not done by then is missed by the test."""


def await_end(reached: Callable[[], object] = lambda: True) -> None:
    """Wait until `reached`, and until nothing has been left to do for half a second, in which more would begin.

    What is to begin at a later time is not waited for.
    """
    deadline, still = time.monotonic() + LONGEST, 0
    while time.monotonic() < deadline and still < 5:
        time.sleep(0.1)
        busy = not reached() or DBOS.list_workflows(status=["PENDING", "ENQUEUED"])
        still = 0 if busy else still + 1
