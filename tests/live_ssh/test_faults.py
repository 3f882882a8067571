"""What breaks under an open session: the disk, the policy, the client, the gateway. Nothing that was not recorded runs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest

from tests.live.house import eventually
from tests.live_ssh import house
from tests.live_ssh.house import Server, SshGateway, connected


@pytest.fixture
def own(server: Server, tmp_path: Path) -> Iterator[SshGateway]:
    """A gateway of this test's own."""
    with house.gateway(tmp_path, server) as running:
        yield running


def recordings(gateway: SshGateway) -> set[Path]:
    return set((gateway.state / "recordings").glob("*/*.rec"))


@contextlib.contextmanager
def full_disk(gateway: SshGateway, size: int) -> Iterator[None]:
    """No file of the gateway's grows beyond `size` bytes."""
    soft, hard = resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE, (soft, hard))


UNRECORDED = "This session can no longer be recorded."


@pytest.mark.parametrize("point", ["entered", "asked", "approved", "answered", "a file opened"])
async def test_where_the_disk_is_full_the_session_ends_and_nothing_unrecorded_runs(
    own: SshGateway, tmp_path: Path, point: str
) -> None:
    wanted = tmp_path / "made"
    before = recordings(own)
    if point == "entered":
        token = own.token()
        pair = own.minted_pair(token)
        with full_disk(own, 100):
            done = await asyncio.to_thread(own.ssh, "echo hello", token=token, pair=pair)
        assert (done.stdout, done.returncode) == (b"", 255)
        return
    async with connected(own) as connection:
        # The recording is longer than anything else that the gateway writes.
        await connection.run("head -c 2000000 /dev/zero", encoding=None, check=True)
        (recording,) = recordings(own) - before
        match point:
            case "asked":
                said = UNRECORDED  # the library hands it on only if it has begun to read by then
                with full_disk(own, recording.stat().st_size), contextlib.suppress(asyncssh.Error):
                    done = await connection.run("echo hello", check=False)
                    assert done.stdout == ""
            case "approved":
                held = asyncio.create_task(connection.run(f"mkdir {wanted}", check=False))
                approval = await asyncio.to_thread(own.api.pending, str(wanted))
                with full_disk(own, recording.stat().st_size):
                    await asyncio.to_thread(own.api.vote, approval, "approve")
                    said = (await held).stderr
            case "answered":
                with full_disk(own, recording.stat().st_size + 200_000):
                    done = await connection.run("head -c 9000000 /dev/zero", encoding=None, check=False)
                said = bytes(done.stderr or b"").decode()
                assert len(done.stdout or b"") < 1_000_000
            case _:
                process = await connection.create_process(subsystem="sftp", encoding=None)
                process.stdin.write(b"\0\0\0\5\1\0\0\0\3")
                await process.stdout.readexactly(4)
                name = b"/etc/hostname"
                opening = b"\3\0\0\0\1" + len(name).to_bytes(4, "big") + name + b"\0\0\0\1" + bytes(4)
                with full_disk(own, recording.stat().st_size):
                    process.stdin.write(len(opening).to_bytes(4, "big") + opening)
                    said = (await process.stderr.read()).decode()
        await asyncio.wait_for(connection.wait_closed(), 10)
    assert UNRECORDED in str(said)
    assert "recording failed" in own.log()
    assert not wanted.exists()
    assert (await asyncio.to_thread(own.ssh, "echo fine")).stdout == b"fine\n"


def reload(gateway: SshGateway, old: str, new: str) -> None:
    text = gateway.policy_file.read_text()
    assert old in text
    already = gateway.log().count("policy reloaded")
    gateway.policy_file.write_text(text.replace(old, new))
    os.kill(gateway.pid, signal.SIGHUP)
    eventually(lambda: gateway.log().count("policy reloaded") > already)


class Everything:
    """One connection with a channel in each state."""

    def __init__(self, connection: asyncssh.SSHClientConnection, gateway: SshGateway, tmp_path: Path) -> None:
        self.connection = connection
        self._gateway = gateway
        self._made = tmp_path / "made"
        (tmp_path / "file").write_text("content\n" * 100)
        self._file = str(tmp_path / "file")

    async def open(self) -> None:
        connection = self.connection
        self.running = await connection.create_process("echo begun; cat")
        await self.running.stdout.readline()
        self.held = await connection.create_process(f"mkdir {self._made}")
        self.approval = await asyncio.to_thread(self._gateway.api.pending, str(self._made))
        self.shell = await connection.create_process()
        self.shell.stdin.write("here=1; echo begun\n")
        await self.shell.stdout.readline()
        self.sftp = await connection.start_sftp_client()
        self.file = await self.sftp.open(self._file)

    async def goes_on(self) -> None:
        """What was let through before."""
        self.running.stdin.write("more\n")
        assert await self.running.stdout.readline() == "more\n"
        assert await self.file.read(8) == "content\n"


