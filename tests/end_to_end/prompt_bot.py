"""`tuppence` as it is shipped, but that its worker is not niced and that it has all the time it wants for its end.

A worker yields to what answers webhooks. Beside the tests' other processes it would hardly get a processor, and
would be late for reasons that are not its own.
"""

from __future__ import annotations

from bot.entrypoints import serving, worker_process
from bot.entrypoints.cli import main

worker_process.NICENESS = 0
serving.STOP_SECONDS = 140.0

if __name__ == "__main__":
    main()
