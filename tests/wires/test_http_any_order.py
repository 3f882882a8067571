"""Whatever happens in whatever order: nothing is sent that was not let through, and what is over is over."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.wire import (
    CommandAnswered,
    CommandAsked,
    Event,
    Hangup,
    Limits,
    LoginAsked,
    ProtocolViolation,
    Reconnect,
    Send,
    Side,
)
from tests.wires.conformance import ALLOW, BLOCK
from tests.wires.masks import NOTHING, Word
from tests.wires.web import LOGIN, OWN, SESSION, answer, request, web

CLIENT = st.sampled_from(
    [
        request(), request("POST /orders", body=b"abc"), request("HEAD /x"), request("GET /x", token=b""), request(token=b"other"),
        request("GET /x", "Connection: close"), request("GET /x", version="1.0"), request("GET /ws", "Upgrade: websocket"),
        request("POST /x", "Expect: 100-continue", "Content-Length: 3"), b"abc", request("POST /x", "Transfer-Encoding: chunked"),
        b"3\r\nabc\r\n", b"0\r\n\r\n", b"GET /x HTTP/1.1\r\nHo", b"st: a\r\n\r\n", b"\r\n", b"\0", b"x" * 400, b"",
    ]
)  # fmt: skip
TARGET = st.sampled_from(
    [
        answer(), answer("204 No Content", body=b""), answer("401 Unauthorized"), answer("200 OK", "Connection: close"), b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsec", b"ret", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"3\r\nabc\r\n", b"0\r\n\r\n", b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", b"\r\n", b"",
    ]
)  # fmt: skip
STEPS = st.one_of(
    st.tuples(st.just("client"), CLIENT),
    st.tuples(st.just("target"), TARGET),
    st.tuples(
        st.sampled_from(["allow", "block", "admit", "refuse", "unreachable", "end", "notice"]), st.just(b"")
    ),
)


@settings(max_examples=400, deadline=None)
@given(steps=st.lists(STEPS, max_size=25), masks=st.booleans(), encrypted=st.booleans())
def test_nothing_is_sent_that_was_not_let_through(
    steps: list[tuple[str, bytes]], masks: bool, encrypted: bool
) -> None:
    settings = {"upstream_tls": "require", "upstream_port": 443} if encrypted else {}
    wire = web(limits=Limits(command_bytes=300, pipelined_bytes=300), **settings).wire
    mask = Word() if masks else NOTHING
    asked = allowed = sent = answered = 0
    waiting, admittable, over = "", False, False

    def took(events: list[Event]) -> None:
        nonlocal asked, sent, answered, waiting, admittable, over
        assert not (over and events)
        for event in events:
            assert not over, "nothing comes behind the end"
            match event:
                case CommandAsked(command):
                    assert not waiting
                    asked, waiting = asked + 1, command.id
                case Send(Side.UPSTREAM, data):
                    assert data.partition(b"\r\n")[2].startswith(OWN)
                    assert b"token" not in data
                    sent += 1
                case CommandAnswered():
                    answered += 1
                case LoginAsked() | Reconnect():
                    admittable = True
                case Hangup():
                    over = True

    for what, data in steps:
        try:
            match what:
                case "client":
                    took(list(wire.receive(Side.CLIENT, data)))
                case "target":
                    took(list(wire.receive(Side.UPSTREAM, data)))
                case "allow" | "block" if waiting:
                    command_id, waiting = waiting, ""
                    allowed += what == "allow"
                    took(list(wire.answer(command_id, ALLOW if what == "allow" else BLOCK, mask)))
                case "admit" if admittable:
                    admittable = False
                    took(list(wire.admit(SESSION, LOGIN)))
                    if encrypted and not over:
                        took(list(wire.tls_started(Side.UPSTREAM, b"")))
                case "refuse" | "unreachable" if admittable:
                    admittable = False
                    took(list(wire.refuse("No.", unreachable=what == "unreachable")))
                case "notice":
                    took(list(wire.notice(waiting, "held")))
                case "end":
                    took(list(wire.end("The end.")))
        except ProtocolViolation:
            took(list(wire.end("A violation.")))
            assert over
        # A read whose target closed may be sent once more.
        assert sent <= 2 * allowed
        assert answered <= allowed <= asked
        if over:
            waiting = ""
