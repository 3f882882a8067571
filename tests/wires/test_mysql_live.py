"""The wire between clients and a real MariaDB: what no command line sends is spoken by hand."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from gateway.protocols.mysql.catalogue import Known
from gateway.protocols.mysql.packets import frame
from gateway.protocols.mysql.wire import MysqlWire
from gateway.wire import CommandAnswered, Login
from tests.facts.mariadb import MariaDb
from tests.wires.conformance import ALLOW, BLOCK
from tests.wires.masks import Word
from tests.wires.mysql_playbook import (
    answer,
    command,
    execute,
    long_data,
    numbered,
    prepare,
    query,
)
from tests.wires.pump import Pump

pytestmark = pytest.mark.live
LOGIN = Login(user="gateway", password="sekret", database="billing", application="cs-1")
WITHIN = 30
_EOF, _ERR = 0xFE, 0xFF


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDb]:
    with MariaDb() as running:
        running.run("""
            CREATE USER gateway IDENTIFIED BY 'sekret'; GRANT ALL ON *.* TO gateway;
            CREATE TABLE billing.notes (id INT PRIMARY KEY, note LONGTEXT);
            INSERT INTO billing.notes VALUES (1, 'one'), (2, 'a secret'), (3, NULL);
        """)
        yield running


class Spoken:
    """A client by hand: `say` sends packets, `heard` reads payloads."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def say(self, data: bytes) -> None:
        self._writer.write(data)

    async def heard(self) -> bytes:
        async with asyncio.timeout(WITHIN):
            head = await self._reader.readexactly(4)
            return await self._reader.readexactly(int.from_bytes(head[:3], "little"))

    async def rows(self, *, fetched: bool = False) -> list[bytes]:
        """The rows of one result set; an OK or ERR packet alone."""
        first = await self.heard()
        if not fetched:
            if first[0] in {0, _ERR}:
                return [first]
            while (await self.heard())[0] != _EOF:
                pass
            first = await self.heard()
        found = []
        while first[0] != _EOF:
            found.append(first)
            first = await self.heard()
        return found

    async def prepare(self, text: str) -> int:
        self.say(prepare(text))
        head = await self.heard()
        assert head[0] == 0, head
        for at in (7, 5):
            if int.from_bytes(head[at : at + 2], "little"):
                while (await self.heard())[0] != _EOF:
                    pass
        return int.from_bytes(head[1:5], "little")


@asynccontextmanager
async def session(pump: Pump) -> AsyncIterator[Spoken]:
    reader, writer = await asyncio.open_connection("127.0.0.1", pump.port)
    spoken = Spoken(reader, writer)
    await spoken.heard()
    spoken.say(answer(database="billing"))
    await spoken.heard()
    spoken.say(frame(b"token\0", 3))
    assert (await spoken.heard())[0] == 0
    try:
        yield spoken
    finally:
        writer.close()


def pumped(server: MariaDb, **more: object) -> Pump:
    known = Known()
    return Pump(lambda opening: MysqlWire(opening, known), ("127.0.0.1", server.port), LOGIN, **more)  # type: ignore[arg-type]


async def test_a_prepared_statement_is_executed_with_what_is_bound(server):
    async with pumped(server) as pump, session(pump) as client:
        number = await client.prepare("select note from notes where id = ? or note = ?")
        client.say(execute(number, [1, b"nothing"]))
        assert [row[2:] for row in await client.rows()] == [b"\x03one"]
        client.say(execute(number, [2, None], bound=False))
        assert [row[2:] for row in await client.rows()] == [b"\x08a secret"]
        assert [command.parameters for command in pump.asked] == [("1", "nothing"), ("2", None)]


async def test_types_that_a_refused_execution_bound_reach_the_server(server):
    verdicts = iter([BLOCK, ALLOW])
    async with pumped(server, judge=lambda _command: next(verdicts)) as pump, session(pump) as client:
        number = await client.prepare("select note from notes where id = ?")
        client.say(execute(number, [1]))
        assert b"Not through here" in (await client.heard())
        client.say(execute(number, [2], bound=False))
        assert [row[2:] for row in await client.rows()] == [b"\x08a secret"]


async def test_data_ahead_of_an_execution_arrives_with_it_or_not_at_all(server):
    verdicts = iter([BLOCK, ALLOW, ALLOW])
    async with pumped(server, judge=lambda _command: next(verdicts)) as pump, session(pump) as client:
        number = await client.prepare("insert into notes values (100 + ?, ?)")
        client.say(long_data(b"dropped", 1, number) + execute(number, [1, None]))
        assert (await client.heard())[0] == _ERR
        client.say(
            long_data(b"kept ", 1, number) + long_data(b"whole", 1, number) + execute(number, [2, None])
        )
        assert (await client.heard())[0] == 0
        client.say(execute(number, [3, b"later"]))
        assert (await client.heard())[0] == 0
    assert (
        server.run("SELECT id, note FROM billing.notes WHERE id > 100 ORDER BY id")
        == "102\tkept whole\n103\tlater\n"
    )


async def test_rows_of_a_cursor_are_fetched_masked_and_counted(server):
    async with pumped(server, mask=Word()) as pump, session(pump) as client:
        number = await client.prepare("select note from notes where id < 4 order by id")
        client.say(execute(number, cursor=True))
        await client.heard()
        while (await client.heard())[0] != _EOF:
            pass
        found = []
        for _ in range(2):
            client.say(numbered(0x1C, number, b"\2\0\0\0"))
            found += await client.rows(fetched=True)
        assert [row[2:] for row in found] == [b"\x03one", b"\x08a ******", b""]
        (done,) = pump.answered
        assert (done.outcome, done.rows, sum(done.masked.values())) == ("3 rows", 3, 1)


async def test_the_smaller_commands_do_what_they_say(server):
    async with pumped(server) as pump, session(pump) as client:
        for sent in (command(0x0E), command(2, b"mysql"), command(2, b"billing"), command(0x1B, b"\0\0")):
            client.say(sent)
            assert (await client.heard())[0] in {0, _EOF}
        client.say(command(0x09))
        assert (await client.heard()).startswith(b"Uptime")
        client.say(command(4, b"notes\0"))
        assert len(await client.rows(fetched=True)) == 2
        client.say(query("select 1; select 2"))
        assert [await client.rows(), await client.rows()] == [[b"\x011"], [b"\x012"]]
        client.say(query("set @v = 1") + command(0x1F) + query("select @v"))
        assert (await client.heard())[0] == 0
        assert (await client.heard())[0] == 0
        assert await client.rows() == [b"\xfb"]
        assert [each.text for each in pump.asked][:2] == ["USE `mysql`", "USE `billing`"]


async def test_an_interrupt_of_the_command_line_stops_what_runs(server):
    async with pumped(server) as pump:
        program = await asyncio.create_subprocess_exec(
            "mariadb",
            "--no-defaults",
            "--protocol=TCP",
            "--host=127.0.0.1",
            f"--port={pump.port}",
            "--user=alice",
            "--execute=select sleep(600)",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "MYSQL_PWD": "token"},
        )
        running = "SELECT COUNT(*) FROM information_schema.processlist WHERE info = 'select sleep(600)'"
        async with asyncio.timeout(WITHIN):
            while await asyncio.to_thread(server.run, running) != "1\n":
                pass
            program.send_signal(signal.SIGINT)
            await program.communicate()
            while await asyncio.to_thread(server.run, running) != "0\n":
                pass
        assert [each.outcome for each in pump.answered if isinstance(each, CommandAnswered)][-1:] == [
            "ERR 1317 70100"
        ]
