"""What a workspace remembers: messages, people, groups, views and files."""

from __future__ import annotations

import time

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from tests.slack.examples import image, section
from tests.slack.service import Slack, slack

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100


@pytest.fixture
def client(hub: Slack) -> WebClient:
    """slack_sdk's client of the app."""
    return WebClient(hub.bot_token, base_url=hub.api_url)


def error_of(caught: pytest.ExceptionInfo[SlackApiError]) -> str:
    """Slack's word for a refusal."""
    return str(caught.value.response["error"])


def test_a_message_is_posted_edited_and_taken_away(hub: Slack, client: WebClient) -> None:
    """Its versions are kept."""
    channel = hub.channel("general")
    ts = client.chat_postMessage(channel="#general", text="one", blocks=[section("one")])["ts"]
    client.chat_update(channel=channel.id, ts=ts, text="two")
    (message,) = hub.messages(channel)
    assert (message.text, message.blocks, message.versions[0]["text"]) == ("two", [], "one")
    client.chat_delete(channel=channel.id, ts=ts)
    assert hub.messages(channel) == []
    with pytest.raises(SlackApiError) as caught:
        client.chat_update(channel=channel.id, ts=ts, text="three")
    assert error_of(caught) == "message_not_found"


def test_an_ephemeral_message_is_seen_by_one_member_and_cannot_be_edited(
    hub: Slack, client: WebClient
) -> None:
    """Also not by those outside of the channel."""
    ana, ben = hub.person("ana"), hub.person("ben")
    channel = hub.channel("general", ana)
    ts = client.chat_postEphemeral(channel=channel.id, user=ana.id, text="psst")["message_ts"]
    assert [it.text for it in hub.ephemerals(ana)] == ["psst"]
    assert hub.messages() == hub.ephemerals(ben) == []
    with pytest.raises(SlackApiError) as caught:
        client.chat_update(channel=channel.id, ts=ts, text="x")
    assert error_of(caught) == "message_not_found"
    with pytest.raises(SlackApiError) as caught:
        client.chat_postEphemeral(channel=channel.id, user=ben.id, text="x")
    assert error_of(caught) == "user_not_in_channel"


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"archived": True}, "is_archived"),
        ({"with_bot": False}, "not_in_channel"),
        ({"with_bot": False, "private": True}, "channel_not_found"),
    ],
    ids=["archived", "elsewhere", "private"],
)
def test_the_app_writes_only_where_it_is(
    hub: Slack, client: WebClient, more: dict[str, bool], error: str
) -> None:
    """A private channel without it does not even exist."""
    channel = hub.channel("general", **more)
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel=channel.id, text="x")
    assert error_of(caught) == error


def test_with_a_scope_more_the_app_writes_into_any_public_channel(hub: Slack, client: WebClient) -> None:
    """`chat:write.public`."""
    hub.scopes.add("chat:write.public")
    channel = hub.channel("general", with_bot=False)
    client.chat_postMessage(channel=channel.id, text="x")
    assert hub.messages(channel)[0].text == "x"
    assert "chat:write.public" in hub.journal.used_scopes


def test_a_thread_needs_its_first_message(hub: Slack, client: WebClient) -> None:
    """A reply remembers it."""
    channel = hub.channel("general")
    ts = client.chat_postMessage(channel=channel.id, text="digest")["ts"]
    client.chat_postMessage(channel=channel.id, text="more", thread_ts=ts)
    assert hub.messages(channel)[1].thread_ts == ts


def test_a_scheduled_message_appears_when_its_time_has_come(hub: Slack, client: WebClient) -> None:
    """Not before."""
    channel = hub.channel("general")
    client.chat_scheduleMessage(channel=channel.id, text="later", post_at=int(time.time()) + 3600)
    assert hub.messages() == []
    hub.advance(3601)
    assert [it.text for it in hub.messages()] == ["later"]


def test_a_direct_message_goes_to_one_person(hub: Slack, client: WebClient) -> None:
    """By the conversation or by the person's id."""
    ana = hub.person("ana")
    direct = client.conversations_open(users=ana.id)["channel"]["id"]
    client.chat_postMessage(channel=direct, text="one")
    client.chat_postMessage(channel=ana.id, text="two")
    assert {it.channel.id for it in hub.messages()} == {direct}


def test_guests_strangers_and_the_deactivated_can_be_told(hub: Slack, client: WebClient) -> None:
    """By the flags of users.info."""
    other = hub.workspace("partner")
    people = {
        "member": hub.person("member"),
        "guest": hub.person("guest", guest=True),
        "single": hub.person("single", single_channel_guest=True),
        "stranger": hub.person("stranger", team=other, stranger=True),
        "gone": hub.person("gone", deleted=True),
        "bot": hub.person("bot", is_bot=True),
    }
    found = {name: client.users_info(user=it.id)["user"] for name, it in people.items()}
    flags = ("is_restricted", "is_ultra_restricted", "is_stranger", "deleted", "is_bot")
    assert {name: [flag for flag in flags if it.get(flag)] for name, it in found.items()} == {
        "member": [],
        "guest": ["is_restricted"],
        "single": ["is_restricted", "is_ultra_restricted"],
        "stranger": ["is_stranger"],
        "gone": ["deleted"],
        "bot": ["is_bot"],
    }
    assert found["stranger"]["team_id"] == other.id


