"""What stored credentials may do at real targets that nobody may ask for, and what can be reached past the gateway."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest

from gateway.__main__ import main
from gateway.demo.postgres import Postgres
from tests.facts.mariadb import MariaDb

pytestmark = pytest.mark.live
POLICY = """
connections:
  shop:
    protocol: postgres
    listen: 127.0.0.1:0
    upstream: postgresql://{postgres.host}:{postgres.port}/postgres?sslmode=disable
    credential: {{user: {user}, password: env:ASKED_POSTGRES{roles}}}
  billing:
    protocol: mysql
    listen: 127.0.0.1:0
    upstream: mysql://127.0.0.1:{mariadb}/billing?sslmode=disable
    credential: {{user: {account}, password: env:ASKED_MARIADB}}
agents:
  reporter: {{secret: env:ASKED_POSTGRES, scope: {{shop: [{scope}], billing: [{scope}]}}}}
rules: [{{name: reads, when: {{effects: [read]}}, then: {{allow: true}}}}]
default: block
"""


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Postgres, MariaDb]]:
    with Postgres() as postgres, MariaDb() as mariadb:
        postgres.psql("""
            CREATE TABLE orders (id int);
            CREATE ROLE looks LOGIN PASSWORD 'sekret'; GRANT SELECT ON orders TO looks;
            CREATE ROLE changes LOGIN PASSWORD 'sekret'; GRANT SELECT, UPDATE ON orders TO changes;
            CREATE ROLE owns LOGIN PASSWORD 'sekret'; CREATE TABLE own (id int); ALTER TABLE own OWNER TO owns;
            CREATE ROLE makes LOGIN CREATEROLE PASSWORD 'sekret';
            CREATE ROLE files LOGIN BYPASSRLS PASSWORD 'sekret'; GRANT pg_read_server_files TO files;
        """)
        mariadb.run("""
            CREATE USER looks IDENTIFIED BY 'sekret'; GRANT SELECT, SHOW VIEW ON billing.* TO looks;
            CREATE USER changes IDENTIFIED BY 'sekret'; GRANT SELECT, UPDATE ON billing.* TO changes;
            CREATE USER files IDENTIFIED BY 'sekret'; GRANT FILE ON *.* TO files; GRANT SELECT ON billing.* TO files;
            CREATE USER hands IDENTIFIED BY 'sekret'; GRANT SELECT ON billing.* TO hands WITH GRANT OPTION;
        """)
        yield postgres, mariadb


@pytest.fixture
def doctor(servers, tmp_path, monkeypatch, capsys):
    postgres, mariadb = servers
    monkeypatch.setenv("ASKED_POSTGRES", "sekret")
    monkeypatch.setenv("ASKED_MARIADB", "sekret")

    def ask(*options, user="looks", account="looks", scope="read", roles="", more=""):
        path = tmp_path / "policies.yaml"
        where = {"postgres": postgres.superuser, "mariadb": mariadb.port}
        path.write_text(POLICY.format(**where, user=user, account=account, scope=scope, roles=roles) + more)
        main(["doctor", "--policy", str(path), "--state", str(tmp_path / "state"), "--json", *options])
        return {each["what"]: each["state"] for each in json.loads(capsys.readouterr().out)}

    return ask


@pytest.mark.parametrize(
    ("user", "scope", "power"),
    [
        ("changes", "read", "may change rows"),
        ("owns", "read, write", "may alter and drop them"),
        ("owns", "read, write", "may truncate tables"),
        ("makes", "read", "makes roles"),
        ("files", "read", "passes row security"),
        ("files", "read", "is a member of pg_read_server_files"),
    ],
)
def test_what_no_scope_needs_is_told_of_a_postgres_credential(doctor, user, scope, power):
    (told,) = [what for what in doctor(user=user, scope=scope) if what.startswith("shop: its credential")]
    assert power in told


@pytest.mark.parametrize(
    ("account", "scope", "power"),
    [
        ("changes", "read", "has UPDATE on something"),
        ("files", "read, write", "has FILE on everything"),
        ("hands", "read", "GRANT OPTION"),
    ],
)
def test_what_no_scope_needs_is_told_of_a_mysql_credential(doctor, account, scope, power):
    found = doctor(account=account, scope=scope)
    (told,) = [what for what in found if what.startswith("billing: its credential")]
    assert power in told
    assert found[told] == "warning"


def test_a_superuser_is_told_of_whatever_is_asked_for(doctor, servers, monkeypatch):
    postgres, _ = servers
    monkeypatch.setenv("ASKED_POSTGRES", postgres.superuser.password)
    found = doctor(
        user=postgres.superuser.user, scope="read, write, ddl, destructive, privilege, exec, exfil"
    )
    assert found["shop: its credential may do more than any scope: it is a superuser"] == "warning"


@pytest.mark.parametrize(("name", "scope"), [("looks", "read"), ("changes", "read, write")])
def test_what_a_scope_needs_is_in_order(doctor, name, scope):
    found = doctor(user=name, account=name, scope=scope)
    for connection in ("shop", "billing"):
        assert found[f"{connection}: its credential may do no more than some scope"] == "ok"


def test_who_makes_roles_for_sessions_has_to_be_able_to(doctor):
    found = doctor(user="makes", roles=", roles: {member_of: {read: looks}}")
    assert found["shop: its credential may do no more than some scope"] == "ok"


def test_who_is_not_let_in_cannot_be_told_about(doctor, monkeypatch):
    monkeypatch.setenv("ASKED_MARIADB", "wrong")
    found = doctor()
    assert found["billing: nobody could tell what its credential may do"] == "warning"


def test_short_retention_is_told(doctor):
    assert (
        doctor(more="retention: {recordings: 10d, required: 5d}\n")["recordings are kept for 10 days"]
        == "warning"
    )
    assert doctor(more="retention: {recordings: 400d}\n")["recordings are kept for 400 days"] == "ok"


def test_from_where_agents_run_targets_should_not_answer(doctor, servers, tmp_path, capsys):
    found = doctor("--around")
    assert [state for what, state in found.items() if "around the gateway" in what] == ["error", "error"]
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # and nobody listens
        path = tmp_path / "policies.yaml"
        path.write_text(path.read_text().replace(str(servers[1].port), str(silent.getsockname()[1])))
        main(["doctor", "--policy", str(path), "--around", "--json"])
    found = {each["what"]: each["state"] for each in json.loads(capsys.readouterr().out)}
    assert [state for what, state in found.items() if what.startswith("billing:")] == ["ok"]
