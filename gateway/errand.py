"""An errand on an upstream connection of its own: a cancel request, and what it needs before it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from gateway.end import End
from gateway.tls import TlsLayer, end_point
from gateway.upstream.dial import Dialer, UpstreamUnreachable
from gateway.wire import Event, Hangup, ProtocolViolation, Send, Side, StartTls, Wire

log = logging.getLogger("countersign.relay")

DEADLINE = 10.0
"""Seconds until an errand that got no answer is given up."""


async def run_errand(wire: Wire, dialer: Dialer) -> None:
    """Let `wire` talk to the upstream alone until it hangs up."""
    done = asyncio.Event()

    def carry_out(events: Sequence[Event]) -> None:
        for event in events:
            match event:
                case Send(Side.UPSTREAM, data):
                    end.send(data)
                case StartTls(Side.UPSTREAM, _):
                    dialer.start_tls(end)
                case Hangup():
                    done.set()
                case _:
                    raise AssertionError(f"an errand cannot {event}")

    def received(side: Side, data: bytes) -> None:
        try:
            carry_out(wire.receive(side, data))
        except ProtocolViolation as violation:
            failed(side, str(violation))
        if not data:
            done.set()

    def tls_up(side: Side, tls: TlsLayer) -> None:
        carry_out(wire.tls_started(side, end_point(tls.peer_certificate)))

    def failed(_side: Side, reason: str) -> None:
        log.warning("an errand upstream failed", extra={"reason": reason})
        done.set()

    end = End(
        Side.UPSTREAM, received=received, tls_up=tls_up, congested=lambda _side, _full: None, failed=failed
    )
    try:
        async with asyncio.timeout(DEADLINE):
            await dialer.connect(end)
            carry_out(wire.start())
            await done.wait()
    except (UpstreamUnreachable, TimeoutError) as failure:
        log.warning("an errand upstream failed", extra={"reason": str(failure)})
    finally:
        end.close()
