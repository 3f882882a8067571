"""What goes through an exec, however it is cut, and what is no part of one."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.protocols.http.websocket import BINARY, CLOSE, CONTINUED, PING, TEXT, Frame, frame, take_frame
from gateway.protocols.kubernetes.channels import Channels, refused
from gateway.protocols.kubernetes.replay import render
from gateway.wire import Limits, ProtocolViolation
from tests.protocols_http.answers import NOTHING, compiled

DETECTING = compiled("email")
SECRET = b"stored-credential"
FAILED = json.dumps(
    {
        "status": "Failure",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": "7"}]},
    }
).encode()


def masked(kind: int, data: bytes, *, key: bytes = b"\1\2\3\4", ends: bool = True) -> bytes:
    """As a client sends it."""
    whole = bytearray(frame(kind, data))
    head = len(whole) - len(data)
    whole[0] &= 0xFF if ends else 0x7F
    whole[1] |= 0x80
    return bytes(whole[:head]) + key + bytes(byte ^ key[at % 4] for at, byte in enumerate(data))


def part(kind: int, data: bytes) -> bytes:
    """A frame of a message that goes on."""
    whole = bytearray(frame(kind, data))
    whole[0] &= 0x7F
    return bytes(whole)


def channels(mask=NOTHING, **limits: int) -> Channels:
    return Channels(mask, [SECRET], Limits(**limits))


def through(made: Channels, data: bytes, sizes: Sequence[int] = ()) -> bytes:
    inbox, out, at = bytearray(), b"", 0
    for size in [*sizes, len(data)]:
        inbox += data[at : at + size]
        at += size
        out += made.from_target(inbox)
    return out


def messages(data: bytes) -> list[tuple[int, bytes]]:
    inbox, found = bytearray(data), []
    while (got := take_frame(inbox, masked=False, longest=1 << 20)) is not None:
        found.append((got.kind, got.data))
    assert not inbox
    return found


@given(
    st.binary(max_size=70_000), st.sampled_from([BINARY, TEXT, CONTINUED]), st.binary(min_size=4, max_size=4)
)
def test_a_frame_is_read_as_it_was_written(data: bytes, kind: int, key: bytes) -> None:
    inbox = bytearray(frame(kind, data) + b"more")
    assert take_frame(inbox, masked=False, longest=1 << 20) == Frame(kind, True, data, frame(kind, data))
    assert inbox == b"more"
    sent = masked(kind, data, key=key)
    inbox = bytearray(sent[:-1])
    if data:
        assert take_frame(inbox, masked=True, longest=1 << 20) is None
    inbox = bytearray(sent)
    got = take_frame(inbox, masked=True, longest=1 << 20)
    assert got is not None
    assert (got.data, got.raw) == (data, sent)


@pytest.mark.parametrize(
    "data",
    [
        bytes([0xC2, 0]),  # an extension's bit
        bytes([0x83, 0]),  # a kind that nobody knows
        bytes([0x82, 0x80, 0, 0, 0, 0]),  # masked by a server
        bytes([0x08, 0]),  # a control frame that goes on
        bytes([0x89, 126, 0, 126]) + b"x" * 126,
        bytes([0x82, 126, 0, 1]) + b"x",
        bytes([0x82, 127]) + (200).to_bytes(8),
        bytes([0x82, 127]) + (1 << 62).to_bytes(8),
        frame(TEXT, b"\1x"),
        frame(CONTINUED, b"x"),
        part(BINARY, b"\1x") + frame(BINARY, b"\1y"),
        frame(BINARY, b"\0x"),
        frame(BINARY, b""),
    ],
)
def test_what_is_no_answer_of_an_exec_is_a_violation(data: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        through(channels(), data)


@pytest.mark.parametrize(
    "data",
    [
        frame(BINARY, b"\0x"),  # not masked
        masked(BINARY, b"\1x"),
        masked(CONTINUED, b"x"),
        masked(BINARY, b"\0x", ends=False) + masked(BINARY, b"\0y"),
        masked(BINARY, b"\0" + b"x" * 200),
    ],
)
def test_what_no_client_of_an_exec_says_is_a_violation(data: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        channels(pipelined_bytes=100).from_client(bytearray(data))


def test_input_goes_on_as_it_came() -> None:
    said = (
        masked(BINARY, b"\0in", ends=False)
        + masked(PING, b"p")
        + masked(CONTINUED, b"put")
        + masked(TEXT, b"\4{}")
    )
    said += masked(BINARY, b"\xff\0") + masked(CLOSE, b"")
    made, inbox, out = channels(), bytearray(), b""
    for byte in said:
        inbox.append(byte)
        out += made.from_client(inbox)
    assert out == said


@given(st.lists(st.integers(1, 40), max_size=12))
def test_output_is_masked_wherever_it_is_cut(sizes: list[int]) -> None:
    said = frame(BINARY, b"\1") + frame(BINARY, b"\1mail jane@example.com\n") + frame(PING, b"")
    said += (
        part(BINARY, b"\2ben@exam") + frame(CONTINUED, b"ple.com\n") + frame(BINARY, b"\1" + SECRET + b"\n")
    )
    said += frame(BINARY, b"\3" + FAILED) + frame(CLOSE, b"\3\xe8")
    made = channels(DETECTING)
    got = messages(through(made, said, sizes))
    assert b"".join(data[1:] for kind, data in got if data[:1] == b"\1" and kind == BINARY) == (
        b"mail ****@example.com\n" + b"*" * len(SECRET) + b"\n"
    )
    assert b"".join(data[1:] for kind, data in got if data[:1] == b"\2") == b"***@example.com\n"
    assert got[-1] == (CLOSE, b"\3\xe8")
    assert (made.done, made.outcome, made.failed, made.masked) == (True, "exit 7", True, {"email": 2})


def test_what_comes_behind_the_status_is_masked_too() -> None:
    said = frame(BINARY, b"\3" + FAILED) + frame(BINARY, b"\1jane@example.com\n")
    assert b"jane" not in through(channels(DETECTING), said)


@pytest.mark.parametrize(
    ("status", "outcome", "failed"),
    [
        (b'{"status": "Success"}', "Success", False),
        (b'{"status": "Failure", "reason": "InternalError"}', "InternalError", True),
        (b"[]", "ended without a status", True),
        (b"no JSON", "ended without a status", True),
    ],
)
def test_how_it_ended_is_told(status: bytes, outcome: str, failed: bool) -> None:
    made = channels()
    through(made, frame(BINARY, b"\3" + status) + frame(CLOSE, b""))
    assert (made.outcome, made.failed) == (outcome, failed)


def test_a_refusal_is_a_sentence_and_an_exit_code() -> None:
    got = messages(refused("Not through here."))
    assert got[0] == (BINARY, b"\2Not through here.\n")
    assert json.loads(got[1][1][1:])["details"]["causes"] == [{"reason": "ExitCode", "message": "126"}]
    assert got[2][0] == CLOSE


def test_a_record_shows_what_was_printed_and_how_it_ended() -> None:
    head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
    said = frame(BINARY, b"\1") + frame(BINARY, b"\1one\n\x1b[2J") + frame(BINARY, b"\2two\n")
    shown = render(head + said + frame(BINARY, b'\3{"status": "Success"}'), b"GET")
    assert shown.endswith('\n\none\n\\x1b[2Jtwo\n\n({"status": "Success"})')
    assert render(head + b"\xff\xff", b"GET").endswith("(the rest is no WebSocket)")
    assert render(b"HTTP/1.1 200 OK\r\n\r\nfine", b"GET").endswith("fine")
