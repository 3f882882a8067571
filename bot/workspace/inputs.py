"""Between what a person enters and what Slack sends: state values, actions, and input errors.

A person (on the page, or over the control API) gives raw values: a string, or a list of strings
for what holds several; an option is named by its `value`. Slack's typed forms are made here.
https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
"""

from __future__ import annotations

import copy
import re
from typing import Any

from bot.workspace.records import Json

TEXT_INPUTS = {"plain_text_input", "email_text_input", "url_text_input", "number_input"}
ONE_OPTION = {"static_select", "external_select", "radio_buttons", "overflow"}
MANY_OPTIONS = {"multi_static_select", "multi_external_select", "checkboxes"}
SINGLE = {
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "users_select": ("selected_user", "initial_user"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
    "rich_text_input": ("rich_text_value", "initial_value"),
}
SEVERAL = {
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
}
PATTERNS = {
    "datepicker": re.compile(r"(\d{4}-\d\d-\d\d)?", re.ASCII),
    "timepicker": re.compile(r"(\d\d:\d\d)?", re.ASCII),
    "datetimepicker": re.compile(r"(\d{10})?", re.ASCII),
}
"""What these elements let a person enter; empty is nothing."""
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
NUMBER = re.compile(r"-?\d+(\.\d+)?")


class InputError(ValueError):
    """The value cannot be entered here; the sentence says why."""


def options_of(element: Json) -> list[Json]:
    """All options of a select, those in groups included."""
    groups = element.get("option_groups", [])
    return [*element.get("options", []), *(one for group in groups for one in group["options"])]


def default_value(element: Json) -> Json | None:
    """The typed value of an element nobody has touched; None for what holds no value."""
    kind = element["type"]
    if kind in TEXT_INPUTS:
        return {"type": kind, "value": element.get("initial_value")}
    if kind in ONE_OPTION - {"overflow"}:
        return {"type": kind, "selected_option": copy.deepcopy(element.get("initial_option"))}
    if kind in MANY_OPTIONS:
        return {"type": kind, "selected_options": copy.deepcopy(element.get("initial_options", []))}
    if kind in SINGLE:
        name, initial = SINGLE[kind]
        return {"type": kind, name: copy.deepcopy(element.get(initial))}
    if kind in SEVERAL:
        name, initial = SEVERAL[kind]
        return {"type": kind, name: list(element.get(initial, []))}
    return None


def typed_value(element: Json, raw: object) -> Json:
    """The typed value for what a person entered. Raises InputError."""
    kind = element["type"]
    if kind in TEXT_INPUTS:
        return {"type": kind, "value": _string(raw, element) or None}
    if kind in ONE_OPTION:
        chosen = None if raw is None or raw == "" else _option(element, raw)
        return {"type": kind, "selected_option": chosen}
    if kind in MANY_OPTIONS:
        return {"type": kind, "selected_options": [_option(element, one) for one in _list(raw, element)]}
    if kind in PATTERNS and raw is not None and not PATTERNS[kind].fullmatch(_string(raw, element)):
        raise InputError(f"{element['action_id']} does not take {raw!r}.")
    if kind == "datetimepicker":
        return {"type": kind, "selected_date_time": int(_string(raw, element)) if raw else None}
    if kind in SINGLE:
        return {"type": kind, SINGLE[kind][0]: _string(raw, element) or None}
    if kind in SEVERAL:
        return {"type": kind, SEVERAL[kind][0]: [_string(one, element) for one in _list(raw, element)]}
    raise InputError(f"A {kind} takes no value.")


def action_of(element: Json, block_id: str, *, raw: object, ts: str) -> Json:
    """The entry of `actions` for using this element. Raises InputError."""
    kind = element["type"]
    action: Json = {"type": kind, "action_id": element["action_id"], "block_id": block_id, "action_ts": ts}
    if kind in {"button", "icon_button", "workflow_button"}:
        action |= {
            key: copy.deepcopy(element[key]) for key in ("text", "value", "style", "url") if key in element
        }
        return action
    if kind == "feedback_buttons":
        chosen = element["negative_button" if raw == "negative" else "positive_button"]
        return action | {"value": chosen["value"], "text": chosen["text"]}
    if "placeholder" in element:
        action["placeholder"] = copy.deepcopy(element["placeholder"])
    return action | typed_value(element, raw)


def input_error(block: Json, value: Json | None) -> str:
    """Why a modal's client would not let this input be submitted; empty when it would."""
    element = block["element"]
    held = next((one for name, one in (value or {}).items() if name != "type"), None)
    if held is None or held in ("", []):
        return "" if block.get("optional") else "Please complete this required field."
    if not isinstance(held, str) or element["type"] not in TEXT_INPUTS:
        return ""
    return _text_error(element, held)


def _text_error(element: Json, held: str) -> str:
    least, most = element.get("min_length", 0), element.get("max_length", 3000)
    if len(held) < least:
        return f"Please enter at least {least} characters."
    if len(held) > most:
        return f"Please enter no more than {most} characters."
    if element["type"] == "email_text_input" and not EMAIL.fullmatch(held):
        return "Please enter a valid email address."
    if element["type"] == "url_text_input" and not held.startswith(("http://", "https://")):
        return "Please enter a valid URL."
    return _number_error(element, held) if element["type"] == "number_input" else ""


def _number_error(element: Json, held: str) -> str:
    if not NUMBER.fullmatch(held) or ("." in held and not element.get("is_decimal_allowed")):
        return "Please enter a valid number."
    if "min_value" in element and float(held) < float(element["min_value"]):
        return f"Please enter a number of at least {element['min_value']}."
    if "max_value" in element and float(held) > float(element["max_value"]):
        return f"Please enter a number of at most {element['max_value']}."
    return ""


def _option(element: Json, raw: Any) -> Json:
    for one in options_of(element):
        if one["value"] == raw:
            return copy.deepcopy(one)
    raise InputError(f"{element['action_id']} has no option with the value {raw!r}.")


def _string(raw: object, element: Json) -> str:
    if raw is None:
        return ""
    if isinstance(raw, (str, int)) and not isinstance(raw, bool):
        return str(raw)
    raise InputError(f"{element['action_id']} takes a string.")


def _list(raw: object, element: Json) -> list[Any]:
    if raw is None:
        return []
    if isinstance(raw, list):
        return raw
    raise InputError(f"{element['action_id']} takes a list.")
