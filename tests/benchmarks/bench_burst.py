"""1,000 deliveries in a burst, by 20 senders: whether each was stored, and when all 50 comments are right.

Run by hand: `python -m tests.benchmarks.bench_burst`. The bot is `tuppence serve` on SQLite, as it is shipped.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.end_to_end import stories
from tests.end_to_end.bots import SHIPPED, running
from tests.end_to_end.bursts import EVENTS, burst
from tests.github.service import github

ACCOUNTS, PULLS = 10, 5
"""GitHub lets one installation write 80 times a minute, hence several."""


def main() -> None:
    """Print what came of it; ends in an error where a delivery was refused or a comment is wrong."""
    stories.LONGEST = 300
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with github(folder / "github") as hub, running(hub, folder, program=SHIPPED) as bot:
            found = burst(bot, hub, accounts=ACCOUNTS, pulls=PULLS)
        hub.assert_clean()
    print(
        f"{EVENTS * ACCOUNTS * PULLS} deliveries of {ACCOUNTS * PULLS} pull requests: {dict(found.answers)}"
    )
    print(f"answered in {found.sent_seconds:.1f} s, every comment right after {found.done_seconds:.1f} s")
    if set(found.answers) != {202}:
        raise SystemExit("a delivery was not stored")


if __name__ == "__main__":
    main()
