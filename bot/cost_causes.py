"""Why the cost of a workload changed, in a few words: `replicas 8 → 13`, `memory request 2 GiB → 4 GiB`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from bot.cost_words import Sentence, Words, amount, sentence, strong
from bot.words import number, percent
from estimators.showback_movers import Cause, Effect, Mover

_SECOND = 0.4
"""From this share of the change on, a second cause is told as well."""
_COUNTED = {
    Cause.REPLICAS: "replicas",
    Cause.GPUS: "GPUs of a replica",
    Cause.MEASURED_HOURS: "hours measured",
}
_CORES = {Cause.CPU_REQUEST: "CPU request", Cause.CPU_USE: "CPU used beyond its request"}
_MEMORY = {Cause.MEMORY_REQUEST: "memory request", Cause.MEMORY_USE: "memory used beyond its request"}
_AMOUNTS = {
    Cause.STORAGE: "storage",
    Cause.NETWORK: "load balancers",
    Cause.IDLE_SHARE: "its share of idle",
    Cause.SHARED_SHARE: "shared costs",
}


def cause_in_words(effect: Effect, currency: str) -> str:
    """One cause with what it was before and after, where that says something."""
    cause, before, after = effect.cause, effect.before, effect.after
    if cause in _COUNTED:
        return f"{_COUNTED[cause]} {_from_to(before, after)}"
    if cause in _CORES:
        told = _from_to(before, after)
        return f"{_CORES[cause]} {told} {'core' if told.endswith(' 1') else 'cores'}"
    if cause in _MEMORY:
        return f"{_MEMORY[cause]} {_memory(before, after)}"
    if cause in _AMOUNTS:
        return f"{_AMOUNTS[cause]} {amount(effect.change, currency, signed=True)}"
    if cause is Cause.PRICE and round(after, 4) != 1:
        return f"price {percent(Decimal(str(round(100 * (after - 1), 2))))}"
    return cause.value


def causes_of(mover: Mover, currency: str) -> str:
    """The main cause, and another one that matters nearly as much."""
    main = next(effect for effect in mover.effects if effect.cause is mover.cause)
    told = [cause_in_words(main, currency)]
    if main.cause not in {Cause.NEW, Cause.GONE}:
        more = (
            effect
            for effect in mover.effects
            if effect is not main
            and effect.change * mover.change > 0
            and abs(effect.change) >= _SECOND * abs(mover.change)
        )
        told += [cause_in_words(effect, currency) for effect in more][:1]
    return ", ".join(told)


def what_moved(
    movers: Sequence[Mover], currency: str, within: str = "", shown: Mapping[str, str] | None = None
) -> Sentence:
    """The workloads that moved a total; `within` is the namespace that need not be said of them.

    `shown` are amounts by name as a table beside it has them, whose cents add up: one workload, one amount.
    """
    parts: list[str | Words] = ["What moved: "]
    for index, mover in enumerate(movers):
        name = mover.workload.removeprefix(f"{within}/") if within else mover.workload
        change = (shown or {}).get(name) or amount(mover.change, currency, signed=True)
        told = f" {change} ({causes_of(mover, currency)})"
        parts += [" · " if index else "", strong(name), told]
    return sentence(*parts)


def what_moved_it(mover: Mover, currency: str, most: int = 4) -> Sentence:
    """One workload's change, cause by cause."""
    told = [
        f"{_AMOUNTS.get(effect.cause) or cause_in_words(effect, currency)}"
        f" ({amount(effect.change, currency, signed=True)})"
        for effect in mover.effects[:most]
    ]
    rest = sum(effect.change for effect in mover.effects[most:])
    if rest:
        told.append(f"all else ({amount(rest, currency, signed=True)})")
    return sentence("What moved it: ", " · ".join(told))


def _from_to(before: float, after: float) -> str:
    """Both with as many places as tell them apart, and each within a twentieth of what it is."""
    for places in (0, 1, 2, 3):
        pair = [number(Decimal(str(value)), places) for value in (before, after)]
        exact = all(abs(round(value, places) - value) <= 0.05 * value for value in (before, after))
        if exact and pair[0] != pair[1]:
            break
    return " → ".join(pair)


def _memory(before: float, after: float) -> str:
    if max(before, after) < 1:
        return f"{_from_to(before * 1024, after * 1024)} MiB"
    return f"{_from_to(before, after)} GiB"