def test_an_address_takes_a_scope_of_its_own(hub: Slack, client: WebClient) -> None:
    """users.info leaves it out without."""
    ana = hub.person("ana", email="ana@acme.example")
    assert client.users_lookupByEmail(email="ANA@acme.example")["user"]["id"] == ana.id
    assert client.users_info(user=ana.id)["user"]["profile"]["email"] == "ana@acme.example"
    hub.scopes.discard("users:read.email")
    assert "email" not in client.users_info(user=ana.id)["user"]["profile"]


def test_user_groups_are_for_paying_workspaces(hub: Slack, client: WebClient) -> None:
    """Others say `plan_upgrade_required`."""
    ana = hub.person("ana")
    sre = hub.group("sre", ana)
    assert client.usergroups_users_list(usergroup=sre.id)["users"] == [ana.id]
    (shown,) = client.usergroups_list(include_users=True)["usergroups"]
    assert (shown["handle"], shown["users"]) == ("sre", [ana.id])
    hub.user_groups = False
    for method in ("usergroups.list", "usergroups.users.list"):
        with pytest.raises(SlackApiError) as caught:
            client.api_call(method, params={"usergroup": sre.id} if "users" in method else {})
        assert error_of(caught) == "plan_upgrade_required"


def test_channels_are_listed_page_by_page(hub: Slack, client: WebClient) -> None:
    """slack_sdk follows the cursor."""
    for number in range(5):
        hub.channel(f"team-{number}", archived=number == 4)
    pages = client.conversations_list(limit=2, exclude_archived=True)
    assert [[it["name"] for it in page["channels"]] for page in pages] == [
        ["team-0", "team-1"],
        ["team-2", "team-3"],
    ]


def test_a_file_goes_up_in_three_steps_and_into_a_message(hub: Slack, client: WebClient) -> None:
    """slack_sdk's files_upload_v2, with alternative text."""
    channel = hub.channel("general")
    client.files_upload_v2(
        channel=channel.id, content=PNG, filename="cost.png", title="Cost", alt_txt="cost by day",
        initial_comment="The last 7 days",
    )  # fmt: skip
    (file,) = hub.files()
    assert (file.content, file.alt_text, file.title, file.channels) == (
        PNG,
        "cost by day",
        "Cost",
        [channel.id],
    )
    (message,) = hub.messages(channel)
    assert (message.text, message.files) == ("The last 7 days", [file])


def test_an_image_block_shows_an_uploaded_file(hub: Slack, client: WebClient) -> None:
    """Once the upload is complete."""
    channel = hub.channel("general")
    answer = client.files_upload_v2(content=PNG, filename="cost.png")
    picture = {"type": "image", "slack_file": {"id": answer["files"][0]["id"]}, "alt_text": "cost by day"}
    client.chat_postMessage(channel=channel.id, text="cost", blocks=[picture, image()])
    assert hub.messages(channel)[0].blocks[0]["slack_file"] == picture["slack_file"]


def test_an_image_block_cannot_show_a_file_that_is_not_there() -> None:
    """Wherever in the blocks it is."""
    with slack() as hub:
        channel, missing = (
            hub.channel("general"),
            {"type": "image", "slack_file": {"id": "F404"}, "alt_text": "x"},
        )
        with pytest.raises(SlackApiError, match="invalid slack file 'F404'"):
            WebClient(hub.bot_token, base_url=hub.api_url).chat_postMessage(
                channel=channel.id, text="x", blocks=[section(accessory=missing)]
            )
        assert len(hub.journal.violations) == 1


def test_a_home_tab_is_one_persons_and_guarded_by_its_hash(hub: Slack, client: WebClient) -> None:
    """An older state does not overwrite a newer one."""
    ana = hub.person("ana")
    view = {"type": "home", "blocks": [section("one")]}
    first = client.views_publish(user_id=ana.id, view=view)["view"]["hash"]
    client.views_publish(user_id=ana.id, view=view, hash=first)
    with pytest.raises(SlackApiError) as caught:
        client.views_publish(user_id=ana.id, view=view, hash=first)
    assert error_of(caught) == "hash_conflict"
    assert hub.home(hub.person("ben")) is None


def test_an_app_is_installed_as_its_manifest_says(hub: Slack) -> None:
    """Its scopes alone, its commands alone, and no event that it did not ask for."""
    hub.install(
        {
            "features": {"slash_commands": [{"command": "/cost"}], "app_home": {"home_tab_enabled": True}},
            "oauth_config": {"scopes": {"bot": ["commands", "chat:write"]}},
            "settings": {"event_subscriptions": {"bot_events": ["app_home_opened"]}},
        }
    )
    ana = hub.person("ana")
    assert hub.scopes == {"commands", "chat:write"}
    assert hub.home_tab
    with pytest.raises(AssertionError, match="/price is not in the app manifest"):
        hub.people.command(ana, "/price")
    with pytest.raises(AssertionError, match="message is not in the app manifest"):
        hub.people.event(ana, {"type": "message"})
