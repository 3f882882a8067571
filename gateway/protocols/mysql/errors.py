"""OK, EOF and ERR packets, and what of an error's text a client may see that has to be masked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gateway.protocols.mysql import packets
from gateway.protocols.mysql.packets import Body
from gateway.wire import Mask, ProtocolViolation

IN_TRANSACTION: Final = 0x0001
AUTOCOMMIT: Final = 0x0002
MORE_RESULTS: Final = 0x0008
CURSOR_EXISTS: Final = 0x0040
LAST_ROW_SENT: Final = 0x0080
WITHHELD = "(withheld: answers on this connection are masked)"
LONGEST = 500
"""Bytes of a message that clients take: MYSQL_ERRMSG_SIZE is 512."""

_NAMES_ALONE = frozenset({1044, 1049, 1050, 1051, 1054, 1142, 1143, 1146, 1205, 1213, 1317, 3024, 1969})
"""Errors that quote names or nothing: of databases, tables, columns of the text, and those who may not."""
_DATA_STATES = ("22", "23")
_DATA_CODES = frozenset({1105, 1231, 1265, 1292, 1366, 1411, 1525, 1526, 1644, 3819, 4025})
"""Errors that quote values under states that do not say so."""
_SYNTAX: Final = 1064
_NEAR = re.compile(
    r"You have an error in your SQL syntax; check the manual that corresponds to your (?:MariaDB|MySQL) server version "
    r"for the right syntax to use near '(.*)' at line (\d{1,9})",
    re.DOTALL,
)
_NEAR_MOST = 80
"""Characters that a syntax error quotes."""
_TRIMMED = " \t\r\n;\0"
"""What servers cut off a text's end."""
_QUOTED = re.compile(r"('.*'|\".*\"|: .*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Done:
    """An OK packet, or an EOF packet, whose `affected` is 0."""

    affected: int
    status: int
    warnings: int


@dataclass(frozen=True, slots=True)
class Failed:
    code: int
    state: str
    """"" where the server gave none, as in its first packet."""
    message: bytes

    @property
    def outcome(self) -> str:
        return f"ERR {self.code} {self.state}".rstrip()


def read_ok(payload: bytes) -> Done:
    body = Body(payload, 1)
    affected = body.counted()
    body.counted()
    status, warnings = body.number(2), body.number(2)
    return Done(affected, status, warnings)


def read_eof(payload: bytes) -> Done:
    body = Body(payload, 1)
    warnings, status = body.number(2), body.number(2)
    body.over()
    return Done(0, status, warnings)


def is_eof(payload: bytes) -> bool:
    return payload[:1] == b"\xfe" and len(payload) < packets.LONGEST_EOF


def read_err(payload: bytes) -> Failed:
    body = Body(payload, 1)
    code = body.number(2)
    if code == 0xFFFF:
        raise ProtocolViolation("the server reports progress, which was not negotiated")
    state = ""
    if payload[3:4] == b"#":
        body.take(1)
        state = body.take(5).decode("ascii", "replace")
    return Failed(code, state, body.rest())


def err(code: int, state: str, message: str, sequence: int) -> bytes:
    """An ERR packet; `state` "" before a client has said how it speaks."""
    said = message.replace("\0", "").encode("utf-8", "replace")
    if len(said) > LONGEST:
        said = said[: LONGEST - 3].decode("utf-8", "ignore").encode() + "…".encode()
    marked = b"#" + state.encode("ascii", "replace") if state else b""
    return packets.frame(b"\xff" + code.to_bytes(2, "little") + marked + said, sequence)


def ok(sequence: int, *, status: int) -> bytes:
    return packets.frame(b"\0\0\0" + status.to_bytes(2, "little") + b"\0\0", sequence)


def mask_error(
    payload: bytes, mask: Mask, *, reads_hidden: bool, text: str = "", runs_code: bool = True
) -> bytes:
    """An ERR payload with its text masked; its code and state stay.

    Errors of data quote the values that they are about (`Duplicate entry '...'`, `Truncated incorrect ... value: '...'`), of
    columns that cannot be told from the message: those quotations are withheld. Where a statement may have read a column
    that a rule names (`reads_hidden`), every text is withheld but those that name things alone, and what the server says of
    the syntax of `text` itself. Code at the server can give any number to a text of its own (SIGNAL), so that where some may
    run (`runs_code`), names alone are no reason to keep one.
    """
    failed = read_err(payload)
    said = failed.message.decode("utf-8", "replace")
    names = failed.code in _NAMES_ALONE and not runs_code
    if reads_hidden and not names and not (failed.code == _SYNTAX and _is_of(said, text)):
        said = WITHHELD
    else:
        if failed.state.startswith(_DATA_STATES) or failed.code in _DATA_CODES:
            said = _QUOTED.sub(WITHHELD, said)
        said = mask.text(said)
    head = payload[: len(payload) - len(failed.message)]
    return head + said.replace("\0", "").encode("utf-8", "replace")


def _is_of(said: str, text: str) -> bool:
    """Whether a syntax error quotes the rest of this very text, and so nothing else, from the line where that begins."""
    found = _NEAR.fullmatch(said)
    if found is None or not text:
        return False
    whole, near = text.rstrip(_TRIMMED), found[1].rstrip(_TRIMMED)
    at = (
        len(whole) - len(near)
        if whole.endswith(near)
        else whole.find(near)
        if len(near) >= _NEAR_MOST - 4
        else -1
    )
    return at >= 0 and int(found[2]) == whole.count("\n", 0, at) + 1
