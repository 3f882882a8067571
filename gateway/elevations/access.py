"""One-time codes by which a person fetches what they connect with: opened once, for minutes, never written down here.

Only the hash of a code is kept, in memory: a restart forgets it, and another is a click away. The credential is made
when the code is spent, so that nothing lies around that a code could be spent on.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from gateway.elevations.grant import Grant
from gateway.elevations.grants import Grants
from gateway.elevations.showing import reachable
from gateway.elevations.wish import Request
from gateway.identity.minted import Credential, Minted
from gateway.identity.tokens import Issuer
from gateway.model import Effect

LIVES = 600.0
"""Seconds of a code."""
MOST = 1_000
PER_GRANT = 3


class CodeUnknown(Exception):
    """No code, or none any more; which of the two is not told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A code as it was made: the only time that it is known here."""

    text: str
    expires_at: float


class Access:
    """Codes that were not spent yet."""

    def __init__(self, grants: Grants, issuer: Issuer, minted: Minted, *, clock: Callable[[], float]) -> None:
        self._grants = grants
        self._issuer = issuer
        self._minted = minted
        self._clock = clock
        self._open: dict[bytes, tuple[str, float]] = {}
        """Hash -> grant and end."""

    def begin(self, request: Request, *, now: float) -> None:
        """The token of a person's own hands holds from now on. Raises `TokenRefused`."""
        self._token(
            request.lineage.person,
            token_id=request.lineage.token_ids[-1],
            connection=request.wish.connection,
            effects=reachable(request),
            issued_at=now,
            expires_at=now + request.wish.seconds,
        )

    def code(self, grant: Grant) -> Code:
        """A new code; of one grant the newest few are good."""
        self._sweep()
        own = [key for key, (grant_id, _) in self._open.items() if grant_id == grant.id]
        surplus = own[: max(0, len(own) - PER_GRANT + 1)]
        for key in surplus or (list(self._open)[:1] if len(self._open) >= MOST else []):
            del self._open[key]
        code = Code(text=secrets.token_urlsafe(32), expires_at=min(self._clock() + LIVES, grant.ends_at))
        self._open[_hash(code.text)] = (grant.id, code.expires_at)
        return code

    def spend(self, text: str) -> tuple[Grant, Credential]:
        """What a code opens, once. Raises `CodeUnknown` and `TokenRefused`."""
        self._sweep()
        found = self._open.pop(_hash(text), None)
        grant = self._grants.get(found[0]) if found is not None else None
        if grant is None or not grant.by_hand:
            raise CodeUnknown
        token = self._token(
            grant.person,
            token_id=grant.token_id,
            connection=grant.connection,
            effects=grant.effects | {Effect.READ},
            issued_at=grant.starts_at,
            expires_at=grant.ends_at,
        )
        return grant, self._minted.mint(token)

    def end(self, grant: Grant) -> None:
        """The codes of a grant that ended open nothing."""
        for key in [key for key, (grant_id, _) in self._open.items() if grant_id == grant.id]:
            del self._open[key]

    def _token(
        self,
        person: str,
        *,
        token_id: str,
        connection: str,
        effects: frozenset[Effect],
        issued_at: float,
        expires_at: float,
    ) -> str:
        return self._issuer.for_hands(
            person,
            token_id=token_id,
            scope={connection: effects},
            issued_at=issued_at,
            expires_at=expires_at,
        ).text

    def _sweep(self) -> None:
        now = self._clock()
        for key in [key for key, (_, ends) in self._open.items() if ends <= now]:
            del self._open[key]


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
