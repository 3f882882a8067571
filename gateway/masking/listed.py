"""Values of columns, in rows of CSV, in tables as clients print them, in `INSERT` and `COPY`: what the column is called they are not beside.

A column's name speaks for each of its values as a word before it would: a value is hidden if `name: value` would be. The
rows must be near, within what a stream remembers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.masking.linear import linear
from gateway.masking.shapes import Shape, Span, word
from gateway.masking.values import is_strong, looks_secret

_FARTHEST = 640
"""Bytes from a column's name to the end of its last value that is looked at."""
_FARTHEST_HEAD = 384
"""Bytes before the name in which its header begins."""
_INTO = re.compile(rb"(?i)\b(?:insert|replace)\s+(?:ignore\s+)?into\s+[^\s\0()]{1,80}\s*\(([^()\0]*)\Z")
_COPY = re.compile(rb"(?i)\bcopy\s+[^\s\0()]{1,80}\s*\(([^()\0]*)\Z")
_PART = re.compile(rb"(?i)content-disposition:[ \t]*form-data;[ \t]*name=\"?(?=[\w.\[\]-]{0,60}\Z)")
_FIELD = re.compile(
    rb"([\w.\[\]-]{1,60})\"?[ \t]*(?:(?:\r?\n)[A-Za-z-]{4,40}:[^\r\n\0]{0,128})*\r?\n\r?\n([^\r\n\0]{1,400})(?=\r?\n|\Z)"
)
_VALUES = re.compile(rb"([^()\0]*)\)\s*(?i:values?)\s*\(")
_COPIED = re.compile(
    rb"(?i)([^()\0]*)\)\s*(?:from\s+stdin|to\s+stdout)\b([^;\r\n\0]{0,80});?[ \t]*+(?=\r?\n)"
)
# No `*+` behind a group: Python before 3.11.5 matches that wrongly (python/cpython#106052).
_EXPRESSION = re.compile(
    rb"\s*+((?:[NnEeXxBb]?'[^'\\\0]*+(?:(?:''|\\.)[^'\\\0]*+)*(?:'|\\?(?=\0|\Z))"
    rb"|\"[^\"\0]*+(?:\"|\Z)"
    rb"|[^,()'\"\0]++(?:\([^()\0]*+(?:\([^()\0]*+\)[^()\0]*+)*\))?)?)\s*+([,)]?)",
    re.DOTALL,
)
_CONSTANT = re.compile(rb"[NEXB]?['\"]|[0-9]")
_NEXT = re.compile(rb"\s*,\s*\(")
_NAME = re.compile(rb"[ ]*[\"'`]?[A-Za-z_\x80-\xff][\w .()/#\x80-\xff-]{0,40}[\"'`]?[ ]*")
_NAMES_OF_MANY = re.compile(rb"(?i)pass|pwd|secret|token|key|phone|mobil|tel|fax|ssn|id|account")
_RULE = re.compile(rb"[-+|=: ]+")
_LINE = re.compile(rb"[^\r\n\0]*")
_NEWLINE = re.compile(rb"\r?\n")
_CELL = {
    sign: re.compile(
        rb"(?:[ ]*+\"[^\"\r\n\0]*+(?:\"\"[^\"\r\n\0]*+)*\"[ ]*+(?=%b|\Z)|[^%b\r\n\0]*+)"
        % (2 * (re.escape(sign),))
    )
    for sign in (b"\t", b"|", b";", b",")
}


def columns(words: bytes, shapes: tuple[Shape, ...], *, strong: bool = False) -> Shape:
    """Columns that are called so; their values are what these shapes find behind a name, if `strong` only what no word is."""

    def spans(data: bytes, start: int, _end: int) -> Iterator[Span]:
        data = data[: start + _FARTHEST]
        head = max(0, start - _FARTHEST_HEAD)
        if (part := _PART.search(data, max(0, start - 80), start)) is not None:
            yield from _in_part(data, part.end(), shapes)
            return
        for list_before, values in ((_INTO, _inserted), (_COPY, _copied)):
            if (opened := list_before.search(data[head:start])) is None:
                continue
            yield from (
                span
                for name, cell in values(data, head + opened.start(1), start)
                if (span := _told(data, shapes, name, cell)) is not None
            )
            return
        for name, cell in _below(data, start):
            span = _told(data, shapes, name, cell)
            if span is not None and (
                not strong or _is_secret(data[slice(*span)]) or _of_passwords(name, data[slice(*span)])
            ):
                yield span

    return word(
        rb"(?i:"
        + words
        + rb")(?:[_ ]?[A-Za-z0-9]{1,12})?[\"'`]?[ \t]{0,16}(?:[,;|\t]|\r?\n|\)\s{0,8}(?i:values?|from|to)\b)",
        spans=spans,
    )


def _in_part(data: bytes, name: int, shapes: tuple[Shape, ...]) -> Iterator[Span]:
    """The field of a form that is sent in parts (RFC 7578), where it is one line."""
    field = _FIELD.match(data, name)
    if field is None:
        return
    span = _told(data, shapes, field[1], field.span(2))
    if span is not None:
        yield span


