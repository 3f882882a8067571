"""SCRAM-SHA-256: the RFC's own example, both sides against each other, and everything that must not pass."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.protocols.postgres.scram import (
    PLAIN,
    PLUS,
    ScramClient,
    ScramFailed,
    ScramServer,
    Verifier,
    make_verifier,
    saslprep,
)

SALT = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
CLIENT_NONCE, SERVER_NONCE = "rOprNGfwEbeRWgbNEkqO", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
SERVER_FIRST = f"r={CLIENT_NONCE}{SERVER_NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
CLIENT_FINAL = f"c=biws,r={CLIENT_NONCE}{SERVER_NONCE},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
SERVER_FINAL = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def server(password: str = "pencil", *, binding: bytes = b"", iterations: int = 4096) -> ScramServer:
    verifier = Verifier.read(make_verifier(password, SALT, iterations))
    return ScramServer(verifier, nonce=b"server-nonce", binding=binding)


def converse(client: ScramClient, server: ScramServer) -> None:
    client.verify(server.final(client.final(server.first(client.mechanism, client.first()))))


def test_the_servers_side_of_the_rfcs_example() -> None:
    scram = server()
    scram._nonce = SERVER_NONCE
    assert scram.first(PLAIN, f"n,,n=user,r={CLIENT_NONCE}") == SERVER_FIRST
    assert scram.final(CLIENT_FINAL) == SERVER_FINAL


def test_the_clients_side_proves_and_verifies() -> None:
    converse(ScramClient("pencil", nonce=b"n", offered=(PLAIN,)), server())


def test_the_rfcs_keys_are_what_a_verifier_holds() -> None:
    text = make_verifier("pencil", SALT, 4096)
    assert text.startswith("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$")
    assert str(Verifier.read(text)) == text
    assert "stored" not in repr(Verifier.read(text))


def test_channel_binding_ties_the_proof_to_the_certificate() -> None:
    client = ScramClient("pencil", nonce=b"n", offered=(PLUS, PLAIN), binding=b"certificate")
    assert client.mechanism == PLUS
    converse(client, server(binding=b"certificate"))
    stranger = ScramClient("pencil", nonce=b"n", offered=(PLUS, PLAIN), binding=b"another certificate")
    with pytest.raises(ScramFailed, match="certificate"):
        converse(stranger, server(binding=b"certificate"))


def test_a_client_that_thinks_binding_was_not_offered_has_been_deceived() -> None:
    deceived = ScramClient("pencil", nonce=b"n", offered=(PLAIN,), binding=b"certificate")
    assert deceived.first().startswith("y,,")
    with pytest.raises(ScramFailed, match="took channel binding out"):
        converse(deceived, server(binding=b"certificate"))
    converse(deceived, server())


@pytest.mark.parametrize(
    ("mechanism", "message"),
    [
        (PLAIN, "n,a=admin,n=user,r=nonce"),
        (PLAIN, "p=tls-unique,,n=user,r=nonce"),
        (PLAIN, "x,,n=user,r=nonce"),
        (PLAIN, "n,,n=user"),
        (PLAIN, "n,,n=user,r="),
        (PLAIN, "n,,r=nonce,n=user"),
        (PLAIN, "n,,m=what,n=user,r=nonce"),
        (PLAIN, ""),
        (PLUS, "n,,n=user,r=nonce"),
        ("SCRAM-SHA-1", "n,,n=user,r=nonce"),
    ],
)
def test_a_first_message_that_is_wrong_is_refused(mechanism: str, message: str) -> None:
    with pytest.raises(ScramFailed):
        server().first(mechanism, message)


def test_a_wrong_password_is_refused_by_either_side() -> None:
    with pytest.raises(ScramFailed, match="wrong"):
        converse(ScramClient("pen", nonce=b"n", offered=(PLAIN,)), server())
    client = ScramClient("pencil", nonce=b"n", offered=(PLAIN,))
    client.final(server().first(PLAIN, client.first()))
    for forged in ("v=" + base64.b64encode(bytes(32)).decode(), "v=", "e=other-error", "x=y"):
        with pytest.raises(ScramFailed):
            client.verify(forged)


def test_a_server_that_proves_nothing_is_refused() -> None:
    with pytest.raises(ScramFailed):
        ScramClient("pencil", nonce=b"n", offered=(PLAIN,)).verify("v=")


@pytest.mark.parametrize("change", ["nonce", "proof", "binding", "cut"])
def test_a_changed_last_message_is_refused(change: str) -> None:
    client, scram = ScramClient("pencil", nonce=b"n", offered=(PLAIN,)), server()
    final = client.final(scram.first(PLAIN, client.first()))
    changed = {
        "nonce": final.replace(",r=", ",r=x"),
        "proof": final.rpartition("p=")[0] + "p=" + base64.b64encode(bytes(32)).decode(),
        "binding": final.replace("c=biws", "c=eSws"),
        "cut": final[:-8],
    }[change]
    with pytest.raises(ScramFailed):
        scram.final(changed)


@pytest.mark.parametrize(
    "iterations", ["0", "1", "4095", "1000001", "99999999999999", "-4096", "4096x", "٤٠٩٦", ""]
)
def test_iterations_that_make_no_sense_are_refused(iterations: str) -> None:
    client = ScramClient("pencil", nonce=b"n", offered=(PLAIN,))
    nonce = client.first().partition("r=")[2]
    with pytest.raises(ScramFailed):
        client.final(f"r={nonce}more,s=AAAA,i={iterations}")


@pytest.mark.parametrize("nonce", ["", "x", "{own}"])
def test_a_nonce_that_does_not_continue_ours_is_refused(nonce: str) -> None:
    client = ScramClient("pencil", nonce=b"n", offered=(PLAIN,))
    own = client.first().partition("r=")[2]
    with pytest.raises(ScramFailed):
        client.final(f"r={nonce.format(own=own)},s=AAAA,i=4096")


def test_nothing_is_begun_with_a_server_that_offers_nothing_known() -> None:
    with pytest.raises(ScramFailed):
        ScramClient("pencil", nonce=b"n", offered=("SCRAM-SHA-1",))


@pytest.mark.parametrize(
    "text", ["", "md5abc", "SCRAM-SHA-256$1:2$3:4", "SCRAM-SHA-256$x:AA==$AA==:AA==", "$$"]
)
def test_what_is_no_verifier_is_refused(text: str) -> None:
    with pytest.raises(ScramFailed):
        Verifier.read(text)


@pytest.mark.parametrize(
    ("password", "prepared"),
    [
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("a\u00a0b", "a b"),
        ("\u0007", "\u0007"),
        ("\u0627\u0031", "\u0627\u0031"),
    ],
)
def test_passwords_are_prepared_as_the_rfc_has_it(password: str, prepared: str) -> None:
    """RFC 4013 §3; what it forbids is used unprepared, as PostgreSQL does."""
    assert saslprep(password) == prepared


@given(st.text(max_size=200))
def test_no_message_makes_either_side_fail_in_another_way(message: str) -> None:
    for attempt in (
        lambda: server(iterations=4096).first(PLAIN, message),
        lambda: ScramClient("p", nonce=b"n", offered=(PLAIN,)).final(message),
        lambda: ScramClient("p", nonce=b"n", offered=(PLAIN,)).verify(message),
        lambda: _begun().final(message),
    ):
        try:
            attempt()
        except ScramFailed:
            continue


def _begun() -> ScramServer:
    scram = ScramServer(_VERIFIER, nonce=b"n")
    scram.first(PLAIN, "n,,n=,r=nonce")
    return scram


_VERIFIER = Verifier.read(make_verifier("pencil", SALT, 4096))
