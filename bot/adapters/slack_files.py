"""Files in Slack, in its three steps: an address to send to, the bytes, and what to do with them."""

from __future__ import annotations

import json
import urllib.request
from typing import Any
from urllib.error import URLError

from bot.adapters.slack_api import SECONDS, SlackApi
from bot.errors import SlackUnavailable


class SlackWebFiles:
    """The port `SlackFiles`, over the Web API."""

    def __init__(self, api: SlackApi) -> None:
        self._api = api

    def picture(self, name: str, png: bytes, alt: str) -> str:
        """Its id. Nobody sees it before a message of ours shows it."""
        file = self._sent(name, png, alt_txt=alt[:1_000])
        self._api.read("files.completeUploadExternal", files=json.dumps([{"id": file, "title": name}]))
        return file

    def send(self, user: str, name: str, content: bytes, said: str) -> None:
        """Open the direct messages with somebody, and put the file there."""
        self._shared(self._api.call("conversations.open", users=user)["channel"]["id"], name, content, said)

    def attach(self, channel: str, timestamp: str, name: str, content: bytes, said: str) -> None:
        """Put the file in the thread of a message."""
        self._shared(channel, name, content, said, thread_ts=timestamp)

    def is_attached(self, channel: str, timestamp: str, name: str) -> bool:
        """Whether a message of its thread has that file."""
        thread = self._api.pages("conversations.replies", channel=channel, ts=timestamp)
        return any(file.get("name") == name for message in thread for file in message.get("files") or ())

    def _shared(self, channel: str, name: str, content: bytes, said: str, **where: str) -> None:
        file = self._sent(name, content)
        self._api.read(
            "files.completeUploadExternal",
            files=json.dumps([{"id": file, "title": name}]),
            channel_id=channel,
            initial_comment=said,
            **where,
        )

    def _sent(self, name: str, content: bytes, **more: Any) -> str:  # noqa: ANN401 - JSON
        place = self._api.read("files.getUploadURLExternal", filename=name, length=len(content), **more)
        if not self._api.is_ours(url := str(place.get("upload_url", ""))):
            raise SlackUnavailable("Slack named an address for a file that is not its own")
        request = urllib.request.Request(url, data=content, method="POST")  # noqa: S310 - https, or a local peer
        request.add_header("Content-Type", "application/octet-stream")
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
                answer.read(1_000)
        except (URLError, OSError, ValueError) as error:
            raise SlackUnavailable("Slack did not take a file") from error
        return str(place["file_id"])
