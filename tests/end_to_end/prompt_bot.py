"""`tuppence` as it is shipped, but for its worker's niceness.

A worker yields to what answers webhooks. Beside the tests' other processes it would hardly get a processor, and
would be late for reasons that are not its own.
"""

from __future__ import annotations

from bot.entrypoints import worker_process
from bot.entrypoints.cli import main

worker_process.NICENESS = 0

if __name__ == "__main__":
    main()
