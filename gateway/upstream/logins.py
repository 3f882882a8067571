"""As whom the gateway logs in at targets: for a session, and for what it asks on its own account."""

from __future__ import annotations

from dataclasses import replace

from gateway.minting import RoleFailed
from gateway.model import Session
from gateway.policy.credentials import SecretMissing
from gateway.policy.model import Target
from gateway.secrets import Secrets
from gateway.upstream.roles import Roles
from gateway.wire import Login


class UpstreamUnreachable(Exception):
    """The target could not be reached, or the gateway has no way to log in there."""


class Logins:
    """For all targets."""

    def __init__(self, secrets: Secrets, roles: Roles | None = None) -> None:
        """`roles` where sessions begin."""
        self._secrets = secrets
        self._roles = roles

    async def own(self, target: Target, *, application: str) -> Login:
        """The stored credential itself, for what the gateway asks. Raises `SecretMissing`."""
        credential = target.credential
        return Login(
            user=credential.user,
            password=await self._secrets.get(credential.password or credential.token),
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
        login = replace(login, database=only or database)
        return login if target.credential.roles is None else await self._in_a_role(target, session, login)

    async def _in_a_role(self, target: Target, session: Session, login: Login) -> Login:
        assert self._roles is not None
        try:
            return await self._roles.begin(target, session, login)
        except RoleFailed as failure:
            raise UpstreamUnreachable(
                f"The gateway cannot make this session's role at the target: {failure}."
            ) from failure

    async def beside(self, target: Target, session: Session, *, application: str) -> Login:
        """For what is asked on behalf of `session`: as its role, where it has one. Raises `SecretMissing`."""
        role = self._roles.of(session) if self._roles is not None else ""
        return replace(await self.own(target, application=application), acts_as=role)

    def ended(self, session: Session) -> None:
        """What was made for it goes."""
        if self._roles is not None:
            self._roles.end(session.id)

    async def key(self, target: Target) -> str:
        """The stored private key; "" for none. Raises `SecretMissing`."""
        return await self._secrets.get(target.credential.key)

    async def renewed(self, target: Target, session: Session, refused: Login) -> Login | None:
        """With the secret as it is now that the target refused what it was; None where that is no other.

        A role may have waited too long for people to decide how the session begins: it gets another.
        """
        if refused.account:
            try:
                login = await self.own(target, application=refused.application)
            except SecretMissing:
                return None
            return await self._in_a_role(target, session, replace(login, database=refused.database))
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
