"""What rules name in JSON is hidden, whatever the cuts, and no other byte changes."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.protocols.http.json_text import JsonText, JsonUnreadable
from gateway.protocols.http.naming import Names
from gateway.protocols.http.texts import Texts
from tests.protocols_http.answers import BOTH, NAMING, cut_anywhere, facts, pieces

LONGEST = 1 << 20


def shown(
    parts: list[bytes], *, mask=NAMING, path: str = "/v1/orders/7", longest: int = LONGEST, **renamed: str
) -> bytes:
    made = JsonText(
        Names(mask, facts(path, **renamed)), mask, Texts(mask, lambda data: data), longest=longest
    )
    return b"".join([made.feed(part) for part in parts] + [made.close()])


def of(text: str, **how: Any) -> str:
    return shown([text.encode()], **how).decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{ "ssn" : "123-45-6789" }', '{ "ssn" : "[redacted]" }'),
        ('{"ssn":null,"a":1.50e+3}', '{"ssn":null,"a":1.50e+3}'),
        ('{"SSN":123456789}', '{"SSN":0}'),
        ('{"ssn":true,"ssn":[1,{"x":"y","z":false}]}', '{"ssn":false,"ssn":[0,{"x":"[redacted]","z":false}]}'),
        ('{"\\u0073sn":"x"}', '{"\\u0073sn":"[redacted]"}'),
        ('{"a":{"ssn":"x"}}\n{"ssn":1}\n', '{"a":{"ssn":"[redacted]"}}\n{"ssn":0}\n'),
        ('{"items":[{"token":"a"},{"token":[1]}],"token":"b"}', '{"items":[{"token":null},{"token":[null]}],"token":"b"}'),
        ('{"a":[{"deep":{"b":"c"}}]}', '{"a":[{"deep":{"b":"[redacted]"}}]}'),
        ('{"customers":[{"name":"Jane"}],"name":"Ann"}', '{"customers":[{"name":"***e"}],"name":"Ann"}'),
        ('{"customers":{"rows":[{"name":"Jane"}]}}', '{"customers":{"rows":[{"name":"***e"}]}}'),
        ('{"payload":{"card":"1","b":2}}', '{"payload":{"card":"[redacted]","b":2}}'),
        ('{"payload":"{\\"card\\": \\"1\\"}"}', '{"payload":"{\\"card\\":\\"[redacted]\\"}"}'),
        ('{"payload":"no JSON"}', '{"payload":"\\"[redacted]\\""}'),
        ("[1,2,[],{}]", "[1,2,[],{}]"),
        (' "top" ', ' "top" '),
        ('{"ssn":' + "9" * 4_000 + "}", '{"ssn":0}'),
        ('{"a":"\\ud800","ssn":"\\ud800"}', '{"a":"\\ud800","ssn":"[redacted]"}'),
    ],
)  # fmt: skip
def test_what_is_named_is_hidden(before: str, after: str) -> None:
    assert of(before) == after
    for parts in cut_anywhere(before.encode()) if len(before) < 200 else []:
        assert shown(parts).decode() == after


def test_the_path_says_what_a_document_is_about() -> None:
    assert of('{"name":"Jane"}', path="/v1/customers/7") == '{"name":"***e"}'
    assert of('[{"name":"Jane"}]', path="/customers") == '[{"name":"***e"}]'
    assert of('{"name":"Jane"}', path="/v1/products/7") == '{"name":"Jane"}'
    # Where no path says it, nobody can tell whose name it is.
    assert of('{"name":"Jane"}', path="/") == '{"name":"***e"}'


def test_what_a_request_renames_is_known_by_what_it_is() -> None:
    assert of('{"n":"1","o":"2"}', n="ssn") == '{"n":"[redacted]","o":"2"}'
    assert of('{"data":{"c":[{"name":"Jane"}]}}', c="customers") == '{"data":{"c":[{"name":"***e"}]}}'
    assert of('{"i":[{"t":"x"}]}', i="items", t="token") == '{"i":[{"t":null}]}'
    assert of('{"ssn":"1"}', ssn="name") == '{"ssn":"[redacted]"}'
    assert of('[{"name":"Jane","x":"y"}]', path="/sql", name="customers.name") == '[{"name":"***e","x":"y"}]'
    assert of('[{"name":"Jane","x":"y"}]', path="/sql", **{"*": "customers.*"}) == '[{"name":"***e","x":"y"}]'
    assert of('[["n"],["Jane"]]', path="/sql", n="customers.name") == '[["n"],["***e"]]'
    assert of('[["name"],["Jane"]]', path="/sql", **{"*": "customers.*"}) == '[["name"],["***e"]]'
    assert of('[{"name":"Jane"}]', path="/sql", name="products.name") == '[{"name":"Jane"}]'


@pytest.mark.parametrize(
    "text",
    [
        '{"a"', '{"a":', "[1", '"abc', '{"a":1,}', "[1,]", "{,}", "[1 2]", '{"a" 1}', "{1:2}", "nul", "+1", "01", "1.", "[1}",
        '"\n"', '"\\x"', '"\\u12g4"', "{'a':1}", '{"a":1}}', "]", "[" * 65, "<html>", '{"a":1} trailing', "12" * 3_000,
    ],
)  # fmt: skip
def test_what_is_no_json_is_not_read(text: str) -> None:
    for parts in ([text.encode()], [text[:1].encode(), text[1:].encode()]):
        with pytest.raises(JsonUnreadable):
            shown(parts)


def test_a_text_is_not_kept_for_ever() -> None:
    assert of('{"a":"' + "x" * 900 + '"}', longest=1_000)
    with pytest.raises(JsonUnreadable):
        shown([b'{"a":"', *[b"x" * 100] * 11], longest=1_000)


def test_a_long_text_is_read_once() -> None:
    for before, after in ((b'["', b'"]'), (b'{"', b'":1}'), (b'{"a":"', b'"}')):
        made = JsonText(Names(NAMING, facts()), NAMING, Texts(NAMING, lambda data: data), longest=1 << 30)
        assert made.feed(before).count(b'"') in {0, 2}
        began = time.process_time()
        for _ in range(4_000):
            assert made.feed(b"x" * 4_096) == b""
        assert time.process_time() - began < 4.0  # read again each time it were 130 GB
        assert made.feed(after).endswith(after)


def test_any_number_of_names_takes_no_more_room_than_some() -> None:
    names = [f"n{number}" for number in range(30_000)]
    document = json.dumps({**dict.fromkeys(names, "x"), "list": names, "ssn": "1", "name": "x"})
    made = JsonText(Names(NAMING, facts()), NAMING, Texts(NAMING, lambda data: data), longest=LONGEST)
    assert (
        made.feed(document.encode()[:-30]) + made.feed(document.encode()[-30:])
        == document.replace('"ssn": "1"', '"ssn": "[redacted]"').encode()
    )
    made = JsonText(Names(NAMING, facts()), NAMING, Texts(NAMING, lambda data: data), longest=LONGEST)
    made.feed(document.encode()[:-30])
    assert max(len(made._stack[0].plain), len(made._stack[0].harmless)) <= 10_000


def test_what_is_decided_is_given_out_at_once() -> None:
    made = JsonText(Names(NAMING, facts()), NAMING, Texts(NAMING, lambda data: data), longest=LONGEST)
    assert made.feed(b'{"a":1,"ssn":"12') == b'{"a":1,"ssn":'
    assert not made.between
    assert made.feed(b'3"}\n') == b'"[redacted]"}\n'
    assert made.between


def test_what_a_text_says_is_searched() -> None:
    assert of('{"x":"jane\\u0040example.com"}', mask=BOTH) == '{"x":"****@example.com"}'
    assert of('{"jane\\u0040example.com":1}', mask=BOTH) == '{"****@example.com":1}'


NAMES = ["ssn", "name", "customers", "items", "token", "deep", "x", "é", 'q"uote', "tab\t"]
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=8)
)  # fmt: skip
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)


class _Writer:
    """Writes a document with made-up blanks and escapes, and beside it what is to come out."""

    def __init__(self, draw: Any) -> None:
        self._draw = draw
        self.before: list[str] = []
        self.after: list[str] = []

    def write(
        self, item: Any, hide: str | None, around: tuple[str, ...], path: tuple[str | int, ...]
    ) -> None:
        match item:
            case dict():
                self._both("{")
                for number, (name, inner) in enumerate(item.items()):
                    self._both("," if number else "")
                    self._both(json.dumps(name, ensure_ascii=self._draw(st.booleans())))
                    self._both(":")
                    self.write(
                        inner, hide or _rule(name, around, (*path, name)), (*around, name), (*path, name)
                    )
                self._both("}")
            case list():
                self._both("[")
                for number, inner in enumerate(item):
                    self._both("," if number else "")
                    self.write(inner, hide, around, (*path, number))
                self._both("]")
            case _:
                text = json.dumps(item, ensure_ascii=self._draw(st.booleans()))
                self._both(text, _stand_in(item, hide) if hide else text)

    def _both(self, before: str, after: str | None = None) -> None:
        blank = self._draw(st.sampled_from(["", "", "", " ", "\n  ", "\t\r\n"]))
        self.before += before, blank
        self.after += before if after is None else after, blank


def _rule(name: str, around: tuple[str, ...], path: tuple[str | int, ...]) -> str | None:
    """What `NAMED` says of a member, said once more."""
    found = []
    if name == "ssn" or name == "deep":
        found.append("redact")
    if name == "name" and "customers" in around:
        found.append("partial")
    if len(path) == 3 and path[0] == "items" and isinstance(path[1], int) and name == "token":
        found.append("null")
    return next((each for each in ("null", "redact", "partial") if each in found), None)


def _stand_in(item: Any, strategy: str) -> str:
    if strategy == "null" or item is None:
        return "null"
    if isinstance(item, str):
        return json.dumps(NAMING.replace(item, strategy=strategy))
    return "false" if isinstance(item, bool) else "0"


@given(st.data(), DOCUMENTS, st.lists(st.integers(0, 12), max_size=30))
@settings(max_examples=300)
def test_every_other_byte_stays(data: st.DataObject, document: Any, cuts: list[int]) -> None:
    writer = _Writer(data.draw)
    writer.write(document, None, ("v1", "orders"), ())
    before = "".join(writer.before).encode("utf-8", "surrogatepass")
    assert shown(pieces(before, cuts)) == "".join(writer.after).encode("utf-8", "surrogatepass")


@given(st.binary(max_size=60) | st.text('{}[]",:\\u0123 tfnae-.', max_size=60).map(str.encode), st.data())
def test_nonsense_is_no_json_or_is_given_out_the_same_whatever_the_cuts(
    noise: bytes, data: st.DataObject
) -> None:
    def tried(parts: list[bytes]) -> bytes | None:
        try:
            return shown(parts)
        except JsonUnreadable:
            return None

    cuts = data.draw(st.lists(st.integers(0, 8), max_size=20))
    assert tried(pieces(noise, cuts)) == tried([noise])
