"""A real service, on aiohttp in a thread of its own, that remembers what reached it."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import hashlib
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

import brotli
import zstandard
from aiohttp import web

PEOPLE = (
    '[{"id": 1,  "name": "Jane Doe", "email": "jane@example.com", "ssn": "078-05-1120", "balance": 1.50},\n'
    ' {"id": 2,  "name": "John Roe", "email": "john\\u0040example.com", "ssn": "219-09-9999", "balance": 2e3}]\n'
)
MASKED_PEOPLE = (
    '[{"id": 1,  "name": "Jane Doe", "email": "****@example.com", "ssn": "[redacted]", "balance": 1.50},\n'
    ' {"id": 2,  "name": "John Roe", "email": "****@example.com", "ssn": "[redacted]", "balance": 2e3}]\n'
)
CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
}
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
LINES = 40_000


@dataclass
class Service:
    """What reached it, in order."""

    port: int = 0
    seen: list[tuple[str, str, bytes]] = field(default_factory=list)
    """Method, target and body."""
    headers: list[dict[str, str]] = field(default_factory=list)
    peers: set[tuple[str, int]] = field(default_factory=set)
    """The connections that they came by."""
    gate: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    """What streams by events waits here before each but the first."""
    left: threading.Event = field(default_factory=threading.Event)
    """The client of a stream has gone."""

    def of(self, path: str) -> list[tuple[str, str, bytes]]:
        """What reached it for a target that ends so."""
        return [each for each in self.seen if each[1].endswith(path)]

    def app(self) -> web.Application:
        app = web.Application(client_max_size=64 * 1024 * 1024, middlewares=[self._remember])
        app.router.add_get("/customers", _people)
        app.router.add_get("/packed/{coding}", _packed)
        app.router.add_route("*", "/echo", _echo)
        app.router.add_get("/events", self._events)
        app.router.add_get("/export.csv", _table)
        app.router.add_get("/feed.xml", _feed)
        app.router.add_get("/broken", _broken)
        app.router.add_get("/picture.png", _picture)
        app.router.add_get("/lines", _lines)
        app.router.add_get("/moved", _moved)
        app.router.add_get("/cut", _cut)
        app.router.add_route("*", "/{rest:.*}", _done)
        return app

    @web.middleware
    async def _remember(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        body = await request.read()
        self.seen.append((request.method, request.raw_path, body))
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        assert request.transport is not None
        self.peers.add(request.transport.get_extra_info("peername"))
        return await handler(request)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        try:
            for number in range(1, 4):
                if number > 1 and not await asyncio.to_thread(self.gate.acquire, timeout=60):
                    break
                await answer.write(f'id: {number}\ndata: {{"mail": "jane{number}@example.com"}}\n\n'.encode())
        except ConnectionResetError:
            self.left.set()
        return answer


async def _people(request: web.Request) -> web.Response:
    return web.Response(text=PEOPLE, content_type="application/json", headers={"ETag": '"v1"'})


async def _packed(request: web.Request) -> web.Response:
    coding = request.match_info["coding"]
    return web.Response(
        body=CODINGS[coding](PEOPLE.encode()),
        headers={"Content-Type": "application/json", "Content-Encoding": coding},
    )


async def _echo(request: web.Request) -> web.Response:
    """As httpbin does."""
    told = {"headers": dict(request.headers), "args": dict(request.query), "data": await request.text()}
    return web.json_response(told, headers={"X-Echo": request.headers.get("Authorization", "")})


async def _table(request: web.Request) -> web.Response:
    return web.Response(text="name,ssn\nJane,078-05-1120\n", content_type="text/csv")


async def _feed(request: web.Request) -> web.Response:
    return web.Response(text="<people><ssn>078-05-1120</ssn></people>", content_type="application/xml")


async def _broken(request: web.Request) -> web.Response:
    return web.Response(text='{"ssn": "078-05-1120"', content_type="application/json")


async def _picture(request: web.Request) -> web.Response:
    return web.Response(body=PICTURE, content_type="image/png")


async def _lines(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await answer.prepare(request)
    for start in range(0, LINES, 1_000):
        await answer.write(
            b"".join(b'{"n": %d, "mail": "x@example.com"}\n' % n for n in range(start, start + 1_000))
        )
    return answer


async def _moved(request: web.Request) -> web.Response:
    host = request.headers["Host"]
    where = {"away": "http://elsewhere.example/x", "home": f"http://{host}/customers"}[request.query["to"]]
    return web.Response(status=302, headers={"Location": where, "Set-Cookie": "sid=3f7a9c1e5b2d8f6a; Path=/"})


async def _cut(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"Content-Type": "text/plain", "Content-Length": "1000"})
    await answer.prepare(request)
    await answer.write(b"half of it\n")
    assert request.transport is not None
    request.transport.close()
    return answer


async def _done(request: web.Request) -> web.Response:
    body = await request.read()
    return web.json_response(
        {"done": request.method, "bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}, status=201
    )


@contextlib.contextmanager
def service() -> Iterator[Service]:
    made = Service()
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(made.app(), shutdown_timeout=0.1)

    async def begin() -> None:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        made.port = runner.addresses[0][1]

    loop.run_until_complete(begin())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield made
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
