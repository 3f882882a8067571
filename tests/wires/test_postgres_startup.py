"""How a session begins: every first packet, both proofs, the upstream's login, and what must end at once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import pytest

from gateway.model import Block
from gateway.protocols.postgres import messages
from gateway.protocols.postgres.scram import PLAIN, PLUS, ScramClient, make_verifier
from gateway.protocols.postgres.upstream_login import application_name, signature
from gateway.protocols.postgres.wire import PostgresWire
from gateway.wire import (
    CancelAsked,
    CommandAsked,
    Event,
    Hangup,
    Login,
    LoginAsked,
    LoginProved,
    LoginRefused,
    ProtocolViolation,
    Send,
    Side,
    StartTls,
)
from tests.wires.masks import NOTHING
from tests.wires.playbook import (
    ALLOW,
    KEY,
    fields,
    make_wire,
    opening,
    query,
    ready,
    server_hello,
    startup,
    tags,
)
from tests.wires.pump import SESSION

SSL, GSS = messages.untagged(messages.SSL_REQUEST), messages.untagged(messages.GSSENC_REQUEST)
HELLO = b"\x16\x03\x01\x02\x00\x01"
LOGIN = Login(user="gateway", password="stored", database="shop", application="cs-1")


def client(wire: PostgresWire, data: bytes) -> Sequence[Event]:
    return wire.receive(Side.CLIENT, data)


def server(wire: PostgresWire, data: bytes) -> Sequence[Event]:
    return wire.receive(Side.UPSTREAM, data)


def asked(wire: PostgresWire, **parameters: str) -> Sequence[Event]:
    return client(wire, startup(**{"user": "alice", "database": "shop", **parameters}))


def sent(events: Sequence[Event], side: Side) -> bytes:
    return b"".join(event.data for event in events if isinstance(event, Send) and event.to is side)


def admitted(wire: PostgresWire, **parameters: str) -> Sequence[Event]:
    asked(wire, **parameters)
    wire.challenge(None)
    client(wire, messages.password(b"token\0"))
    return wire.admit(SESSION, LOGIN)


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


# The login upstream.


def test_the_upstream_is_told_who_logs_in_and_on_whose_behalf() -> None:
    wire = make_wire(opening())
    said = sent(admitted(wire, application_name="psql", DateStyle="ISO"), Side.UPSTREAM)
    pairs = said[8:-2].split(b"\0")
    assert dict(zip(pairs[::2], pairs[1::2], strict=True)) == {
        b"user": b"gateway",
        b"database": b"shop",
        b"application_name": b"psql [cs-1]",
        b"datestyle": b"ISO",
    }
    assert b"stored" not in said
    assert b"token" not in said


def test_the_client_is_in_when_the_upstream_lets_the_gateway_in() -> None:
    wire = make_wire(opening())
    admitted(wire)
    events = server(wire, server_hello())
    said = sent(events, Side.CLIENT)
    assert tags(said) == "RSSSKZ"
    assert KEY[4:] not in said
    assert said.endswith(ready("I"))


@pytest.mark.parametrize("tls", ["require", "verify-full"])
def test_upstream_tls_is_demanded(tls: str) -> None:
    wire = make_wire(opening(upstream_tls=tls))
    assert admitted(wire) == [Send(Side.UPSTREAM, SSL)]
    assert server(wire, b"S") == [StartTls(Side.UPSTREAM)]
    (send,) = wire.tls_started(Side.UPSTREAM, b"upstream certificate")
    assert send.to is Side.UPSTREAM
    refusing = make_wire(opening(upstream_tls=tls))
    admitted(refusing)
    (send, hangup) = server(refusing, b"N")
    assert "TLS" in fields(send.data)["M"]
    assert isinstance(hangup, Hangup)
    injecting = make_wire(opening(upstream_tls=tls))
    admitted(injecting)
    with pytest.raises(ProtocolViolation):
        server(injecting, b"S" + server_hello())


def test_a_password_goes_upstream_in_clear_only_inside_tls() -> None:
    wire = make_wire(opening())
    admitted(wire)
    (send, _) = server(wire, messages.CLEARTEXT_PASSWORD)
    assert send.to is Side.CLIENT
    assert "in clear" in fields(send.data)["M"]
    secure = make_wire(opening(upstream_tls="require"))
    admitted(secure)
    server(secure, b"S")
    secure.tls_started(Side.UPSTREAM, b"")
    assert server(secure, messages.CLEARTEXT_PASSWORD) == [
        Send(Side.UPSTREAM, messages.password(b"stored\0"))
    ]


def test_md5_is_answered_as_the_server_computes_it() -> None:
    wire = make_wire(opening())
    admitted(wire)
    (send,) = server(wire, messages.frame(b"R", b"\0\0\0\5", b"salt"))
    inner = hashlib.md5(b"storedgateway").hexdigest().encode()
    assert send.data == messages.password(b"md5" + hashlib.md5(inner + b"salt").hexdigest().encode() + b"\0")


def test_a_server_that_cannot_prove_itself_is_left() -> None:
    wire = make_wire(opening())
    admitted(wire)
    (send,) = server(wire, messages.sasl([PLAIN]))
    nonce = send.data.partition(b"r=")[2].decode()
    server(wire, messages.sasl_step(11, f"r={nonce}more,s=c2FsdA==,i=4096".encode()))
    (send, hangup) = server(wire, messages.sasl_step(12, b"v=" + b"A" * 43 + b"="))
    assert send.to is Side.CLIENT
    assert "does not know the password" in fields(send.data)["M"]
    assert isinstance(hangup, Hangup)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("3D000", 'database "shop" does not exist'),
        ("53300", "too many connections"),
    ],
)
def test_an_upstream_that_refuses_is_reported_in_its_own_words(code: str, words: str) -> None:
    wire = make_wire(opening())
    admitted(wire)
    (send, hangup) = server(wire, messages.error(code, words, severity="FATAL"))
    assert words in fields(send.data)["M"]
    assert isinstance(hangup, Hangup)


def test_an_upstream_that_refuses_the_credential_is_reported_without_it() -> None:
    wire = make_wire(opening())
    admitted(wire)
    said = 'password authentication failed for user "gateway"'
    (refused,) = server(wire, messages.error("28P01", said, severity="FATAL"))
    assert isinstance(refused, LoginRefused)
    (send, hangup) = wire.refuse(refused.message)
    assert fields(send.data)["C"] == "08006"
    assert "gateway" not in fields(send.data)["M"].replace("the gateway", "")
    assert isinstance(hangup, Hangup)


def test_a_login_with_another_credential_begins_afresh_and_asks_nobody_again() -> None:
    wire = make_wire(opening())
    (command,) = admitted(wire, search_path="shop")
    assert isinstance(command, CommandAsked)
    wire.answer(command.command.id, ALLOW, NOTHING)
    assert isinstance(server(wire, messages.error("28P01", "no", severity="FATAL"))[0], LoginRefused)
    (again,) = wire.admit(SESSION, replace(LOGIN, password="another"))
    assert again.to is Side.UPSTREAM
    assert b"search_path" in again.data


@pytest.mark.parametrize(
    "said",
    [
        ready(),
        messages.frame(b"K", KEY),
        messages.AUTHENTICATION_OK * 2,
        b"D\0\0\0\6\0\0",
        b"R\0\0\0\3",
        b"\x7f" * 9,
    ],
)
def test_a_login_out_of_order_is_a_violation(said: bytes) -> None:
    wire = make_wire(opening())
    admitted(wire)
    with pytest.raises(ProtocolViolation):
        server(wire, said)


def test_an_upstream_that_closes_is_reported() -> None:
    wire = make_wire(opening())
    admitted(wire)
    (send, hangup) = server(wire, b"")
    assert "closed" in fields(send.data)["M"]
    assert isinstance(hangup, Hangup)


# What a session begins with.


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ("-c role=admin", "SET role TO 'admin'"),
        ("--session-replication-role=replica", "SET session_replication_role TO 'replica'"),
        ("-csearch_path=a,\\ b", "SET search_path TO 'a, b'"),
        ("-c a.b='x'", "SET a.b TO '''x'''"),
    ],
)
def test_options_are_judged_like_set_statements(options: str, text: str) -> None:
    wire = make_wire(opening())
    (asks,) = admitted(wire, options=options)
    assert asks.command.text == text
    released = wire.answer(asks.command.id, ALLOW, NOTHING)
    name, _, value = text.removeprefix("SET ").partition(" TO ")
    said = f"{name}\0{value[1:-1].replace(chr(39) * 2, chr(39))}\0".encode()
    assert said in sent(released, Side.UPSTREAM)


@pytest.mark.parametrize("name", ["application_name", "APPLICATION_NAME", "application-name"])
def test_our_name_in_the_targets_log_is_never_replaced(name: str) -> None:
    said = sent(admitted(make_wire(opening()), options=f"-c {name}=mine"), Side.UPSTREAM)
    pairs = said[8:-2].split(b"\0")
    names = [each.lower() for each in pairs[::2]]
    assert names.count(b"application_name") == 1
    assert pairs[1::2][names.index(b"application_name")] == b"mine [cs-1]"


def test_a_parameter_comes_after_an_option_of_its_name_as_at_the_server() -> None:
    wire = make_wire(opening())
    (asks,) = admitted(wire, options="-c Search_Path=a -c SEARCH_PATH=b", search_path="c")
    assert asks.command.text == "SET search_path TO 'c'"


def test_what_the_target_notices_at_login_comes_behind_the_welcome_which_comes_once() -> None:
    wire = make_wire(opening())
    admitted(wire)
    said = server(wire, messages.notice("one") + messages.notice("two") + server_hello())
    told = sent(said, Side.CLIENT)
    assert told.startswith(messages.AUTHENTICATION_OK + messages.notice("one"))
    assert told.count(messages.AUTHENTICATION_OK) == 1
    assert told.endswith(ready())


def test_refused_options_end_the_login() -> None:
    wire = make_wire(opening())
    (asks,) = admitted(wire, options="-c role=admin")
    welcome, held = wire.notice(asks.command.id, "held")
    assert welcome.data == messages.AUTHENTICATION_OK, "before that libpq takes no notice"
    assert fields(held.data)["M"] == "held"
    (send, hangup) = wire.answer(asks.command.id, Block(rules=("r",), message="Not as admin."), NOTHING)
    assert fields(send.data)["M"] == "Not as admin."
    assert isinstance(hangup, Hangup)


@pytest.mark.parametrize(
    ("client_name", "ours", "name"),
    [
        ("psql", "cs-1", "psql [cs-1]"),
        ("", "cs-1", "[cs-1]"),
        ("psql", "", "psql"),
        ("x" * 100, "cs-1", "x" * 56 + " [cs-1]"),
        ("psql", "y" * 100, "y" * 62 + "]"),
        ("nänü\n", "cs-1", "n?n?? [cs-1]"),
    ],
)
def test_our_name_in_the_targets_log_is_never_cut(client_name: str, ours: str, name: str) -> None:
    assert application_name(client_name, signature(ours)) == name
    assert len(name) <= 63
