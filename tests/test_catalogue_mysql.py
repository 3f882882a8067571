"""What a real MariaDB's catalogue says, and how sessions read by it."""

from __future__ import annotations

import asyncio
import struct
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.facts.mysql import read
from gateway.protocols import surveying
from gateway.protocols.mysql import catalogue
from gateway.protocols.mysql.module import knowledge, survey
from gateway.wire import Login
from tests.certificates import Authority
from tests.facts.mariadb import MariaDb
from tests.targets import Where

pytestmark = pytest.mark.live
SSN = "billing.customers.ssn"


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDb]:
    with MariaDb() as running:
        running.run(r"""
            USE billing;
            CREATE VIEW cards AS SELECT c.*, i.note FROM customers c JOIN invoices i ON i.customer_id = c.id;
            CREATE VIEW tails (t) AS SELECT RIGHT(ssn, 4) FROM cards;
            CREATE VIEW picked AS WITH q AS (SELECT ssn s FROM customers) SELECT s AS p, 'a\'"`' AS said FROM q;
            CREATE VIEW joined AS SELECT * FROM invoices NATURAL RIGHT JOIN customers;
            CREATE VIEW either AS SELECT name FROM customers UNION ALL SELECT ssn FROM customers;
            CREATE TABLE patients (id INT, ssn VARCHAR(20), hint VARCHAR(9) AS (CONCAT(LEFT(ssn, 2), '\'')) STORED);
            CREATE TABLE unseen (id INT, ssn VARCHAR(20) INVISIBLE, note INT);
            CREATE TABLE `crm.people` (a INT);
            CREATE TABLE Twice (a INT); CREATE TABLE twice (b INT);
            CREATE DATABASE crm; CREATE TABLE crm.people (id INT, ssn INT);
            INSERT INTO crm.people VALUES (1, 2);
            CREATE USER asker IDENTIFIED BY 'sekret'; GRANT SELECT, SHOW VIEW ON billing.* TO asker;
            CREATE USER little IDENTIFIED BY 'sekret'; GRANT SELECT ON billing.* TO little;
        """)
        yield running


@pytest.fixture
async def known(server):
    known = knowledge()
    assert await ask(server, known) == ""
    return known


async def ask(server, known, *, user="asker", password="sekret", **where):
    login = Login(user=user, password=password, database="billing")
    return await survey(Where(**{"port": server.port, **where}), login, known)


def sources(known, sql):
    return [(o.name, set(o.sources), o.exact) for o in known.texts.read(sql).outputs]


@pytest.mark.parametrize(
    ("sql", "wanted"),
    [
        ("select * from customers", [(c, {f"billing.customers.{c}"}, True) for c in ("id", "name", "country", "ssn")]),
        ("select ssn from cards", [("ssn", {SSN, "billing.cards.ssn"}, True)]),
        ("select * from tails", [("t", {SSN, "billing.cards.ssn", "billing.tails.t"}, False)]),
        ("select p from picked", [("p", {SSN, "billing.picked.p"}, True)]),
        ("select said from picked", [("said", {"billing.picked.said"}, False)]),
        ("select name from either", [("name", {SSN, "billing.customers.name", "billing.either.name"}, True)]),
        ("select hint from patients", [("hint", {"billing.patients.hint", "billing.patients.ssn"}, False)]),
        ("select status from v_open", [("status", {"billing.invoices.status", "billing.v_open.status"}, True)]),
        ("select * from unseen", [("*", {"unseen.*"}, True)]),
        ("select b from twice", [("b", {"twice.b"}, True)]),
        ("select * from `crm.people`", [("*", {"crm.people.*"}, True)]),
        ("select * from crm.people", [("*", {"crm.people.*"}, True)]),
    ],
)  # fmt: skip
async def test_columns_of_tables_views_and_generated_ones_are_known(known, sql, wanted):
    assert sources(known, sql) == wanted


async def test_the_order_of_columns_is_the_servers(server, known):
    for text in ("select * from joined", "select * from cards", "select * from invoices natural join customers",
                 "select * from invoices natural right join customers", "select * from customers join invoices using (id)"):  # fmt: skip
        header = server.tool("mariadb", "--batch", "billing", text=text).splitlines()[0]
        assert [output.name for output in known.texts.read(text).outputs] == header.split("\t")


