"""File transfer (SFTP version 3, draft-ietf-secsh-filexfer-02): every operation on a path is a command of its own.

Requests go on in the order they came, many at a time; one that waits for people keeps those behind it waiting. A refused
one is answered with a status, and the transfer goes on. What a file's own bytes hide is masked with as many stars: a
read is widened by what a value can be long, so that no value is cut by where a client happens to read.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from gateway.hosted import SessionOver
from gateway.model import Block
from gateway.protocols.ssh import asking, packets
from gateway.protocols.ssh.channel import Channel
from gateway.protocols.ssh.digests import Digest
from gateway.protocols.ssh.flow import BINARY, Upstream
from gateway.protocols.ssh.packets import Kind, Malformed, Packet
from gateway.wire import CommandAnswered, Mask

AROUND = 8_192
"""Bytes before and behind a read that are looked at as well: more than any common private key has."""
AT_ONCE = 64 * 1024
"""Bytes looked through at once: a mask covers a text whole that holds too many values."""
WAITS = "requests wait"


async def run(channel: Channel) -> None:
    """Serve one `sftp` subsystem."""
    command = asking.sftp()
    ruling = await channel.judge(command)
    if isinstance(ruling.verdict, Block):
        channel.refuse(ruling.verdict)
        channel.channel.exit(1)
        return
    transfer = _Transfer(channel)
    upstream = await channel.open(transfer, subsystem="sftp")
    transfer.upstream = upstream
    channel.feed(transfer.received)
    serving = channel.client.spawn(transfer.serve())
    await upstream.gone
    serving.cancel()
    channel.client.seat.answered(CommandAnswered(command.id, outcome=f"exit {upstream.status}"))
    channel.leave(upstream)


@dataclass(slots=True)
class _File:
    """What was opened, and what came of it."""

    command_id: str
    path: str
    mask: Mask
    rewrites: bool = False
    """Whether its being opened let all that it holds be replaced."""
    read: Digest = field(default_factory=Digest)
    written: Digest = field(default_factory=Digest)
    masked: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Read:
    """A read of a masked file: `length` bytes are wanted, `before` came in front of them, and others behind them."""

    file: _File
    handle: bytes
    start: int
    before: int
    length: int
    got: bytes = b""

    @property
    def lacks(self) -> int:
        return self.before + self.length + AROUND - len(self.got)


@dataclass(slots=True)
class _Pending:
    """A request that the target has not answered."""

    kind: Kind
    command_id: str = ""
    opening: _File | None = None
    reading: _Read | None = None
    file: _File | None = None
    """Of a write, or of a read that is not masked."""
    offset: int = 0
    limits: bool = False


class _Transfer:
    upstream: Upstream

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._asked: asyncio.Queue[Packet | None] = asyncio.Queue()
        self._waiting = 0
        """Bytes in the queue."""
        self._from_client = packets.Packets()
        self._from_target = packets.Packets()
        self._begun = False
        self._ended = False
        self._greeted = False
        self._open: dict[bytes, _File] = {}
        self._pending: dict[int, _Pending] = {}

    # From the client.

    def received(self, data: bytes) -> None:
        if not data:
            self._asked.put_nowait(None)
            return
        try:
            for packet in self._from_client.feed(data):
                self._asked.put_nowait(packet)
                self._waiting += len(packet.data)
                self._channel.keep(len(packet.data))
        except Malformed as malformed:
            self._end(malformed)
        if self._full():
            self._channel.read(False, WAITS)

    def _full(self) -> bool:
        return self._asked.qsize() > packets.AHEAD or self._waiting > self._channel.client.pending_bytes

    async def serve(self) -> None:
        try:
            while (packet := await self._asked.get()) is not None:
                self._waiting -= len(packet.data)
                self._channel.keep(-len(packet.data))
                if not self._full():
                    self._channel.read(True, WAITS)
                await self._channel.flowing.wait()
                await self._one(packet)
            self._ended = True
            self._end_if_answered()
        except Malformed as malformed:
            self._end(malformed)
        except SessionOver:
            self.upstream.channel.abort()

    def _end_if_answered(self) -> None:
        """A read may take several of the target, so its end waits for all answers."""
        if self._ended and not self._pending and not self.upstream.channel.is_closing():
            self.upstream.channel.write_eof()

    def _end(self, malformed: Malformed) -> None:
        """What cannot be accounted for is not sent on."""
        self._channel.say(f"This is no SFTP: {malformed}.")
        self.upstream.channel.abort()

    async def _one(self, packet: Packet) -> None:
        if packet.kind is Kind.INIT or not self._begun:
            self._begin(packet)
            return
        if packet.request in self._pending:
            raise Malformed("two requests of one number")
        if packet.kind in packets.BY_HANDLE and packets.handle(packet) not in self._open:
            # Whoever guesses a handle before it was given would get past what its file is masked with.
            self._tell(packets.status(packet.request, packets.FAILURE, "No such handle."))
            return
        cut = packets.cut_at(packet)
        if cut is not None and self._open[cut[0]].rewrites:
            # Clients end an upload so where they opened the file without emptying it.
            self._open[cut[0]].written.cut(cut[1])
            self._go_on(packet)
            return
        asked = packets.asked(packet, {handle: file.path for handle, file in self._open.items()})
        if asked is None:
            self._go_on(packet)
            return
        if asked.unknown:
            self._tell(packets.status(packet.request, packets.UNSUPPORTED, "This operation is not served."))
            return
        command = asking.operation(packet, asked)
        ruling = await self._channel.judge(command)
        if isinstance(ruling.verdict, Block):
            decided = f"{ruling.verdict.message} Decided by {', '.join(ruling.verdict.rules)}."
            self._tell(packets.status(packet.request, packets.DENIED, decided))
            self._channel.refuse(ruling.verdict)  # OpenSSH's client shows its own words for the status
            return
        pending = _Pending(packet.kind, command.id)
        if packet.kind in {Kind.OPEN, Kind.OPENDIR}:
            rewrites = packet.kind is Kind.OPEN and packets.rewrites(packet)
            pending.opening = _File(command.id, asked.path, ruling.mask, rewrites)
        self._send(packet, pending)

    def _begin(self, packet: Packet) -> None:
        if packet.kind is not Kind.INIT or self._begun:
            raise Malformed("it begins once, with INIT")
        self._begun = True
        self.upstream.channel.write(packets.init())

    def _go_on(self, packet: Packet) -> None:
        """What asks for nothing new: it speaks of what was opened before."""
        pending = _Pending(packet.kind, limits=packets.asks_limits(packet))
        if packet.kind is Kind.READ:
            handle, offset, length = packets.read_fields(packet)
            file = self._open[handle]
            if file.mask.detects:
                before = min(offset, AROUND)
                length = min(length, packets.LARGEST_READ)
                pending.reading = _Read(file, handle, offset - before, before, length)
                packet = packets.read(packet.request, handle, offset - before, pending.reading.lacks)
            else:
                pending.file, pending.offset = file, offset
        elif packet.kind is Kind.WRITE:
            handle, offset, data = packets.written(packet)
            pending.file = self._open[handle]
            pending.file.written.add(offset, data)
        elif packet.kind is Kind.CLOSE:
            self._closed(self._open.pop(packets.handle(packet)))
        self._send(packet, pending)

    def _send(self, packet: Packet, pending: _Pending) -> None:
        if not self.upstream.channel.is_closing():
            self._pending[packet.request] = pending
            self.upstream.channel.write(packet.data)

    def _closed(self, file: _File) -> None:
        outcome = f"read {file.read}; wrote {file.written}"
        self._answered(CommandAnswered(file.command_id, outcome=outcome, masked=file.masked))

    def _answered(self, event: CommandAnswered) -> None:
        self._channel.client.seat.answered(event)

    def _tell(self, data: bytes) -> None:
        self._channel.write(data, error=False)

    # From the target (in place of `flow.Answer`: what it says is framed, and files are masked by their bytes).

    def came(self, data: bytes, *, error: bool) -> None:
        if error:
            return
        self._channel.client.seat.active()
        for packet in self._from_target.feed(data):
            if answer := self._answer(packet):
                self._tell(answer)
        self._end_if_answered()

    def _answer(self, packet: Packet) -> bytes:
        """The packet as the client gets it; nothing where more has to come first. Raises `Malformed`."""
        if packet.kind is Kind.VERSION:
            if not self._begun or self._greeted or packet.request != packets.VERSION_3:
                raise Malformed("the target speaks another version")
            self._greeted = True
            return packet.data
        pending = self._pending.pop(packet.request, None)
        if pending is None:
            raise Malformed("the target answers what nobody asked")
        if packet.kind is not Kind.STATUS and packet.kind not in packets.ANSWERS.get(pending.kind, ()):
            raise Malformed("the target answers something else")
        if pending.opening is not None and packet.kind is Kind.HANDLE:
            if packets.handle(packet) in self._open:
                raise Malformed("the target gives a handle twice")
            self._open[packets.handle(packet)] = pending.opening
        elif pending.command_id:
            code = packets.status_code(packet) if packet.kind is Kind.STATUS else 0
            self._answered(CommandAnswered(pending.command_id, outcome=f"status {code}", failed=code != 0))
        if pending.reading is not None:
            return self._part(packet, pending, pending.reading)
        if pending.file is not None and packet.kind is Kind.DATA:
            pending.file.read.add(pending.offset, packets.body(packet))
        elif pending.kind is Kind.WRITE and pending.file is not None and packets.status_code(packet):
            pending.file.written.lost()
        return packets.shorter_reads(packet, by=2 * AROUND) if pending.limits else packet.data

    def _part(self, packet: Packet, pending: _Pending, reading: _Read) -> bytes:
        """Targets give less than was asked for at the end of a file, and whenever they like: only they know which it was."""
        if packet.kind is Kind.STATUS:
            return self._wanted(packet, reading) if reading.got else packet.data
        reading.got += packets.body(packet)
        at = reading.start + len(reading.got)
        if reading.lacks <= 0 or not packets.body(packet) or at > packets.LAST_OFFSET:
            return self._wanted(packet, reading)
        if self._open.get(reading.handle) is not reading.file:
            return packets.status(packet.request, packets.FAILURE, "The file was closed.")
        self._send(packets.read(packet.request, reading.handle, at, reading.lacks), pending)
        return b""

    def _wanted(self, packet: Packet, reading: _Read) -> bytes:
        first, last = reading.before, reading.before + reading.length
        covered: bytes | bytearray = reading.got
        text = not self._channel.client.exact or BINARY not in reading.got
        for at in range(first, min(last, len(covered)), AT_ONCE) if text else ():
            base = max(0, at - AROUND)
            for start, end, name in reading.file.mask.find(reading.got[base : at + AT_ONCE + AROUND]):
                covered = covered if isinstance(covered, bytearray) else bytearray(covered)
                covered[base + start : base + end] = b"*" * (end - start)
                if at <= base + start < min(last, at + AT_ONCE):
                    reading.file.masked[name] = reading.file.masked.get(name, 0) + 1
        wanted = bytes(covered[first:last])
        reading.file.read.add(reading.start + first, wanted)
        return (
            packets.content(packet.request, wanted)
            if wanted
            else packets.status(packet.request, packets.END, "")
        )

    def quiet(self) -> None: ...

    def rest(self) -> None: ...

    def failed(self, why: str) -> None:
        self._channel.say(why)

    def over(self, outcome: str, *, failed: bool) -> None:
        del outcome, failed
        for file in self._open.values():
            self._closed(file)
        self._open.clear()
