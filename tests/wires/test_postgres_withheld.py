"""Masking that fails, wherever it fails, ends the answer with an error of PostgreSQL's own, and shows nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest

from gateway.masking.engine import CompiledMask
from gateway.policy.model import MaskPolicy
from gateway.protocols.postgres.module import open_wire
from gateway.wire import Login
from tests.wires.conftest import PASSWORD, Server
from tests.wires.pump import Pump

pytestmark = pytest.mark.live

MAIL = "jane@example.com"
ROWS = (
    f"select '{MAIL}' as mail, 'x'::text as ssn, '\\x6a'::bytea as raw, '{{\"token\": \"t\"}}'::jsonb as doc"
)
STATEMENTS = {
    "rows": ROWS,
    "copied text": f"copy ({ROWS}) to stdout",
    "copied csv": f"copy ({ROWS}) to stdout csv",
    "copied binary": f"copy ({ROWS}) to stdout (format binary)",
    "an error": f'deallocate "{MAIL}"',
    "a notice": f'drop table if exists "{MAIL}"',
    "a notification": f"listen own; notify own, '{MAIL}'",
    "a setting": f"set application_name = '{MAIL}'",
}
EVERYWHERE = ("rows", "copied text", "copied csv", "copied binary")
PLACES = {
    "rule": EVERYWHERE,
    "spares": EVERYWHERE,
    "paths": EVERYWHERE,
    "find_in_fields": EVERYWHERE,
    "find": EVERYWHERE,
    "cover": EVERYWHERE,
    "replace": EVERYWHERE,
    "text": ("an error", "a notice", "a notification", "a setting"),
}


class Broken(CompiledMask):
    """A mask with one method that fails, saying the value it failed on."""

    fails = ""

    def __getattribute__(self, name: str) -> Any:
        if name == object.__getattribute__(self, "fails"):
            raise RuntimeError(f"could not read {MAIL}")
        return object.__getattribute__(self, name)


@pytest.fixture
def mask() -> Broken:
    rules = {"ssn": "partial", "$.token": "partial"}
    return Broken([MaskPolicy(name="m", detect=("email", "secrets"), columns=rules)], key=b"k" * 32)


@pytest.fixture
async def pump(server: Server, mask: Broken) -> AsyncIterator[Pump]:
    login = Login(user="gateway", password=PASSWORD, database="postgres")
    async with Pump(open_wire, server.address, login, mask=mask) as pump:
        yield pump


async def seen(pump: Pump, statement: str) -> str:
    """Everything that a client gets to see of it."""
    said: list[str] = []
    url = f"postgresql://alice:token@127.0.0.1:{pump.port}/postgres"
    connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
    connection.add_notice_handler(lambda notice: said.append(str(notice.message_primary)))
    connection.add_notify_handler(lambda notify: said.append(notify.payload))
    try:
        if statement.startswith("copy"):
            async with connection.cursor() as cursor, cursor.copy(statement) as copy:
                said += [str(bytes(part)) async for part in copy]
        else:
            cursor = await connection.execute(statement)
            said += [str(await cursor.fetchall())] if cursor.description else []
            said.append(connection.info.parameter_status("application_name") or "")
    except psycopg.Error as error:
        said.append(f"error: {error}")
    finally:
        await connection.close()
    return " ".join(said)


@pytest.mark.parametrize(
    ("place", "what"), [(place, what) for place, through in PLACES.items() for what in through]
)
async def test_where_masking_fails_the_answer_ends_in_an_error_and_nothing_is_shown(
    pump: Pump, mask: Broken, place: str, what: str
) -> None:
    mask.fails = place
    said = await seen(pump, STATEMENTS[what])
    assert "jane" not in said
    assert "an answer could not be masked (RuntimeError), so it was withheld" in said


@pytest.mark.parametrize("what", STATEMENTS)
async def test_a_mask_that_works_shows_the_same_answers(pump: Pump, what: str) -> None:
    said = await seen(pump, STATEMENTS[what])
    assert "jane" not in said
    assert "withheld" not in said
