"""What a program prints, within its time and size, and what it gets to see."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from gateway.policy.credentials import SecretMissing, SecretRef, SecretUnavailable
from gateway.secrets.command import Commands


def running(script: str, *arguments: str) -> SecretRef:
    return SecretRef(source="command", command=(sys.executable, "-c", script, *arguments))


async def printed(ref: SecretRef, **settings) -> str:
    return (await Commands(lambda: {"OF_ANOTHER"}, **settings).fetch(ref)).value


async def test_what_it_prints_is_the_secret_without_one_last_newline():
    assert await printed(running("print('one\\ntwo')")) == "one\ntwo"


async def test_no_shell_reads_its_words():
    assert (
        await printed(running("import sys; print(sys.argv[1])", "$(id); `id` > /tmp/x"))
        == "$(id); `id` > /tmp/x"
    )


async def test_secrets_of_others_are_kept_from_it_and_the_rest_is_not(monkeypatch):
    monkeypatch.setenv("OF_ANOTHER", "sekret")
    monkeypatch.setenv("OF_ITS_OWN", "fine")
    script = "import os; print(os.environ.get('OF_ANOTHER'), os.environ.get('OF_ITS_OWN'))"
    assert await printed(running(script)) == "None fine"


@pytest.mark.parametrize(
    ("script", "failure", "said"),
    [
        ("print('sekret'); raise SystemExit(3)", SecretUnavailable, "status 3"),
        ("", SecretMissing, "is empty"),
        ("import sys; sys.stdout.buffer.write(b'\\xff')", SecretMissing, "UTF-8"),
        ("print('x' * 70_000)", SecretMissing, "64 KiB"),
        ("while True: print('x' * 70_000)", SecretMissing, "64 KiB"),
    ],
)
async def test_what_is_no_secret_is_said_and_never_shown(script, failure, said):
    with pytest.raises(failure, match=said) as raised:
        await printed(running(script))
    assert "sekret" not in str(raised.value)
    assert "xxx" not in str(raised.value)


async def test_a_program_that_is_not_there():
    with pytest.raises(SecretUnavailable, match="No such file"):
        await printed(SecretRef(source="command", command=("/nonexistent/program", "sekret-reference")))


async def test_one_that_never_ends_is_killed_with_all_it_has_started(tmp_path):
    """Its child holds the pipe open."""
    mark = tmp_path / "mark"
    script = SecretRef(
        source="command", command=("sh", "-c", 'sleep 600 & echo $! > "$0"; sleep 600', str(mark))
    )
    with pytest.raises(SecretUnavailable, match="longer than 2 s"):
        await printed(script, within=2)
    async with asyncio.timeout(60):
        while _runs(int(mark.read_text())):
            await asyncio.sleep(0.01)


def _runs(pid: int) -> bool:
    """One that has ended and that nobody waits for runs no more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
