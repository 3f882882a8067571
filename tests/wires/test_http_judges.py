"""Other parsers as judges: what is sent to a target they all read as the requests that were asked about, and nothing more."""

from __future__ import annotations

import pytest
from aiohttp.http_parser import HttpRequestParser, HttpRequestParserPy

from gateway.wire import Side
from tests.facts.test_http_framing import parsed, requests
from tests.wires.web import answer, web


@pytest.mark.parametrize("parser", [HttpRequestParser, HttpRequestParserPy], ids=["llhttp", "python"])
async def test_what_is_sent_is_read_as_what_was_asked(parser):
    passed = 0
    for data in requests(11, 15_000):
        session = web()
        session.client(data.replace(b"\r\n", b"\r\nAuthorization: Bearer token\r\n", 1))
        sent = session.sent()
        if not session.asked:
            assert not sent
            continue
        asked = session.asked[0].text.partition("\n")[0].split(" ")
        asked[0] = asked[0].upper()  # they take no notice of case
        found = await parsed(parser, sent)
        if found is None:  # some refuse what people were told is unknown
            assert not session.asked[0].facts.complete, sent
            continue
        passed += 1
        [(method, target, body)], left, whole = found
        assert ([method.upper(), target], left, whole) == (asked, b"", True), sent
        assert sent.endswith(b"\r\n\r\n" + body)
        # Nothing of what came behind it goes on before the answer is there.
        session.told(session.wire.receive(Side.UPSTREAM, answer("204 No Content", body=b"")))
        assert len(session.asked) <= 2
    assert passed > 1_000
