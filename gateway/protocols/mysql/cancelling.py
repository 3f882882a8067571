"""How what runs is stopped: a KILL QUERY of the gateway's own, on a connection of its own."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.protocols.errands import Unattended
from gateway.protocols.mysql import greeting, packets
from gateway.protocols.mysql.packets import Packets
from gateway.protocols.mysql.upstream_login import QUERY, LoginFailed, UpstreamLogin, attributes_of
from gateway.wire import Event, Hangup, Limits, Login, ProtocolViolation, Send, Side

_QUIT = packets.frame(b"\x01", 0)


class KillErrand(Unattended):
    """Logs in as the session did, kills what it runs, and leaves."""

    def __init__(self, login: Login, connection: int, *, tls: str, limits: Limits) -> None:
        self._kill = QUERY + f"KILL QUERY {connection}".encode()
        self._login = UpstreamLogin(
            login,
            tls=tls,
            limits=limits,
            capabilities=0,
            charset=greeting.UTF8MB4,
            attributes=attributes_of({}, login.application),
            asks_modes=False,
        )
        self._packets = Packets()
        self._asked = False

    def start(self) -> Sequence[Event]:
        return ()

    def receive(self, side: Side, data: bytes) -> Sequence[Event]:
        if side is not Side.UPSTREAM:
            raise ProtocolViolation("nobody may speak on a connection that only cancels")
        if not data:
            return (Hangup("the target closed the connection before it could be asked to cancel"),)
        out: list[Event] = []
        if self._asked:
            self._packets.add(data)
            if self._packets.take() is not None:
                out += (Send(Side.UPSTREAM, _QUIT), Hangup("the query was killed"))
            return out
        try:
            self._login.receive(data, out)
        except LoginFailed as failure:
            return (Hangup(f"nothing was cancelled: {failure}"),)
        if self._login.done:
            self._asked = True
            out.append(Send(Side.UPSTREAM, packets.frame(self._kill, 0)))
        return out

    def tls_started(self, side: Side, binding: bytes) -> Sequence[Event]:
        del side, binding
        out: list[Event] = []
        self._login.tls_started(out)
        return out
