"""Every call to GitHub goes wrong once, in every way that the service is known for: the same is said once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.bots import running
from tests.end_to_end.stories import (
    APPROVED,
    HURRIED,
    INSTALLED,
    OPENED,
    PUSHED,
    Call,
    Story,
    hold_true,
    prepared,
)
from tests.github.faults import Kind
from tests.github.service import GitHub

KINDS: tuple[Kind, ...] = ("hang", "502", "secondary", "429", "422", "html")
DONE_ALL_THE_SAME: tuple[Kind, ...] = ("hang", "502", "html")
"""What may also come after a write was carried out."""


def lost(calls: list[Call], kinds: tuple[Kind, ...]) -> Iterator[tuple[Call, Kind, bool]]:
    """A call, what comes instead of its answer, and whether it was carried out all the same."""
    for call in calls:
        for kind in kinds:
            yield call, kind, False
            if call.writes and kind in DONE_ALL_THE_SAME:
                yield call, kind, True


@pytest.mark.parametrize(
    ("story", "kinds"),
    [
        *(pytest.param(OPENED, (kind,), id=f"opened, {kind}") for kind in KINDS),
        pytest.param(PUSHED, KINDS, id="pushed"),
        # A team that cannot be read (422) has no members, so that nobody is approved by a mistake.
        pytest.param(APPROVED, tuple(kind for kind in KINDS if kind != "422"), id="approved"),
        pytest.param(INSTALLED, KINDS, id="installed"),
    ],
)
def test_whatever_answer_is_lost_all_is_said_once(
    hub: GitHub, tmp_path: Path, calls: dict[str, list[Call]], story: Story, kinds: tuple[Kind, ...]
) -> None:
    """One comment, one check run on each commit, one audit row for each report, one answer."""
    at = {f"at-{number}": case for number, case in enumerate(lost(calls[story.name], kinds))}
    with running(hub, tmp_path, program=HURRIED, HURRIED_ANSWER_SECONDS="2") as bot:
        scenes = prepared(bot, hub, story, at)
        faults = []
        for scene in scenes:
            (call, kind, done), account = at[scene.account], scene.account
            faults.append(
                hub.fault(
                    call.operation, kind, nth=call.nth, after_effect=done, retry_after=1, account=account
                )
            )
            story.act(scene)
        hold_true(bot, (scenes, story.then))
    assert [(fault.operation, fault.nth) for fault in faults if fault.hits != 1] == []


def test_the_apps_own_name_can_be_asked_for_again(hub: GitHub, tmp_path: Path) -> None:
    """What is asked once a process, and belongs to no pull request, fails in every way in turn."""
    with running(hub, tmp_path, program=HURRIED, HURRIED_ANSWER_SECONDS="2") as bot:
        faults = [
            hub.fault("GET /app", kind, nth=number, retry_after=1) for number, kind in enumerate(KINDS, 1)
        ]
        scenes = prepared(bot, hub, OPENED, ["acme", "apex"])
        for scene in scenes:
            OPENED.act(scene)
        hold_true(bot, (scenes, OPENED.then))
    assert [fault.hits for fault in faults] == [1] * len(KINDS)
