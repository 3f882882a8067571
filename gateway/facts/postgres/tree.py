"""The seam to the parser: PostgreSQL's own grammar (libpg_query, through postgast), as plain dictionaries.

A node is `{"SelectStmt": {...}}`; a field of a fixed struct type holds that struct's fields without the wrapper.
Fields that are zero, false or empty are left out. The JSON form of the tree is read, because walking dictionaries
costs a third of walking protobuf messages, and because its nesting can be refused before it is followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any, TypeAlias

import orjson

# By name, because a stub in the package (pg_query_pb2.pyi of 0.2.0) is not valid Python and stops a type checker.
_native: Any = import_module("postgast.native")
_scanner: Any = import_module("postgast.scan")
_errors: Any = import_module("postgast.errors")

Node: TypeAlias = dict[str, Any]

LARGEST = 65_536
"""Bytes of text that are parsed; a longer one is not read."""
SCANNED_FROM = 8_192
"""Bytes of text from which its nesting is bounded before the parser, which recurses, may see it."""
DEEPEST = 12_000
"""Tokens that may stand inside one another: what the parser's recursion needs stays below 2 MiB of stack."""

UNPARSED = "the text does not parse as PostgreSQL"
"""The one reason for which a text may be no SQL at all, to the target neither."""

_LONG_RUN = re.compile(r"[-~!@#^&|`?+*/%<>=]{1000}")
"""PostgreSQL's scanner takes quadratic time over such a run where a comment begins in it."""

_COMMA, _SEMICOLON = 44, 59
_OPENING, _CLOSING = frozenset({40, 91}), frozenset({41, 93})


class Unreadable(Exception):
    """A text that cannot be read; `str()` says why, in words that hold nothing of the text."""


def parse(text: str) -> list[Node]:
    """The statements of `text`, in order; raises `Unreadable`."""
    if "\0" in text:
        raise Unreadable("the text holds a NUL, behind which the parser sees nothing")
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise Unreadable("the text is not valid Unicode") from None
    if len(data) > LARGEST:
        raise Unreadable(
            f"the text is longer than the {LARGEST} bytes that are read; shorter statements, or COPY, can be judged"
        )
    if _LONG_RUN.search(text):
        raise Unreadable("the text holds a run of operator characters that is too long")
    if len(data) > SCANNED_FROM:
        _refuse_deep(text)
    try:
        tree = _tree(data)
    except _errors.PgQueryError:
        plain = _without_comments(data)
        if plain == data:
            raise Unreadable(UNPARSED) from None
        try:
            tree = _tree(plain)
        except _errors.PgQueryError:
            raise Unreadable(UNPARSED) from None
    return [raw["stmt"] for raw in tree.get("stmts", ()) if raw.get("stmt")]


def _tree(data: bytes) -> Any:
    result = _native.lib.pg_query_parse(data)
    try:
        _errors.check_error(result)
        return orjson.loads(result.parse_tree)
    except orjson.JSONDecodeError:
        raise Unreadable("the text nests too deep") from None
    finally:
        _native.lib.pg_query_free_parse_result(result)


def _without_comments(data: bytes) -> bytes:
    """The text with blanks for comments.

    PostgreSQL's parser sees none; libpg_query's sees them where it looks one token ahead, and so refuses
    `NOT /* x */ IN` and its like.
    """
    if b"--" not in data and b"/*" not in data:
        return data
    try:
        tokens = _scanner.scan(data.decode()).tokens
    except _errors.PgQueryError:
        return data
    plain = bytearray(data)
    for token in tokens:
        if data[token.start : token.start + 2] in {b"--", b"/*"}:
            plain[token.start : token.end] = b" " * (token.end - token.start)
    return bytes(plain)


def _refuse_deep(text: str) -> None:
    """Raise `Unreadable` if tokens of one statement could stand more than `DEEPEST` inside one another."""
    try:
        tokens = _scanner.scan(text).tokens
    except _errors.PgQueryError:
        raise Unreadable(UNPARSED) from None
    outer: list[int] = []
    depth = base = 0
    for token in tokens:
        kind = token.token
        depth += 1
        if kind in _OPENING:
            outer.append(base)
            base = depth
        elif kind in _CLOSING:
            base = outer.pop() if outer else 0
        elif kind == _COMMA:
            depth = base
        elif kind == _SEMICOLON:
            depth = base = 0
            outer.clear()
        if depth > DEEPEST:
            raise Unreadable("the text nests too deep")


def typed(node: Node) -> tuple[str, Node]:
    """A wrapped node's type and fields."""
    return next(iter(node.items()))


def strings(nodes: list[Node] | None) -> list[str]:
    """The values of the `String` nodes among `nodes`: a dotted name's parts."""
    return [node["String"].get("sval", "") for node in nodes or () if "String" in node]


def constant(node: Node | None) -> str | None:
    """A literal's text, through casts; `None` where the value is not a literal."""
    while node and "TypeCast" in node:
        node = node["TypeCast"].get("arg")
    if not node or "A_Const" not in node:
        return None
    value = node["A_Const"]
    if "sval" in value:
        return str(value["sval"].get("sval", ""))
    if "boolval" in value:
        return "on" if value["boolval"].get("boolval") else "off"
    if "ival" in value:
        return str(value["ival"].get("ival", 0))
    if "fval" in value:
        return str(value["fval"].get("fval", ""))
    return None


def dotted(relation: Node) -> str:
    """A `RangeVar`'s name, lower-case, with its schema where one is written."""
    schema, name = relation.get("schemaname", ""), relation.get("relname", "")
    return (f"{schema}.{name}" if schema else name).lower()


_NAME = r'\s*(?:"((?:[^"]|"")+)"|([^\W\d"][\w$]*))\s*'
_NAMES = re.compile(rf"{_NAME}(?:\.{_NAME})?")


def named_so(text: str) -> str:
    """The table or type that a string names, as `dotted` has it; "" where it is another way to say one, as its number."""
    found = _NAMES.fullmatch(text)
    if found is None:
        return ""
    parts = [found[1], found[2], found[3], found[4]]
    return ".".join(part.replace('""', '"') for part in parts if part is not None).lower()


def children(value: object) -> Iterator[object]:
    """What stands directly inside a node, a struct or a list."""
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def scanned(text: str) -> list[str]:
    """The tokens of a text that need not parse, without comments; raises `Unreadable`."""
    try:
        data = text.encode()
        if len(data) > LARGEST or b"\0" in data:
            raise Unreadable("the text is too long to cut into tokens")
        tokens = _scanner.scan(text).tokens
    except (UnicodeEncodeError, _errors.PgQueryError):
        raise Unreadable("the text cannot be cut into tokens") from None
    found = [data[token.start : token.end].decode() for token in tokens]
    return [word for word in found if word[:2] not in {"--", "/*"}]


def words(text: str) -> list[tuple[int, int]]:
    """Where the tokens of `text`, which parses, begin and end in its UTF-8; comments are none."""
    data = text.encode()
    places = [(token.start, token.end) for token in _scanner.scan(text).tokens]
    return [(start, end) for start, end in places if data[start : start + 2] not in {b"--", b"/*"}]
