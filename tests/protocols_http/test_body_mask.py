"""What clients get of an answer: masked by what it is, whatever its coding and the cuts; what cannot be read is withheld."""

from __future__ import annotations

import gzip
import json
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given as having
from hypothesis import strategies as st

from gateway.masking.engine import CompiledMask
from gateway.masking.strategies import STRATEGIES
from gateway.wire import AnswerWithheld, Limits
from tests.protocols_http.answers import (
    BOTH,
    DETECTING,
    NAMING,
    NOTHING,
    SECRET,
    compiled,
    cut_anywhere,
    given,
    opened,
    pieces,
)

PEOPLE = b'[{"id": 1,  "mail":"jane@example.com", "ssn":"123-45-6789"}, {"id": 2.50, "mail":"\\u006aane\\u0040example.com","ssn":1}]'
HIDDEN = b'[{"id": 1,  "mail":"****@example.com", "ssn":"[redacted]"}, {"id": 2.50, "mail":"****@example.com","ssn":0}]'
CODINGS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
    "br, gzip": lambda data: gzip.compress(brotli.compress(data)),
    "identity": lambda data: data,
}
SHAPES: dict[str, tuple[str, bytes, bytes]] = {
    "JSON": ("application/json", PEOPLE, HIDDEN),
    "with parameters": ('Application/JSON ; charset="UTF-8"', PEOPLE, HIDDEN),
    "of a kind": ("application/vnd.shop.v1+json", PEOPLE, HIDDEN),
    "called text": ("text/plain", PEOPLE, HIDDEN),
    "called a page": ("text/html", PEOPLE, HIDDEN),
    "called bytes": ("application/octet-stream", PEOPLE, HIDDEN),
    "called a picture": ("image/png", PEOPLE, HIDDEN),
    "called XML": ("application/xml", PEOPLE, HIDDEN),
    "called nothing": ("", PEOPLE, HIDDEN),
    "NDJSON": ("application/x-ndjson", PEOPLE + b"\n" + PEOPLE + b"\n", HIDDEN + b"\n" + HIDDEN + b"\n"),
    "a sequence": ("application/json-seq", b"\x1e" + PEOPLE + b"\n", b"\x1e" + HIDDEN + b"\n"),
    "with a mark": ("application/json", b"\xef\xbb\xbf" + PEOPLE, b"\xef\xbb\xbf" + HIDDEN),
    "UTF-16": ("application/json", PEOPLE.decode().encode("utf-16"), HIDDEN.decode().encode("utf-16")),
    "UTF-32, unmarked": ("application/json", PEOPLE.decode().encode("utf-32-be"), HIDDEN.decode().encode("utf-32-be")),
    "said to be UTF-16": ("text/plain; charset=utf-16le", PEOPLE.decode().encode("utf-16-le"), HIDDEN.decode().encode("utf-16-le")),
    "not to be read elsewhere": ("application/json", b")]}',\n" + PEOPLE, b")]}',\n" + HIDDEN),
    "JSONP": ("text/javascript", b"/**/shop.cb(" + PEOPLE + b");\n", b"/**/shop.cb(" + HIDDEN + b");\n"),
    "events": (
        "text/event-stream",
        b": jane@example.com\r\nevent: added\r\ndata: " + PEOPLE + b"\r\n\r\ndata: [DONE]\n\n",
        b": ****@example.com\r\nevent: added\r\ndata: " + HIDDEN + b"\r\n\r\ndata: [DONE]\n\n",
    ),
    "an event of lines": (
        "text/event-stream; charset=utf-8",
        b'data: {"a":1,\ndata: "ssn":"x",\ndata:  "b":2}\n\n',
        b'data: {"a":1,\ndata: "ssn":"[redacted]",\ndata:  "b":2}\n\n',
    ),
    "text": ("text/plain", b"Dear jane@example.com,\r\nhello", b"Dear ****@example.com,\r\nhello"),
    "log": ("text/plain", b"[2024-05-06 12:00] jane@example.com\n", b"[2024-05-06 12:00] ****@example.com\n"),
    "page": ("text/html", b"<p>{ jane@example.com }</p>", b"<p>{ ****@example.com }</p>"),
    "code": ("application/javascript", b"function f(a) {return 'jane@example.com'}", b"function f(a) {return '****@example.com'}"),
    "table": ("text/csv; charset=utf-8", b'id,ssn,mail\r\n1,"12-3",jane@example.com\r\n', b'id,ssn,mail\r\n1,"[redacted]",****@example.com\r\n'),
    "a table called text": ("text/plain", b"id\tSSN\tmail\n1\t12-3\tjane@example.com\n", b"id\tSSN\tmail\n1\t[redacted]\t****@example.com\n"),
    "nothing": ("application/json", b"", b""),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "before", "after"), SHAPES.values(), ids=SHAPES)
