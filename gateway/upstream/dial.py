"""Reaching one target: its address, its TLS, and the stored credential a session logs in with."""

from __future__ import annotations

import asyncio
import ssl
from typing import cast

from gateway.end import End
from gateway.model import Session
from gateway.policy.model import SecretMissing, Target
from gateway.tls import client_context
from gateway.wire import Login


class UpstreamUnreachable(Exception):
    """The target could not be reached, or the gateway has no way to log in there."""


class Dialer:
    """One target of the policy."""

    def __init__(self, target: Target, *, alpn: str, timeout: float) -> None:
        """`timeout` in seconds; `alpn` is the protocol's registered name, "" where it has none."""
        self.target = target
        self._alpn = alpn
        self._timeout = timeout
        self._context: ssl.SSLContext | None = None

    async def connect(self, end: End) -> End:
        """`end`, connected. Raises `UpstreamUnreachable` with a sentence that tells no credential."""
        upstream = self.target.upstream
        try:
            async with asyncio.timeout(self._timeout):
                await asyncio.get_running_loop().create_connection(
                    lambda: cast(asyncio.Protocol, end), upstream.host, upstream.port
                )
        except TimeoutError:
            raise UpstreamUnreachable(f"The target did not answer within {self._timeout:.0f} s.") from None
        except OSError as error:
            raise UpstreamUnreachable(
                f"The target cannot be reached ({error.strerror or 'refused'})."
            ) from error
        return end

    def start_tls(self, end: End) -> None:
        if self._context is None:
            upstream = self.target.upstream
            self._context = client_context(upstream.tls, authority=upstream.ca, alpn=self._alpn)
        end.start_tls(self._context, server_hostname=self.target.upstream.host)

    def login(self, session: Session, *, user: str, database: str) -> Login:
        """How `session` logs in; the secret is read anew each time, so that it can be rotated in place.

        A target that names a database is reached in that one only. Clients that name none ask for one called
        like their user (libpq's default), which is not taken for a wish.
        """
        own = self.target.upstream.database
        if own and database not in {"", user, own}:
            raise UpstreamUnreachable(f"This connection reaches the database {own!r} only; ask for that one.")
        credential = self.target.credential
        try:
            password = credential.password.read() if credential.password is not None else ""
        except SecretMissing as missing:
            raise UpstreamUnreachable(
                f"The gateway's credential for this target is missing: {missing}"
            ) from missing
        return Login(
            user=credential.user,
            password=password,
            database=own or database,
            application=f"countersign {session.id} {session.lineage.agent}"[:63],
        )
