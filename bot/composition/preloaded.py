"""What the process that the others are forked from imports, once for all of them."""

from __future__ import annotations

import gc

import bot.composition.worker  # noqa: F401 - all that they need

# Looking for garbage writes to each object, and a page that is written to is shared no more.
gc.collect()
gc.freeze()
