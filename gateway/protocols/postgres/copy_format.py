"""How the rows of a COPY are written, and the way from their bytes to values and back (PostgreSQL manual, COPY).

In text format a field has backslash escapes and a row ends with a newline; in CSV a field may be quoted, and a
quoted one may hold delimiters and newlines. A field that is put back is written as it was: quoted if it was quoted.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from gateway.facts.postgres.tree import Node
from gateway.protocols.postgres.encodings import codec_of, looks_like_ascii
from gateway.wire import ProtocolViolation


class CopyUnreadable(ProtocolViolation):
    """A COPY whose rows cannot be told apart, so that nothing of it can be masked or passed on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyFormat:
    """The options of a COPY that decide how its rows are written."""

    format: str = "text"
    """`text`, `csv` or `binary`."""
    delimiter: bytes = b"\t"
    null: bytes = b"\\N"
    quote: bytes = b'"'
    escape: bytes = b'"'
    header: bool = False
    codec: str = ""
    """Python's name of the encoding; "" for UTF-8."""

    @property
    def decoded(self) -> bool:
        """Rows have to be decoded to be told apart."""
        return looks_like_ascii(self.codec)

    def __post_init__(self) -> None:
        if self.format not in {"text", "csv", "binary"}:
            raise CopyUnreadable(
                f"rows in the format {self.format!r} cannot be masked; use text, csv or binary"
            )
        if any(len(sign) != 1 for sign in (self.delimiter, self.quote, self.escape)):
            raise CopyUnreadable("a COPY's delimiter, quote and escape are one byte each")

    def ends(self, data: bytes, start: int) -> int:
        """Where the row that begins at `start` ends, behind its newline; -1 if the end is not here yet."""
        if self.format == "text":
            return data.find(b"\n", start) + 1 or -1
        end, quoted = start, False
        while (stop := data.find(b"\n", end) + 1) > 0:
            quoted ^= self._turns(data[end:stop])
            if not quoted:
                return stop
            end = stop
        return -1

    def _turns(self, line: bytes) -> bool:
        """Whether a quoted field that is open before these bytes is closed behind them, or the other way round."""
        if self.escape != self.quote:
            line = line.replace(self.escape + self.escape, b"").replace(self.escape + self.quote, b"")
        return line.count(self.quote) % 2 == 1

    def split(self, row: bytes) -> list[bytes]:
        """The fields of a row without its newline, as they are written."""
        if self.format == "text":
            if b"\\" + self.delimiter not in row:
                return row.split(self.delimiter)
            return _text_fields(self.delimiter).findall(row + self.delimiter)
        if self.quote not in row:
            return row.split(self.delimiter)
        return self._split_csv(row)

    def _split_csv(self, row: bytes) -> list[bytes]:
        fields = []
        start = at = 0
        delimiter, quote, escape = self.delimiter[0], self.quote[0], self.escape[0]
        quoted = False
        while at < len(row):
            sign = row[at]
            if quoted and sign == escape and at + 1 < len(row) and row[at + 1] in {escape, quote}:
                at += 2
                continue
            if sign == quote:
                quoted = not quoted
            elif sign == delimiter and not quoted:
                fields.append(row[start:at])
                start = at + 1
            at += 1
        fields.append(row[start:])
        return fields

    def read(self, field: bytes) -> bytes | None:
        """The value of a field as it is written; None is NULL."""
        if field == self.null:
            return None
        if self.format == "text":
            return _ESCAPE.sub(_unescaped, field) if b"\\" in field else field
        if field[:1] != self.quote or field[-1:] != self.quote or len(field) < 2:
            return field
        inner = field[1:-1]
        inner = inner.replace(self.escape + self.quote, self.quote)
        return inner if self.escape == self.quote else inner.replace(self.escape + self.escape, self.escape)

    def write(self, value: bytes | None, *, like: bytes) -> bytes:
        """`value` as a field, quoted if `like`, the field in whose place it stands, was quoted."""
        if value is None:
            return self.null
        if self.format == "text":
            return re.sub(_special(self.delimiter), _escaped, value)
        needs = (
            like[:1] == self.quote
            or value == self.null
            or any(sign in value for sign in (self.delimiter, self.quote, b"\n", b"\r"))
        )
        if not needs:
            return value
        if self.escape != self.quote:
            value = value.replace(self.escape, self.escape + self.escape)
        return self.quote + value.replace(self.quote, self.escape + self.quote) + self.quote


_ESCAPE = re.compile(rb"\\(x[0-9A-Fa-f]{1,2}|[0-7]{1,3}|.)", re.DOTALL)
_LETTERS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_BACK = {sign: b"\\" + letter for letter, sign in _LETTERS.items()}


def _unescaped(match: re.Match[bytes]) -> bytes:
    body = match[1]
    if body[:1] == b"x" and len(body) > 1:
        return bytes((int(body[1:], 16),))
    if body.isdigit() and body[0] < 0x38:
        return bytes((int(body, 8) & 0xFF,))
    return _LETTERS.get(body, body)


def _escaped(match: re.Match[bytes]) -> bytes:
    return _BACK.get(match[0], b"\\" + match[0])


@functools.cache
def _special(delimiter: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"[\\\x08\f\n\r\t\v" + re.escape(delimiter) + rb"]")


@functools.cache
def _text_fields(delimiter: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"((?:[^\\%b]|\\.)*)%b" % (re.escape(delimiter), re.escape(delimiter)), re.DOTALL)


def copy_format(copy: Node, *, encoding: str = "") -> CopyFormat:
    """How a `CopyStmt` writes its rows for a client of this encoding.

    Raises `CopyUnreadable` where rows written so cannot be told apart.
    """
    said: dict[str, Node | None] = {
        option["DefElem"]["defname"].lower(): option["DefElem"].get("arg")
        for option in copy.get("options", ())
    }
    name = (_word(said.get("format")) or "text").lower()
    csv = name == "csv"
    quote = _word(said.get("quote")) or '"'
    spoken = _word(said.get("encoding")) or encoding
    return CopyFormat(
        format=name,
        delimiter=(_word(said.get("delimiter")) or ("," if csv else "\t")).encode(),
        null=(_word(said["null"]) if "null" in said else "" if csv else "\\N").encode(),
        quote=quote.encode(),
        escape=(_word(said.get("escape")) or quote).encode(),
        header="header" in said and (_word(said["header"]) or "true").lower() not in {"false", "off", "0"},
        codec=codec_of(spoken),
    )


def _word(argument: Node | None) -> str:
    match argument:
        case {"String": {"sval": str(word)}}:
            return word
        case {"Boolean": flag}:
            return str(bool(flag.get("boolval"))).lower()
        case {"Integer": number}:
            return str(number.get("ival", 0))
        case _:
            return ""
