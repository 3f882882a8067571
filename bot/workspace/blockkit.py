"""Block Kit as Slack accepts it: every block's shape, where it may stand, and what is unique.

First our own tables (unknown blocks and fields, types, lengths, places), then slack_sdk's models
as a second opinion. `problems_of` never raises, whatever it is given.
https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block

from bot.workspace.elements import (
    BUTTON,
    ELEMENTS,
    ID,
    IMAGE,
    MULTI_SELECTS,
    PICTURE,
    SELECTS,
    TYPE,
    plain,
    text,
)
from bot.workspace.richtext import RICH_TEXT
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
    not_both,
    nullable,
    one_of,
    string,
)

MARKDOWN_TOTAL = 12_000
TABLE_TOTAL = 10_000
BLOCKS_TOTAL = 13_200


class Surface(StrEnum):
    """Where blocks stand; not every block may stand everywhere."""

    MESSAGE = "message"
    MODAL = "modal"
    HOME = "home"


MOST_BLOCKS = {Surface.MESSAGE: 50, Surface.MODAL: 100, Surface.HOME: 100}


def _elements(*names: str) -> Check:
    return by_type({name: ELEMENTS[name] for name in names}, what="element")


CHOICES = ("checkboxes", "radio_buttons", "datepicker", "timepicker", *SELECTS)
IN_SECTION = _elements("button", "image", "overflow", "workflow_button", *CHOICES, *MULTI_SELECTS)
IN_ACTIONS = _elements("button", "overflow", "workflow_button", "datetimepicker", *CHOICES)
IN_INPUT = (
    "plain_text_input",
    "email_text_input",
    "url_text_input",
    "number_input",
    "rich_text_input",
    "datetimepicker",
    *CHOICES,
    *MULTI_SELECTS,
)
IN_CONTEXT = by_type({"image": IMAGE, "plain_text": text(2000), "mrkdwn": text(2000)}, what="context element")


def _block(
    own: Mapping[str, Check], *, required: tuple[str, ...] = (), rules: tuple[Check, ...] = ()
) -> Shape:
    return Shape(fields={"type": TYPE, "block_id": ID, **own}, required=required, rules=rules)


def _input(*elements: str) -> Shape:
    return _block(
        {
            "label": plain(2000),
            "hint": plain(2000),
            "element": _elements(*elements),
            "optional": boolean,
            "dispatch_action": boolean,
        },
        required=("label", "element"),
    )


RICH_BLOCK = _block(
    {"elements": array(by_type(RICH_TEXT, what="rich text"), most=500)}, required=("elements",)
)
RAW_TEXT = Shape(fields={"type": TYPE, "text": string(TABLE_TOTAL, least=1)}, required=("text",))
RAW_NUMBER = Shape(
    fields={"type": TYPE, "value": anything, "text": string(200, least=1)}, required=("value",)
)
CELL = by_type({"raw_text": RAW_TEXT, "raw_number": RAW_NUMBER, "rich_text": RICH_BLOCK}, what="table cell")
COLUMN = Shape(fields={"align": one_of("left", "center", "right"), "is_wrapped": boolean})
TASK = _block(
    {
        "task_id": ID,
        "title": string(3000, least=1),
        "details": by_type({"rich_text": RICH_BLOCK}, what="details"),
        "output": by_type({"rich_text": RICH_BLOCK}, what="output"),
        "sources": array(anything, most=50),
        "status": one_of("pending", "in_progress", "complete", "error"),
    },
    required=("task_id", "title", "status"),
)
CARD = _block(
    {
        "hero_image": IMAGE,
        "icon": IMAGE,
        "title": text(150),
        "subtitle": text(150),
        "body": text(200),
        "actions": array(BUTTON, most=3),
    },
    rules=(at_least_one("hero_image", "title", "actions", "body"),),
)

EVERYWHERE: Mapping[str, Check] = {
    "section": _block(
        {
            "text": text(3000),
            "fields": array(text(2000), least=1, most=10),
            "accessory": IN_SECTION,
            "expand": boolean,
        },
        rules=(at_least_one("text", "fields"),),
    ),
    "divider": _block({}),
    "image": _block(
        {"image_url": PICTURE, "slack_file": anything, "alt_text": string(2000), "title": plain(2000)},
        required=("alt_text",),
        rules=(at_least_one("image_url", "slack_file"), not_both("image_url", "slack_file")),
    ),
    "actions": _block({"elements": array(IN_ACTIONS, least=1, most=25)}, required=("elements",)),
    "context": _block({"elements": array(IN_CONTEXT, least=1, most=10)}, required=("elements",)),
    "header": _block({"text": plain(150)}, required=("text",)),
    "rich_text": RICH_BLOCK,
    "video": _block(
        {
            "alt_text": string(2000, least=1),
            "title": plain(199),
            "thumbnail_url": PICTURE,
            "video_url": PICTURE,
            "title_url": PICTURE,
            "description": plain(200),
            "provider_icon_url": PICTURE,
            "provider_name": string(50),
            "author_name": string(49),
        },
        required=("alt_text", "title", "thumbnail_url", "video_url"),
    ),
}
MESSAGE_ONLY: dict[str, Check] = {
    "input": _input(*IN_INPUT),
    "markdown": _block({"text": string(MARKDOWN_TOTAL, least=1)}, required=("text",)),
    "table": _block(
        {"rows": array(array(CELL, least=1, most=20), least=1, most=100), "column_settings": array(nullable(COLUMN), most=20)},
        required=("rows",),
    ),
    "context_actions": _block(
        {"elements": array(_elements("feedback_buttons", "icon_button"), least=1, most=5)}, required=("elements",)
    ),
    "task_card": TASK,
    "plan": _block({"title": string(3000, least=1), "tasks": array(by_type({"task_card": TASK}, what="task"), most=50)}, required=("title",)),
    "card": CARD,
    "carousel": _block({"elements": array(by_type({"card": CARD}, what="card"), least=1, most=10)}, required=("elements",)),
}  # fmt: skip
CHILD = by_type({**EVERYWHERE, **MESSAGE_ONLY}, what="block")
CONTAINER = _block(
    {
        "title": text(150),
        "rich_text_title": anything,
        "subtitle": text(150),
        "child_blocks": array(CHILD, least=1, most=10),
        "width": one_of("narrow", "standard", "wide", "full"),
        "icon": IMAGE,
        "is_collapsible": boolean,
        "default_collapsed": boolean,
        "has_header_divider": boolean,
    },
    required=("child_blocks",),
    rules=(at_least_one("title", "rich_text_title"),),
)
ON: Mapping[Surface, Mapping[str, Check]] = {
    Surface.MESSAGE: {**EVERYWHERE, **MESSAGE_ONLY, "container": CONTAINER},
    Surface.MODAL: {
        **EVERYWHERE,
        "input": _input(*IN_INPUT, "file_input"),
        "alert": _block({"text": text(200), "level": one_of("default", "info", "warning", "error", "success")}, required=("text",)),
    },
    Surface.HOME: {**EVERYWHERE, "input": _input(*IN_INPUT)},
}  # fmt: skip


def problems_of(blocks: object, surface: Surface) -> Problems:
    """What Slack would say about these blocks; empty when they are fine."""
    problems: Problems = []
    array(by_type(ON[surface], what="block"), most=MOST_BLOCKS[surface])(blocks, "/blocks", problems)
    if problems or not isinstance(blocks, list):
        return problems
    problems += _duplicates(blocks)
    problems += _totals(blocks)
    problems += [Problem("must be alone in its place", at) for at in _second_focus(blocks)]
    if not problems:
        problems += _second_opinion(blocks)
    return problems


def size_of(blocks: list[dict[str, Any]]) -> int:
    """What counts against `msg_blocks_too_long`: the characters of the blocks' JSON."""
    return len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":")))


