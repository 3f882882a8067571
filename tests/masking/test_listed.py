"""What a column is called speaks for its values, in rows, in tables as clients print them and in `INSERT`."""

from __future__ import annotations

import pytest

from gateway.masking.detectors import expand
from gateway.masking.engine import CompiledMask
from gateway.masking.scanner import scanner
from gateway.masking.stream import StreamMask
from gateway.policy.model import MaskPolicy

ALL = expand(("personal", "secrets"))
FOUND = [
    (b"id,name,password\n1,bob,h4lf way\n2,eve,n1ne lives\n", [b"h4lf way", b"n1ne lives"]),
    (b"id,username,password\n1,bob,hunter-22\n2,eve,Tr0ub4dor\n", [b"hunter-22", b"Tr0ub4dor"]),
    (b'"id";"passwort"\r\n"1";"Zw3i Worte"\r\n', [b"Zw3i Worte"]),
    (b"name\tmobile\tcity\nBob\t13800138000\tX\n", [b"13800138000"]),
    (b"name,ssn\nBob,531429981\nEve,521449812", [b"531429981", b"521449812"]),
    (
        b" id | email | password\n----+-------+----------\n  1 | a@example.org | t4bleWord\n(1 row)\n",
        [b"a@example.org", b"t4bleWord"],
    ),
    (b"| id | token     |\n+----+-----------+\n|  1 | ab12cd34ef |\n", [b"ab12cd34ef"]),
    (
        b"INSERT INTO users (id, email, `password`) VALUES (1, 'a@example.org', 'it''s me'), (2, NULL, 'other');",
        [b"a@example.org", b"it''s me", b"other"],
    ),
    (b"insert into t(phone,note) values ('08-123 456 78', 'x')", [b"08-123 456 78"]),
    (b"REPLACE INTO t (a, pass) VALUES (now(), 'w0rd')", [b"w0rd"]),
    (
        b"COPY public.users (id, name, password) FROM stdin;\n1\tapp\th4lf way\n2\t\\N\tother\n\\.\n3\tx\ty\n",
        [b"h4lf way", b"other"],
    ),
    (
        b"COPY t (id, ssn, phone) TO STDOUT WITH (FORMAT csv);\n7,531429981,08-123 456 78\n",
        [b"531429981", b"08-123 456 78"],
    ),
]
LEFT = [
    b"user, password, host\nnext, please, thanks\n",
    b"id,password_changed_at\n1,2026-01-01\n",
    b"id,phone_type\n1,mobile\n",
    b"INSERT INTO t (a, password) VALUES (1, ?)",
    b"INSERT INTO t (id, password) SELECT id, pass FROM old",
    b"COPY t (id, password) FROM stdin;\n1\t\\N\n\\.\nid password\n",
    b"COPY t (id, password) FROM '/tmp/x';\n1\thunter-22\n",
    b"def login(user, password,\n          host, port):\n",
    b"id,password\n1,2,hunter-22\n",
]


@pytest.mark.parametrize(("text", "values"), FOUND)
def test_values_are_found_by_what_their_column_is_called(text: bytes, values: list[bytes]) -> None:
    assert [text[start:end] for start, end, _ in scanner(ALL).find(text)] == values


@pytest.mark.parametrize("text", LEFT)
def test_other_columns_and_other_lines_are_left(text: bytes) -> None:
    assert scanner(ALL).find(text) == []


@pytest.mark.parametrize("text", [text for text, _ in FOUND])
def test_they_are_found_wherever_the_text_is_cut(text: bytes) -> None:
    mask = CompiledMask([MaskPolicy(name="all", detect=("personal", "secrets"))], key=bytes(32))
    hits = mask.find(text)
    whole = mask.cover(text, hits)
    for cut in range(1, len(text)):
        stream = StreamMask(mask)
        out = stream.feed(text[:cut]) + stream.feed(text[cut:]) + stream.close()
        assert (out, stream.hits) == (whole, hits), cut


def test_a_header_speaks_for_the_rows_near_it_and_for_no_field_but_its_own() -> None:
    rows = b"".join(b"%d,wr0ng-word%d\n" % (row, row) for row in range(200))
    found = scanner(ALL).find(b"id,password\n" + rows)
    assert 20 < len(found) < 60
    assert scanner(ALL).find_in_fields(b"id,password\n\x001,hunter-22\n") == []
