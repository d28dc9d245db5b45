"""Messages, modals and Home tabs as one HTML page that looks like Slack, for people and for screenshots.

    page([message, view], theme="both")            what a fake Slack holds, or JSON of Block Kit
    page_of(hub, *hub.messages(channel))           with the uploaded images and everybody's names

A thing is a Message or View of model.py, or JSON: a message `{"text":, "blocks":, "attachments":}` (with
`"ephemeral": true` where only one person sees it), or a view `{"type": "modal" | "home", ...}`.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal

from tests.slack.block_checks import Json
from tests.slack.model import Message, View
from tests.slack.mrkdwn import mrkdwn_html
from tests.slack.page_blocks import Drawing

if TYPE_CHECKING:
    from tests.slack.service import Slack

Theme = Literal["light", "dark", "both"]
Thing = Message | View | Mapping[str, Json]

DISCS = {
    "🔴": "#dd2e44", "🟠": "#f4900c", "🟡": "#fdcb58", "🟢": "#78b159", "🔵": "#55acee", "⚪": "#ccd6dd", "⚫": "#31373d",
}  # fmt: skip
"""Drawn, since a machine without an emoji font shows boxes."""
_LIGHT = (
    "--page:#fff;--text:#1d1c1d;--soft:#616061;--line:#dddddd;--code:#f8f8f8;--codetext:#c01343;--link:#1264a3;"
    "--button:#fff;--border:#b5b5b5;--mention:#e8f5fa;--loud:#fff3b8;--card:#fff"
)
_DARK = (
    "--page:#1a1d21;--text:#d1d2d3;--soft:#ababad;--line:#35373b;--code:#222529;--codetext:#e8912d;--link:#1d9bd1;"
    "--button:#1a1d21;--border:#565856;--mention:#1d3641;--loud:#4d3b13;--card:#222529"
)
_STYLE = """
body{margin:0;font:15px/1.467 Lato,"Slack-Lato","Liberation Sans","DejaVu Sans",Arial,sans-serif}
.theme{background:var(--page);color:var(--text);padding:16px 20px}
a{color:var(--link);text-decoration:none}
code{font:12px "Liberation Mono",monospace;color:var(--codetext);background:var(--code);border:1px solid var(--line);
 border-radius:3px;padding:2px 3px;white-space:pre-wrap}
pre{font:12px/1.5 "Liberation Mono",monospace;background:var(--code);border:1px solid var(--line);border-radius:4px;
 padding:8px;margin:4px 0;white-space:pre-wrap;overflow-wrap:anywhere}
blockquote{margin:4px 0;padding-left:12px;border-left:4px solid var(--line)}
hr{border:0;border-top:1px solid var(--line);margin:8px 0}
.mention{color:var(--link);background:var(--mention);border-radius:3px;padding:0 2px 1px}
.loud{background:var(--loud);color:inherit}
.message{display:grid;grid-template-columns:36px minmax(0,1fr);gap:8px;max-width:%(width)spx;margin-bottom:20px}
.avatar{width:36px;height:36px;border-radius:4px;background:#4a154b;color:#fff;font-weight:700;
 display:flex;align-items:center;justify-content:center}
.who b{font-weight:900}.app{font-size:10px;font-weight:700;background:var(--line);color:var(--soft);border-radius:2px;
 padding:1px 3px;margin:0 4px;vertical-align:2px}
