"""The connections on both sides: TLS, and targets that close theirs when they like."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.certificates import Authority
from tests.live.house import WITHIN
from tests.live_http.house import HttpGateway


class Target(ThreadingHTTPServer):
    """A service that says what it was asked, and tells when it has closed a connection."""

    daemon_threads = True

    def __init__(self, protocol: str, *, patience: float | None = None) -> None:
        self.asked: list[str] = []
        self.closed = threading.Semaphore(0)
        target = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = protocol
            timeout = patience

            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                target.asked.append(self.requestline)
                body = json.dumps({"asked": self.requestline}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                if self.protocol_version == "HTTP/1.1":
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self) -> None:
                self.answer()

            def do_POST(self) -> None:
                self.answer()

            def finish(self) -> None:
                super().finish()
                self.connection.shutdown(socket.SHUT_RDWR)
                target.closed.release()

            def log_message(self, *_: object) -> None:
                """Nothing."""

        super().__init__(("127.0.0.1", 0), Handler)
        self.port = self.server_address[1]
        self.scheme = "http"

    def over_tls(self, certificate: Path, key: Path) -> Target:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.scheme = "https"
        return self


class SecureGateway(HttpGateway):
    """With a certificate, in front of a target at `address`."""

    def __init__(
        self, directory: Path, address: str, *, certificate: tuple[Path, Path] | None = None
    ) -> None:
        super().__init__(directory, 1)
        policy = self.policy_file.read_text().replace("http://127.0.0.1:1\n", f"{address}\n")
        self.secure = certificate is not None
        if certificate is not None:
            policy += "tls: {{certificate: {}, key: {}}}\n".format(*certificate)
        self.policy_file.write_text(policy)

    def base(self, connection: str = "shop-api") -> str:
        return (
            super()
            .base(connection)
            .replace("http://127.0.0.1", "https://localhost" if self.secure else "http://127.0.0.1")
        )


Serve = Callable[..., Target]
Start = Callable[..., SecureGateway]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a target."""
    running: list[tuple[Target, threading.Thread]] = []

    def start(target: Target) -> Target:
        thread = threading.Thread(target=target.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        running.append((target, thread))
        return target

    yield start
    for target, thread in running:
        target.shutdown()
        thread.join()
        target.server_close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a gateway in front of an address."""
    running: list[SecureGateway] = []

    def begin(address: str, **settings: tuple[Path, Path]) -> SecureGateway:
        made = SecureGateway(tmp_path, address, **settings)
        made.start()
        running.append(made)
        return made

    yield begin
    for made in running:
        made.stop()


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def trusted(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("authority") / "ca.crt"
    file.write_bytes(authority.certificate)
    return file


# Targets that close their connections.


def ask(connection: http.client.HTTPConnection, path: str, token: str) -> int:
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    assert json.loads(answer.read())["asked"].startswith(f"GET {path} ")
    return answer.status


def test_a_target_that_closes_behind_each_answer_serves_a_client_that_stays(
    serve: Serve, start: Start
) -> None:
    target = serve(Target("HTTP/1.0"))
    gateway = start(f"http://127.0.0.1:{target.port}")
    connection = http.client.HTTPConnection("127.0.0.1", gateway.ports["shop-api"], timeout=WITHIN)
    token = gateway.token()
    assert [ask(connection, f"/orders/{number}", token) for number in range(3)] == [200] * 3
    assert len(gateway.api.call("/v1/sessions")) == 1
    connection.close()
    assert len(target.asked) == 3


def test_a_target_that_has_closed_what_was_idle_is_reached_anew(serve: Serve, start: Start) -> None:
    target = serve(Target("HTTP/1.1", patience=0.1))
    gateway = start(f"http://127.0.0.1:{target.port}")
    connection = http.client.HTTPConnection("127.0.0.1", gateway.ports["shop-api"], timeout=WITHIN)
    token = gateway.token()
    assert ask(connection, "/orders/1", token) == 200
    assert target.closed.acquire(timeout=WITHIN)
    assert ask(connection, "/orders/2", token) == 200
    connection.close()
    assert target.asked == ["GET /orders/1 HTTP/1.1", "GET /orders/2 HTTP/1.1"]


def test_what_people_take_long_to_decide_reaches_a_target_that_has_not_waited(
    serve: Serve, start: Start
) -> None:
    target = serve(Target("HTTP/1.1", patience=0.1))
    gateway = start(f"http://127.0.0.1:{target.port}")

    def decide() -> None:
        approval = gateway.api.pending()
        assert target.closed.acquire(timeout=WITHIN)
        assert not target.asked
        gateway.api.vote(approval, "approve")

    with gateway.api.meanwhile(decide):
        got = gateway.curl("/orders", "-d", "n=1")
    assert got.status == 200
    assert target.asked == ["POST /orders HTTP/1.1"]


def test_a_target_that_is_away_is_said_to_be(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    gateway = start(f"http://127.0.0.1:{port}")
    got = gateway.curl("/orders")
    assert got.status == 502
    assert "cannot be reached" in got.text


# TLS.


def test_tls_on_both_sides(
    serve: Serve, start: Start, authority: Authority, trusted: Path, tmp_path: Path
) -> None:
    target = serve(Target("HTTP/1.1").over_tls(*authority.issue("localhost").write(tmp_path, "target")))
    gateway = start(
        f"https://localhost:{target.port}?sslrootcert={trusted}",
        certificate=authority.issue("localhost").write(tmp_path, "gateway"),
    )
    got = gateway.curl("/orders/7", "--cacert", str(trusted))
    assert (got.status, json.loads(got.text)) == (200, {"asked": "GET /orders/7 HTTP/1.1"})
    got = gateway.curl("/orders/7", "--cacert", str(trusted), "--no-alpn")
    assert got.status == 200
    got = gateway.curl("/orders/7", "--cacert", str(trusted), "--http1.1", "-I")
    assert got.status == 501
    assert len(target.asked) == 2


def test_a_target_whose_certificate_is_anothers_gets_nothing(
    serve: Serve, start: Start, authority: Authority, trusted: Path, tmp_path: Path
) -> None:
    target = serve(Target("HTTP/1.1").over_tls(*authority.issue("elsewhere").write(tmp_path, "target")))
    gateway = start(f"https://localhost:{target.port}?sslrootcert={trusted}")
    got = gateway.curl("/orders/7")
    assert got.status == 502
    assert "TLS with the target failed" in got.text
    assert not target.asked
