"""An errand on an upstream connection of its own: a cancel request, and what it needs before it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from gateway.end import End, Owner
from gateway.tls import TlsLayer, end_point
from gateway.upstream.dial import Dialer
from gateway.wire import Event, Hangup, ProtocolViolation, Send, Side, StartTls, Wire

log = logging.getLogger("countersign.relay")


class Errand(Owner):
    """Lets a wire talk to the upstream alone until it hangs up; `gateway.pending` waits for that."""

    def __init__(self, wire: Wire, dialer: Dialer) -> None:
        self._wire = wire
        self._dialer = dialer
        self.end = End(Side.UPSTREAM, self)
        self.over = asyncio.Event()

    def start(self) -> None:
        """The upstream is reached."""
        self._carry_out(self._wire.start())

    def _carry_out(self, events: Sequence[Event]) -> None:
        for event in events:
            match event:
                case Send(Side.UPSTREAM, data):
                    self.end.send(data)
                case StartTls(Side.UPSTREAM, _):
                    self._dialer.start_tls(self.end)
                case Hangup():
                    self.over.set()
                case _:
                    raise AssertionError(f"an errand cannot {event}")

    def opened(self, peer: str) -> None:
        """Only clients are announced."""

    def received(self, side: Side, data: bytes) -> None:
        try:
            self._carry_out(self._wire.receive(side, data))
        except ProtocolViolation as violation:
            self.failed(side, str(violation))
        if not data:
            self.over.set()

    def tls_up(self, side: Side, tls: TlsLayer) -> None:
        self._carry_out(self._wire.tls_started(side, end_point(tls.peer_certificate)))

    def congested(self, side: Side, full: bool) -> None:  # noqa: FBT001
        """There is nobody to be slowed down."""

    def failed(self, side: Side, reason: str) -> None:
        log.warning("an errand upstream failed", extra={"side": side.value, "reason": reason})
        self.over.set()
