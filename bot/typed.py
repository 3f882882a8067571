"""What somebody typed behind a slash command, out of how Slack writes it.

Slack escapes three characters, and with `should_escape` names people, channels, groups and addresses as entities:
`<@U1|ana>`, `<#C1|general>`, `<!subteam^S1|@dba>`, `<mailto:a@b.example|a@b.example>`, `<https://b.example>`. What is
typed here is ids, words to look for and reasons for people: they mean the text, and an entity in them is nobody's.
https://docs.slack.dev/interactivity/implementing-slash-commands
"""

from __future__ import annotations

import re

_ENTITY = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")


def typed_text(text: str) -> str:
    """The text as it was typed."""
    return _unescaped(_ENTITY.sub(_as_typed, text)).strip()


def _as_typed(found: re.Match[str]) -> str:
    sign, body, label = found[1], found[2], found[3] or ""
    if not sign:
        return label or body.removeprefix("mailto:")
    name = label.removeprefix(sign) or body
    return f"@{name.removeprefix('@')}" if sign == "!" else f"{sign}{name}"


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
