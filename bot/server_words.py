"""What the bot says where the command line would name an option: its readers set a server, not flags."""

from __future__ import annotations

import re

_SET = "set the bot's `PROMETHEUS_URL`"
_CONTEXT = "give the cluster a `kube_context` in `tuppence.yaml`"
_SAID = (
    ("add --prometheus URL or --usage FILE with a longer --window", "the bot looks back 14 days"),
    ("add --kube-context NAME, or --prometheus URL or --usage FILE with nodes", _SET),
    ("add --kube-context NAME, or --usage FILE with the live VerticalPodAutoscaler", _CONTEXT),
    ("add --kube-context NAME, or start", "set `kube_context`, or start"),
    ("add --prometheus URL, --usage FILE or --kube-context NAME", _SET),
    ("add --prometheus URL, or autoscaler_metrics to --usage FILE", _SET),
    ("add --prometheus URL or --usage FILE", _SET),
    ("add --prometheus URL for what was used", _SET),
    (", or add it to --usage FILE", ""),
    (", a day is needed: --window", ", a day is needed"),
    ("--kube-context", "`kube_context`"),
    ("--prices", "`prices`"),
)  # fmt: skip
"""The longer phrase first, where one is the beginning of the other."""
_FLAG = re.compile(r"(--[a-z-]+(?: [A-Z]+)?)")


def _pattern(phrase: str) -> re.Pattern[str]:
    """Finds the phrase as plain text and as Markdown: flags in code, some spaces unbreakable."""
    parts = _FLAG.split(phrase)
    return re.compile("".join(f"`?{re.escape(part)}`?" if "--" in part else _spaced(part) for part in parts))


def _spaced(text: str) -> str:
    return "[ \xa0]".join(map(re.escape, text.split(" ")))


_PATTERNS = tuple((_pattern(phrase), said) for phrase, said in _SAID)


def as_the_bot_says(text: str) -> str:
    """`text`, Markdown or plain, with settings of the server in the place of options; never longer."""
    if "--" not in text:
        return text
    for pattern, said in _PATTERNS:
        text = pattern.sub(said, text)
    return text
