"""SSH through Countersign, beside a direct connection, in one run: bytes and commands a second, and idle sessions.

Everything stays on loopback: an OpenSSH server of the benchmark's own, OpenSSH's client, one gateway that judges, records and
masks. Rounds are interleaved and medians are compared. Beside it stands a relay on the same library that does nothing of that
(`bare_ssh.py`): what SSH in Python costs anyhow. Processor time is the relay's or the gateway's own, for each gigabyte.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.live_ssh.house import Server, SshGateway, gateway, openssh, sshd

DRAWN = 256
"""Megabytes of each transfer of bytes by lot."""
CIPHER = "aes128-gcm@openssh.com"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--megabytes", type=int, default=1024, help="of each transfer (default: %(default)s)")
    parser.add_argument("--commands", type=int, default=200, help="of each exec round (default: %(default)s)")
    parser.add_argument("--idle", type=int, default=1_000, help="idle sessions (default: %(default)s)")
    arguments = parser.parse_args()
    say: Callable[[str], None] = (lambda _: None) if arguments.json else print
    result: dict[str, Any] = {}
    with (
        tempfile.TemporaryDirectory() as name,
        sshd(_made(Path(name), "sshd")) as server,
        gateway(_made(Path(name), "gateway"), server) as running,
    ):
        say(f"{'':20}{'direct':>12}{'bare relay':>12}{'countersign':>14}{'of direct':>11}")
        with peers(server, running) as all_peers:
            for title, through, megabytes in (
                ("download, MB/s", download, arguments.megabytes),
                ("upload, MB/s", upload, arguments.megabytes),
                ("like no other, MB/s", drawn(Path(name)), DRAWN),
            ):
                result[title] = compare(all_peers, through, megabytes, arguments.rounds, title, say)
        result["exec"] = asyncio.run(exec_rate(server, running, arguments.commands, arguments.rounds, say))
        result["idle"] = asyncio.run(idle(running, arguments.idle, say))
    if arguments.json:
        print(json.dumps(result, indent=1))
    return 0


def _made(parent: Path, name: str) -> Path:
    path = parent / name
    path.mkdir()
    return path


@dataclass(frozen=True)
class Peer:
    """One way to the server."""

    line: Sequence[str]
    environment: dict[str, str] | None = None
    pid: int = 0
    """Of the process in between."""

    def seconds(self) -> float:
        """Processor time that it took so far."""
        if not self.pid:
            return 0.0
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def peers(server: Server, running: SshGateway) -> Iterator[dict[str, Peer]]:
    cipher = [f"-oCiphers={CIPHER}"]
    options, environment = running.client(running.token())
    bare = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("bare_ssh.py")]
        + [str(server.port), str(server.key), str(server.known_hosts), CIPHER],
        stdout=subprocess.PIPE,
    )
    try:
        assert bare.stdout is not None
        port = int(bare.stdout.readline())
        anybody = openssh(StrictHostKeyChecking="no", UserKnownHostsFile="/dev/null")

        def line(own: list[str], port: int) -> list[str]:
            return ["ssh", *own, *cipher, "-p", str(port), "127.0.0.1"]

        yield {
            "direct": Peer(line(server.client(), server.port)),
            "bare relay": Peer(line(anybody, port), pid=bare.pid),
            "countersign": Peer(line(options, running.ports["web-1"]), environment, running.pid),
        }
    finally:
        bare.kill()
        bare.communicate()


def compare(
    all_peers: dict[str, Peer],
    move: Callable[[Peer, int], float],
    megabytes: int,
    rounds: int,
    title: str,
    say: Callable[[str], None],
) -> dict[str, Any]:
    rates: dict[str, list[float]] = {name: [] for name in all_peers}
    costs: dict[str, list[float]] = {name: [] for name in all_peers}
    for _ in range(rounds):
        for name, peer in all_peers.items():
            before = peer.seconds()
            rates[name].append(megabytes / move(peer, megabytes))
            costs[name].append((peer.seconds() - before) * 1024 / megabytes)
    medians = {name: statistics.median(each) for name, each in rates.items()}
    row = _row(title, medians, say)
    cost = {name: statistics.median(each) for name, each in costs.items() if all_peers[name].pid}
    say("  " + ", ".join(f"{name} {seconds:.1f} processor seconds a GB" for name, seconds in cost.items()))
    bare = medians["bare relay"] / medians["direct"]
    return {**row, "bare_relay_of_direct": bare, "processor_seconds_a_gigabyte": cost}


def download(peer: Peer, megabytes: int) -> float:
    return _timed(peer, f"head -c {megabytes}M /dev/zero", subprocess.DEVNULL)


def drawn(directory: Path) -> Callable[[Peer, int], float]:
    """A download of bytes by lot, as what is compressed or encrypted looks: none of it was searched before."""
    path = directory / "drawn"

    def through(peer: Peer, megabytes: int) -> float:
        path.write_bytes(os.urandom(megabytes * 1024 * 1024))
        return _timed(peer, f"cat {shlex.quote(str(path))}", subprocess.DEVNULL)

    return through


def upload(peer: Peer, megabytes: int) -> float:
    source = subprocess.Popen(["head", "-c", f"{megabytes}M", "/dev/zero"], stdout=subprocess.PIPE)
    try:
        return _timed(peer, "wc -c", source.stdout)
    finally:
        source.communicate()


def _timed(peer: Peer, command: str, stdin: Any) -> float:
    began = time.perf_counter()
    done = subprocess.run(
        [*peer.line, command],
        env=peer.environment,
        stdin=stdin,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"{command}: {done.stderr.decode()[-500:]}")
    return time.perf_counter() - began


async def exec_rate(
    server: Server, running: SshGateway, commands: int, rounds: int, say: Callable[[str], None]
) -> dict[str, float]:
    """Commands a second over one connection, eight at a time."""
    rates: dict[str, list[float]] = {"direct": [], "countersign": []}
    async with (
        asyncssh.connect(
            "127.0.0.1", server.port, client_keys=[str(server.key)], known_hosts=str(server.known_hosts)
        ) as direct,
        asyncssh.connect(
            "127.0.0.1",
            running.ports["web-1"],
            username="agent",
            password=running.token(),
            known_hosts=None,
            client_keys=None,
            config=None,
        ) as through,
    ):
        for _ in range(rounds):
            for name, connection in (("direct", direct), ("countersign", through)):
                began = time.perf_counter()
                left = iter(range(commands))
                await asyncio.gather(*(_run(connection, left) for _ in range(8)))
                rates[name].append(commands / (time.perf_counter() - began))
    return _row("exec, commands/s", {name: statistics.median(each) for name, each in rates.items()}, say)


async def _run(connection: asyncssh.SSHClientConnection, left: Any) -> None:
    for _ in left:
        await connection.run("true", check=True)


async def idle(running: SshGateway, count: int, say: Callable[[str], None]) -> dict[str, float]:
    """What the gateway's memory grows by with that many logged-in clients."""
    token = running.token()

    async def enter() -> asyncssh.SSHClientConnection:
        return await asyncssh.connect(
            "127.0.0.1",
            running.ports["web-1"],
            username="agent",
            password=token,
            known_hosts=None,
            client_keys=None,
            config=None,
            login_timeout=300,
        )

    before = _resident(running.pid)
    clients = [await enter() for _ in range(count)]
    grown = _resident(running.pid) - before
    for client in clients:
        client.abort()
    say(f"{count} idle sessions take {grown / 1e6:.0f} MB")
    return {"sessions": count, "bytes": grown}


def _resident(pid: int) -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def _row(title: str, medians: dict[str, float], say: Callable[[str], None]) -> dict[str, float]:
    ratio = medians["countersign"] / medians["direct"]
    bare = f"{medians['bare relay']:,.0f}" if "bare relay" in medians else ""
    say(f"{title:20}{medians['direct']:>12,.0f}{bare:>12}{medians['countersign']:>14,.0f}{ratio:>11.2f}")
    return {**medians, "of_direct": ratio}


if __name__ == "__main__":
    sys.exit(main())
