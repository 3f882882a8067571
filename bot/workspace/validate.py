"""What Slack rejects about a message, its metadata or a view, under Slack's error names.

The limits that are written nowhere official (13,200 characters of blocks, 4,000 characters of text
on update, rich text that may not become other blocks) are in here on purpose: an app that passes
here does not meet them for the first time in production.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from bot.workspace.blockkit import BLOCKS_TOTAL, Surface, elements_of, problems_of, size_of
from bot.workspace.elements import plain
from bot.workspace.records import Blocks, Json
from bot.workspace.shapes import Problem, Problems, Shape, anything, boolean, one_of, string

TEXT_KEPT = 40_000
TEXT_ON_UPDATE = 4_000
METADATA_BYTES = 16_000
VIEW_BYTES = 250_000
MOST_ATTACHMENTS = 100


class Refused(Exception):
    """An {"ok": false} answer: Slack's error name and whatever else belongs in the answer."""

    def __init__(self, code: str, **more: Any) -> None:
        super().__init__(code)
        self.code = code
        self.more = more

    def to_json(self) -> Json:
        return {"ok": False, "error": self.code, **self.more}


def _messages(code: str, problems: Problems, *, errors: bool = False) -> Refused:
    said = [str(one) for one in problems]
    more: Json = {"response_metadata": {"messages": said}}
    if errors:
        more["errors"] = [f"{one.message} [json-pointer:{one.pointer}]" for one in problems]
    return Refused(code, **more)


def check_blocks(blocks: object) -> Blocks:
    """Blocks for a message. Raises Refused with invalid_blocks or msg_blocks_too_long."""
    if not isinstance(blocks, list):
        raise Refused("invalid_blocks_format")
    problems = problems_of(blocks, Surface.MESSAGE)
    if problems:
        raise _messages("invalid_blocks", problems, errors=True)
    if size_of(blocks) > BLOCKS_TOTAL:
        raise Refused("msg_blocks_too_long")
    return blocks


def check_attachments(attachments: object) -> list[Json]:
    """Legacy attachments; their blocks count like a message's. Raises Refused."""
    if not isinstance(attachments, list) or not all(isinstance(one, dict) for one in attachments):
        raise Refused("invalid_attachments")
    if len(attachments) > MOST_ATTACHMENTS:
        raise Refused("too_many_attachments")
    for one in attachments:
        if "blocks" in one:
            check_blocks(one["blocks"])
    return attachments


def check_text(text: object, *, has_content: bool, updating: bool) -> str:
    """The top-level text: cut at 40,000 characters when posted, refused above 4,000 on update."""
    if text is None:
        text = ""
    if not isinstance(text, str):
        raise Refused("invalid_arguments", response_metadata={"messages": ["[ERROR] text must be a string"]})
    if not text.strip() and not has_content:
        raise Refused("no_text")
    if updating and len(text) > TEXT_ON_UPDATE:
        raise Refused("msg_too_long")
    return text[:TEXT_KEPT]


def check_rich_text_stays(before: Blocks, after: Blocks) -> None:
    """A message that was rich text must stay so (`block_mismatch`)."""
    had = any(block["type"] == "rich_text" for block in before)
    if had and after and not any(block["type"] == "rich_text" for block in after):
        raise Refused("block_mismatch")


def check_metadata(metadata: object) -> Json:
    """`{"event_type", "event_payload"}` with a flat payload. Raises Refused."""
    if not isinstance(metadata, dict) or set(metadata) - {"event_type", "event_payload", "entities"}:
        raise Refused("invalid_metadata_format")
    payload = metadata.get("event_payload")
    if not isinstance(metadata.get("event_type"), str) or not isinstance(payload, dict):
        raise Refused("invalid_metadata_format")
    if any(_depth(value) > 1 for value in payload.values()):
        raise Refused("invalid_metadata_schema")
    if len(json.dumps(metadata).encode()) > METADATA_BYTES:
        raise Refused("metadata_too_large")
    return metadata


def _depth(value: object) -> int:
    match value:
        case dict():
            return 1 + max((_depth(one) for one in value.values()), default=0)
        case list():
            return 1 + max((_depth(one) for one in value), default=0)
        case _:
            return 0


_VIEW = {
    "blocks": anything,
    "private_metadata": string(3000),
    "callback_id": string(255),
    "external_id": string(255),
}
MODAL = Shape(
    fields={
        **_VIEW,
        "type": one_of("modal"),
        "title": plain(24),
        "submit": plain(24),
        "close": plain(24),
        "clear_on_close": boolean,
        "notify_on_close": boolean,
    },
    required=("type", "title", "blocks"),
)
HOME = Shape(fields={**_VIEW, "type": one_of("home")}, required=("type", "blocks"))


def check_view(view: object, surface: Surface) -> Json:
    """A modal or Home view as given by the app. Raises Refused with invalid_arguments or view_too_large."""
    problems: Problems = []
    (MODAL if surface is Surface.MODAL else HOME)(view, "/view", problems)
    if not isinstance(view, dict) or problems:
        raise _messages("invalid_arguments", problems)
    problems += [Problem(one.message, "/view" + one.pointer) for one in problems_of(view["blocks"], surface)]
    if not problems and surface is Surface.MODAL and "submit" not in view:
        has_input = any(block["type"] == "input" for block in view["blocks"])
        if has_input:
            problems.append(Problem("missing required field: submit", "/view"))
    if problems:
        raise _messages("invalid_arguments", problems)
    if len(json.dumps(view).encode()) > VIEW_BYTES:
        raise Refused("view_too_large")
    return view


def with_ids(blocks: Blocks, *, make_id: Callable[[], str]) -> Blocks:
    """The blocks with the block_ids and action_ids that Slack makes up where the app gave none."""
    for block in blocks:
        block.setdefault("block_id", make_id())
        for element in elements_of(block):
            if element.get("type") != "image":
                element.setdefault("action_id", make_id())
    return blocks
