"""One normal form or none: what is refused, which headers are not passed on, and how long the largest request takes."""

from __future__ import annotations

import base64
import gzip
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.facts.http import RequestUnclear, request_of
from gateway.model import Effect
from gateway.protocols.http.module import read_facts
from gateway.protocols.kubernetes.module import read_facts as read_kubernetes

JSON = ["Content-Type", "application/json"]


def raw(text):
    return request_of({"raw_b64": base64.b64encode(text.encode("latin-1")).decode()})


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("/", "/"),
        ("/orders/7", "/orders/7"),
        ("/%6frders/%7E7", "/orders/~7"),
        ("/caf%C3%A9", "/café"),
        ("/cafe%CC%81", "/cafe\u0301"),
        ("/%E6%97%A5%E6%9C%AC", "/日本"),
        ("/a%20b", "/a b"),
        ("/100%25", "/100%"),
        ("/orders/", "/orders/"),
    ],
)
def test_a_path_has_one_normal_form(written, normal):
    assert request_of({"method": "GET", "path": written}).path == normal


@pytest.mark.parametrize(
    "row",
    [
        {"method": "POST", "path": "/a?b=1&b=2&c=true", "headers": [JSON], "body": '{"d": 7}'},
        {"method": "POST", "path": "/a", "query": {"b": [1, 2], "c": True}, "body": {"d": 7}},
        {"method": "POST", "path": "/a?b=1", "query": [["b", "2"], ["c", "true"]], "body": {"d": 7}},
        {"method": "POST", "path": "/a?b=1", "query": "?b=2&c=true", "headers": {"Content-Type": "application/json"}, "body_b64": base64.b64encode(b'{"d": 7}').decode()},
        {"command": 'POST /a?b=1&b=2&c=true {"d": 7}'},
        {"command": 'POST /a?b=1&b=2&c=true\nContent-Type: application/json\n\n{"d": 7}'},
    ],
)  # fmt: skip
def test_a_request_may_be_written_in_many_ways(row):
    request = request_of(row)
    assert request.path == "/a"
    assert request.query == (("b", "1"), ("b", "2"), ("c", "true"))
    assert request.header("content-type") == "application/json"
    assert request.body == b'{"d": 7}'


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"method": "GET"},
        {"raw_b64": "!"},
        {"method": "GET", "path": "/", "query": 7},
        {"method": "GET", "path": "/", "body": 7},
        {"command": "GET"},
    ],
)
def test_a_row_without_a_request_is_an_error(row):
    with pytest.raises(ValueError):
        request_of(row)


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("/a/../b", "dot segments"),
        ("/a/%2e%2e/b", "dot segments"),
        ("/a//b", "empty segment"),
        ("/a%2fb", "hides a separator"),
        ("/a%5cb", "hides a separator"),
        ("/a%00", "control character"),
        ("/a;b=c", "semicolon"),
        ("/%252e", "escaped twice"),
        ("/%25%32%65", "escaped twice"),
        ("/%c0%ae", "not UTF-8"),
        ("/%EF%BC%8F", "take for others"),
        ("/%E2%88%95", "take for others"),
        ("/%EF%BD%81dmin", "take for others"),
        ("/%E2%80%8B", "not shown"),
        ("/a%zz", "escapes nothing"),
        ("/a b", "have to be escaped"),
        ("http://elsewhere/a", "absolute"),
        ("elsewhere:443", "authority form"),
        ("/a?b=%zz", "escapes nothing"),
        ("/a?b=1;c=2", "semicolon"),
        ("/a?b#c", "fragment"),
    ],
)
def test_what_servers_read_differently_has_none(target, why):
    with pytest.raises(RequestUnclear, match=why):
        request_of({"method": "GET", "path": target})


