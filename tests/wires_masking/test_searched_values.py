"""What is searched: a value with a hit in it stays a value of its type, in every form and encoding."""

from __future__ import annotations

import json
import struct

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import pq

from gateway.masking.engine import CompiledMask
from gateway.protocols.postgres.encodings import codec_of
from gateway.protocols.postgres.kinds import BUILT_IN, Types
from gateway.protocols.postgres.searching import search
from tests.wires_masking.typed import accepted, fetch

SEARCHED = {
    "text": ["mail jane@example.com"],
    "json": [
        '{"mail": "jane@example.com", "card": 4111111111111111, "n": [4111111111111111, 2]}',
        '{"password": "x1\\"y"}',
    ],
    "jsonb": ['{"mail": "jane@example.com", "card": 4111111111111111}', '{"card": [4111111111111111.00]}'],
    "int8": ["4111111111111111"],
    "numeric": ["4111111111111111", "4111111111111111.00", "4111111111111111.0"],
    "float8": ["4111111111111111"],
    "float8[]": ["{4111111111111111,1.5}", "{{4111111111111111},{378282246310005}}"],
    "numrange[]": ['{"[1,4111111111111111.00]"}'],
    "wide": ["[1,4111111111111111)"],
    "spans": ["[jane@example.com,k)"],
    "bytea": [
        "\\x6a616e65406578616d706c652e636f6d",
        "\\x0034313131313131313131313131313131ff",
        "\\x5c6a616e65406578616d706c652e636f6d",
    ],
    "text[]": ['{jane@example.com,"x jane@example.com"}', "{{jane@example.com},{b}}"],
    "int8[]": ["{4111111111111111,5}"],
    "pair": ["(jane@example.com,5,x)"],
    "pair[]": ['{"(jane@example.com,1,b)"}'],
    "inet": ["10.1.2.3", "10.1.2.3/8"],
    "cidr": ["10.1.2.3/32"],
    "inet[]": ["{10.1.2.3,NULL}", "{{10.1.2.3},{10.1.2.3}}"],
    "varchar": ["4111 1111 1111 1111"],
    "numeric[]": ["{4111111111111111,NULL,2.5}", "{4111111111111111.00}"],
    "jsonb[]": ['{"{\\"card\\": 4111111111111111.00}"}', '{"{\\"mail\\": \\"jane@example.com\\"}"}'],
    "varchar[]": ["{4111 1111 1111 1111}"],
    "int8range": ["[4111111111111111,4111111111111112)"],
    "numrange": ["[1,4111111111111111]", "[4111111111111111.00,4111111111111112)"],
    "int8range[]": ['{"[1,2)","[4111111111111111,4111111111111112)"}'],
    "int8multirange[]": ['{"{[4111111111111111,4111111111111112)}","{}"}'],
    "int8multirange": ["{[1,2),[4111111111111111,4111111111111112)}"],
    "xml": [
        "<a>jane@example.com</a>",
        '<a mail="jane&#64;example.com"/>',
        "<a>&#x6a;ane&#x40;example.com, &#12354; 4111&#32;1111&#32;1111&#32;1111</a>",
        "<![CDATA[jane@example.com]]>",
        "<?note jane@example.com?><!-- jane@example.com -->",
    ],
    "hstore": ['"mail"=>"jane@example.com"', '"password"=>"x1\\"\\\\y", "none"=>NULL, "plain"=>"z"'],
    "hstore[]": ['{"\\"password\\"=>\\"x1y\\""}'],
    "bytea[]": ['{"\\\\x6a616e65406578616d706c652e636f6d"}'],
    "purse": [
        '("(jane@example.com,5,x)",4111111111111111,10.1.2.3,,"{jane@example.com}",)',
        '(,,,"\\\\x6a616e65406578616d706c652e636f6d",,)',
        '(,,,,,"[4111111111111111,4111111111111112)")',
        "(,4111111111111111.00,,,,)",
    ],
    "purse[]": ['{"(,4111111111111111,,,,)"}'],
    "tsquery": ["'jane@example.com'"],
    "citext": ["jane@example.com"],
    "address": ["jane@example.com"],
}


@pytest.mark.parametrize("written", [0, 1], ids=["text", "binary"])
@pytest.mark.parametrize("type_name", SEARCHED)
def test_a_value_with_a_hit_stays_a_value(
    typed: psycopg.Connection, mask: CompiledMask, types: Types, type_name: str, written: int
) -> None:
    for literal in SEARCHED[type_name]:
        value, oid = fetch(typed, literal, type_name, written)
        counts: dict[str, int] = {}
        hidden = search(value, type_oid=oid, written=written, mask=mask, counts=counts, types=types)
        assert hidden is not None
        if types is BUILT_IN and type_name == "wide":  # in binary nobody can tell what it is
            continue
        if literal.startswith("<a>&#x6a"):
            assert b"&#12354; **** **** **** 1111" in hidden
        said = accepted(typed, hidden, type_name, written)
        for secret in (
            b"jane",
            b"4111111111111111",
            b"4.111111111111111e",
            b"378282246310005",
            b"4111 1111",
            b"6a616e65",
            b"10.1.2.3",
            b"x1",
        ):
            assert secret not in said
        assert sum(counts.values()) >= 1


def test_a_value_without_a_hit_is_the_same_object(mask: CompiledMask) -> None:
    for oid, written, value in (
        (25, 0, b"plain"),
        (17, 0, b"\\x6a61"),
        (1009, 1, b"plain"),
        (20, 1, bytes(8)),
    ):
        assert search(value, type_oid=oid, written=written, mask=mask, counts={}) is value


