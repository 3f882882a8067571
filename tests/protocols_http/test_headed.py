"""Columns of tables, and values of pairs, are hidden where a text names them."""

from __future__ import annotations

import pytest

from gateway.wire import AnswerWithheld
from tests.protocols_http.answers import NAMING, compiled, cut_anywhere, given, opened

SHAPES = {
    "columns and rows": (
        '{"columns":["id","ssn"],"rows":[[1,"078"],[2,null],[3,9]]}',
        '{"columns":["id","ssn"],"rows":[[1,"[redacted]"],[2,null],[3,0]]}',
    ),
    "columns described": (
        '{"columns":[{"name":"id","type":"int"},{"name":"SSN","type":"text"}],"data":[[1,"078"]]}',
        '{"columns":[{"name":"id","type":"int"},{"name":"SSN","type":"text"}],"data":[[1,"[redacted]"]]}',
    ),
    "a head on top": ('[["id","ssn"],[1,"078"],[2,"219"]]', '[["id","ssn"],[1,"[redacted]"],[2,"[redacted]"]]'),
    "numbers before": ('{"c":["a","b","ssn"],"r":[[1,2,"078"]]}', '{"c":["a","b","ssn"],"r":[[1,2,"[redacted]"]]}'),
    "BigQuery": (
        '{"schema":{"fields":[{"name":"id"},{"name":"ssn"}]},"rows":[{"f":[{"v":"1"},{"v":"078"}]}]}',
        '{"schema":{"fields":[{"name":"id"},{"name":"ssn"}]},"rows":[{"f":[{"v":"1"},{"v":"[redacted]"}]}]}',
    ),
    "Athena": (
        '{"Rows":[{"Data":[{"VarCharValue":"id"},{"VarCharValue":"ssn"}]},{"Data":[{"VarCharValue":"1"},{"VarCharValue":"078"}]}]}',
        '{"Rows":[{"Data":[{"VarCharValue":"id"},{"VarCharValue":"ssn"}]},{"Data":[{"VarCharValue":"1"},{"VarCharValue":"[redacted]"}]}]}',
    ),
    "a pair": ('{"name":"ssn","value":"078","more":1}', '{"name":"ssn","value":"[redacted]","more":1}'),
    "pairs": (
        '[{"key":"id","value":1},{"key":"ssn","value":"078"},{"key":"x","value":2}]',
        '[{"key":"id","value":1},{"key":"ssn","value":"[redacted]"},{"key":"x","value":2}]',
    ),
    "qualified": ('{"columns":["c.id","c.ssn"],"rows":[[1,"078"]]}', '{"columns":["c.id","c.ssn"],"rows":[[1,"[redacted]"]]}'),
    "a head in a line": ('["id","ssn"]\n[1,"078"]\n[2,3]\n', '["id","ssn"]\n[1,"[redacted]"]\n[2,0]\n'),
    "one list": ('["id","ssn","x"]', '["id","ssn","x"]'),
    "no rule": ('{"columns":["id","other"],"rows":[[1,"078"]]}', '{"columns":["id","other"],"rows":[[1,"078"]]}'),
    "what describes": ('{"fields":[{"name":"ssn","type":{"name":"Text"}}]}', '{"fields":[{"name":"ssn","type":{"name":"Text"}}]}'),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after"), SHAPES.values(), ids=SHAPES)
def test_what_a_name_stands_over_is_hidden(before: str, after: str) -> None:
    for parts in [[before.encode()], *cut_anywhere(before.encode())]:
        assert given(opened(NAMING), parts).body.decode() == after


def test_a_value_before_its_name_is_withheld() -> None:
    with pytest.raises(AnswerWithheld):
        given(opened(NAMING), [b'{"content":"078","name":"ssn"}'])
    assert given(opened(NAMING), [b'{"content":"078","name":"x"}']).body == b'{"content":"078","name":"x"}'


def test_a_head_in_one_event_counts_in_the_next() -> None:
    body = b'data: {"columns":["id","ssn"]}\n\ndata: {"rows":[[1,"078"]]}\n\n'
    out = given(opened(NAMING, "text/event-stream"), [body]).body
    assert out == body.replace(b"078", b"[redacted]")


def test_a_rule_for_another_table_hides_nothing() -> None:
    body = b'{"columns":["id","name"],"rows":[[1,"Jane"]]}'
    assert given(opened(NAMING, path="/v1/products"), [body]).body == body
    assert b"Jane" not in given(opened(NAMING, path="/v1/customers"), [body]).body
    assert b"Jane" not in given(opened(compiled(columns={"name": "null"}), path="/sql"), [body]).body
