"""The shape of Block Kit's elements, with the reference's limits.

https://docs.slack.dev/reference/block-kit/block-elements and /composition-objects. Where an
element may stand is decided in `blockkit.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, time
from urllib.parse import urlsplit

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
    one_of,
    string,
)

TYPE = string(40)
ID = string(255, least=1)
SECONDS = integer(0, 9_999_999_999)
WEB = ("http", "https")
RUN_OR_READ = ("javascript", "vscript", "vbscript", "data", "blob", "file")
"""Schemes that a client would run, or read from the machine of whoever clicks."""


def _scheme_of(address: str) -> str:
    """Of a whole address; else "": no scheme, nothing behind it, or something that no address has."""
    try:
        split = urlsplit(address)
    except ValueError:
        return ""
    whole = bool(split.netloc) if split.scheme in WEB else bool(split.netloc or split.path)
    return split.scheme if whole and not re.search(r"[\s\x00-\x1f\x7f]", address) else ""


def address(allowed: Callable[[str], bool]) -> Check:
    """An address of up to 3000 characters whose scheme is allowed."""
    within = string(3000, least=1)

    def check(value: object, at: str, problems: Problems) -> None:
        within(value, at, problems)
        if isinstance(value, str) and value and not allowed(_scheme_of(value)):
            problems.append(Problem("invalid url", at))

    return check


PICTURE = address(lambda scheme: scheme in WEB)
URL = address(lambda scheme: scheme not in {"", *RUN_OR_READ})
"""What a person may follow: the web, mail, and other programs' own schemes."""


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
        fields={"type": TYPE, "action_id": ID, **own},
        required=required,
        rules=rules,
    )


ASKS: dict[str, Check] = {"confirm": CONFIRM}
FOCUS: dict[str, Check] = {"focus_on_load": boolean}
CHOICE = {**ASKS, **FOCUS}
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
    },
    rules=(at_least_one("include", "exclude_external_shared_channels", "exclude_bot_users"),),
)
CONVERSATIONS: dict[str, Check] = {"default_to_current_conversation": boolean, "filter": FILTER}
IDS = array(ID, most=100)
NUMBER = re.compile(r"-?\d{1,20}(\.\d{1,20})?")


def _typed_input(
    own: Mapping[str, Check], *, required: tuple[str, ...] = (), rules: tuple[Check, ...] = ()
) -> Shape:
    return _interactive({**PLACEHOLDER, **DISPATCH, **FOCUS, **own}, required=required, rules=rules)


def _day(value: object, at: str, problems: Problems) -> None:
    _parsed(value, r"\d{4}-\d\d-\d\d", date.fromisoformat, at, problems)


def _clock(value: object, at: str, problems: Problems) -> None:
    _parsed(value, r"\d\d:\d\d", time.fromisoformat, at, problems)


def _parsed(value: object, pattern: str, read: Callable[[str], object], at: str, problems: Problems) -> None:
    shape = string(10, pattern=pattern)
    before = len(problems)
    shape(value, at, problems)
    if isinstance(value, str) and len(problems) == before:
        try:
            read(value)
        except ValueError:
            problems.append(Problem("failed to match the required pattern", at))


def _lengths_fit(value: object, at: str, problems: Problems) -> None:
    """An input that nothing can be typed into, or that begins with more than may be typed."""
    if not isinstance(value, dict):
        return
    least, most, held = value.get("min_length", 0), value.get("max_length", 3000), value.get("initial_value")
    if isinstance(least, int) and isinstance(most, int):
        if least > most:
            problems.append(Problem("min_length must not be more than max_length", at))
        if isinstance(held, str) and len(held) > most:
            problems.append(Problem("initial_value must not be longer than max_length", at))


def _numbers_fit(value: object, at: str, problems: Problems) -> None:
    if not isinstance(value, dict):
        return
    given = [value[name] for name in ("min_value", "initial_value", "max_value") if name in value]
    numbers = [float(each) for each in given if isinstance(each, str) and NUMBER.fullmatch(each)]
    if len(numbers) < len(given):
        problems.append(Problem("must provide numbers as strings", at))
    elif numbers != sorted(numbers):
        problems.append(Problem("min_value, initial_value and max_value do not fit together", at))


def _no_more_than_may_be_chosen(value: object, at: str, problems: Problems) -> None:
    if not isinstance(value, dict):
        return
    most = value.get("max_selected_items", 100)
    for name in ("initial_options", "initial_users", "initial_conversations", "initial_channels"):
        if isinstance(most, int) and isinstance(value.get(name), list) and len(value[name]) > most:
            problems.append(Problem(f"{name} must not be more than max_selected_items", at))


