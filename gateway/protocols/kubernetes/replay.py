"""The recorded bytes of one answer as text: of an exec, what its command printed and how it ended."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.protocols.http import replay
from gateway.protocols.http.framing import Malformed
from gateway.protocols.http.websocket import BINARY, take_frame
from gateway.protocols.kubernetes.channels import ERRORS, OUTPUT, STATUS

_GOES_ON = b"HTTP/1.1 101 "


def render(answer: bytes, shape: bytes) -> str:
    if not answer.startswith(_GOES_ON):
        return replay.render(answer, shape)
    head, _, frames = answer.partition(b"\r\n\r\n")
    printed = b"".join(_printed(frames))
    return "\n".join([replay.visible(head), "", replay.visible(printed).removesuffix("\n")])


def _printed(frames: bytes) -> Iterator[bytes]:
    inbox = bytearray(frames)
    try:
        while (got := take_frame(inbox, masked=False, longest=len(frames))) is not None:
            if got.kind == BINARY and got.data[:1] and got.data[0] in {OUTPUT, ERRORS}:
                yield got.data[1:]
            elif got.kind == BINARY and got.data[:1] and got.data[0] == STATUS:
                yield b"\n(" + got.data[1:].strip() + b")"
    except Malformed:
        yield b"\n(the rest is no WebSocket)"
