"""What a client sends that is no UTF-8: judged as unknown and run as it is, or refused in a sentence and recorded."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from tests.live_ssh.house import SshGateway, connected
from tests.live_ssh.test_records import sessions, transcript

NOT_UTF8 = "caf\udce9"
"""As a command line has bytes; they come out as `caf` and 0xE9."""
SHOWN = "caf\\xe9"


def recorded(gateway: SshGateway, before: set[str]) -> str:
    """The transcript of the one session since."""
    (session,) = sessions(gateway) - before
    return transcript(gateway, session)


@pytest.mark.parametrize(
    ("command", "typed"),
    [((f"echo {NOT_UTF8}",), ""), ((), f"echo {NOT_UTF8}\n")],
    ids=["a command", "a line of a shell"],
)
def test_what_is_no_utf8_is_unknown_and_runs_byte_for_byte_once_it_is_approved(
    gateway: SshGateway, command: tuple[str, ...], typed: str
) -> None:
    before = sessions(gateway)
    with gateway.api.deciding("approve", containing=SHOWN) as seen:
        done = gateway.ssh(*command, stdin=os.fsencode(typed), options=("-T",))
    assert (done.stdout, done.returncode) == (b"caf\xe9\n", 0), done.stderr
    assert seen[0]["command"]["effects"] == ["unknown"]
    assert seen[0]["command"]["text"] == f"echo {SHOWN}"
    assert f"echo {SHOWN}" in recorded(gateway, before)


def test_what_is_no_utf8_is_refused_in_a_sentence(gateway: SshGateway, tmp_path: Path) -> None:
    before = sessions(gateway)
    with gateway.api.deciding("deny", containing=SHOWN, reason="not today"):
        done = gateway.ssh(f"mkdir {tmp_path}/{NOT_UTF8}")
    assert (done.stdout, done.returncode) == (b"", 126)
    assert b"not today" in done.stderr
    assert not list(tmp_path.iterdir())
    assert SHOWN in recorded(gateway, before)


def test_bytes_are_not_what_only_looks_like_them(gateway: SshGateway) -> None:
    token = gateway.token()
    asked = gateway.start_ssh(f"no-such-program {NOT_UTF8}", token=token)
    first = gateway.api.pending(f"no-such-program {SHOWN}")
    alike = gateway.start_ssh(f"no-such-program '{SHOWN}'", token=token)
    second = gateway.api.pending(f"no-such-program '{SHOWN}'")
    assert first["command"]["digest"] != second["command"]["digest"]
    for approval in (first, second):
        gateway.api.vote(approval, "deny")
    for client in (asked, alike):
        client.communicate(timeout=90)
        assert client.returncode == 126


async def test_a_path_that_is_no_utf8_is_unknown_and_is_opened_byte_for_byte(
    gateway: SshGateway, tmp_path: Path
) -> None:
    (tmp_path / NOT_UTF8).write_text("content")
    (tmp_path / SHOWN).write_text("another")
    with gateway.api.deciding("approve", containing=SHOWN) as seen:
        async with connected(gateway) as connection, connection.start_sftp_client(path_encoding=None) as sftp:
            file = await sftp.open(os.fsencode(tmp_path / NOT_UTF8), "rb")
            assert await file.read() == b"content"
    assert seen[0]["command"]["effects"] == ["unknown"]


@pytest.mark.parametrize("name", ["netconf", NOT_UTF8])
def test_another_subsystem_is_refused_in_a_sentence_and_recorded(gateway: SshGateway, name: str) -> None:
    before = sessions(gateway)
    done = gateway.ssh(name, options=("-s",))
    assert (done.stdout, done.returncode) == (b"", 126)
    assert b"There is no subsystem but sftp here." in done.stderr
    shown = name.replace(NOT_UTF8, SHOWN)
    assert f"refused the subsystem {shown}" in recorded(gateway, before)


def test_an_environment_that_is_no_utf8_does_not_go_on(gateway: SshGateway) -> None:
    settings = f"SetEnv=LC_TIME={NOT_UTF8} LC_{NOT_UTF8}=x LC_CTYPE=C.UTF-8"
    done = gateway.ssh('echo "<$LC_TIME><$LC_CTYPE>"', options=("-o", settings))
    assert (done.stdout, done.returncode) == (b"<><C.UTF-8>\n", 0), done.stderr


async def test_forwarding_to_what_no_host_is_called_is_refused_and_the_rest_goes_on(
    gateway: SshGateway,
) -> None:
    before = sessions(gateway)
    name: Any = os.fsencode(NOT_UTF8)
    async with connected(gateway) as connection:
        with pytest.raises(asyncssh.ChannelOpenError, match="no UTF-8"):
            await connection.open_connection(name, 80)
        assert (await connection.run("echo fine", timeout=90)).stdout == "fine\n"
    shown = await asyncio.to_thread(recorded, gateway, before)
    assert "refused forwarding to a name that is no UTF-8" in shown
