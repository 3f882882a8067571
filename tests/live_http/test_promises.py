"""The promises of the gateway, each by its name, kept by the process itself between curl and a real service."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path

import pytest

from tests.live.house import BEN, MARIA, WITHIN, Refused
from tests.live_http import house
from tests.live_http.house import HttpGateway
from tests.live_http.service import Service


def test_nothing_moves_unasked(gateway: HttpGateway, shop: Service) -> None:
    with gateway.api.meanwhile(lambda: gateway.curl("/promised/move", "--json", '{"n": 1}')):
        approval = gateway.api.pending("/promised/move")
        assert shop.of("/promised/move") == []
        gateway.api.vote(approval, "approve")
    assert shop.of("/promised/move") == [("POST", "/promised/move", b'{"n": 1}')]


def test_what_was_shown_runs(gateway: HttpGateway, shop: Service) -> None:
    """A yes is for these bytes, once: neither another body nor the same one again."""
    for body, choice, status in (("one", "approve", 201), ("two", "deny", 403), ("one", "deny", 403)):
        with gateway.api.deciding(choice, containing="/promised/shown") as seen:
            got = gateway.curl("/promised/shown", "-H", "Content-Type: text/plain", "-d", body)
        assert (got.status, got.exit) == (status, 0)
        assert body in seen[0]["command"]["text"]
    assert shop.of("/promised/shown") == [("POST", "/promised/shown", b"one")]


def test_strictest_wins(gateway: HttpGateway, shop: Service) -> None:
    batch = json.dumps([{"method": "GET", "path": "/a"}, {"method": "DELETE", "path": "/customers"}])
    for path, arguments in (
        ("/promised/orders", ("-X", "DELETE")),
        ("/promised/orders", ("-H", "X-HTTP-Method-Override: DELETE", "-d", "x")),
        ("/promised/$batch", ("--json", batch)),
    ):
        got = gateway.curl(path, *arguments)
        assert got.status == 403
        assert json.loads(got.text)["rules"] == ["nothing-is-deleted"]
    assert not [each for each in shop.seen if each[1].startswith(("/promised/orders", "/promised/$"))]


@pytest.mark.parametrize("path", ["/promised/a%2f..%2fb", "/promised//twice", "/promised/a;b/..;/c"])
def test_unknown_is_not_no(gateway: HttpGateway, shop: Service, path: str) -> None:
    with gateway.api.deciding("deny", containing=path) as seen:
        got = gateway.curl(path, "--path-as-is")
    assert got.status == 403
    assert seen[0]["command"]["unread"]
    assert shop.of(path) == []


def test_approval_never_unmasks(gateway: HttpGateway, shop: Service) -> None:
    del shop
    with gateway.api.deciding("approve", containing="/echo?promised"):
        got = gateway.curl("/echo?promised=1", "-H", "Content-Type: text/plain", "-d", "to jane@example.com")
    assert got.status == 200
    assert json.loads(got.text)["data"] == "to ****@example.com"


def test_a_child_is_never_wider(gateway: HttpGateway, shop: Service) -> None:
    parent = gateway.token()
    child = gateway.child(parent, "reader", "shop-api:read")
    assert gateway.curl("/customers", token=child).status == 200
    assert gateway.curl("/promised/child", "-d", "x", token=child).status == 403
    assert shop.of("/promised/child") == []
    gateway.revoke(parent)
    assert gateway.curl("/customers", token=child).status == 401


def test_nobody_in_the_chain_approves(gateway: HttpGateway) -> None:
    with gateway.api.meanwhile(lambda: gateway.curl("/promised/chain", "-d", "x")):
        approval = gateway.api.pending("/promised/chain")
        with pytest.raises(Refused):
            gateway.api.vote(approval, "approve", person=MARIA)
        gateway.api.vote(approval, "deny", person=BEN)


def test_a_refusal_is_polite(gateway: HttpGateway, shop: Service) -> None:
    """In the protocol's own form, and the same connection goes on."""
    before = len(shop.peers)
    bearer = f"Authorization: Bearer {gateway.token()}\r\nHost: shop\r\n"
    with socket.create_connection(("127.0.0.1", gateway.ports["shop-api"]), timeout=WITHIN) as client:
        client.sendall(f"DELETE /promised/all HTTP/1.1\r\n{bearer}\r\n".encode())
        answers = client.makefile("rb")
        assert answers.readline() == b"HTTP/1.1 403 Forbidden\r\n"
        headers = dict(line.split(b": ", 1) for line in iter(answers.readline, b"\r\n"))
        said = json.loads(answers.read(int(headers[b"Content-Length"])))
        assert said["message"] == "Nothing is deleted through an agent."
        assert b"Connection" not in headers
        client.sendall(f"GET /customers HTTP/1.1\r\n{bearer}Connection: close\r\n\r\n".encode())
        assert answers.readline() == b"HTTP/1.1 200 OK\r\n"
        assert b"****@example.com" in answers.read()
    assert len(shop.peers) == before + 1


def test_fail_closed(shop: Service, tmp_path: Path) -> None:
    """What is held when the gateway dies has not happened, and who comes again is served."""
    gateway = HttpGateway(tmp_path, shop.port)
    gateway.start()
    got: list[house.Got] = []
    sent = threading.Thread(target=lambda: got.append(gateway.curl("/promised/closed", "-d", "x")))
    sent.start()
    gateway.api.pending("/promised/closed")
    gateway.kill()
    sent.join(WITHIN)
    assert got[0].exit != 0
    gateway.start()
    assert gateway.curl("/customers").status == 200
    assert shop.of("/promised/closed") == []
    gateway.stop()


def test_credentials_stay_inside(gateway: HttpGateway) -> None:
    token = gateway.token()
    got = gateway.curl("/echo?inside", connection="echo-api", token=token)
    assert got.status == 200
    assert gateway.curl("/customers", token="no-token").status == 401
    kept = "".join(path.read_text(errors="replace") for path in gateway.state.rglob("*") if path.is_file())
    for secret in (gateway.credential, token):
        assert secret not in got.text + str(got.headers) + gateway.log() + kept


@pytest.mark.parametrize(
    "sent",
    [
        "POST /promised/malformed HTTP/1.1\r\nHost: a\r\n{}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET /promised/malformed HTTP/1.1\r\nHost: a\r\n{}X: a\n b\r\n\r\n",
        "GET /promised/malformed HTTP/1.1\r\nHost: a\r\nHost: b\r\n{}\r\n",
        "GET http://elsewhere.example/promised/malformed HTTP/1.1\r\nHost: a\r\n{}\r\n",
    ],
    ids=["two framings", "bare line feed", "two hosts", "a proxy's request"],
)
def test_malformed_is_violation(gateway: HttpGateway, shop: Service, sent: str) -> None:
    bearer = f"Authorization: Bearer {gateway.token()}\r\n"
    with socket.create_connection(("127.0.0.1", gateway.ports["shop-api"]), timeout=WITHIN) as client:
        client.sendall(sent.format(bearer).encode())
        answer = client.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert not [each for each in shop.seen if "/promised/malformed" in each[1]]
