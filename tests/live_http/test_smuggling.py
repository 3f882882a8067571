"""Requests that two servers could read in two ways, over a real socket: a real service gets nothing of them."""

from __future__ import annotations

import socket

import pytest

from tests.live_http.house import HttpGateway
from tests.live_http.service import Service
from tests.wires.test_http_refused import CHUNKS, SMUGGLING


@pytest.fixture(scope="module")
def token(gateway: HttpGateway) -> str:
    return gateway.token()


def said(gateway: HttpGateway, data: bytes) -> bytes:
    """All that the gateway says to these bytes, until it hangs up."""
    with socket.create_connection(("127.0.0.1", gateway.ports["echo-api"]), timeout=30) as client:
        client.sendall(data)
        parts = []
        try:
            while part := client.recv(65_536):
                parts.append(part)
        except ConnectionResetError:
            pass  # it did not read what stood behind
        return b"".join(parts)


@pytest.mark.parametrize("raw", SMUGGLING.values(), ids=SMUGGLING)
def test_no_request_passes_that_could_be_read_in_two_ways(
    gateway: HttpGateway, shop: Service, token: str, raw: str
) -> None:
    before = len(shop.seen)
    behind = f"GET /behind HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n"
    heard = said(gateway, raw.replace("Bearer token", f"Bearer {token}").encode("latin-1") + behind.encode())
    assert heard.startswith(b"HTTP/1.1 400 ") or not heard
    assert heard.count(b"HTTP/1.1 ") <= 1
    assert len(shop.seen) == before


@pytest.mark.parametrize("chunks", CHUNKS.values(), ids=CHUNKS)
def test_no_chunk_passes_that_could_be_read_in_two_ways(
    gateway: HttpGateway, shop: Service, token: str, chunks: str
) -> None:
    head = f"POST /chunked HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nTransfer-Encoding: chunked\r\n\r\n"
    heard = said(gateway, head.encode() + chunks.encode())
    assert heard.startswith(b"HTTP/1.1 400 ") or not heard
    assert not shop.of("/chunked")


@pytest.mark.parametrize(
    "path",
    [
        "/public/../orders",
        "/public/%2e%2e/orders",
        "/public//orders",
        "/a;x=y/orders",
        "/a%2forders",
        "/a\\orders",
    ],
)
def test_a_path_that_two_servers_resolve_differently_is_never_a_read(
    gateway: HttpGateway, shop: Service, path: str
) -> None:
    before = len(shop.seen)
    with gateway.api.deciding("deny", containing=path) as seen:
        got = gateway.curl(path, "--path-as-is")
    assert got.status == 403
    assert "unknown" in seen[0]["command"]["effects"]
    assert len(shop.seen) == before


def test_no_connection_goes_on_in_another_protocol(gateway: HttpGateway, shop: Service) -> None:
    got = gateway.curl(
        "/socket",
        *("-H", "Connection: Upgrade", "-H", "Upgrade: websocket", "-H", "Sec-WebSocket-Version: 13"),
        *("-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
        connection="echo-api",
    )
    assert got.status == 403
    assert not shop.of("/socket")
