"""What goes wrong on the way, and how often: by method and by its nth call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

BROKEN = frozenset(("hang", "reset", "cut"))
STATUSES = frozenset(("500", "502", "503", "504"))


@dataclass(slots=True)
class Fault:
    """Something that goes wrong; `hits` counts how often it did.

    `method` is a Web API method, `response_url` or `upload`, or a pattern (`chat.*`). `kind` is

    - `hang` (no answer until the client gives up, at most `seconds`), `reset`, `cut` (half an answer);
    - `500`, `502`, `503`, `504` with a page for people, or `html` (the same with 200);
    - `ratelimited`: 429 with Retry-After, unless `retry_after` is None;
    - any other word: Slack's answer `{"ok": false, "error": kind}`, such as `channel_not_found`,
      `is_archived`, `not_in_channel`, `token_revoked`, `account_inactive`, `invalid_blocks`, `internal_error`.

    The fault begins with the `nth` matching call and lasts `times` calls (None: for ever). With
    `after_effect` the request is carried out first, so only its answer is lost. With `about` only calls
    that name one of these ids count: a channel, a person, a user group.
    """

    method: str
    kind: str
    nth: int = 1
    times: int | None = 1
    after_effect: bool = False
    retry_after: int | None = 1
    seconds: float = 60.0
    about: tuple[str, ...] = ()
    hits: int = 0
    seen: int = field(default=0, repr=False)

    def strikes(self, method: str, said: str) -> bool:
        """Count a call, in which that was said, and say whether it goes wrong."""
        if not fnmatchcase(method, self.method):
            return False
        if self.about and not any(one in said for one in self.about):
            return False
        self.seen += 1
        if self.seen < self.nth or (self.times is not None and self.seen >= self.nth + self.times):
            return False
        self.hits += 1
        return True


def first(faults: Iterable[Fault], method: str, said: str) -> Fault | None:
    """The first fault that strikes; every matching one counts the call."""
    struck = [fault for fault in faults if fault.strikes(method, said)]
    return struck[0] if struck else None
