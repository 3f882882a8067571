"""The shape of Block Kit's elements and of rich text, with the reference's limits.

https://docs.slack.dev/reference/block-kit/block-elements and /composition-objects. Where an
element may stand is decided in `blockkit.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.workspace.shapes import (
    Check,
    Problem,
    Problems,
    Shape,
    anything,
    array,
    at_least_one,
    boolean,
    by_type,
    integer,
    not_both,
    nullable,
    one_of,
    string,
)

TYPE = string(40)
ID = string(255, least=1)
URL = string(3000, least=1)
SECONDS = integer(0, 9_999_999_999)


def plain(most: int, *, least: int = 1) -> Check:
    """A plain_text object of up to `most` characters."""
    return Shape(
        fields={"type": one_of("plain_text"), "text": string(most, least=least), "emoji": boolean},
        required=("type", "text"),
    )


def text(most: int) -> Check:
    """A plain_text or mrkdwn object of up to `most` characters."""
    mrkdwn = Shape(
        fields={"type": one_of("mrkdwn"), "text": string(most, least=1), "verbatim": boolean},
        required=("type", "text"),
    )
    return by_type({"plain_text": plain(most), "mrkdwn": mrkdwn}, what="text object")


CONFIRM = Shape(
    fields={
        "title": plain(100),
        "text": text(300),
        "confirm": plain(30),
        "deny": plain(30),
        "style": one_of("primary", "danger"),
    },
    required=("title", "text", "confirm", "deny"),
)


def option(*, label: Check, with_url: bool = False) -> Check:
    fields: dict[str, Check] = {"text": label, "value": string(150, least=1), "description": text(75)}
    if with_url:
        fields["url"] = URL
    return Shape(fields=fields, required=("text", "value"))


def _initial_is_offered(value: object, at: str, problems: Problems) -> None:
    """Slack rejects an initial option that is not, field by field, one of the options."""
    if not isinstance(value, dict):
        return
    offered = value.get("options")
    if not isinstance(offered, list):
        groups = value.get("option_groups")
        offered = [
            one
            for group in (groups if isinstance(groups, list) else [])
            if isinstance(group, dict) and isinstance(group.get("options"), list)
            for one in group["options"]
        ]
    chosen = value.get("initial_options", [value["initial_option"]] if "initial_option" in value else [])
    if isinstance(chosen, list) and any(one not in offered for one in chosen):
        problems.append(Problem("initial option must be one of the options", at))


def _interactive(
    own: Mapping[str, Check], *, required: tuple[str, ...] = (), rules: tuple[Check, ...] = ()
) -> Shape:
    return Shape(
        fields={"type": TYPE, "action_id": ID, "focus_on_load": boolean, "confirm": CONFIRM, **own},
        required=required,
        rules=rules,
    )


PLACEHOLDER: dict[str, Check] = {"placeholder": plain(150)}
PLAIN_OPTION = option(label=plain(75))
TEXT_OPTION = option(label=text(75))
GROUP = Shape(
    fields={"label": plain(75), "options": array(PLAIN_OPTION, least=1, most=100)},
    required=("label", "options"),
)
SELECT_RULES = (
    at_least_one("options", "option_groups"),
    not_both("options", "option_groups"),
    _initial_is_offered,
)
SELECT_OPTIONS: dict[str, Check] = {
    "options": array(PLAIN_OPTION, least=1, most=100),
    "option_groups": array(GROUP, least=1, most=100),
}
MANY: dict[str, Check] = {"max_selected_items": integer(1, 100)}
DISPATCH: dict[str, Check] = {
    "dispatch_action_config": Shape(
        fields={
            "trigger_actions_on": array(one_of("on_enter_pressed", "on_character_entered"), least=1, most=2)
        }
    )
}
FILTER = Shape(
    fields={
        "include": array(one_of("im", "mpim", "private", "public"), least=1, most=4),
        "exclude_external_shared_channels": boolean,
        "exclude_bot_users": boolean,
    }
)
CONVERSATIONS: dict[str, Check] = {"default_to_current_conversation": boolean, "filter": FILTER}
IDS = array(ID, most=100)


def _typed_input(**own: Check) -> Shape:
    return _interactive({**PLACEHOLDER, **DISPATCH, **own})


IMAGE = Shape(
    fields={"type": TYPE, "image_url": URL, "alt_text": string(2000), "slack_file": anything},
    required=("alt_text",),
    rules=(at_least_one("image_url", "slack_file"), not_both("image_url", "slack_file")),
)
BUTTON = _interactive(
    {
        "text": plain(75),
        "url": URL,
        "value": string(2000),
        "style": one_of("primary", "danger"),
        "accessibility_label": string(75),
        "agent_prompt": string(4000),
    },
    required=("text",),
)
FEEDBACK = Shape(
    fields={"text": plain(75), "value": string(2000), "accessibility_label": string(75)},
    required=("text", "value"),
)

ELEMENTS: Mapping[str, Check] = {
    "button": BUTTON,
    "image": IMAGE,
    "overflow": _interactive(
        {"options": array(option(label=plain(75), with_url=True), least=1, most=5)}, required=("options",)
    ),
    "checkboxes": _interactive(
        {
            "options": array(TEXT_OPTION, least=1, most=10),
            "initial_options": array(TEXT_OPTION, least=1, most=10),
        },
        required=("options",),
        rules=(_initial_is_offered,),
    ),
    "radio_buttons": _interactive(
        {"options": array(TEXT_OPTION, least=1, most=10), "initial_option": TEXT_OPTION},
        required=("options",),
        rules=(_initial_is_offered,),
    ),
    "datepicker": _interactive({**PLACEHOLDER, "initial_date": string(10, pattern=r"\d{4}-\d\d-\d\d")}),
    "timepicker": _interactive(
        {**PLACEHOLDER, "initial_time": string(5, pattern=r"\d\d:\d\d"), "timezone": string(100)}
    ),
    "datetimepicker": _interactive({"initial_date_time": SECONDS}),
    "static_select": _interactive(
        {**PLACEHOLDER, **SELECT_OPTIONS, "initial_option": PLAIN_OPTION}, rules=SELECT_RULES
    ),
    "multi_static_select": _interactive(
        {**PLACEHOLDER, **SELECT_OPTIONS, **MANY, "initial_options": array(PLAIN_OPTION, least=1, most=100)},
        rules=SELECT_RULES,
    ),
    "external_select": _interactive(
        {**PLACEHOLDER, "min_query_length": integer(0, 100), "initial_option": PLAIN_OPTION}
    ),
    "multi_external_select": _interactive(
        {
            **PLACEHOLDER,
            **MANY,
            "min_query_length": integer(0, 100),
            "initial_options": array(PLAIN_OPTION, most=100),
        }
    ),
    "users_select": _interactive({**PLACEHOLDER, "initial_user": ID}),
    "multi_users_select": _interactive({**PLACEHOLDER, **MANY, "initial_users": IDS}),
    "conversations_select": _interactive(
        {**PLACEHOLDER, **CONVERSATIONS, "initial_conversation": ID, "response_url_enabled": boolean}
    ),
    "multi_conversations_select": _interactive(
        {**PLACEHOLDER, **CONVERSATIONS, **MANY, "initial_conversations": IDS}
    ),
    "channels_select": _interactive({**PLACEHOLDER, "initial_channel": ID, "response_url_enabled": boolean}),
    "multi_channels_select": _interactive({**PLACEHOLDER, **MANY, "initial_channels": IDS}),
    "plain_text_input": _typed_input(
        initial_value=string(3000),
        multiline=boolean,
        min_length=integer(0, 3000),
        max_length=integer(1, 3000),
    ),
    "email_text_input": _typed_input(initial_value=string(3000)),
    "url_text_input": _typed_input(initial_value=string(3000)),
    "number_input": _typed_input(
        is_decimal_allowed=boolean,
        initial_value=string(100),
        min_value=string(100),
        max_value=string(100),
    ),
    "rich_text_input": _typed_input(initial_value=anything),
    "file_input": _interactive(
        {"filetypes": array(string(20), least=1, most=50), "max_files": integer(1, 10)}
    ),
    "feedback_buttons": _interactive(
        {"positive_button": FEEDBACK, "negative_button": FEEDBACK},
        required=("positive_button", "negative_button"),
    ),
    "icon_button": _interactive(
        {
            "icon": string(50, least=1),
            "text": plain(75),
            "accessibility_label": string(75),
            "value": string(2000),
            "visible_to_user_ids": IDS,
        },
        required=("icon", "text"),
    ),
    "workflow_button": _interactive(
        {
            "text": plain(75),
            "workflow": anything,
            "style": one_of("primary", "danger"),
            "accessibility_label": string(75),
        },
        required=("text", "workflow", "action_id"),
    ),
}

SELECTS = ("static_select", "external_select", "users_select", "conversations_select", "channels_select")
MULTI_SELECTS = tuple(f"multi_{name}" for name in SELECTS)

STYLE = Shape(
    fields=dict.fromkeys(
        ("bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink"), boolean
    )
)
STYLED: dict[str, Check] = {"type": TYPE, "style": STYLE}
RICH_PARTS: Mapping[str, Check] = {
    "text": Shape(fields={**STYLED, "text": string(40_000, least=1)}, required=("text",)),
    "link": Shape(fields={**STYLED, "url": URL, "text": string(3000), "unsafe": boolean}, required=("url",)),
    "emoji": Shape(
        fields={**STYLED, "name": ID, "unicode": string(100), "skin_tone": integer(1, 6), "url": URL},
        required=("name",),
    ),
    "user": Shape(fields={**STYLED, "user_id": ID}, required=("user_id",)),
    "usergroup": Shape(fields={**STYLED, "usergroup_id": ID}, required=("usergroup_id",)),
    "channel": Shape(fields={**STYLED, "channel_id": ID}, required=("channel_id",)),
    "team": Shape(fields={**STYLED, "team_id": ID}, required=("team_id",)),
    "broadcast": Shape(
        fields={**STYLED, "range": one_of("here", "channel", "everyone")}, required=("range",)
    ),
    "color": Shape(fields={**STYLED, "value": string(20)}, required=("value",)),
    "date": Shape(
        fields={
            **STYLED,
            "timestamp": SECONDS,
            "format": string(200, least=1),
            "url": URL,
            "fallback": string(300),
        },
        required=("timestamp", "format"),
    ),
}
PARTS = array(by_type(RICH_PARTS, what="rich text element"), most=1000)
LITERAL_PARTS = array(
    by_type({name: RICH_PARTS[name] for name in ("text", "link")}, what="preformatted element"), most=1000
)
BORDER = integer(0, 1)
RICH_SECTION = Shape(fields={"type": TYPE, "elements": PARTS}, required=("elements",))
RICH_TEXT: Mapping[str, Check] = {
    "rich_text_section": RICH_SECTION,
    "rich_text_list": Shape(
        fields={
            "type": TYPE,
            "elements": array(by_type({"rich_text_section": RICH_SECTION}, what="list item"), most=1000),
            "style": one_of("bullet", "ordered"),
            "indent": integer(0, 8),
            "offset": integer(0, 100_000),
            "border": BORDER,
        },
        required=("elements", "style"),
    ),
    "rich_text_preformatted": Shape(
        fields={"type": TYPE, "elements": LITERAL_PARTS, "border": BORDER, "language": nullable(string(50))},
        required=("elements",),
    ),
    "rich_text_quote": Shape(
        fields={"type": TYPE, "elements": PARTS, "border": BORDER}, required=("elements",)
    ),
}
