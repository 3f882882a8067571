"""Who a client is, by what its requests show: the credential of the first one that has any is what all have to show."""

from __future__ import annotations

from enum import Enum
from http import HTTPStatus
from typing import Final

from gateway.protocols.http.incoming import Refusal
from gateway.protocols.http.requests import Credential
from gateway.wire import Hangup, LoginAsked, Opening, Side, StartTls

_HELLO: Final = b"\x16"
"""How TLS begins, and no request does."""
_CLEAR: Final = (
    "This connection is not encrypted, and whoever is on the way may have seen the credential: "
    "connect by TLS, and get another one."
)
_NO_CREDENTIAL: Final = (
    "This needs a token: as Authorization: Bearer, or as the password of Authorization: Basic."
)
_ANOTHER: Final = "This connection was begun with another credential: open a new one for this."
OUTSIDER: Final = Refusal(HTTPStatus.UNAUTHORIZED, _NO_CREDENTIAL)


class Entry(Enum):
    OUTSIDE = "nobody has shown a credential yet"
    KNOCKED = "a credential is being looked at, or the target being reached"
    INSIDE = "the client is in"


class Entrance:
    def __init__(self, opening: Opening) -> None:
        self._trusted = opening.client_trusted_path
        self._offers_tls = opening.client_tls
        self._credential: Credential | None = None
        self.entry = Entry.OUTSIDE
        self.encrypted: bool | None = None
        """Toward the client; None before its first byte."""

    @property
    def refused(self) -> HTTPStatus:
        """What a client is told that may not go on."""
        match self.entry:
            case Entry.INSIDE:
                return HTTPStatus.BAD_GATEWAY
            case Entry.KNOCKED:
                return HTTPStatus.UNAUTHORIZED
            case Entry.OUTSIDE:
                return HTTPStatus.SERVICE_UNAVAILABLE

    def begun(self, data: bytes) -> StartTls | Hangup | None:
        """What the first bytes of a client begin, where they are none of a request's."""
        if self.encrypted is not None:
            return None
        self.encrypted = False
        if not data.startswith(_HELLO):
            return None
        return (
            StartTls(Side.CLIENT, data) if self._offers_tls else Hangup("TLS was begun where none is offered")
        )

    def shown(self, shown: Credential | None) -> Refusal | LoginAsked | None:
        """What becomes of a request that shows that: the end of the connection, a login, or nothing new."""
        if self.entry is Entry.INSIDE:
            assert self._credential is not None
            if shown is None:
                return OUTSIDER
            return None if self._credential.same(shown) else Refusal(HTTPStatus.UNAUTHORIZED, _ANOTHER)
        if shown is None:
            return None
        if not self.encrypted and not self._trusted:
            return Refusal(HTTPStatus.FORBIDDEN, _CLEAR)
        self.entry, self._credential = Entry.KNOCKED, shown
        return LoginAsked(user=shown.user, database="", secret=shown.secret)
