"""What is left of a session: entries, a player's file, and a chain that holds."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import select
import signal
import subprocess
from pathlib import Path

import asyncssh
import pytest

from tests.live.house import eventually
from tests.live_ssh import house
from tests.live_ssh.house import Server, SshGateway


def sessions(gateway: SshGateway) -> set[str]:
    return {path.stem for path in (gateway.state / "recordings").glob("*/*.rec")}


def test_a_session_is_recorded_masked_replayed_cast_and_verified(gateway: SshGateway, tmp_path: Path) -> None:
    before = sessions(gateway)
    done = gateway.ssh("echo mail ana.silva@example.com; echo oops >&2; exit 3")
    assert done.returncode == 3
    (session,) = sessions(gateway) - before
    eventually(lambda: all(each["id"] != session for each in gateway.api.call("/v1/sessions")))
    shown = gateway.countersign("replay", session, "--no-wait", "--state", str(gateway.state))
    assert "! oops" in shown.stdout
    assert "exit 3" in shown.stdout
    assert "silva" not in shown.stdout.partition("exit 3")[0].rpartition("mail")[2]
    cast = gateway.countersign("replay", session, "--cast", "--state", str(gateway.state)).stdout.splitlines()
    assert json.loads(cast[0])["version"] == 2
    events = [json.loads(line) for line in cast[1:]]
    assert [event[0] for event in events] == sorted(event[0] for event in events)
    assert "oops\r\n" in "".join(event[2] for event in events)
    verified = gateway.countersign("verify", session, "--state", str(gateway.state))
    assert verified.returncode == 0, verified.stdout + verified.stderr


async def test_what_ran_side_by_side_is_cast_in_the_order_of_time_and_so_is_what_never_ended(
    server: Server, tmp_path: Path
) -> None:
    with house.gateway(tmp_path, server) as gateway:
        async with house.connected(gateway) as connection:
            # More than a block of the recording: what a block lacks is lost with the gateway.
            slow = await connection.create_process("echo begun; seq 100000; cat")
            assert await slow.stdout.readuntil("\n100000\n")
            assert (await connection.run("echo fast")).stdout == "fast\n"
            gateway.kill()
        (session,) = sessions(gateway)
        cast = gateway.countersign("replay", session, "--cast", "--state", str(gateway.state)).stdout
        read = gateway.countersign("replay", session, "--no-wait", "--state", str(gateway.state)).stdout
        gateway.start()
        later = gateway.api.call(f"/v1/sessions/{session}/transcript")["entries"]
    events = [json.loads(line) for line in cast.splitlines()[1:]]
    assert [event[0] for event in events] == sorted(event[0] for event in events)
    shown = "".join(event[2] for event in events)
    assert "\nbegun\r\n1\r\n" in shown
    assert "begun\n    1\n" in read
    assert any("begun\n1\n" in entry["text"] for entry in later)
    assert shown.index("allow> echo begun") < shown.index("\nbegun\r") < shown.index("allow> echo fast")


async def test_a_hundred_sessions_at_once(gateway: SshGateway) -> None:
    token = gateway.token()

    async def one(n: int) -> str:
        async with asyncssh.connect(
            "127.0.0.1",
            gateway.ports["web-1"],
            username="agent",
            password=token,
            known_hosts=None,
            client_keys=None,
            config=None,
            login_timeout=120,
        ) as connection:
            return str((await connection.run(f"echo {n}")).stdout)

    answers = await asyncio.gather(*(one(n) for n in range(100)))
    assert answers == [f"{n}\n" for n in range(100)]


def test_a_target_that_is_killed_ends_the_command_and_not_the_client(
    gateway: SshGateway, tmp_path: Path
) -> None:
    own = tmp_path / "pid"
    with gateway.api.deciding("approve", containing=str(own)):
        running = gateway.start_ssh(f"echo $PPID > {own}; echo begun; exec tail -f /dev/null")
        assert running.stdout is not None
        assert running.stdout.readline() == b"begun\n"
    os.kill(int(own.read_text()), signal.SIGKILL)
    out, _ = running.communicate(timeout=30)
    assert (out, running.returncode) == (b"", 255)
    assert gateway.ssh("echo fine").stdout == b"fine\n"


def test_a_client_that_does_not_read_fills_no_memory(gateway: SshGateway) -> None:
    running = gateway.start_ssh("yes")
    assert running.stdout is not None
    assert running.stdout.read(1_000_000).count(b"y\n") == 500_000
    before = resident(gateway.pid)
    eventually(lambda: steady(running), within=90)
    assert resident(gateway.pid) - before < 64_000_000
    running.kill()
    running.communicate()


def resident(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


def steady(running: subprocess.Popen[bytes]) -> bool:
    """Whether the client takes nothing more from the network: what it has was not read."""
    before = Path(f"/proc/{running.pid}/io").read_text()
    return (
        bool(select.select([], [], [], 0.5) == ([], [], []))
        and Path(f"/proc/{running.pid}/io").read_text() == before
    )


def transcript(gateway: SshGateway, session: str) -> str:
    eventually(lambda: all(each["id"] != session for each in gateway.api.call("/v1/sessions")))
    return gateway.countersign("replay", session, "--no-wait", "--state", str(gateway.state)).stdout


@pytest.mark.parametrize("protocol", ["-s", "-O"])
def test_which_files_came_and_went_can_be_told_from_the_record(
    gateway: SshGateway, tmp_path: Path, protocol: str
) -> None:
    data = bytes(range(250)) * 2_800
    there, here = tmp_path / "there", tmp_path / "here"
    there.write_bytes(data)
    before = sessions(gateway)
    options, environment = gateway.client(gateway.token())
    scp = ["scp", protocol, *options, "-P", str(gateway.ports["web-1"])]
    subprocess.run([*scp, f"127.0.0.1:{there}", here], env=environment, check=True, timeout=60)
    with gateway.api.deciding("approve", containing=f"{tmp_path}/back"):
        subprocess.run([*scp, here, f"127.0.0.1:{tmp_path}/back"], env=environment, check=True, timeout=60)
    said = f"700000 bytes, sha256 {hashlib.sha256(data).hexdigest()}"
    shown = [transcript(gateway, session) for session in sessions(gateway) - before]
    assert [text.count(said) for text in shown] == [1, 1], shown
