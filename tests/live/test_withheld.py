"""A gateway whose masking engine fails: clients get an error of PostgreSQL's own, and nobody gets a value."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from gateway.demo.postgres import Account
from tests.live import house
from tests.live.house import url

BROKEN = """
from gateway.masking.engine import CompiledMask


def find_in_fields(self, data):
    raise RuntimeError(f"cannot read {data!r}")


CompiledMask.find_in_fields = find_in_fields
"""


def test_masking_that_fails_ends_the_session_and_shows_nothing(
    upstream: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(BROKEN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with house.gateway(tmp_path, upstream) as gateway:
        with psycopg.connect(url(gateway.account()), autocommit=True) as connection:
            with pytest.raises(psycopg.Error, match="so it was withheld") as error:
                connection.execute("SELECT 'jane@example.com' AS mail").fetchall()
            assert "jane" not in str(error.value)
            assert connection.closed
        assert "masking failed" in gateway.log()
        assert "jane" not in gateway.log()
        recorded = b"".join(path.read_bytes() for path in gateway.state.rglob("*.rec"))
        assert b"could not be masked" in recorded
        assert b"jane@" not in recorded
        with psycopg.connect(url(gateway.account()), autocommit=True) as other:
            assert other.info.transaction_status is not None, "others are still let in"
