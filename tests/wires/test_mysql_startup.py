"""How a client of MySQL or MariaDB is greeted, and proves who it is."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.protocols.mysql import capabilities as can
from gateway.protocols.mysql import greeting, proofs
from gateway.protocols.mysql.catalogue import Known
from gateway.protocols.mysql.packets import frame
from gateway.wire import Hangup, LoginAsked, LoginProved, ProtocolViolation, Send, Side, StartTls
from tests.wires.mysql_playbook import LOGIN, answer, errors, make_wire, opening, payloads, sent
from tests.wires.pump import SESSION

NEVER = can.SSL | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 23 | 1 << 24 | 1 << 25 | 1 << 26 | 1 << 27 | 1 << 28
"""TLS without a certificate, compression, LOCAL INFILE, IGNORE_SPACE, session tracking, and what came after it."""


def greeted(changed=None, known=None):
    wire = make_wire(changed, known)
    (payload,) = payloads(sent(wire.start(), Side.CLIENT))
    return wire, greeting.read_greeting(payload)


def client(wire, data):
    return wire.receive(Side.CLIENT, data)


def twice(password: bytes, plugin: str) -> str:
    kind = {"mysql_native_password": "sha1", "caching_sha2_password": "sha256"}[plugin]
    return hashlib.new(kind, hashlib.new(kind, password).digest()).hexdigest()


def minted(password: bytes) -> dict[str, str]:
    return {
        "scram-sha-256": "...",
        **{plugin: twice(password, plugin) for plugin in (proofs.NATIVE, proofs.CACHING)},
    }


def test_the_greeting_offers_what_goes_through_and_nothing_else():
    _, said = greeted()
    assert said.capabilities == can.OFFERED
    assert not said.capabilities & NEVER
    assert len(said.challenge) == greeting.SCRAMBLE
    assert b"\0" not in said.challenge
    assert said.plugin == proofs.CACHING
    _, offering = greeted(opening(client_tls=True))
    assert offering.capabilities == can.OFFERED | can.SSL


@pytest.mark.parametrize(
    ("version", "wanted"),
    [
        ("", greeting.VERSION),
        ("10.11.6-MariaDB-log", "5.5.5-10.11.6-MariaDB-log"),
        ("11.4.2-MariaDB", "11.4.2-MariaDB"),
        ("8.0.36", "8.0.36"),
    ],
)
def test_the_version_is_the_targets(version, wanted):
    known = Known()
    known.version = version
    assert greeted(known=known)[1].version == wanted


def test_every_session_has_a_number_of_its_own_far_from_the_targets():
    known = Known()
    numbers = {greeted(known=known)[1].connection for _ in range(50)}
    assert len(numbers) == 50
    assert min(numbers) >= 1 << 30


def test_a_client_says_who_it_is():
    wire, _ = greeted()
    assert client(wire, answer("alice", database="shop")) == [LoginAsked(user="alice", database="shop")]


def test_a_token_is_handed_over_in_clear_on_loopback():
    wire, _ = greeted()
    client(wire, answer(plugin=proofs.CACHING, proof=b"x" * 32))
    (switch,) = payloads(sent(wire.challenge(None), Side.CLIENT))
    assert greeting.read_switch(switch)[0] == proofs.CLEAR
    (asked,) = client(wire, frame(b"token\0", 3))
    assert asked == LoginAsked(user="alice", database="shop", secret="token")
    assert "token" not in repr(asked)


@pytest.mark.parametrize("plugin", [proofs.NATIVE, proofs.CACHING, "dialog"])
def test_inside_tls_a_token_is_handed_over_by_full_authentication(plugin):
    wire, _ = greeted(opening(client_tls=True, client_trusted_path=False))
    request = greeting.write_ssl_request(can.OFFERED, 45)
    assert client(wire, frame(request, 1)) == [StartTls(Side.CLIENT)]
    wire.tls_started(Side.CLIENT, b"")
    client(wire, answer(plugin=plugin, proof=b"x" * 32, sequence=2))
    said = payloads(sent(wire.challenge(None), Side.CLIENT))[-1]
    sequence = 4
    if plugin != proofs.CACHING:
        assert greeting.read_switch(said)[0] == proofs.CACHING
        said = payloads(sent(client(wire, frame(b"y" * 32, 4)), Side.CLIENT))[-1]
        sequence = 6
    assert said == b"\1\4"
    (asked,) = client(wire, frame(b"token\0", sequence))
    assert asked.secret == "token"


def test_a_client_that_names_the_clear_plugin_gets_it_inside_tls():
    wire, _ = greeted(opening(client_tls=True, client_trusted_path=False))
    client(wire, frame(greeting.write_ssl_request(can.OFFERED, 45), 1))
    wire.tls_started(Side.CLIENT, b"")
    client(wire, answer(plugin=proofs.CLEAR, sequence=2))
    (switch,) = payloads(sent(wire.challenge(None), Side.CLIENT))
    assert greeting.read_switch(switch)[0] == proofs.CLEAR


@pytest.mark.parametrize(
    ("tls", "words"), [(True, "Connect with TLS"), (False, "no certificate to offer TLS")]
)
def test_a_token_never_crosses_an_open_path(tls, words):
    wire, _ = greeted(opening(client_tls=tls, client_trusted_path=False))
    client(wire, answer())
    send, hangup = wire.challenge(None)
    assert errors(send.data)[0][0] == 1045
    assert words in errors(send.data)[0][1]
    assert isinstance(hangup, Hangup)


def test_a_handshake_that_comes_with_the_request_is_read_as_one():
    wire, _ = greeted(opening(client_tls=True))
    hello = b"\x16\x03\x01\x02\x00\x01"
    request = frame(greeting.write_ssl_request(can.OFFERED, 45), 1)
    assert client(wire, request + hello) == [StartTls(Side.CLIENT, hello)]
    with pytest.raises(ProtocolViolation):
        client(wire, answer(sequence=2))


def test_tls_that_is_not_offered_cannot_begin():
    wire, _ = greeted()
    with pytest.raises(ProtocolViolation):
        client(wire, frame(greeting.write_ssl_request(can.OFFERED, 45), 1))


@pytest.mark.parametrize("path", [True, False])
def test_a_minted_password_is_proved_by_the_greetings_own_challenge(path):
    wire, said = greeted(opening(client_trusted_path=path))
    client(wire, answer(plugin=proofs.CACHING, proof=proofs.caching(b"pw", said.challenge)))
    send, proved = wire.challenge(minted(b"pw"))
    assert payloads(send.data) == [b"\1\3"]
    assert proved == LoginProved(user="alice", database="shop")


@pytest.mark.parametrize("plugin", [proofs.NATIVE, "dialog", ""])
def test_a_minted_password_is_proved_by_the_plugin_that_a_client_has(plugin):
    wire, _ = greeted()
    client(wire, answer(plugin=plugin, proof=b"of another challenge"))
    (switch,) = payloads(sent(wire.challenge(minted(b"pw")), Side.CLIENT))
    named, challenge = greeting.read_switch(switch)
    assert named == (proofs.NATIVE if plugin == proofs.NATIVE else proofs.CACHING)
    made = (proofs.native if named == proofs.NATIVE else proofs.caching)(b"pw", challenge)
    assert client(wire, frame(made, 3))[-1] == LoginProved(user="alice", database="shop")


@pytest.mark.parametrize("proof", [b"", b"x", b"x" * 20, b"x" * 32, b"x" * 33])
def test_a_wrong_proof_is_refused(proof):
    wire, _ = greeted()
    client(wire, answer(plugin="dialog"))
    wire.challenge(minted(b"pw"))
    send, hangup = client(wire, frame(proof, 3))
    assert errors(send.data)[0][0] == 1045
    assert isinstance(hangup, Hangup)


def test_verifiers_without_one_of_ours_let_the_password_be_handed_over():
    wire, _ = greeted()
    client(wire, answer())
    (switch,) = payloads(sent(wire.challenge({"scram-sha-256": "..."}), Side.CLIENT))
    assert greeting.read_switch(switch)[0] == proofs.CLEAR


def test_who_is_refused_before_the_greeting_is_told_without_a_state():
    wire = make_wire()
    send, hangup = wire.refuse("Full.")
    assert send == Send(Side.CLIENT, frame(b"\xff\x15\x04Full.", 0))
    assert isinstance(hangup, Hangup)


def test_a_target_that_cannot_be_reached_is_no_wrong_password():
    wire, _ = greeted()
    client(wire, answer())
    send, _ = wire.refuse("Nobody answers there.", unreachable=True)
    assert errors(send.data) == [(1429, "Nobody answers there.")]


@pytest.mark.parametrize(
    "data",
    [
        frame(b"", 1),
        frame(b"\0" * 40, 1),
        answer(sequence=2),
        answer(capabilities=can.LONG_PASSWORD),
        frame(greeting.write_ssl_request(can.OFFERED, 45)[:-1], 1),
        frame(b"x" * 20_000, 1),
        answer().replace(b"\x0cprogram_name", b"\x1cprogram_name"),
    ],
    ids=["empty", "zeros", "sequence", "before 4.1", "cut", "long", "attributes"],
)
def test_what_is_no_handshake_is_a_violation(data):
    wire, _ = greeted()
    with pytest.raises(ProtocolViolation):
        client(wire, data)


def test_what_a_client_sends_ahead_of_its_admission_is_bounded():
    wire, _ = greeted()
    client(wire, answer())
    with pytest.raises(ProtocolViolation):
        client(wire, b"\x10\0\0\0" + b"x" * 20_000)


@given(st.binary(max_size=64), st.binary(min_size=20, max_size=20))
def test_only_the_password_proves_itself(password, challenge):
    for plugin, make, check in (
        (proofs.NATIVE, proofs.native, proofs.native_proved),
        (proofs.CACHING, proofs.caching, proofs.caching_proved),
    ):
        verifier = bytes.fromhex(twice(password, plugin))
        assert check(make(password, challenge), challenge, verifier) is bool(password)
        assert not check(make(password + b"x", challenge), challenge, verifier)
        assert not check(make(password, challenge[::-1] + b"x"), challenge, verifier)


@given(st.binary(max_size=300))
def test_any_handshake_is_understood_or_a_violation(data):
    wire, _ = greeted()
    try:
        client(wire, frame(data, 1))
    except ProtocolViolation:
        return


def test_a_target_that_closes_early_is_told_of():
    wire, _ = greeted()
    client(wire, answer())
    wire.challenge(None)
    client(wire, frame(b"token\0", 3))
    wire.admit(SESSION, LOGIN)
    send, hangup = wire.receive(Side.UPSTREAM, b"")
    assert "closed the connection" in errors(send.data)[0][1]
    assert isinstance(hangup, Hangup)
