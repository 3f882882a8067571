"""Reaching one target: its address, its TLS, and how a session logs in there."""

from __future__ import annotations

import asyncio
import ssl
from typing import cast

from gateway.end import End
from gateway.model import Session
from gateway.policy.model import Target
from gateway.tls import client_context
from gateway.upstream.logins import Logins, UpstreamUnreachable
from gateway.wire import Login


class Dialer:
    """One target of the policy."""

    def __init__(self, target: Target, logins: Logins, *, alpn: str, timeout: float) -> None:
        """`timeout` in seconds; `alpn` is the protocol's registered name, "" where it has none."""
        self.target = target
        self._logins = logins
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

    async def login(self, session: Session, *, user: str, database: str) -> Login:
        """How `session` logs in. Raises `UpstreamUnreachable`."""
        return await self._logins.of(self.target, session, user=user, database=database)

    async def renewed(self, session: Session, refused: Login) -> Login | None:
        """How it may log in once more after the target has refused that; None where nothing else is known."""
        return await self._logins.renewed(self.target, session, refused)

    def ended(self, session: Session) -> None:
        """The session is over."""
        self._logins.ended(session)
