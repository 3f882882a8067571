"""The texts of JSON: what they say, and what is to be hidden of that where it is not what they look like."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from gateway.wire import Mask

BODY = re.compile(rb'[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})[^"\\\x00-\x1f]*)*')
ESCAPE_BEGINS = re.compile(rb"\\(?:u[0-9A-Fa-f]{0,3})?\Z")
_TEXT = re.compile(rb'"' + BODY.pattern + rb'"')
_ESCAPE = b"\\"


def said(token: bytes) -> str:
    """What a text says that stands in its quotes."""
    if _ESCAPE not in token:
        return token[1:-1].decode("utf-8", "surrogateescape")
    read = json.loads(token.decode("utf-8", "surrogateescape"))
    assert isinstance(read, str)
    return read


class Texts:
    """Searches texts that escape their signs; of others the bytes are searched, with all that is around them."""

    def __init__(self, mask: Mask, scrub: Callable[[bytes], bytes]) -> None:
        """`scrub` takes the gateway's own secrets out."""
        self._mask = mask
        self._scrub = scrub
        self.hidden: dict[str, int] = {}
        """Rule or detector -> how many values it hid."""

    def count(self, name: str, count: int) -> None:
        self.hidden[name] = self.hidden.get(name, 0) + count

    def searched(self, token: bytes, *, apart: bool = False) -> bytes:
        """The text, in its quotes, with what it says hidden; the same object where that is nothing.

        `apart`: nobody else searches its bytes.
        """
        if _ESCAPE not in token and not apart:
            return token
        told = said(token).encode("utf-8", "surrogatepass")
        shown = self._scrub(told)
        if self._mask.detects:
            hits = self._mask.find(shown)
            for _, _, name in hits:
                self.count(name, 1)
            if hits:
                shown = self._mask.cover(shown, hits)
        if shown == told:
            return token
        return json.dumps(shown.decode("utf-8", "surrogatepass")).encode()


def _may_end(data: bytes, start: int) -> bool:
    """Whether a text that begins there only lacks its end."""
    body = BODY.match(data, start + 1)
    assert body is not None
    return body.end() == len(data) or ESCAPE_BEGINS.match(data, body.end()) is not None


class EscapedTexts:
    """Something like JSON of which no rule names anything: its escaped texts searched, whatever stands between them."""

    def __init__(self, texts: Texts, *, longest: int) -> None:
        self._texts = texts
        self._longest = longest
        self._kept = b""

    @property
    def between(self) -> bool:
        return not self._kept

    def feed(self, data: bytes) -> bytes:
        """What may be given out: a text that has not ended is kept, up to a length."""
        data = self._kept + data
        self._kept = b""
        if _ESCAPE not in data:
            start = data.rindex(b'"') if data.count(b'"') % 2 else len(data)
            return data[:start] + self._keep(data[start:])
        out: list[bytes] = []
        at = 0
        while (start := data.find(b'"', at)) >= 0:
            match = _TEXT.match(data, start)
            if match is not None:
                out += data[at:start], self._texts.searched(match.group())
                at = match.end()
            elif _may_end(data, start):
                out.append(data[at:start])
                return b"".join(out) + self._keep(data[start:])
            else:
                out.append(data[at : start + 1])
                at = start + 1
        out.append(data[at:])
        return b"".join(out)

    def _keep(self, begun: bytes) -> bytes:
        """Until it ends; given out where that takes too long."""
        self._kept = begun
        return b"" if len(begun) <= self._longest else self.close()

    def close(self) -> bytes:
        rest, self._kept = self._kept, b""
        return rest
