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
VERSION_3 = 3
LARGEST_READ = 240 * 1024
LAST_OFFSET = (1 << 64) - 1
END, DENIED, FAILURE, UNSUPPORTED = 1, 3, 4, 8
_READ, _WRITE, _APPEND, _CREATE, _TRUNCATE = 0x01, 0x02, 0x04, 0x08, 0x10
_SIZE, _OWNER, _MODE, _TIMES = 0x01, 0x02, 0x04, 0x08
_SPECIAL = 0o7000
"""Set-user-ID, set-group-ID, sticky: what a mode says beyond who may open a file."""


class Kind(IntEnum):
    INIT = 1
    VERSION = 2
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
    NAME = 104
    ATTRS = 105
    EXTENDED = 200
    EXTENDED_REPLY = 201
    OTHER = 0


PASSES = frozenset(
    {
        Kind.CLOSE, Kind.READ, Kind.WRITE, Kind.LSTAT, Kind.FSTAT, Kind.READDIR, Kind.REALPATH, Kind.STAT, Kind.READLINK,
    }
)  # fmt: skip
"""What speaks of an open file, or looks at a name alone."""
BY_HANDLE = frozenset({Kind.CLOSE, Kind.READ, Kind.WRITE, Kind.FSTAT, Kind.FSETSTAT, Kind.READDIR})
ANSWERS: Mapping[Kind, frozenset[Kind]] = {
    Kind.OPEN: frozenset({Kind.HANDLE}),
    Kind.OPENDIR: frozenset({Kind.HANDLE}),
    Kind.READ: frozenset({Kind.DATA}),
    Kind.READDIR: frozenset({Kind.NAME}),
    Kind.REALPATH: frozenset({Kind.NAME}),
    Kind.READLINK: frozenset({Kind.NAME}),
    Kind.STAT: frozenset({Kind.ATTRS}),
    Kind.LSTAT: frozenset({Kind.ATTRS}),
    Kind.FSTAT: frozenset({Kind.ATTRS}),
    Kind.EXTENDED: frozenset({Kind.EXTENDED_REPLY, Kind.NAME}),
}
"""What may answer a request, beside a status."""
_PLAIN_EXTENSIONS = frozenset(
    {
        "limits@openssh.com", "fsync@openssh.com", "statvfs@openssh.com", "fstatvfs@openssh.com", "expand-path@openssh.com",
        "home-directory", "users-groups-by-id@openssh.com",
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
        self._kept: list[bytes] = []
        self._lacks = 0
        """Bytes that have to come before there is a whole packet."""

    def feed(self, data: bytes) -> Iterator[Packet]:
        """Raises `Malformed` for a packet that is too long or too short."""
        self._kept.append(data)
        self._lacks -= len(data)
        if self._lacks > 0:
            return
        data = b"".join(self._kept)
        at = 0
        while len(data) - at >= 5:
            (length,) = struct.unpack_from(">I", data, at)
            if not 5 <= length <= LONGEST:
                raise Malformed(f"a packet of {length} bytes")
            if len(data) - at < 4 + length:
                self._lacks = 4 + length - (len(data) - at)
                break
            whole = data[at : at + 4 + length]
            at += 4 + length
            number = whole[4]
            kind = Kind(number) if number in Kind._value2member_map_ else Kind.OTHER
            request = int.from_bytes(whole[5:9], "big")
            yield Packet(kind, request, whole)
        self._kept = [data[at:]]


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
            return _opened(path, flags, look)
        case Kind.OPENDIR:
            return _as_shell("list {}", "ls -la -- {}", look.text())
        case Kind.REMOVE:
            return _as_shell("remove {}", "rm -- {}", look.text())
        case Kind.RMDIR:
            return _as_shell("remove the directory {}", "rmdir -- {}", look.text())
        case Kind.MKDIR:
            path = look.text()
            words, line = _with_mode(
                f"make the directory {path}", f"mkdir -- {shlex.quote(path)}", path, look
            )
            return Asked(text=words, facts=_known(path, read_shell(line)), path=path)
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
            return _extended(look.text(), look, paths)
        case _:
            return Asked(text="an operation that is not known", facts=_UNKNOWN, unknown=True)


def behind_path(packet: Packet) -> bytes:
    """What stands behind the path of an OPEN: how the file is opened, and with which attributes it is made."""
    look = _Fields(packet.data, 9)
    look.string()
    return look.rest()


def rewrites(packet: Packet) -> bool:
    """Whether an OPEN was judged as one that may replace all that the file holds."""
    look = _Fields(packet.data, 9)
    look.string()
    flags = look.number()
    return bool(flags & _WRITE) and not flags & _APPEND


def cut_at(packet: Packet) -> tuple[bytes, int] | None:
    """Handle and size where an open file is cut, or made longer, and nothing else of it changes."""
    look = _Fields(packet.data, 9)
    if packet.kind is not Kind.FSETSTAT:
        return None
    handle = look.string()
    return (handle, look.number(8)) if look.number() == _SIZE else None


_UNKNOWN = Facts(effects=frozenset({Effect.UNKNOWN}), complete=False)


def _opened(path: str, flags: int, look: _Fields) -> Asked:
    quoted = shlex.quote(path)
    lines: list[str] = []
    if flags & _READ:
        lines.append(f"cat -- {quoted}")
    if flags & (_WRITE | _APPEND | _CREATE | _TRUNCATE):
        lines.append(f"printf x {'>>' if flags & _APPEND else '>'} {quoted}")
    modes = " and ".join(
        word for bit, word in ((_READ, "reading"), (_WRITE | _APPEND, "writing")) if flags & bit
    )
    words, line = _with_mode(f"open {path} for {modes or 'nothing'}", "; ".join(lines), path, look)
    return Asked(text=words, facts=_known(path, read_shell(line) if lines else _UNKNOWN), path=path)


def _with_mode(words: str, line: str, path: str, look: _Fields) -> tuple[str, str]:
    """What makes a file may make it set-user-ID at once."""
    flags = look.number()
    look.number(8 * bool(flags & _SIZE) + 8 * bool(flags & _OWNER))
    mode = look.number() & 0o7777 if flags & _MODE else 0
    if not mode & _SPECIAL:
        return words, line
    return f"{words} with the mode {mode:04o}", f"{line}; chmod {mode:04o} -- {shlex.quote(path)}"


def _attributes(path: str, look: _Fields) -> Asked:
    flags = look.number()
    if flags & ~(_SIZE | _OWNER | _MODE | _TIMES):
        return Asked(text="attributes that are not known", facts=_UNKNOWN, unknown=True)
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


def _extended(name: str, look: _Fields, paths: Mapping[bytes, str]) -> Asked | None:
    if name in _PLAIN_EXTENSIONS:
        return None
    match name:
        case "posix-rename@openssh.com":
            return _as_shell("rename {} to {}", "mv -- {} {}", look.text(), look.text())
        case "hardlink@openssh.com":
            return _as_shell("link {} as {}", "ln -- {} {}", look.text(), look.text())
        case "copy-data":
            source = paths.get(look.string(), "")
            look.number(16)  # from where, how much
            return _as_shell("copy {} into {}", "cp -- {} {}", source, paths.get(look.string(), ""))
        case "lsetstat@openssh.com":
            return _attributes(look.text(), look)
        case _:
            return Asked(text="an extension that is not known", facts=_UNKNOWN, unknown=True)


def _as_shell(words: str, line: str, *paths: str) -> Asked:
    facts = read_shell(line.format(*map(shlex.quote, paths)))
    for path in paths:
        facts = _known(path, facts)
    return Asked(text=words.format(*paths), facts=facts, path=paths[0], unknown=not all(paths))


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

    def rest(self) -> bytes:
        return self._data[self._at :]

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
    return packet.kind is Kind.EXTENDED and _Fields(packet.data, 9).text() == "limits@openssh.com"


def init() -> bytes:
    """Version 3 is what is read here; later ones lay out their packets otherwise."""
    return b"\0\0\0\5" + bytes([Kind.INIT]) + VERSION_3.to_bytes(4, "big")


def status_code(packet: Packet) -> int:
    return _Fields(packet.data, 9).number()


def shorter_reads(packet: Packet, *, by: int) -> bytes:
    """The answer to `limits@openssh.com` with room left in a read: its second number is the longest."""
    if packet.kind is not Kind.EXTENDED_REPLY or len(packet.data) < 9 + 32:
        return packet.data
    longest = int.from_bytes(packet.data[17:25], "big")
    shorter = max(by, longest - by) if longest else 0
    return packet.data[:17] + shorter.to_bytes(8, "big") + packet.data[25:]


def read(request: int, handle: bytes, offset: int, length: int) -> Packet:
    data = _packet(Kind.READ, request, _string(handle), offset.to_bytes(8, "big"), length.to_bytes(4, "big"))
    return Packet(Kind.READ, request, data)


def written(packet: Packet) -> tuple[bytes, int, bytes]:
    """Handle, offset and bytes of a WRITE."""
    look = _Fields(packet.data, 9)
    return look.string(), look.number(8), look.string()


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
