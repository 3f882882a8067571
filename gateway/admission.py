"""Credential and wanted connection in, session or refusal out: the only place where sessions begin.

A client proves who it is by a token handed over as its password, whatever user name stands beside it, or as a minted
user (`cs_...`) by that user's password. The user name of a token is a label for the client's own configuration; it
grants nothing. `still_valid` asks about a live session what admission asked: the gate does so before every release.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping

from gateway.identity import scopes
from gateway.identity.claims import Claims
from gateway.identity.minted import Minted
from gateway.identity.origins import Origins
from gateway.identity.tokens import Issuer, TokenRefused, groups_of
from gateway.model import Session
from gateway.policy.model import Policy

_HOW = "get a token with `countersign token mint`, or start the client with `countersign run`"


class AdmissionRefused(Exception):
    """The client is not admitted; the message may be shown to it."""


class Admission:
    """Admits clients under the policy and the revocations of the moment."""

    def __init__(
        self,
        issuer: Issuer,
        minted: Minted,
        policy: Callable[[], Policy],
        origins: Origins,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._issuer = issuer
        self._minted = minted
        self._policy = policy
        self._origins = origins
        self._clock = clock

    def challenge(self, connection: str, user: str) -> Mapping[str, str] | None:
        """Verifiers by which `user` may prove a password, or None where a token has to be handed over.

        The answer depends on the form of the name alone: it does not tell which users or connections exist.
        """
        del connection
        return self._minted.verifiers(user)

    def admit(self, connection: str, *, user: str, secret: str, client: str) -> Session:
        """A session on the connection of that name for whoever `secret` stands for. Raises `AdmissionRefused`."""
        if self._minted.verifiers(user) is not None:
            if not self._minted.proves(user, secret):
                raise AdmissionRefused(f"This user and password are not known here: {_HOW}.")
            return self.admit_proved(connection, user=user, client=client)
        try:
            claims = self._issuer.verify(secret)
        except TokenRefused as refused:
            raise AdmissionRefused(
                f"Not admitted: {refused.message}. The password has to be a token."
            ) from None
        return self._session(connection, claims, client)

    def admit_proved(self, connection: str, *, user: str, client: str) -> Session:
        """As `admit`, for a client that has proved to be the minted `user`."""
        try:
            claims = self._minted.claims(user)
        except TokenRefused as refused:
            raise AdmissionRefused(f"Not admitted: {refused.message}. To go on, {_HOW}.") from None
        return self._session(connection, claims, client)

    def admit_agent(self, connection: str, *, user: str, client: str) -> Session:
        """As `admit`, for a client that has proved to hold a key of the root agent `user`."""
        try:
            claims = self._issuer.for_proved_agent(user, origin=client, kept=True).claims
        except TokenRefused as refused:
            raise AdmissionRefused(f"Not admitted: {refused.message}.") from None
        try:
            return self._session(connection, claims, client, by_key=True)
        except AdmissionRefused:
            # It was made for this session alone, and nobody has it.
            self._issuer.revoke(claims.token_id, by="the gateway", reason="its session was not admitted")
            raise

    def still_valid(self, session: Session) -> str:
        """Why `session` may not go on, or "": it ended, was revoked, or policies.yaml grants less than it was given."""
        if session.expires_at <= self._clock():
            return "the token has expired"
        broken = self._issuer.broken(session.lineage)
        if broken:
            return broken
        policy = self._policy()
        name = session.connection.name
        if name not in policy.targets:
            return f"policies.yaml no longer has the connection {name}"
        root = session.lineage.chain[0].name
        if session.lineage.groups != groups_of(policy, session.lineage.person):
            return f"the groups of {session.lineage.person} have changed: connect again"
        agent = policy.root(root)
        beyond = scopes.excess(agent.scope if agent is not None else {}, {name: session.scope})
        if beyond:
            return f"policies.yaml no longer lets {root} use {scopes.text(beyond)}"
        return ""

    def _session(self, connection: str, claims: Claims, client: str, *, by_key: bool = False) -> Session:
        target = self._policy().targets.get(connection)
        granted = claims.scope.get(connection)
        # A holder of a good token may know what it reaches, and nothing of what else there is.
        if target is None or not granted:
            reaches = ", ".join(sorted(claims.scope)) or "nothing any more"
            # What nobody can grant is no name of a connection, but words.
            grant = (
                f" Whoever derives it can grant it: --scope {connection}:read"
                if " " not in connection
                else ""
            )
            raise AdmissionRefused(
                f"The token of {claims.agent} has no scope on {connection}; it reaches {reaches}.{grant}"
            )
        session_id = secrets.token_hex(8)
        try:
            self._origins.used(claims, client, "door")
            self._origins.seated(claims, session_id, by_key=by_key)
        except TokenRefused as refused:
            raise AdmissionRefused(f"Not admitted: {refused.message}.") from None
        return Session(
            id=session_id,
            lineage=claims.lineage,
            connection=target.connection,
            scope=granted,
            opened_at=self._clock(),
            expires_at=claims.expires_at,
            client=client,
        )
