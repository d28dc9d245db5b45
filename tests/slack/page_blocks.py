"""Block Kit's blocks and elements as HTML."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.slack.block_checks import Json
from tests.slack.mrkdwn import EMOJI, mrkdwn_html, plain_html

_PNG, _GIF = b"\x89PNG", b"GIF8"


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is needed beside the blocks: names by id, and images by file id or address."""

    names: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, bytes] = field(default_factory=dict)

    def text(self, part: Mapping[str, Json] | None) -> str:
        """A text object."""
        if not part:
            return ""
        if part["type"] == "mrkdwn":
            return mrkdwn_html(part["text"], self.names)
        return plain_html(part["text"], emoji=part.get("emoji", True))

    def image(self, part: Mapping[str, Json], kind: str) -> str:
        """An image with its bytes in the page; only its alternative text where they are not known."""
        source = part.get("slack_file") or {}
        key = source.get("id") or source.get("url") or part.get("image_url") or ""
        alt = html.escape(part.get("alt_text", ""), quote=True)
        content = self.images.get(key)
        if content is None:
            return f'<span class="{kind} missing" role="img" aria-label="{alt}">{alt}</span>'
        media = "png" if content.startswith(_PNG) else "gif" if content.startswith(_GIF) else "jpeg"
        data = base64.b64encode(content).decode()
        return f'<img class="{kind}" alt="{alt}" src="data:image/{media};base64,{data}">'

    def element(self, part: Mapping[str, Json]) -> str:
        """A button, menu or input."""
        kind = part["type"]
        if kind == "button":
            style = part.get("style", "")
            return f'<span class="button {style}">{self.text(part["text"])}</span>'
        if kind == "overflow":
            return '<span class="button">⋯</span>'
        if kind == "image":
            return self.image(part, "accessory")
        if kind in ("checkboxes", "radio_buttons"):
            chosen = part.get("initial_options") or [part.get("initial_option")]
            return "".join(self._choice(kind, option, on=option in chosen) for option in part["options"])
        return self._field(part)

    def _choice(self, kind: str, option: Mapping[str, Json], *, on: bool) -> str:
        description = (
            f'<span class="soft"> {self.text(option["description"])}</span>'
            if "description" in option
            else ""
        )
        mark = "round" if kind == "radio_buttons" else ""
        return f'<div class="choice"><i class="{mark}{" on" if on else ""}"></i>{self.text(option["text"])}{description}</div>'

    def _field(self, part: Mapping[str, Json]) -> str:
        """A menu or a text input with what is in it at first, or its placeholder."""
        first = part.get("initial_option")
        filled = (
            self.text(first["text"])
            if first
            else html.escape(str(part.get("initial_value") or part.get("initial_date") or ""))
        )
        shown = filled or f'<span class="soft">{self.text(part.get("placeholder")) or "&nbsp;"}</span>'
        menu = "menu" if "select" in part["type"] or "picker" in part["type"] else "typed"
        tall = " tall" if part.get("multiline") else ""
        return f'<span class="{menu}{tall}">{shown}</span>'

    def runs(self, elements: list[Mapping[str, Json]]) -> str:
        """The runs of rich text."""
        return "".join(self._run(it) for it in elements)

    def _run(self, run: Mapping[str, Json]) -> str:
        kind, style = run["type"], run.get("style") or {}
        if kind == "link":
            shown = f'<a href="{html.escape(run["url"], quote=True)}">{html.escape(run.get("text") or run["url"])}</a>'
        elif kind == "emoji":
            shown = EMOJI.get(run["name"], f":{run['name']}:")
        elif kind in ("user", "usergroup", "channel"):
            name = self.names.get(run[f"{kind}_id"], run[f"{kind}_id"])
            shown = f'<span class="mention">{"#" if kind == "channel" else "@"}{html.escape(name)}</span>'
        else:
            plain = run.get("text") or run.get("fallback") or run.get("range") or run.get("value") or ""
            shown = html.escape(str(plain)).replace("\n", "<br>")
        for name, tag in (
            ("code", "code"),
            ("bold", "b"),
            ("italic", "i"),
            ("strike", "s"),
            ("underline", "u"),
        ):
            shown = f"<{tag}>{shown}</{tag}>" if style.get(name) else shown
        return shown

    def rich(self, block: Mapping[str, Json]) -> str:
        """A rich_text block."""
        return "".join(self._rich_part(it) for it in block["elements"])

    def _rich_part(self, part: Mapping[str, Json]) -> str:
        if part["type"] == "rich_text_list":
            tag = "ol" if part["style"] == "ordered" else "ul"
            items = "".join(f"<li>{self.runs(it['elements'])}</li>" for it in part["elements"])
            return f'<{tag} class="in{part.get("indent", 0)}">{items}</{tag}>'
        tag = {"rich_text_quote": "blockquote", "rich_text_preformatted": "pre"}.get(part["type"], "span")
        return f"<{tag}>{self.runs(part['elements'])}</{tag}>"

    def table(self, block: Mapping[str, Json]) -> str:
        """A table whose first row is the head."""
        settings = block.get("column_settings") or []
        rows = []
        for number, row in enumerate(block["rows"]):
            cells = ""
            for column, cell in enumerate(row):
                setting = (settings[column] if column < len(settings) else None) or {}
                shown = self.rich(cell) if cell["type"] == "rich_text" else html.escape(cell["text"])
                wrap = "wrap" if setting.get("is_wrapped") else ""
                tag = "th" if number == 0 else "td"
                cells += f'<{tag} class="{setting.get("align", "left")} {wrap}">{shown}</{tag}>'
            rows.append(f"<tr>{cells}</tr>")
        return f'<div class="scroll"><table>{"".join(rows)}</table></div>'

    def section(self, block: Mapping[str, Json]) -> str:
        """Text, two columns of fields, and something on the right."""
        shown = f"<div>{self.text(block.get('text'))}</div>" if "text" in block else ""
        if "fields" in block:
            shown += f'<div class="fields">{"".join(f"<div>{self.text(it)}</div>" for it in block["fields"])}</div>'
        aside = f"<aside>{self.element(block['accessory'])}</aside>" if "accessory" in block else ""
        return f'<div class="text">{shown}</div>{aside}'

    def context(self, block: Mapping[str, Json]) -> str:
        """Small print."""
        parts = (
            self.image(it, "icon") if it["type"] == "image" else f"<span>{self.text(it)}</span>"
            for it in block["elements"]
        )
        return "".join(parts)

    def input(self, block: Mapping[str, Json]) -> str:
        """A label, an input, a hint."""
        optional = ' <span class="soft">(optional)</span>' if block.get("optional") else ""
        hint = f'<div class="soft small">{self.text(block["hint"])}</div>' if "hint" in block else ""
        return f"<label>{self.text(block['label'])}{optional}</label>{self.element(block['element'])}{hint}"

    def picture(self, block: Mapping[str, Json]) -> str:
        """An image block with its title."""
        title = f'<div class="small soft">{self.text(block["title"])}</div>' if "title" in block else ""
        return title + self.image(block, "picture")

    def block(self, block: Mapping[str, Json]) -> str:
        """Any block."""
        made: dict[str, Callable[[Mapping[str, Json]], str]] = {
            "section": self.section,
            "context": self.context,
            "table": self.table,
            "rich_text": self.rich,
            "input": self.input,
            "image": self.picture,
            "header": lambda it: self.text(it["text"]),
            "actions": lambda it: "".join(self.element(part) for part in it["elements"]),
            "divider": lambda _: "<hr>",
            "markdown": lambda it: f"<div>{html.escape(it['text'])}</div>",
        }
        return f'<div class="block {block["type"]}">{made[block["type"]](block)}</div>'

    def blocks(self, blocks: list[dict[str, Json]] | None) -> str:
        """Blocks, one below the other."""
        return "".join(self.block(it) for it in blocks or [])
