"""The recorded bytes of one answer as text: status, headers, and the body with nothing in it that a terminal obeys."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.masking.decoding import BodyLimits, BodyUnreadable, Chunked, Decoder
from gateway.protocols.http.codings import codings
from gateway.protocols.http.media import Kind, kind_of, says_text

MOST_SHOWN = 256 * 1024
"""Bytes of a body that are laid out; of those behind them only the number is told."""
_UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ue000-\uf8ff]"
)
_HEAD_ENDS = b"\r\n\r\n"
_FORWARD = re.compile(rb"HTTP/1\.[01] 1[0-9][0-9] ")
_BODILESS = re.compile(rb"HTTP/1\.[01] (?:1[0-9][0-9]|204|304)\b")


def render(answer: bytes, shape: bytes) -> str:
    """`answer`: head and body as the client got them, interim answers included. `shape`: the request's method.

    A recording that was cut ends in a line that says so.
    """
    shown: list[str] = []
    while True:
        head, ended, body = answer.partition(_HEAD_ENDS)
        shown.append(visible(head))
        if not ended:
            shown.append("(cut: the head does not end)" if head else "(no answer)")
            return "\n".join(filter(None, shown))
        if not _FORWARD.match(head):
            break
        shown.append("")
        answer = body
    if shape != b"HEAD" and not _BODILESS.match(head):
        shown += _body(head, body)
    return "\n".join(shown)


def _body(head: bytes, body: bytes) -> list[str]:
    headers = [
        (name.strip(), value.strip())
        for name, _, value in (line.partition(b":") for line in head.split(b"\r\n")[1:])
    ]
    said = {name.lower(): value for name, value in headers}
    shown: list[str] = []
    if b"chunked" in said.get(b"transfer-encoding", b"").lower():
        framing = Chunked()
        body, why = _read(framing.feed(body))
        if why or not framing.done:
            shown.append(f"(cut: {why or 'the last chunk has not come'})")
    elif (length := said.get(b"content-length", b"")).isdigit() and len(body) < int(length[:18]):
        shown.append(f"(cut: {int(length[:18]) - len(body)} more bytes did not come)")
    if applied := codings(headers):
        try:
            decoder = Decoder(applied, BodyLimits(bytes=64 * 1024 * 1024))
        except BodyUnreadable as error:
            return [*shown, f"({len(body)} bytes: {error})"]
        body, why = _read(decoder.feed(body))
        if why:
            shown.append(f"(cut: {why})")
    if not body:
        return shown
    declared = said.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
    if not says_text(declared) and kind_of(declared, body, whole=True) in {Kind.BINARY, Kind.MEDIA}:
        return ["", f"({len(body)} bytes that are no text)", *shown]
    more = f"({len(body)} bytes, the first {MOST_SHOWN} are shown)" if len(body) > MOST_SHOWN else ""
    return ["", visible(body[:MOST_SHOWN]).removesuffix("\n"), *filter(None, [more, *shown])]


def _read(pieces: Iterator[bytes]) -> tuple[bytes, str]:
    """All that can be read of it, and why no more can."""
    parts: list[bytes] = []
    try:
        for piece in pieces:
            parts.append(piece)  # noqa: PERF402  # what came before a fault counts
    except BodyUnreadable as error:
        return b"".join(parts), str(error)
    return b"".join(parts), ""


def visible(data: bytes) -> str:
    text = data.decode("utf-8", "backslashreplace").replace("\r\n", "\n")
    return _UNPRINTABLE.sub(lambda sign: _escape(ord(sign[0])), text)


def _escape(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{{{code:x}}}"
