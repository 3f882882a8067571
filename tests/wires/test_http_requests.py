"""Who may ask, and what of a request is judged and sent."""

from __future__ import annotations

import base64
import gzip

import pytest

from gateway.model import Command, Effect, Shape
from gateway.protocols.http import module
from gateway.wire import (
    CommandAnswered,
    Hangup,
    Login,
    LoginAsked,
    ProtocolViolation,
    Reconnect,
    Side,
    StartTls,
)
from tests.wires.conformance import ALLOW, BLOCK
from tests.wires.masks import Word
from tests.wires.web import LOGIN, SESSION, answer, request, sent, status, web


def waits(_command: Command) -> None:
    return None


# Admission.


def basic(user: str, secret: str) -> str:
    return "Authorization: Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()


def test_a_bearer_token_admits() -> None:
    session = web()
    session.client(request(token=b"abc.def"))
    assert session.of(LoginAsked) == [LoginAsked(user="", database="", secret="abc.def")]
    assert session.sent() == sent()


def test_a_password_admits() -> None:
    session = web()
    session.client(request("GET /orders", basic("cs_user", "pass:word"), token=b""))
    assert session.of(LoginAsked) == [LoginAsked(user="cs_user", database="", secret="pass:word")]


@pytest.mark.parametrize(
    "header",
    [
        "X: 1",
        "Authorization: Bearer",
        "Authorization: Bearer a b",
        "Authorization: Basic !!",
        "Authorization: Basic " + base64.b64encode(b"user").decode(),
        "Authorization: Basic " + base64.b64encode(b"user:").decode(),
        "Authorization: Digest username=x",
        "Authorization: DPoP abc",
    ],
)
def test_nothing_is_asked_without_a_credential(header: str) -> None:
    session = web()
    said = session.client(request("POST /orders", header, body=b"abc", token=b""))
    assert status(said) == 401
    assert b'WWW-Authenticate: Bearer realm="countersign"\r\nWWW-Authenticate: Basic' in said
    assert not session.of(LoginAsked)
    assert not session.over
    session.client(request())
    assert session.sent() == sent()


def test_whoever_waits_to_be_let_go_on_without_a_credential_is_refused_at_once() -> None:
    session = web()
    said = session.client(request("POST /orders", "Expect: 100-continue", "Content-Length: 3", token=b""))
    assert status(said) == 401
    assert session.over


def test_a_client_that_is_not_admitted_hears_why() -> None:
    session = web()
    session.admits = False
    session.client(request())
    said = session.told(session.wire.refuse("Not admitted: the token has expired."))
    assert status(said) == 401
    assert b"Not admitted: the token has expired." in said
    assert session.over


def test_a_target_that_cannot_be_reached_is_another_matter() -> None:
    session = web()
    session.admits = False
    session.client(request())
    assert status(session.told(session.wire.refuse("The target is away.", unreachable=True))) == 502
    assert session.over


def test_a_connection_too_many_is_told_so() -> None:
    session = web()
    assert status(session.told(session.wire.refuse("Too many clients."))) == 503


def test_each_request_shows_the_same_credential() -> None:
    session = web()
    session.client(request())
    session.target(answer())
    session.sent()
    for said in (session.client(request(token=b"other")),):
        assert status(said) == 401
    assert session.over
    assert not session.sent()


def test_nobody_goes_on_without_a_credential_on_a_connection_of_somebody() -> None:
    session = web()
    session.client(request())
    session.target(answer())
    session.sent()
    assert status(session.client(request(token=b""))) == 401
    assert session.over
    assert not session.sent()


def test_a_credential_does_not_cross_in_clear() -> None:
    session = web(client_trusted_path=False)
    assert status(session.client(request())) == 403
    assert not session.of(LoginAsked)
    assert session.over


def test_a_credential_crosses_over_tls() -> None:
    session = web(client_trusted_path=False, client_tls=True)
    session.client(b"\x16\x03\x01")
    session.told(session.wire.tls_started(Side.CLIENT, b""))
    session.client(request())
    assert session.sent() == sent()


def test_nothing_is_read_of_a_body_before_its_sender_is_in() -> None:
    session = web()
    session.admits = False
    session.client(request("POST /orders", body=b"abc") + request("GET /next"))
    assert not session.asked
    session.told(session.wire.admit(SESSION, LOGIN))
    assert session.sent() == sent("POST /orders", body=b"abc")


def test_the_target_is_met_over_tls() -> None:
    session = web(upstream_tls="verify-full", upstream_port=443)
    session.client(request())
    assert session.of(StartTls) == [StartTls(Side.UPSTREAM)]
    assert session.sent() == sent()


