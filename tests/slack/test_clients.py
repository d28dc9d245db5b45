"""Slack's own libraries take the fake for Slack."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from slack_bolt import Ack, App, Respond
from slack_bolt.adapter.socket_mode.builtin import SocketModeHandler
from slack_bolt.adapter.starlette import SlackRequestHandler
from slack_sdk import WebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.served import served
from tests.slack.delivery import Signing
from tests.slack.examples import REJECT, button, section
from tests.slack.service import Slack

SECTION = section("*payments* cost *$4,210*")
BUTTON = button("share", value="42")


def make_app(hub: Slack) -> App:
    """A small bot: a command that answers later, a button that opens a modal, and a Home tab."""
    client = WebClient(hub.bot_token, base_url=hub.api_url)
    quiet = logging.getLogger("tests.slack.bolt")
    quiet.setLevel(logging.CRITICAL)
    app = App(client=client, signing_secret=hub.signing_secret, logger=quiet)

    @app.command("/cost")
    def cost(ack: Ack, respond: Respond, command: dict[str, str]) -> None:
        ack()
        respond(text=command["text"], blocks=[SECTION, {"type": "actions", "elements": [BUTTON]}])

    @app.action("share")
    def share(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=REJECT)

    @app.view("reject")
    def reject(ack: Ack, view: dict[str, Any]) -> None:
        if view["state"]["values"]["why"]["reason"]["value"] == "no":
            ack(response_action="errors", errors={"why": "Say more"})
        else:
            ack()

    @app.event("app_home_opened")
    def home(event: dict[str, str], client: WebClient) -> None:
        client.views_publish(user_id=event["user"], view={"type": "home", "blocks": [SECTION]})

    return app


@contextmanager
def over_http(hub: Slack) -> Iterator[None]:
    """The small bot behind a real server."""
    handler = SlackRequestHandler(make_app(hub))

    async def events(request: Request) -> Response:
        return await handler.handle(request)

    with served(Starlette(routes=[Route("/slack/events", events, methods=["POST"])])) as port:
        hub.events_url = f"http://127.0.0.1:{port}/slack/events"
        yield


@contextmanager
def over_socket(hub: Slack) -> Iterator[None]:
    """The small bot in Socket Mode."""
    app_client = WebClient(hub.app_token, base_url=hub.api_url)
    handler = SocketModeHandler(make_app(hub), hub.app_token, web_client=app_client, ping_interval=0.1)
    handler.connect()  # type: ignore[no-untyped-call]
    try:
        hub.wait(lambda: hub.sockets.connected)
        yield
    finally:
        # Hanging up first spares the client its wait of three seconds for a message.
        handler.client.auto_reconnect_enabled = False
        hub.sockets.close()
        handler.close()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("signing", "status"),
    [
        pytest.param(Signing(), 200, id="right"),
        pytest.param(Signing(age=270), 200, id="270 s old"),
        pytest.param(Signing(age=301), 401, id="301 s old"),
        pytest.param(Signing(secret="other"), 401, id="other secret"),
        pytest.param(Signing(signature="v0=00"), 401, id="wrong"),
    ],
)
def test_bolts_own_signature_check_runs(hub: Slack, signing: Signing, status: int) -> None:
    """In front of every listener; a replay within five minutes passes it."""
    with over_http(hub):
        came = hub.people.command(hub.person("ana"), "/cost", "x", signing=signing)
        assert came.status == status
        assert hub.people.replay(came).status == status


Way = Callable[[Slack], AbstractContextManager[None]]


@pytest.mark.parametrize("way", [over_http, over_socket], ids=["http", "socket mode"])
def test_bolt_takes_commands_clicks_modals_and_events(hub: Slack, way: Way) -> None:
    """Bolt's own signature check, parser and client run against the fake, over both ways."""
    ana = hub.person("ana")
    general = hub.channel("general", ana)
    with way(hub):
        assert hub.people.command(ana, "/cost", "namespace payments", channel=general).in_time
        (answer,) = hub.wait(lambda: hub.ephemerals(ana))
        assert (answer.text, answer.channel) == ("namespace payments", general)
        assert hub.people.click(ana, answer, "share").in_time
        hub.wait(lambda: hub.views(ana))
        hub.people.submit(ana, {"reason": "no"})
        assert len(hub.views(ana)) == 1
        hub.people.submit(ana, {"reason": "the peak is in December"})
        assert hub.views(ana) == []
        assert hub.people.open_home(ana).in_time
        home = hub.wait(lambda: hub.home(ana))
        assert home is not None
        assert home.blocks[0]["text"] == SECTION["text"]


def test_a_client_in_socket_mode_comes_again(hub: Slack) -> None:
    """Slack hangs up every few hours and says so first."""
    hub.limits.tiers[1] = 10
    ana = hub.person("ana")
    with over_socket(hub):
        hub.wait(lambda: hub.sockets.connected == 1)
        hub.sockets.disconnect()
        hub.wait(lambda: hub.journal.calls["apps.connections.open"] == 2 and hub.sockets.connected == 1)
        assert hub.people.command(ana, "/cost", "gpu").in_time
        assert hub.wait(lambda: hub.ephemerals(ana))[0].text == "gpu"
