"""A recommendation in Slack: what it says, what can be pressed, what became of it, and why it is proposed.

Whoever carries it out knows the buttons by these action ids; the value of each is a recommendation's id
and nothing else, so that whatever is done is looked up again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from bot.cost_words import day
from bot.digest import DigestItem, ItemState
from bot.inert import address, plain, visible
from bot.recommendation_words import changes_words, finder_words, values, workload_words
from bot.slack_message import Block, SlackMessage, mrkdwn
from bot.words import CONFIDENCES, MINUS, NOT_KNOWN, VERDICTS, money
from estimators.recommendation import Recommendation
from estimators.report import Confidence, Verdict

APPROVE, REJECT, SNOOZE, WHY = (
    "recommendation-approve",
    "recommendation-reject",
    "recommendation-snooze",
    "recommendation-why",
)
ACTIONS = frozenset((APPROVE, REJECT, SNOOZE, WHY))
MODAL, REASON = "recommendation-reject", "reason"
"""The callback id of the modal that asks for a reason, and its input's action id."""
LEAST_REASON, MOST_REASON = 3, 500
_MOST_SHOWN = 3
_ADDRESS = 4
_NOT_IN_SHORT = ("window", "profile", "prices")
"""Ends of the names of evidence that only *Why?* tells."""
_LABELS = {APPROVE: "Approve", REJECT: "Reject", SNOOZE: "Snooze", WHY: "Why?"}
_LONGEST_CONFIRMED = 300
_LONGEST_WHY = 2_900
_LONGEST_ASKED = 240
"""The id of a block has at most 255 characters."""


def item_blocks(
    number: int, item: DigestItem, state: ItemState, currency: str, most: int, *, asked: str = ""
) -> Iterator[Block]:
    """What is proposed, and what can be pressed or was decided; no text is longer than `most`.

    `asked` is the question that this answers; the block of the buttons is named by it.
    """
    yield section("\n".join(_lines(number, item, currency, most)))
    if state.state == "open":
        yield context(mrkdwn(_evidence(item), most))
        named = {"block_id": f"{number} {asked}"} if 0 < len(asked) <= _LONGEST_ASKED else {}
        yield {"type": "actions", **named, "elements": list(_buttons(item, most))}
    else:
        yield context(decided(state, most))


def _lines(number: int, item: DigestItem, currency: str, most: int) -> Iterator[str]:
    where = f" in {mrkdwn(item.environment, most)}" if item.environment else ""
    name = f"*{number}. {linked(item.address, item.workload, most)}*{where}"
    yield f"{name} · {mrkdwn(changes_in_short(item), most)}"
    yield kept(_saving(item.allocated, item.realisable, item.realisable_why, currency, most))


def _evidence(item: DigestItem) -> str:
    """`Caution: a risk · CPU p95 0.81 cores a pod · confidence high`: *Why?* tells the rest."""
    seen = [
        f"{name} {value.partition(',')[0]}"
        for name, value in item.evidence.items()
        if not name.endswith(_NOT_IN_SHORT)
    ]
    told = " · ".join([*seen[:_MOST_SHOWN], confidence_words(item.confidence)])
    if item.verdict == Verdict.SAFE:
        return told
    verdict = next((words for found, words in VERDICTS.items() if found == item.verdict), item.verdict)
    return f"{': '.join([verdict, *item.risks[:1]]).rstrip('.')} · {told}"


def changes_in_short(item: DigestItem) -> str:
    """`CPU request 2 → 500m, memory request and limit 2Gi → 640Mi`."""
    return ", ".join(changes_words(item.values)) or finder_words(item.finder)


def confidence_words(confidence: str) -> str:
    """`confidence high`."""
    known = next((words for found, words in CONFIDENCES.items() if found == confidence), "")
    return known or f"confidence {confidence}"


def _saving(allocated: Decimal, realisable: Decimal | None, why: str, currency: str, most: int) -> str:
    """What is allocated less, and how much of that leaves the bill."""
    told = f"*{money(allocated, currency, signed=True)} a month*"
    short = why.partition(";")[0]
    because = f" ({mrkdwn(short, most)})" if short else ""
    if allocated >= 0:
        return f"{told}, which reliability needs"
    if realisable is None:
        return f"{told}; how much of it leaves the bill is {NOT_KNOWN}{because}"
    if realisable >= 0:
        return f"{told}, none of which leaves the bill yet{because}"
    if realisable <= allocated:
        return f"{told}, and the bill falls by {money(-realisable, currency)}{because}"
    return f"{told}, of which {money(-realisable, currency)} leaves the bill{because}"


