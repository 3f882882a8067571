"""One side of a session: a transport, and TLS over it once that has begun."""

from __future__ import annotations

import asyncio
import ssl
from abc import ABC, abstractmethod
from typing import Final, cast

from gateway.pace import Pace
from gateway.tls import TlsFailed, TlsLayer
from gateway.wire import Side

BUFFERED: Final = 512 * 1024
"""Bytes for one side that wait to be sent before the other side is read no further: two reads of the event loop's."""
LIGHT: Final = 16 * 1024
"""A read of fewer bytes has emptied the socket: nobody waits for what comes behind it."""
BULK: Final = 1024 * 1024
"""Bytes from one side, since it was last sent anything, from which on its reads are made larger."""
GATHERED: Final = 64 * 1024
"""Bytes of one read that are enough at once."""
PAUSE: Final = 0.001
"""Seconds for which more is let come behind a smaller read, amid a long answer.

PostgreSQL sends 8 KiB at a time; to be woken for each costs more than all that is done with it.
"""


class Owner(ABC):
    """Whom the ends of a session tell what happens to them.

    No `Protocol`: compiled code finds its methods by name, at each call, and those of a class by their place.
    """

    @abstractmethod
    def opened(self, peer: str) -> None:
        """First of all, on the client's side: its address."""

    @abstractmethod
    def received(self, side: Side, data: bytes) -> None:
        """Plaintext; b"" once, when that side has closed."""

    @abstractmethod
    def tls_up(self, side: Side, tls: TlsLayer) -> None:
        """A handshake has ended well."""

    @abstractmethod
    def congested(self, side: Side, full: bool) -> None:  # noqa: FBT001
        """The write buffer of that side has filled, or drained."""

    @abstractmethod
    def failed(self, side: Side, reason: str) -> None:
        """TLS on that side broke."""


class End:
    """Reads and writes for one side, told to its owner by plain calls; to the event loop it is an `asyncio.Protocol`."""

    def __init__(self, side: Side, owner: Owner) -> None:
        self._side = side
        self._owner = owner
        self._tls: TlsLayer | None = None
        self._closed = False
        self._paused = False
        self._resting = False
        self._came = 0
        """Bytes, since something was last sent to this side."""
        self._pace = Pace()
        self._waiting = b""
        """What was read and has to wait for its turn; meanwhile nothing is read.

        libuv reads a socket that stays ready up to 32 times before it looks at any other, and one read may be the work of
        a second, if somebody means it to be: everybody else would wait for all of it.
        """
        self.transport: asyncio.Transport | None = None

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(high=BUFFERED)
        if self._paused:
            # Transports begin to read once this is over, whatever they are told here.
            asyncio.get_running_loop().call_soon(self._turn)
        if self._side is Side.CLIENT:
            name = transport.get_extra_info("peername")
            self._owner.opened(f"{name[0]}:{name[1]}" if isinstance(name, tuple) else "local")

    def data_received(self, data: bytes) -> None:
        size = len(data)
        self._came += size
        if self._waiting:
            self._waiting += data  # some transports hand over one more read after they were paused
        elif size < LIGHT and size <= self._pace.portion and self._came < BULK:
            self._took(data)
        else:
            self._waiting = data
            self._take()

    def _take(self) -> None:
        """A portion of what waits; the rest once the others had their turn."""
        data, self._waiting = self._waiting, b""
        portion = self._pace.begin()
        if len(data) > portion:
            data, self._waiting = data[:portion], data[portion:]
        self._took(data)
        if self._pace.worked(len(data)) or self._waiting:
            self._rest(0.0)
        elif len(data) < GATHERED and self._came >= BULK:
            self._rest(PAUSE)

    def _took(self, data: bytes) -> None:
        if self._tls is not None:
            self._decrypt(data)
        elif not self._closed:
            self._owner.received(self._side, data)

    def eof_received(self) -> bool:
        self._peer_closed()
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio names it
        self._peer_closed()

    def pause_writing(self) -> None:
        self._owner.congested(self._side, True)

    def resume_writing(self) -> None:
        self._owner.congested(self._side, False)

    # What the owner calls.

    def send(self, data: bytes) -> None:
        if self._closed or self.transport is None:
            return
        self._came = 0
        self.transport.write(data if self._tls is None else self._tls.send(data))

    def start_tls(
        self, context: ssl.SSLContext, *, server_hostname: str | None = None, received: bytes = b""
    ) -> None:
        """Begin a handshake: as a server toward a client, as a client toward an upstream."""
        assert self.transport is not None
        self._tls = TlsLayer(context, server_side=self._side is Side.CLIENT, server_hostname=server_hostname)
        if received or self._side is Side.UPSTREAM:
            self._decrypt(received)

    def read(self, *, paused: bool) -> None:
        self._paused = paused
        if self._waiting and not paused and not self._resting:
            self._rest(0.0)
        self._turn()

    def close(self) -> None:
        """Send what is buffered, then close."""
        self._closed = True
        self._waiting = b""
        if self.transport is None or self.transport.is_closing():
            return
        if self._tls is not None:
            self.transport.write(self._tls.close())
        self.transport.close()

    def abort(self) -> None:
        """Close now; what is buffered is dropped."""
        self._closed = True
        self._waiting = b""
        if self.transport is not None:
            self.transport.abort()

    def _rest(self, seconds: float) -> None:
        """Read no more for so long, and until everybody else who is ready had a turn."""
        self._resting = True
        self._turn()
        asyncio.get_running_loop().call_later(seconds, self._rested)

    def _rested(self) -> None:
        self._resting = False
        if self._waiting and not self._paused:
            self._take()
        self._turn()

    def _turn(self) -> None:
        if self.transport is None or self.transport.is_closing():
            return
        if self._paused or self._resting or self._waiting:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    def _decrypt(self, data: bytes) -> None:
        assert self._tls is not None
        assert self.transport is not None
        try:
            step = self._tls.receive(data)
        except TlsFailed as failure:
            self.transport.write(self._tls.last_words)
            self._owner.failed(self._side, str(failure))
            return
        if step.reply:
            self.transport.write(step.reply)
        if step.established:
            self._owner.tls_up(self._side, self._tls)
        if step.plaintext and not self._closed:
            self._owner.received(self._side, step.plaintext)
        if step.closed:
            self._peer_closed()

    def _peer_closed(self) -> None:
        if self._waiting:
            data, self._waiting = self._waiting, b""
            self._took(data)
        if not self._closed:
            self._closed = True
            self._owner.received(self._side, b"")
