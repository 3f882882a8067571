"""A role for each session, where a connection's credential says so: made before it begins, dropped when it has ended.

What is made is in the store before it is at the target, under a name that says which gateway made it; whatever is left
over by a crash, or could not be dropped, is found by either and dropped later. Roles of other gateways are let alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from gateway.minting import LoginNotTaken, Role, RoleFailed
from gateway.model import Session
from gateway.policy.credentials import RoleTemplate, SecretMissing
from gateway.policy.model import Policy, Target
from gateway.protocols import role_maker
from gateway.secrets import Secrets
from gateway.store import Store, StoreFailed
from gateway.wire import Login

log = logging.getLogger("countersign.roles")

T = TypeVar("T")

TABLE, OWNER = "roles", "roles-owner"
EVERY = 60.0
"""Seconds between two looks at what is left over."""
AT_ONCE = 8
"""Roles of one connection that are made or dropped at a time; further ones wait."""
WAIT = 10.0
"""Seconds that a gateway which stops gives its last roles to be dropped."""
LONGEST_NAME = 63
PREFIX = "cs_"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Made:
    name: str
    target: Target
    session: str
    database: str
    work: asyncio.Task[None]
    """Makes it."""


class Roles:
    """Those of this gateway's sessions. One event loop."""

    def __init__(
        self,
        store: Store,
        secrets: Secrets,
        policy: Callable[[], Policy],
        *,
        announce: Callable[[str, str], None],
        clock: Callable[[], float],
    ) -> None:
        """`announce(level, text)` tells operators."""
        self._store = store
        self._secrets = secrets
        self._policy = policy
        self._announce = announce
        self._clock = clock
        self._live: dict[str, _Made] = {}
        """By session."""
        self._going: dict[str, asyncio.Task[None]] = {}
        """By name: what is being dropped now."""
        self._turns: dict[str, asyncio.Semaphore] = {}
        self._failing: dict[str, set[str]] = {}
        """By connection: the roles of ended sessions that could not be dropped yet."""

    @property
    def prefix(self) -> str:
        """What the names of this gateway's roles begin with; as lasting as its store."""
        document = self._store.get(OWNER, OWNER)
        if document is None:
            document = {"tag": secrets.token_hex(4)}
            self._store.put(OWNER, OWNER, document)
        return f"{PREFIX}{document['tag']}_"

    def of(self, session: Session) -> str:
        """The name of its role; "" where it has none."""
        made = self._live.get(session.id)
        return made.name if made is not None else ""

    async def begin(self, target: Target, session: Session, login: Login) -> Login:
        """How `session` logs in as a role of its own, made as whoever `login` is. Raises `RoleFailed`."""
        template = target.credential.roles
        assert template is not None
        if session.id in self._live:
            self.end(session.id)  # its password is too old: another one takes its place
        name = self._name(session)
        role = _role(name, template, session)
        self._store.put(
            TABLE,
            name,
            {
                "connection": target.connection.name,
                "session": session.id,
                "database": login.database,
                "made_at": self._clock(),
            },
        )
        work = asyncio.get_running_loop().create_task(self._mint(target, login, role))
        work.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._live[session.id] = _Made(
            name=name, target=target, session=session.id, database=login.database, work=work
        )
        await asyncio.shield(work)
        return Login(
            user=name,
            password=role.password,
            database=login.database,
            account=login.user,
            application=login.application,
        )

    def end(self, session_id: str) -> None:
        """The session is over, however it ended: its role goes, soon."""
        made = self._live.pop(session_id, None)
        if made is not None:
            self._go(made.name, made.target, made.session, made.database, made.work)

    async def sweep(self) -> None:
        """Drop what is left over; never raises for what a target does."""
        for name, document in list(self._store.all(TABLE).items()):
            connection = str(document["connection"])
            target = self._policy().targets.get(connection)
            if not self._is_left(name):
                continue
            if target is None or target.credential.roles is None:
                self._failed(connection, name, "the policy no longer says who makes its roles")
            else:
                self._go(name, target, str(document["session"]), str(document["database"]))
        for target in self._policy().targets.values():
            if target.credential.roles is not None:
                await self._look(target)
        await asyncio.gather(*self._going.values(), return_exceptions=True)

    async def close(self) -> None:
        """What cannot be dropped now is dropped by the gateway that starts next."""
        for session_id in list(self._live):
            self.end(session_id)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WAIT):
                await asyncio.gather(*self._going.values(), return_exceptions=True)
        for task in list(self._going.values()):
            task.cancel()

    # Making.

    def _name(self, session: Session) -> str:
        """Which gateway's, which session's, which agent's; a new one each time."""
        agent = re.sub(r"[^a-z0-9]+", "_", session.lineage.agent.lower()).strip("_")
        return f"{self.prefix}{session.id}_{secrets.token_hex(2)}_{agent}"[:LONGEST_NAME].rstrip("_")

    async def _mint(self, target: Target, login: Login, role: Role) -> None:
        """Durable first, so that a crash leaves nothing that nobody knows of."""
        try:
            await self._store.commit()
        except StoreFailed as failure:
            raise RoleFailed("the gateway's store cannot be written") from failure
        maker = role_maker(target.connection.protocol)
        async with self._turn(target.connection.name):
            await self._taken(target, login, lambda login: maker.mint(target.upstream, login, role))

    async def _taken(self, target: Target, login: Login, work: Callable[[Login], Awaitable[T]]) -> T:
        """What makes roles may have got another password: then it is done with that one, once."""
        try:
            return await work(login)
        except LoginNotTaken:
            other = await self._secrets.other_than(login.password, target.credential.password)
            if other is None:
                raise
            return await work(replace(login, password=other))

    def _turn(self, connection: str) -> asyncio.Semaphore:
        return self._turns.setdefault(connection, asyncio.Semaphore(AT_ONCE))

    # Dropping.

    def _is_left(self, name: str) -> bool:
        return name not in self._going and all(made.name != name for made in self._live.values())

    async def _look(self, target: Target) -> None:
        """For roles of ours that the store does not know: it was put back to what it was before."""
        try:
            login = await self._login(target, target.upstream.database)
            maker = role_maker(target.connection.protocol)
            names = await self._taken(
                target, login, lambda login: maker.made(target.upstream, login, self.prefix)
            )
        except (RoleFailed, SecretMissing) as failure:
            log.warning(
                "roles that are left over cannot be looked for",
                extra={"connection": target.connection.name, "reason": str(failure)},
            )
            return
        for name in names:
            if self._store.get(TABLE, name) is None and self._is_left(name):
                self._go(name, target, "", target.upstream.database)

    def _go(
        self, name: str, target: Target, session: str, database: str, work: asyncio.Task[None] | None = None
    ) -> None:
        task = asyncio.get_running_loop().create_task(self._drop(name, target, database, work))
        self._going[name] = task
        task.add_done_callback(lambda _: self._going.pop(name, None))
        log.info("dropping a role", extra={"role": name, "session": session})

    async def _drop(self, name: str, target: Target, database: str, work: asyncio.Task[None] | None) -> None:
        if work is not None:
            await asyncio.wait([work])
        template = target.credential.roles
        assert template is not None
        connection = target.connection.name
        try:
            login = await self._login(target, database)
            maker = role_maker(target.connection.protocol)
            async with self._turn(connection):
                await self._taken(
                    target,
                    login,
                    lambda login: maker.drop(target.upstream, login, name, owner=template.owner),
                )
            self._store.delete(TABLE, name)
            await self._store.commit()
        except (RoleFailed, SecretMissing, StoreFailed) as failure:
            self._failed(connection, name, str(failure))
        else:
            self._dropped(connection, name)

    async def _login(self, target: Target, database: str) -> Login:
        credential = target.credential
        return Login(
            user=credential.user,
            password=await self._secrets.get(credential.password),
            database=database,
            application="countersign roles",
        )

    # What operators hear of it.

    def _failed(self, connection: str, name: str, reason: str) -> None:
        """Told once for each connection, until all of its are gone."""
        failing = self._failing.setdefault(connection, set())
        if not failing:
            self._announce(
                "error",
                f"The role {name} of an ended session on {connection} cannot be dropped: {reason}. "
                "It and others like it are tried again each minute.",
            )
        failing.add(name)

    def _dropped(self, connection: str, name: str) -> None:
        failing = self._failing.get(connection, set())
        if name in failing:
            failing.discard(name)
            if not failing:
                self._announce("warning", f"All roles of ended sessions on {connection} are dropped now.")


def _role(name: str, template: RoleTemplate, session: Session) -> Role:
    member_of = (role for effect in sorted(session.scope) for role in template.member_of.get(effect, ()))
    return Role(
        name=name,
        password=secrets.token_urlsafe(24),
        effects=session.scope,
        schemas=template.schemas,
        member_of=tuple(dict.fromkeys(member_of)),
        valid=template.valid,
        comment=f"countersign session {session.id}: {str(session.lineage).replace('→', '>')}",
    )