def decided(state: ItemState, most: int = 300) -> str:
    """One line: who decided what, and where it goes on."""
    who = f" by {mrkdwn(state.said, 80)}" if state.said else ""
    why = f": {mrkdwn(state.why, most)}" if state.why else ""
    until = f" until {day(state.until)}" if state.until else ""
    pull = linked(state.address, "pull request", most)
    approved = f", approved{who}" if who else ""
    return {
        "open": "To be decided",
        "approved": f"*Approved*{who}; its pull request is being opened",
        "opened": f"*Approved*{who}: {pull}",
        "merged": f"*Merged*: {pull}{approved}",
        "closed": f"*Closed without a merge*: {pull}{approved}{why}",
        "by-hand": f"*Approved*{who}, *to be done by hand*{why}",
        "rejected": f"*Rejected*{who}{why}",
        "snoozed": f"*Snoozed*{who}{until}",
        "stale": f"*No longer proposed*{why}",
    }[state.state]


def _buttons(item: DigestItem, most: int) -> Iterator[Block]:
    yield {**button(APPROVE, item.id), "style": "primary", "confirm": _confirm(item, most)}
    yield button(REJECT, item.id)
    yield button(SNOOZE, item.id)
    yield button(WHY, item.id)


def button(action: str, id: str) -> Block:  # noqa: A002 - its name
    """One of the four."""
    text = {"type": "plain_text", "text": _LABELS[action], "emoji": False}
    return {"type": "button", "action_id": action, "text": text, "value": id}


def _confirm(item: DigestItem, most: int) -> Block:
    what = plain(changes_in_short(item), min(most, 120))
    text = (
        f"Tuppence opens a pull request in {plain(item.repository, 80)}: {what}. Nothing is merged by it. "
        "If no pull request can do it, you are told what to change by hand."
    )
    return {
        "title": {"type": "plain_text", "text": "Open the pull request?"},
        "text": {"type": "plain_text", "text": plain(text, _LONGEST_CONFIRMED), "emoji": False},
        "confirm": {"type": "plain_text", "text": "Approve"},
        "deny": {"type": "plain_text", "text": "Not now"},
    }


def pressed_again(told: str, action: str, id: str) -> SlackMessage:  # noqa: A002 - its name
    """A sentence of ours, and the button once more."""
    return SlackMessage(told, (section(told), {"type": "actions", "elements": [button(action, id)]}))


def why_message(found: Recommendation, currency: str) -> SlackMessage:
    """All that is known about a recommendation, for somebody who is to decide."""
    title = f"Why {workload_words(found.key)}?"
    changed = "\n".join(f"• {mrkdwn(change)}" for change in changes_words(values(found.changes)))
    evidence = "\n".join(f"• {mrkdwn(name)}: {mrkdwn(value)}" for name, value in found.evidence.items())
    risks = "\n".join(f"• {mrkdwn(risk)}" for risk in found.risks)
    source = f"{found.source.file}:{found.source.line}"
    told = [
        ("What changes", f"{changed}\n{mrkdwn(source)}"),
        ("What it saves", "\n".join(_arithmetic(found, currency))),
        ("What was seen", evidence),
        ("What could go wrong", risks or "Nothing that is known."),
        ("Whom it would hit", mrkdwn(found.blast_radius) or "Not known."),
        ("How to go back", mrkdwn(found.undo)),
        ("How sure", mrkdwn(_sure(found.confidence))),
    ]
    blocks = [section(f"*{name}*\n{_whole_lines(text)}") for name, text in told if text]
    return SlackMessage(plain(title), (_title(title), *blocks))


