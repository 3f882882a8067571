"""TLS on both sides of the gateway: libpq toward it, and it toward a PostgreSQL that has ssl on."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import psycopg
import pytest
from psycopg import errors

from gateway.demo.postgres import Account, Postgres
from tests.certificates import Authority
from tests.live import house
from tests.live.house import Gateway, eventually, url


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def trusted(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificate that clients and gateway trust."""
    file = tmp_path_factory.mktemp("trusted") / "ca.crt"
    file.write_bytes(authority.certificate)
    return file


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that none of the servers has anything to do with."""
    file = tmp_path_factory.mktemp("others") / "ca.crt"
    file.write_bytes(Authority().certificate)
    return file


@pytest.fixture(scope="module")
def secure_shop(authority: Authority) -> Iterator[tuple[Postgres, Account]]:
    """A PostgreSQL that speaks TLS: the embedded one is built without, so Debian's."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    assert installed, "a PostgreSQL that speaks TLS is needed: apt-get install postgresql"
    issued = authority.issue("127.0.0.1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.demo.postgres._installation", lambda: installed[-1].parent.parent)
        with house.shop(tls=(issued.certificate, issued.key)) as running:
            yield running


@pytest.fixture(scope="module")
def tls_gateway(
    upstream: Account, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway that has a certificate."""
    directory = tmp_path_factory.mktemp("gateway")
    certificate, key = authority.issue("localhost").write(directory, "gateway")
    with house.gateway(
        directory, upstream, tls=f"tls: {{certificate: {certificate}, key: {key}}}"
    ) as running:
        yield running


@pytest.fixture(scope="module")
def gateway_to_tls(
    secure_shop: tuple[Postgres, Account], trusted: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway that reaches its target by TLS."""
    with house.gateway(
        tmp_path_factory.mktemp("gateway"),
        secure_shop[1],
        sslmode="verify-full",
        sslrootcert=f"&sslrootcert={trusted}",
    ) as running:
        yield running


def connect(account: Account, trusted: Path, **parameters: str) -> psycopg.Connection[Any]:
    """As a client does that believes nothing but the certificate; `host` is what that has to say."""
    wanted = {"sslmode": "verify-full", "sslrootcert": str(trusted), "hostaddr": account.host} | parameters
    return psycopg.connect(url(replace(account, host="localhost"), **wanted), autocommit=True)


# The client's side.


@pytest.mark.parametrize("negotiation", ["postgres", "direct"])
def test_a_client_that_verifies_everything_gets_in(
    tls_gateway: Gateway, trusted: Path, negotiation: str
) -> None:
    with connect(tls_gateway.account(), trusted, sslnegotiation=negotiation) as connection:
        assert connection.pgconn.ssl_in_use
        assert connection.execute("SELECT count(*) FROM customers").fetchone() == (400,)


@pytest.mark.parametrize("negotiation", ["postgres", "direct"])
def test_a_proof_is_bound_to_the_channel(tls_gateway: Gateway, trusted: Path, negotiation: str) -> None:
    with connect(
        tls_gateway.minted(),
        trusted,
        sslnegotiation=negotiation,
        channel_binding="require",
        require_auth="scram-sha-256",
    ) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_minted_pair_works_without_binding_too(tls_gateway: Gateway, trusted: Path) -> None:
    with connect(tls_gateway.minted(), trusted, channel_binding="disable") as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_client_that_trusts_others_leaves(tls_gateway: Gateway, others: Path) -> None:
    with pytest.raises(psycopg.OperationalError, match="SSL error"):
        connect(tls_gateway.account(), others)


def test_a_client_that_expects_another_name_leaves(tls_gateway: Gateway, trusted: Path) -> None:
    with pytest.raises(psycopg.OperationalError, match="does not match host name"):
        psycopg.connect(
            url(tls_gateway.account(), sslmode="verify-full", sslrootcert=str(trusted), hostaddr="127.0.0.1"),
            host="shop.internal",
        )


def test_old_tls_is_refused(tls_gateway: Gateway, trusted: Path) -> None:
    with pytest.raises(psycopg.OperationalError, match=r"(?i)tls|ssl|protocol"):
        connect(
            tls_gateway.account(),
            trusted,
            ssl_min_protocol_version="TLSv1",
            ssl_max_protocol_version="TLSv1.1",
        )


def test_much_data_crosses_tls(tls_gateway: Gateway, trusted: Path) -> None:
    with (
        connect(tls_gateway.account(), trusted) as connection,
        connection.cursor().copy("COPY (SELECT repeat('x', 1000) FROM orders) TO STDOUT") as copy,
    ):
        assert sum(len(data) for data in copy) == 5000 * 1001


@pytest.mark.parametrize("way", ["cancel", "cancel_safe"])
def test_a_cancel_request_comes_by_tls_or_without(
    tls_gateway: Gateway, trusted: Path, table: str, way: str
) -> None:
    with connect(tls_gateway.account(), trusted) as connection:

        def stop() -> None:
            tls_gateway.api.pending(table)
            getattr(connection, way)()

        with tls_gateway.api.meanwhile(stop), pytest.raises(errors.QueryCanceled):
            connection.execute(f"DELETE FROM {table} WHERE id = 1")


async def test_asyncpg_speaks_tls(tls_gateway: Gateway, trusted: Path) -> None:
    account = tls_gateway.minted()
    context = ssl.create_default_context(cafile=str(trusted))
    context.check_hostname = False
    context.set_alpn_protocols(["postgresql"])
    for direct in (False, True):
        connection = await asyncpg.connect(url(account), ssl=context, direct_tls=direct)
        try:
            assert await connection.fetchval("SELECT 1") == 1
        finally:
            await connection.close()


# The upstream's side.


def test_the_gateway_reaches_its_target_by_tls(gateway_to_tls: Gateway) -> None:
    with psycopg.connect(url(gateway_to_tls.account())) as connection:
        row = connection.execute(
            "SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        ).fetchone()
    assert row == (True, "TLSv1.3")


def test_a_cancel_request_finds_its_query_by_tls(
    gateway_to_tls: Gateway, secure_shop: tuple[Postgres, Account]
) -> None:
    server, account = secure_shop
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    with psycopg.connect(url(gateway_to_tls.account())) as connection:

        def stop() -> None:
            eventually(lambda: server.psql(asleep, account) == "1\n")
            connection.cancel_safe()

        with gateway_to_tls.api.meanwhile(stop), pytest.raises(errors.QueryCanceled):
            connection.execute("SELECT pg_sleep(60)")


def test_what_a_held_command_would_touch_is_measured_by_tls_too(gateway_to_tls: Gateway) -> None:
    with psycopg.connect(url(gateway_to_tls.account())) as connection:

        def deny() -> None:
            measured = gateway_to_tls.api.approval(lambda each: each["estimate"] is not None)
            gateway_to_tls.api.vote(measured, "deny")
            assert measured["estimate"]["rows"] is not None, measured["estimate"]

        with gateway_to_tls.api.meanwhile(deny), pytest.raises(errors.InsufficientPrivilege):
            connection.execute("DELETE FROM orders WHERE customer_id = %s", [7])


class Impostor:
    """Agrees to TLS with whoever connects, shows a certificate, and keeps what it is told after the handshake.

    The survey of its catalogue comes to it as well as the client's session.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.told = b""
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Impostor:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)  # ends the wait for further clients
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._answer(self._socket.accept()[0])

    def _answer(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            client.settimeout(house.WITHIN)
            client.recv(8, socket.MSG_WAITALL)
            client.sendall(b"S")
            with self._context.wrap_socket(client, server_side=True) as secure:
                self.told += secure.recv(4096)


@pytest.mark.parametrize(
    ("issuer", "name"), [("another", "127.0.0.1"), ("trusted", "127.0.0.9"), ("trusted", "localhost")]
)
def test_a_target_that_cannot_show_who_it_is_hears_nothing(
    authority: Authority, upstream: Account, trusted: Path, tmp_path: Path, issuer: str, name: str
) -> None:
    issuing = authority if issuer == "trusted" else Authority()
    with (
        Impostor(*issuing.issue(name).write(tmp_path, "impostor")) as impostor,
        house.gateway(
            tmp_path,
            replace(upstream, port=impostor.port),
            sslmode="verify-full",
            sslrootcert=f"&sslrootcert={trusted}",
        ) as gateway,
    ):
        with pytest.raises(psycopg.OperationalError, match="TLS with the target failed"):
            psycopg.connect(url(gateway.account()))
        assert upstream.password not in gateway.log()
    assert impostor.told == b""


def test_a_target_without_tls_is_not_logged_in_to(upstream: Account, trusted: Path, tmp_path: Path) -> None:
    with (
        house.gateway(
            tmp_path, upstream, sslmode="verify-full", sslrootcert=f"&sslrootcert={trusted}"
        ) as gateway,
        pytest.raises(psycopg.OperationalError, match="The target offers no TLS"),
    ):
        psycopg.connect(url(gateway.account()))
