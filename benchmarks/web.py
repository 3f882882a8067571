"""HTTP through Countersign, beside a direct connection, in one run: requests and bytes a second.

Everything stays on loopback: a service of the benchmark's own in a process of its own, and one gateway that judges, records
and, as `masked`, masks. Rounds are interleaved and medians are compared. Where HAProxy is installed it stands beside: what a
proxy in C costs that does nothing of that. Processor time is the gateway's own, for each request.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.live_http.house import HttpGateway, gateway
from tests.ports import free_port

SERVICE = """
import asyncio, json, sys

PERSON = {"id": 7, "name": "Jane Doe", "email": "jane.doe@example.com", "ssn": "078-05-1120", "note": "called twice, pays late"}
BODIES = {
    "/customers/7": (b"application/json", json.dumps(PERSON).encode()),
    "/customers": (b"application/json", json.dumps([PERSON | {"id": n} for n in range(10_000)]).encode()),
    "/picture.png": (b"image/png", b"\\x89PNG\\r\\n\\x1a\\n" + bytes(range(256)) * 262_144),
}


class Service(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.inbox = transport, b""

    def data_received(self, data):
        self.inbox += data
        while b"\\r\\n\\r\\n" in self.inbox:
            head, _, self.inbox = self.inbox.partition(b"\\r\\n\\r\\n")
            kind, body = BODIES[head.split(b" ")[1].decode()]
            self.transport.write(b"HTTP/1.1 200 OK\\r\\nContent-Type: %s\\r\\nContent-Length: %d\\r\\n\\r\\n" % (kind, len(body)))
            self.transport.write(body)


async def main():
    server = await asyncio.get_running_loop().create_server(Service, "127.0.0.1", int(sys.argv[1]))
    print("ready", flush=True)
    await server.serve_forever()


asyncio.run(main())
"""
HAPROXY = """
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen bench
  bind 127.0.0.1:{port}
  server service 127.0.0.1:{service}
"""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=2_000, help="of each round (default: %(default)s)")
    parser.add_argument("--clients", type=int, default=8, help="at once (default: %(default)s)")
    arguments = parser.parse_args()
    say: Callable[[str], None] = (lambda _: None) if arguments.json else print
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name, peers(Path(name)) as all_peers:
        say(f"{'':28}" + "".join(f"{each:>14}" for each in all_peers))
        for title, path, requests, clients in (
            ("one document, requests/s", "/customers/7", arguments.requests, arguments.clients),
            ("a list of 1.3 MB, answers/s", "/customers", 20, 2),
            ("a picture of 64 MB, answers/s", "/picture.png", 4, 1),
        ):
            rates = compare(all_peers, path, requests=requests, clients=clients, rounds=arguments.rounds)
            result[title] = rates
            say(f"{title:28}" + "".join(f"{each:14.1f}" for each in rates.values()))
    if arguments.json:
        print(json.dumps(result, indent=1))
    return 0


@dataclass(frozen=True, kw_only=True)
class Peer:
    """One way to the service."""

    port: int
    headers: Mapping[str, str] = field(default_factory=dict)


@contextlib.contextmanager
def peers(directory: Path) -> Iterator[dict[str, Peer]]:
    service, between = free_port(), free_port()
    with contextlib.ExitStack() as parts:
        parts.enter_context(_process([sys.executable, "-c", SERVICE, str(service)]))
        found = {"direct": Peer(port=service)}
        if haproxy := shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin"):
            file = directory / "haproxy.cfg"
            file.write_text(HAPROXY.format(port=between, service=service))
            parts.enter_context(_process([haproxy, "-W", "-db", "-f", str(file)], port=between))
            found["haproxy"] = Peer(port=between)
        running: HttpGateway = parts.enter_context(gateway(directory, service))
        headers = {"Authorization": f"Bearer {running.token()}"}
        found["countersign"] = Peer(port=running.ports["echo-api"], headers=headers)
        found["masked"] = Peer(port=running.ports["shop-api"], headers=headers)
        yield found


@contextlib.contextmanager
def _process(arguments: list[str], *, port: int = 0) -> Iterator[None]:
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        if port:
            asyncio.run(_listening(port))
        else:
            assert process.stdout is not None
            process.stdout.readline()
        yield
    finally:
        process.terminate()
        process.communicate()


async def _listening(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.05)
    raise SystemExit(f"nothing listens on {port}")


def compare(
    all_peers: Mapping[str, Peer], path: str, *, requests: int, clients: int, rounds: int
) -> dict[str, float]:
    """Answers a second of each peer; the first round only warms up."""
    rates: dict[str, list[float]] = {name: [] for name in all_peers}
    for number in range(rounds + 1):
        for name, peer in all_peers.items():
            begun = time.perf_counter()
            asyncio.run(_ask_all(peer, path, requests=requests, clients=clients))
            if number:
                rates[name].append(requests / (time.perf_counter() - begun))
    return {name: statistics.median(each) for name, each in rates.items()}


async def _ask_all(peer: Peer, path: str, *, requests: int, clients: int) -> None:
    await asyncio.gather(*(_ask(peer, path, requests // clients) for _ in range(clients)))


async def _ask(peer: Peer, path: str, times: int) -> None:
    """On one connection, one request after the other."""
    reader, writer = await asyncio.open_connection("127.0.0.1", peer.port, limit=1 << 20)
    head = "".join(f"{name}: {value}\r\n" for name, value in {"Host": "bench", **peer.headers}.items())
    for _ in range(times):
        writer.write(f"GET {path} HTTP/1.1\r\n{head}\r\n".encode())
        await _answer(reader)
    writer.close()
    await writer.wait_closed()


async def _answer(reader: asyncio.StreamReader) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if not head.startswith(b"http/1.1 200 "):
        raise SystemExit(f"refused: {head.decode()}")
    if b"transfer-encoding: chunked" not in head:
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        while length:
            length -= len(await reader.read(min(length, 1 << 20)))
        return
    while size := int(await reader.readuntil(b"\r\n"), 16):
        await reader.readexactly(size + 2)
    await reader.readexactly(2)


if __name__ == "__main__":
    raise SystemExit(main())
