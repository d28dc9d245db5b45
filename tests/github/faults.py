"""What goes wrong on the way, and how often: by operation and by its nth call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

Kind = Literal[
    "hang",  # no answer until the client gives up
    "reset",  # the connection is reset
    "cut",  # half of the answer, then the end
    "drip",  # the whole answer, a byte at a time
    "502",
    "500",
    "503",
    "404",
    "422",
    "429",  # without Retry-After
    "secondary",  # 403, with Retry-After if `retry_after` is set
    "primary",  # 403, x-ratelimit-remaining: 0
    "202",  # accepted, with an empty object
    "html",  # 200, and a page for people
]
KINDS: tuple[Kind, ...] = (
    "hang", "reset", "cut", "drip", "502", "500", "503", "404", "422", "429",
    "secondary", "primary", "202", "html",
)  # fmt: skip


@dataclass(slots=True)
class Fault:
    """Something that goes wrong; `hits` counts how often it did.

    `operation` is a key such as `POST /repos/{owner}/{repo}/issues/{issue_number}/comments`, or a
    pattern of one (`* *check-runs*`); `GIT fetch` is a clone or a fetch. The fault begins with the
    `nth` matching call and lasts `times` calls (None: for ever). With `after_effect` the request is
    carried out first, so only the answer is lost. `seconds` is how long a hang lasts at most, or the
    pause between two dripped bytes. With `account` only calls about that account's things count.
    """

    operation: str
    kind: Kind
    nth: int = 1
    times: int | None = 1
    after_effect: bool = False
    retry_after: int | None = None
    seconds: float = 60.0
    account: str = ""
    hits: int = 0
    seen: int = field(default=0, repr=False)

    def strikes(self, key: str, account: str) -> bool:
        """Count a call, and say whether it goes wrong."""
        if self.account not in {"", account}:
            return False
        if key != self.operation and not fnmatchcase(key, self.operation):
            return False
        self.seen += 1
        if self.seen < self.nth or (self.times is not None and self.seen >= self.nth + self.times):
            return False
        self.hits += 1
        return True


def first(faults: Iterable[Fault], key: str, account: str) -> Fault | None:
    """The first fault that strikes; every matching one counts the call."""
    struck = [fault for fault in faults if fault.strikes(key, account)]
    return struck[0] if struck else None
