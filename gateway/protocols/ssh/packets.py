"""SFTP's packets: framing, what a request asks for, and the answers that the gateway gives itself.

https://datatracker.ietf.org/doc/html/draft-ietf-secsh-filexfer-02 and OpenSSH's PROTOCOL. An operation is judged as the
shell command that does the same, so that paths mean here what they mean there.
"""

from __future__ import annotations

import shlex
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from gateway.facts.shell import read as read_shell
from gateway.model import Effect, Facts

LONGEST = 256 * 1024 + 1024
"""Bytes of one packet (OpenSSH's own limit is 256 KiB)."""
AHEAD = 256
"""Requests that may wait behind one that is being judged."""
END, DENIED, UNSUPPORTED = 1, 3, 8
_READ, _WRITE, _APPEND, _CREATE, _TRUNCATE = 0x01, 0x02, 0x04, 0x08, 0x10
_SIZE, _OWNER, _MODE, _TIMES = 0x01, 0x02, 0x04, 0x08


class Kind(IntEnum):
    INIT = 1
    OPEN = 3
    CLOSE = 4
    READ = 5
    WRITE = 6
    LSTAT = 7
    FSTAT = 8
    SETSTAT = 9
    FSETSTAT = 10
    OPENDIR = 11
    READDIR = 12
    REMOVE = 13
    MKDIR = 14
    RMDIR = 15
    REALPATH = 16
    STAT = 17
    RENAME = 18
    READLINK = 19
    SYMLINK = 20
    STATUS = 101
    HANDLE = 102
    DATA = 103
    EXTENDED = 200
    EXTENDED_REPLY = 201
    OTHER = 0


PASSES = frozenset(
    {
        Kind.INIT, Kind.CLOSE, Kind.READ, Kind.WRITE, Kind.LSTAT, Kind.FSTAT, Kind.READDIR, Kind.REALPATH, Kind.STAT, Kind.READLINK,
    }
)  # fmt: skip
"""What speaks of an open file, or looks at a name alone."""
_PLAIN_EXTENSIONS = frozenset(
    {
        "limits@openssh.com", "fsync@openssh.com", "statvfs@openssh.com", "fstatvfs@openssh.com", "expand-path@openssh.com",
        "home-directory", "users-groups-by-id@openssh.com", "copy-data",
    }
)  # fmt: skip


class Malformed(Exception):
    """Bytes that are no SFTP."""


@dataclass(frozen=True, slots=True)
class Packet:
    kind: Kind
    request: int
    data: bytes = field(repr=False)
    """The whole packet, its length included."""


