"""How a session begins: every first packet, the client's proof, and what must end at once."""

from __future__ import annotations

import pytest

from gateway.protocols.postgres import messages
from gateway.protocols.postgres.scram import PLAIN, PLUS, ScramClient, make_verifier
from gateway.wire import (
    CancelAsked,
    CommandAsked,
    Hangup,
    LoginAsked,
    LoginProved,
    ProtocolViolation,
    Send,
    Side,
    StartTls,
)
from tests.wires.beginning import GSS, HELLO, LOGIN, SSL, asked, client, sent, server
from tests.wires.playbook import KEY, fields, make_wire, opening, query, server_hello, startup
from tests.wires.pump import SESSION

# First packets.


def test_tls_is_begun_where_it_is_asked_for() -> None:
    wire = make_wire(opening(client_tls=True))
    assert client(wire, SSL) == [Send(Side.CLIENT, b"S"), StartTls(Side.CLIENT)]
    wire.tls_started(Side.CLIENT, b"binding")
    (login,) = asked(wire)
    assert login == LoginAsked(user="alice", database="shop")


def test_tls_is_declined_where_there_is_no_certificate() -> None:
    wire = make_wire(opening())
    assert client(wire, SSL) == [Send(Side.CLIENT, b"N")]
    assert asked(wire) == [LoginAsked(user="alice", database="shop")]


def test_gssapi_is_declined_and_tls_may_still_be_asked_for() -> None:
    wire = make_wire(opening(client_tls=True))
    assert client(wire, GSS) == [Send(Side.CLIENT, b"N")]
    assert client(wire, SSL) == [Send(Side.CLIENT, b"S"), StartTls(Side.CLIENT)]


def test_tls_from_the_first_byte_is_handed_on_with_what_came() -> None:
    wire = make_wire(opening(client_tls=True))
    assert client(wire, HELLO) == [StartTls(Side.CLIENT, HELLO)]
    without = make_wire(opening())
    with pytest.raises(ProtocolViolation):
        client(without, HELLO)


@pytest.mark.parametrize("injected", [b"x", startup(user="mallory"), query("drop table t")])
def test_bytes_between_the_request_for_tls_and_its_handshake_are_a_violation(injected: bytes) -> None:
    wire = make_wire(opening(client_tls=True))
    with pytest.raises(ProtocolViolation):
        client(wire, SSL + injected)
    late = make_wire(opening(client_tls=True))
    client(late, SSL)
    with pytest.raises(ProtocolViolation):
        client(late, injected)


