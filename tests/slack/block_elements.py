"""Block Kit's elements: buttons, menus, inputs, images, and what stands inside rich text.

Sources: docs.slack.dev/reference/block-kit/block-elements, .../composition-objects, the field
descriptions of @slack/types 3, and the length limits in the models of slack_sdk 3.47.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tests.slack.block_checks import (
    TYPE,
    Check,
    Json,
    Walk,
    array,
    by_type,
    flag,
    integer,
    one_of,
    plain_text,
    record,
    string,
    text,
    web_address,
)


def _action_id(walk: Walk, pointer: str, value: Json) -> None:
    string(1, 255)(walk, pointer, value)
    if isinstance(value, str):
        if value in walk.action_ids:
            walk.refuse(pointer, f"action_id {value!r} already exists in this block")
        walk.action_ids.add(value)


def _focus(walk: Walk, pointer: str, value: Json) -> None:
    flag(walk, pointer, value)
    walk.focused += value is True
    if walk.focused > 1:
        walk.refuse(pointer, "only one element can have the focus")


def _like(pattern: str, what: str) -> Check:
    def check(walk: Walk, pointer: str, value: Json) -> None:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            walk.refuse(pointer, f"must be {what}")

    return check


_CONFIRM = record(
    {"title": plain_text(100), "text": text(300), "confirm": plain_text(30), "deny": plain_text(30)},
    {"style": one_of("primary", "danger")},
)
_CONFIRMABLE: Mapping[str, Check] = {"confirm": _CONFIRM}
_FOCUSABLE: Mapping[str, Check] = {"focus_on_load": _focus}
_PLACEHOLDER: Mapping[str, Check] = {"placeholder": plain_text(150)}
_MANY: Mapping[str, Check] = {"max_selected_items": integer(1, 100)}
_ACTION: Mapping[str, Check] = {**TYPE, "action_id": _action_id}
_STYLE = one_of("primary", "danger")


def _option(label: Check, *, links: bool = False) -> Check:
    optional = {"description": plain_text(75), **({"url": web_address} if links else {})}
    return record({"text": label, "value": string(1, 150)}, optional)


_PLAIN_OPTION, _MARKED_OPTION = _option(plain_text(75)), _option(text(75))
_GROUP = record({"label": plain_text(75), "options": array(_PLAIN_OPTION, 1, 100)})


def _among_options(walk: Walk, pointer: str, value: Json) -> None:
    """What is chosen at first is one of the options, to the letter."""
    groups = value.get("option_groups")
    options = value.get("options") or []
    for group in groups if isinstance(groups, list) else []:
        options = [*options, *(group.get("options") or [])]
    first = value.get("initial_options", [value["initial_option"]] if "initial_option" in value else [])
    if not all(chosen in options for chosen in first):
        walk.refuse(pointer, "the initial option is not one of the options")


def _one_source(walk: Walk, pointer: str, value: Json) -> None:
    if ("options" in value) == ("option_groups" in value):
        walk.refuse(pointer, "must have either options or option_groups")
    _among_options(walk, pointer, value)


def _button() -> Check:
    optional = {
        "url": web_address,
        "value": string(0, 2000),
        "style": _STYLE,
        "accessibility_label": string(1, 75),
        **_CONFIRMABLE,
    }
    return record({**_ACTION, "text": plain_text(75)}, optional)


def _menu(
    data: Mapping[str, Check], rule: Check | None = None, required: Mapping[str, Check] | None = None
) -> Check:
    return record(
        {**_ACTION, **(required or {})}, {**_PLACEHOLDER, **_CONFIRMABLE, **_FOCUSABLE, **data}, rule
    )


_OPTIONS: Mapping[str, Check] = {
    "options": array(_PLAIN_OPTION, 1, 100),
    "option_groups": array(_GROUP, 1, 100),
}
_FILTER = record(
    {},
    {
        "include": array(one_of("im", "mpim", "private", "public")),
        "exclude_external_shared_channels": flag,
        "exclude_bot_users": flag,
    },
)
_CONVERSATIONS: Mapping[str, Check] = {"default_to_current_conversation": flag, "filter": _FILTER}
_URL_RESPONDS: Mapping[str, Check] = {"response_url_enabled": flag}
_ID = string(1, 255)
_IDS = array(_ID)

SELECTS: dict[str, Check] = {
    "static_select": _menu({**_OPTIONS, "initial_option": _PLAIN_OPTION}, _one_source),
    "external_select": _menu({"initial_option": _PLAIN_OPTION, "min_query_length": integer(0, 100)}),
    "users_select": _menu({"initial_user": _ID}),
    "conversations_select": _menu({"initial_conversation": _ID, **_CONVERSATIONS, **_URL_RESPONDS}),
    "channels_select": _menu({"initial_channel": _ID, **_URL_RESPONDS}),
}
MULTI_SELECTS: dict[str, Check] = {
    "multi_static_select": _menu(
        {**_OPTIONS, **_MANY, "initial_options": array(_PLAIN_OPTION, 1, 100)}, _one_source
    ),
    "multi_external_select": _menu(
        {**_MANY, "initial_options": array(_PLAIN_OPTION, 1, 100), "min_query_length": integer(0, 100)}
    ),
    "multi_users_select": _menu({**_MANY, "initial_users": _IDS}),
    "multi_conversations_select": _menu({**_MANY, **_CONVERSATIONS, "initial_conversations": _IDS}),
    "multi_channels_select": _menu({**_MANY, "initial_channels": _IDS}),
}
CHOICES: dict[str, Check] = {
    "checkboxes": record(
        {**_ACTION, "options": array(_MARKED_OPTION, 1, 10)},
        {"initial_options": array(_MARKED_OPTION, 1, 10), **_CONFIRMABLE, **_FOCUSABLE},
        _among_options,
    ),
    "radio_buttons": record(
        {**_ACTION, "options": array(_MARKED_OPTION, 1, 10)},
        {"initial_option": _MARKED_OPTION, **_CONFIRMABLE, **_FOCUSABLE},
        _among_options,
    ),
}
DATES: dict[str, Check] = {
    "datepicker": _menu({"initial_date": _like(r"\d{4}-\d\d-\d\d", "a date such as 2026-11-22")}),
    "timepicker": _menu({"initial_time": _like(r"([01]\d|2[0-3]):[0-5]\d", "a time"), "timezone": string()}),
}
DATETIME: dict[str, Check] = {
    "datetimepicker": record(
        {**_ACTION},
        {"initial_date_time": integer(10**9, 10**10 - 1), **_CONFIRMABLE, **_FOCUSABLE},
    )
}
BUTTON: dict[str, Check] = {"button": _button()}
OVERFLOW: dict[str, Check] = {
    "overflow": record(
        {**_ACTION, "options": array(_option(plain_text(75), links=True), 2, 5)}, {**_CONFIRMABLE}
    )
}

_DISPATCH: Mapping[str, Check] = {
    "dispatch_action_config": record(
        {"trigger_actions_on": array(one_of("on_enter_pressed", "on_character_entered"))}
    )
}
_TYPED: Mapping[str, Check] = {**_PLACEHOLDER, **_FOCUSABLE, **_DISPATCH}


def _range(low: str, high: str) -> Check:
    def check(walk: Walk, pointer: str, value: Json) -> None:
        try:
            wrong = float(value[low]) > float(value[high])
        except (KeyError, TypeError, ValueError):
            return
        if wrong:
            walk.refuse(pointer, f"{low} cannot be greater than {high}")

    return check


_NUMBER = _like(r"-?\d+(\.\d+)?", "a number in a string")
INPUTS: dict[str, Check] = {
    "plain_text_input": record(
        {**_ACTION},
        {
            "initial_value": string(0, 3000),
            "multiline": flag,
            "min_length": integer(0, 3000),
            "max_length": integer(1, 3000),
            **_TYPED,
        },
        _range("min_length", "max_length"),
    ),
    "email_text_input": record({**_ACTION}, {"initial_value": string(0), **_TYPED}),
    "url_text_input": record({**_ACTION}, {"initial_value": string(0), **_TYPED}),
    "number_input": record(
        {**_ACTION, "is_decimal_allowed": flag},
        {"initial_value": _NUMBER, "min_value": _NUMBER, "max_value": _NUMBER, **_TYPED},
        _range("min_value", "max_value"),
    ),
}

_SLACK_FILE = record(
    {}, {"id": string(1), "url": web_address}, lambda w, p, v: _exactly_one(w, p, v, "id", "url")
)
IMAGE_SOURCE: Mapping[str, Check] = {"image_url": web_address, "slack_file": _SLACK_FILE}


def _exactly_one(walk: Walk, pointer: str, value: Json, one: str, other: str) -> None:
    if (one in value) == (other in value):
        walk.refuse(pointer, f"must define either `{one}` or `{other}`")


def one_image(walk: Walk, pointer: str, value: Json) -> None:
    """An image has one source."""
    _exactly_one(walk, pointer, value, "image_url", "slack_file")


IMAGE: dict[str, Check] = {
    "image": record({**TYPE, "alt_text": string(1, 2000)}, {**IMAGE_SOURCE}, one_image)
}

_LOOK = {"style": record({}, dict.fromkeys(("bold", "italic", "strike", "code", "underline"), flag))}
_MENTION = {
    "style": record(
        {}, dict.fromkeys(("bold", "italic", "strike", "highlight", "client_highlight", "unlink"), flag)
    )
}
_TEXT_RUN = record({**TYPE, "text": string(1)}, _LOOK)
_LINK = record({**TYPE, "url": web_address}, {"text": string(1), "unsafe": flag, **_LOOK})
RUNS: dict[str, Check] = {
    "text": _TEXT_RUN,
    "link": _LINK,
    "emoji": record({**TYPE, "name": string(1)}, {"unicode": string(1), "url": web_address, **_LOOK}),
    "user": record({**TYPE, "user_id": _ID}, _MENTION),
    "usergroup": record({**TYPE, "usergroup_id": _ID}, _MENTION),
    "channel": record({**TYPE, "channel_id": _ID}, _MENTION),
    "team": record({**TYPE, "team_id": _ID}, _MENTION),
    "broadcast": record({**TYPE, "range": one_of("here", "channel", "everyone")}, _MENTION),
    "color": record({**TYPE, "value": string(1)}, _LOOK),
    "date": record(
        {**TYPE, "timestamp": integer(0, 10**10), "format": string(1)},
        {"url": web_address, "fallback": string(1), **_LOOK},
    ),
}
_BORDER: Mapping[str, Check] = {"border": integer(0, 1)}
_SECTION = record({**TYPE, "elements": array(by_type(RUNS, "rich text element"))})
_LITERAL = by_type({"text": _TEXT_RUN, "link": _LINK}, "preformatted element")
RICH_TEXT: dict[str, Check] = {
    "rich_text_section": _SECTION,
    "rich_text_list": record(
        {
            **TYPE,
            "style": one_of("bullet", "ordered"),
            "elements": array(by_type({"rich_text_section": _SECTION}, "list item")),
        },
        {"indent": integer(0, 8), "offset": integer(0, 10**6), **_BORDER},
    ),
    "rich_text_quote": record({**TYPE, "elements": array(by_type(RUNS, "rich text element"))}, _BORDER),
    "rich_text_preformatted": record(
        {**TYPE, "elements": array(_LITERAL)}, {"language": string(1), **_BORDER}
    ),
}