def test_what_masks_hide_is_hidden_and_no_other_byte_changes(kind: str, before: bytes, after: bytes) -> None:
    for parts in [[before], *cut_anywhere(before)]:
        assert given(opened(BOTH, kind), parts).body == after


@pytest.mark.parametrize(("kind", "before", "after"), SHAPES.values(), ids=SHAPES)
def test_without_rules_for_names_detectors_find_the_same(kind: str, before: bytes, after: bytes) -> None:
    by_detectors = given(opened(DETECTING, kind), [before]).body
    for parts in cut_anywhere(before):
        assert given(opened(DETECTING, kind), parts).body == by_detectors
    assert b"jane@example.com" not in by_detectors.replace(b"\0", b"")
    if b"ssn" not in before.replace(b"\0", b"").lower():
        assert by_detectors == after


@pytest.mark.parametrize("coding", CODINGS)
def test_codings_are_undone(coding: str) -> None:
    body = CODINGS[coding](PEOPLE)
    headers = [
        (b"Content-Encoding", coding.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"ETag", b'"x"'),
    ]
    for parts in ([body], [bytes([each]) for each in body]):
        answer = given(opened(BOTH, headers=headers), parts)
        assert answer.body == HIDDEN
        assert answer.headers == [(b"Content-Type", b"application/json")]
    echoed = given(opened(NOTHING, headers=headers), [CODINGS[coding](b'{"x":"' + SECRET + b'"}')])
    assert echoed.body == b'{"x":"' + b"*" * len(SECRET) + b'"}'


def test_without_a_mask_an_answer_keeps_its_length() -> None:
    headers = [(b"Content-Length", b"40"), (b"ETag", b'"x"'), (b"X-Echo", b"Bearer " + SECRET)]
    answer = given(opened(NOTHING, headers=headers), [b"say " + SECRET[:9], SECRET[9:] + b" again"])
    assert answer.body == b"say " + b"*" * len(SECRET) + b" again"
    assert answer.headers[1:] == [*headers[:2], (b"X-Echo", b"Bearer " + b"*" * len(SECRET))]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b'{"a": 1'),
        ("application/json", b"<html>not JSON</html>"),
        ("application/json", b'{"a": 1} and more'),
        ("text/plain", b'{"a": 1, b}'),
        ("text/csv", b"name,ssn\nJane,1,2\n"),
        ("application/xml", b"<ssn>1</ssn>"),
        ("application/x-www-form-urlencoded", b"ssn=1"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\n{}\r\n--x--"),
        ("application/yaml", b"ssn: 1\n"),
        ("text/plain", b" id | ssn \n----+-----\n  1 | 078\n"),
        ("application/zip", b"PK\x03\x04\0\0\0\0\0\0"),
        ("application/msgpack", b"\x81\xa3ssn\x01"),
        ("", b"\x81\xa3ssn\x01" + b"x" * 600),
        ("", b"name,ssn\nJane,1\n"),
        ("application/vnd.shop.export", b"name,ssn"),
        ("text/event-stream", b'data: {"ssn": \n\n'),
        ("application/json; charset=rot13", b"{}  "),
        ("application/json; charset=klingon", b"{}  "),
        ("application/json; charset=utf-16", b"\xff\xfe{"),
        ("text/javascript", b"cb({}) + 1"),
    ],
)  # fmt: skip
def test_where_names_cannot_be_read_the_answer_is_withheld(kind: str, body: bytes) -> None:
    for parts in ([body], [bytes([each]) for each in body]):
        with pytest.raises(AnswerWithheld):
            given(opened(NAMING, kind), parts)


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        (b"gzip", b"not gzip"),
        (b"gzip", gzip.compress(PEOPLE)[:-9]),
        (b"br", brotli.compress(PEOPLE) + b"x"),
        (b"compress", b"\x1f\x9d"),
        (b"gzip, gzip, gzip, gzip", b""),
        (
            b"gzip",
            gzip.compress(bytes(40_000_000) * 3) and gzip.compress(gzip.compress(bytes(64_000_000)))[:-1],
        ),
    ],
)
def test_what_cannot_be_decoded_is_withheld(coding: bytes, body: bytes) -> None:
    for mask in (DETECTING, NOTHING):
        with pytest.raises(AnswerWithheld):
            given(opened(mask, headers=[(b"Content-Encoding", coding)]), [body])


