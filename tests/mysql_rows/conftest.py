"""Masks, the walk over rows as it is installed and as Python, and one real MariaDB that judges what is still a value."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import pymysql
import pytest

from gateway.masking.engine import CompiledMask, Masks
from gateway.policy.model import MaskPolicy
from gateway.protocols.mysql import result_set, row_mask, rows
from tests.facts.mariadb import MariaDb
from tests.uncompiled import uncompiled


@pytest.fixture(scope="session")
def mask() -> CompiledMask:
    policy = MaskPolicy(
        name="m",
        detect=("email", "phone", "payment_card", "iban", "ip", "secrets"),
        columns={"*.ssn": "redact", "customers.name": "partial", "*.gone": "null"},
    )
    return Masks({"m": policy}, key=b"k" * 32).mask(["m"])


PURE = uncompiled(rows)


@pytest.fixture(params=[pytest.param(rows, id="as-installed"), pytest.param(PURE, id="as-python")])
def walk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(row_mask, "walk", request.param)
    monkeypatch.setattr(result_set, "follow", request.param.follow)
    return request.param


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDb]:
    with MariaDb() as server:
        server.run("CREATE USER judge@'%' IDENTIFIED BY 'judge'; GRANT ALL ON *.* TO judge@'%'")
        yield server


@pytest.fixture(scope="session")
def connection(mariadb: MariaDb) -> Iterator[pymysql.Connection]:
    connected = pymysql.connect(
        host="127.0.0.1",
        port=mariadb.port,
        user="judge",
        password="judge",
        database="billing",
        autocommit=True,
    )
    with connected:
        yield connected
