"""The weekly digest, killed at each call to Slack or answered wrongly: it is in its channel once, or the log says why not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.weeks import DAYS_OF_WEEK
from tests.end_to_end.approvals import HURRIED, surroundings_of
from tests.end_to_end.bots import running, wait_for
from tests.slack.faults import Fault
from tests.slack.limits import TIERS
from tests.slack.model import Channel
from tests.slack.service import Slack, slack

POST, PICTURE = "chat.postMessage", "files.completeUploadExternal"
HELD = (("files.getUploadURLExternal", False), (PICTURE, False), (PICTURE, True), (POST, False), (POST, True))
"""Where it is killed: before the call, and after it was carried out."""
PASSING = (
    ("ratelimited", False),
    ("500", False),
    ("500", True),
    ("html", True),
    ("reset", True),
    ("cut", True),
)
LASTING: Mapping[str, str] = {
    "channel_not_found": "Slack knows no such channel",
    "is_archived": "the channel is archived",
    "invalid_blocks": "which is a mistake of Tuppence",
    "token_revoked": "install the app again, set SLACK_BOT_TOKEN anew",
}


def config_of(teams: Mapping[str, Channel]) -> str:
    """A week that was over yesterday."""
    yesterday = DAYS_OF_WEEK[(datetime.now(UTC) - timedelta(days=1)).weekday()]
    rows = "".join(
        f"  - {{name: {name}, namespaces: [payments, shop], channel: {channel.id}}}\n"
        for name, channel in teams.items()
    )
    return f'digest: {{day: {yesterday}, time: "00:00"}}\nteams:\n{rows}'


def spoilt(workspace: Slack, teams: Mapping[str, Channel]) -> list[Fault]:
    """What goes wrong, once for each team that it is to pass for."""
    about = [(name, channel.id) for name, channel in teams.items()]
    holds = [
        workspace.fault(method, "hang", after_effect=done, seconds=600, about=whose)
        for whose, (method, done) in zip(about, HELD, strict=False)
    ]
    passing = [
        workspace.fault(POST, kind, after_effect=done, about=whose)
        for whose, (kind, done) in zip(about[len(HELD) :], PASSING, strict=False)
    ]
    lasting = [
        workspace.fault(POST, kind, times=None, about=whose)
        for whose, kind in zip(about[-len(LASTING) :], LASTING, strict=True)
    ]
    return [*holds, *passing, *lasting]


def test_a_digest_is_in_its_channel_once_or_the_log_says_why_not(kept: Path, tmp_path: Path) -> None:
    """Kills strike when everything else is done."""
    (tmp_path / "tuppence.db").write_bytes(kept.read_bytes())
    with slack() as workspace:
        workspace.limits.tiers = dict.fromkeys(TIERS, 100_000)
        teams = {
            name: workspace.channel(name.strip("-"), workspace.person("ana"))
            for name in (f"team-{number}-" for number in range(len(HELD) + len(PASSING) + len(LASTING)))
        }
        (tmp_path / "tuppence.yaml").write_text(config_of(teams))
        channels = list(teams.values())
        faults = spoilt(workspace, teams)
        posted, refused = channels[: -len(LASTING)], channels[-len(LASTING) :]
        options = ["--config", str(tmp_path / "tuppence.yaml")]
        with running(
            None, tmp_path, program=HURRIED, options=options, HURRIED_ANSWER_SECONDS="170",
            **surroundings_of(workspace),
        ) as bot:  # fmt: skip
            log = bot.log.read_text
            wait_for(lambda: all(one.hits for one in faults), what="all calls", told=log)
            wait_for(
                lambda: all(workspace.messages(channel) for channel in posted[len(HELD) :]),
                what="the others to be posted",
                told=log,
            )
            bot.kill_all()
            bot.start()
            wait_for(
                lambda: all(workspace.messages(channel) for channel in posted),
                what="all to be posted",
                told=log,
            )
            wait_for(
                lambda: all(why in log() for why in LASTING.values()),
                what="reasons",
                told=log,
            )
        assert [len(workspace.messages(channel)) for channel in posted] == [1] * len(posted)
        assert [workspace.messages(channel) for channel in refused] == [[]] * len(refused)
        workspace.assert_clean()