def test_a_bomb_is_withheld_before_it_grows() -> None:
    bomb = gzip.compress(gzip.compress(bytes(200_000_000), 9), 9)
    body = opened(DETECTING, "text/plain", headers=[(b"Content-Encoding", b"gzip, gzip")])
    with pytest.raises(AnswerWithheld):
        given(body, [bomb])


def test_a_body_may_be_the_one_value_that_its_path_names() -> None:
    assert given(opened(NAMING, path="/customers/7/ssn"), [b' "1" ']).body == b' "[redacted]" '
    assert given(opened(NAMING, path="/customers/7/name"), [b"{}"]).body == b"{}"
    with pytest.raises(AnswerWithheld):
        given(opened(NAMING, "text/plain", path="/customers/7/SSN"), [b"123"])


@pytest.mark.parametrize("kind", ["", "application/json", "text/csv", "image/png", "application/zip"])
def test_an_empty_body_is_one(kind: str) -> None:
    assert given(opened(BOTH, kind), []).body == b""


def test_a_part_of_a_body_is_not_masked() -> None:
    with pytest.raises(AnswerWithheld):
        opened(DETECTING, status=206)
    assert given(opened(NOTHING, status=206), [b"ab"]).body == b"ab"


def test_pictures_pass_and_other_bytes_keep_their_length() -> None:
    picture = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR jane@example.com" + bytes(range(256))
    for mask in (BOTH, NAMING, DETECTING):
        for parts in ([picture], [bytes([each]) for each in picture]):
            assert given(opened(mask, "image/png"), parts).body == picture
    stored = b"\0\1\2row\0jane@example.com\0" + bytes(range(256))
    for parts in [[stored], *cut_anywhere(stored)]:
        out = given(opened(DETECTING, "application/vnd.sqlite3"), parts).body
        assert out == stored.replace(b"jane@example.com", b"*" * 16)


def test_what_streams_is_not_kept_back() -> None:
    events = opened(BOTH, "text/event-stream")
    assert events.receive(b'data: {"mail": "jane@example.com"}\n') == b""
    assert events.receive(b"\n") == b'data: {"mail": "****@example.com"}\n\n'
    assert events.receive(b"data: 4111\n\n") == b"data: 4111\n\n"
    assert events.receive(b'data: {"n": 4111}\n\ndata') == b'data: {"n": 4111}\n\n'
    for mask in (BOTH, DETECTING, NAMING):
        lines = opened(mask, "application/x-ndjson")
        assert lines.receive(b'{"a": 12}\n{"b"') in {b'{"a": 12}\n{"b"', b'{"a": 12}\n{'}
        lines = opened(mask, "application/json")
        assert lines.receive(b'{"object": {"a": "b"}}\n') == b'{"object": {"a": "b"}}\n'


def test_an_answer_to_head_has_no_measures_of_the_body_it_speaks_of() -> None:
    headers = [(b"Content-Length", b"120"), (b"ETag", b"x"), (b"X-Mail", b"jane@example.com")]
    masked = opened(BOTH, head=True, headers=headers)
    assert masked.headers == [(b"Content-Type", b"application/json"), (b"X-Mail", b"****@example.com")]
    assert masked.finish() == b""
    untouched = opened(NOTHING, head=True, headers=[(b"Content-Encoding", b"gzip"), *headers])
    assert untouched.headers[1:] == [(b"Content-Encoding", b"gzip"), *headers]
    assert untouched.finish() == b""


def test_what_was_hidden_is_counted() -> None:
    answer = given(opened(BOTH, headers=[(b"X-Mail", b"jane@example.com")]), [PEOPLE])
    assert answer.masked == {"email": 3, "redact": 2}


