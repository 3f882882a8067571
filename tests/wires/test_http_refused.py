"""Requests that two servers could read in two ways: none of them goes on, and nothing behind one does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.protocols.http.framing import HEAD_MOST
from gateway.wire import CommandAsked, Hangup, Limits, LoginAsked, StartTls
from tests.wires.conformance import BLOCK, cut
from tests.wires.web import answer, request, sent, status, web

AUTH = "Authorization: Bearer token\r\n"
SMUGGLING = {
    "both framings": f"POST / HTTP/1.1\r\nHost: a\r\n{AUTH}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": f"POST / HTTP/1.1\r\nHost: a\r\n{AUTH}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "the same length twice": f"POST / HTTP/1.1\r\nHost: a\r\n{AUTH}Content-Length: 1\r\nContent-Length: 1\r\n\r\na",
    "a list of lengths": f"POST / HTTP/1.1\r\nHost: a\r\n{AUTH}Content-Length: 1, 1\r\n\r\na",
    "a signed length": f"POST / HTTP/1.1\r\nHost: a\r\n{AUTH}Content-Length: +1\r\n\r\na",
    "a length with zeros": f"POST / HTTP/1.1\r\nHost: a\r\n{AUTH}Content-Length: 01\r\n\r\na",
    "a length in hexadecimal": f"POST / HTTP/1.1\r\nHost: a\r\n{AUTH}Content-Length: 0x1\r\n\r\na",
    "an empty length": f"POST / HTTP/1.1\r\nHost: a\r\n{AUTH}Content-Length:\r\n\r\n",
    "two codings": f"POST / HTTP/1.1\r\nHost: a\r\n{AUTH}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": f"POST / HTTP/1.1\r\nHost: a\r\n{AUTH}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked, not last": f"POST / HTTP/1.1\r\nHost: a\r\n{AUTH}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunked in quotes": f'POST / HTTP/1.1\r\nHost: a\r\n{AUTH}Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n',
    "chunked by 1.0": f"POST / HTTP/1.0\r\nHost: a\r\n{AUTH}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a vertical tab": f"POST / HTTP/1.1\r\nHost: a\r\n{AUTH}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "a folded header": f"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n{AUTH}\r\n",
    "a blank before the first header": f"GET / HTTP/1.1\r\n Host: a\r\nHost: a\r\n{AUTH}\r\n",
    "a blank before the colon": f"POST / HTTP/1.1\r\nHost: a\r\n{AUTH}Content-Length : 1\r\n\r\na",
    "a bare LF": f"GET / HTTP/1.1\r\nHost: a\nX: 1\r\n{AUTH}\r\n",
    "a bare CR": f"GET / HTTP/1.1\r\nHost: a\rX: 1\r\n{AUTH}\r\n",
    "a NUL": f"GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n{AUTH}\r\n",
    "a line without a colon": f"GET / HTTP/1.1\r\nHost: a\r\nnothing\r\n{AUTH}\r\n",
    "a name with a blank": f"GET / HTTP/1.1\r\nHost: a\r\nX Y: 1\r\n{AUTH}\r\n",
    "a length with an underscore": f"POST / HTTP/1.1\r\nHost: a\r\n{AUTH}Content_Length: 3\r\n\r\n",
    "no Host": f"GET / HTTP/1.1\r\n{AUTH}\r\n",
    "two Hosts": f"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n{AUTH}\r\n",
    "a Host that is none": f"GET / HTTP/1.1\r\nHost: a/b@c\r\n{AUTH}\r\n",
    "an absolute target": f"GET http://elsewhere/ HTTP/1.1\r\nHost: a\r\n{AUTH}\r\n",
    "a tunnel": f"CONNECT elsewhere:443 HTTP/1.1\r\nHost: elsewhere:443\r\n{AUTH}\r\n",
    "everything of a GET": f"GET * HTTP/1.1\r\nHost: a\r\n{AUTH}\r\n",
    "a target with a blank": f"GET /a b HTTP/1.1\r\nHost: a\r\n{AUTH}\r\n",
    "two blanks": f"GET  / HTTP/1.1\r\nHost: a\r\n{AUTH}\r\n",
    "a tab": f"GET\t/\tHTTP/1.1\r\nHost: a\r\n{AUTH}\r\n",
    "a target that is not ASCII": f"GET /\xe9 HTTP/1.1\r\nHost: a\r\n{AUTH}\r\n",
    "HTTP/0.9": "GET /\r\n\r\n",
    "HTTP/1.10": f"GET / HTTP/1.10\r\nHost: a\r\n{AUTH}\r\n",
    "HTTP/2.0": f"GET / HTTP/2.0\r\nHost: a\r\n{AUTH}\r\n",
    "http/1.1": f"GET / http/1.1\r\nHost: a\r\n{AUTH}\r\n",
    "the preface of HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a method that is no token": f"G(T / HTTP/1.1\r\nHost: a\r\n{AUTH}\r\n",
    "two credentials": f"GET / HTTP/1.1\r\nHost: a\r\n{AUTH}Authorization: Bearer other\r\n\r\n",
    "another target in a header": f"GET / HTTP/1.1\r\nHost: a\r\n{AUTH}X-Original-URL: /admin\r\n\r\n",
    "Connection takes the length away": f"POST / HTTP/1.1\r\nHost: a\r\n{AUTH}Connection: content-length\r\nContent-Length: 1\r\n\r\na",
    "Connection takes the credential away": f"GET / HTTP/1.1\r\nHost: a\r\n{AUTH}Connection: authorization\r\n\r\n",
    "another expectation": f"POST / HTTP/1.1\r\nHost: a\r\n{AUTH}Expect: 200-ok\r\nContent-Length: 1\r\n\r\na",
}
CHUNKS = {
    "a sign": "+3\r\nabc\r\n0\r\n\r\n",
    "a prefix": "0x3\r\nabc\r\n0\r\n\r\n",
    "an underscore": "0_3\r\nabc\r\n0\r\n\r\n",
    "too large a size": "fffffffffffffffff\r\nabc\r\n0\r\n\r\n",
    "an empty size": "\r\nabc\r\n0\r\n\r\n",
    "a blank behind the size": "3 \r\nabc\r\n0\r\n\r\n",
    "an extension": "3;a=b\r\nabc\r\n0\r\n\r\n",
    "a bare LF behind the size": "3\nabc\r\n0\r\n\r\n",
    "a bare CR behind the size": "3\rabc\r\n0\r\n\r\n",
    "an extension with a LF": "3;\nx\r\nabc\r\n0\r\n\r\n",
    "a bare LF behind the bytes": "3\r\nabc\n0\r\n\r\n",
    "more bytes than it says": "3\r\nabcd\r\n0\r\n\r\n",
    "a trailer": "3\r\nabc\r\n0\r\nX: 1\r\n\r\n",
    "no end": "0\r\nGET /admin HTTP/1.1\r\n\r\n",
}


@pytest.mark.parametrize("raw", SMUGGLING.values(), ids=SMUGGLING)
def test_no_request_passes_that_could_be_read_in_two_ways(raw: str) -> None:
    session = web()
    said = session.client(raw.encode("latin-1") + request("GET /behind"))
    assert status(said) == 400
    assert b"Connection: close" in said
    assert session.over
    assert not session.sent()
    assert not session.asked


@pytest.mark.parametrize("chunks", CHUNKS.values(), ids=CHUNKS)
def test_no_chunk_passes_that_could_be_read_in_two_ways(chunks: str) -> None:
    session = web()
    said = session.client(
        request("POST /orders", "Transfer-Encoding: chunked") + chunks.encode() + request("GET /behind")
    )
    assert status(said) == 400
    assert session.over
    assert not session.sent()
    assert not session.asked


@pytest.mark.parametrize("raw", SMUGGLING.values(), ids=SMUGGLING)
def test_nor_does_it_behind_a_request_that_is_right(raw: str) -> None:
    session = web()
    session.client(request() + raw.encode("latin-1"))
    assert session.sent() == sent()
    said = session.target(answer())
    assert said.startswith(answer())
    assert status(said.removeprefix(answer())) == 400
    assert session.over
    assert not session.sent()
    assert len(session.asked) == 1


def test_a_line_end_that_is_none_is_refused_before_the_head_ends() -> None:
    for raw in (b"GET / HTTP/1.1\nHost: a", b"GET / HTTP/1.1\r\nHost: a\rb", b"GET /\0"):
        session = web()
        assert status(session.client(raw)) == 400
        assert session.over


def test_the_first_byte_of_a_line_end_is_none_yet() -> None:
    session = web()
    assert session.client(b"GET / HTTP/1.1\r") == b""
    assert not session.over


def test_a_head_is_no_larger_than_it_may_be() -> None:
    session = web()
    assert status(session.client(b"GET / HTTP/1.1\r\nX: " + b"a" * HEAD_MOST)) == 413
    assert session.over


def test_a_request_is_no_larger_than_it_may_be() -> None:
    small = Limits(command_bytes=1_000)
    said = web(limits=small).client(request("POST /orders", "Content-Length: 1001"))
    assert status(said) == 413
    session = web(limits=small)
    assert session.client(request("POST /orders", "Transfer-Encoding: chunked")) == b""
    assert status(session.client(b"3e9\r\n" + b"a" * 1_001)) == 413
    assert not session.asked
    assert session.of(LoginAsked)


def test_a_client_amid_a_body_gets_its_answer_before_the_end() -> None:
    """Where a connection is closed on one that sends, the system takes it what it has not read yet."""
    small = Limits(command_bytes=1_000)
    session = web(limits=small)
    assert status(session.client(request("POST /orders", "Content-Length: 1001") + b"a" * 500)) == 413
    assert not session.over
    assert session.client(b"a" * 900) == b""
    assert not session.over
    session.client(request("GET /behind"))
    session.client(b"")
    assert session.over
    assert not session.asked


def test_a_client_that_goes_on_and_on_is_hung_up_on() -> None:
    session = web(limits=Limits(command_bytes=1_000))
    session.client(request("POST /orders", "Content-Length: 1001"))
    assert session.client(b"a" * 1_000) == b""
    assert not session.over
    assert session.client(b"a") == b""
    assert session.over


def test_a_client_that_was_let_go_on_gets_its_answer_too() -> None:
    session = web(limits=Limits(command_bytes=1_000))
    started = request("POST /orders", "Expect: 100-continue", "Transfer-Encoding: chunked")
    assert session.client(started) == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert status(session.client(b"3e9\r\n" + b"a" * 1_001)) == 413
    assert not session.over


def test_a_request_as_large_as_it_may_be_passes() -> None:
    session = web(limits=Limits(command_bytes=1_000))
    session.client(request("POST /orders", body=b"a" * 1_000))
    assert session.sent() == sent("POST /orders", body=b"a" * 1_000)


def test_what_is_sent_behind_a_request_that_runs_is_bounded() -> None:
    session = web(limits=Limits(pipelined_bytes=100))
    session.client(request())
    assert session.client(b"GET /" + b"a" * 150) == b""
    assert session.wire.buffered == 155
    assert status(session.client(b"a" * 100)) == 413
    assert session.over


def test_what_is_sent_behind_an_answer_that_has_begun_cuts_it_off() -> None:
    session = web(limits=Limits(pipelined_bytes=100))
    session.client(request())
    session.target(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
    assert session.client(b"a" * 201) == b""
    assert session.over
    assert session.outcomes == [("200 OK, cut off", True)]


def test_another_protocol_is_refused_and_the_session_goes_on() -> None:
    session = web()
    said = session.client(request("GET /ws", "Connection: Upgrade", "Upgrade: websocket"))
    assert status(said) == 403
    assert not session.over
    assert not session.asked
    session.client(request())
    assert session.sent() == sent()


def test_an_upgrade_to_http_2_in_clear_is_left_out() -> None:
    """What RFC 9113 has done away with some clients offer still; they go on in HTTP/1.1."""
    session = web()
    session.client(
        request(
            "GET /orders", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"
        )
    )
    assert session.sent() == sent()


def test_tls_where_none_is_offered_is_no_request() -> None:
    session = web()
    assert session.client(b"\x16\x03\x01") == b""
    assert session.over
    session = web(client_tls=True)
    session.client(b"\x16\x03\x01")
    assert session.of(StartTls)
    assert not session.of(Hangup)


_PIECES = st.sampled_from(
    [
        b"GET /orders HTTP/1.1\r\n", b"POST /orders HTTP/1.1\r\n", b"Host: a\r\n", AUTH.encode(), b"\r\n", b"Content-Length: 3\r\n",
        b"Transfer-Encoding: chunked\r\n", b"3\r\nabc\r\n", b"0\r\n\r\n", b"abc", b"GET /behind HTTP/1.1\r\n", b"\n", b" ", b"\0",
        b"Connection: close\r\n", b"Transfer-Encoding: x\r\n", b"Content-Length: 0\r\n", b"Expect: 100-continue\r\n",
    ]
)  # fmt: skip


@given(pieces=st.lists(_PIECES, min_size=1, max_size=14), places=st.lists(st.integers(0, 400), max_size=6))
def test_requests_are_the_same_however_they_are_cut(pieces: list[bytes], places: list[int]) -> None:
    """The target gets exactly what was asked about, in the same order; cuts change nothing."""
    data = b"".join(pieces)
    whole, parts = web(lambda _command: BLOCK), web(lambda _command: BLOCK)
    heard = [whole.client(data)], [parts.client(piece) for piece in cut(data, places) if piece]
    assert not whole.to_target
    assert not parts.to_target
    assert [each.text for each in parts.asked] == [each.text for each in whole.asked]
    told = [b"".join(each).replace(b"HTTP/1.1 100 Continue\r\n\r\n", b"") for each in heard]
    assert told[0] == told[1]
    assert whole.over is parts.over


@given(st.binary(max_size=200))
def test_whatever_comes_asks_or_is_refused(data: bytes) -> None:
    session = web(lambda _command: BLOCK)
    said = session.client(request() + data) if data else b""
    assert not session.to_target
    assert len(session.of(CommandAsked)) <= said.count(b"HTTP/1.1 403 ")
