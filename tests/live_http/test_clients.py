"""Python's clients through the gateway: only their base URL and their credential change."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import urllib.error
import urllib.request

import aiohttp
import httpx2
import pytest
import requests

from tests.live_http.house import HttpGateway
from tests.live_http.service import MASKED_PEOPLE, Service


def _requests(base: str, token: str) -> tuple[list[str], int]:
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {token}"
        texts = [session.get(f"{base}/packed/gzip").text, session.get(f"{base}/customers").text]
        return texts, session.delete(f"{base}/orders").status_code


def _httpx(base: str, token: str) -> tuple[list[str], int]:
    with httpx2.Client(base_url=base, auth=("agent", token), trust_env=False) as client:
        texts = [client.get("/packed/gzip").text, client.get("/customers").text]
        return texts, client.delete("/orders").status_code


def _aiohttp(base: str, token: str) -> tuple[list[str], int]:
    async def run() -> tuple[list[str], int]:
        headers = {"Authorization": f"Bearer {token}"}
        async with aiohttp.ClientSession(base, headers=headers) as session:
            texts = []
            for path in ("/packed/br", "/customers"):
                async with session.get(path) as answer:
                    texts.append(await answer.text())
            async with session.delete("/orders") as answer:
                return texts, answer.status

    return asyncio.run(run())


def _urllib(base: str, token: str) -> tuple[list[str], int]:
    texts = []
    for path in ("/packed/gzip", "/customers"):
        request = urllib.request.Request(f"{base}{path}", headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request) as answer:
            texts.append(answer.read().decode())
    request = urllib.request.Request(
        f"{base}/orders", headers={"Authorization": f"Bearer {token}"}, method="DELETE"
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    refused.value.close()
    return texts, refused.value.code


@pytest.mark.parametrize("client", [_requests, _httpx, _aiohttp, _urllib])
def test_a_client_reads_and_is_told_no(gateway: HttpGateway, shop: Service, client: object) -> None:
    assert callable(client)
    texts, refused = client(gateway.base(), gateway.token())
    assert texts == [MASKED_PEOPLE, MASKED_PEOPLE]
    assert refused == 403
    assert not [each for each in shop.seen if each[0] == "DELETE"]


def test_one_connection_serves_many_requests(gateway: HttpGateway, shop: Service) -> None:
    before = len(shop.peers)
    connection = http.client.HTTPConnection("127.0.0.1", gateway.ports["echo-api"])
    headers = {"Authorization": f"Bearer {gateway.token()}"}
    try:
        for number in range(20):
            connection.request("POST", f"/kept/{number}", body=json.dumps({"n": number}), headers=headers)
            answer = connection.getresponse()
            assert answer.status == 201
            assert json.loads(answer.read())["done"] == "POST"
    finally:
        connection.close()
    assert len(shop.peers) == before + 1


def test_another_credential_ends_the_connection(gateway: HttpGateway, shop: Service) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.ports["echo-api"])
    try:
        connection.request("GET", "/first", headers={"Authorization": f"Bearer {gateway.token()}"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 201
        connection.request("GET", "/second", headers={"Authorization": f"Bearer {gateway.token()}"})
        answer = connection.getresponse()
        assert answer.status == 401
        assert answer.getheader("Connection") == "close"
        answer.read()
    finally:
        connection.close()
    assert not shop.of("/second")


def test_a_refused_request_leaves_the_connection_for_the_next(gateway: HttpGateway) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.ports["shop-api"])
    headers = {"Authorization": f"Bearer {gateway.token()}"}
    try:
        connection.connect()
        kept = connection.sock
        for method, path, status in (
            ("DELETE", "/orders", 403),
            ("GET", "/customers", 200),
            ("DELETE", "/orders", 403),
        ):
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            assert answer.status == status
            answer.read()
            assert connection.sock is kept
    finally:
        connection.close()


def test_a_revoked_token_ends_its_connections(gateway: HttpGateway, shop: Service) -> None:
    token = gateway.token()
    head = f"GET /before HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", gateway.ports["echo-api"]), timeout=30) as client:
        client.sendall(head)
        assert client.recv(65_536).startswith(b"HTTP/1.1 201 ")
        gateway.revoke(token)
        heard = b""
        while part := client.recv(65_536):
            heard += part
        assert b"HTTP/1.1 2" not in heard
    assert gateway.curl("/revoked", connection="echo-api", token=token).status == 401
    assert not shop.of("/revoked")


def test_a_child_may_do_no_more_than_its_scope(gateway: HttpGateway, shop: Service) -> None:
    child = gateway.child(gateway.token(), "reader", "echo-api:read")
    assert gateway.curl("/customers", connection="echo-api", token=child).status == 200
    got = gateway.curl("/orders/child", "--json", "{}", connection="echo-api", token=child)
    assert got.status == 403
    assert not shop.of("/orders/child")