def test_a_text_longer_than_may_be_kept_is_withheld() -> None:
    with pytest.raises(AnswerWithheld):
        given(opened(NAMING, limits=Limits(row_bytes=1_000)), [b'{"a": "', b"x" * 2_000, b'"}'])


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_every_strategy_keeps_the_type_of_a_leaf(strategy: str) -> None:
    body = b'{"ssn": [12, -12, 1.5e300, 1e999, 18446744073709551615, 18446744073709551616, %d, true, null, "x", "\\u00e9"]}'
    mask = compiled(columns={"*.ssn": strategy})
    shown = json.loads(given(opened(mask), [body % 10**250]).body)["ssn"]
    if strategy == "null":
        assert shown == [None] * 11
    else:
        assert [isinstance(each, int) for each in shown] == [True] * 8 + [False] * 3
        assert shown[7] is False
        assert shown[8] is None
        assert all(isinstance(each, str) for each in shown[9:])


class _Broken(CompiledMask):
    def __init__(self, mask: CompiledMask) -> None:
        self.__dict__.update(mask.__dict__)

    def find(self, data: bytes) -> list[tuple[int, int, str]]:
        raise ZeroDivisionError

    def find_from(
        self, data: bytes, start: int, read: tuple[int, int] | None = None
    ) -> list[tuple[int, int, str]]:
        raise ZeroDivisionError


def test_an_engine_that_fails_withholds_the_answer() -> None:
    broken = _Broken(DETECTING)
    with pytest.raises(AnswerWithheld, match="ZeroDivisionError"):
        opened(broken, headers=[(b"X-Mail", b"jane@example.com")])
    for body in (b"jane@example.com\n", b'{"a": "\\n"}'):
        with pytest.raises(AnswerWithheld, match="ZeroDivisionError"):
            given(opened(broken), [body])


@having(
    st.sampled_from(
        [
            "application/json",
            "text/plain",
            "text/event-stream",
            "",
            "image/png",
            "text/javascript",
            "text/csv",
        ]
    ),
    st.sampled_from(["", "; charset=utf-16", "; charset=latin-1", "; charset=shift_jis"]),
    st.sampled_from([[], [(b"Content-Encoding", b"gzip")], [(b"Content-Encoding", b"br, zstd")]]),
    st.binary(max_size=80) | st.text('{}[]",:\\u0123 tfnae-.\r\ndat', max_size=80).map(str.encode),
    st.lists(st.integers(0, 9), max_size=20),
)
def test_of_whatever_comes_something_is_given_out_or_it_is_withheld(
    kind: str, charset: str, headers: list[tuple[bytes, bytes]], body: bytes, cuts: list[int]
) -> None:
    def tried(mask: CompiledMask, parts: list[bytes]) -> bytes | None:
        try:
            return given(opened(mask, kind and kind + charset, headers=headers), parts).body
        except AnswerWithheld:
            return None

    for mask in (DETECTING, NAMING, BOTH, NOTHING):
        assert tried(mask, pieces(body, cuts)) == tried(mask, [body])


@having(
    st.recursive(
        st.none()
        | st.integers()
        | st.text(max_size=20)
        | st.sampled_from(["jane@example.com", "4111 1111 1111 1111"]),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
        max_leaves=10,
    ),
    st.sampled_from(["application/json", "text/plain", ""]),
    st.booleans(),
    st.lists(st.integers(1, 30), max_size=20),
)
def test_json_stays_json_of_the_same_structure(
    document: object, kind: str, ascii_: bool, cuts: list[int]
) -> None:
    document = [document]
    body = json.dumps(document, ensure_ascii=ascii_).encode("utf-8", "surrogatepass")
    for mask in (DETECTING, BOTH):
        out = given(opened(mask, kind), pieces(body, cuts)).body
        assert out == given(opened(mask, kind), [body]).body
        assert _structure(json.loads(out.decode("utf-8", "surrogatepass"))) == _structure(document)
        assert b"jane@example.com" not in out
        assert b"4111 1111 1111 1111" not in out


def _structure(item: object) -> object:
    if isinstance(item, dict):
        return [_structure(inner) for inner in item.values()]
    if isinstance(item, list):
        return [_structure(inner) for inner in item]
    return type(item)