def test_nothing_is_sent_before_tls_is_up() -> None:
    session = web(upstream_tls="verify-full", upstream_port=443)
    session.encrypts = False
    session.client(request())
    assert session.asked
    assert not session.sent()
    session.told(session.wire.tls_started(Side.UPSTREAM, b""))
    assert session.sent() == sent()


def test_a_target_that_leaves_before_tls_is_up_is_not_called_for_ever() -> None:
    session = web(upstream_tls="verify-full", upstream_port=443)
    session.encrypts = False
    session.client(request())
    assert status(session.target(b"")) == 502
    assert session.over
    assert not session.of(Reconnect)


# What is asked, and what is sent.


def test_the_gateways_credential_takes_the_place_of_the_clients() -> None:
    session = web(login=Login(user="svc", password="pw"))
    session.client(request())
    stored = base64.b64encode(b"svc:pw")
    assert b"Authorization: Basic " + stored + b"\r\n" in session.to_target
    assert b"token" not in session.to_target


def test_who_asks_is_the_gateways_to_say() -> None:
    session = web()
    session.client(
        request(
            "GET /orders",
            "Accept: text/plain",
            "Cookie: session=1",
            "X-Api-Key: k",
            "Forwarded: for=1.2.3.4",
            "X-Forwarded-For: 1.2.3.4",
            "X-Forwarded-Host: other",
            "X-Real-IP: 1.2.3.4",
            "Via: 1.1 other",
            "X-Countersign: refused",
            "X-Countersign-Session: forged",
            "X-Countersign-Lineage: nobody",
            "Proxy-Authorization: Basic abc",
            "Impersonate-User: admin",
            "Keep-Alive: timeout=5",
            "TE: trailers",
            "Trailer: X",
            "Connection: keep-alive, X-Hop",
            "X-Hop: 1",
            "Expect:",
        )
    )
    assert session.sent() == sent("GET /orders", "Accept: text/plain")


def test_a_body_in_chunks_is_sent_in_one() -> None:
    session = web()
    session.client(request("POST /orders", "Transfer-Encoding: chunked", "Content-Type: text/plain"))
    session.client(b"3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n")
    assert session.sent() == sent("POST /orders", "Content-Type: text/plain", body=b"abc0123456789")


def test_an_empty_body_stays_one() -> None:
    """Services tell a POST of nothing from one that says nothing of its length."""
    session = web()
    session.client(request("POST /orders", "Content-Length: 0"))
    assert b"Content-Length: 0\r\n" in session.sent()


def test_nothing_of_a_body_moves_before_all_of_it_was_judged() -> None:
    session = web(waits)
    session.client(request("POST /orders", "Content-Length: 6") + b"abc")
    assert not session.asked
    session.client(b"def")
    assert session.asked[0].text.endswith("\n\nabcdef")
    assert not session.sent()
    session.decide(ALLOW)
    assert session.sent().endswith(b"\r\n\r\nabcdef")


def test_who_waits_to_be_let_go_on_is_let() -> None:
    session = web()
    said = session.client(request("POST /orders", "Expect: 100-continue", "Content-Length: 3"))
    assert said == b"HTTP/1.1 100 Continue\r\n\r\n"
    session.client(b"abc")
    assert session.sent() == sent("POST /orders", body=b"abc")


def test_who_has_not_waited_needs_not_be_let() -> None:
    session = web()
    assert session.client(request("POST /orders", "Expect: 100-continue", body=b"abc")) == b""
    assert session.sent() == sent("POST /orders", body=b"abc")


def test_an_upload_too_large_is_refused_before_it_comes() -> None:
    session = web()
    said = session.client(request("POST /orders", "Expect: 100-continue", "Content-Length: 99999999"))
    assert status(said) == 413
    assert session.over


def test_what_is_asked_is_what_is_sent() -> None:
    session = web(waits)
    session.client(request("POST /orders/7?notify=1", "Content-Type: application/json", body=b'{"n": 1}'))
    (command,) = session.asked
    assert command.text == 'POST /orders/7?notify=1\ncontent-type: application/json\n\n{"n": 1}'
    assert command.facts.effects == {Effect.WRITE}
    assert command.facts.attributes["http.path"] == "/orders/7"
    assert command.facts.attributes["http.host"] == "shop.internal"


def test_the_digest_is_of_everything_that_decides_what_happens() -> None:
    def digest(*raw: bytes) -> str:
        session = web(waits)
        for each in raw:
            session.client(each)
        return session.asked[0].digest

    plain = digest(request("POST /orders", "X-Mode: a", body=b"abc"))
    assert digest(request("POST /orders", "X-Mode: a", body=b"abc", token=b"other")) == plain
    chunked = request("POST /orders", "X-Mode: a", "Transfer-Encoding: chunked")
    assert digest(chunked, b"3\r\nabc\r\n0\r\n\r\n") == plain
    others = {
        digest(request("POST /orders", "X-Mode: b", body=b"abc")),
        digest(request("POST /orders", "X-Mode: a", body=b"abd")),
        digest(request("PUT /orders", "X-Mode: a", body=b"abc")),
        digest(request("POST /orders/", "X-Mode: a", body=b"abc")),
        digest(request("POST /orders", "X-Mode: a", "X-More: b", body=b"abc")),
    }
    assert len(others) == 5
    assert plain not in others


