"""Where tokens are used from: one that policies.yaml binds is its first user's, and use from elsewhere is noticed.

A token is bound apart on the two ways that lead here, through a connection's door and to the API, since what stands
before the API may make all who come look alike. A token that was derived is bound for itself: it is there to be used
elsewhere. What was seen is kept as long as the token lasts, and ends with it.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Literal

from gateway.identity.claims import Claims
from gateway.identity.failures import network
from gateway.identity.tokens import Issuer, TokenRefused
from gateway.policy.identities import Binding
from gateway.policy.model import Policy
from gateway.store import Store

TABLE = "origins"
SWEEP_SECONDS = 60.0
ENTERING = 10.0
"""Seconds that a session which was admitted has to begin, before another may take its place."""
TOLD = 1_000
"""Announcements that are remembered, so that none is made twice."""

Way = Literal["door", "api"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """The one session that there may be."""

    session_id: str
    token_id: str
    since: float


class Origins:
    """Knows where each bound token was used first."""

    def __init__(
        self,
        store: Store,
        issuer: Issuer,
        policy: Callable[[], Policy],
        *,
        live: Callable[[str], bool],
        announce: Callable[[str, str], None],
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        clock: Callable[[], float],
    ) -> None:
        """`live(id)` says whether a session is open; `announce(level, text)` tells operators."""
        self._store = store
        self._issuer = issuer
        self._policy = policy
        self._live = live
        self._announce = announce
        self._spawn = spawn
        self._clock = clock
        self._seats: dict[str, _Taken] = {}
        self._told: dict[tuple[str, str], None] = {}
        self._swept_at = clock()

    def used(self, claims: Claims, client: str, way: Way) -> None:
        """The token that says `claims` is used from `client`. Raises `TokenRefused` where it may not be."""
        binding = self._binding(claims)
        if "address" not in binding.to:
            return
        self._sweep()
        here, key = network(host_of(client)), f"{way} {claims.token_id}"
        first = self._store.get(TABLE, key)
        if first is None:
            self._store.put(TABLE, key, {"network": here, "until": claims.expires_at})
            self._spawn(self._store.commit())
        elif first["network"] != here:
            self._elsewhere(claims, binding, f"from {here}, and first from {first['network']}")

    def seated(self, claims: Claims, session_id: str, *, by_key: bool = False) -> None:
        """A session begins by the token. Raises `TokenRefused` where another is open that may be the only one.

        Who enters `by_key` of an agent has a new token each time: among those it is the agent that has one session.
        """
        binding = self._binding(claims)
        if "session" not in binding.to:
            return
        now = self._clock()
        self._seats = {
            seat: taken
            for seat, taken in self._seats.items()
            if self._live(taken.session_id) or 0 <= now - taken.since < ENTERING
        }
        seat = f"key {claims.agent}" if by_key else claims.token_id
        taken = self._seats.get(seat)
        if taken is not None:
            how = "for a second session while the first is open"
            self._elsewhere(claims, binding, how, seat=seat, first=taken.token_id)
        self._seats[seat] = _Taken(session_id=session_id, token_id=claims.token_id, since=now)

    def _binding(self, claims: Claims) -> Binding:
        root = self._policy().root(claims.root)
        return root.binding if root is not None else Binding()

    def _elsewhere(
        self, claims: Claims, binding: Binding, how: str, *, seat: str = "", first: str = ""
    ) -> None:
        """What policies.yaml says of a token that is used as it may not be; `first` is whose place it would take."""
        acting = (
            claims.agent
            if claims.agent == claims.person
            else f"{claims.agent} for {claims.person or 'nobody'}"
        )
        outcome = {"announce": "It was let through", "refuse": "It was refused", "revoke": "It was revoked"}
        key = (seat or claims.token_id, how)
        if key not in self._told:
            self._told[key] = None
            while len(self._told) > TOLD:
                del self._told[next(iter(self._told))]
            self._announce(
                "warning",
                f"The token {claims.token_id} of {acting} is used {how}. {outcome[binding.reuse]}.",
            )
        if binding.reuse == "revoke":
            for token_id in {claims.token_id, first or claims.token_id}:
                self._issuer.revoke(token_id, by="the gateway", reason=f"it was used {how}")
            self._spawn(self._store.commit())
        if binding.reuse != "announce":
            raise TokenRefused("invalid_grant", f"the token is bound, and was used {how}")

    def _sweep(self) -> None:
        now = self._clock()
        if 0 <= now - self._swept_at < SWEEP_SECONDS:
            return
        self._swept_at = now
        for key, document in list(self._store.all(TABLE).items()):
            if document["until"] <= now:
                self._store.delete(TABLE, key)


def host_of(client: str) -> str:
    """The address of `10.0.0.7:5432`, `[::1]:5432`, or of an address alone."""
    if client.startswith("["):
        return client[1:].partition("]")[0]
    host, colon, _ = client.rpartition(":")
    return host if colon and ":" not in host else client
