"""Recommendations in words: fields, changes, finders, and why things are left alone. Pure.

Everything is plain text: who shows it makes it inert (bot/inert.py, bot/slack_message.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from bot.digest import ProposedValue
from bot.manifests.edits.wanted import field_path
from estimators.objects import Identity
from estimators.recommendation import FieldChange, Reason

_FINDERS = {
    "container-resources": "CPU and memory",
    "autoscaler-bounds": "autoscaler bounds",
    "replica-count": "replicas",
    "idle-workload": "idle workload",
    "idle-gpu": "idle GPU",
    "gpu-part": "part of a GPU",
    "spot-ready": "spot nodes",
    "off-hours": "off-hours",
    "orphaned-volume": "volume without pods",
    "oversized-volume": "volume size",
    "unused-balancer": "load balancer without endpoints",
}
_SUMS = {"requests": "request", "limits": "limit"}
_RESOURCES = {"cpu": "CPU"}
_FIELDS = {
    "replicas": "replicas",
    "storage": "volume size",
    "downscaler/uptime": "hours at which it runs",
    "minReplicas": "minimum replicas",
    "minReplicaCount": "minimum replicas",
    "maxReplicas": "maximum replicas",
    "maxReplicaCount": "maximum replicas",
    "targetCPUUtilizationPercentage": "CPU target",
    "averageUtilization": "CPU target",
}
_PERCENTAGES = frozenset({"targetCPUUtilizationPercentage", "averageUtilization"})
_NOTHING = "none"
_GONE = "removed"


def workload_words(key: Identity) -> str:
    """`payments/api`, or `api` where the manifest names no namespace."""
    return f"{key.namespace}/{key.name}" if key.namespace else key.name


def finder_words(finder: str) -> str:
    """What a finder looks at: `CPU and memory`."""
    return _FINDERS.get(finder, finder.replace("-", " "))


def values(changes: Sequence[FieldChange]) -> tuple[ProposedValue, ...]:
    """The changes of a recommendation as digests and pull requests show them."""
    return tuple(
        ProposedValue(change.field, change.container, change.current, change.proposed) for change in changes
    )


def field_words(field: str) -> str:
    """A dotted field in words: `memory request`, `minimum replicas`, `nvidia.com/gpu limit`."""
    if not field:
        return "the object"
    path = field_path(field)
    last, above = str(path[-1]), str(path[-2]) if len(path) > 1 else ""
    if above in _SUMS and last not in _FIELDS:
        return f"{_RESOURCES.get(last, last)} {_SUMS[above]}"
    if above == "nodeSelector":
        return f"node selector {last}"
    return _FIELDS.get(last, field)


def value_words(field: str, value: str, nothing: str = _NOTHING) -> str:
    """A value as it is written, `70 %` for a share; `nothing` where there is none."""
    if not value:
        return nothing
    return f"{value} %" if str(field_path(field)[-1]) in _PERCENTAGES else value


def change_words(value: ProposedValue) -> str:
    """One change in short: `memory request 2Gi → 512Mi`; without its container."""
    now, then = _both(value)
    return f"{field_words(value.field)} {now} → {then}"


def changes_words(changed: Sequence[ProposedValue]) -> tuple[str, ...]:
    """All changes in short: `api memory request and limit 2Gi → 512Mi`.

    The container is named where there are several, and a request and a limit that move together are one.
    """
    several = len({value.container for value in changed}) > 1
    return tuple(_together(changed, several=several))


def _together(changed: Sequence[ProposedValue], *, several: bool) -> Iterator[str]:
    told: set[ProposedValue] = set()
    for value in changed:
        if value in told:
            continue
        twin = next((other for other in changed if _is_twin(value, other)), None)
        told |= {value, twin} if twin else {value}
        words = field_words(value.field)
        if twin:
            words = f"{words.rsplit(' ', 1)[0]} request and limit"
        container = f"{value.container} " if several and value.container else ""
        now, then = _both(value)
        yield f"{container}{words} {now} → {then}"


def _is_twin(one: ProposedValue, other: ProposedValue) -> bool:
    """Whether one is the request and the other the limit of the same thing, and both move alike."""
    fields = {one.field.replace(".limits.", ".requests."), other.field.replace(".limits.", ".requests.")}
    return one.field != other.field and len(fields) == 1 and one[1:] == other[1:]


def _both(value: ProposedValue) -> tuple[str, str]:
    return value_words(value.field, value.current), value_words(value.field, value.proposed, _GONE)


def reason_words(reason: Reason | str, facts: Mapping[str, str]) -> str:
    """Why one workload is left as it is, such as `protected (INC-1234) until 31 March 2027`."""
    words = {
        Reason.PROTECTED: _protected,
        Reason.FROZEN: _frozen,
        Reason.SWITCHED_OFF: lambda _facts: "it is switched off: no pods are declared, or it is suspended",
        Reason.RUNS_TO_COMPLETION: lambda _facts: "it runs to completion, and no run is like the other",
        Reason.SEVERAL_GROUPS: lambda _facts: "it has several groups of pods",
        Reason.SLO_BURNING: _burning,
        Reason.AUTOSCALER: _autoscaler,
        Reason.VERTICAL_AUTOSCALER: _vertical,
        Reason.ROLLOUT: _rollout,
        Reason.NOT_AS_DECLARED: _not_as_declared,
        Reason.NOT_SEEN: lambda _facts: "the cluster's history does not know it",
        Reason.TOO_YOUNG: lambda facts: _days("it is", facts, "old"),
        Reason.SHORT_HISTORY: lambda facts: _days("the history has", facts, ""),
        Reason.POOR_HISTORY: _poor,
        Reason.OOM_KILLED: lambda facts: f"{_in(facts)}{facts.get('kills', 'an OOM kill')} is known",
        Reason.MEMORY_GROWS: _grows,
        Reason.THROTTLED: _throttled,
        Reason.RISKY: _risky,
        Reason.NOT_COVERED: lambda facts: _because("the history does not cover it", facts.get("why", "")),
        Reason.WAITS: lambda facts: f"{finder_words(facts.get('for', 'another change'))} comes first",
        Reason.COMES_BACK: _comes_back,
        Reason.NO_SCHEDULER: _no_scheduler,
    }
    known = next((found for found in Reason if found == reason), None)
    return words[known](facts) if known else str(reason).replace("-", " ")


_COUNTED = {
    Reason.PROTECTED: "protected by somebody's reason",
    Reason.FROZEN: "in an environment where nothing is to change now",
    Reason.SWITCHED_OFF: "switched off",
    Reason.RUNS_TO_COMPLETION: "running to completion",
    Reason.SEVERAL_GROUPS: "with several groups of pods",
    Reason.SLO_BURNING: "using up an error budget",
    Reason.AUTOSCALER: "with an autoscaler in charge",
    Reason.VERTICAL_AUTOSCALER: "with a vertical autoscaler in charge",
    Reason.ROLLOUT: "being rolled out",
    Reason.NOT_AS_DECLARED: "running otherwise than declared",
    Reason.NOT_SEEN: "not in the cluster's history",
    Reason.TOO_YOUNG: "too young to be judged",
    Reason.SHORT_HISTORY: "with a history shorter than 14 days",
    Reason.POOR_HISTORY: "with gaps in the history",
    Reason.OOM_KILLED: "with OOM kills",
    Reason.MEMORY_GROWS: "whose memory grows",
    Reason.THROTTLED: "whose CPU is throttled",
    Reason.RISKY: "where a smaller value would be risky",
    Reason.NOT_COVERED: "that the history does not cover",
    Reason.WAITS: "waiting for another recommendation",
    Reason.COMES_BACK: "whose GPU work comes back",
    Reason.NO_SCHEDULER: "at rest at night, where nothing would switch them off",
}


def counted_words(reason: Reason | str, count: int, names: Sequence[str] = ()) -> str:
    """How many are left alone for a reason: `3 workloads with OOM kills: a, b and 1 more`."""
    known = next((words for found, words in _COUNTED.items() if found == reason), None)
    things = f"{count:,} workload{'' if count == 1 else 's'}"
    told = f"{things} {known or 'left alone: ' + str(reason).replace('-', ' ')}"
    more = f" and {count - len(names):,} more" if count > len(names) else ""
    return f"{told}: {', '.join(names)}{more}" if names else told


def _protected(facts: Mapping[str, str]) -> str:
    until = facts.get("until", "")
    return f"protected ({facts.get('reason', 'no reason given')}){f' until {_day(until)}' if until else ''}"


def _day(text: str) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return text
    return f"{day.day} {day:%B %Y}"


def _frozen(facts: Mapping[str, str]) -> str:
    return _because("nothing is to change here now", facts.get("why", ""))


def _burning(facts: Mapping[str, str]) -> str:
    rate = facts.get("burn rate", "")
    return f"its error budget burns{f' {rate} times as fast as it may' if rate else ''}"


def _autoscaler(facts: Mapping[str, str]) -> str:
    if scaler := facts.get("autoscaler", ""):
        return f"the autoscaler {scaler} decides, and no manifest declares it"
    resource = facts.get("resource", "")
    words = _RESOURCES.get(resource, resource)
    return f"an autoscaler divides by the {words} request" if words else "an autoscaler is in charge"


def _vertical(facts: Mapping[str, str]) -> str:
    mode = facts.get("mode", "")
    return f"a vertical autoscaler sets its requests{f' ({mode})' if mode else ''}"


def _rollout(facts: Mapping[str, str]) -> str:
    told = ", ".join(f"{name} {value}" for name, value in facts.items())
    return f"it is being rolled out{f' ({told})' if told else ''}"


def _not_as_declared(facts: Mapping[str, str]) -> str:
    declared, seen = facts.get("declared", ""), facts.get("seen", "")
    told = f": {declared} declared, {seen} seen" if declared and seen else ""
    if field := facts.get("field", ""):
        return f"its pods have another {field_words(field)} than is declared{told}"
    return f"other pods run than are declared{told}"


def _days(lead: str, facts: Mapping[str, str], tail: str) -> str:
    days, needed = facts.get("days", "few"), facts.get("needed", "14")
    return " ".join(filter(None, [lead, days, "days", tail])) + f", {needed} are needed"


def _poor(facts: Mapping[str, str]) -> str:
    window = facts.get("window", "")
    return f"its history has gaps{f' in {window}' if window else ''}"


def _grows(facts: Mapping[str, str]) -> str:
    growth = facts.get("a_day", "")
    return f"{_in(facts)}memory grows{f' by {growth} a day' if growth else ''}"


def _throttled(facts: Mapping[str, str]) -> str:
    share = facts.get("periods", "")
    return f"{_in(facts)}CPU is throttled{f' in {share} of periods' if share else ''}"


def _risky(facts: Mapping[str, str]) -> str:
    return _because("less would be risky", facts.get("message", "") or facts.get("why", ""))


def _comes_back(facts: Mapping[str, str]) -> str:
    idle, longest = facts.get("idle for", ""), facts.get("longest gap before", "")
    told = f": idle for {idle}, and before for {longest}" if idle and longest else ""
    return f"its GPU work comes back{told}"


def _no_scheduler(facts: Mapping[str, str]) -> str:
    hours = facts.get("hours", "")
    needs = f"it needs to run {hours} alone" if hours else "it rests at night"
    return f"{needs}, but no kube-downscaler is known to run"


def _in(facts: Mapping[str, str]) -> str:
    container = facts.get("container", "")
    return f"{container}: " if container else ""


def _because(what: str, why: str) -> str:
    return f"{what}: {why.rstrip('.')}" if why else what
