"""Two TLS layers talk to each other through bytes alone."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.tls import TlsFailed, TlsLayer, client_context, end_point, leaf, server_context
from tests.certificates import Authority


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    directory = tmp_path_factory.mktemp("tls")
    authority = Authority()
    certificate, key = authority.issue("localhost", "127.0.0.1").write(directory, "server")
    (directory / "ca.crt").write_bytes(authority.certificate)
    return {"ca": directory / "ca.crt", "certificate": certificate, "key": key}


def pair(files: dict[str, Path], *, host: str = "localhost", alpn: str = "") -> tuple[TlsLayer, TlsLayer]:
    client = TlsLayer(
        client_context("verify-full", authority=str(files["ca"]), alpn=alpn),
        server_side=False,
        server_hostname=host,
    )
    server = TlsLayer(
        server_context(str(files["certificate"]), str(files["key"]), alpn="postgresql"), server_side=True
    )
    return client, server


def shake_hands(client: TlsLayer, server: TlsLayer, *, step: int = 1 << 20) -> tuple[bool, bool]:
    """Carry handshake bytes to and fro, `step` at a time, until both are up."""
    up = [False, False]
    for_server, for_client = client.start(), b""
    while for_server or for_client:
        piece, for_server = for_server[:step], for_server[step:]
        if piece:
            told = server.receive(piece)
            for_client += told.reply
            up[1] |= told.established
        piece, for_client = for_client[:step], for_client[step:]
        if piece:
            told = client.receive(piece)
            for_server += told.reply
            up[0] |= told.established
    return up[0], up[1]


@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_a_handshake_succeeds_however_it_is_cut(files: dict[str, Path], step: int) -> None:
    assert shake_hands(*pair(files), step=step) == (True, True)


@settings(max_examples=25, deadline=None)
@given(data=st.binary(max_size=100_000), cut=st.integers(min_value=1, max_value=50_000))
def test_plaintext_comes_out_as_it_went_in(files: dict[str, Path], data: bytes, cut: int) -> None:
    client, server = pair(files)
    shake_hands(client, server)
    sealed = client.send(data) if data else b""
    got = b"".join(server.receive(sealed[at : at + cut]).plaintext for at in range(0, len(sealed), cut))
    assert got == data


def test_a_certificate_for_another_host_is_refused(files: dict[str, Path]) -> None:
    client, server = pair(files, host="elsewhere.example")
    with pytest.raises(TlsFailed, match="elsewhere"):
        shake_hands(client, server)


def test_an_unknown_authority_is_refused(files: dict[str, Path]) -> None:
    _, server = pair(files)
    client = TlsLayer(client_context("verify-full"), server_side=False, server_hostname="localhost")
    with pytest.raises(TlsFailed):
        shake_hands(client, server)


def test_require_encrypts_without_asking_who_it_is(files: dict[str, Path]) -> None:
    _, server = pair(files)
    client = TlsLayer(client_context("require"), server_side=False, server_hostname="elsewhere.example")
    assert shake_hands(client, server) == (True, True)
    assert end_point(client.peer_certificate) == end_point(leaf(str(files["certificate"])))


def test_the_agreed_protocol_is_known_on_both_sides(files: dict[str, Path]) -> None:
    client, server = pair(files, alpn="postgresql")
    shake_hands(client, server)
    assert (client.agreed_protocol, server.agreed_protocol) == ("postgresql", "postgresql")


def test_clear_bytes_in_place_of_a_handshake_are_refused_with_an_alert(files: dict[str, Path]) -> None:
    _, server = pair(files)
    with pytest.raises(TlsFailed):
        server.receive(b"\x00\x00\x00\x08\x04\xd2\x16\x2f" * 8)


def test_a_farewell_is_told(files: dict[str, Path]) -> None:
    client, server = pair(files)
    shake_hands(client, server)
    assert server.receive(client.close()).closed


def test_the_channel_binding_is_the_certificate_s_hash(files: dict[str, Path]) -> None:
    der = x509.load_pem_x509_certificate(files["certificate"].read_bytes()).public_bytes(Encoding.DER)
    assert end_point(der) == hashlib.sha256(der).digest()
    assert end_point(b"") == b""


def test_old_tls_is_not_offered(files: dict[str, Path]) -> None:
    context = server_context(str(files["certificate"]), str(files["key"]))
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