def elements_of(block: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The interactive elements of a block, those of nested blocks included."""
    candidates = [block.get("accessory"), block.get("element")]
    for name in ("elements", "actions"):
        inner = block.get(name)
        candidates += inner if isinstance(inner, list) else []
    for one in candidates:
        if isinstance(one, dict):
            if one.get("type") == "card":
                yield from elements_of(one)
            elif "action_id" in one or one.get("type") in ELEMENTS:
                yield one
    for child in block.get("child_blocks", []):
        yield from elements_of(child)


def _duplicates(blocks: list[dict[str, Any]]) -> Problems:
    problems: Problems = []
    seen: set[str] = set()
    for at, block in enumerate(blocks):
        block_id = block.get("block_id")
        if block_id is not None and block_id in seen:
            problems.append(Problem(f"`block_id` {block_id!r} already exists", f"/blocks/{at}/block_id"))
        seen.add(block_id or "")
        actions: set[str] = set()
        for element in elements_of(block):
            action_id = element.get("action_id")
            if action_id is not None and action_id in actions:
                problems.append(Problem(f"`action_id` {action_id!r} already exists", f"/blocks/{at}"))
            actions.add(action_id or "")
    return problems


def _totals(blocks: list[dict[str, Any]]) -> Problems:
    markdown = sum(len(block["text"]) for block in blocks if block["type"] == "markdown")
    tables = [block for block in blocks if block["type"] == "table"]
    problems: Problems = []
    if markdown > MARKDOWN_TOTAL:
        problems.append(Problem(f"markdown blocks exceed {MARKDOWN_TOTAL} characters together", "/blocks"))
    if len(tables) > 1:
        problems.append(Problem("only_one_table_allowed", "/blocks"))
    if any(size_of([table]) > TABLE_TOTAL + 4000 for table in tables):
        problems.append(Problem(f"table exceeds {TABLE_TOTAL} characters", "/blocks"))
    return problems


def _second_focus(blocks: list[dict[str, Any]]) -> list[str]:
    focused = [
        f"/blocks/{at}"
        for at, block in enumerate(blocks)
        for one in elements_of(block)
        if one.get("focus_on_load")
    ]
    return focused[1:]


def _second_opinion(blocks: list[dict[str, Any]]) -> Problems:
    problems: Problems = []
    for at, block in enumerate(blocks):
        try:
            parsed = Block.parse(copy.deepcopy(block))
            if parsed is not None:
                parsed.to_dict()
        except SlackObjectFormationError as error:
            problems.append(Problem(str(error), f"/blocks/{at}"))
    return problems