def _is_secret(value: bytes) -> bool:
    return is_strong(value) or looks_secret(value, least=4)


_PASSWORDS = re.compile(
    rb"(?i)[ \"'`]*(?:pass(?:word|wd|phrase)|pwd|passwort|kennwort|senha|contrase(?:n|\xc3\xb1)a)[ \"'`]*"
)


def _of_passwords(name: bytes, value: bytes) -> bool:
    """Whether this is a word below nothing but `password`: people choose such ones."""
    return _PASSWORDS.fullmatch(name) is not None and len(value) > 5 and b" " not in value


def _told(data: bytes, shapes: tuple[Shape, ...], name: bytes, cell: Span) -> Span | None:
    """What of the cell would be hidden behind the column's name."""
    value = data[slice(*cell)]
    begin = cell[0] + len(value) - len(value.lstrip(b" "))
    value = value.lstrip(b" ")
    if value[:1] not in {b"'", b'"'}:  # blanks at the end of an open quote are the value's
        value = value.rstrip(b" ")
    if len(value) < 3:  # nothing so short is a value anywhere
        return None
    text = name.strip(b" \"'`") + b": " + value
    first = len(text) - len(value)
    for shape in shapes:
        for match in linear(shape.pattern).finditer(text):
            span = shape.judge(text, *match.span())
            if span is not None and span[0] >= first:
                return span[0] - first + begin, span[1] - first + begin
    return None


def _inserted(data: bytes, opened: int, start: int) -> Iterator[tuple[bytes, Span]]:
    """The name at `start` in the list that is opened before it, with each of its values."""
    if (values := _VALUES.match(data, start)) is None:
        return
    names = data[opened : values.end(1)].split(b",")
    place = data.count(b",", opened, start)
    at = values.end()
    while True:
        cells: list[Span] = []
        more = b","
        while more == b",":
            cell = _EXPRESSION.match(data, at)
            if cell is None or cell.end() == at:
                break
            cells.append(cell.span(1))
            at, more = cell.end(), cell[2]
        if place < len(cells) and _CONSTANT.match(data, cells[place][0]):
            yield names[place], cells[place]
        if more != b")" or (following := _NEXT.match(data, at)) is None:
            return
        at = following.end()


def _copied(data: bytes, opened: int, start: int) -> Iterator[tuple[bytes, Span]]:
    """The name at `start` in the list of a `COPY`, with each of its values in the rows that follow, as `pg_dump` writes them."""
    if (rows := _COPIED.match(data, start)) is None:
        return
    names = data[opened : rows.end(1)].split(b",")
    place = data.count(b",", opened, start)
    sign = b"," if b"csv" in rows[2].lower() else b"\t"
    at = rows.end()
    while len(names) > 1 and (newline := _NEWLINE.match(data, at)) is not None:
        line = _LINE.match(data, newline.end())
        assert line is not None
        at = line.end()
        cells = _cells(data, *line.span(), sign)
        if len(cells) != len(names) and not (at == len(data) and place < len(cells) < len(names)):
            return
        yield names[place], cells[place]


def _below(data: bytes, start: int) -> Iterator[tuple[bytes, Span]]:
    """The name at `start`, if its line is the header of a table, with each of its values below."""
    begin = max(data.rfind(b"\n", 0, start), data.rfind(b"\0", 0, start)) + 1
    line = _LINE.match(data, begin)
    if line is None or start - begin > _FARTHEST_HEAD:
        return
    sign = next((sign for sign in _CELL if sign in line.group()), None)
    if sign is None:
        return
    header = _cells(data, *line.span(), sign)
    if not _all_names(data, header, sign):
        return
    place = next(index for index, (_, last) in enumerate(header) if start <= last)
    at = line.end()
    while (newline := _NEWLINE.match(data, at)) is not None:
        line = _LINE.match(data, newline.end())
        assert line is not None
        at = line.end()
        if _RULE.fullmatch(line.group()):
            continue
        cells = _cells(data, *line.span(), sign)
        if _all_names(data, cells, sign) and _NAMES_OF_MANY.search(line.group()):
            return  # another header: no line is read for more than one
        if len(cells) != len(header) and not (at == len(data) and place < len(cells) < len(header)):
            return
        yield data[slice(*header[place])], cells[place]


def _all_names(data: bytes, cells: list[Span], sign: bytes) -> bool:
    return all(_NAME.fullmatch(data, *cell) or (sign == b"|" and cell[1] - cell[0] < 2) for cell in cells)


def _cells(data: bytes, begin: int, end: int, sign: bytes) -> list[Span]:
    cells: list[Span] = []
    at = begin
    while True:
        cell = _CELL[sign].match(data, at, end)
        assert cell is not None
        cells.append(cell.span())
        if cell.end() >= end:
            return cells
        at = cell.end() + 1
