"""One listening address and the connections behind it, for protocols whose clients name theirs when they log in."""

from __future__ import annotations

from gateway.hosted import Desk, Host
from gateway.policy.model import Address
from gateway.protocols import load_hosted


class Street:
    """Fulfils `gateway.hosted.Desks`. The server runs as long as a desk is here."""

    def __init__(self, listen: Address) -> None:
        self._listen = listen
        self._desks: dict[str, Desk] = {}
        self._host: Host | None = None

    @property
    def address(self) -> tuple[str, int]:
        assert self._host is not None
        return self._host.address

    @property
    def first(self) -> Desk:
        return next(iter(self._desks.values()))

    def desk(self, name: str) -> Desk | None:
        """The desk of a connection; of the only one where the client names none."""
        if not name:
            return self.first if len(self._desks) == 1 else None
        return self._desks.get(name)

    async def join(self, desk: Desk) -> None:
        """Raises `OSError` where the address cannot be had."""
        self._desks[desk.connection.name] = desk
        if self._host is None:
            module = load_hosted(desk.connection.protocol)
            try:
                self._host = await module.serve(self, host=self._listen.host, port=self._listen.port)
            except OSError:
                del self._desks[desk.connection.name]
                raise

    def stop_accepting(self) -> None:
        if self._host is not None:
            self._host.stop_accepting()

    async def leave(self, desk: Desk, reason: str) -> None:
        """The desk is closed; with the last one the address is given free."""
        self._desks.pop(desk.connection.name, None)
        if not self._desks and self._host is not None:
            await self._host.close(reason)
            self._host = None
