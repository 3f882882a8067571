"""JSON documents: hidden whole, hidden where paths lead, or searched leaf by leaf. What comes out is JSON.

Numbers stay numbers and true and false become false; a document that cannot be read becomes the mark.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import orjson

from gateway.masking.paths import Hide, JsonPath, TooDeep, hidden
from gateway.masking.values import MARK
from gateway.wire import Mask

UNREADABLE = b'"' + MARK.encode() + b'"'
_DEEPEST = 64
_WHOLE_NUMBER = re.compile(r"-?[0-9]+")


def hide_json(document: bytes, strategy: str, mask: Mask) -> bytes:
    """Every leaf hidden by this strategy; the structure stays."""
    try:
        return orjson.dumps(mapped(orjson.loads(document), leaf(strategy, mask), mask))
    except orjson.JSONDecodeError:
        return UNREADABLE


def hide_paths(document: bytes, paths: Sequence[tuple[JsonPath, str]], mask: Mask) -> tuple[bytes, int]:
    """All that the paths lead to hidden, each by its strategy, and how many leaves; the same object where nothing is."""
    try:
        parsed = orjson.loads(document)
        shown, count = hidden(parsed, [(path, leaf(strategy, mask)) for path, strategy in paths])
        return (orjson.dumps(shown), count) if count else (document, 0)
    except (orjson.JSONDecodeError, TooDeep, RecursionError):
        return UNREADABLE, 1


def search_json(document: bytes, mask: Mask) -> tuple[bytes, list[str]]:
    """Every hit in a leaf or beside a telling name hidden, and the detectors; the same object where there is none."""
    found: list[str] = []

    def searched(item: Any) -> Any:
        if isinstance(item, str):
            data = item.encode("utf-8", "surrogatepass")
            hits = mask.find(data)
            found.extend(name for _, _, name in hits)
            return mask.cover(data, hits).decode("utf-8", "surrogatepass") if hits else item
        if isinstance(item, int | float) and not isinstance(item, bool) and (hits := mask.find(b"%d" % item)):
            found.append(hits[0][2])
            return 0
        return item

    try:
        shown = orjson.dumps(mapped(orjson.loads(document), searched, mask))
        if hits := mask.find(shown):  # `"password": ...` tells only where both are seen
            found.extend(name for _, _, name in hits)
            shown = mask.cover(shown, hits)
            orjson.loads(shown)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError, TooDeep, RecursionError):
        return UNREADABLE, found
    return (shown, found) if found else (document, found)


def leaf(strategy: str, mask: Mask) -> Hide:
    """How this strategy hides a leaf."""

    def hide(item: Any) -> Any:
        if strategy == "null":
            return None
        if isinstance(item, str):
            return mask.replace(item, strategy=strategy)
        if isinstance(item, bool):
            return False
        if strategy == "tokenise" and isinstance(item, int):
            return int(permuted(str(item), mask, most=2**63 - 1 if abs(item) < 2**63 else 2**64 - 1))
        return 0 if isinstance(item, int | float) else None

    return hide


def permuted(number: str, mask: Mask, *, most: int | None) -> str:
    """A number of the same form that is at most `most`, as it is: permuted until it is, so that none is given twice."""
    while True:
        number = mask.replace(number, strategy="tokenise")
        if most is None or not _WHOLE_NUMBER.fullmatch(number) or abs(int(number)) <= most:
            return number


def mapped(item: Any, hide: Hide, mask: Mask, depth: int = 0) -> Any:
    """The document with its leaves so hidden, and what is sensitive in names. Raises `TooDeep`."""
    if depth > _DEEPEST:
        raise TooDeep
    if isinstance(item, dict):
        return {mask.text(name): mapped(inner, hide, mask, depth + 1) for name, inner in item.items()}
    if isinstance(item, list):
        return [mapped(inner, hide, mask, depth + 1) for inner in item]
    return hide(item)
