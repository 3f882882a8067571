"""The contract of `countersign explain --policy FILE --jsonl`: rows in, one row out for each, whatever they hold."""

from __future__ import annotations

import base64
import io
import json
import sys
from pathlib import Path

import orjson
import pytest

from gateway.__main__ import main
from gateway.commands import explain
from gateway.commands.explain import Explainer, explain_line
from gateway.policy.file import parse
from gateway.vocabulary import known

SHIPPED = Path(__file__).parents[2] / "policies.yaml"
KEYS = ["id", "verdict", "effects", "complete", "rules", "message", "masked", "sanitised", "attributes"]


@pytest.fixture(scope="module")
def explainer() -> Explainer:
    return Explainer(parse(SHIPPED.read_text(), "policies.yaml", known()), known())


@pytest.fixture(scope="module")
def ask(explainer):
    def ask(row) -> dict:
        line = row if isinstance(row, bytes) else json.dumps({"id": 1} | row).encode()
        answer = explain_line(explainer, line)
        assert answer.endswith(b"\n")
        assert answer.count(b"\n") == 1
        told = json.loads(answer)
        assert list(told) == KEYS
        return told

    return ask


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def pg(command: str, **more) -> dict:
    return {"protocol": "postgres", "command": command, **more}


def http(method: str, path: str, **more) -> dict:
    return {"protocol": "http", "method": method, "path": path, **more}


def k8s(method: str, path: str, **more) -> dict:
    return {"protocol": "kubernetes", "method": method, "path": path, **more}


JSON = [["Content-Type", "application/json"]]


