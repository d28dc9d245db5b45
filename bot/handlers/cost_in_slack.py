"""Answer what people ask about cost in Slack: by a command, or by a button under an earlier answer.

Nothing is taken from a button but the question in it: who asks and what they may see is looked up anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.cost_access import Sight, sight
from bot.cost_answer import CostAnswer, CostReply
from bot.cost_commands import CostQuestion, NotUnderstood, parse
from bot.cost_slack import ASK, CHART, SHARE, cost_message
from bot.errors import SlackRefused
from bot.savings_slack import decided_in
from bot.slack_events import Asker, ButtonPressed, CommandAsked, ModalSubmitted, SlackEvent
from bot.slack_message import Block, Said, SlackMessage
from bot.slack_ports import SlackFiles, SlackPeople

if TYPE_CHECKING:
    from bot.cost_chart import CostChart

NOT_YOURS = (
    "Costs are told to full members of this workspace only. "
    "A member can ask `/cost` and press *Share* to show you an answer."
)
_NO_BUTTON = "That button has no meaning any more. `/cost help` says what can be asked."
_SHARED = "You shared this answer with the channel."

Access = Mapping[str, tuple[str, ...]]
Ask = Callable[[CostQuestion, Sight], CostReply]
Draw = Callable[[CostAnswer], "CostChart"]


def answer_in_slack(
    event: CommandAsked | ButtonPressed,
    *,
    seen: Sight | None,
    ask: Ask,
    draw: Draw,
    files: SlackFiles,
) -> tuple[Said, ...]:
    """What to say, and to whom; `seen` comes of `sight_of`. Raises SlackUnavailable, StoreUnavailable."""
    pressed = event.action_id if isinstance(event, ButtonPressed) else ""
    shares = pressed == SHARE
    if pressed and not (shares or pressed == CHART or pressed.startswith(ASK)):
        return (Said("asker", only_text(_NO_BUTTON)),)
    if seen is None:
        return (Said("asker", only_text(NOT_YOURS)),)
    asked = parse(event.value if isinstance(event, ButtonPressed) else event.text)
    reply = asked if isinstance(asked, NotUnderstood) else ask(asked, seen)
    if not isinstance(reply, CostAnswer):
        return (Said("asker", cost_message(reply).message),)
    found = cost_message(reply, shared=shares)
    message = _with_picture(found.message, reply, draw, files) if reply.chart else found.message
    if shares:
        by = f"Shared by <@{event.asker.user_id}>"
        return Said("channel", _with_remark(message, by)), Said("original", only_text(_SHARED))
    if found.csv:
        message = _with_remark(message, _sent(event.asker, reply, found.csv, files))
    return (Said("original" if pressed == CHART else "asker", message),)


def answer_anew(event: ButtonPressed | ModalSubmitted, *, seen: Sight | None, ask: Ask) -> tuple[Said, ...]:
    """What takes the place of an answer that somebody decided in. Raises StoreUnavailable."""
    asked = decided_in(event)
    if asked is None or seen is None:
        return ()
    return (Said("original", cost_message(ask(asked, seen)).message),)


def sight_of(event: SlackEvent, *, people: SlackPeople, access: Access) -> Sight | None:
    """What somebody may see; None where they are no full member. Raises SlackUnavailable.

    Before something is shown to others nothing that is remembered counts.
    """
    asker, fresh = event.asker.user_id, isinstance(event, ButtonPressed) and event.action_id == SHARE
    if not people.person(asker, fresh=fresh).member:
        return None
    return sight(access, [name for name in access if people.in_group(asker, name, fresh=fresh)])


def only_text(text: str) -> SlackMessage:
    """A sentence of ours."""
    return SlackMessage(text, ({"type": "section", "text": {"type": "mrkdwn", "text": text}},))


def _with_picture(message: SlackMessage, answer: CostAnswer, draw: Draw, files: SlackFiles) -> SlackMessage:
    """The picture before the small print; a sentence in its place where Slack does not take it."""
    chart = draw(answer)
    try:
        picture = files.picture("cost.png", chart.png, chart.alt)
    except SlackRefused as refused:
        return _with_remark(message, f"The chart could not be shown: Slack says {refused.reason}.")
    image = {"type": "image", "slack_file": {"id": picture}, "alt_text": chart.alt}
    kinds = [block["type"] for block in message.blocks]
    place = min(kinds.index(kind) if kind in kinds else len(kinds) for kind in ("context", "actions"))
    return replace(message, blocks=(*message.blocks[:place], image, *message.blocks[place:]))


def _with_remark(message: SlackMessage, text: str) -> SlackMessage:
    remark: Block = {"type": "context", "elements": [{"type": "mrkdwn", "text": text}]}
    return replace(message, blocks=(*message.blocks, remark))


def _sent(asker: Asker, answer: CostAnswer, csv: str, files: SlackFiles) -> str:
    """Send all rows, of which a message took fewer; what to say of it."""
    question = answer.question.text
    try:
        files.send(
            asker.user_id, "cost.csv", csv.encode("utf-8", "replace"), f"All rows of `/cost {question}`"
        )
    except SlackRefused as refused:
        return (
            f"There are more rows; the file with all of them could not be sent: Slack says {refused.reason}."
        )
    return "There are more rows than fit here: I sent you a file with all of them in our direct messages."
