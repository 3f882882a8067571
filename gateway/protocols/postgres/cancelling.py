"""The errand of a cancel request: a connection to the target that carries the target's own key, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.protocols.errands import Unattended
from gateway.protocols.postgres import messages
from gateway.wire import Event, Hangup, ProtocolViolation, Send, Side, StartTls

_DONE = Hangup("the cancel request was sent")


class CancelErrand(Unattended):
    """Sends one CancelRequest, under the same TLS as the session that it is for."""

    def __init__(self, key: bytes, *, tls: str) -> None:
        self._request = messages.untagged(messages.CANCEL_REQUEST, key)
        self._tls = tls != "disable"
        self._asked = False

    def start(self) -> Sequence[Event]:
        if self._tls:
            self._asked = True
            return (Send(Side.UPSTREAM, messages.untagged(messages.SSL_REQUEST)),)
        return (Send(Side.UPSTREAM, self._request), _DONE)

    def receive(self, side: Side, data: bytes) -> Sequence[Event]:
        if side is Side.UPSTREAM and not data:
            return (Hangup("the target closed the connection before it could be asked to cancel"),)
        if side is not Side.UPSTREAM or not self._asked or data not in {b"S", b"N"}:
            raise ProtocolViolation("nothing may be said on a connection that only cancels")
        self._asked = False
        if data == b"N":
            return (Hangup("the target offers no TLS, so nothing was cancelled"),)
        return (StartTls(Side.UPSTREAM),)

    def tls_started(self, side: Side, binding: bytes) -> Sequence[Event]:
        del side, binding
        return (Send(Side.UPSTREAM, self._request), _DONE)
