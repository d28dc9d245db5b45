"""`python -m bot` and `tuppence`."""

from __future__ import annotations

from bot.entrypoints.cli import main

if __name__ == "__main__":
    main()