def test_bytea_with_escapes_is_read_as_its_bytes(typed: psycopg.Connection, mask: CompiledMask) -> None:
    typed.execute("SET bytea_output = 'escape'")
    try:
        for literal in SEARCHED["bytea"]:
            value, oid = fetch(typed, literal, "bytea", 0)
            hidden = search(value, type_oid=oid, written=0, mask=mask, counts={})
            assert hidden is not None
            assert len(bytes.fromhex(accepted_hex(typed, hidden))) == len(literal) // 2 - 1
            assert b"jane" not in bytes.fromhex(accepted_hex(typed, hidden))
            assert b"41111" not in bytes.fromhex(accepted_hex(typed, hidden))
        quiet = b"plain \\\\ \\000\\377"
        assert search(quiet, type_oid=17, written=0, mask=mask, counts={}) is quiet
    finally:
        typed.execute("SET bytea_output = 'hex'")


def accepted_hex(connection: psycopg.Connection, value: bytes) -> str:
    result = connection.pgconn.exec_params(b"SELECT encode($1::bytea, 'hex')", [value])
    assert result.status == pq.ExecStatus.TUPLES_OK, (value, result.error_message)
    return (result.get_value(0, 0) or b"").decode()


def test_only_what_has_a_hit_in_it_is_another(typed: psycopg.Connection, mask: CompiledMask) -> None:
    literal = '("(ann,5,x)",4111111111111111,127.0.0.1,"\\\\x6a61",{b},"[1,2)")'
    for written in (0, 1):
        value, oid = fetch(typed, literal, "purse", written)
        hidden = search(value, type_oid=oid, written=written, mask=mask, counts={})
        assert hidden is not None
        assert accepted(typed, hidden, "purse", written).decode() == literal.replace(
            "4111111111111111", "1111"
        )


@pytest.mark.parametrize("before", [b"\0", b"\0\0", b"\0\0\0\x10", b"\0\0\0\x31", b"\0\0\0A", b"x\0ab\0"])
def test_what_follows_a_zero_may_be_a_length_or_the_text(mask: CompiledMask, before: bytes) -> None:
    for secret in (b"4111111111111111", b"jane@example.com"):
        for oid in (17, 99999):
            counts: dict[str, int] = {}
            hidden = search(before + secret, type_oid=oid, written=1, mask=mask, counts=counts)
            assert hidden is not None
            assert len(hidden) == len(before + secret)
            assert b"jane" not in hidden
            assert b"411" not in hidden
            assert sum(counts.values()) == 1


@given(st.binary(max_size=80))
def test_no_bytes_of_an_unknown_type_are_too_strange_to_be_searched(mask: CompiledMask, value: bytes) -> None:
    for data in (value, struct.pack(">i", 1) + value, struct.pack(">iii", 1, 0, 25) + value):
        hidden = search(data, type_oid=99999, written=1, mask=mask, counts={})
        assert hidden is None or b"jane" not in hidden or b"jane" in value


ENCODED = {
    "LATIN1": "josé@example.com, müller@exämple.de",
    "LATIN9": "josé@example.com €",
    "WIN1251": "иван@пример.рф",
    "KOI8R": "иван@пример.рф",
    "EUC_JP": "太郎@example.jp 田中",
    "SJIS": "太郎@example.jp 表",
    "GBK": "小明@example.cn 一",
    "UTF8": "josé@example.com 表",
}


@pytest.mark.parametrize("written", [0, 1], ids=["text", "binary"])
@pytest.mark.parametrize("encoding", ENCODED)
def test_text_is_read_in_the_client_s_encoding(
    typed: psycopg.Connection, mask: CompiledMask, encoding: str, written: int
) -> None:
    text = ENCODED[encoding]
    codec = codec_of(encoding)
    shown = mask.text(text)
    assert shown != text
    typed.execute(f"SET client_encoding = '{encoding}'")
    try:
        for type_name in ("text", "text[]", "jsonb", "json"):
            said = {"text[]": "{" + json.dumps(text, ensure_ascii=False) + "}"}.get(
                type_name, text if type_name == "text" else json.dumps({"a": text}, ensure_ascii=False)
            )
            result = typed.pgconn.exec_params(
                f"SELECT $1::text::{type_name}".encode(),
                [said.encode(codec or "utf8")],
                result_format=written,
            )
            value = result.get_value(0, 0)
            assert value is not None, result.error_message
            found = search(
                value, type_oid=result.ftype(0), written=written, mask=mask, counts={}, codec=codec
            )
            assert found is not None
            back = accepted(typed, found, type_name, written).decode(codec or "utf8")
            assert shown in back
    finally:
        typed.execute("SET client_encoding = 'UTF8'")


def test_what_json_escapes_is_read_before_it_is_searched(mask: CompiledMask) -> None:
    for value in (b'{"m": "jane\\u0040example.com"}', b'{"m": "J\\u00f6rg@example.com", "n": 1}'):
        counts: dict[str, int] = {}
        hidden = search(value, type_oid=114, written=0, mask=mask, counts=counts)
        assert hidden is not None
        assert set(json.loads(hidden)["m"].partition("@")[0]) == {"*"}
        assert counts == {"email": 1}
    quiet = b'{"m": "J\\u00f6rg"}'
    assert search(quiet, type_oid=114, written=0, mask=mask, counts={}) is quiet


def test_a_named_secret_in_escaped_json_is_found(mask: CompiledMask) -> None:
    hidden = search(b'{"password": "hunter2\\u00e9", "n": 1}', type_oid=114, written=0, mask=mask, counts={})
    assert hidden is not None
    assert json.loads(hidden) == {"password": "[redacted]", "n": 1}
