"""Post a week's digest once, whoever asks for it and however often the answer of Slack is lost."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.errors import SlackRefused, SlackUnavailable
from bot.inert import plain
from bot.recommendation_ports import Digests
from bot.recommendation_records import KeptDigest
from bot.records import Json
from bot.slack_message import SlackMessage
from bot.slack_ports import Mark, Posted, SlackFiles, SlackMessages

KIND = "tuppence_digest"
_LONGEST_NAME = 100
"""Slack takes no metadata of more than some kilobytes."""
_CLOCKS = timedelta(minutes=10)
"""By how much Slack's clock may differ from ours."""
_FILE, _BEGUN, _THERE = "file", "begun", "there"
"""How far the file below a digest is, beside its content."""
_SIGNED_OUT = "Slack does not take the bot token any more: install the app again, set SLACK_BOT_TOKEN anew"
_SAID = {
    "channel_not_found": "Slack knows no such channel, or it is private and the app is not in it",
    "not_in_channel": "the app is not in the channel: invite it there",
    "is_archived": "the channel is archived",
    "missing_scope": "the app has no scope chat:write: add it, and install the app again",
    "token_revoked": _SIGNED_OUT,
    "invalid_auth": _SIGNED_OUT,
    "account_inactive": _SIGNED_OUT,
    "restricted_action": "the workspace does not let apps post there",
    "invalid_blocks": "Slack does not take the message, which is a mistake of Tuppence",
}


def post_digest(
    wanted: KeptDigest,
    *,
    digests: Digests,
    messages: SlackMessages,
    render: Callable[[Json], SlackMessage],
    now: datetime,
) -> KeptDigest:
    """The digest as it is in the channel: `wanted`, or the one of that team and week that is there already.

    It is noted before it is sent. Where Slack's answer was lost, the channel is searched for it before it
    is sent again; what was certainly not taken is forgotten, so that a channel or a content that was
    mended counts. Raises SlackUnavailable, SlackRefused with what to do about it, StoreUnavailable.
    """
    with digests.turn(wanted.team, wanted.week):
        kept = digests.find(wanted.team, wanted.week)
        if kept is not None and kept.timestamp:
            return kept
        if kept is not None and kept.channel:
            if timestamp := _searched(kept, messages):
                return _noted(kept, Posted(kept.channel, timestamp), digests, now)
        else:
            kept = wanted
            digests.keep(kept)
        return _noted(kept, _sent(kept, digests, messages, render), digests, now)


def _sent(
    kept: KeptDigest, digests: Digests, messages: SlackMessages, render: Callable[[Json], SlackMessage]
) -> Posted:
    try:
        return messages.post(kept.channel, render(kept.content), mark=mark_of(kept))
    except SlackUnavailable as lost:
        if lost.retry_after is not None:  # a limit: it was not looked at
            digests.keep(replace(kept, channel=""))
        raise
    except SlackRefused as refused:
        digests.keep(replace(kept, channel=""))
        why = _SAID.get(refused.reason, f"Slack says {refused.reason}")
        raise SlackRefused(f"{_name(kept)} was not posted: {why}", refused.reason) from refused


def attach_file(
    team: str, week: str, name: str, content: bytes, said: str, *, digests: Digests, files: SlackFiles
) -> bool:
    """Put a file below a posted digest, once; whether it was put there now.

    That it is begun is noted first: whether it came before a crash, or before an answer that was lost, is
    seen in the thread. Raises SlackUnavailable, SlackRefused, StoreUnavailable.
    """
    with digests.turn(team, week):
        kept = digests.find(team, week)
        state = kept.content.get(_FILE) if kept is not None else None
        if kept is None or not kept.timestamp or state == _THERE:
            return False
        there = state == _BEGUN and files.is_attached(kept.channel, kept.timestamp, name)
        if not there:
            _with_file(kept, _BEGUN, digests)
            files.attach(kept.channel, kept.timestamp, name, content, said)
        _with_file(kept, _THERE, digests)
        return not there


def _with_file(kept: KeptDigest, state: str, digests: Digests) -> None:
    digests.keep(replace(kept, content={**kept.content, _FILE: state}))


def _searched(kept: KeptDigest, messages: SlackMessages) -> str:
    try:
        return messages.find(kept.channel, mark_of(kept), kept.begun_at - _CLOCKS)
    except SlackRefused as refused:
        raise SlackRefused(
            f"{_name(kept)} is not posted again: whether it is there cannot be seen, since Slack says "
            f"{refused.reason}; the app needs channels:history and groups:history, and the channel's id",
            refused.reason,
        ) from refused


def _noted(kept: KeptDigest, posted: Posted, digests: Digests, now: datetime) -> KeptDigest:
    done = replace(kept, channel=posted.channel, timestamp=posted.timestamp, posted_at=now)
    digests.keep(done)
    return done


def mark_of(kept: KeptDigest) -> Mark:
    """What tells this digest from every other, those of another installation in the channel included."""
    about = (kept.team, kept.week, kept.begun_at.astimezone(UTC).isoformat())
    key = hashlib.sha256(repr(about).encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return Mark(KIND, {"team": plain(kept.team, _LONGEST_NAME), "week": kept.week, "key": key})


def _name(kept: KeptDigest) -> str:
    whose = f"of {kept.team}" if kept.team else "of all teams"
    return f"The digest {whose} for {kept.week} to the channel {kept.channel}"