def _title(text: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": plain(text, 150), "emoji": False}}


def _arithmetic(found: Recommendation, currency: str) -> Iterator[str]:
    realisable = found.realisable
    allocated = money(found.allocated, currency, signed=True)
    yield f"• Allocated: *{kept(allocated)} a month*, the change of what is requested times its price"
    if realisable.monthly is None:
        yield f"• Off the bill: {NOT_KNOWN}{': ' + mrkdwn(realisable.why) if realisable.why else ''}"
        return
    others = [mrkdwn(node, 80) for node in realisable.nodes[:5] if node not in realisable.why]
    nodes = f" ({', '.join(others)})" if others else ""
    bill = kept(money(realisable.monthly, currency, signed=True))
    yield f"• Off the bill: *{bill} a month*{': ' + mrkdwn(realisable.why) if realisable.why else ''}{nodes}"
    rest = found.allocated - realisable.monthly
    if rest < 0:
        yield f"• {money(-rest, currency)} of it stays on the bill, as room for other pods"


def _sure(confidence: Confidence) -> str:
    return f"{CONFIDENCES[confidence]}".capitalize() + "."


def _whole_lines(text: str) -> str:
    """As many lines as a block takes, and how many it does not."""
    lines = text.split("\n")
    shown = len(lines)
    while shown and len("\n".join(lines[:shown])) > _LONGEST_WHY:
        shown -= 1
    left = len(lines) - shown
    return "\n".join([*lines[:shown], *([f"and {left} more"] if left else [])])


def reject_modal(
    id: str,  # noqa: A002 - its name
    workload: str,
    channel: str,
    timestamp: str,
    **more: str,
) -> dict[str, Any]:
    """The modal that asks why not. What it carries, `more` as well, is looked up again when it comes back."""
    told = (
        f"*{mrkdwn(workload)}* is left as it is, and this is not proposed again until the facts change. "
        "Your reason is shown to whoever looks at it next."
    )
    return {
        "type": "modal",
        "callback_id": MODAL,
        "private_metadata": json.dumps({"id": id, "channel": channel, "ts": timestamp, **more}),
        "title": {"type": "plain_text", "text": "Reject"},
        "submit": {"type": "plain_text", "text": "Reject"},
        "close": {"type": "plain_text", "text": "Cancel"},
        "blocks": [
            section(told),
            {
                "type": "input",
                "block_id": REASON,
                "label": {"type": "plain_text", "text": "Why not?"},
                "hint": {
                    "type": "plain_text",
                    "text": "For example: sized for the sale in December, INC-1234",
                },
                "element": {
                    "type": "plain_text_input",
                    "action_id": REASON,
                    "multiline": True,
                    "min_length": LEAST_REASON,
                    "max_length": MOST_REASON,
                },
            },
        ],
    }


def carried(private_metadata: str) -> Mapping[str, str]:
    """The texts that a modal of ours carries: `id`, `channel`, `ts`; in an answer `asked`, `response_url`."""
    try:
        found = json.loads(private_metadata)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: value for name, value in found.items() if isinstance(value, str)}


def by_hand_message(workload: str, why: str, patch: str) -> SlackMessage:
    """What somebody has to write themselves, and text to copy."""
    told = f"*{mrkdwn(workload)}* has to be changed by hand: {mrkdwn(why.rstrip('.'), 1_000)}."
    text = f"{plain(workload)} has to be changed by hand."
    return SlackMessage(text, (section(told), *([section(_fenced(patch))] if patch.strip() else [])))


def _fenced(text: str) -> str:
    """Lines to copy, as many as fit; nothing in them is markup."""
    lines = [visible(line).replace("```", "'''") for line in text.strip("\n").split("\n")]
    escaped = "\n".join(lines).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"```\n{_whole_lines(escaped)}\n```"


def linked(url: str, text: str, most: int = 300) -> str:
    """A stranger's text, as a link where the address is one of a web page and not much longer."""
    shown = mrkdwn(text, most)
    safe = address(url).replace("&", "&amp;").replace("|", "%7C")
    return f"<{safe}|{shown}>" if safe and len(safe) <= _ADDRESS * most else shown


def section(text: str) -> Block:
    """A paragraph; `verbatim`: Slack makes no link of what looks like one."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def context(text: str) -> Block:
    """Small print."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]}


def kept(text: str) -> str:
    """A minus stays with its amount where a line ends."""
    return text.replace(f"{MINUS}$", f"{MINUS}\u2060$")
