"""SFTP packet by packet, as no honest client sends them."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncssh
import pytest

from gateway.protocols.ssh.packets import Kind
from tests.live_ssh.house import SshGateway, connected

READ, CREATE = 1, 0x1A
DENIED, UNSUPPORTED = 3, 8


def string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def packet(kind: int, request: int, *parts: bytes) -> bytes:
    return string(bytes([kind]) + struct.pack(">I", request) + b"".join(parts))


def opening(path: Path, flags: int, request: int, mode: int | None = None) -> bytes:
    attributes = bytes(4) if mode is None else struct.pack(">II", 4, mode)
    return packet(Kind.OPEN, request, string(str(path).encode()), struct.pack(">I", flags), attributes)


def reading(handle: bytes, offset: int, length: int, request: int) -> bytes:
    return packet(Kind.READ, request, string(handle), struct.pack(">QI", offset, length))


class Talk:
    """One transfer."""

    def __init__(self, process: asyncssh.SSHClientProcess[bytes]) -> None:
        self._process = process

    def send(self, *sent: bytes) -> None:
        self._process.stdin.write(b"".join(sent))

    async def answer(self) -> tuple[int, int, bytes]:
        (length,) = struct.unpack(">I", await self._process.stdout.readexactly(4))
        body = await self._process.stdout.readexactly(length)
        return body[0], struct.unpack(">I", body[1:5])[0], body[5:]

    async def opened(self, path: Path, request: int = 1) -> bytes:
        self.send(opening(path, READ, request))
        kind, _, body = await self.answer()
        assert kind == Kind.HANDLE
        return body[4:]

    async def ends(self) -> bytes:
        """It was ended by the gateway: what was said last."""
        assert await self._process.stdout.read() == b""
        return await self._process.stderr.read()


@asynccontextmanager
async def talk(gateway: SshGateway, *, begin: bool = True) -> AsyncIterator[Talk]:
    async with (
        connected(gateway) as connection,
        connection.create_process(subsystem="sftp", encoding=None) as process,
    ):
        one = Talk(process)
        if begin:
            one.send(packet(Kind.INIT, 6))
            kind, version, _ = await one.answer()
            assert (kind, version) == (Kind.VERSION, 3)
        yield one
        process.terminate()


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people"
    path.write_text("ana.silva@example.com\n" * 2_000)
    return path


def code(answer: tuple[int, int, bytes]) -> int:
    kind, _, body = answer
    assert kind == Kind.STATUS
    return int.from_bytes(body[:4], "big")


async def test_a_handle_that_was_guessed_before_it_was_given_reads_nothing(
    gateway: SshGateway, people: Path
) -> None:
    async with talk(gateway) as one:
        given = await one.opened(people)
        one.send(packet(Kind.CLOSE, 2, string(given)))
        assert code(await one.answer()) == 0
        one.send(opening(people, READ, 3), reading(given, 0, 100, 4))
        answers = [await one.answer(), await one.answer()]
        assert {request: kind for kind, request, _ in answers} == {3: Kind.HANDLE, 4: Kind.STATUS}


@pytest.mark.parametrize("begin", [True, False])
async def test_a_transfer_begins_once_with_init(gateway: SshGateway, begin: bool) -> None:
    async with talk(gateway, begin=begin) as one:
        one.send(packet(Kind.INIT if begin else Kind.STAT, 3))
        assert b"it begins once" in await one.ends()


async def test_two_requests_of_one_number_end_the_transfer_and_nothing_passes_unmasked(
    gateway: SshGateway, people: Path
) -> None:
    async with talk(gateway) as one:
        given = await one.opened(people)
        one.send(reading(given, 0, 100, 7), reading(given, 0, 100, 7), reading(given, 0, 100, 7))
        assert b"two requests of one number" in await one.ends()


@pytest.mark.parametrize("step", [1, 7, 333, 100_000])
async def test_however_a_file_is_read_it_is_masked_the_same(
    gateway: SshGateway, people: Path, step: int
) -> None:
    whole = people.read_bytes()
    first = len(whole) - 700 if step < 300 else 0
    async with talk(gateway) as one:
        given, shown, at = await one.opened(people), b"", first
        while True:
            one.send(reading(given, at, step, 9))
            kind, _, body = await one.answer()
            if kind == Kind.STATUS:
                break
            shown += body[4:]
            at += len(body) - 4
        assert shown == whole.replace(b"ana.silva@example.com", b"*" * 21)[first:]


async def test_numbers_at_their_ends_are_answered(gateway: SshGateway, people: Path) -> None:
    async with talk(gateway) as one:
        given = await one.opened(people)
        one.send(reading(given, 0, 0xFFFF_FFFF, 2))
        kind, _, body = await one.answer()
        assert kind == Kind.DATA
        assert b"silva" not in body
        one.send(reading(given, (1 << 64) - 1, 0xFFFF_FFFF, 3))
        assert code(await one.answer()) != 0


async def test_a_private_key_is_masked_in_its_middle_too(gateway: SshGateway, tmp_path: Path) -> None:
    key = asyncssh.generate_private_key("ssh-rsa", key_size=4096).export_private_key("pkcs1-pem")
    (tmp_path / "config").write_bytes(key)
    async with talk(gateway) as one:
        given = await one.opened(tmp_path / "config")
        one.send(reading(given, 2_500, 200, 2))
        kind, _, body = await one.answer()
        assert (kind, body[4:]) == (Kind.DATA, b"*" * 200)


async def test_a_file_is_not_made_with_a_special_mode_unasked(gateway: SshGateway, tmp_path: Path) -> None:
    async with talk(gateway) as one:
        one.send(opening(tmp_path / "made", CREATE, 1, mode=0o4755))
        assert code(await one.answer()) == DENIED
        assert not (tmp_path / "made").exists()


async def test_copying_between_open_files_is_asked_about_as_cp_is(
    gateway: SshGateway, people: Path, tmp_path: Path
) -> None:
    async with talk(gateway) as one:
        source = await one.opened(people)
        with gateway.api.deciding("approve", containing=f"open {tmp_path}/copy"):
            one.send(opening(tmp_path / "copy", CREATE, 2))
            _, _, body = await one.answer()
        copying = struct.pack(">QQ", 0, 0)
        with gateway.api.deciding("deny", containing=f"copy {people} into {tmp_path}/copy"):
            one.send(packet(Kind.EXTENDED, 3, string(b"copy-data"), string(source), copying, body, bytes(8)))
            assert code(await one.answer()) == DENIED
        one.send(packet(Kind.EXTENDED, 4, string(b"copy-data"), string(b"none"), copying, body, bytes(8)))
        assert code(await one.answer()) == UNSUPPORTED
        assert (tmp_path / "copy").read_bytes() == b""


@pytest.mark.parametrize(("flags", "answered"), [(2 | CREATE, 0), (4 | CREATE, DENIED)])
async def test_cutting_a_file_is_part_of_writing_it_anew_and_not_of_appending(
    gateway: SshGateway, tmp_path: Path, flags: int, answered: int
) -> None:
    """scp ends each of its uploads so."""
    async with talk(gateway) as one:
        with gateway.api.deciding("approve", containing=f"open {tmp_path}/made"):
            one.send(opening(tmp_path / "made", flags & ~0x10, 1))
            _, _, handle = await one.answer()
        one.send(packet(Kind.WRITE, 2, handle, bytes(8), string(b"abc")))
        assert code(await one.answer()) == 0
        one.send(packet(Kind.FSETSTAT, 3, handle, struct.pack(">IQ", 1, 2)))
        assert code(await one.answer()) == answered
        one.send(packet(Kind.FSETSTAT, 4, handle, struct.pack(">II", 4, 0o4755)))
        assert code(await one.answer()) == DENIED
    assert (tmp_path / "made").read_bytes() == (b"abc" if answered else b"ab")


async def test_answers_keep_to_their_requests_around_one_that_is_held(
    gateway: SshGateway, people: Path, tmp_path: Path
) -> None:
    async with talk(gateway) as one:
        look = string(str(people).encode())
        with gateway.api.deciding("approve", containing=f"{tmp_path}/made"):
            one.send(
                packet(Kind.STAT, 5, look),
                packet(Kind.MKDIR, 6, string(f"{tmp_path}/made".encode()), bytes(4)),
            )
            one.send(*(packet(Kind.STAT, n, look) for n in range(7, 300)))
            requests = [(await one.answer())[1] for _ in range(295)]
        assert requests == list(range(5, 300))
