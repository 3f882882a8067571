"""The wires that the conformance checks are run over."""

from __future__ import annotations

import os

from hypothesis import strategies as st

from gateway.protocols.kubernetes.speech import KUBERNETES
from gateway.protocols.postgres import messages
from gateway.wire import Login, Opening, Side, Wire
from tests.wires import mysql_playbook as my
from tests.wires import web
from tests.wires.conformance import Exchange, Subject
from tests.wires.echo import EchoWire
from tests.wires.playbook import (
    BOUND,
    COPIED,
    FLUSH,
    NO_DATA,
    PARSED,
    SYNC,
    bind,
    copy_response,
    describe,
    done,
    execute,
    parse,
    play,
    query,
    ready,
    row,
    row_description,
)
from tests.wires.pump import SESSION


def _echo() -> Wire:
    wire = EchoWire(Opening(random=os.urandom))
    wire.receive(Side.CLIENT, b"login alice token\n")
    wire.admit(SESSION, Login(user="gateway"))
    return wire


ECHO = Subject(
    name="echo",
    admitted=_echo,
    exchanges=[Exchange(client=f"line {n}\n".encode(), server=b"done\n") for n in range(3)],
    repeated=Exchange(client=b"again\n", server=b"done\n"),
    nonsense=dict.fromkeys(Side, st.binary(max_size=40).map(lambda data: data.replace(b"\n", b"") + b"\n")),
    refused=lambda said: said.endswith(b"no: Not through here.\n"),
)


def _framed(known: bytes) -> st.SearchStrategy[bytes]:
    """Messages with right lengths: tags mostly known, bodies of anything, or pieces that make sense elsewhere."""
    pieces = st.sampled_from(
        [b"", b"\0", b"S\0", b"P\0", b"I", b"s\0", b"select 1\0", b"\0\0\0\1", b"\xff\xff", b"\0\0\0\0\0\0"]
    )
    bodies = st.one_of(st.binary(max_size=30), st.lists(pieces, max_size=6).map(b"".join))
    tags = st.one_of(st.sampled_from([bytes((tag,)) for tag in known]), st.binary(min_size=1, max_size=1))
    return st.lists(st.tuples(tags, bodies), min_size=1, max_size=6).map(
        lambda frames: b"".join(messages.frame(tag, body) for tag, body in frames)
    )


POSTGRES = Subject(
    name="postgres",
    admitted=lambda: play().wire,
    exchanges=[
        Exchange(
            client=query("select 1"),
            server=row_description("n") + row("1") + row("2") + done("SELECT 2") + ready(),
        ),
        Exchange(
            client=parse("update t set n = $1") + bind(b"5") + describe("P") + execute() + SYNC,
            server=PARSED + BOUND + NO_DATA + done("UPDATE 3") + ready(),
        ),
        Exchange(client=query("begin"), server=done("BEGIN") + ready("T")),
        Exchange(
            client=parse("select n from t", "s")
            + describe("S", "s")
            + FLUSH
            + bind(statement="s")
            + execute()
            + SYNC,
            server=PARSED
            + messages.frame(b"t", b"\0\0")
            + row_description("n")
            + BOUND
            + row("1")
            + done("SELECT 1")
            + ready("T"),
        ),
        Exchange(
            client=query("copy t to stdout"),
            server=copy_response("H")
            + messages.frame(b"d", b"1\n") * 3
            + COPIED
            + done("COPY 3")
            + ready("T"),
        ),
        Exchange(
            client=query("select x"),
            server=messages.notice("hm") + messages.error("42703", "no x") + ready("E"),
        ),
        Exchange(client=query("rollback"), server=done("ROLLBACK") + ready()),
    ],
    prepare=[Exchange(client=parse("delete from t", "d") + SYNC, server=PARSED + ready())],
    repeated=Exchange(
        client=bind(statement="d") + execute() + SYNC, server=BOUND + done("DELETE 1") + ready()
    ),
    nonsense={Side.CLIENT: _framed(b"QPBEDCHSXdcfF"), Side.UPSTREAM: _framed(b"TDCIEZ123stnGHdcNAS")},
    refused=lambda said: b"MNot through here.\0" in said and said[-6:-1] == b"Z\0\0\0\5",
)


def _packed(known: bytes) -> st.SearchStrategy[bytes]:
    """Packets of right lengths: first bytes mostly known, bodies of anything, or pieces that make sense elsewhere."""
    pieces = st.sampled_from(
        [
            b"",
            b"\0",
            b"\1\0\0\0",
            b"\2\0",
            b"\xfe\0\0\2\0",
            b"\xfb",
            b"\xfc\1\0",
            b"select 1",
            b"\3def",
            b"#42000",
            my.column("n"),
        ]
    )
    bodies = st.one_of(st.binary(max_size=30), st.lists(pieces, max_size=6).map(b"".join))
    firsts = st.one_of(st.sampled_from([bytes((first,)) for first in known]), st.binary(max_size=1))
    return st.lists(st.tuples(firsts, bodies, st.integers(0, 3)), min_size=1, max_size=6).map(
        lambda packets: b"".join(my.frame(first + body, number) for first, body, number in packets)
    )


