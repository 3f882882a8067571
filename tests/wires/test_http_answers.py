"""A target's answers: framed anew, passed on as they come, and never more of them than was asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire import (
    AnswerWithheld,
    CommandAnswered,
    Login,
    Mask,
    ProtocolViolation,
    Reconnect,
    Send,
    Side,
)
from tests.wires.conformance import cut
from tests.wires.masks import NOTHING, Word
from tests.wires.web import Web, answer, request, sent, status, web


def running(start: str = "GET /orders", *headers: str, version: str = "1.1", mask: Mask = NOTHING) -> Web:
    session = web(mask=mask)
    session.client(request(start, *headers, version=version))
    session.sent()
    return session


def content(said: bytes) -> bytes:
    """Of a whole answer in chunks."""
    head, _, rest = said.partition(b"\r\n\r\n")
    assert b"Transfer-Encoding: chunked" in head
    found = b""
    while True:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        found += rest[:length]
        assert rest[length : length + 2] == b"\r\n"
        rest = rest[length + 2 :]
        if not length:
            assert not rest
            return found


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
VIOLATIONS = {
    "both framings": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "a signed length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "a coding that is unknown": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    "chunks of 1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "a folded header": b"HTTP/1.1 200 OK\r\nX: 1\r\n 2\r\n\r\n",
    "a bare LF": b"HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n",
    "a header in a header": b"HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: b\r\n\r\n",
    "no status": b"HTTP/1.1 OK\r\n\r\n",
    "a status of four digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "a status that is none": b"HTTP/1.1 099 OK\r\n\r\n",
    "another version": b"HTTP/2 200 OK\r\n\r\n",
    "a request": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    "a chunk that is longer": CHUNKED + b"1\r\nab\r\n0\r\n\r\n",
    "a chunk with an extension": CHUNKED + b"1;a=b\r\na\r\n0\r\n\r\n",
    "a trailer that is none": CHUNKED + b"0\r\nX\r\n\r\n",
    "too many trailers": CHUNKED + b"0\r\n" + b"X: 1\r\n" * 3_000 + b"\r\n",
}


@pytest.mark.parametrize("said", VIOLATIONS.values(), ids=VIOLATIONS)
def test_an_answer_that_could_be_read_in_two_ways_is_a_violation(said: bytes) -> None:
    session = running()
    with pytest.raises(ProtocolViolation):
        session.target(said)
    last = session.told(session.wire.end("Protocol violation."))
    assert last == b"" or status(last) == 502
    assert session.over
    assert [failed for _, failed in session.outcomes] == [True]
    assert b"planted" not in last


def test_an_answer_passes_with_its_length() -> None:
    session = running()
    assert session.target(answer("200 OK", "Content-Type: text/plain", "ETag: x", body=b"abc")) == answer(
        "200 OK", "Content-Type: text/plain", "ETag: x", body=b"abc"
    )
    assert session.outcomes == [("200 OK", False)]
    assert not session.over


def test_an_answer_passes_as_it_comes() -> None:
    session = running()
    assert session.target(b"HTTP/1.1 200 OK\r\nContent-Le") == b""
    assert session.target(b"ngth: 6\r\n\r\nab") == b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nab"
    assert session.target(b"cd") == b"cd"
    assert not session.outcomes
    assert session.target(b"ef") == b"ef"
    assert session.outcomes == [("200 OK", False)]


def test_chunks_pass_as_they_come_and_without_what_follows_the_last() -> None:
    session = running()
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert session.target(CHUNKED + b"3\r\nab") == head + b"2\r\nab\r\n"
    assert session.target(b"c\r\n2\r\nde\r\n0\r\nX-Sum: 1\r\n") == b"3\r\ncde\r\n"
    assert session.target(b"\r\n") == b"0\r\n\r\n"
    assert session.outcomes == [("200 OK", False)]


def test_what_ends_with_the_connection_is_sent_in_chunks() -> None:
    session = running()
    said = session.target(b"HTTP/1.1 200 OK\r\n\r\nabc") + session.target(b"def") + session.target(b"")
    assert content(said) == b"abcdef"
    assert not session.over
    session.client(request("GET /next"))
    assert session.sent() == sent("GET /next")
    assert len(session.of(Reconnect)) == 1


def test_a_target_of_1_0_is_reached_anew_for_each_request() -> None:
    session = running()
    said = session.target(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc")
    assert said == b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
    session.client(request("GET /next"))
    assert session.sent() == sent("GET /next")
    assert len(session.of(Reconnect)) == 1


def test_a_client_of_1_0_gets_no_chunks() -> None:
    session = running(version="1.0")
    said = session.target(CHUNKED + b"3\r\nabc\r\n0\r\n\r\n")
    assert said == b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc"
    assert session.over


@pytest.mark.parametrize(
    ("start", "first"),
    [
        ("HEAD /x", b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n"),
        ("GET /x", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET /x", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 400\r\n\r\n"),
    ],
)
def test_some_answers_have_no_body_whatever_they_say(start: str, first: bytes) -> None:
    session = running(start)
    assert session.target(first) == first
    assert session.outcomes
    session.client(request("GET /next"))
    assert session.target(answer()) == answer()


def test_what_comes_before_the_answer_is_kept_to_the_gateway() -> None:
    session = running()
    assert (
        session.target(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n") == b""
    )
    assert session.target(answer()) == answer()


def test_what_speaks_of_one_hop_ends_there() -> None:
    session = running()
    said = session.target(
        answer(
            "200 OK",
            "Connection: keep-alive, X-Hop",
            "X-Hop: 1",
            "Keep-Alive: timeout=5",
            "Proxy-Authenticate: Basic",
            'WWW-Authenticate: Basic realm="shop"',
            "Upgrade: h2c",
            "Trailer: X",
            'Alt-Svc: h2="elsewhere:443"',
            "X-Countersign: refused",
            "Set-Cookie: a=1",
            "Set-Cookie: b=2",
            "X-Kept: 1",
        )
    )
    assert said == answer("200 OK", "Set-Cookie: a=1", "Set-Cookie: b=2", "X-Kept: 1")


def test_a_close_of_the_targets_is_not_the_clients() -> None:
    session = running()
    assert session.target(answer("200 OK", "Connection: close")) == answer()
    assert not session.over


@pytest.mark.parametrize(
    ("location", "passed"),
    [
        ("http://shop.internal/login?next=1", "/login?next=1"),
        ("HTTP://Shop.Internal:80/login", "/login"),
        ("http://shop.internal", "/"),
        ("http://shop.internal?x=1", "/?x=1"),
        ("//shop.internal/x", "/x"),
        ("http://shop.internal//elsewhere.com/x", "/elsewhere.com/x"),
        ("http://shop.internal/\\elsewhere.com/x", "/elsewhere.com/x"),
        ("http://shop.internal.elsewhere.com/", "http://shop.internal.elsewhere.com/"),
        ("http://shop.internal:8080/", "http://shop.internal:8080/"),
        ("https://elsewhere.com/", "https://elsewhere.com/"),
        ("/orders/7", "/orders/7"),
    ],
)
def test_a_redirect_to_the_target_itself_stays_at_the_gateway(location: str, passed: str) -> None:
    said = running().target(answer("302 Found", f"Location: {location}"))
    assert said == answer("302 Found", f"Location: {passed}")


def test_a_failure_is_a_failure() -> None:
    session = running()
    session.target(answer("503 Service Unavailable"))
    assert session.outcomes == [("503 Service Unavailable", True)]


def test_a_target_has_no_words_of_its_own_beside_its_status() -> None:
    """Nobody searches them."""
    session = running(mask=Word())
    said = session.target(b"HTTP/1.1 404 secret stored-credential\r\nContent-Length: 0\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 404 Not Found\r\n")
    assert session.outcomes == [("404 Not Found", True)]
    session = running()
    assert session.target(b"HTTP/1.1 299 Anything\r\nContent-Length: 0\r\n\r\n").startswith(
        b"HTTP/1.1 299 \r\n"
    )
    assert session.outcomes == [("299", False)]


def test_a_target_that_does_not_know_the_gateway_is_met_anew() -> None:
    """With the credential as it is then: this one may have been changed."""
    session = running()
    assert status(session.target(answer("401 Unauthorized"))) == 401
    session.login = Login(user="", password="a new credential")
    session.client(request("GET /next"))
    assert len(session.of(Reconnect)) == 1
    assert b"Authorization: Bearer a new credential\r\n" in session.sent()


def test_an_answer_without_a_reason_is_one() -> None:
    session = running()
    assert (
        session.target(b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n")
        == b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    )
    assert session.outcomes == [("200 OK", False)]


@pytest.mark.parametrize("said", [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", CHUNKED + b"9\r\nabc"])
def test_an_answer_that_is_cut_off_is_never_taken_for_a_whole_one(said: bytes) -> None:
    session = running()
    session.target(said)
    assert not session.target(b"").endswith(b"0\r\n\r\n")
    assert session.over
    assert session.outcomes == [("200 OK, cut off by the target", True)]


@pytest.mark.parametrize("apart", [True, False])
def test_an_answer_that_cannot_be_masked_is_withheld(apart: bool) -> None:
    """All of it where nothing has gone out, and the rest of it where something has."""
    session = running(mask=Word())
    head, body = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 6\r\n\r\n", b"secret"
    if apart:
        assert status(session.target(head)) == 200
    with pytest.raises(AnswerWithheld):
        session.target(body if apart else head + body)
    last = session.told(session.wire.end("This session was ended."))
    assert session.over
    if apart:
        assert last == b""
        assert session.outcomes == [("200 OK, cut off", True)]
    else:
        assert status(last) == 502
        assert session.outcomes == [("no answer, HTTP 502 from the gateway", True)]


def test_a_masked_answer_is_in_chunks_and_says_nothing_of_its_length() -> None:
    session = running(mask=Word())
    said = session.target(
        answer("200 OK", "Content-Type: text/plain", 'ETag: "a"', body=b"a secret, and more")
    )
    assert b"ETag" not in said
    assert b"Content-Length" not in said
    assert content(said) == b"a ******, and more"
    (answered,) = session.of(CommandAnswered)
    assert answered.masked == {"word": 1}


def test_the_gateways_credential_is_taken_out_of_every_answer() -> None:
    session = running()
    said = session.target(
        answer("200 OK", "X-Echo: Bearer stored-credential", body=b"It is stored-credential.")
    )
    assert said == answer("200 OK", "X-Echo: Bearer *****************", body=b"It is *****************.")


def test_the_answer_names_its_command_and_its_method() -> None:
    session = running("HEAD /x")
    session.target(b"HTTP/1.1 200 OK\r\n\r\n")
    (answered,) = session.of(CommandAnswered)
    assert answered.shape == b"HEAD"
    assert answered.command_id == session.asked[0].id
    assert {event.command_id for event in session.of(Send) if event.to is Side.CLIENT} == {
        answered.command_id
    }


def test_an_early_answer_is_an_answer() -> None:
    session = running("POST /orders", "Content-Length: 0")
    assert status(session.target(answer("413 Content Too Large", "Connection: close"))) == 413
    assert not session.over


_BODY = st.binary(max_size=300)
_PLACES = st.lists(st.integers(0, 600), max_size=8)


@given(body=_BODY, pieces=_PLACES, places=_PLACES, how=st.sampled_from(["length", "chunks", "end"]))
def test_a_body_arrives_as_it_was_sent(body: bytes, pieces: list[int], places: list[int], how: str) -> None:
    if how == "length":
        raw = answer(body=body)
    elif how == "chunks":
        raw = CHUNKED + b"".join(b"%X\r\n%s\r\n" % (len(each), each) for each in cut(body, pieces) if each)
        raw += b"0\r\n\r\n"
    else:
        raw = b"HTTP/1.1 200 OK\r\n\r\n" + body
    session = running()
    said = b"".join(session.target(piece) for piece in cut(raw, places) if piece)
    if how == "end":
        said += session.target(b"")
    assert session.outcomes == [("200 OK", False)]
    if how == "length":
        assert said == raw
    else:
        assert content(said) == body
