"""The gateway's credential leaves in no form that services echo, wherever the cuts are, and nothing else changes."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.protocols.http.scrubbing import Scrub
from tests.protocols_http.answers import SECRET, cut_anywhere, pieces

TEXT = SECRET.decode()
ECHOES: dict[str, Callable[[str], bytes]] = {
    "as it is": lambda text: text.encode(),
    "JSON": lambda text: json.dumps(text)[1:-1].encode(),
    "JSON of PHP": lambda text: json.dumps(text)[1:-1].replace("/", "\\/").encode(),
    "URL": lambda text: quote(text, safe="").encode(),
    "form": lambda text: quote_plus(text).encode(),
    "HTML": lambda text: html.escape(text).encode(),
    "hex": lambda text: text.encode().hex().encode(),
    "base64": lambda text: base64.b64encode(text.encode()),
    "base64 behind something": lambda text: base64.b64encode(b"Bearer " + text.encode()),
    "base64 of a pair": lambda text: base64.b64encode(b"gateway:" + text.encode()),
    "base64url": lambda text: base64.urlsafe_b64encode(b"xy" + text.encode() + b"z"),
    "UTF-16": lambda text: text.encode("utf-16-le"),
}


def scrubbed(parts: list[bytes], *secrets: bytes) -> bytes:
    scrub = Scrub(secrets or [SECRET])
    return b"".join([scrub.feed(part) for part in parts] + [scrub.close()])


@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
@pytest.mark.parametrize("secret", [TEXT, 'p&ss"w<rd>\\x', "Zürich€17"])
def test_no_echo_tells_it(echo: Callable[[str], bytes], secret: str) -> None:
    told = echo(secret)
    body = b'{"headers": {"x": "' + told + b'"}, "y": 1}'
    for parts in [[body], *cut_anywhere(body)]:
        out = scrubbed(parts, secret.encode())
        assert len(out) == len(body)
        assert told[4:-4] not in out
        assert out.startswith(b'{"headers": {"x": "')
        assert out.endswith(b'"}, "y": 1}')


def test_what_only_begins_like_it_is_given_out() -> None:
    scrub = Scrub([SECRET])
    assert scrub.feed(b"x" + SECRET[:5]) == b"x"
    assert scrub.feed(b"!") == SECRET[:5] + b"!"
    assert scrub.feed(SECRET[:-1]) == b""
    assert scrub.close() == SECRET[:-1]


def test_what_is_too_short_to_be_told_from_anything_is_not_looked_for() -> None:
    assert Scrub([b"abc", b""]).idle
    assert not Scrub([b"abcd"]).idle


@given(st.binary(max_size=200), st.lists(st.integers(0, 20), max_size=30))
def test_what_holds_no_secret_stays(body: bytes, cuts: list[int]) -> None:
    assert scrubbed(pieces(body, cuts)) == body


@given(
    st.lists(st.binary(max_size=9) | st.just(SECRET) | st.just(SECRET[:7]), max_size=9),
    st.lists(st.integers(0, 40), max_size=20),
)
def test_it_is_found_whatever_stands_around_it(parts: list[bytes], cuts: list[int]) -> None:
    body = b"".join(parts)
    out = scrubbed(pieces(body, cuts))
    assert SECRET not in out
    assert len(out) == len(body)
    assert out == scrubbed([body])