MYSQL = Subject(
    name="mysql",
    admitted=lambda: my.play().wire,
    exchanges=[
        Exchange(client=my.query("select n from t"), server=my.result(["n"], [my.row("1"), my.row(None)])),
        Exchange(client=my.prepare("update t set n = ?"), server=my.prepared(1, parameters=1)),
        Exchange(client=my.execute(1, [b"5"]), server=my.packed(my.ok(3))),
        Exchange(client=my.query("begin"), server=my.packed(my.ok(status=3))),
        Exchange(client=my.prepare("select n from t"), server=my.prepared(2, columns=["n"])),
        Exchange(client=my.execute(2), server=my.result(["n"], [my.binary_row(b"1"), my.binary_row(None)])),
        Exchange(
            client=my.long_data(b"much") + my.execute(1, [None], bound=False), server=my.packed(my.ok(1))
        ),
        Exchange(client=my.command(2, b"other"), server=my.packed(my.ok())),
        Exchange(client=my.command(4, b"t\0"), server=my.packed(my.column("n", default=b"\xfb"), my.eof())),
        Exchange(client=my.command(0x0E), server=my.packed(my.ok())),
        Exchange(client=my.command(0x09), server=my.packed(b"Uptime: 1")),
        Exchange(client=my.query("select x"), server=my.packed(my.err(1054, "42S22", "no x"))),
        Exchange(
            client=my.query("select 1; delete from t"),
            server=my.result(["n"], [my.row("1")], status=10) + my.packed(my.ok(2), first=6),
        ),
        Exchange(client=my.numbered(0x19, 2) + my.query("rollback"), server=my.packed(my.ok())),
    ],
    prepare=[Exchange(client=my.prepare("delete from t where n = ?"), server=my.prepared(9, parameters=1))],
    repeated=Exchange(client=my.execute(9, [b"5"]), server=my.packed(my.ok(1))),
    nonsense={
        Side.CLIENT: _packed(bytes(range(0x20)) + b"\xfa"),
        Side.UPSTREAM: _packed(b"\0\1\2\xfb\xfe\xff"),
    },
    refused=lambda said: b"\xff\x76\x04#42000Not through here." in said,
)


def _http() -> Wire:
    session = web.web()
    session.client(web.sent("OPTIONS *"))
    session.target(web.answer("204 No Content", body=b""))
    return session.wire


def _exchange(start: str, *headers: str, body: bytes = b"", server: bytes) -> Exchange:
    """What the client sends is what the target gets: whatever the gateway puts in is there already."""
    return Exchange(client=web.sent(start, *headers, body=body), server=server)


_LINES = st.sampled_from(
    [
        b"GET / HTTP/1.1", b"POST /x HTTP/1.1", b"HTTP/1.1 200 OK", b"HTTP/1.1 100 Continue", b"HTTP/1.0 204 No", b"Host: a",
        b"Content-Length: 3", b"Content-Length: 03", b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked",
        b"Connection: close", b" folded", b"", b"3", b"abc", b"0", b"0;x=1", b"Authorization: Bearer stored-credential",
        b"Expect: 100-continue", b"Upgrade: websocket",
    ]
)  # fmt: skip
"""Of requests and answers, in no order that makes sense."""
_MESSAGES = st.lists(st.one_of(_LINES, st.binary(max_size=20)), min_size=1, max_size=9).map(
    lambda lines: b"\r\n".join(lines) + b"\r\n\r\n"
)

HTTP = Subject(
    name="http",
    admitted=_http,
    exchanges=[
        _exchange("GET /orders?status=paid", "Accept: application/json", server=web.answer()),
        _exchange(
            "POST /orders",
            "Content-Type: application/json",
            body=b'{"item": 7}',
            server=web.answer("201 Created", "Location: /orders/7", body=b"{}"),
        ),
        _exchange(
            "GET /stream",
            server=b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"1\r\nm\r\n0\r\n\r\n",  # one byte cannot be cut into other pieces than these
        ),
        _exchange("HEAD /orders", server=web.answer(body=b"")),
        _exchange("DELETE /orders/7", server=b"HTTP/1.1 204 No Content\r\n\r\n"),
        _exchange("GET /none", server=web.answer("404 Not Found")),
    ],
    repeated=_exchange("DELETE /orders/7", server=web.answer()),
    nonsense=dict.fromkeys(Side, _MESSAGES),
    refused=lambda said: said.count(b"HTTP/1.1 403 ") == 1 and b'"message": "Not through here."' in said,
)

_POD = b'{"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "web"}}'
_PODS = "/api/v1/namespaces/shop/pods"
_JSON = "Content-Type: application/json"


def _kubernetes() -> Wire:
    session = web.web(speech=KUBERNETES)
    session.client(web.sent("GET /version"))
    session.target(web.answer("200 OK", _JSON, body=b"{}"))
    return session.wire


KUBERNETES_API = Subject(
    name="kubernetes",
    admitted=_kubernetes,
    exchanges=[
        _exchange(f"GET {_PODS}/web", server=web.answer("200 OK", _JSON, body=_POD)),
        _exchange(
            f"GET {_PODS}?watch=true",
            server=b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"1\r\n7\r\n0\r\n\r\n",  # one byte cannot be cut into other pieces than these
        ),
        _exchange(f"POST {_PODS}", _JSON, body=_POD, server=web.answer("201 Created", _JSON, body=_POD)),
        _exchange(f"GET {_PODS}/web/log?follow=true", server=web.answer()),
        _exchange("GET /apis", server=web.answer("200 OK", _JSON, body=b"{}")),
        _exchange(f"GET {_PODS}/none", server=web.answer("404 Not Found", _JSON, body=b"{}")),
    ],
    repeated=_exchange(f"DELETE {_PODS}/web", server=web.answer("200 OK", _JSON, body=b"{}")),
    nonsense=dict.fromkeys(Side, _MESSAGES),
    refused=lambda said: (
        said.count(b"HTTP/1.1 403 ") == 1
        and b'"kind": "Status"' in said
        and b'"message": "Not through here."' in said
    ),
)

SUBJECTS = [ECHO, POSTGRES, MYSQL, HTTP, KUBERNETES_API]
