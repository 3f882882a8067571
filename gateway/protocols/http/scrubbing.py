"""The credential that the gateway adds to a request, taken out of whatever the service echoes of it.

It is looked for as it is and as services write such things back: escaped for JSON, URLs and HTML, in base64, in hex and in
UTF-16. As many stars take its place, so that no length changes.
"""

from __future__ import annotations

import base64
import functools
import html
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final
from urllib.parse import quote, quote_plus

import re2

from gateway.masking.linear import options

_SHORTEST = 4
"""What is shorter would be found in everything."""


def forms(secret: bytes) -> frozenset[bytes]:
    """Everything that an echo of the secret may look like."""
    if len(secret) < _SHORTEST:
        return frozenset()
    found = {secret, *_encoded(secret), secret.hex().encode(), secret.hex().upper().encode()}
    found |= {quote(secret, safe="").encode(), quote_plus(secret).encode(), quote(secret).encode()}
    found |= {re.sub(rb"%[0-9A-F]{2}", lambda each: each.group().lower(), each) for each in found}
    for charset in ("utf-8", "latin-1"):  # services take the bytes of a header for either
        text = secret.decode(charset, "replace")
        found |= {html.escape(text).encode(), html.escape(text, quote=False).encode(), text.encode()}
        for escaped in (json.dumps(text), json.dumps(text).replace("/", "\\/"), _for_script(text)):
            found.add(escaped[1:-1].encode())
        found |= {text.encode("utf-16-le"), text.encode("utf-16-be")}
    return frozenset(found)


def _for_script(text: str) -> str:
    """As frameworks write JSON that may stand within HTML."""
    return re.sub(r"[<>&'+=]", lambda sign: f"\\u{ord(sign[0]):04x}", json.dumps(text))


def _encoded(secret: bytes) -> Iterator[bytes]:
    """What base64 makes of the secret whatever stands before it and behind, in both alphabets."""
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + secret)
        start = (0, 2, 3)[before]
        # The last group also holds bits of what follows.
        inner = whole[start : len(whole) - (0, 4, 4)[(before + len(secret)) % 3] or None]
        if len(inner) >= 2 * _SHORTEST:
            yield inner
            yield inner.translate(bytes.maketrans(b"+/", b"-_"))


def _escaped(form: bytes) -> bytes:
    """As RE2 reads any byte."""
    return b"".join(b"\\x%02x" % byte for byte in form)


class _LookedFor:
    """What an answer is searched for: the same for all of a session."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self.forms: Final = sorted(
            frozenset[bytes]().union(*(forms(secret) for secret in secrets)), key=len, reverse=True
        )
        self.any: Final = re.compile(b"|".join(map(re.escape, self.forms))) if self.forms else None
        # RE2 is ten times as quick to say that there is none.
        self.is_there: Final[Any] = re2.compile(b"|".join(map(_escaped, self.forms)), options()).search
        self.begins: Final = re.compile(
            b"[" + b"".join(re.escape(form[:1]) for form in self.forms or [b" "]) + b"]"
        )
        self.longest: Final = len(self.forms[0]) if self.forms else 0


_looked_for = functools.lru_cache(maxsize=64)(_LookedFor)
"""It takes longer to make than most answers to read."""


class Scrub:
    """One stream, from which the secrets are taken. Kept back is only what may be the beginning of one."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        known = _looked_for(tuple(secrets))
        self._forms, self._any, self._is_there = known.forms, known.any, known.is_there
        self._begins, self._longest = known.begins, known.longest
        self._kept = b""
        self.found = 0

    @property
    def idle(self) -> bool:
        """There is nothing to look for."""
        return self._any is None

    def feed(self, data: bytes) -> bytes:
        if self._any is None or not data:
            return data
        data = self._covered(self._kept + data if self._kept else data)
        upto = self._begun(data)
        self._kept = data[upto:]
        return data[:upto] if self._kept else data

    def close(self) -> bytes:
        """The rest: what began as a secret and was none."""
        rest, self._kept = self._kept, b""
        return rest

    def value(self, data: bytes) -> bytes:
        """A whole text without the secrets."""
        return data if self._any is None else self._covered(data)

    def _covered(self, data: bytes) -> bytes:
        assert self._any is not None
        if self._is_there(data) is None:
            return data
        return self._any.sub(self._stars, data)

    def _stars(self, match: re.Match[bytes]) -> bytes:
        self.found += 1
        return b"*" * len(match.group())

    def _begun(self, data: bytes) -> int:
        """Where the tail begins that may go on to be a secret."""
        at = max(0, len(data) - self._longest + 1)
        while (match := self._begins.search(data, at)) is not None:
            at = match.start()
            tail = data[at:]
            if any(len(tail) < len(form) and form.startswith(tail) for form in self._forms):
                return at
            at += 1
        return len(data)