.soft,.who time,.only,.context{color:var(--soft)}.small,.who time,.only,.context{font-size:12px}
.message.ephemeral>div>.said{background:color-mix(in srgb,var(--text) 3%%,transparent)}
.only{grid-column:2}.block{margin:6px 0;overflow-wrap:anywhere}
.section{display:flex;gap:16px}.section .text{flex:1;min-width:0}.fields{display:grid;grid-template-columns:1fr 1fr;gap:8px 16px}
.header{font-size:18px;font-weight:900;line-height:1.33;margin:10px 0 6px}
.context{display:flex;flex-wrap:wrap;align-items:center;gap:4px 8px}.context code{font-size:11px}
.actions{display:flex;flex-wrap:wrap;gap:8px}
.button{display:inline-block;border:1px solid var(--border);border-radius:4px;background:var(--button);padding:0 12px;
 font-size:13px;font-weight:700;line-height:28px;max-width:240px;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.button.primary{background:#007a5a;border-color:#007a5a;color:#fff}
.button.danger{background:#e01e5a;border-color:#e01e5a;color:#fff}
.menu,.typed{display:inline-block;box-sizing:border-box;border:1px solid var(--border);border-radius:4px;padding:4px 10px;
 min-width:160px;font-size:13px}.menu:after{content:"▾";float:right;margin-left:12px}.input .typed,.input .menu{display:block}
.tall{min-height:72px}label{display:block;font-weight:700;margin-bottom:4px}
.choice i{display:inline-block;width:12px;height:12px;border:1px solid var(--border);border-radius:3px;margin-right:8px}
.choice i.round{border-radius:50%%}.choice i.on{background:var(--link)}
.picture{max-width:min(100%%,480px);border-radius:8px;display:block}.accessory{width:88px;height:88px;object-fit:cover;border-radius:4px}
.icon{width:20px;height:20px;border-radius:4px}.missing{border:1px dashed var(--border);font-size:11px;color:var(--soft);overflow:hidden}
.picture.missing{padding:40px 12px;text-align:center}
.scroll{overflow-x:auto;overflow-wrap:normal}table{border-collapse:separate;border-spacing:0;border:1px solid var(--line);border-radius:8px;font-size:14px}
th,td{padding:6px 10px;border-bottom:1px solid var(--line);border-right:1px solid var(--line);white-space:nowrap;text-align:left}
tr:last-child td{border-bottom:0}th:last-child,td:last-child{border-right:0}th{background:var(--code);font-weight:700}
.right{text-align:right}.center{text-align:center}.wrap{white-space:normal}
.attachment{border-left:4px solid var(--line);padding-left:12px;margin:6px 0}
.modal{width:520px;max-width:100%%;background:var(--card);border:1px solid var(--line);border-radius:8px;margin-bottom:20px;
 box-shadow:0 8px 24px #0003}.modal>div{padding:8px 24px}.modal .title{font-size:22px;font-weight:900;padding:16px 24px 8px}
.modal .foot{text-align:right;padding:12px 24px 20px}.modal .foot .button{margin-left:8px}
.home{max-width:%(width)spx;margin-bottom:20px}
.disc{display:inline-block;width:.8em;height:.8em;border-radius:50%%;vertical-align:-.05em}
ul,ol{margin:2px 0;padding-left:28px}
"""


def _attachment(drawing: Drawing, part: Mapping[str, Json]) -> str:
    colour = html.escape(str(part.get("color") or ""), quote=True)
    edge = f' style="border-color:{colour}"' if colour else ""
    texts = (part.get(name) for name in ("pretext", "title", "text", "footer"))
    shown = "".join(f"<div>{mrkdwn_html(it, drawing.names)}</div>" for it in texts if it)
    return f'<div class="attachment"{edge}>{shown}{drawing.blocks(part.get("blocks"))}</div>'


def _message(
    drawing: Drawing, content: Mapping[str, Json], *, ephemeral: bool, files: Iterable[str] = ()
) -> str:
    said = drawing.blocks(content.get("blocks"))
    if not said:
        said = f"<div>{mrkdwn_html(content.get('text') or '', drawing.names)}</div>"
    said += "".join(_attachment(drawing, it) for it in content.get("attachments") or [])
    said += "".join(files)
    only = '<div class="only">Only visible to you</div>' if ephemeral else ""
    who = '<div class="who"><b>Tuppence</b><span class="app">APP</span><time>9:41 AM</time></div>'
    kind = "message ephemeral" if ephemeral else "message"
    return f'<div class="{kind}"><div class="avatar">2p</div><div>{only}{who}<div class="said">{said}</div></div></div>'


def _view(drawing: Drawing, view: Mapping[str, Json]) -> str:
    if view["type"] == "home":
        return f'<div class="home">{drawing.blocks(view["blocks"])}</div>'
    close = drawing.text(view.get("close")) or "Cancel"
    submit = (
        f'<span class="button primary">{drawing.text(view["submit"])}</span>' if view.get("submit") else ""
    )
    foot = f'<div class="foot"><span class="button">{close}</span>{submit}</div>'
    return f'<div class="modal"><div class="title">{drawing.text(view["title"])}</div><div>{drawing.blocks(view["blocks"])}</div>{foot}</div>'


def _thing(drawing: Drawing, thing: Thing) -> str:
    if isinstance(thing, View):
        return _view(drawing, thing.view)
    if isinstance(thing, Message):
        shared = [
            f'<div class="block image"><div class="small soft">{html.escape(it.title)}</div>'
            f"{drawing.image({'slack_file': {'id': it.id}, 'alt_text': it.alt_text or it.name}, 'picture')}</div>"
            for it in thing.files
        ]
        return _message(drawing, thing.content, ephemeral=thing.only_for is not None, files=shared)
    if thing.get("type") in ("modal", "home"):
        return _view(drawing, thing)
    return _message(drawing, thing, ephemeral=bool(thing.get("ephemeral")))


def page(
    things: Iterable[Thing],
    *,
    theme: Theme = "light",
    width: int = 680,
    names: Mapping[str, str] | None = None,
    images: Mapping[str, bytes] | None = None,
) -> str:
    """A self-contained page; `images` are bytes by file id or address, `names` those of ids in mentions."""
    drawing = Drawing(names or {}, images or {})
    shown = "".join(_thing(drawing, it) for it in things)
    for disc, colour in DISCS.items():
        shown = shown.replace(disc, f'<span class="disc" style="background:{colour}"></span>')
    themes = {"light": [_LIGHT], "dark": [_DARK], "both": [_LIGHT, _DARK]}[theme]
    body = "".join(f'<div class="theme" style="{colours}">{shown}</div>' for colours in themes)
    return f'<!doctype html><meta charset="utf-8"><style>{_STYLE % {"width": width}}</style>{body}'


def page_of(hub: Slack, *things: Message | View, theme: Theme = "light", width: int = 680) -> str:
    """The same with the names and the uploaded images of a fake Slack."""
    world = hub.world
    with world.lock:
        names = {it.id: it.name for it in world.users.values()}
        names |= {it.id: it.name for it in world.channels.values()}
        names |= {it.id: it.handle for it in world.groups.values()}
        images = {it.id: it.content for it in world.files.values() if it.content is not None}
    return page(things, theme=theme, width=width, names=names, images=images)
