"""File transfer (SFTP version 3, draft-ietf-secsh-filexfer-02): every operation on a path is a command of its own.

Requests go on in the order they came, many at a time; one that waits for people keeps those behind it waiting. A refused
one is answered with a status, and the transfer goes on. What a file's own bytes hide is masked with as many stars: a
read is widened by what a value can be long, so that no value is cut by where a client happens to read.
"""

from __future__ import annotations

import asyncio

from gateway.model import Block
from gateway.protocols.ssh import asking, packets
from gateway.protocols.ssh.channel import Channel
from gateway.protocols.ssh.flow import Upstream
from gateway.protocols.ssh.packets import Kind, Packet
from gateway.wire import CommandAnswered, Mask

AROUND = 2_048
"""Bytes before and behind a read that are looked at as well."""


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


class _Transfer:
    upstream: Upstream

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._asked: asyncio.Queue[Packet | None] = asyncio.Queue()
        self._from_client = packets.Packets()
        self._from_target = packets.Packets()
        self._opening: dict[int, tuple[str, Mask]] = {}
        self._open: dict[bytes, tuple[str, Mask]] = {}
        self._limits: set[int] = set()
        self._reads: dict[int, tuple[Mask, int, int]] = {}
        """Request -> its file's mask, how many bytes were read before what was wanted, and how many were wanted."""

    # From the client.

    def received(self, data: bytes) -> None:
        if not data:
            self._asked.put_nowait(None)
            return
        try:
            for packet in self._from_client.feed(data):
                self._asked.put_nowait(packet)
        except packets.Malformed as malformed:
            self._end(malformed)
        if self._asked.qsize() > packets.AHEAD:
            self._channel.read(False)

    async def serve(self) -> None:
        while (packet := await self._asked.get()) is not None:
            if self._asked.qsize() <= packets.AHEAD:
                self._channel.read(True)
            try:
                await self._one(packet)
            except packets.Malformed as malformed:
                self._end(malformed)
                return
        self.upstream.channel.write_eof()

    def _end(self, malformed: packets.Malformed) -> None:
        """What cannot be accounted for is not sent on."""
        self._channel.say(f"This is no SFTP: {malformed}.")
        self.upstream.channel.abort()

    async def _one(self, packet: Packet) -> None:
        paths = {handle: path for handle, (path, _) in self._open.items()}
        asked = packets.asked(packet, paths)
        if asked is None:
            self._go_on(packet)
            return
        if asked.unknown:
            self._tell(packets.status(packet.request, packets.UNSUPPORTED, "This operation is not served."))
            return
        command = asking.command(asked.text, asked.facts, b"sftp", packet.data)
        ruling = await self._channel.judge(command)
        if isinstance(ruling.verdict, Block):
            decided = f"{ruling.verdict.message} Decided by {', '.join(ruling.verdict.rules)}."
            self._tell(packets.status(packet.request, packets.DENIED, decided))
            self._channel.refuse(ruling.verdict)  # OpenSSH's client shows its own words for the status
            return
        self._channel.client.seat.answered(CommandAnswered(command.id, outcome="let through"))
        if packet.kind is Kind.OPEN:
            self._opening[packet.request] = (asked.path, ruling.mask)
        self._send(packet.data)

    def _go_on(self, packet: Packet) -> None:
        """What asks for nothing new: it speaks of what was opened before."""
        if packet.kind is Kind.READ:
            handle, offset, length = packets.read_fields(packet)
            _, mask = self._open.get(handle, ("", None))
            if mask is not None and mask.detects:
                before = min(offset, AROUND)
                self._reads[packet.request] = (mask, before, length)
                self._send(packets.read(packet.request, handle, offset - before, before + length + AROUND))
                return
        elif packet.kind is Kind.CLOSE:
            self._open.pop(packets.handle(packet), None)
        elif packet.kind is Kind.EXTENDED and packets.asks_limits(packet):
            self._limits.add(packet.request)
        self._send(packet.data)

    def _send(self, data: bytes) -> None:
        self.upstream.channel.write(data)

    def _tell(self, data: bytes) -> None:
        self._channel.write(data, error=False)

    # From the target (in place of `flow.Answer`: what it says is framed, and files are masked by their bytes).

    def came(self, data: bytes, *, error: bool) -> None:
        if error:
            return
        for packet in self._from_target.feed(data):
            self._tell(self._answer(packet))

    def _answer(self, packet: Packet) -> bytes:
        request = packet.request
        opening = self._opening.pop(request, None)
        if opening is not None and packet.kind is Kind.HANDLE:
            self._open[packets.handle(packet)] = opening
        reading = self._reads.pop(request, None)
        if reading is not None and packet.kind is Kind.DATA:
            mask, before, length = reading
            wanted = _covered(packets.body(packet), mask)[before : before + length]
            return packets.content(request, wanted) if wanted else packets.status(request, packets.END, "")
        if request in self._limits:
            self._limits.discard(request)
            return packets.shorter_reads(packet, by=2 * AROUND)
        return packet.data

    def rest(self) -> None: ...

    def failed(self, why: str) -> None:
        self._channel.say(why)

    def over(self, outcome: str, *, failed: bool) -> None: ...


def _covered(data: bytes, mask: Mask) -> bytes:
    hits = mask.find(data)
    if not hits:
        return data
    covered = bytearray(data)
    for start, end, _ in hits:
        covered[start:end] = b"*" * (end - start)
    return bytes(covered)