@pytest.mark.parametrize("first", [SSL + SSL, GSS + GSS])
def test_the_same_request_twice_is_a_violation(first: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        client(make_wire(opening()), first)


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("secret", [4, 32, 256])
def test_a_cancel_request_is_carried_in_clear_and_inside_tls(tls: bool, secret: int) -> None:
    wire = make_wire(opening(client_tls=True, client_trusted_path=False))
    if tls:
        client(wire, SSL)
        wire.tls_started(Side.CLIENT, b"binding")
    key = KEY[:4] + b"k" * secret
    assert client(wire, messages.untagged(messages.CANCEL_REQUEST, key))[0] == CancelAsked(key)


@pytest.mark.parametrize(
    "packet",
    [
        b"\0\0\0\x07\0\3\0\0",
        b"\0\0\0\0\0\0\0\0",
        b"\xff\xff\xff\xff\0\3\0\0",
        (10_001).to_bytes(4, "big") + b"\0\3\0\0",
        startup(user="alice")[:-1] + b"x",
        b"\0\0\0\x09\0\3\0\0x",
        messages.untagged(messages.CANCEL_REQUEST, b"short"),
        messages.untagged(messages.CANCEL_REQUEST, b"k" * 300),
        messages.untagged(messages.SSL_REQUEST, b"more"),
        messages.untagged(0x30000, b"user\0a\0user\0b\0\0"),
        messages.untagged(0x30000, b"user\0\xff\0\0"),
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_a_first_packet_that_is_none_is_a_violation(packet: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        client(make_wire(opening()), packet)


@pytest.mark.parametrize(
    ("parameters", "code", "says"),
    [
        ({"user": ""}, "28000", "user"),
        ({"replication": "true"}, "42501", "Replication"),
        ({"replication": "database"}, "42501", "Replication"),
        ({"options": "-F"}, "42501", "-c name=value"),
        ({"options": "-c nothing"}, "42501", "sets nothing"),
        ({"x; drop table t": "1"}, "42704", "name"),
        ({"options": "-c user=postgres"}, "42704", '"user"'),
        ({"options": "--database=other"}, "42704", '"database"'),
        ({"options": "-creplication=database"}, "42704", '"replication"'),
        ({"options": "-c options=-crole=admin"}, "42704", '"options"'),
        ({"options": "-c _pq_.x=1"}, "42704", '"_pq_.x"'),
        ({"options": "-c Options=-crole=admin"}, "42704", '"options"'),
        ({"Database": "other"}, "42704", '"database"'),
        ({"_PQ_.x": "1"}, "42704", '"_pq_.x"'),
    ],
)
def test_a_start_up_that_is_refused_says_why(parameters: dict[str, str], code: str, says: str) -> None:
    wire = make_wire(opening())
    (send, hangup) = asked(wire, **parameters)
    said = fields(send.data)
    assert (said["S"], said["C"]) == ("FATAL", code)
    assert says in said["M"]
    assert isinstance(hangup, Hangup)


def test_an_old_protocol_is_refused() -> None:
    (send, _) = client(make_wire(opening()), startup(0x20000, user="alice"))
    assert fields(send.data)["C"] == "0A000"


def test_the_database_is_called_like_the_user_unless_it_is_named() -> None:
    (login,) = client(make_wire(opening()), startup(user="alice"))
    assert login == LoginAsked(user="alice", database="alice")


@pytest.mark.parametrize(
    ("version", "options", "answer"),
    [
        (0x30000, {}, None),
        (0x30002, {}, None),
        (0x30003, {}, messages.negotiate(0x30002, [])),
        (
            0x3270F,
            {"_pq_.test_protocol_negotiation": ""},
            messages.negotiate(0x30002, [b"_pq_.test_protocol_negotiation"]),
        ),
        (0x30000, {"_pq_.x": "1"}, messages.negotiate(0x30000, [b"_pq_.x"])),
    ],
)
def test_what_is_not_known_of_the_protocol_is_negotiated(
    version: int, options: dict[str, str], answer: bytes | None
) -> None:
    wire = make_wire(opening())
    events = client(wire, startup(version, user="alice", **options))
    assert sent(events, Side.CLIENT) == (answer or b"")
    assert isinstance(events[-1], LoginAsked)
    wire.challenge(None)
    client(wire, messages.password(b"token\0"))
    assert b"_pq_" not in sent(wire.admit(SESSION, LOGIN), Side.UPSTREAM)


# The client's proof.


def test_a_token_is_asked_for_in_clear_only_where_nobody_listens() -> None:
    trusted = make_wire(opening())
    asked(trusted)
    assert sent(trusted.challenge(None), Side.CLIENT) == messages.CLEARTEXT_PASSWORD
    assert client(trusted, messages.password(b"the token\0")) == [
        LoginAsked(user="alice", database="shop", secret="the token")
    ]
    for tls in (True, False):
        wire = make_wire(opening(client_trusted_path=False, client_tls=tls))
        asked(wire)
        said = fields(sent(wire.challenge(None), Side.CLIENT))
        assert ("sslmode=require" in said["M"]) is tls
        assert ("tls:" in said["M"]) is not tls


def test_a_token_is_not_in_the_repr_of_what_is_asked() -> None:
    assert "the token" not in repr(LoginAsked(user="alice", database="", secret="the token"))


@pytest.mark.parametrize("tls", [False, True])
def test_a_password_is_proved_by_scram(tls: bool) -> None:
    wire = make_wire(opening(client_tls=True, client_trusted_path=False))
    if tls:
        client(wire, SSL)
        wire.tls_started(Side.CLIENT, b"the certificate")
    asked(wire)
    offer = sent(wire.challenge({"scram-sha-256": make_verifier("pw", b"salt" * 4)}), Side.CLIENT)
    assert (PLUS.encode() + b"\0" in offer) is tls
    offered = (PLUS, PLAIN) if tls else (PLAIN,)
    scram = ScramClient("pw", nonce=b"c", offered=offered, binding=b"the certificate" if tls else b"")
    first = client(wire, messages.sasl_initial(scram.mechanism, scram.first().encode()))
    final = scram.final(sent(first, Side.CLIENT)[9:].decode())
    events = client(wire, messages.password(final.encode()))
    scram.verify(sent(events, Side.CLIENT)[9:].decode())
    assert events[-1] == LoginProved(user="alice", database="shop")


def test_a_wrong_password_ends_with_28p01() -> None:
    wire = make_wire(opening())
    asked(wire)
    wire.challenge({"scram-sha-256": make_verifier("pw", b"salt" * 4)})
    scram = ScramClient("wrong", nonce=b"c", offered=(PLAIN,))
    first = client(wire, messages.sasl_initial(PLAIN, scram.first().encode()))
    (send, hangup) = client(
        wire, messages.password(scram.final(sent(first, Side.CLIENT)[9:].decode()).encode())
    )
    assert fields(send.data)["C"] == "28P01"
    assert isinstance(hangup, Hangup)


@pytest.mark.parametrize(
    "data", [query("select 1"), b"p\0\0\0\3", messages.frame(b"p", b"no end"), b"p\x7f\xff\xff\xff"]
)
def test_anything_but_a_password_is_a_violation(data: bytes) -> None:
    wire = make_wire(opening())
    asked(wire)
    wire.challenge(None)
    with pytest.raises(ProtocolViolation):
        client(wire, data)


def test_a_refused_token_ends_with_28p01() -> None:
    wire = make_wire(opening())
    asked(wire)
    wire.challenge(None)
    client(wire, messages.password(b"bad\0"))
    (send, hangup) = wire.refuse("This token has expired.")
    assert fields(send.data) == {"S": "FATAL", "V": "FATAL", "C": "28P01", "M": "This token has expired."}
    assert isinstance(hangup, Hangup)
    assert wire.refuse("again") == ()


def test_a_refusal_can_come_before_the_first_byte() -> None:
    (send, _) = make_wire(opening()).refuse("Too many clients.")
    assert fields(send.data)["C"] == "28000"


def test_what_a_client_sends_ahead_waits_until_it_is_in() -> None:
    wire = make_wire(opening())
    asked(wire)
    wire.challenge(None)
    client(wire, messages.password(b"token\0") + query("select 1"))
    assert wire.buffered == len(query("select 1"))
    wire.admit(SESSION, LOGIN)
    events = server(wire, server_hello())
    assert isinstance(events[-1], CommandAsked)
    impatient = make_wire(opening())
    asked(impatient)
    with pytest.raises(ProtocolViolation):
        client(impatient, b"x" * 20_000)
