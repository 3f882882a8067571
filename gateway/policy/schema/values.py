"""What the schema's parts are built of: texts, numbers, lists and mappings as the reader of the file takes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from gateway.policy import secrets, sections
from gateway.policy.conditions import CLOCK
from gateway.policy.moment import WEEK
from gateway.policy.reader import DURATION, NAME, SIZE
from gateway.policy.rules import MAX_MESSAGE
from gateway.policy.values import EFFECTS, PERSON

Schema: TypeAlias = dict[str, Any]

DEPTH = 32
"""The deepest chain there may be."""


def scope() -> Schema:
    return {
        "type": "object",
        "additionalProperties": listed(choice(EFFECTS)),
        "description": "Connection to effects.",
    }


def mapping(properties: Mapping[str, Schema], *, required: Iterable[str] = ()) -> Schema:
    needed = list(required)
    return {
        "type": "object",
        "properties": dict(properties),
        "additionalProperties": False,
        **({"required": needed} if needed else {}),
    }


def named(values: Schema, description: str) -> Schema:
    return {
        "type": "object",
        "propertyNames": name(),
        "additionalProperties": values,
        "description": description,
    }


def listed(item: Schema, description: str = "") -> Schema:
    """A list; one of one may be written without brackets."""
    either = [item, {"type": "array", "minItems": 1, "items": item}]
    return {"anyOf": either, **({"description": description} if description else {})}


def text(description: str = "") -> Schema:
    return {"type": "string", "pattern": "\\S", **({"description": description} if description else {})}


def sentence(description: str) -> Schema:
    return {**text(description), "maxLength": MAX_MESSAGE}


def choice(known: Iterable[str]) -> Schema:
    return {"enum": list(known)}


def matching(pattern: re.Pattern[str]) -> Schema:
    return {"type": "string", "pattern": f"^(?:{pattern.pattern})$"}


def name() -> Schema:
    return matching(NAME)


def person() -> Schema:
    return matching(PERSON)


def channel() -> Schema:
    return matching(sections.CHANNEL)


def duration() -> Schema:
    return matching(DURATION)


def size() -> Schema:
    return {"anyOf": [{"type": "integer", "minimum": 1}, matching(SIZE)]}


def secret() -> Schema:
    return {"anyOf": [_place("env", "file", "vault", "aws"), _command()]}


def near_secret() -> Schema:
    """A secret that no store has to be asked for."""
    return {"anyOf": [_place("env", "file"), _command()]}


def _place(*sources: str) -> Schema:
    known = {
        "env": secrets.ENVIRONMENT.pattern,
        "file": ".+",
        "vault": secrets.VAULT.pattern,
        "aws": secrets.AWS.pattern,
    }
    either = "|".join(f"{source}:(?:{known[source]})" for source in sources)
    return {
        "type": "string",
        "pattern": f"^(?:{either})$",
        "description": f"Where the secret is: {secrets.SPELT}.",
    }


def _command() -> Schema:
    word = text()
    return mapping(
        {
            "command": {
                "type": "array",
                "minItems": 1,
                "maxItems": secrets.LONGEST_COMMAND,
                "prefixItems": [{"type": "string", "pattern": "^/"}],
                "items": word,
                "description": "A program by its whole path and its arguments; what it prints is the secret.",
            }
        },
        required=("command",),
    )


def address() -> Schema:
    return {"type": "string", "pattern": r"^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$"}


def pattern() -> Schema:
    """A glob of names: other pattern languages' marks and blanks mean nothing in it."""
    return {"type": "string", "pattern": r"^(?!!)[^\[\](){}^$|\\%\s]+$"}


def whole(least: int, most: int) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most}


def window() -> Schema:
    clock = matching(CLOCK)
    day = f"(?:{'|'.join(WEEK)})"
    days = matching(re.compile(f"{day}(?:-{day})?"))
    made = mapping(
        {"days": listed(days), "from": clock, "to": clock, "zone": text("As in Europe/Berlin.")},
        required=("zone",),
    )
    made["dependentRequired"] = {"from": ["to"], "to": ["from"]}
    return made
