"""What targets say of themselves, asked for again and again with the gateway's own credential, for facts to know."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from gateway.policy.model import Policy, SecretMissing, Target
from gateway.protocols import WIRES, load
from gateway.wire import Login

log = logging.getLogger("countersign.surveys")

EVERY = 60.0
"""Seconds between two surveys of a target."""


class Surveys:
    """What is known of each target; sessions that are open see it renewed."""

    def __init__(self, policy: Callable[[], Policy]) -> None:
        self._policy = policy
        self._known: dict[str, tuple[tuple[object, ...], object]] = {}
        self._notes: dict[str, str] = {}

    def known(self, target: Target) -> object:
        """Of a target that is reached in another way than before nothing is known."""
        name, reach = target.connection.name, (target.upstream, target.credential)
        if name not in self._known or self._known[name][0] != reach:
            self._known[name] = (reach, load(target.connection.protocol).knowledge())
        return self._known[name][1]

    async def renew(self) -> None:
        """Ask every target, all at once; those that cannot be asked are no longer known."""
        targets = [
            target
            for target in self._policy().targets.values()
            # Where clients choose the database, one catalogue would be another's.
            if target.connection.protocol in WIRES and target.upstream.database
        ]
        await asyncio.gather(*(self._survey(target) for target in targets))

    async def _survey(self, target: Target) -> None:
        credential = target.credential
        try:
            password = credential.password.read() if credential.password is not None else ""
        except SecretMissing:
            return  # without it nobody is let in to ask anything
        login = Login(
            user=credential.user,
            password=password,
            database=target.upstream.database,
            application="countersign catalogue",
        )
        name = target.connection.name
        note = await load(target.connection.protocol).survey(target.upstream, login, self.known(target))
        if note != self._notes.get(name, ""):
            text = f"read without its catalogue: {note}" if note else "its catalogue is read again"
            log.warning(text, extra={"connection": name})
        self._notes[name] = note
