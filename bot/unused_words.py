"""What is said of things that nothing uses, wherever it is shown. Plain text: who shows it makes it inert."""

from __future__ import annotations

from collections.abc import Iterator

from bot.cost_page_table import CostSection
from bot.cost_words import day
from bot.digest import LeftRow
from bot.recommendation_words import reason_words
from bot.unused import UnusedThings
from bot.words import money, number
from estimators.change import Protection
from estimators.recommendation import Reason
from estimators.rules.standing import SEEN_DAYS
from estimators.unused import CLAIM, SERVICE, VOLUME, Unused

TITLE = "Used by nothing"
WHAT = f"Unused for {SEEN_DAYS} days or longer, and declared in no repository that was looked at."
WAY_OUT = (
    "The labels and annotations that kubectl shows say what made it: ask whoever runs that before it goes. "
    "Deleting a claim deletes its disk and everything on it, unless kubectl get pv shows Retain for its "
    "volume: then the disk stays, and is paid for until somebody deletes it where it was made."
)
_KINDS = {CLAIM: "volume claim", VOLUME: "volume", SERVICE: "load balancer"}
_WITHOUT = {CLAIM: "no pod", VOLUME: "no claim", SERVICE: "no ready endpoint"}
_IN_KUBECTL = {CLAIM: "pvc", VOLUME: "pv", SERVICE: "service"}
_ONLY = "default"
"""What the one cluster is called where nobody named it."""


def title(unused: UnusedThings, currency: str) -> str:
    """`Used by nothing: $61.25 a month`."""
    return f"{TITLE}: {money(unused.monthly, currency)} a month"


def in_short(unused: UnusedThings, currency: str, command: str = "cost savings") -> str:
    """For where one line is told; `command` names them."""
    one = unused.count == 1
    things = "1 volume or load balancer" if one else f"{unused.count:,} volumes and load balancers"
    cost = f"cost{'s' if one else ''} {money(unused.monthly, currency)} a month"
    return f"{things} that nothing uses {cost}: {command} names {'it' if one else 'them'}."


def what(thing: Unused) -> str:
    """`volume claim shop/data-db-0, 500 GiB gp3`, and the cluster where it has a name."""
    size = f"{number(thing.gib, 1)} GiB" if thing.gib is not None else ""
    made_for = f"of {thing.namespace}/{thing.claim}, which is gone" if thing.claim else ""
    parts = (
        _named(thing),
        made_for,
        " ".join(filter(None, (size, thing.storage_class))),
        f"cluster {thing.cluster}" if _is_one_of_several(thing) else "",
    )
    return ", ".join(filter(None, parts))


def _named(thing: Unused) -> str:
    namespace = "" if thing.kind == VOLUME or not thing.namespace else f"{thing.namespace}/"
    return f"{_KINDS[thing.kind]} {namespace}{thing.name}"


def _is_one_of_several(thing: Unused) -> bool:
    return thing.cluster not in {"", _ONLY}


def owned(thing: Unused) -> str:
    """The same with its team, where it is somebody's."""
    return f"{what(thing)} ({thing.team})" if thing.team else what(thing)


def left_rows(unused: UnusedThings | None) -> Iterator[LeftRow]:
    """What is left as it is: a row for each reason names the dearest, and counts the others."""
    reasons: dict[str, list[Unused]] = {}
    for thing in unused.left if unused else ():
        reasons.setdefault(_because(thing.left), []).append(thing)
    for because, things in reasons.items():
        dearest, others = things[0], len(things) - 1
        where = f" in {dearest.cluster}" if _is_one_of_several(dearest) else ""
        yield LeftRow(f"{_named(dearest)}{where}{f' and {others:,} more' if others else ''}", because)


def _because(left: Protection | str) -> str:
    """`protected (INC-1234) until 31 March 2027, says the policy of acme/shop`."""
    if isinstance(left, str):
        return left
    facts = {"reason": " ".join(left.reason.split()) or "no reason given"}
    facts |= {"until": left.until.isoformat()} if left.until else {}
    return f"{reason_words(Reason.PROTECTED, facts)}, says {left.source}"


def since(thing: Unused) -> str:
    """`no pod since 19 October`."""
    return f"{_WITHOUT[thing.kind]} since {day(thing.since)}"


def command(thing: Unused) -> str:
    """What shows it. It changes nothing."""
    where = "" if thing.kind == VOLUME else f"-n {thing.namespace} "
    return f"kubectl {where}describe {_IN_KUBECTL[thing.kind]} {thing.name}"


def apart(unused: UnusedThings | None, currency: str, *, whose: bool = False) -> CostSection | None:
    """All of it, wherever it is no message in Slack; None where there is nothing, or nobody knows.

    `whose` says the team of each.
    """
    if unused is None or not unused.count:
        return None
    shown = unused.named()
    named = owned if whose else what
    rows = [
        (money(thing.monthly, currency), f"{named(thing)}; {since(thing)}", command(thing))
        for thing in shown.things
    ]
    if shown.more:
        rows.append((money(shown.more_monthly, currency), f"{shown.more:,} more", ""))
    return CostSection(title(shown, currency), WHAT, tuple(rows), WAY_OUT)
