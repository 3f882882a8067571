from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.recorder import lines
from tests.uncompiled import uncompiled

both = pytest.mark.parametrize(
    "record", [lines.record, uncompiled(lines).record], ids=["installed", "uncompiled"]
)


@both
@given(
    number=st.integers(0, 2**62),
    at=st.floats(0, 1e10),
    size=st.integers(0, 2**40),
    payload=st.binary(max_size=40),
)
def test_a_record_is_a_line_of_json_and_then_its_payload(record, number, at, size, payload) -> None:
    laid = record(number, at, b"asked", b"0f" * 32, size, b'{"text":"a\\nb","rows":[]}', payload)
    line, _, rest = laid.partition(b"\n")
    header = orjson.loads(line)
    assert list(header) == ["n", "at", "kind", "prev", "size", "text", "rows"]
    assert (header["n"], header["kind"], header["prev"], header["size"]) == (number, "asked", "0f" * 32, size)
    assert header["at"] == pytest.approx(at, abs=2e-6)
    assert header["text"] == "a\nb"
    assert rest == (payload + b"\n" if payload else b"")
