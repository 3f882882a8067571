"""What detectors find in values of every type and encoding, and what is left of them."""

from __future__ import annotations

import struct
from types import ModuleType

import pytest

from gateway.masking.engine import CompiledMask, Masks
from gateway.model import Effect, Facts, Output
from gateway.policy.model import MaskPolicy
from gateway.protocols.mysql.result_set import ResultSet
from gateway.wire import Limits
from tests.mysql_rows import packets as p

CARD = b"4111111111111111"
ANY = Facts(effects=frozenset({Effect.READ}), outputs=(Output(name="*", sources=frozenset({"t.*"})),))
PATHS = Masks(
    {
        "m": MaskPolicy(
            name="m", columns={"$..token": "redact", "orders.payload$.card": "partial"}, except_=("logs.*",)
        )
    },
    key=b"k" * 32,
).mask(["m"])
DOCUMENT = b'{"token": "abc", "card": "4111111111111111", "n": 1}'


def shown(
    mask: CompiledMask, value: bytes, kind: int = p.VARCHAR, facts: Facts = ANY, *, binary: bool = False, **more: int
) -> bytes | None:  # fmt: skip
    row = p.binary_row([kind], value) if binary else p.text_row(value)
    other = p.binary_row([kind], None) if binary else p.text_row(None)
    one = ResultSet(binary=binary, mask=mask, facts=facts, limits=Limits())
    out, _ = one.receive(p.result([p.definition("v", kind, **more)], [other, row, other]))
    rows = p.payloads(out)[3:-1]
    assert rows[0] == rows[2] == other
    return (p.binary_values([kind], rows[1]) if binary else p.text_values(rows[1]))[0]


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize(
    ("charset", "codec"), [(p.LATIN1, "cp1252"), (p.UTF16, "utf_16_be"), (56, "utf_16_le"), (60, "utf_32_be"), (28, "gbk")]
)  # fmt: skip
def test_text_is_searched_in_its_own_encoding(
    walk: ModuleType, mask: CompiledMask, charset: int, codec: str, binary: bool
) -> None:
    said = "日本 jane@example.com" if codec != "cp1252" else "Zoë jane@example.com"
    hidden = shown(mask, said.encode(codec), charset=charset, binary=binary)
    assert hidden is not None
    assert hidden.decode(codec) == said.replace("jane", "****")
    plain = "Zoë" if codec == "cp1252" else "日本"
    assert shown(mask, plain.encode(codec), charset=charset, binary=binary) == plain.encode(codec)


def test_text_of_a_collation_that_is_not_known_is_searched_all_the_same(
    walk: ModuleType, mask: CompiledMask
) -> None:
    assert shown(mask, b"to jane@example.com", charset=9_999) == b"to ****@example.com"
    wide = shown(mask, "jane@example.com".encode("utf_16_be"), charset=9_999)
    assert wide is not None
    assert b"j" not in wide
    assert len(wide) == 32


def test_bytes_keep_their_length(walk: ModuleType, mask: CompiledMask) -> None:
    for prefix in (b"", b"\0\0\0\x31", b"\0\xff\x80"):
        value = prefix + b"paid by " + CARD
        hidden = shown(mask, value, p.BLOB, charset=p.BINARY)
        assert hidden is not None
        assert len(hidden) == len(value)
        assert b"41111111" not in hidden
    assert shown(mask, b"\0\1\2\xff", p.BLOB, charset=p.BINARY) == b"\0\1\2\xff"


def test_a_number_that_is_a_card_s_stays_a_number(walk: ModuleType, mask: CompiledMask) -> None:
    assert shown(mask, CARD, p.LONGLONG) == b"1111"
    assert shown(mask, CARD + b".00", p.DECIMAL, decimals=2, length=22) == b"1111.00"
    assert shown(mask, CARD, p.DECIMAL, length=21) == b"1111"
    assert shown(mask, b"4.111111111111111e15", p.DOUBLE, decimals=31) == b"1111"
    assert shown(mask, CARD + b".00", p.DOUBLE, decimals=2) == b"1111.00"
    packed = struct.pack("<Q", 18_000_000_000_000_000_000 - 1)
    assert shown(mask, packed, p.LONGLONG, binary=True, flags=0x20) == packed
    assert shown(mask, CARD[:12] + b".50", p.DECIMAL, decimals=2, length=22) == CARD[:12] + b".50"


def test_json_stays_json(walk: ModuleType, mask: CompiledMask) -> None:
    escaped = b'{"mail": "jane\\u0040example.com"}'
    for kind, length in ((p.JSON, 0), (p.BLOB, 0xFFFFFFFF), (p.VARCHAR, 400)):
        assert shown(mask, escaped, kind, length=length) == b'{"mail":"****@example.com"}'
        assert shown(mask, b'{"card": 4111111111111111}', kind, length=length) == b'{"card": 1111}'
    assert shown(mask, b"a \\u0040 b", p.VARCHAR) == b"a \\u0040 b"


def test_paths_reach_into_documents_whatever_the_server_calls_them(walk: ModuleType) -> None:
    facts = Facts(
        effects=frozenset({Effect.READ}),
        outputs=(Output(name="payload", sources=frozenset({"orders.payload"})),),
    )
    for kind, binary in ((p.JSON, False), (p.BLOB, False), (p.BLOB, True)):
        hidden = shown(PATHS, DOCUMENT, kind, facts, binary=binary)
        assert hidden == b'{"token":"[redacted]","card":"************1111","n":1}'
        assert shown(PATHS, b"{no document", kind, facts, binary=binary) == b'"[redacted]"'
    assert shown(PATHS, DOCUMENT) == b'{"token":"[redacted]","card":"4111111111111111","n":1}'
    assert shown(PATHS, b"[draft] words") == b"[draft] words"
    assert shown(PATHS, b"[" * 2_000) == b'"[redacted]"'
    spared = Facts(
        effects=frozenset({Effect.READ}), outputs=(Output(name="v", sources=frozenset({"logs.v"})),)
    )
    assert shown(PATHS, DOCUMENT, p.JSON, spared) == DOCUMENT


def test_what_stands_for_a_hit_is_no_longer_than_the_column(walk: ModuleType, mask: CompiledMask) -> None:
    secret = b"password=x7!Kq2zz"
    assert shown(mask, secret, length=4 * 17) == b"password=[redacte"
    assert shown(mask, secret, length=0) == b"password=[redacted]"


@pytest.mark.parametrize(("kind", "charset"), [(p.VARCHAR, p.UTF8), (p.BLOB, p.BINARY), (p.JSON, p.BINARY)])
def test_a_value_with_too_many_hits_is_gone(
    walk: ModuleType, mask: CompiledMask, kind: int, charset: int
) -> None:
    value = b'["' + b'a@example.com","' * 200_000 + b'"]'
    wanted = b'"[redacted]"' if kind == p.JSON else b"[redacted]"
    assert shown(mask, value, kind, charset=charset) == wanted


def test_colours_hide_nothing(walk: ModuleType, mask: CompiledMask) -> None:
    hidden = shown(mask, b"paid by 4111 1\x1b[01;31m11\x1b[m1 1111 1111")
    assert hidden is not None
    assert b"4111" not in hidden
