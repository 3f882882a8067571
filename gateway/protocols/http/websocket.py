"""Frames of WebSocket (RFC 6455), without extensions."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Final

from gateway.protocols.http.framing import Malformed

CONTINUED, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
_KNOWN: Final = frozenset({CONTINUED, TEXT, BINARY, CLOSE, PING, PONG})
_SHORT, _LONG, _CONTROL_MOST = 126, 127, 125
_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@dataclass(frozen=True, slots=True)
class Frame:
    kind: int
    ends: bool
    """The message has no more frames."""
    data: bytes
    raw: bytes
    """As it came."""


def accept(key: bytes) -> bytes:
    """What a server answers to a client's key."""
    return base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())


def take_frame(inbox: bytearray, *, masked: bool, longest: int) -> Frame | None:
    """The first frame, once it is whole. `masked`: as a client has to send it. Raises `Malformed`."""
    if len(inbox) < 2:
        return None
    kind, said = inbox[0] & 0x0F, inbox[1] & 0x7F
    if inbox[0] & 0x70 or kind not in _KNOWN:
        raise Malformed("a frame is of no kind that was agreed on")
    if bool(inbox[1] & 0x80) is not masked:
        raise Malformed("a frame is masked as its sender may not")
    ends = bool(inbox[0] & 0x80)
    if kind >= CLOSE and not (ends and said <= _CONTROL_MOST):
        raise Malformed("a control frame is too long, or not whole")
    wide = {_SHORT: 2, _LONG: 8}.get(said, 0)
    if len(inbox) < 2 + wide:
        return None
    size = int.from_bytes(inbox[2 : 2 + wide]) if wide else said
    if wide and size < (_SHORT if wide == 2 else 1 << 16):
        raise Malformed("the length of a frame is written too long")
    if size > longest:
        raise Malformed("a frame is longer than it may be")
    start = 2 + wide + (4 if masked else 0)
    if len(inbox) < start + size:
        return None
    raw = bytes(inbox[: start + size])
    del inbox[: start + size]
    data = raw[start:]
    return Frame(kind, ends, _unmasked(data, raw[start - 4 : start]) if masked else data, raw)


def frame(kind: int, data: bytes) -> bytes:
    """A whole message, as a server sends it."""
    size = len(data)
    if size < _SHORT:
        head = bytes((0x80 | kind, size))
    elif size < 1 << 16:
        head = bytes((0x80 | kind, _SHORT)) + size.to_bytes(2)
    else:
        head = bytes((0x80 | kind, _LONG)) + size.to_bytes(8)
    return head + data


def _unmasked(data: bytes, key: bytes) -> bytes:
    size = len(data)
    whole = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(data) ^ int.from_bytes(whole)).to_bytes(size)