@pytest.mark.parametrize(
    ("headers", "dropped"),
    [
        ([["Accept", "*/*"], ["X-Request-Id", "7"], ["Content-Type", "text/plain"]], []),
        ([["Authorization", "Bearer x"], ["Cookie", "a=b"]], ["authorization", "cookie"]),
        ([["X-Api-Key", "x"], ["Private-Token", "x"]], ["x-api-key", "private-token"]),
        ([["Proxy-Authorization", "x"], ["Proxy-Connection", "close"]], ["proxy-authorization", "proxy-connection"]),
        ([["Connection", "close, X-Trace"], ["X-Trace", "1"]], ["connection", "x-trace"]),
        ([["Keep-Alive", "timeout=5"], ["Upgrade", "h2c"]], ["keep-alive", "upgrade"]),
        ([["TE", "trailers"]], []),
        ([["TE", "gzip"]], ["te"]),
        ([["X-Forwarded-For", "::1"], ["Forwarded", "for=x"], ["X-Real-IP", "::1"]], ["x-forwarded-for", "forwarded", "x-real-ip"]),
        ([["X_Forwarded_For", "::1"]], ["x_forwarded_for"]),
        ([["X-Remote-User", "amy"], ["Impersonate-User", "amy"]], ["x-remote-user", "impersonate-user"]),
        ([["X-CSRF-Token", "x"], ["Idempotency-Key", "x"]], []),
        ([["X-Gitlab-Token", "x"], ["DD-APPLICATION-KEY", "x"], ["X-Hasura-Admin-Secret", "x"]], ["x-gitlab-token", "dd-application-key", "x-hasura-admin-secret"]),
        ([["X-N8N-API-KEY", "x"], ["DPoP", "x"], ["X-Host", "x"]], ["x-n8n-api-key", "dpop", "x-host"]),
        ([["X-Next-Page-Token", "x"], ["Surrogate-Key", "x"], ["Mcp-Session-Id", "x"], ["Max-Tokens", "7"]], []),
    ],
)  # fmt: skip
def test_headers_of_this_hop_and_of_who_asks_are_not_passed_on(headers, dropped):
    assert list(request_of({"method": "GET", "path": "/", "headers": headers}).sanitised) == dropped


HEAD = "POST /orders/search HTTP/1.1\r\nHost: a\r\n"


@pytest.mark.parametrize(
    ("text", "body"),
    [
        (HEAD + "Content-Length: 2\r\n\r\n{}", b"{}"),
        (HEAD + "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", b"{}"),
        (HEAD + "transfer-encoding: Chunked\r\n\r\n0\r\n\r\n", b""),
        ("GET / HTTP/1.0\r\n\r\n", b""),
    ],
)
def test_bytes_that_all_read_alike_are_read(text, body):
    assert raw(text).body == body


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        *(HEAD + f"Content-Length: {each}\r\n\r\n{{}}" for each in ["+2", "02", "0x2", "2,2", "-2", "", "2 2", "3"]),
        *(HEAD + f"Transfer-Encoding: {each}\r\n\r\n0\r\n\r\n" for each in ["gzip", "chunked, chunked", "xchunked", "\x0bchunked"]),
        *(HEAD + f"Transfer-Encoding: chunked\r\n\r\n{each}" for each in ["1;a\r\nx\r\n0\r\n\r\n", "1\nx\r\n0\r\n\r\n", "+1\r\nx\r\n0\r\n\r\n", "1\r\nxx\r\n0\r\n\r\n", "0\r\nA: b\r\n\r\n", "0\r\n", "0\r\n\r\nGET / HTTP/1.1\r\n\r\n"]),
        HEAD + "Host: b\r\n\r\n",
        HEAD + "A: b\r\n c\r\n\r\n",
        HEAD + "A : b\r\n\r\n",
        HEAD + "A: b\0\r\n\r\n",
        HEAD + "A: b\rc\r\n\r\n",
        HEAD + "A: b\n\r\n",
        HEAD,
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET /\r\n\r\n",
        "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)  # fmt: skip
def test_bytes_that_servers_read_differently_are_refused(text):
    with pytest.raises(RequestUnclear):
        raw(text)


def coded(data):
    return base64.b64encode(data).decode()


