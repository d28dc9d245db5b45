"""GitHub's rate limits: requests an hour, and the secondary ones that bite in a burst.

Numbers: docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api.
"""

from __future__ import annotations

import math
import time
from collections import deque
from dataclasses import dataclass, field

from tests.github.routing import RefusedError

HOUR = 3600.0
MINUTE = 60.0


@dataclass(slots=True)
class _Spent:
    """What one installation has asked for; times of the monotonic clock with their points."""

    began: float
    requests: int = 0
    points: deque[tuple[float, int]] = field(default_factory=deque)
    writes: deque[float] = field(default_factory=deque)


@dataclass(slots=True)
class Limits:
    """Set a limit, and how long a minute is, to what a test needs; `refused` counts the answers that said no.

    A read is one point, a write five. Not modelled: CPU seconds and the limit on concurrent requests.
    """

    an_hour: int = 5000
    points_a_minute: int = 900
    writes_a_minute: int = 80
    writes_an_hour: int = 500
    minute: float = MINUTE
    refused: int = 0
    _spent: dict[int, _Spent] = field(default_factory=dict)

    def headers(self, installation: int) -> dict[str, str]:
        """The headers that every answer to an installation carries."""
        spent = self._of(installation)
        reset = time.time() + HOUR - (time.monotonic() - spent.began)
        return {
            "X-RateLimit-Limit": str(self.an_hour),
            "X-RateLimit-Remaining": str(max(0, self.an_hour - spent.requests)),
            "X-RateLimit-Used": str(min(spent.requests, self.an_hour)),
            "X-RateLimit-Reset": str(int(reset)),
            "X-RateLimit-Resource": "core",
        }

    def spend(self, installation: int, *, write: bool) -> None:
        """Count a request; 403 when it is one too many."""
        spent, moment = self._of(installation), time.monotonic()
        if spent.requests >= self.an_hour:
            self.refused += 1
            raise primary(installation)
        spent.requests += 1
        spent.points.append((moment, 5 if write else 1))
        while spent.points[0][0] < moment - self.minute:
            spent.points.popleft()
        if write:
            spent.writes.append(moment)
            while spent.writes[0] < moment - HOUR:
                spent.writes.popleft()
        lately = sum(at > moment - self.minute for at in spent.writes)
        too_fast = sum(points for _, points in spent.points) > self.points_a_minute
        if too_fast or lately > self.writes_a_minute or len(spent.writes) > self.writes_an_hour:
            self.refused += 1
            raise secondary(math.ceil(self.minute))

    def refund(self, installation: int) -> None:
        """Give a request back: a 304 costs nothing."""
        self._of(installation).requests -= 1

    def exhaust(self, installation: int) -> None:
        """Use up what is left of the hour."""
        self._of(installation).requests = self.an_hour

    def _of(self, installation: int) -> _Spent:
        moment = time.monotonic()
        spent = self._spent.setdefault(installation, _Spent(moment))
        if moment - spent.began > HOUR:
            spent.began, spent.requests = moment, 0
        return spent


def primary(installation: int) -> RefusedError:
    """The hour is used up."""
    return RefusedError(403, f"API rate limit exceeded for installation ID {installation}.")


def secondary(retry_after: int | None) -> RefusedError:
    """Too many at once; GitHub does not always say for how long."""
    message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
    return RefusedError(403, message, headers={"Retry-After": str(retry_after)} if retry_after else {})
