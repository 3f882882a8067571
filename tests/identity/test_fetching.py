"""Asking an identity provider over real HTTP."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.identity import fetching
from gateway.identity.fetching import ANSWER_BYTES, Ask, Unavailable, fetch
from tests.certificates import Authority


async def secret(request):
    raise AssertionError("the redirect was followed")


@asynccontextmanager
async def answering(handler, context: ssl.SSLContext | None = None):
    application = web.Application()
    application.add_routes([web.route("*", "/x", handler), web.get("/secret", secret)])
    server = TestServer(application, scheme="https" if context else "http")
    await server.start_server(ssl=context)
    try:
        yield str(server.make_url("/x"))
    finally:
        await server.close()


async def refused(ask: Ask) -> str:
    with pytest.raises(Unavailable) as refusal:
        await fetch(ask)
    return str(refusal.value)


async def test_an_answer_is_the_object_it_holds():
    async def handler(request):
        form = dict(await request.post())
        return web.json_response({"form": form, "by": request.headers["Authorization"]})

    async with answering(handler) as url:
        answer = await fetch(Ask(url=url, form={"a": "b c"}, authorization="Basic x"))
    assert answer == {"form": {"a": "b c"}, "by": "Basic x"}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(status):
    async def handler(request):
        return web.Response(status=status, headers={"Location": "/secret"})

    async with answering(handler) as url:
        assert f"HTTP {status}" in await refused(Ask(url=url, refusals=True))


async def test_a_refusal_is_an_answer_where_it_was_meant_to_be():
    async def handler(request):
        return web.json_response({"error": "invalid_grant"}, status=400)

    async with answering(handler) as url:
        assert await fetch(Ask(url=url, refusals=True)) == {"error": "invalid_grant"}
        assert "HTTP 400" in await refused(Ask(url=url))


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"a":1,"a":2}', b'{"a":NaN}', b"\xff", b"null"])
async def test_what_is_no_object_with_one_reading_is_no_answer(body):
    async def handler(request):
        return web.Response(body=body)

    async with answering(handler) as url:
        assert "JSON" in await refused(Ask(url=url))


async def test_an_answer_without_end_is_none():
    async def handler(request):
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" " * 65_536)

    async with answering(handler) as url:
        assert f"{ANSWER_BYTES} bytes" in await refused(Ask(url=url))


async def test_who_does_not_answer_in_time_does_not_answer(monkeypatch):
    monkeypatch.setattr(fetching, "WITHIN", 0.05)
    ended = asyncio.Event()

    async def handler(request):
        await ended.wait()
        return web.Response()

    async with answering(handler) as url:
        assert "did not answer" in await refused(Ask(url=url))
        ended.set()


async def test_nobody_there_is_no_answer():
    async with answering(secret) as url:
        pass
    assert "cannot be asked" in await refused(Ask(url=url))


async def test_only_who_proves_the_name_is_believed(tmp_path):
    authority = Authority()
    certificate, key = authority.issue("127.0.0.1").write(tmp_path, "server")
    ca = tmp_path / "ca.pem"
    ca.write_bytes(authority.certificate)
    other = tmp_path / "other.pem"
    other.write_bytes(Authority().certificate)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    async def handler(request):
        return web.json_response({"a": 1})

    async with answering(handler, context) as url:
        assert await fetch(Ask(url=url, ca=str(ca))) == {"a": 1}
        for trusted in ("", str(other), str(tmp_path / "nothing.pem")):
            assert "cannot be asked" in await refused(Ask(url=url, ca=trusted))
        assert "cannot be asked" in await refused(Ask(url=url.replace("127.0.0.1", "localhost"), ca=str(ca)))
