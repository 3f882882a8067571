"""The gateway's own login at the target, and what a session begins with."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from gateway.model import Block
from gateway.protocols.postgres import messages
from gateway.protocols.postgres.scram import PLAIN
from gateway.protocols.postgres.upstream_login import application_name, signature
from gateway.wire import CommandAsked, Hangup, LoginRefused, ProtocolViolation, Send, Side, StartTls
from tests.wires.beginning import LOGIN, SSL, admitted, sent, server
from tests.wires.masks import NOTHING
from tests.wires.playbook import ALLOW, KEY, fields, make_wire, opening, ready, server_hello, tags
from tests.wires.pump import SESSION

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