def test_a_packed_body_is_shown_as_it_reads() -> None:
    session = web(waits)
    packed = gzip.compress(b'{"n": 1}')
    session.client(
        request("POST /orders", "Content-Type: application/json", "Content-Encoding: gzip", body=packed)
    )
    assert session.asked[0].text.endswith('\n\n{"n": 1}')
    session.decide(ALLOW)
    assert session.sent().endswith(packed)


def test_a_body_that_is_no_text_is_named_by_its_hash() -> None:
    session = web(waits)
    session.client(request("PUT /pictures/7", "Content-Type: image/png", body=b"\x89PNG\xff"))
    assert "(5 bytes that are no text; SHA-256 " in session.asked[0].text


def test_what_has_two_meanings_is_unknown_and_sent_as_it_was_shown() -> None:
    session = web(waits)
    session.client(request("GET /a/%2e%2e/admin"))
    (command,) = session.asked
    assert Effect.UNKNOWN in command.facts.effects
    assert command.text.startswith("GET /a/%2e%2e/admin")
    session.decide(ALLOW)
    assert session.sent() == sent("GET /a/%2e%2e/admin")


def test_a_piece_of_a_document_is_not_asked_for_where_it_is_masked() -> None:
    ranges = ("Range: bytes=0-9", 'If-Range: "a"')
    plain, masked = web(), web(mask=Word())
    for session in (plain, masked):
        session.client(request("GET /orders", *ranges))
    assert plain.sent() == sent("GET /orders", *ranges)
    assert masked.sent() == sent()


def test_only_codings_that_can_be_undone_are_asked_for() -> None:
    session = web()
    session.client(request("GET /orders", "Accept-Encoding: gzip, exotic"))
    assert session.sent().count(b"Accept-Encoding") == 1
    assert b"exotic" not in session.to_target


# Requests in a row.


def test_requests_come_one_after_the_other() -> None:
    session = web(waits)
    session.client(request("GET /1") + request("GET /2") + request("GET /3"))
    assert len(session.asked) == 1
    assert session.wire.buffered == len(request("GET /2") * 2)
    session.decide(ALLOW)
    assert session.sent() == sent("GET /1")
    assert len(session.asked) == 1
    session.target(answer())
    assert len(session.asked) == 2
    assert not session.sent()
    said = session.decide(BLOCK)
    assert status(said) == 403
    assert len(session.asked) == 3
    session.decide(ALLOW)
    assert session.sent() == sent("GET /3")
    assert len({command.id for command in session.asked}) == 3


def test_a_refusal_is_in_the_form_that_was_asked_for() -> None:
    said = web(lambda _command: BLOCK).client(request("GET /x", "Accept: text/html, */*"))
    assert b"Content-Type: text/plain; charset=utf-8\r\n" in said
    assert said.endswith(b"\r\n\r\nNot through here.\n")
    said = web(lambda _command: BLOCK).client(request("GET /x", "Accept: text/plain, application/json"))
    assert said.endswith(b'{"error": "Forbidden", "message": "Not through here.", "rules": ["never"]}\n')


def test_a_refused_head_has_no_body() -> None:
    session = web(lambda _command: BLOCK)
    assert session.client(request("HEAD /x")).endswith(b"\r\n\r\n")
    assert not session.over


@pytest.mark.parametrize(("version", "header"), [("1.1", "Connection: close"), ("1.0", "X: 1")])
def test_a_client_that_wants_one_answer_gets_one(version: str, header: str) -> None:
    refused = web(lambda _command: BLOCK)
    assert b"Connection: close\r\n" in refused.client(request("GET /x", header, version=version))
    assert refused.over
    session = web()
    session.client(request("GET /x", header, version=version))
    assert b"Connection: close\r\n" in session.target(answer())
    assert session.over


def test_a_client_of_1_0_may_stay() -> None:
    session = web()
    session.client(request("GET /orders", "Connection: keep-alive", version="1.0"))
    assert session.sent() == sent()
    assert b"Connection: keep-alive\r\n" in session.target(answer())
    assert not session.over


# Endings.


def test_a_client_that_is_ended_while_it_waits_hears_why() -> None:
    session = web(waits)
    session.client(request())
    said = session.told(session.wire.end("The token of this session has expired."))
    assert status(said) == 503
    assert b"expired" in said
    assert session.over
    assert session.decide(ALLOW) == b""
    assert not session.sent()


