"""Values that no quotes hold and that go on to the end of their line, as INI, YAML, `.properties` and `.env` files have them.

`password = two words` is one value where the name begins its line. Where a sentence, another pair, an option or code goes on,
the value is its first word.
"""

from __future__ import annotations

import re

from gateway.masking.linear import linear
from gateway.masking.shapes import Span
from gateway.masking.values import SENTENCE, is_value

LONGEST = 160
_BEFORE = 96
_BEGINS = re.compile(
    rb"(?:\A|[\r\n\0])[ \t]{0,40}(?:[#;][ \t]{0,2})?(-[ \t]{1,3})?((?:export|set|setx)[ \t])?[A-Za-z_][A-Za-z0-9_.-]{0,60}\Z|(?:\A|[\r\n\0])[ \t]{0,40}(?:[#;][ \t]{0,2})?(-[ \t]{1,3})?\Z"
)
_SEPARATOR = re.compile(rb"[A-Za-z0-9_.-]*(?:[ \t]{0,16}=[ \t]{0,16}|[ \t]{0,8}:[ \t]{1,16})\Z")
_REST = re.compile(rb"[^\r\n\0]{1,%d}(?=[\r\n\0]|\Z)" % LONGEST)
_COMMENT = re.compile(rb"[ \t]+(?:[#;]|//|--[ \t]).*\Z")
_WORD = linear(rb"[A-Za-z0-9\x80-\xff][A-Za-z0-9\x80-\xff'.!?_@#$%^*+~&-]{0,40}")
_NAMES = re.compile(
    rb"(?i)\b(?:pass(?:word|phrase|wd)s?|user(?:name)?s?|accounts?|credentials?|login|string|value)\b"
)
"""Where such words follow, the line says what is meant by the name."""
_WRAPPED = re.compile(rb"(?:[^\s\0\\\"']{1,128}\\\r?\n[ \t]{0,32}){1,4}[^\s\0\\\"']{1,128}")
"""`.properties` go on where a line ends with a backslash."""
_MAY_BE_WRAPPED = re.compile(rb"\\(?:\r?\n[ \t]{0,32})?\Z")
_FURTHER = re.compile(rb"[;&,][ \t]{0,2}[A-Za-z_][\w ]{0,30}=|</|/>|\\[nrt\"']")
_OPERATOR = re.compile(rb"[;|<>]|&&")
_STOPS = frozenset({b'"', b"'", b"<", b">", b";", b"&", b"`"})
_ENDS_IN_CODE = (b'"', b"'", b"`", b";", b",", b")", b"]", b"}", b">", b"\\", b"|", b"&")


_JOINED = re.compile(
    rb"([\"'])(?:[ \t]{0,4}(?:\+|\.{1,2}|&)\s{0,64}|[ \t]{0,4}\\\r?\n[ \t]{0,64})[bBuUrRfN@]?\1[^\"'\\\r\n\0]{1,256}(?=\1)"
)
_NEXT_LINE = re.compile(
    rb"([\"'])[ \t]{0,4}\r?\n[ \t]{1,64}[bBuUrRfN@]?\1[^\"'\\\r\n\0]{1,256}(?=\1[ \t]{0,4}[)\r\n])"
)
_IN_PARENTHESES = re.compile(rb"\(\s{0,4}[bBuUrRfN@]?[\"']\Z")
_MAY_BE_JOINED = re.compile(
    rb"[\"'](?:[ \t]{0,4}\Z|[ \t]{0,4}(?:\+|\.{1,2}|&|\\)(?:\s{0,64}\Z|\s{0,64}[bBuUrRfN@]?(?:[\"'][^\"'\\\r\n\0]{0,256})?\Z))"
)
_MAY_BE_NEXT = re.compile(
    rb"[\"'][ \t]{0,4}(?:\r?\n[ \t]{0,64}(?:[bBuUrRfN@]?(?:[\"'][^\"'\\\r\n\0]{0,256}(?:[\"'][ \t]{0,4})?)?)?)?\Z"
)
_LED = re.compile(rb"(?:\A|[\r\n\0])[^\r\n\0\"'(\[{,]{1,120}[=:][ \t]{0,16}\Z")
_LED_TO_BLOCK = re.compile(rb"[|>][0-9]?[+-]?[ \t]{0,8}\r?\n([ \t]+)\Z")
_ELEMENT_ENDS = re.compile(rb"<[^\s\0]|[\r\n\0]")
_LINE_ENDS = re.compile(rb"[\r\n\0]")
_AMID = frozenset(b" \t\"'<>;&`")
CDATA = b"<![CDATA["
_TO_CLOSING = re.compile(rb"[^<>\r\n\0]{1,%d}(?=</)" % LONGEST)
_TO_CDATA_END = re.compile(rb"(?:[^\]\0]|\](?!\]>)){1,1024}(?=\]\]>)")


def of_element(data: bytes, first: Span | None) -> Span | None:
    """All that an element holds whose first word is a value: `<password>two words</password>`."""
    match = _TO_CLOSING.match(data, first[0]) if first is not None else None
    if match is None or _NAMES.search(match.group()):
        return first
    words = match.group().split()
    if any(SENTENCE.fullmatch(word) for word in words):
        return first
    return match.start(), match.start() + len(match.group().rstrip())