LARGE = {
    "10 MB": {"body": '{"a": "' + "x" * 10_000_000 + '"}'},
    "deep": {"body": "[" * 400_000 + "]" * 400_000},
    "many objects": {"body": "[" + ",".join(['{"a":1}'] * 100_000) + "]"},
    "gzip bomb": {"headers": [["Content-Encoding", "gzip"]], "body_b64": coded(gzip.compress(bytes(100_000_000)))},
    "headers": {"headers": [[f"X-{number}", "a"] for number in range(100_000)]},
    "long path": {"path": "/a" * 1_000_000},
    "parameters": {"path": "/?" + "a=b&" * 100_000},
    "header lines": {"raw_b64": coded(b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 1_500_000 + b"\r\n")},
    "chunks": {"raw_b64": coded(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 300_000)},
    "GraphQL": {"path": "/graphql", "body": json.dumps({"query": "{a" * 20_000})},
    "GraphQL batch": {"path": "/graphql", "body": json.dumps([{"query": "{a}"}] * 20_000)},
    "batch of calls": {"path": "/rpc", "body": json.dumps([{"jsonrpc": "2.0", "method": "ping"}] * 20_000)},
    "statements": {"path": "/query", "body": json.dumps(["SELECT id FROM orders"] * 40_000)},
    "envelopes": {"path": "/soap", "headers": [["Content-Type", "text/xml"]], "body": "<Body <!-- <methodName " * 40_000},
    "calls": {"path": "/soap", "headers": [["Content-Type", "text/xml"]], "body": "<methodName>deleteAll</methodName>" * 30_000},
    "parts": {"headers": [["Content-Type", "multipart/form-data; boundary=x"]], "body": "--x;name=a" * 90_000},
    "brackets": {"headers": [["Content-Type", "application/x-www-form-urlencoded"]], "body": "a" + "[b]" * 20_000 + "=c"},
    "JSON patch": {"method": "PATCH", "body": json.dumps([{"op": "add", "path": "/a/b", "value": {}}] * 15_000)},
    "YAML": {"method": "PATCH", "headers": [["Content-Type", "application/apply-patch+yaml"]], "body": "[" * 60_000},
    "YAML aliases": {"method": "PATCH", "headers": [["Content-Type", "application/apply-patch+yaml"]], "body": "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))},
    "exec": {"path": "/api/v1/namespaces/p/pods/x/exec?" + "command=%24%28&" * 900},
}  # fmt: skip


@pytest.mark.parametrize("read", [read_facts, read_kubernetes], ids=["http", "kubernetes"])
@pytest.mark.parametrize("name", LARGE)
def test_the_largest_requests_are_answered_in_time(read, name):
    row = {"method": "POST", "path": "/apis/apps/v1/namespaces/p/deployments/web"} | LARGE[name]
    row["headers"] = row.get("headers") or [JSON]
    started = time.process_time()
    facts = read(row)
    assert time.process_time() - started < 20
    assert facts.effects - {Effect.READ, Effect.SESSION}


TEXTS = st.one_of(
    st.text(max_size=30),
    st.text(alphabet="/%2e.;?&=#:\\ aZ0{}[]\"'-_~\r\n\0é", max_size=40),
    st.sampled_from(["/graphql", "/mcp", "/_bulk", "/orders/7", "query", "_method", "application/json", "DELETE", "{}", "[]", '{"query": 1}', '{"jsonrpc": "2.0", "method": "tools/call", "params": []}', '[{"delete": []}]']),
)  # fmt: skip
JSON_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=10)),
    lambda each: st.one_of(
        st.lists(each, max_size=4),
        st.dictionaries(
            st.sampled_from(["query", "jsonrpc", "method", "params", "name", "arguments", "spec", "metadata", "_method", "docs", "operationName"]),
            each,
            max_size=4,
        ),
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get", "BREW", ""]),
    st.one_of(TEXTS, TEXTS.map(lambda text: "/" + text)),
    st.lists(st.tuples(TEXTS, TEXTS), max_size=4),
    st.lists(st.tuples(st.sampled_from(["Content-Type", "X-HTTP-Method", "Host", "X-Amz-Target", "SOAPAction", "a"]), TEXTS), max_size=3),
    st.one_of(TEXTS, JSON_VALUES.map(json.dumps)),
    st.booleans(),
)  # fmt: skip
def test_arbitrary_requests_never_raise(method, path, query, headers, body, of_json):
    row = {"method": method, "path": path, "query": query, "body": body}
    row["headers"] = [*headers, *([("Content-Type", "application/json")] if of_json else [])]
    for read in (read_facts, read_kubernetes):
        facts = read(row)
        assert facts.effects
        assert facts.complete == (Effect.UNKNOWN not in facts.effects)


@settings(max_examples=500, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=80),
        st.builds(
            lambda first, lines, body: "\r\n".join([first, *lines, "", body]).encode("latin-1"),
            st.sampled_from(["GET / HTTP/1.1", "POST /a?b HTTP/1.0", "GET  / HTTP/1.1", "get /a HTTP/1.1"]),
            st.lists(st.sampled_from(["Host: a", "Content-Length: 3", "Transfer-Encoding: chunked", "A:", ": b", " c", "Connection: host", "\t"]), max_size=4),
            st.sampled_from(["", "abc", "0\r\n\r\n", "3\r\nabc\r\n0\r\n\r\n", "3\r\nabc\r\n0\r\n"]),
        ),
    )
)  # fmt: skip
def test_arbitrary_bytes_never_raise(data):
    assert read_facts({"raw_b64": coded(data)}).effects
