"""Values amid which a terminal is told to change its colours."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.masking.colours import Plain
from gateway.masking.engine import CompiledMask
from gateway.masking.stream import StreamMask

SEQUENCE = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]")
TEXTS = [
    "mail jane@example.com, card 4111 1111 1111 1111 exp 12/27\n",
    "card 4111111111111111\n",
    "+1 202-555-0143 ext. 12; DE89 3704 0044 0532 0130 00\n",
    "ghp_a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2 AKIAIOSFODNN7EXAMPLE\n",
    "password: hunter2xyz\n",
    "ssn: 219-09-9999, ip 10.20.30.40\n",
]
COLOURS = [b"", b"\x1b[m\x1b[K", b"\x1b[01;31m\x1b[K", b"\x1b[0m", b"\x1b[38;5;196m", b"\x1b[?25l"]


def found_by_grep(text: str, word: str) -> bytes:
    """As `grep --color=always` writes it."""
    return text.replace(word, f"\x1b[01;31m\x1b[K{word}\x1b[m\x1b[K").encode()


@pytest.mark.parametrize(
    ("text", "word", "shown"),
    [
        ("u: jane@example.com\n", "jane", b"u: \x1b[01;31m\x1b[K****@example.com\x1b[m\x1b[K\n"),
        ("c: 4111111111111111\n", "4111", b"c: \x1b[01;31m\x1b[K************1111\x1b[m\x1b[K\n"),
        ("password=hunter2xyz\n", "hunter", b"password=\x1b[01;31m\x1b[K[redacted]\x1b[m\x1b[K\n"),
        ("nothing here\n", "here", b"nothing \x1b[01;31m\x1b[Khere\x1b[m\x1b[K\n"),
    ],
)
def test_what_grep_colours_is_masked_as_it_looks(
    mask: CompiledMask, text: str, word: str, shown: bytes
) -> None:
    data = found_by_grep(text, word)
    assert mask.cover(data, mask.find(data)) == shown


def test_a_coloured_value_keeps_its_colour(mask: CompiledMask) -> None:
    data = b"\x1b[01;32mjane@example.com\x1b[0m:\x1b[34m~\x1b[0m$ "
    assert mask.cover(data, mask.find(data)) == data.replace(b"jane", b"****")


@st.composite
def coloured(draw: st.DrawFn) -> tuple[str, bytes]:
    text = draw(st.sampled_from(TEXTS))
    places = sorted(draw(st.lists(st.integers(0, len(text)), max_size=6)))
    out, at = b"", 0
    for place in places:
        out += text[at:place].encode() + draw(st.sampled_from(COLOURS))
        at = place
    return text, out + text[at:].encode()


@settings(deadline=None)
@given(coloured(), st.lists(st.integers(1, 20), max_size=12))
def test_whatever_the_colours_and_cuts_what_is_seen_is_masked(
    mask: CompiledMask, drawn: tuple[str, bytes], cuts: list[int]
) -> None:
    text, data = drawn
    whole = mask.cover(data, mask.find(data))
    seen, wanted = SEQUENCE.sub(b"", whole), mask.text(text).encode()
    for secret in (
        b"jane",
        b"41111",
        b"4111 1111 1",
        b"0130",
        b"202-555",
        b"a1B2a1",
        b"IOSFO",
        b"hunter2",
        b"219-",
        b"30.40",
    ):
        assert (secret in seen) <= (secret in wanted)
    stream = StreamMask(mask)
    out, at = [], 0
    for cut in cuts:
        out.append(stream.feed(data[at : at + cut]))
        at += cut
    assert b"".join([*out, stream.feed(data[at:]), stream.close()]) == whole


@given(st.binary(max_size=60).map(lambda data: data.replace(b"x", b"\x1b[").replace(b"y", b"\x1b")))
def test_places_go_there_and_back(data: bytes) -> None:
    plain = Plain(data)
    for place in range(len(plain.data) + 1):
        assert plain.place(plain.original(place)) == place
        if place < len(plain.data):
            assert data[plain.original(place)] == plain.data[place]


def test_sequences_that_are_none_do_no_harm(mask: CompiledMask) -> None:
    for data in (
        b"\x1b[" * 1000,
        b"\x1b[\x1b[m" * 500 + b"jane@example.com",
        b"\x1b[" + b"1" * 500 + b"m jane@example.com",
    ):
        assert b"jane" not in mask.cover(data, mask.find(data))
