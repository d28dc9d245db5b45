"""The durable workflow of a week's digest: made, drawn and posted, once in however many processes.

It is started under the id `digest/<team>/<ISO week>`. What keeps a digest from being posted, such as a
channel that is not there or hours that still come in, may last for days, and a workflow that waits for it
would keep others from working: it ends, and until the digest is posted each hour starts another try under
an id of its own. Posting itself happens once, whatever asks for it (bot/handlers/post_digest.py).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dbos import DBOS

from bot.entrypoints.jobs import Json, enqueue, tried

DRAWN_AGAIN: Sequence[float] = (5.0, 30.0)
"""Seconds between tries to give Slack the picture; without one the days are told as a row of bars."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Steps:
    """The handler calls, bound by the composition root. They take and give JSON.

    `make` gives the `digest`, or None of it and `why` there is none now. `draw` gives the picture that
    Slack has of it, None of a quiet week. `post` tells whether it is `new` in its channel, and where it
    is. `attach` puts finance's file of a week below it.
    """

    make: Callable[[str, str], Json]
    draw: Callable[[Json], Json | None]
    post: Callable[[str, str, Json, Json | None], Json]
    attach: Callable[[str], bool]


@dataclass(slots=True)
class DigestWorkflows:
    """The workflow over `steps`."""

    steps: Steps
    _start: Callable[..., Any] | None = None

    def register(self) -> None:
        """By its name."""

        @DBOS.workflow(name="digest")
        def digest(team: str, week: str, hour: str = "") -> None:  # noqa: ARG001 - which hour started it
            self._digest(team, week)

        self._start = digest

    def digest(self, team: str, week: str, hour: str) -> None:
        """See that a digest goes out: for one `hour` once, in however many processes this is called."""
        if self._start is not None:
            name = f"digest/{team}/{week}"
            first = DBOS.get_workflow_status(name)
            again = first is not None and first.input is not None and hour not in first.input["args"]
            enqueue(self._start, f"{name}/{hour}" if again else name, f"digest/{team}", team, week, hour)

    def _digest(self, team: str, week: str) -> None:
        told = {"team": team, "week": week}
        made = tried("digest_make", self.steps.make, team, week)
        if made is None:
            return
        if made["digest"] is None:
            log.info("No digest is posted now: %s", made["why"], extra=told)
            return
        picture = tried("digest_draw", self.steps.draw, made["digest"], pauses=DRAWN_AGAIN)
        posted = tried("digest_post", self.steps.post, team, week, made["digest"], picture)
        if posted is not None and posted["new"]:
            log.info("Posted a digest", extra={**told, "channel": posted["channel"]})
        if posted is not None and not team:
            tried("digest_attach", self.steps.attach, week)
