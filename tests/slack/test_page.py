"""The page that shows what Slack would show."""

from __future__ import annotations

import pytest
from slack_sdk import WebClient

from tests.slack.examples import AT_THE_LIMIT, MODAL, Part, image, marked, section
from tests.slack.mrkdwn import mrkdwn_html, plain_html
from tests.slack.page import Thing, page, page_of
from tests.slack.service import Slack


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("*bold* _italic_ ~gone~ `code`", "<b>bold</b> <i>italic</i> <s>gone</s> <code>code</code>"),
        ("2 * 3 * 4, snake_case_name, a*b*c", "2 * 3 * 4, snake_case_name, a*b*c"),
        ("*bold `code` and <https://x.example|link>*", '<b>bold <code>code</code> and <a href="https://x.example">link</a></b>'),
        ("a &lt;b&gt; &amp;amp; c", "a &lt;b&gt; &amp;amp; c"),
        ("`*not bold*`", "<code>*not bold*</code>"),
        ("```a\n  b```", "<pre>a\n  b</pre>"),
        ("one\ntwo", "one<br>two"),
        ("&gt; quoted", "<blockquote>quoted</blockquote>"),
        (":tada: :unknown:", "🎉 :unknown:"),
        ("<@U1> <#C1|general> <!here>", '<span class="mention">@ana</span> <span class="mention">#general</span> <span class="mention loud">@here</span>'),
        ("<script>alert(1)</script>", '<a href="script">script</a>alert(1)<a href="/script">/script</a>'),
    ],
)  # fmt: skip
def test_mrkdwn_becomes_html(text: str, shown: str) -> None:
    """As Slack reads it."""
    assert mrkdwn_html(text, {"U1": "ana"}) == shown


def test_plain_text_has_no_markup() -> None:
    """But emoji, unless they are switched off."""
    assert plain_html("*x* <b> :tada:") == "*x* &lt;b&gt; 🎉"
    assert plain_html(":tada:", emoji=False) == ":tada:"


@pytest.mark.parametrize("blocks", AT_THE_LIMIT.values(), ids=AT_THE_LIMIT.keys())
def test_every_block_that_slack_takes_is_drawn(blocks: list[Part]) -> None:
    """And comes out as its own kind."""
    shown = page([{"text": "x", "blocks": blocks}])
    assert shown.count('<div class="block ') == len(blocks)
    assert f'<div class="block {blocks[0]["type"]}">' in shown


def test_the_page_is_light_dark_or_both() -> None:
    """A modal, a Home tab and a message without blocks."""
    things: list[Thing] = [
        MODAL,
        {"type": "home", "blocks": [section("*mine*")]},
        {"text": "_just text_", "ephemeral": True},
    ]
    light, dark, both = (page(things, theme=theme) for theme in ("light", "dark", "both"))
    assert light != dark
    assert [it.count("<i>just text</i>") for it in (light, dark, both)] == [1, 1, 2]
    assert "Only visible to you" in light
    assert "<b>mine</b>" in light


def test_an_uploaded_image_is_in_the_page_with_its_alternative_text(hub: Slack) -> None:
    """Names in mentions as well; an image elsewhere shows what it would say."""
    client, ana, channel = (
        WebClient(hub.bot_token, base_url=hub.api_url),
        hub.person("ana"),
        hub.channel("general"),
    )
    answer = client.files_upload_v2(content=b"\x89PNG0", filename="cost.png")
    chart = {"type": "image", "slack_file": {"id": answer["files"][0]["id"]}, "alt_text": "cost by day"}
    client.chat_postMessage(
        channel=channel.id,
        text="x",
        blocks=[chart, image(alt_text="elsewhere"), {"type": "context", "elements": [marked(ana.mention)]}],
    )
    client.files_upload_v2(channel=channel.id, content=b"\x89PNG1", filename="more.png", alt_txt="by hour")
    shown = page_of(hub, *hub.messages(channel))
    assert '<img class="picture" alt="cost by day" src="data:image/png;base64,iVBORzA=">' in shown
    assert 'alt="by hour" src="data:image/png;base64,iVBORzE="' in shown
    assert ">elsewhere</span>" in shown
    assert ">@ana</span>" in shown
