"""SSH through Countersign, beside a direct connection, in one run: bytes and commands a second, and idle sessions.

Everything stays on loopback: an OpenSSH server of the benchmark's own, OpenSSH's client, one gateway that judges, records and
masks. Rounds are interleaved and medians are compared.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import asyncssh

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.live_ssh.house import Server, SshGateway, gateway, sshd

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
        say(f"{'x direct':28}{'direct':>12}{'countersign':>14}{'ratio':>8}")
        for title, through in (("download, MB/s", download), ("upload, MB/s", upload)):
            result[title] = compare(
                server, running, through, arguments.megabytes, arguments.rounds, title, say
            )
        result["exec"] = asyncio.run(exec_rate(server, running, arguments.commands, arguments.rounds, say))
        result["idle"] = asyncio.run(idle(running, arguments.idle, say))
    if arguments.json:
        print(json.dumps(result, indent=1))
    return 0


def _made(parent: Path, name: str) -> Path:
    path = parent / name
    path.mkdir()
    return path


def compare(
    server: Server,
    running: SshGateway,
    move: Callable[[Sequence[str], dict[str, str] | None, int], float],
    megabytes: int,
    rounds: int,
    title: str,
    say: Callable[[str], None],
) -> dict[str, float]:
    options, environment = running.client(running.token())
    cipher = ["-o", f"Ciphers={CIPHER}"]
    through = ["ssh", *options, *cipher, "-p", str(running.ports["web-1"]), "127.0.0.1"]
    direct = [
        *(
            "ssh",
            "-F",
            "none",
            *cipher,
            "-i",
            str(server.key),
            "-o",
            f"UserKnownHostsFile={server.known_hosts}",
        ),
        *("-p", str(server.port), "127.0.0.1"),
    ]
    rates: dict[str, list[float]] = {"direct": [], "countersign": []}
    for _ in range(rounds):
        rates["direct"].append(megabytes / move(direct, None, megabytes))
        rates["countersign"].append(megabytes / move(through, environment, megabytes))
    return _row(title, {name: statistics.median(each) for name, each in rates.items()}, say)


def download(line: Sequence[str], environment: dict[str, str] | None, megabytes: int) -> float:
    return _timed([*line, f"head -c {megabytes}M /dev/zero"], environment, subprocess.DEVNULL)


def upload(line: Sequence[str], environment: dict[str, str] | None, megabytes: int) -> float:
    source = subprocess.Popen(["head", "-c", f"{megabytes}M", "/dev/zero"], stdout=subprocess.PIPE)
    try:
        return _timed([*line, "wc -c"], environment, source.stdout)
    finally:
        source.communicate()


def _timed(line: Sequence[str], environment: dict[str, str] | None, stdin: Any) -> float:
    began = time.perf_counter()
    done = subprocess.run(
        line, env=environment, stdin=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"{line[-1]}: {done.stderr.decode()[-500:]}")
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
    say(f"{title:28}{medians['direct']:>12,.0f}{medians['countersign']:>14,.0f}{ratio:>8.2f}")
    return {**medians, "of_direct": ratio}


if __name__ == "__main__":
    sys.exit(main())
