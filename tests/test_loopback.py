"""What the fakes do when a client is killed in the middle of what it says."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.github.client import Shop
from tests.github.service import github
from tests.slack.service import slack

CUT = (
    pytest.param("Content-Length: 15", '{"body": ', id="half a body"),
    pytest.param("Content-Length: 15", "", id="no body"),
    pytest.param("Transfer-Encoding: chunked", "f\r\n{", id="half a chunk"),
    pytest.param("Transfer-Encoding: chunked", "4\r\n{}  \r\n", id="no last chunk"),
    pytest.param("Transfer-Encoding: chunked", "4", id="half a size"),
)


def say(address: str, path: str, token: str, header: str, body: str) -> bytes:
    """What is answered to a request that ends there."""
    where = urlsplit(address)
    with socket.create_connection((where.hostname, where.port), timeout=5) as client:
        lines = (
            f"POST {where.path}{path} HTTP/1.1",
            "Host: x",
            "User-Agent: x",
            f"Authorization: Bearer {token}",
            header,
        )
        client.sendall("\r\n".join((*lines, "", body)).encode())
        client.shutdown(socket.SHUT_WR)
        return client.recv(1)


@pytest.mark.parametrize(("header", "body"), CUT)
def test_github_takes_no_half_request_and_blames_nobody_for_it(
    tmp_path: Path, header: str, body: str
) -> None:
    """It is not answered, carried out, counted or written down."""
    with github(tmp_path) as hub:
        shop = Shop(hub)
        token = shop.token()
        before = dict(hub.journal.calls)
        assert say(hub.api_url, "/repos/acme/shop/issues/1/comments", token, header, body) == b""
        assert hub.comments(shop.repository, shop.pull) == []
        assert dict(hub.journal.calls) == before
    hub.assert_clean()


@pytest.mark.parametrize(("header", "body"), CUT)
def test_slack_takes_no_half_request_and_blames_nobody_for_it(header: str, body: str) -> None:
    """As GitHub does not."""
    with slack() as hub:
        assert say(hub.api_url, "chat.postMessage", hub.bot_token, header, body) == b""
        assert dict(hub.journal.calls) == {}
    hub.assert_clean()
