"""Other parsers as judges: what has one normal form is read by them as here, and by none as two requests."""

from __future__ import annotations

import asyncio
import base64
import random
from collections.abc import Iterator

import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpRequestParser, HttpRequestParserPy

from gateway.facts.http import RequestUnclear, request_of
from gateway.protocols.http.module import read_facts

METHODS = ("GET", "POST", "HEAD", "PUT", "OPTIONS", "M-SEARCH", "get", "DELETE")
TARGETS = ("/", "/a", "/a?b=c", "*", "/a%20b", "/a|b", "/a\\b", "/a#b", "http://a/b", "//a", "/a?b=\xe9", "/a?b=<>", "/\xe9", "/a?b={x}", "/a?b=a b")  # fmt: skip
VERSIONS = ("HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", " HTTP/1.1", "HTTP/01.1", "HTTP/2.0")
HEADERS = (
    "Content-Length: 5", "content-length:5", "Content-Length:  5 ", "Content-Length: 05", "Content-Length: +5", "Content-Length: 5, 5",
    "Content-Length:\x0b5", "Content-Length: 0", "Transfer-Encoding: chunked", "transfer-encoding: Chunked", "Transfer-Encoding:chunked ",
    "Transfer-Encoding: identity", "Transfer-Encoding: chunked;q=1", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding : chunked",
    "TE: trailers", "Connection: close", "Connection: keep-alive, TE", "Expect: 100-continue", "X: a", "X:", "X: \t b", "X: a\x80b",
    "X: a\x7fb", "X-\xe9: 1", " X: a", "Trailer: X", "Upgrade: h2c", "Host: b", "Host: a", "Host: a", "Host: a",
)  # fmt: skip
CHUNK = "5\r\nhello\r\n0\r\n\r\n"
BODIES = (
    "", "", "hello", CHUNK, "0\r\n\r\n", CHUNK.replace("5", "5;x=y"), CHUNK.replace("5", "05"), CHUNK.replace("5", "0x5"), CHUNK.replace("5\r", "5 \r"),
    CHUNK.replace("\r\n", "\n"), CHUNK.replace("0\r\n", "0\r\nA: b\r\n"), CHUNK.replace("hello", "helloX"), "GET /x HTTP/1.1\r\nHost: a\r\n\r\n",
)  # fmt: skip
STRAY = "\r\n\0\t \x0b\x85\xa0:;,/%"


def requests(seed: int, count: int) -> Iterator[bytes]:
    draw = random.Random(seed)
    for _ in range(count):
        headers = ["Host: a"] * (draw.random() < 0.9) + draw.sample(HEADERS, draw.randint(0, 2))
        draw.shuffle(headers)
        line = f"{draw.choice(METHODS)} {draw.choice(TARGETS)} {draw.choice(VERSIONS)}\r\n"
        text = line + "".join(f"{header}\r\n" for header in headers) + "\r\n" + draw.choice(BODIES)
        if draw.random() < 0.2:
            at = draw.randrange(len(text))
            text = text[:at] + draw.choice(STRAY) + text[at + draw.choice((0, 1)) :]
        yield text.encode("latin-1")


async def parsed(parser, data):
    """What a parser makes of bytes: each request and what is left, or None where it refuses."""
    loop = asyncio.get_running_loop()
    try:
        found, _, left = parser(BaseProtocol(loop), loop, 65_536).feed_data(data)
        bodies = [b"" if not hasattr(body, "_buffer") else b"".join(body._buffer) for _, body in found]
        whole = all(getattr(body, "_eof", True) for _, body in found)
    except HttpProcessingError:
        return None
    return (
        [(each.method, each.path, body) for (each, _), body in zip(found, bodies, strict=True)],
        left,
        whole,
    )


@pytest.mark.parametrize("parser", [HttpRequestParser, HttpRequestParserPy], ids=["llhttp", "python"])
async def test_what_has_one_normal_form_is_read_so_by_others(parser):
    clear = 0
    for data in requests(7, 30_000):
        row = {"raw_b64": base64.b64encode(data).decode()}
        try:
            request = request_of(row)
        except RequestUnclear:
            continue
        if not read_facts(row).complete:
            continue
        clear += 1
        assert await parsed(parser, data) == ([(request.method, request.target, request.body)], b"", True), (
            data
        )
    assert clear > 300