def of_entities(data: bytes, start: int, end: int) -> Span | None:
    """`<Password>P&lt;w</Password>`: of what a password is made the first sign that is written otherwise may come early."""
    match = _TO_CLOSING.match(data, end - 1) if b"pass" in data[start:end].lower() else None
    if match is None or not re.fullmatch(
        rb"[^\s&]*(?:&(?:amp|[lg]t|quot|apos|#[0-9]{1,5});[^\s&]*)+", match.group()
    ):
        return None
    return match.span() if is_value(data, match.span(), quoted=True) else None


def in_cdata(data: bytes, at: int) -> Span | None:
    """What stands between `<![CDATA[` and `]]>`."""
    match = _TO_CDATA_END.match(data, at)
    return match.span() if match is not None and is_value(data, match.span(), quoted=True) else None


def joined(data: bytes, span: Span) -> Span:
    """The literals of a program that are joined to the first, from its first letter to their last."""
    start, end = span
    nested = _IN_PARENTHESES.search(data, max(0, start - 8), start) is not None
    while (more := _JOINED.match(data, end) or (_NEXT_LINE.match(data, end) if nested else None)) is not None:
        end = more.end()
        if end - start > 1024:
            break
    return start, end


_ONLY_BLANKS = re.compile(rb" {1,16}\Z")
_CELL_BEGINS = re.compile(rb"[\t|;,] {0,16}\Z")
"""A cell of a table may hold more than one word."""


def may_go_on(data: bytes, start: int, end: int) -> bool:
    """Whether bytes to come behind the value from `start` to `end` could still belong to it, though one that ends values has."""
    if len(data) - end > 2 * LONGEST:
        return False
    following = data[end : end + 1]
    if data[start - 1 : start] in {b'"', b"'"}:
        if _MAY_BE_JOINED.match(data, end):
            return True
        return _IN_PARENTHESES.search(data, max(0, start - 8), start) is not None and bool(
            _MAY_BE_NEXT.match(data, end)
        )
    if (block := _LED_TO_BLOCK.search(data, max(0, start - 80), start)) is not None:
        behind = data[end:].lstrip(b"\r\n")
        return len(behind) <= len(block[1]) and block[1].startswith(behind)
    if _ONLY_BLANKS.match(data, end) and _CELL_BEGINS.search(data, max(0, start - 17), start):
        return True
    if data[start - 1 : start] == b"=" and _MAY_BE_WRAPPED.match(data, end):
        return True
    if following[0] not in _AMID or not (
        data[start - 1 : start] == b">" or _LED.search(data, max(0, start - 136), start)
    ):
        return False
    ends = _ELEMENT_ENDS if data[start - 1 : start] == b">" else _LINE_ENDS
    return ends.search(data, end, end + LONGEST) is None


def begins(data: bytes, start: int) -> re.Match[bytes] | None:
    """Whether the name that `start` stands in begins its line."""
    return _BEGINS.search(data, max(0, start - _BEFORE), start)


def to_line_end(data: bytes, start: int, at: int, first: Span, *, least: int) -> Span | None:
    """The value of more than its first word, or with signs in it that end a value elsewhere; None if it is its first word.

    The name's last part is at `start`, the value at `at`, and `first` is its first word. Of fewer than `least` words the
    first is the value.
    """
    led = begins(data, start)
    if led is None or first[0] != at or not _SEPARATOR.match(data, start, at):
        return None
    match = _REST.match(data, at)
    if match is None:
        return None
    if (wrapped := _WRAPPED.match(data, at)) is not None and data[at - 1 : at] == b"=":
        return wrapped.span()
    rest = _COMMENT.sub(b"", match.group()).rstrip(b" \t")
    words = rest.split()
    spaced = len(words) == 1 and data[at - 1 : at] == b" " and b"&" in rest
    if (
        spaced
        and not _FURTHER.search(rest.replace(b"&", b""))
        and not rest.rstrip(b"&").endswith(_ENDS_IN_CODE)
    ):
        return at, at + len(rest)  # no form has blanks round its signs
    if not words or _FURTHER.search(rest) or rest.endswith(_ENDS_IN_CODE) or len(rest) <= first[1] - first[0]:
        return None
    in_shell = (
        data[at - 1 : at] == b"=" and data[start:at].upper() == data[start:at] and not (led[1] or led[3])
    )
    if len(words) == 1 and rest == data[slice(*first)] + b"." and rest.count(b".") == 1:
        return at, at + len(rest)
    if len(words) == 1 and data[first[1] : first[1] + 1] in _STOPS:
        # `bob's`, `a;b`: the first word was cut where a value ends amid others
        return None if in_shell and _OPERATOR.search(rest) else (at, at + len(rest))
    if (
        not least <= len(words) <= 8
        or not all(_WORD.fullmatch(word) for word in words)
        or _NAMES.search(rest)
    ):
        return None
    if any(SENTENCE.fullmatch(word) for word in words):
        return None
    if max(least, 4 * in_shell) > 2 and not (
        len(words) >= 4 and all(word.isalpha() for word in words)
    ):  # PASSWORD=x make test
        return None
    return at, at + len(rest)
