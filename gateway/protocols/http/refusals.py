"""Answers of the gateway's own, in the form that a client asks for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from http import HTTPStatus

from gateway.protocols.http.framing import Header, written

_CHALLENGE: Sequence[Header] = (
    (b"WWW-Authenticate", b'Bearer realm="countersign"'),
    (b"WWW-Authenticate", b'Basic realm="countersign", charset="UTF-8"'),
)
UNANSWERED = (
    "The target closed the connection before it answered: whether it did what was asked is not known."
)
NO_HANDSHAKE = "The target closed the connection before the session began."
SOURCE: Header = (b"X-Countersign", b"refused")
"""Tells the gateway's own answers from those of a target, which cannot set it."""


def refusal(
    status: HTTPStatus,
    message: str,
    *,
    accepts: str = "",
    without_body: bool = False,
    close: bool,
    rules: Sequence[str] = (),
) -> bytes:
    """A whole answer that says `message`; as text to who asks for that, and JSON to everybody else."""
    if _wants_text(accepts):
        kind, body = b"text/plain; charset=utf-8", f"{message}\n".encode()
    else:
        said = {"error": status.phrase, "message": message, **({"rules": list(rules)} if rules else {})}
        kind, body = b"application/json", json.dumps(said, ensure_ascii=False).encode() + b"\n"
    return answer(status, kind, body, without_body=without_body, close=close)


def answer(status: HTTPStatus, kind: bytes, body: bytes, *, without_body: bool, close: bool) -> bytes:
    """A whole answer of the gateway's own. `without_body`: the head alone, as HEAD wants it."""
    head: list[Header] = [
        SOURCE,
        *(_CHALLENGE if status is HTTPStatus.UNAUTHORIZED else ()),
        (b"Content-Type", kind),
        (b"Content-Length", b"%d" % len(body)),
        (b"Cache-Control", b"no-store"),
    ]
    if close:
        head.append((b"Connection", b"close"))
    start = f"HTTP/1.1 {status.value} {status.phrase}".encode()
    return written(start, head) + (b"" if without_body else body)


def _wants_text(accepts: str) -> bool:
    """By what is named; a browser's list and a client that takes anything get JSON and text alike."""
    named = [each.partition(";")[0].strip() for each in accepts.split(",")]
    if any(each == "application/json" or each.endswith("+json") for each in named):
        return False
    return any(each.startswith("text/") for each in named)
