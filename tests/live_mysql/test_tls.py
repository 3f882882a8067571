"""TLS on both sides of the gateway, and a way of proving itself to a server that the gateway has not."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest

from gateway.demo.postgres import Account
from tests.certificates import Authority
from tests.facts.mariadb import MariaDb
from tests.live_mysql import house
from tests.live_mysql.house import MysqlGateway


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def directory(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The authority's certificate, one for the gateway and one for the server, all for 127.0.0.1."""
    directory = tmp_path_factory.mktemp("certificates")
    (directory / "ca.crt").write_bytes(authority.certificate)
    (directory / "other.crt").write_bytes(Authority().certificate)
    authority.issue("127.0.0.1").write(directory, "own")
    return directory


@pytest.fixture(scope="module")
def secure(
    upstream: Account, directory: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MysqlGateway]:
    """A gateway that has a certificate."""
    more = f"tls: {{certificate: {directory}/own.crt, key: {directory}/own.key}}"
    with house.gateway(tmp_path_factory.mktemp("gateway"), upstream, more=more) as running:
        yield running


@pytest.fixture(scope="module")
def strict_shop(authority: Authority) -> Iterator[tuple[MariaDb, Account]]:
    """A MariaDB that nobody reaches over the network without TLS."""
    with house.shop(certificate=authority.issue("127.0.0.1")) as running:
        yield running


def one(connection: pymysql.Connection[Any], sql: str) -> Any:
    with connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()


@pytest.mark.parametrize("minted", [False, True], ids=["token", "minted pair"])
def test_clients_come_in_by_tls(secure: MysqlGateway, directory: Path, minted: bool) -> None:
    account = secure.minted() if minted else secure.account()
    context = ssl.create_default_context(cafile=str(directory / "ca.crt"))
    connection = secure.connect(account, ssl=context)
    assert one(connection, "SELECT email FROM customers WHERE id = 1") == ("****@example.com",)


def test_mariadb_comes_in_by_tls_and_verifies_the_gateway(secure: MysqlGateway, directory: Path) -> None:
    verified = ("--ssl-verify-server-cert", f"--ssl-ca={directory}/ca.crt")
    done = secure.run(*verified, "shop", "-e", "SELECT email FROM customers WHERE id = 1")
    assert done.stdout == "****@example.com\n", done.stderr
    other = secure.run(
        "--ssl-verify-server-cert", f"--ssl-ca={directory}/other.crt", "shop", "-e", "SELECT 1"
    )
    assert other.returncode != 0
    assert "SSL" in other.stderr or "TLS" in other.stderr


def test_the_gateway_verifies_the_server(
    strict_shop: tuple[MariaDb, Account], directory: Path, tmp_path: Path
) -> None:
    server, account = strict_shop
    with house.gateway(tmp_path, account, sslmode=f"verify-full&sslrootcert={directory}/ca.crt") as running:
        assert one(running.connect(), "SELECT 1") == (1,)
        assert one(running.connect(), "SHOW STATUS LIKE 'Ssl_cipher'")[1] != ""
    (tmp_path / "other").mkdir()
    other = f"verify-full&sslrootcert={directory}/other.crt"
    with house.gateway(tmp_path / "other", account, sslmode=other) as running:
        with pytest.raises(pymysql.err.OperationalError) as refused:
            running.connect()
        assert account.password not in str(refused.value)
    assert server.run("SELECT 1") == "1\n"


def test_a_server_without_tls_is_not_talked_to_where_that_is_asked(
    upstream: Account, directory: Path, tmp_path: Path
) -> None:
    wanted = f"verify-full&sslrootcert={directory}/ca.crt"
    with (
        house.gateway(tmp_path, upstream, sslmode=wanted) as running,
        pytest.raises(pymysql.err.OperationalError),
    ):
        running.connect()


def test_a_way_to_prove_itself_that_the_gateway_has_not_is_named(
    server: MariaDb, upstream: Account, tmp_path: Path
) -> None:
    server.run("INSTALL SONAME 'auth_ed25519'", check=False)
    server.run(
        f"CREATE USER gateway@'127.0.0.1' IDENTIFIED VIA ed25519 USING PASSWORD('{upstream.password}');"
        "GRANT ALL ON *.* TO gateway@'127.0.0.1'"
    )
    try:
        with (
            house.gateway(tmp_path, upstream) as running,
            pytest.raises(
                pymysql.err.OperationalError, match="'client_ed25519', which the gateway does not have"
            ),
        ):
            running.connect()
    finally:
        server.run("DROP USER gateway@'127.0.0.1'")
