"""Every call of an approval, a rejection and a closed pull request, counted where all goes well.

A matrix over them has every one of them, and a new call comes into it by itself.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.end_to_end.approvals import (
    APPROVED,
    CLOSED,
    FILE,
    REJECTED,
    Case,
    Town,
    be_shown,
    config_of,
    deciding,
)
from tests.github import faults as github_faults
from tests.github.service import github
from tests.prometheus_server import serving
from tests.slack import faults as slack_faults
from tests.slack.service import slack
from tests.yaml_objects import deployment

Fault = github_faults.Fault | slack_faults.Fault
AT_SLACK = ("users.", "usergroups.", "views.", "chat.", "response_url", "auth.", "files.", "upload")
APPROVED_VALUE = {FILE: deployment(cpu="1200m")}
"""What the default branch says once somebody has written there what was approved."""


@dataclass(frozen=True, slots=True)
class Call:
    """The nth call of an operation of GitHub's or a method of Slack's."""

    operation: str
    nth: int = 1

    @property
    def is_slacks(self) -> bool:
        """Rather than GitHub's."""
        return self.operation.startswith(AT_SLACK)

    @property
    def writes(self) -> bool:
        """Whether it makes a difference that it was carried out though its answer was lost."""
        if self.is_slacks:
            return self.operation.startswith(("views.", "chat.", "response_url"))
        reads = self.operation.startswith(("GET ", "GIT "))
        return not reads and not self.operation.endswith("/access_tokens")


ONCE_A_PROCESS = (Call("auth.test"), Call("usergroups.list"))
"""What Slack is asked about nobody."""


@dataclass(frozen=True, slots=True)
class Calls:
    """Those of each part of the story. What is read several times is there once."""

    approved: Sequence[Call]
    rejected: Sequence[Call]
    closed: Sequence[Call]


def counted(folder: Path) -> Calls:
    """The calls, in a run of their own."""
    (folder / "prometheus").mkdir()
    with (
        serving(folder / "prometheus") as url,
        github(folder / "github") as hub,
        slack() as workspace,
        deciding(hub, workspace, ["first", "approved", "rejected"], folder) as town,
    ):
        first, approved, rejected = town.cases
        town.press(first)  # what is asked once a process belongs to no case
        be_shown(town, lambda _: APPROVED, [first])
        with _asked(town, approved) as of_an_approval:
            town.press(approved)
            be_shown(town, lambda _: APPROVED, [approved])
        with _asked(town, rejected) as of_a_rejection:
            town.reject(rejected)
            be_shown(town, lambda _: REJECTED, [rejected])
        hub.people.push(approved.repository, APPROVED_VALUE)
        with _asked(town, approved) as of_a_scan:
            scanning(town, url, [approved])
            be_shown(town, lambda _: CLOSED, [approved])
    at_the_pull = of_a_scan.index(Call("GET /repos/{owner}/{repo}/pulls/{pull_number}"))
    # The looks at branches come one after the other: one that hangs would hold up those of all cases.
    closing = [call for call in of_a_scan[at_the_pull:] if not call.operation.endswith("/access_tokens")]
    return Calls(_once(of_an_approval), _once(of_a_rejection), _once(closing))


def scanning(town: Town, url: str, cases: Iterable[Case]) -> None:
    """Start again with a Prometheus, which lets the default branches of these cases be looked at."""
    town.bot.kill_all()
    names = ", ".join(case.repository.full_name for case in cases)
    config = town.bot.log.parent / "tuppence.yaml"
    config.write_text(f"{config_of(town.cases)}\nrepositories: [{names}]\n")
    town.bot.environment["PROMETHEUS_URL"] = url
    town.bot.start()
    town.hub.hooks.url = None


class _asked:  # noqa: N801 - used as a function
    """The calls about a case inside the `with`, in a list that is filled at its end."""

    def __init__(self, town: Town, case: Case) -> None:
        self._town, self._case, self._found = town, case, list[Call]()

    def __enter__(self) -> list[Call]:
        self._github, self._slack = len(self._town.hub.journal.asked), len(self._town.slack.journal.called)
        return self._found

    def __exit__(self, *_: object) -> None:
        time.sleep(0.5)
        asked = [what for who, what in self._town.hub.journal.asked[self._github :] if who == self._case.name]
        asked += [
            one.method
            for one in self._town.slack.journal.called[self._slack :]
            # An answer at its own address names nobody.
            if one.method == "response_url" or any(name in str(one.arguments) for name in self._case.ids)
        ]
        seen: Counter[str] = Counter()
        for operation in asked:
            seen[operation] += 1
            self._found.append(Call(operation, seen[operation]))


def _once(calls: Iterable[Call]) -> list[Call]:
    known: set[str] = set()
    kept = []
    for call in calls:
        if call.writes or call.operation not in known:
            kept.append(call)
            known.add(call.operation)
    return kept


def boundaries(calls: Iterable[Call]) -> Iterator[tuple[Call, bool]]:
    """Before each call, and after those that write something."""
    for call in calls:
        yield call, False
        if call.writes:
            yield call, True


def spoil(
    town: Town,
    case: Case,
    call: Call,
    kind: str,
    *,
    done: bool = False,
    times: int = 1,
    seconds: float = 600.0,
) -> Fault:
    """Let a call about a case go wrong; `done`: it is carried out all the same."""
    if call.is_slacks:
        about = () if call in ONCE_A_PROCESS else case.ids
        return town.slack.fault(
            call.operation, kind, nth=call.nth, times=times, after_effect=done, seconds=seconds, about=about
        )
    known = next(one for one in github_faults.KINDS if one == kind)
    return town.hub.fault(
        call.operation, known, nth=call.nth, times=times, after_effect=done, retry_after=1, seconds=seconds,
        account=case.name,
    )  # fmt: skip


def missed(faults: Iterable[Fault]) -> list[str]:
    """Those that no call has met."""
    return [json.dumps([_what(one), one.nth]) for one in faults if not one.hits]


def _what(fault: Fault) -> str:
    return fault.method if isinstance(fault, slack_faults.Fault) else fault.operation
