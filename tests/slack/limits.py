"""Slack's rate limits: a message a second in a channel, and each method's tier.

Numbers: docs.slack.dev/apis/web-api/rate-limits and each method's page. Slack tolerates short bursts
without saying how short; here they are `burst` messages.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

MINUTE = 60.0
TIERS = {1: 1, 2: 20, 3: 50, 4: 100}
"""Calls a minute that each tier allows at least."""


@dataclass(slots=True)
class Limits:
    """Set a number to what a test needs; `refused` counts the answers that said no."""

    burst: int = 3
    messages_a_minute: int = 300
    tiers: dict[int, int] = field(default_factory=lambda: dict(TIERS))
    refused: int = 0
    _posts: dict[str, tuple[float, float]] = field(default_factory=dict)
    _calls: dict[str, deque[float]] = field(default_factory=dict)

    def call(self, method: str, tier: int | None, moment: float) -> int | None:
        """Seconds to wait when this call is one too many; None counts the call and lets it pass."""
        most = self.messages_a_minute if tier is None else self.tiers[tier]
        calls = self._calls.setdefault(method, deque())
        while calls and calls[0] <= moment - MINUTE:
            calls.popleft()
        if len(calls) >= most:
            self.refused += 1
            return max(1, math.ceil(calls[0] + MINUTE - moment))
        calls.append(moment)
        return None

    def post(self, channel: str, moment: float) -> int | None:
        """The same for a message into a channel: one a second, after a burst."""
        left, since = self._posts.get(channel, (float(self.burst), moment))
        left = min(float(self.burst), left + moment - since)
        if left < 1:
            self._posts[channel] = (left, moment)
            self.refused += 1
            return 1
        self._posts[channel] = (left - 1, moment)
        return None