class Packets:
    """Cuts a stream into packets."""

    def __init__(self) -> None:
        self._kept = b""

    def feed(self, data: bytes) -> Iterator[Packet]:
        """Raises `Malformed` for a packet that is too long or too short."""
        self._kept += data
        at = 0
        while len(self._kept) - at >= 5:
            (length,) = struct.unpack_from(">I", self._kept, at)
            if not 1 <= length <= LONGEST:
                raise Malformed(f"a packet of {length} bytes")
            if len(self._kept) - at < 4 + length:
                break
            whole = self._kept[at : at + 4 + length]
            at += 4 + length
            number = whole[4]
            kind = Kind(number) if number in Kind._value2member_map_ else Kind.OTHER
            request = int.from_bytes(whole[5:9], "big") if length >= 5 else 0
            yield Packet(kind, request, whole)
        self._kept = self._kept[at:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a request would do."""

    text: str
    facts: Facts
    path: str = ""
    unknown: bool = False


def asked(packet: Packet, paths: Mapping[bytes, str]) -> Asked | None:
    """None for what asks for nothing new. `paths` are those of the open handles. Raises `Malformed`."""
    if packet.kind in PASSES:
        return None
    look = _Fields(packet.data, 9)
    match packet.kind:
        case Kind.OPEN:
            path, flags = look.text(), look.number()
            return _opened(path, flags)
        case Kind.OPENDIR:
            return _as_shell("list {}", "ls -la -- {}", look.text())
        case Kind.REMOVE:
            return _as_shell("remove {}", "rm -- {}", look.text())
        case Kind.RMDIR:
            return _as_shell("remove the directory {}", "rmdir -- {}", look.text())
        case Kind.MKDIR:
            return _as_shell("make the directory {}", "mkdir -- {}", look.text())
        case Kind.RENAME:
            return _as_shell("rename {} to {}", "mv -- {} {}", look.text(), look.text())
        case Kind.SYMLINK:
            # OpenSSH has them the other way round than the draft: what it points at comes first.
            return _as_shell("link {} as {}", "ln -s -- {} {}", look.text(), look.text())
        case Kind.SETSTAT:
            return _attributes(look.text(), look)
        case Kind.FSETSTAT:
            return _attributes(paths.get(look.string(), ""), look)
        case Kind.EXTENDED:
            return _extended(look.text(), look)
        case _:
            return Asked(text="an operation that is not known", facts=_UNKNOWN, unknown=True)


_UNKNOWN = Facts(effects=frozenset({Effect.UNKNOWN}), complete=False)


def _opened(path: str, flags: int) -> Asked:
    quoted = shlex.quote(path)
    lines: list[str] = []
    if flags & _READ:
        lines.append(f"cat -- {quoted}")
    if flags & (_WRITE | _APPEND | _CREATE | _TRUNCATE):
        lines.append(f"printf x {'>>' if flags & _APPEND else '>'} {quoted}")
    modes = " and ".join(
        word for bit, word in ((_READ, "reading"), (_WRITE | _APPEND, "writing")) if flags & bit
    )
    return Asked(
        text=f"open {path} for {modes or 'nothing'}",
        facts=_known(path, read_shell("; ".join(lines)) if lines else _UNKNOWN),
        path=path,
    )


def _attributes(path: str, look: _Fields) -> Asked:
    flags = look.number()
    lines: list[tuple[str, str]] = []
    if flags & _SIZE:
        size = look.number(8)
        lines.append((f"cut {{}} to {size} bytes", f"truncate -s {size} -- {{}}"))
    if flags & _OWNER:
        owner, group = look.number(), look.number()
        lines.append((f"give {{}} to {owner}:{group}", f"chown {owner}:{group} -- {{}}"))
    if flags & _MODE:
        mode = look.number() & 0o7777
        lines.append((f"set the mode of {{}} to {mode:04o}", f"chmod {mode:04o} -- {{}}"))
    if flags & _TIMES:
        lines.append(("set the times of {}", "touch -- {}"))
    quoted = shlex.quote(path)
    text = " and ".join(words.format(path) for words, _ in lines) or f"change nothing of {path}"
    facts = read_shell("; ".join(line.format(quoted) for _, line in lines)) if lines else read_shell(":")
    return Asked(text=text, facts=_known(path, facts), path=path)


def _extended(name: str, look: _Fields) -> Asked | None:
    if name in _PLAIN_EXTENSIONS:
        return None
    match name:
        case "posix-rename@openssh.com":
            return _as_shell("rename {} to {}", "mv -- {} {}", look.text(), look.text())
        case "hardlink@openssh.com":
            return _as_shell("link {} as {}", "ln -- {} {}", look.text(), look.text())
        case "lsetstat@openssh.com":
            return _attributes(look.text(), look)
        case _:
            return Asked(text="an extension that is not known", facts=_UNKNOWN, unknown=True)


def _as_shell(words: str, line: str, *paths: str) -> Asked:
    facts = read_shell(line.format(*map(shlex.quote, paths)))
    for path in paths:
        facts = _known(path, facts)
    return Asked(text=words.format(*paths), facts=facts, path=paths[0])


def _known(path: str, facts: Facts) -> Facts:
    """A path that is none, or one that a shell would read otherwise, makes the operation unknown."""
    return facts if path and "\0" not in path else _UNKNOWN


class _Fields:
    """Reads a packet's fields in order. Raises `Malformed` behind its end."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at

    def number(self, width: int = 4) -> int:
        return int.from_bytes(self._take(width), "big")

    def string(self) -> bytes:
        return self._take(self.number())

    def text(self) -> str:
        return self.string().decode("utf-8", "surrogateescape")

    def _take(self, count: int) -> bytes:
        piece = self._data[self._at : self._at + count]
        if len(piece) != count:
            raise Malformed("a packet that ends too early")
        self._at += count
        return piece


def read_fields(packet: Packet) -> tuple[bytes, int, int]:
    """Handle, offset and length of a READ."""
    look = _Fields(packet.data, 9)
    return look.string(), look.number(8), look.number()


def handle(packet: Packet) -> bytes:
    return _Fields(packet.data, 9).string()


def body(packet: Packet) -> bytes:
    return _Fields(packet.data, 9).string()


def asks_limits(packet: Packet) -> bool:
    return _Fields(packet.data, 9).text() == "limits@openssh.com"


def shorter_reads(packet: Packet, *, by: int) -> bytes:
    """The answer to `limits@openssh.com` with room left in a read: its second number is the longest."""
    if packet.kind is not Kind.EXTENDED_REPLY or len(packet.data) < 9 + 32:
        return packet.data
    longest = int.from_bytes(packet.data[17:25], "big")
    shorter = max(by, longest - by) if longest else 0
    return packet.data[:17] + shorter.to_bytes(8, "big") + packet.data[25:]


def read(request: int, handle: bytes, offset: int, length: int) -> bytes:
    return _packet(Kind.READ, request, _string(handle), offset.to_bytes(8, "big"), length.to_bytes(4, "big"))


def content(request: int, data: bytes) -> bytes:
    return _packet(Kind.DATA, request, _string(data))


def status(request: int, code: int, message: str) -> bytes:
    return _packet(
        Kind.STATUS,
        request,
        code.to_bytes(4, "big"),
        _string(message.encode("utf-8", "replace")),
        _string(b"en"),
    )


def _packet(kind: Kind, request: int, *parts: bytes) -> bytes:
    body = bytes([kind]) + request.to_bytes(4, "big") + b"".join(parts)
    return len(body).to_bytes(4, "big") + body


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data
