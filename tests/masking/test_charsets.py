"""Streams in other encodings: masked as their text is, whatever the cuts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.masking.charsets import CharsetMask, MarkedMask
from gateway.masking.decoding import BodyUnreadable
from gateway.masking.engine import CompiledMask

TEXTS = {
    "utf-16": "Bestellung von müller@exämple.de, password=geheim1\nиван@пример.рф 表 😀\n",
    "utf-16-be": "jane@example.com 4111 1111 1111 1111\n",
    "utf-16-le": "jane@example.com 😀\n",
    "utf-32": "jane@example.com\n",
    "utf-8": "josé@example.com 表\n",
    "latin-1": "josé@example.com, müller@exämple.de\n",
    "windows-1251": "иван@пример.рф\n",
    "shift_jis": "表 太郎@example.jp\n",
    "gb18030": "小明@example.cn 一 password=x1y2z3\n",
    "koi8-r": "иван@пример.рф",
    "utf-8-sig": "jane@example.com",
}


def masked(mask: CompiledMask, charset: str, data: bytes, cuts: list[int]) -> bytes:
    stream = CharsetMask(mask, charset)
    out = []
    at = 0
    for cut in cuts:
        out.append(stream.feed(data[at : at + cut]))
        at += cut
    return b"".join([*out, stream.feed(data[at:]), stream.close()])


@settings(deadline=None, max_examples=30)
@pytest.mark.parametrize("charset", TEXTS)
@given(cuts=st.lists(st.integers(1, 30), max_size=12))
def test_a_stream_is_masked_as_its_text_is(mask: CompiledMask, charset: str, cuts: list[int]) -> None:
    text = TEXTS[charset]
    wanted = mask.text(text)
    assert wanted != text
    assert masked(mask, charset, text.encode(charset), cuts).decode(charset) == wanted


def test_hits_are_counted(mask: CompiledMask) -> None:
    stream = CharsetMask(mask, "utf-16")
    stream.feed("a@example.com b@example.com password=hunter2 ".encode("utf-16"))
    stream.close()
    assert stream.masked == {"email": 2, "password": 1}


@pytest.mark.parametrize("charset", ["utf-99", "rot13", "zip", "hex", ""])
def test_an_encoding_that_is_not_known_is_refused(mask: CompiledMask, charset: str) -> None:
    with pytest.raises(BodyUnreadable, match="is not known"):
        CharsetMask(mask, charset)


@pytest.mark.parametrize(
    ("charset", "data"),
    [("utf-8", b"\xff\xfe"), ("utf-16-le", b"a"), ("utf-16-le", b"\x00\xd8a\x00"), ("ascii", b"\xe9")],
)
def test_bytes_that_are_not_in_it_end_the_stream(mask: CompiledMask, charset: str, data: bytes) -> None:
    with pytest.raises(BodyUnreadable, match="is not in"):
        masked(mask, charset, data, [])


def test_a_quiet_stream_gives_out_its_prompt(mask: CompiledMask) -> None:
    stream = CharsetMask(mask, "utf-16-le")
    prompt = "Continue y/n"
    shown = stream.feed(prompt.encode("utf-16-le")) + stream.flush()
    assert shown.decode("utf-16-le") == prompt


def marked(mask: CompiledMask, data: bytes, cuts: list[int]) -> bytes:
    stream = MarkedMask(mask)
    out = []
    at = 0
    for cut in cuts:
        out.append(stream.feed(data[at : at + cut]))
        at += cut
    return b"".join([*out, stream.feed(data[at:]), stream.close()])


@settings(deadline=None, max_examples=30)
@pytest.mark.parametrize("charset", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "utf-8"])
@given(cuts=st.lists(st.integers(1, 30), max_size=12))
def test_a_mark_says_how_a_stream_is_read(mask: CompiledMask, charset: str, cuts: list[int]) -> None:
    text = "\ufeffBestellung von müller@exämple.de, password=geheim1 表 😀\n"
    assert marked(mask, text.encode(charset), cuts).decode(charset) == mask.text(text)


def test_a_mark_is_no_way_past_the_detectors(mask: CompiledMask) -> None:
    said = b" jane@example.com\n"
    for mark in (b"\xff\xfe", b"\xfe\xff"):
        assert marked(mask, mark + said, []) == mark + b" ****@example.com\n"
    with pytest.raises(BodyUnreadable):
        marked(mask, b"\xff\xfe" + said + b"x", [])


@given(st.binary(max_size=6), st.lists(st.integers(1, 3), max_size=4))
def test_what_has_no_mark_is_given_out_as_it_is(mask: CompiledMask, data: bytes, cuts: list[int]) -> None:
    if data[:2] not in {b"\xff\xfe", b"\xfe\xff"} and data[:4] != b"\0\0\xfe\xff":
        assert marked(mask, data, cuts) == data
