from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.recorder import lines
from tests.uncompiled import uncompiled

both = pytest.mark.parametrize("module", [lines, uncompiled(lines)], ids=["installed", "uncompiled"])


@both
@given(
    number=st.integers(0, 2**62),
    at=st.floats(0, 1e10),
    size=st.integers(0, 2**40),
    payload=st.binary(max_size=40),
)
def test_a_record_is_a_line_of_json_and_then_its_payload(module, number, at, size, payload) -> None:
    laid = module.record(
        number, at, b"asked", b"\x0f" * 32, size, b'{"text":"a\\nb"', b',"rows":[]}', payload
    )
    line, _, rest = laid.partition(b"\n")
    header = orjson.loads(line)
    assert list(header) == ["n", "at", "kind", "prev", "size", "text", "rows"]
    assert (header["n"], header["kind"], header["prev"], header["size"]) == (number, "asked", "0f" * 32, size)
    assert header["at"] == pytest.approx(at, abs=2e-6)
    assert header["text"] == "a\nb"
    assert rest == (payload + b"\n" if payload else b"")


@both
@given(prev=st.binary(min_size=32, max_size=32))
def test_the_hash_before_is_written_in_hex(module, prev) -> None:
    laid = module.record(1, 1.0, b"asked", prev, 0, b"{", b"}", b"")
    assert orjson.loads(laid.replace(b",}", b"}"))["prev"] == prev.hex()


@both
@given(
    command=st.text(max_size=8),
    text=st.text(max_size=20),
    parameters=st.lists(st.none() | st.text(max_size=8), max_size=3),
)
def test_what_is_asked_is_laid_out_as_an_encoder_would(module, command, text, parameters) -> None:
    fields = {"command": command, "text": text, "parameters": parameters}
    opened = module.opening(command)
    laid = module.asked(opened, text, parameters) if opened is not None else None
    if laid is not None:
        assert laid + b"}" == orjson.dumps(fields)
    else:
        shown = orjson.dumps("".join((command, text, *filter(None, parameters)))).decode()
        assert "\\" in shown


@both
def test_what_is_not_unicode_is_not_laid_out(module) -> None:
    with pytest.raises(UnicodeEncodeError):
        module.asked(b'{"command":"c"', "\udcff", ())
