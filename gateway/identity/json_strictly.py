"""JSON from elsewhere, in which every text has one reading: no key twice, no NaN, no half of a character."""

from __future__ import annotations

import json
from typing import Any, NoReturn


class NotJson(Exception):
    """Not JSON, or such that two readers may understand differently."""


def read_object(text: bytes) -> dict[str, Any]:
    """The object that `text` is. Raises `NotJson`."""
    value = read(text)
    if not isinstance(value, dict):
        raise NotJson("this is no JSON object")
    return value


def read(text: bytes) -> Any:
    """What `text` is. Raises `NotJson`."""
    try:
        value = json.loads(text.decode("utf-8"), object_pairs_hook=_object, parse_constant=_none)
        # An escape may stand for half of a surrogate pair, which is no text that could be compared or kept.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise NotJson("this is no JSON that has one reading") from None
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key is repeated")
    return members


def _none(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
