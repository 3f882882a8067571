"""What a body is: as its type says, and as it begins, since types are often wrong.

`json` follows names, `events` are a stream of them, `text` has no names, `table` has them on top, `named` has names that nobody reads here, `media` is
nothing anybody reads, and `binary` is all else.
"""

from __future__ import annotations

import re
from enum import Enum


class Kind(Enum):
    JSON = "json"
    EVENTS = "events"
    TEXT = "text"
    TABLE = "table"
    NAMED = "named"
    MEDIA = "media"
    BINARY = "binary"


LOOKED_AT = 4_096
"""Bytes after which a body that could still be JSON is none."""
_FIRST = 512

_JSON = re.compile(
    r"(?:application|text)/(?:[\w.+-]+\+)?(?:json|x-json|json5?|ndjson|x-ndjson|jsonl|jsonlines|x-jsonlines|json-lines|json-seq)"
)
_NAMED = re.compile(
    r"(?:application|text)/(?:xml|(?:x-)?(?:ya?ml|toml)|x-www-form-urlencoded)"
    r"|[a-z]+/[\w.+-]+\+(?:xml|yaml|csv)|multipart/[\w.+-]+|message/[\w.+-]+"
)
_TABLE = re.compile(r"(?:application|text)/(?:(?:x-)?csv|(?:x-)?tsv|tab-separated-values)")
_PROSE = re.compile(r"image/svg\+xml|application/xhtml\+xml|application/(?:x-)?(?:javascript|ecmascript|sql)")
_MEDIA = re.compile(
    r"(?:image|audio|video|font)/[\w.+-]+|application/(?:font|x-font|vnd\.ms-fontobject)[\w.+-]*"
)
_MAGIC = re.compile(
    rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8[79]a|RIFF.{4}(?:WEBP|WAVE|AVI )|BM.{4}\0\0\0\0|\0\0[\x01\x02]\0[^\0]\0|.{4}ftyp|OggS\0"
    rb"|ID3[\x02-\x04]|\xff[\xe3\xf2\xf3\xfa\xfb]|fLaC|\x1a\x45\xdf\xa3|wOF[F2]|\0\x01\0\0\0|OTTO\0|II\*\0|MM\0\*",
    re.DOTALL,
)
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")

_BLANKS = rb"[ \t\r\n]*+"
_LITERAL = rb"(?:-?[0-9][0-9.eE+-]*|true|false|null)"
_STRING = rb'"(?:[^"\\\x00-\x1f]|\\.)*"'
_IS_JSON = re.compile(
    rb"[\[ \t\r\n]*+"
    rb"(?:\{" + _BLANKS + rb"(?:\}|" + _STRING + _BLANKS + rb":)"
    rb"|(?<=[\[ \t\r\n])(?:\]|(?:" + _LITERAL + rb"|" + _STRING + rb")" + _BLANKS + rb"[,\]]))",
)
_MAY_BE_JSON = re.compile(
    rb"[\[ \t\r\n]*+"
    rb"(?:\Z|\{" + _BLANKS + rb"(?:\Z|" + _STRING + _BLANKS + rb'\Z|"(?:[^"\\\x00-\x1f]|\\.)*\\?\Z)'
    rb"|(?<=[\[ \t\r\n])(?:[-+.0-9a-zA-Z]{0,64}"
    + _BLANKS
    + rb"\Z|"
    + _STRING
    + _BLANKS
    + rb'\Z|"(?:[^"\\\x00-\x1f]|\\.)*\\?\Z))',
)
_CALLED = rb"(?!define|require)[A-Za-z_$][\w$.]{0,255}"
_WRAPPED = re.compile(
    rb"\)\]\}'?,?\r?\n|(?:while|for)\((?:1|;;)\);|(?:/\*\*/)?[ \t\r\n]*"
    + _CALLED
    + rb"[ \t]?\([ \t\r\n]*(?=[{\[])"
)
"""What stands before JSON that no other site is to read, or that is called as a function is (JSONP)."""
_MAY_BE_WRAPPED = re.compile(
    rb"\)(?:\](?:\}(?:'?,?\r?)?)?)?\Z|(?:while|for)\([1;]*\)?\Z|/?\*{0,2}/?\Z|(?:/\*\*/)?[ \t\r\n]*"
    + _CALLED
    + rb"[ \t]?(?:\([ \t\r\n]*)?\Z"
)


def says_text(declared: str) -> bool:
    """Whether the type is one of text, in whatever encoding; without a type it may be."""
    texts = (_JSON, _TABLE, _NAMED, _PROSE)
    return not declared or declared.startswith("text/") or any(each.fullmatch(declared) for each in texts)


def kind_of(declared: str, begins: bytes, *, whole: bool) -> Kind | None:
    """What it is; None where more of it has to come, unless it is `whole`."""
    if _JSON.fullmatch(declared):
        return Kind.JSON
    if declared == "text/event-stream":
        return Kind.EVENTS
    if _MEDIA.fullmatch(declared) and not _PROSE.fullmatch(declared):
        if not whole and len(begins) < 16:
            return None
        if _MAGIC.match(begins):
            return Kind.MEDIA
    if len(begins) < LOOKED_AT and not whole and _MAY_BE_JSON.match(begins):
        return None
    if _IS_JSON.match(begins):
        return Kind.JSON
    if _TABLE.fullmatch(declared):
        return Kind.TABLE
    if declared and says_text(declared):
        return Kind.NAMED if _NAMED.fullmatch(declared) and not _PROSE.fullmatch(declared) else Kind.TEXT
    if not whole and len(begins) < _FIRST and b"\n" not in begins and not _CONTROLS.search(begins):
        return None
    # A text whose type does not say that it is one may be a table as well.
    return Kind.BINARY if _CONTROLS.search(begins[:_FIRST]) or not _is_utf8(begins[:_FIRST]) else Kind.NAMED


def wrapping(begins: bytes, *, whole: bool) -> int | None:
    """How many bytes stand before JSON that is wrapped, 0 for other bodies; None where more of it has to come."""
    if not whole and len(begins) < _FIRST and _MAY_BE_WRAPPED.match(begins):
        return None
    match = _WRAPPED.match(begins)
    return match.end() if match else 0


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"
    return True
