"""PostgreSQL protocol 3: bytes to messages and back, strictly, without state.

What does not have exactly the shape of PostgreSQL's "Message Formats"
(https://www.postgresql.org/docs/current/protocol-message-formats.html) raises `ProtocolViolation`.
Names stay bytes: two names are the same statement exactly when their bytes are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from struct import Struct
from typing import Final

from gateway.protocols.postgres.frames import bind
from gateway.wire import ProtocolViolation

HEADER = Struct(">BI")
"""Tag and length of every message after start-up; the length counts itself, not the tag."""

SSL_REQUEST = 80877103
GSSENC_REQUEST = 80877104
CANCEL_REQUEST = 80877102
PROTOCOL_3_0 = 0x30000
PROTOCOL_3_2 = 0x30002

FLUSH = b"H\0\0\0\4"
SYNC = b"S\0\0\0\4"
TERMINATE = b"X\0\0\0\4"
AUTHENTICATION_OK = b"R\0\0\0\x08\0\0\0\0"
CLEARTEXT_PASSWORD = b"R\0\0\0\x08\0\0\0\x03"

INVISIBLE_FIELDS = frozenset(bytes((letter,)) for letter in b"SVCPpFLRsdtcn")
"""Fields of an error that hold codes, positions and names; every other field is text that may quote data."""

_LENGTH = Struct(">I")
_SHORT = Struct(">h")
_COUNT = Struct(">H")
_LONG = Struct(">i")


class Body:
    """Reads one message's body from the front; `end` makes sure that nothing is left over."""

    __slots__ = ("_data", "_end", "_pos")

    def __init__(self, data: bytes, start: int = 0, end: int | None = None) -> None:
        self._data = data
        self._pos = start
        self._end = len(data) if end is None else end

    def take(self, count: int) -> bytes:
        pos = self._pos
        if count < 0 or pos + count > self._end:
            raise ProtocolViolation("a message is shorter than its fields say")
        self._pos = pos + count
        return self._data[pos : pos + count]

    def text(self) -> bytes:
        """A zero-terminated string, without its zero."""
        end = self._data.find(b"\0", self._pos, self._end)
        if end < 0:
            raise ProtocolViolation("a string in a message has no end")
        text = self._data[self._pos : end]
        self._pos = end + 1
        return text

    def byte(self) -> bytes:
        return self.take(1)

    def int32(self) -> int:
        return int(_LONG.unpack(self.take(4))[0])

    def count(self) -> int:
        """An Int16 that says how many follow: without a sign, as servers read it."""
        return int(_COUNT.unpack(self.take(2))[0])

    def shorts(self) -> tuple[int, ...]:
        """An Int16 count, and as many Int16."""
        count = self.count()
        return Struct(f">{count}h").unpack(self.take(2 * count))

    def rest(self) -> bytes:
        return self.take(self._end - self._pos)

    def end(self) -> None:
        if self._pos != self._end:
            raise ProtocolViolation("a message is longer than its fields say")


def frame(tag: bytes, *parts: bytes) -> bytes:
    """One message: tag, length, and the parts as its body."""
    return b"".join((tag, _LENGTH.pack(4 + sum(map(len, parts))), *parts))


def text(value: str) -> bytes:
    """A zero-terminated string; what cannot stand in one is left out."""
    return value.replace("\0", "").encode("utf-8", "replace") + b"\0"


# What a client sends.


@dataclass(frozen=True, slots=True)
class Parse:
    name: bytes
    query: bytes
    types: tuple[int, ...]


class Bind:
    """Made for every execution, so its constructor is one that compiles."""

    __slots__ = ("exact", "formats", "portal", "results", "statement", "values")

    def __init__(
        self,
        portal: bytes,
        statement: bytes,
        formats: tuple[int, ...],
        values: tuple[bytes | None, ...],
        results: tuple[int, ...],
        exact: bytes = b"",
    ) -> None:
        self.portal: Final = portal
        self.statement: Final = statement
        self.formats: Final = formats
        self.values: Final = values
        self.results: Final = results
        self.exact: Final = exact
        """The bytes that say what is bound: formats, values, and the formats wanted of the result."""

    def format(self, index: int) -> int:
        """0 text or 1 binary: how value number `index` is written."""
        return _format_of(self.formats, index)


def _format_of(formats: tuple[int, ...], index: int) -> int:
    if not formats:
        return 0
    return formats[0] if len(formats) == 1 else formats[index]


def read_query(data: bytes, start: int, end: int) -> bytes:
    """The text of a Query's body, `data[start:end]`."""
    if end <= start or data.find(b"\0", start, end) != end - 1:
        raise ProtocolViolation("a query's text does not end where its message ends")
    return data[start : end - 1]


def read_parse(data: bytes, start: int, end: int) -> Parse:
    body = Body(data, start, end)
    name, query = body.text(), body.text()
    count = body.count()
    types = Struct(f">{count}I").unpack(body.take(4 * count))
    body.end()
    return Parse(name, query, types)


def read_bind(data: bytes, start: int, end: int) -> Bind:
    portal, statement, formats, values, results, bound = bind(data, start, end)
    return Bind(portal, statement, formats, values, results, data[bound:end])


def read_execute(data: bytes, start: int, end: int) -> bytes:
    """The portal whose rows are wanted; how many of them at most is the server's to read."""
    if end - start < 5 or data.find(b"\0", start, end) != end - 5:
        raise ProtocolViolation("an Execute has another length than its fields say")
    return data[start : end - 5]


def read_target(data: bytes, start: int, end: int) -> tuple[int, bytes]:
    """What a Describe or Close names: `S` or `P`, and the name."""
    if end - start < 2 or data.find(b"\0", start + 1, end) != end - 1 or data[start] not in b"SP":
        raise ProtocolViolation("a Describe or Close names neither a statement nor a portal")
    return data[start], data[start + 1 : end - 1]


