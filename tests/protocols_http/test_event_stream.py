"""Events come out whole and at once, with nothing changed but what is hidden in their data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.protocols.http.event_stream import Events, EventTooLong
from tests.protocols_http.answers import cut_anywhere, pieces


def loud(data: bytes) -> bytes:
    return data.upper() if b"x" in data else data


def shown(parts: list[bytes]) -> bytes:
    events = Events(loud, longest=1_000)
    return b"".join([events.feed(part) for part in parts] + [events.close()])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"data: ax\n\n", b"data: AX\n\n"),
        (b"data:ax\r\n\r\ndata: b\r\n\r\n", b"data:AX\r\n\r\ndata: b\r\n\r\n"),
        (b"data: ax\r\rdata: bx\r\r", b"data: AX\r\rdata: BX\r\r"),
        (
            b"event: x\nid: 1x\n:x\ndata: a\ndata: x\ndata\n\n",
            b"event: x\nid: 1x\n:x\ndata: A\ndata: X\ndata\n\n",
        ),
        (b"\xef\xbb\xbfdata: x\n\n", b"\xef\xbb\xbfdata: X\n\n"),
        (b"datax: x\n\ndata: not ended x", b"datax: x\n\ndata: NOT ENDED X"),
        (b"\n\n\ndata: x\n\n", b"\n\n\ndata: X\n\n"),
    ],
)
def test_only_data_changes(before: bytes, after: bytes) -> None:
    for parts in [[before], *cut_anywhere(before)]:
        assert shown(parts) == after


def test_an_event_is_given_out_when_it_is_whole() -> None:
    events = Events(loud, longest=1_000)
    assert events.feed(b"data: x\n") == b""
    assert not events.between
    assert events.feed(b"\nda") == b"data: X\n\n"
    assert events.feed(b"ta: y\r\n\r\n") == b"data: y\r\n\r\n"
    assert events.between


def test_an_event_that_does_not_end_is_not_kept_for_ever() -> None:
    events = Events(loud, longest=1_000)
    for _ in range(10):
        assert events.feed(b"data: " + b"y" * 94) == b""
    with pytest.raises(EventTooLong):
        events.feed(b"!")


@given(st.text("dat: x\r\n", max_size=60).map(str.encode), st.lists(st.integers(0, 9), max_size=20))
def test_cuts_change_nothing(noise: bytes, cuts: list[int]) -> None:
    quiet = Events(lambda data: data, longest=1_000)
    assert b"".join([quiet.feed(part) for part in pieces(noise, cuts)] + [quiet.close()]) == noise
    assert shown(pieces(noise, cuts)) == shown([noise])
