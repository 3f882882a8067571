"""An errand on an upstream connection of its own: a cancel request, and what it needs before it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from gateway.end import End, Owner
from gateway.tls import TlsLayer, end_point
from gateway.upstream.dial import Dialer
from gateway.upstream.logins import UpstreamUnreachable
from gateway.wire import Event, Hangup, ProtocolViolation, Send, Side, StartTls, Wire

log = logging.getLogger("countersign.relay")

DEADLINE = 10.0
"""Seconds until an errand that got no answer is given up."""


async def run_errand(wire: Wire, dialer: Dialer) -> None:
    """Let `wire` talk to the upstream alone until it hangs up."""
    await _Errand(wire, dialer).run()


class _Errand(Owner):
    def __init__(self, wire: Wire, dialer: Dialer) -> None:
        self._wire = wire
        self._dialer = dialer
        self._end = End(Side.UPSTREAM, self)
        self._done = asyncio.Event()

    async def run(self) -> None:
        try:
            async with asyncio.timeout(DEADLINE):
                await self._dialer.connect(self._end)
                self._carry_out(self._wire.start())
                await self._done.wait()
        except (UpstreamUnreachable, TimeoutError) as failure:
            log.warning("an errand upstream failed", extra={"reason": str(failure)})
        finally:
            self._end.close()

    def _carry_out(self, events: Sequence[Event]) -> None:
        for event in events:
            match event:
                case Send(Side.UPSTREAM, data):
                    self._end.send(data)
                case StartTls(Side.UPSTREAM, _):
                    self._dialer.start_tls(self._end)
                case Hangup():
                    self._done.set()
                case _:
                    raise AssertionError(f"an errand cannot {event}")

    def received(self, side: Side, data: bytes) -> None:
        try:
            self._carry_out(self._wire.receive(side, data))
        except ProtocolViolation as violation:
            self.failed(side, str(violation))
        if not data:
            self._done.set()

    def tls_up(self, side: Side, tls: TlsLayer) -> None:
        self._carry_out(self._wire.tls_started(side, end_point(tls.peer_certificate)))

    def failed(self, side: Side, reason: str) -> None:
        log.warning("an errand upstream failed", extra={"side": side.value, "reason": reason})
        self._done.set()