def parse(name: bytes, query: bytes) -> bytes:
    return frame(b"P", name, b"\0", query, b"\0", b"\0\0")


def describe_statement(name: bytes) -> bytes:
    return frame(b"D", b"S", name, b"\0")


def close_statement(name: bytes) -> bytes:
    return frame(b"C", b"S", name, b"\0")


def query(statement: bytes) -> bytes:
    return frame(b"Q", statement, b"\0")


def describe_portal(name: bytes) -> bytes:
    return frame(b"D", b"P", name, b"\0")


def password(secret: bytes) -> bytes:
    return frame(b"p", secret)


def startup(parameters: Mapping[str, str]) -> bytes:
    """A StartupMessage of protocol 3.0, which every server speaks."""
    pairs = b"".join(text(name) + text(value) for name, value in parameters.items())
    body = PROTOCOL_3_0.to_bytes(4, "big") + pairs + b"\0"
    return _LENGTH.pack(4 + len(body)) + body


def untagged(code: int, rest: bytes = b"") -> bytes:
    """SSLRequest, CancelRequest: a length, a code, and what follows it."""
    return _LENGTH.pack(8 + len(rest)) + code.to_bytes(4, "big") + rest


# What a server sends.


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a RowDescription."""

    name: str
    table_oid: int
    attnum: int
    type_oid: int
    format: int
    modifier: int = -1
    """What the type is limited to (`atttypmod`): a length, a precision and scale."""


_COLUMN = Struct(">IhIhih")


def read_row_description(data: bytes, start: int, end: int) -> tuple[Column, ...]:
    body = Body(data, start, end)
    columns = []
    for _ in range(body.count()):
        name = body.text().decode("utf-8", "surrogateescape")
        table_oid, attnum, type_oid, _, modifier, written = _COLUMN.unpack(body.take(_COLUMN.size))
        columns.append(Column(name, table_oid, attnum, type_oid, written, modifier))
    body.end()
    return tuple(columns)


def with_formats(description: bytes, formats: tuple[int, ...]) -> bytes:
    """A whole RowDescription message as it would be with these result formats (none, one, or one each)."""
    out = bytearray(description)
    pos = 7
    for index in range(int.from_bytes(description[5:7], "big")):
        pos = description.index(b"\0", pos) + 1 + _COLUMN.size
        try:
            out[pos - 2 : pos] = _SHORT.pack(_format_of(formats, index))
        except IndexError:
            raise ProtocolViolation(
                "a Bind asks for more or fewer result formats than there are columns"
            ) from None
    return bytes(out)


def read_parameter_types(data: bytes, start: int, end: int) -> tuple[int, ...]:
    body = Body(data, start, end)
    count = body.count()
    types = Struct(f">{count}I").unpack(body.take(4 * count))
    body.end()
    return types


def read_status(data: bytes, start: int, end: int) -> tuple[str, str]:
    """A ParameterStatus: name and value."""
    body = Body(data, start, end)
    name, value = body.text(), body.text()
    body.end()
    return name.decode("utf-8", "replace"), value.decode("utf-8", "replace")


def read_fields(data: bytes, start: int, end: int) -> dict[bytes, bytes]:
    """An ErrorResponse or NoticeResponse: field letter -> text."""
    body = Body(data, start, end)
    fields: dict[bytes, bytes] = {}
    while (letter := body.byte()) != b"\0":
        fields[letter] = body.text()
    body.end()
    return fields


def write_fields(tag: bytes, fields: Iterable[tuple[bytes, bytes]]) -> bytes:
    return frame(tag, *(letter + value + b"\0" for letter, value in fields), b"\0")


def error(code: str, message: str, *, detail: str = "", hint: str = "", severity: str = "ERROR") -> bytes:
    """An ErrorResponse as a server would write it."""
    return _report(b"E", severity, code, message, detail, hint)


def notice(message: str, *, detail: str = "") -> bytes:
    return _report(b"N", "NOTICE", "00000", message, detail, "")


def _report(tag: bytes, severity: str, code: str, message: str, detail: str, hint: str) -> bytes:
    fields = [(b"S", text(severity)), (b"V", text(severity)), (b"C", text(code)), (b"M", text(message))]
    if detail:
        fields.append((b"D", text(detail)))
    if hint:
        fields.append((b"H", text(hint)))
    return frame(tag, *(letter + value for letter, value in fields), b"\0")


def ready(status: int) -> bytes:
    """ReadyForQuery with the transaction status byte `I`, `T` or `E`."""
    return b"Z\0\0\0\5" + bytes((status,))


def parameter_status(name: str, value: str) -> bytes:
    return frame(b"S", text(name), text(value))


def negotiate(version: int, unknown: Iterable[bytes]) -> bytes:
    """NegotiateProtocolVersion: what we speak, and the `_pq_.` options nobody here knows."""
    names = list(unknown)
    return frame(
        b"v", version.to_bytes(4, "big"), len(names).to_bytes(4, "big"), *(name + b"\0" for name in names)
    )


def sasl(mechanisms: Iterable[str]) -> bytes:
    return frame(b"R", (10).to_bytes(4, "big"), *(text(name) for name in mechanisms), b"\0")


def sasl_step(kind: int, data: bytes) -> bytes:
    """AuthenticationSASLContinue (11) or AuthenticationSASLFinal (12)."""
    return frame(b"R", kind.to_bytes(4, "big"), data)


def sasl_initial(mechanism: str, data: bytes) -> bytes:
    return frame(b"p", text(mechanism), len(data).to_bytes(4, "big"), data)