async def test_an_alias_goes_with_its_tables_database(server, known):
    for text in (
        "select billing.c.ssn from customers c",
        "select billing.c.ssn from crm.people c, billing.customers c",
    ):
        assert server.run(text + " limit 1", database="billing")
        assert sources(known, text) == [("ssn", {SSN}, True)]


async def test_one_who_may_not_see_a_view_reads_it_as_made_of_anything(server):
    known = knowledge()
    assert await ask(server, known, user="little") == ""
    assert sources(known, "select t from tails") == [("t", {"*"}, False)]
    assert sources(known, "select ssn from customers") == [("ssn", {SSN}, True)]


async def test_a_target_that_cannot_be_asked_is_read_with_doubt_again(server, known):
    assert "error 2003" in await ask(server, known, port=1)
    assert known.told is None
    assert known.texts.read("select * from tails").outputs == read("select * from tails").outputs
    note = await ask(server, known, password="wrong")
    assert "error 1045" in note
    assert "wrong" not in note
    assert "error 2026" in await ask(server, known, tls="require")


async def test_a_catalogue_without_end_is_not_loaded(server, known, monkeypatch):
    monkeypatch.setattr(catalogue, "TABLES", 3)
    assert "more than 3 tables" in await ask(server, known)
    assert known.told is None


async def test_facts_are_kept_while_the_catalogue_stays_the_same(server, known):
    before = known.texts
    assert await ask(server, known) == ""
    assert known.texts is before


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory) -> Iterator[tuple[MariaDb, str]]:
    directory = tmp_path_factory.mktemp("tls")
    authority = Authority()
    trusted = directory / "ca.pem"
    trusted.write_bytes(authority.certificate)
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        certificate, key = authority.issue("127.0.0.1").write(Path(place), "server")
        key.chmod(0o644)
        with MariaDb(f"--ssl-cert={certificate}", f"--ssl-key={key}") as running:
            running.run(
                "CREATE USER asker IDENTIFIED BY 'sekret' REQUIRE SSL; GRANT SELECT ON billing.* TO asker"
            )
            yield running, str(trusted)


@pytest.mark.parametrize(
    ("tls", "ca", "note"),
    [
        ("disable", False, "error 1045"),
        ("require", False, ""),
        ("verify-full", True, ""),
        ("verify-full", False, "error 2003"),
    ],
)
async def test_a_target_is_met_with_the_tls_that_policy_asks_for(encrypted, tls, ca, note):
    server, trusted = encrypted
    known = knowledge()
    assert note in (said := await ask(server, known, tls=tls, ca=trusted if ca else None))
    assert (known.told is None, said == "") == (bool(note), not note)


@asynccontextmanager
async def impostor(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    """A port on which `serve` answers one client, which is waited for."""
    done = asyncio.Event()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await serve(reader, writer)
        writer.close()
        await writer.wait_closed()
        done.set()

    async with await asyncio.start_server(one, "127.0.0.1", 0) as listening:
        yield listening.sockets[0].getsockname()[1]
        await done.wait()


@pytest.mark.parametrize("switched", [False, True])
async def test_an_impostor_is_not_told_the_password(switched):
    heard = bytearray()

    def packet(number: int, body: bytes) -> bytes:
        return struct.pack("<I", len(body))[:3] + bytes([number]) + body

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        plugin = b"mysql_native_password" if switched else b"mysql_clear_password"
        greeting = b"\n8.0.36\0" + bytes(4) + b"12345678\0" + b"\xff\xf7\x2d\2\0\x0f\x80\x15" + bytes(10)
        writer.write(packet(0, greeting + b"123456789012\0" + plugin + b"\0"))
        heard.extend(await reader.read(4096))
        writer.write(packet(2, b"\xfemysql_clear_password\0"))
        heard.extend(await reader.read())

    async with impostor(serve) as port:
        login = Login(user="asker", password="sekret", database="billing")
        assert "error 2059" in await survey(Where(port=port), login, knowledge())
    assert b"sekret" not in heard
    assert bool(heard) is switched


async def test_a_server_that_does_not_speak_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(surveying, "WITHIN", 0.05)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with impostor(serve) as port:
        login = Login(user="asker", password="sekret", database="billing")
        assert "did not answer" in await survey(Where(port=port), login, knowledge())
