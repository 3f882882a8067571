"""As whom the gateway logs in at targets: for a session, and for what it asks on its own account."""

from __future__ import annotations

from dataclasses import replace

from gateway.model import Session
from gateway.policy.credentials import SecretMissing
from gateway.policy.model import Target
from gateway.secrets import Secrets
from gateway.wire import Login


class UpstreamUnreachable(Exception):
    """The target could not be reached, or the gateway has no way to log in there."""


class Logins:
    """For all targets."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    async def own(self, target: Target, *, application: str) -> Login:
        """The stored credential itself, for what the gateway asks. Raises `SecretMissing`."""
        credential = target.credential
        return Login(
            user=credential.user,
            password=await self._secrets.get(credential.password),
            database=target.upstream.database,
            application=application,
        )

    async def of(self, target: Target, session: Session, *, user: str, database: str) -> Login:
        """How `session` logs in. Raises `UpstreamUnreachable` with a sentence that tells no credential.

        A target that names a database is reached in that one only. Clients that name none ask for one called
        like their user (libpq's default), which is not taken for a wish.
        """
        only = target.upstream.database
        if only and database not in {"", user, only}:
            raise UpstreamUnreachable(
                f"This connection reaches the database {only!r} only; ask for that one."
            )
        application = f"countersign {session.id} {session.lineage.agent}"[:63]
        try:
            login = await self.own(target, application=application)
        except SecretMissing as missing:
            raise UpstreamUnreachable(
                f"The gateway's credential for this target is missing: {missing}"
            ) from missing
        return replace(login, database=only or database)

    async def key(self, target: Target) -> str:
        """The stored private key; "" for none. Raises `SecretMissing`."""
        return await self._secrets.get(target.credential.key)

    async def renewed(self, target: Target, refused: Login) -> Login | None:
        """With the secret as it is now that the target refused what it was; None where that is no other."""
        found = await self.others(target, password=refused.password, key="")
        return None if found is None else replace(refused, password=found[0])

    async def others(self, target: Target, *, password: str, key: str) -> tuple[str, str] | None:
        """Password and key as they are now that these were refused; None where they are no others."""
        credential = target.credential
        new_password = await self._secrets.other_than(password, credential.password)
        new_key = await self._secrets.other_than(key, credential.key)
        if new_password is None and new_key is None:
            return None
        return new_password or password, new_key or key
