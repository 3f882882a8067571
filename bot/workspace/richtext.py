"""The shape of rich text: sections, lists, quotes and preformatted text, and what stands in them.

https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.workspace.elements import ID, SECONDS, TYPE, URL
from bot.workspace.shapes import Check, Shape, array, boolean, by_type, integer, nullable, one_of, string

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
