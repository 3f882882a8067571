"""The gateway's own login at a MySQL or MariaDB target, and what a session begins with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.facts.mysql import Server
from gateway.protocols.mysql import capabilities as can
from gateway.protocols.mysql import greeting, proofs
from gateway.protocols.mysql.cancelling import KillErrand
from gateway.protocols.mysql.packets import frame
from gateway.protocols.mysql.upstream_login import attributes_of
from gateway.wire import Hangup, Limits, LoginRefused, ProtocolViolation, Send, Side, StartTls
from tests.wires.mysql_playbook import (
    CAPABILITIES,
    CHALLENGE,
    LOGIN,
    THREAD,
    answer,
    eof,
    err,
    errors,
    make_wire,
    ok,
    opening,
    packed,
    payloads,
    play,
    query,
    sent,
    server_greeting,
    server_modes,
)
from tests.wires.pump import SESSION


def admitted(changed=None, *, login=LOGIN, **said):
    wire = make_wire(changed)
    wire.start()
    wire.receive(Side.CLIENT, answer(**said))
    wire.challenge(None)
    wire.receive(Side.CLIENT, frame(b"token\0", 3))
    return wire, wire.admit(SESSION, login)


def server(wire, data):
    return wire.receive(Side.UPSTREAM, data)


def handshake(data):
    (payload,) = payloads(data)
    return greeting.read_answer(payload, 0xFFFFFFFF)


def test_the_target_is_told_who_logs_in_and_on_whose_behalf():
    wire, events = admitted()
    assert not events
    said = handshake(sent(server(wire, server_greeting()), Side.UPSTREAM))
    assert (said.user, said.database, said.charset) == ("gateway", "shop", greeting.UTF8MB4)
    assert said.proof == proofs.native(b"stored", CHALLENGE)
    assert said.attributes[b"program_name"] == b"shopper [cs-1]"
    assert said.capabilities == can.OFFERED


def test_a_greeting_that_comes_before_the_login_is_known_waits():
    wire = make_wire()
    wire.start()
    wire.receive(Side.CLIENT, answer())
    wire.challenge(None)
    wire.receive(Side.CLIENT, frame(b"token\0", 3))
    data = server_greeting()
    assert server(wire, data[:9]) == []
    assert server(wire, data[9:]) == []
    assert handshake(sent(wire.admit(SESSION, LOGIN), Side.UPSTREAM)).user == "gateway"


def test_one_set_of_capabilities_holds_on_both_legs():
    wire, _ = admitted(capabilities=can.OFFERED & ~can.MULTI_STATEMENTS & ~can.FOUND_ROWS | 1 << 7 | 1 << 24)
    said = handshake(sent(server(wire, server_greeting()), Side.UPSTREAM))
    assert said.capabilities == can.OFFERED & ~can.MULTI_STATEMENTS & ~can.FOUND_ROWS
    lacking, _ = admitted()
    send, hangup = server(lacking, server_greeting(capabilities=CAPABILITIES & ~can.MULTI_STATEMENTS))
    assert "several statements" in errors(send.data)[0][1]
    assert isinstance(hangup, Hangup)


def test_the_client_is_in_once_the_target_has_said_how_it_reads():
    wire, _ = admitted()
    server(wire, server_greeting())
    asked = sent(server(wire, packed(ok(), first=2)), Side.UPSTREAM)
    assert asked == query("SELECT @@SESSION.sql_mode, @@SESSION.character_set_client")
    assert wire.cancel_key == b""
    (send,) = server(wire, server_modes())
    assert send.to is Side.CLIENT
    assert payloads(send.data) == [ok()]
    assert len(wire.cancel_key) == 32


def test_texts_are_read_by_the_modes_of_the_target():
    plain, ansi = play(), play(modes="ANSI_QUOTES")
    for session in (plain, ansi):
        session.client(query('select "ssn" from t'))
    columns = [
        {r.name for r in each.asked[0].facts.resources if r.kind == "column"} for each in (plain, ansi)
    ]
    assert columns == [set(), {"t.ssn"}]
    oracle = play(modes="ORACLE")
    oracle.client(query("select 1"))
    assert not oracle.asked[0].facts.complete


@pytest.mark.parametrize(
    ("version", "server_kind"), [("5.5.5-10.11.6-MariaDB", Server.MARIADB), ("8.0.36", Server.MYSQL)]
)
def test_the_server_is_known_by_its_version(version, server_kind):
    wire, _ = admitted()
    server(wire, server_greeting(version=version))
    server(wire, packed(ok(), first=2))
    server(wire, server_modes())
    assert wire._reading.context.servers == (server_kind,)
    assert wire._known.version == version


@pytest.mark.parametrize("tls", ["require", "verify-full"])
def test_upstream_tls_is_demanded(tls):
    wire, _ = admitted(opening(upstream_tls=tls))
    send, started = server(wire, server_greeting(capabilities=CAPABILITIES | can.SSL))
    assert greeting.asks_for_tls(payloads(send.data)[0])
    assert started == StartTls(Side.UPSTREAM)
    (send,) = wire.tls_started(Side.UPSTREAM, b"")
    assert send.data[3] == 2
    assert handshake(send.data).user == "gateway"
    refusing, _ = admitted(opening(upstream_tls=tls))
    send, hangup = server(refusing, server_greeting())
    assert "TLS" in errors(send.data)[0][1]
    assert isinstance(hangup, Hangup)
    injecting, _ = admitted(opening(upstream_tls=tls))
    with pytest.raises(ProtocolViolation):
        server(injecting, server_greeting(capabilities=CAPABILITIES | can.SSL) + packed(ok(), first=2))


def switched(plugin, *, tls="disable"):
    wire, _ = admitted(opening(upstream_tls=tls))
    flags = CAPABILITIES | (can.SSL if tls != "disable" else 0)
    server(wire, server_greeting(capabilities=flags))
    if tls != "disable":
        wire.tls_started(Side.UPSTREAM, b"")
    return wire, server(wire, frame(greeting.write_switch(plugin, CHALLENGE[::-1]), 3))


def test_a_switch_is_followed_to_what_the_account_has():
    _, (send,) = switched(proofs.CACHING)
    assert send == Send(Side.UPSTREAM, frame(proofs.caching(b"stored", CHALLENGE[::-1]), 4))
    _, (send,) = switched(proofs.NATIVE)
    assert send == Send(Side.UPSTREAM, frame(proofs.native(b"stored", CHALLENGE[::-1]), 4))


@pytest.mark.parametrize("plugin", [proofs.CLEAR, proofs.SHA256])
def test_a_password_goes_upstream_in_clear_only_inside_tls(plugin):
    _, (send, _) = switched(plugin)
    assert send.to is Side.CLIENT
    assert "in clear" in errors(send.data)[0][1]
    _, (send,) = switched(plugin, tls="require")
    assert payloads(send.data) == [b"stored\0"]


def test_full_authentication_needs_tls_and_fast_needs_nothing():
    wire, _ = switched(proofs.CACHING)
    assert server(wire, frame(b"\1\3", 5)) == []
    assert sent(server(wire, packed(ok(), first=6)), Side.UPSTREAM).startswith(b"\x3a\0\0\0\3SELECT")
    wire, _ = switched(proofs.CACHING)
    send, _ = server(wire, frame(b"\1\4", 5))
    assert "without TLS" in errors(send.data)[0][1]
    wire, _ = switched(proofs.CACHING, tls="require")
    assert sent(server(wire, frame(b"\1\4", 5)), Side.UPSTREAM) == frame(b"stored\0", 6)


@pytest.mark.parametrize("plugin", ["client_ed25519", "parsec", "mysql_old_password", "dialog"])
def test_a_plugin_that_the_gateway_does_not_have_is_named(plugin):
    _, (send, hangup) = switched(plugin)
    assert plugin in errors(send.data)[0][1]
    assert isinstance(hangup, Hangup)


def test_the_oldest_switch_is_refused():
    wire, _ = admitted()
    server(wire, server_greeting())
    send, _ = server(wire, frame(b"\xfe", 2))
    assert "mysql_old_password" in errors(send.data)[0][1]


def test_a_target_that_refuses_is_reported_in_its_own_words():
    wire, _ = admitted()
    server(wire, server_greeting())
    send, hangup = server(wire, frame(err(1049, "42000", "Unknown database 'shop'"), 2))
    assert errors(send.data) == [(1049, "The target refused the session: Unknown database 'shop'")]
    assert isinstance(hangup, Hangup)


def test_a_target_that_is_full_is_reported_before_its_greeting():
    wire, _ = admitted()
    send, _ = server(wire, frame(b"\xff\x10\x04Too many connections", 0))
    assert errors(send.data) == [(1040, "The target refused the session: Too many connections")]


def test_a_target_that_refuses_the_credential_is_reported_without_it():
    wire, _ = admitted()
    server(wire, server_greeting())
    (refused,) = server(wire, frame(err(1045, "28000", "Access denied for user 'gateway'@'x'"), 2))
    assert isinstance(refused, LoginRefused)
    assert "'gateway'" not in refused.message
    assert handshake(sent((*wire.admit(SESSION, LOGIN), *server(wire, server_greeting())), Side.UPSTREAM))


@pytest.mark.parametrize(
    "data",
    [
        frame(b"", 0),
        frame(b"\x09old", 0),
        frame(b"\0", 0),
        frame(b"\x0a5.5", 0),
        b"\xff\xff\xff\0" + b"x" * 70_000,
    ],
    ids=["empty", "version 9", "ok", "cut", "long"],
)
def test_what_is_no_greeting_is_a_violation(data):
    wire, _ = admitted()
    with pytest.raises(ProtocolViolation):
        server(wire, data)


ANSWERS = st.lists(
    st.one_of(
        st.binary(max_size=60),
        st.sampled_from(
            [
                ok(),
                eof(),
                b"\1\3",
                b"\1\4",
                b"\xfe",
                err(1045, "28000", "no"),
                b"\xff\1\2#\xff\xff\xff\xff\xff",
            ]
        ),
        st.binary(max_size=30).map(lambda data: greeting.write_switch(proofs.CACHING, data)),
        st.binary(max_size=30).map(lambda data: greeting.write_switch(proofs.NATIVE, data)),
    ),
    max_size=8,
)


@given(ANSWERS, st.booleans())
def test_whatever_a_target_says_at_login_is_understood_or_a_violation(said, greets):
    wire, _ = admitted()
    data = (server_greeting() if greets else b"") + packed(*said, first=2 if greets else 0)
    try:
        server(wire, data)
    except ProtocolViolation:
        return


def test_the_name_of_the_session_is_never_cut_by_the_clients():
    said = attributes_of({b"program_name": b"x" * 2_000, b"_os": b"Linux"}, "countersign 1 helper")
    assert said[b"program_name"].endswith(b"x [countersign 1 helper]")
    assert len(said[b"program_name"]) <= 512
    assert said[b"_os"] == b"Linux"
    assert attributes_of({}, "cs")[b"program_name"] == b"[cs]"


def test_the_errand_of_a_cancel_logs_in_kills_and_leaves():
    errand = KillErrand(LOGIN, THREAD, tls="disable", limits=Limits())
    assert errand.start() == ()
    said = handshake(sent(errand.receive(Side.UPSTREAM, server_greeting()), Side.UPSTREAM))
    assert said.user == "gateway"
    assert sent(errand.receive(Side.UPSTREAM, packed(ok(), first=2)), Side.UPSTREAM) == query("KILL QUERY 7")
    send, hangup = errand.receive(Side.UPSTREAM, packed(ok()))
    assert payloads(send.data) == [b"\1"]
    assert isinstance(hangup, Hangup)
    refused = KillErrand(LOGIN, THREAD, tls="require", limits=Limits())
    assert [type(event) for event in refused.receive(Side.UPSTREAM, server_greeting())] == [Hangup]
