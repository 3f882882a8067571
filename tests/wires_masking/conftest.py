"""Masks, frames, and one real PostgreSQL that judges whether a masked value is still a value."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

from gateway.demo.postgres import Postgres
from gateway.masking.engine import CompiledMask, Masks
from gateway.policy.model import MaskPolicy
from gateway.protocols.postgres.catalogue import survey
from gateway.protocols.postgres.kinds import BUILT_IN, Types
from gateway.protocols.postgres.knowing import Known
from gateway.wire import Login


@pytest.fixture(scope="session")
def mask() -> CompiledMask:
    policy = MaskPolicy(
        name="m",
        detect=("email", "phone", "payment_card", "iban", "ip", "secrets"),
        columns={"*.ssn": "redact", "customers.name": "partial"},
    )
    return Masks({"m": policy}, key=b"k" * 32).mask(["m"])


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The distribution's server, which has hstore, citext and XML; the embedded one has not."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    assert installed, "these tests need the package postgresql"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.demo.postgres._installation", lambda: installed[-1].parents[1])
        with Postgres() as server:
            yield server


@pytest.fixture
def connection(postgres: Postgres) -> Iterator[psycopg.Connection]:
    account = postgres.superuser
    with psycopg.connect(
        host=account.host, port=account.port, user=account.user, password=account.password, dbname=account.database,
        autocommit=True,
    ) as connected:  # fmt: skip
        yield connected


@pytest.fixture(scope="session")
def typed(lasting_connection: psycopg.Connection) -> psycopg.Connection:
    lasting_connection.execute("CREATE TYPE mood AS ENUM ('calm', 'tense')")
    lasting_connection.execute("CREATE TYPE pair AS (a text, b int, c text)")
    lasting_connection.execute(
        "CREATE TYPE purse AS (owner pair, card numeric, host inet, raw bytea, notes text[], spent int8range)"
    )
    lasting_connection.execute("CREATE EXTENSION hstore")
    lasting_connection.execute("CREATE EXTENSION citext")
    lasting_connection.execute("CREATE DOMAIN address AS varchar(40)")
    lasting_connection.execute("CREATE DOMAIN short AS varchar(10)")
    lasting_connection.execute(
        "CREATE TYPE flat AS (owner pair, feels mood, others pair[], doc jsonb, since date, code short)"
    )
    lasting_connection.execute("CREATE DOMAIN flat_here AS flat")
    lasting_connection.execute('CREATE TYPE spans AS RANGE (subtype = text, collation = "C")')
    lasting_connection.execute("CREATE TYPE wide AS RANGE (subtype = float8)")
    return lasting_connection


@pytest.fixture(scope="session")
def told(typed: psycopg.Connection, postgres) -> Types:
    """What the server's catalogue says of the types made in it."""
    account, known = postgres.superuser, Known()
    where = SimpleNamespace(host=account.host, port=account.port, tls="disable", ca=None)
    login = Login(user=account.user, password=account.password, database=account.database)
    assert asyncio.run(survey(where, login, known)) == ""
    return known.types


@pytest.fixture(params=["told", "not told"])
def types(request: pytest.FixtureRequest, told: Types) -> Types:
    return told if request.param == "told" else BUILT_IN


@pytest.fixture(scope="session")
def lasting_connection(postgres):
    account = postgres.superuser
    with psycopg.connect(
        host=account.host, port=account.port, user=account.user, password=account.password, dbname=account.database,
        autocommit=True,
    ) as connected:  # fmt: skip
        connected.execute("SET timezone = 'UTC'")
        yield connected


def row(*fields: bytes | None) -> bytes:
    body = struct.pack(">h", len(fields)) + b"".join(
        b"\xff\xff\xff\xff" if field is None else struct.pack(">i", len(field)) + field for field in fields
    )
    return b"D" + struct.pack(">i", len(body) + 4) + body


def fields(frame: bytes) -> list[bytes | None]:
    assert frame[:1] == b"D"
    assert struct.unpack(">i", frame[1:5])[0] == len(frame) - 1
    out: list[bytes | None] = []
    at = 7
    for _ in range(struct.unpack(">h", frame[5:7])[0]):
        (size,) = struct.unpack(">i", frame[at : at + 4])
        at += 4
        out.append(None if size < 0 else frame[at : at + size])
        at += max(size, 0)
    assert at == len(frame)
    return out


def frames(data: bytes) -> list[bytes]:
    out, at = [], 0
    while at < len(data):
        size = 1 + struct.unpack(">i", data[at + 1 : at + 5])[0]
        out.append(data[at : at + size])
        at += size
    return out
