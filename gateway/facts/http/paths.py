"""The one normal form of a path, and the pairs of a query (RFC 3986)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Literal
from urllib.parse import unquote_to_bytes

PATH_MOST = 8_192
PAIRS_MOST = 1_000
_PLAIN = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,=:@%/]*")
_LIKE_A_SLASH = re.compile("[\u2044\u2215\u2216\u29f5\u29f8\u29f9]")
_BRACKETS = re.compile(r"[\[\]]+")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")


class PathUnclear(Exception):
    """Peers would take this path for different things."""


def normal_path(path: str) -> str:
    """Decoded once. Raises `PathUnclear` for what has more than one meaning."""
    if len(path) > PATH_MOST:
        raise PathUnclear("the path is too long")
    if not path.startswith("/"):
        raise PathUnclear("the target is no path: absolute or authority form")
    if ";" in path:
        raise PathUnclear("the path has parameters behind a semicolon")
    if not _PLAIN.fullmatch(path):
        raise PathUnclear("the path holds characters that have to be escaped")
    if len(_ESCAPE.findall(path)) != path.count("%"):
        raise PathUnclear("the path holds a % that escapes nothing")
    for escape in _ESCAPE.findall(path):
        code = int(escape, 16)
        if code < 0x20 or code == 0x7F or code in b"/\\;?#":
            raise PathUnclear("the path hides a separator or a control character behind an escape")
    try:
        decoded = unquote_to_bytes(path).decode("utf-8")
    except UnicodeDecodeError:
        raise PathUnclear("the path is not UTF-8") from None
    if _ESCAPE.search(decoded):
        raise PathUnclear("the path is escaped twice")
    segments = decoded.split("/")
    if any(segment in {".", ".."} for segment in segments):
        raise PathUnclear("the path holds dot segments")
    if "" in segments[1:-1]:
        raise PathUnclear("the path holds an empty segment")
    if _LIKE_A_SLASH.search(decoded) or _ascii(decoded, "NFKC") != _ascii(decoded, "NFC"):
        raise PathUnclear("the path holds characters that some servers take for others")
    if not decoded.isprintable():
        raise PathUnclear("the path holds characters that are not shown")
    return decoded


def _ascii(text: str, form: Literal["NFC", "NFKC"]) -> list[str]:
    return [each for each in unicodedata.normalize(form, text) if each.isascii()]


def pairs(query: str) -> tuple[tuple[str, str], ...]:
    """Name and value of each part of a query or form, decoded. Raises `PathUnclear`."""
    if not query:
        return ()
    if not query.isascii() and not query.isprintable():
        raise PathUnclear("the query holds characters that are not shown")
    if "#" in query or any(ord(character) <= 0x20 or ord(character) == 0x7F for character in query):
        raise PathUnclear("the query holds a fragment, a blank or a control character")
    if len(_ESCAPE.findall(query)) != query.count("%") or "%00" in query:
        raise PathUnclear("the query holds a % that escapes nothing, or a NUL")
    if re.search(r";[^&;]*=", query):
        raise PathUnclear("the query holds parameters behind a semicolon")
    parts = query.split("&")
    if len(parts) > PAIRS_MOST or len(query) > 8 * PATH_MOST:
        raise PathUnclear("the query is too long")
    return tuple(
        (_decoded(name), _decoded(value))
        for name, _, value in (part.partition("=") for part in parts if part)
    )


def also_named(found: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """With what frameworks make of brackets: `query[]` is `query` too, and `user[role]` is `user` and `role`."""
    return tuple((each, value) for name, value in found for each in (name, *_bracketed(name)))


def _bracketed(name: str) -> list[str]:
    if "[" not in name:
        return []
    return [part for part in _BRACKETS.split(name) if part and not part.isdigit()]


def _decoded(text: str) -> str:
    return unquote_to_bytes(text.replace("+", " ")).decode("utf-8", "replace")
