"""What a real server answers, byte by byte: rows in text, and in binary as it gives them to prepared statements."""

from __future__ import annotations

import struct
from typing import Any

from gateway.model import Facts
from gateway.protocols.mysql.result_set import ResultSet
from gateway.wire import Limits

_QUERY, _PREPARE, _EXECUTE, _CLOSE = 0x03, 0x16, 0x17, 0x19
_NO_FACTS = Facts(effects=frozenset())


def answered(connection: Any, sql: str, *, binary: bool) -> bytes:
    """The result set of a query, as the server sent it."""
    if not binary:
        connection._execute_command(_QUERY, sql)
        return _result_set(connection, binary=False)
    connection._execute_command(_PREPARE, sql)
    _, number, columns, parameters, _, _ = struct.unpack("<BIHHBH", _packet(connection)[4:16])
    assert parameters == 0
    for _ in range(columns + 1):
        _packet(connection)
    connection._execute_command(_EXECUTE, struct.pack("<IBI", number, 0, 1))
    answer = _result_set(connection, binary=True)
    connection._execute_command(_CLOSE, struct.pack("<I", number))
    return answer


def _result_set(connection: Any, *, binary: bool) -> bytes:
    one = ResultSet(binary=binary, mask=None, facts=_NO_FACTS, limits=Limits())
    answer = b""
    while not one.done:
        packet = _packet(connection)
        assert packet[4:5] != b"\xff", packet
        assert one.receive(packet)[1] == b""
        answer += packet
    return answer


def _packet(connection: Any) -> bytes:
    header = connection._rfile.read(4)
    return header + connection._rfile.read(int.from_bytes(header[:3], "little"))