def test_a_client_that_waits_for_nothing_is_told_nothing() -> None:
    session = web()
    session.client(request())
    session.target(answer())
    assert session.told(session.wire.end("The gateway is shutting down.")) == b""
    assert session.over


def test_an_answer_that_has_begun_is_cut_off() -> None:
    session = web()
    session.client(request())
    session.target(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
    assert session.told(session.wire.end("The token of this session has expired.")) == b""
    assert session.over
    assert session.outcomes == [("200 OK, cut off", True)]


# The connection to the target.


def test_a_target_that_has_closed_while_people_decided_is_reached_anew() -> None:
    session = web(waits)
    session.client(request("DELETE /orders/7"))
    assert session.target(b"") == b""
    assert not session.over
    assert not session.of(Reconnect)
    session.decide(ALLOW)
    assert len(session.of(Reconnect)) == 1
    assert session.sent() == sent("DELETE /orders/7")
    assert session.target(answer()) == answer()


def test_a_target_that_has_closed_meanwhile_is_reached_anew() -> None:
    session = web()
    session.client(request())
    session.target(answer())
    session.target(b"")
    assert not session.over
    session.sent()
    session.client(request("GET /next"))
    assert len(session.of(Reconnect)) == 1
    assert session.sent() == sent("GET /next")


def test_a_target_that_cannot_be_reached_anew_is_said_to_be_away() -> None:
    session = web(waits)
    session.client(request())
    session.target(b"")
    session.admits = False
    session.decide(ALLOW)
    said = session.told(session.wire.refuse("The target cannot be reached.", unreachable=True))
    assert status(said) == 502
    assert session.over
    assert session.outcomes == [("no answer, HTTP 502 from the gateway", True)]


def test_a_reading_request_is_repeated_once_where_the_target_closed_just_then() -> None:
    session = web()
    session.client(request())
    session.sent()
    assert session.target(b"") == b""
    assert session.sent() == sent()
    assert len(session.of(Reconnect)) == 1
    said = session.target(b"")
    assert status(said) == 502
    assert b"whether it did what was asked is not known" in said
    assert session.over
    assert not session.sent()


def test_a_request_that_changes_something_is_never_repeated() -> None:
    session = web()
    session.client(request("POST /orders", body=b"abc"))
    session.sent()
    assert status(session.target(b"")) == 502
    assert not session.sent()
    assert not session.of(Reconnect)
    assert session.outcomes == [("no answer, HTTP 502 from the gateway", True)]


def test_what_a_target_says_unasked_is_nobodys_answer() -> None:
    """Some say 408 before they close a connection that was idle."""
    session = web()
    session.client(request())
    session.target(answer())
    assert session.target(answer("408 Request Timeout")) == b""
    session.sent()
    session.client(request("GET /next"))
    assert len(session.of(Reconnect)) == 1
    assert session.target(answer("200 OK", body=b"next")).endswith(b"next")


def test_what_comes_behind_an_answer_belongs_to_nobody() -> None:
    session = web()
    session.client(request() + request("GET /next"))
    said = session.target(answer() + answer("200 OK", body=b"planted"))
    assert said == answer()
    assert len(session.of(Reconnect)) == 1
    assert session.target(answer("200 OK", body=b"next")).endswith(b"next")


def test_an_end_is_an_end() -> None:
    session = web()
    session.client(request())
    assert session.client(b"") == b""
    assert session.of(Hangup) == [Hangup("the client closed the connection")]
    assert session.target(answer()) == b""
    assert session.wire.end("again") == []
    assert session.wire.refuse("again") == []
    assert session.wire.cancel() == ()
    assert session.wire.notice("x", "held") == ()


def test_a_target_that_breaks_the_protocol_is_a_violation() -> None:
    session = web()
    session.client(request())
    with pytest.raises(ProtocolViolation):
        session.target(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
    assert status(session.told(session.wire.end("Protocol violation."))) == 502
    assert [event.failed for event in session.of(CommandAnswered)] == [True]


# What one request has in common with others.


def test_a_request_for_another_item_has_the_same_shape() -> None:
    def shape(start: str, body: bytes = b"") -> Shape | None:
        session = web(waits)
        session.client(request(start, "Content-Type: text/plain", body=body))
        return module.shape(session.asked[0], session.asked[0].facts)

    one = shape("POST /orders/7/notes", b"a\nb")
    other = shape("POST /orders/8/notes", b"a\nb")
    another = shape("POST /orders/7/notes", b"a\nc")
    assert one is not None
    assert other is not None
    assert another is not None
    assert one.key == other.key != another.key
    assert shape("POST /orders/7/notes", b"a\r\nb") is None, "as text its lines would end otherwise"