@pytest.mark.parametrize(
    ("row", "verdict", "effect"),
    [
        (pg("SELECT 1"), "allow", "read"),
        (pg("SELECT 1", connection="shop", dialect=None, session_before=None), "allow", "read"),
        ({"protocol": "postgres", "command_b64": b64(b"DROP TABLE orders")}, "block", "destructive"),
        ({"protocol": "postgres", "command_b64": b64(b"SELECT '\xff'")}, "hold", "unknown"),
        (pg("EXECUTE p"), "hold", "unknown"),
        (pg("EXECUTE p", session_before=["PREPARE p AS SELECT 1"]), "allow", "read"),
        (pg("EXECUTE p", session_before=["PREPARE p AS DELETE FROM orders"]), "block", "destructive"),
        (
            {"protocol": "mysql", "command": "/*M! DROP TABLE a */", "dialect": "mariadb"},
            "block",
            "destructive",
        ),
        ({"protocol": "mysql", "command": "SELECT 1", "dialect": "mysql"}, "allow", "read"),
        ({"protocol": "ssh", "command": "uptime"}, "allow", "read"),
        ({"protocol": "ssh", "command": "rm -rf *", "session_before": ["cd /"]}, "block", "destructive"),
        ({"protocol": "ssh", "command_b64": b64(b"rm -rf /")}, "block", "destructive"),
        (http("GET", "/orders", query="status=paid", headers=[["Accept", "*/*"]]), "allow", "read"),
        (http("PUT", "/orders/7", headers=JSON, body='{"a": 1}'), "hold", "write"),
        (http("PUT", "/orders/7", headers=JSON, body_b64=b64(b'{"a": 1}')), "hold", "write"),
        (http("GET", "/", headers=None, query=None, body=None), "allow", "read"),
        ({"protocol": "http", "raw_b64": b64(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")}, "allow", "read"),
        ({"protocol": "http", "raw_b64": b64(b"GET")}, "hold", "unknown"),
        (k8s("GET", "/api/v1/namespaces/prod/pods"), "allow", "read"),
        (k8s("DELETE", "/api/v1/namespaces/prod/pods"), "block", "destructive"),
        (
            {"protocol": "kubernetes", "raw_b64": b64(b"GET /api/v1/pods HTTP/1.1\r\nHost: a\r\n\r\n")},
            "allow",
            "read",
        ),
        ({"protocol": "kubernetes", "raw_b64": b64(b"\0")}, "hold", "unknown"),
    ],
)
def test_every_form_of_a_row_is_judged(ask, row, verdict, effect) -> None:
    told = ask(row)
    assert told["verdict"] == verdict
    assert effect in told["effects"]
    assert told["complete"] == (effect != "unknown")
    assert told["rules"]
    assert bool(told["message"]) == (verdict != "allow")


def test_every_field_is_filled(ask) -> None:
    told = ask(pg("SELECT name, ssn AS n FROM customers"))
    assert told["masked"] == ["n", "name"]
    assert told["attributes"] == {"sql.statements": 1, "sql.verbs": "select"}
    assert told["effects"] == sorted(told["effects"])
    told = ask(http("GET", "/orders", headers=[["X-Forwarded-For", "10.0.0.1"], ["Connection", "close"]]))
    assert "x-forwarded-for" in [each.lower() for each in told["sanitised"]]
    assert "http.sanitised" not in told["attributes"]
    assert told["attributes"]["http.path"] == "/orders"


def test_without_a_connection_the_first_of_the_protocol_is_meant() -> None:
    text = SHIPPED.read_text()
    second = "  second:\n    protocol: postgres\n    listen: 127.0.0.1:15499\n    upstream: postgresql://127.0.0.1:5433/b\n    credential: {user: g}\n"
    explainer = Explainer(
        parse(text.replace("agents:\n", second + "agents:\n", 1), "p.yaml", known()), known()
    )
    ddl = {"id": 1, "protocol": "postgres", "command": "CREATE INDEX ON orders (status)"}
    for named, rules in (
        (None, ["writes-need-a-dba"]),
        ("shop", ["writes-need-a-dba"]),
        ("second", ["default"]),
    ):
        told = json.loads(explain_line(explainer, orjson.dumps(ddl | {"connection": named})))
        assert told["rules"] == rules


def test_a_protocol_without_a_connection_falls_to_the_default() -> None:
    text = "connections:\n  web: {protocol: ssh, listen: 127.0.0.1:1, upstream: 'ssh://127.0.0.1', credential: {user: a}}\n"
    text += "rules: [{name: all, when: {effects: [read]}, then: {allow: true}}]\ndefault: {block: Nothing else.}\n"
    explainer = Explainer(parse(text, "p.yaml", known()), known())
    told = json.loads(explain_line(explainer, b'{"id":1,"protocol":"mysql","command":"SELECT 1"}'))
    assert (told["verdict"], told["rules"], told["message"]) == ("block", ["default"], "Nothing else.")


@pytest.mark.parametrize(
    "row",
    [
        pg("SELECT 1", session_before="SELECT 1"),
        pg("SELECT 1", session_before=[5]),
        pg("SELECT 1", connection="none"),
        pg("SELECT 1", connection="billing"),
        pg("SELECT 1", agent=[]) | {"protocol": None},
        {"protocol": "POSTGRES", "command": "SELECT 1"},
        {"protocol": "postgres", "method": "GET", "path": "/"},
        {"protocol": "postgres", "command": ["SELECT 1"]},
        {"protocol": "postgres", "command_b64": "!"},
        {"protocol": "mysql", "command": "SELECT 1", "dialect": "oracle"},
        {"protocol": "mysql", "command": "SELECT 1", "dialect": 5},
        {"protocol": "http"},
        {"protocol": "http", "method": "GET"},
        {"protocol": "http", "method": 5, "path": "/"},
        http("GET", "/", headers=[["a"]]),
        http("GET", "/", headers=5),
        http("GET", "/", body=5),
        http("GET", "/", body_b64="!"),
        {"protocol": "http", "raw_b64": 5},
        {"protocol": "kubernetes", "raw_b64": "!"},
    ],
)
def test_a_row_that_says_nothing_to_judge_is_an_error_row(ask, row) -> None:
    told = ask(row)
    assert told["id"] == 1
    assert (told["verdict"], told["effects"], told["complete"], told["rules"]) == (
        "block",
        ["unknown"],
        False,
        [],
    )
    assert told["message"]
    assert "Traceback" not in told["message"]


@pytest.mark.parametrize(
    ("spelled", "identifier"),
    [
        ("7", 7),
        ("1.5", 1.5),
        ('"a"', "a"),
        ("null", None),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ('{"a":[1]}', {"a": [1]}),
        ('"\\ud800"', "\ud800"),
    ],
)
def test_an_id_comes_back_as_it_was(ask, spelled, identifier) -> None:
    assert ask(f'{{"id":{spelled},"protocol":"postgres","command":"SELECT 1"}}'.encode())["id"] == identifier


class Stdin:
    """Lines that exist only once they are asked for."""

    def __init__(self, lines) -> None:
        self._lines = iter(lines)
        self.given = 0

    @property
    def buffer(self) -> Stdin:
        return self

    def readline(self, _limit: int) -> bytes:
        self.given += 1
        return next(self._lines, b"")


class Stdout(io.BytesIO):
    def __init__(self, stdin: Stdin) -> None:
        super().__init__()
        self._stdin = stdin
        self.ahead: list[int] = []
        self.written = 0

    @property
    def buffer(self) -> Stdout:
        return self

    def write(self, data) -> int:
        self.written += 1
        self.ahead.append(self._stdin.given - self.written)
        return len(data)


def test_a_batch_is_answered_row_by_row(monkeypatch) -> None:
    rows = (b'{"id":%d,"protocol":"postgres","command":"SELECT %d"}\n' % (n, n) for n in range(3_000))
    stdin = Stdin(rows)
    stdout = Stdout(stdin)
    monkeypatch.setattr(sys, "stdin", stdin)
    monkeypatch.setattr(sys, "stdout", stdout)
    assert main(["explain", "--policy", str(SHIPPED), "--jsonl"]) == 0
    assert stdout.written == 3_000
    assert set(stdout.ahead) == {0}, "nothing is read ahead or held back"


def test_one_bad_line_stops_nothing(monkeypatch, batch) -> None:
    monkeypatch.setattr(explain, "ROW_BYTES", 1_000)
    lines = [
        b"\n",
        b"no json\n",
        b"\xff\xfe\n",
        b"[" * 999 + b"\n",
        b'{"id":"long","protocol":"postgres","command":"' + b"x" * 5_000 + b'"}\n',
        b'{"id":"good","protocol":"postgres","command":"SELECT 1"}',
    ]
    answers = batch(b"".join(lines))
    assert [each["verdict"] for each in answers] == ["block"] * 4 + ["allow"]
    assert answers[-1]["id"] == "good"


def test_no_secret_is_needed(monkeypatch, batch) -> None:
    for name in ("SHOP_PASSWORD", "RELEASE_PIPELINE_SECRET", "COUNTERSIGN_BOT_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    [answer] = batch(b'{"id":1,"protocol":"postgres","command":"SELECT 1"}')
    assert answer["verdict"] == "allow"