IMAGE = Shape(
    fields={"type": TYPE, "image_url": PICTURE, "alt_text": string(2000), "slack_file": anything},
    required=("alt_text",),
    rules=(at_least_one("image_url", "slack_file"), not_both("image_url", "slack_file")),
)
BUTTON = _interactive(
    {
        **ASKS,
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
        {**ASKS, "options": array(option(label=plain(75), with_url=True), least=1, most=5)},
        required=("options",),
    ),
    "checkboxes": _interactive(
        {
            **CHOICE,
            "options": array(TEXT_OPTION, least=1, most=10),
            "initial_options": array(TEXT_OPTION, least=1, most=10),
        },
        required=("options",),
        rules=(_initial_is_offered,),
    ),
    "radio_buttons": _interactive(
        {**CHOICE, "options": array(TEXT_OPTION, least=1, most=10), "initial_option": TEXT_OPTION},
        required=("options",),
        rules=(_initial_is_offered,),
    ),
    "datepicker": _interactive({**CHOICE, **PLACEHOLDER, "initial_date": _day}),
    "timepicker": _interactive({**CHOICE, **PLACEHOLDER, "initial_time": _clock, "timezone": string(100)}),
    "datetimepicker": _interactive({**CHOICE, "initial_date_time": integer(1_000_000_000, 9_999_999_999)}),
    "static_select": _interactive(
        {**CHOICE, **PLACEHOLDER, **SELECT_OPTIONS, "initial_option": PLAIN_OPTION}, rules=SELECT_RULES
    ),
    "multi_static_select": _interactive(
        {
            **CHOICE,
            **PLACEHOLDER,
            **SELECT_OPTIONS,
            **MANY,
            "initial_options": array(PLAIN_OPTION, least=1, most=100),
        },
        rules=(*SELECT_RULES, _no_more_than_may_be_chosen),
    ),
    "external_select": _interactive(
        {**CHOICE, **PLACEHOLDER, "min_query_length": integer(0, 100), "initial_option": PLAIN_OPTION}
    ),
    "multi_external_select": _interactive(
        {
            **CHOICE,
            **PLACEHOLDER,
            **MANY,
            "min_query_length": integer(0, 100),
            "initial_options": array(PLAIN_OPTION, most=100),
        },
        rules=(_no_more_than_may_be_chosen,),
    ),
    "users_select": _interactive({**CHOICE, **PLACEHOLDER, "initial_user": ID}),
    "multi_users_select": _interactive(
        {**CHOICE, **PLACEHOLDER, **MANY, "initial_users": IDS}, rules=(_no_more_than_may_be_chosen,)
    ),
    "conversations_select": _interactive(
        {
            **CHOICE,
            **PLACEHOLDER,
            **CONVERSATIONS,
            "initial_conversation": ID,
            "response_url_enabled": boolean,
        }
    ),
    "multi_conversations_select": _interactive(
        {**CHOICE, **PLACEHOLDER, **CONVERSATIONS, **MANY, "initial_conversations": IDS},
        rules=(_no_more_than_may_be_chosen,),
    ),
    "channels_select": _interactive(
        {**CHOICE, **PLACEHOLDER, "initial_channel": ID, "response_url_enabled": boolean}
    ),
    "multi_channels_select": _interactive(
        {**CHOICE, **PLACEHOLDER, **MANY, "initial_channels": IDS}, rules=(_no_more_than_may_be_chosen,)
    ),
    "plain_text_input": _typed_input(
        {
            "initial_value": string(3000),
            "multiline": boolean,
            "min_length": integer(0, 3000),
            "max_length": integer(1, 3000),
        },
        rules=(_lengths_fit,),
    ),
    "email_text_input": _typed_input({"initial_value": string(3000)}),
    "url_text_input": _typed_input({"initial_value": string(3000)}),
    "number_input": _typed_input(
        {
            "is_decimal_allowed": boolean,
            "initial_value": string(100),
            "min_value": string(100),
            "max_value": string(100),
        },
        required=("is_decimal_allowed",),
        rules=(_numbers_fit,),
    ),
    "rich_text_input": _interactive({**PLACEHOLDER, **DISPATCH, **FOCUS, "initial_value": anything}),
    "file_input": _interactive(
        {"filetypes": array(string(20), least=1, most=50), "max_files": integer(1, 10)}
    ),
    "feedback_buttons": _interactive(
        {"positive_button": FEEDBACK, "negative_button": FEEDBACK},
        required=("positive_button", "negative_button"),
    ),
    "icon_button": _interactive(
        {
            **ASKS,
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