async def test_a_new_policy_holds_for_what_is_asked_next_in_every_channel(
    own: SshGateway, tmp_path: Path
) -> None:
    async with connected(own) as connection:
        every = Everything(connection, own, tmp_path)
        await every.open()
        await asyncio.to_thread(
            reload, own, "effects: [destructive, privilege]", "effects: [destructive, privilege, read, write]"
        )
        await every.goes_on()
        refused = "Destructive commands never run through an agent."
        every.shell.stdin.write('echo "still $here"\n')
        assert refused in await every.shell.stderr.readline()
        with pytest.raises(asyncssh.SFTPPermissionDenied, match="never run"):
            await every.sftp.open(str(tmp_path / "file"))
        assert refused in str((await connection.run("echo hello")).stderr)
        await asyncio.to_thread(own.api.vote, every.approval, "approve")
        assert refused in str((await every.held.wait()).stderr)
    assert not (tmp_path / "made").exists()


async def test_a_connection_whose_options_change_ends_in_every_channel(
    own: SshGateway, tmp_path: Path
) -> None:
    async with connected(own) as connection:
        every = Everything(connection, own, tmp_path)
        await every.open()
        await asyncio.to_thread(reload, own, "shell: guarded", "shell: refuse")
        for process in (every.running, every.held, every.shell):
            assert "was changed or closed" in await asyncio.wait_for(process.stderr.read(), 10)
        await asyncio.wait_for(connection.wait_closed(), 10)
    assert not (tmp_path / "made").exists()


def test_what_was_approved_after_its_client_left_runs_when_it_is_asked_again(
    gateway: SshGateway, tmp_path: Path
) -> None:
    command = f"mkdir {tmp_path}/made"
    token = gateway.token()
    gone = gateway.start_ssh(command, token=token)
    approval = gateway.api.pending(command)
    gone.kill()
    gone.communicate()
    eventually(lambda: all(each["closed_at"] for each in gateway.api.call("/v1/sessions")))
    assert not (tmp_path / "made").exists()
    gateway.api.vote(gateway.api.call(f"/v1/approvals/{approval['id']}"), "approve")
    done = gateway.ssh(command, token=token)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "made").is_dir()
    assert gateway.api.call(f"/v1/approvals/{approval['id']}")["state"] == "spent"


def test_a_client_that_is_killed_ends_what_it_ran(gateway: SshGateway, tmp_path: Path) -> None:
    own = tmp_path / "pid"
    with gateway.api.deciding("approve", containing=str(own)):
        running = gateway.start_ssh(f"echo $PPID > {own}; echo begun; cat")
        assert running.stdout is not None
        assert running.stdout.readline() == b"begun\n"
    running.kill()
    running.communicate()
    eventually(lambda: not Path(f"/proc/{own.read_text().strip()}").exists())


def test_a_gateway_that_was_killed_leaves_a_recording_that_holds_and_a_hold_that_goes_on(
    own: SshGateway, tmp_path: Path
) -> None:
    token = own.token()
    running = own.start_ssh("echo begun; tail -f /dev/null", token=token)
    assert running.stdout is not None
    assert running.stdout.readline() == b"begun\n"
    waiting = own.start_ssh(f"mkdir {tmp_path}/made", token=token)
    approval = own.api.pending("mkdir")
    left = {path.stem for path in recordings(own)}
    own.kill()
    for client in (running, waiting):
        client.communicate(timeout=90)
        assert client.returncode == 255
    own.start()
    for session in left:
        verified = own.countersign("verify", session, "--state", str(own.state))
        assert verified.returncode == 0, verified.stdout + verified.stderr
    assert own.api.call(f"/v1/approvals/{approval['id']}")["state"] == "pending"
    own.api.vote(own.api.call(f"/v1/approvals/{approval['id']}"), "approve")
    done = own.ssh(f"mkdir {tmp_path}/made", token=token)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "made").is_dir()
