"""Block Kit in the few forms that the bot uses, so that cards, modals and threads read as what they say.

Text elements of rich text are literal; mentions exist only as the elements made here, from ids that Slack gave us.
https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

from bot.safe_text import inline

Block: TypeAlias = dict[str, Any]
Element: TypeAlias = dict[str, Any]

CARD_LIMIT = 10_000
"""Characters of a message's blocks; Slack refuses somewhere above 13,000 (`msg_blocks_too_long`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What chat.postMessage and chat.update are given."""

    text: str
    """A fixed sentence for notifications and screen readers: it is mrkdwn, so nothing untrusted is in it."""
    blocks: tuple[Block, ...]
    event: str = ""
    payload: Mapping[str, str | int] = field(default_factory=dict)
    """Metadata: how the message is found again; readable by other apps, so ids only."""

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments for slack_sdk's chat methods."""
        given: dict[str, Any] = {"text": self.text, "blocks": list(self.blocks)}
        if self.event:
            given["metadata"] = {"event_type": self.event, "event_payload": dict(self.payload)}
        return given


@dataclass(frozen=True, slots=True, kw_only=True)
class Faces:
    """How people and groups are mentioned in this workspace; who is not in here is written out."""

    people: Mapping[str, str] = field(default_factory=dict)
    """Person (e-mail) -> Slack user id."""
    groups: Mapping[str, str] = field(default_factory=dict)
    """Group of policies.yaml -> Slack user group id."""


def text(words: str) -> Element:
    return {"type": "text", "text": words}


def bold(words: str) -> Element:
    return {"type": "text", "text": words, "style": {"bold": True}}


def quiet(words: str) -> Element:
    return {"type": "text", "text": words, "style": {"italic": True}}


def code(words: str) -> Element:
    return {"type": "text", "text": words, "style": {"code": True}}


def link(url: str, words: str) -> Element:
    return {"type": "link", "url": url, "text": words}


def user(user_id: str) -> Element:
    return {"type": "user", "user_id": user_id}


def usergroup(usergroup_id: str) -> Element:
    return {"type": "usergroup", "usergroup_id": usergroup_id}


def date(at: float) -> Element:
    """A time that each reader sees in their own zone."""
    fallback = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return {
        "type": "date",
        "timestamp": int(at),
        "format": "{date_short_pretty} {time_secs}",
        "fallback": fallback,
    }


def section(*elements: Element) -> Element:
    return {"type": "rich_text_section", "elements": list(elements)}


def lines(rows: Iterable[Sequence[Element]]) -> Element:
    """Rows of elements as one section, a line each."""
    elements: list[Element] = []
    for row in rows:
        if elements:
            elements.append(text("\n"))
        elements.extend(row)
    return section(*elements)


def rich(*parts: Element, block_id: str = "") -> Block:
    """A rich text block of sections and literals."""
    return {"type": "rich_text", "elements": list(parts)} | ({"block_id": block_id} if block_id else {})


def button(label: str, *, action_id: str, value: str, style: str = "", about: str = "") -> Element:
    """`about` tells those who hear the button and do not see where it stands which of many it is."""
    face = {"type": "plain_text", "text": label, "emoji": False}
    made: Element = {"type": "button", "text": face, "action_id": action_id, "value": value}
    if about:
        made["accessibility_label"] = inline(f"{label}: {about}", limit=75)
    return made | ({"style": style} if style else {})


def link_button(label: str, url: str, *, action_id: str) -> Element:
    """A button that opens an address; Slack tells the app of the click as well."""
    face = {"type": "plain_text", "text": label, "emoji": False}
    return {"type": "button", "text": face, "action_id": action_id, "url": url, "style": "primary"}


def actions(*buttons: Element, block_id: str = "") -> Block:
    return {"type": "actions", "elements": list(buttons)} | ({"block_id": block_id} if block_id else {})


def divider() -> Block:
    return {"type": "divider"}


def header(words: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": words, "emoji": False}}


def size(blocks: Sequence[Block]) -> int:
    """Characters that count against Slack's limit for a whole message."""
    return len(json.dumps(list(blocks), ensure_ascii=False, separators=(",", ":")))
