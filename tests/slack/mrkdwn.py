"""Slack's mrkdwn as HTML, as near to the client as a picture needs.

Source: docs.slack.dev/messaging/formatting-message-text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

EMOJI = {
    "white_check_mark": "✅", "heavy_check_mark": "✔", "x": "❌", "warning": "⚠", "rotating_light": "🚨",
    "red_circle": "🔴", "large_orange_circle": "🟠", "large_yellow_circle": "🟡", "large_green_circle": "🟢",
    "large_blue_circle": "🔵", "white_circle": "⚪", "black_circle": "⚫", "moneybag": "💰",
    "chart_with_upwards_trend": "📈", "chart_with_downwards_trend": "📉", "bar_chart": "📊", "tada": "🎉",
    "eyes": "👀", "hourglass_flowing_sand": "⏳", "hourglass": "⌛", "bulb": "💡", "lock": "🔒", "zzz": "💤",
    "arrow_up": "⬆", "arrow_down": "⬇", "arrow_right": "➡", "mag": "🔍", "wave": "👋", "gear": "⚙",
    "information_source": "\N{INFORMATION SOURCE}", "question": "❓", "robot_face": "🤖", "rocket": "🚀", "point_right": "👉",
    "thumbsup": "👍", "+1": "👍", "thumbsdown": "👎", "-1": "👎", "bell": "🔔", "calendar": "📅",
}  # fmt: skip
"""The common few; other names stay as they are, between colons."""
_SPECIAL = {"here": "@here", "channel": "@channel", "everyone": "@everyone"}
_HELD = re.compile("\ue000(\\d+)\ue001")
_STYLES = (("\\*", "b"), ("_", "i"), ("~", "s"))


def decoded(text: str) -> str:
    """Slack's three entities as characters, in one pass."""
    plain = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}
    return re.sub("&(?:lt|gt|amp);", lambda found: plain[found[0]], text)


def with_emoji(text: str) -> str:
    """`:name:` as the picture, where it is one of the few."""
    return re.sub(":([a-z0-9_+-]+):", lambda found: EMOJI.get(found[1], found[0]), text)


def plain_html(text: str, *, emoji: bool = True) -> str:
    """A plain_text object's text."""
    shown = decoded(text)
    return html.escape(with_emoji(shown) if emoji else shown).replace("\n", "<br>")


def _reference(inner: str, names: Mapping[str, str]) -> str:
    """What stands between angle brackets: a link, a mention, a channel, a date."""
    target, _, label = inner.partition("|")
    if target[:1] in "@#":
        name = label or names.get(target[1:], target[1:])
        return f'<span class="mention">{html.escape(target[0] + name.lstrip("@#"))}</span>'
    if target.startswith("!subteam^"):
        name = label.lstrip("@") or names.get(target.partition("^")[2], "group")
        return f'<span class="mention">@{html.escape(name)}</span>'
    if target.startswith("!date^"):
        return html.escape(decoded(label or target))
    if target.startswith("!"):
        return f'<span class="mention loud">{html.escape(_SPECIAL.get(target[1:], target))}</span>'
    shown = html.escape(with_emoji(decoded(label or target)))
    return f'<a href="{html.escape(decoded(target), quote=True)}">{shown}</a>'


def mrkdwn_html(text: str, names: Mapping[str, str] | None = None) -> str:
    """A mrkdwn object's text; `names` are those of people, groups and channels by id."""
    held: list[str] = []

    def hold(made: str) -> str:
        held.append(made)
        return f"\ue000{len(held) - 1}\ue001"

    rest = re.sub("[\ue000\ue001]", "", text)
    rest = re.sub(
        "```\n?(.+?)```", lambda it: hold(f"<pre>{html.escape(decoded(it[1]))}</pre>"), rest, flags=re.DOTALL
    )
    rest = re.sub("`([^`\n]+)`", lambda it: hold(f"<code>{html.escape(decoded(it[1]))}</code>"), rest)
    rest = re.sub("<([^<>\n]+)>", lambda it: hold(_reference(it[1], names or {})), rest)
    lines = [_line(line) for line in rest.split("\n")]
    shown = "<br>".join(lines).replace("</blockquote><br>", "</blockquote>")
    while _HELD.search(shown):
        shown = _HELD.sub(lambda it: held[int(it[1])], shown)
    return re.sub("(</pre>)<br>", r"\1", shown)


def _line(line: str) -> str:
    quoted = line.startswith(("&gt;", ">"))
    shown = html.escape(with_emoji(decoded(line)), quote=False)
    if quoted:
        shown = shown.removeprefix("&gt;").lstrip()
    for mark, tag in _STYLES:
        # A mark opens after a blank or punctuation and closes before one; inside it touches no blank.
        shown = re.sub(
            rf"(?<![\w{mark}]){mark}(?=\S)([^\n]*?\S){mark}(?![\w{mark}])", rf"<{tag}>\1</{tag}>", shown
        )
    return f"<blockquote>{shown}</blockquote>" if quoted else shown
