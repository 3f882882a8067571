"""Values on their way into a real server and out of it."""

from __future__ import annotations

import psycopg
from psycopg import pq


def fetch(connection: psycopg.Connection, literal: str, type_name: str, written: int) -> tuple[bytes, int]:
    result = connection.pgconn.exec_params(
        f"SELECT $1::text::{type_name}".encode(), [literal.encode()], result_format=written
    )
    assert result.status == pq.ExecStatus.TUPLES_OK, result.error_message
    value = result.get_value(0, 0)
    assert value is not None
    return value, result.ftype(0)


def accepted(connection: psycopg.Connection, value: bytes, type_name: str, written: int) -> bytes:
    """The value's text, if the server takes it for one of the type."""
    result = connection.pgconn.exec_params(
        f"SELECT $1::{type_name}::text".encode(), [value], param_formats=[written], result_format=0
    )
    assert result.status == pq.ExecStatus.TUPLES_OK, (value, result.error_message)
    said = result.get_value(0, 0)
    assert said is not None
    return said
