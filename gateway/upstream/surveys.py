"""What targets say of themselves, asked for again and again with the gateway's own credential, for facts to know."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from gateway.facts.schema import Schema
from gateway.model import Facts
from gateway.policy.credentials import SecretMissing
from gateway.policy.model import Policy, Target
from gateway.protocols import SURVEYED, surveyed
from gateway.upstream.logins import Logins

log = logging.getLogger("countersign.surveys")

EVERY = 60.0
"""Seconds between two surveys of a target."""


def has_catalogue(target: Target) -> bool:
    """Where clients choose the database, one catalogue would be another's."""
    return target.connection.protocol in SURVEYED and bool(target.upstream.database)


class Surveys:
    """What is known of each target; sessions that are open see it renewed."""

    def __init__(self, policy: Callable[[], Policy], logins: Logins) -> None:
        self._policy = policy
        self._logins = logins
        self._known: dict[str, tuple[tuple[object, ...], object]] = {}
        self._notes: dict[str, str] = {}

    def known(self, target: Target) -> object:
        """Of a target that is reached in another way than before nothing is known; None where there is no catalogue."""
        if target.connection.protocol not in SURVEYED:
            return None
        name, reach = target.connection.name, (target.upstream, target.credential)
        if name not in self._known or self._known[name][0] != reach:
            self._known[name] = (reach, surveyed(target.connection.protocol).knowledge())
        return self._known[name][1]

    def schema(self, target: Target) -> Schema | None:
        """The tables of a target; None where no catalogue of it is known."""
        if not has_catalogue(target):
            return None
        return surveyed(target.connection.protocol).schema(self.known(target))

    def reader(self, target: Target) -> Callable[[Mapping[str, Any]], Facts]:
        """What reads rows of `countersign explain` by what is known of a target."""
        return partial(surveyed(target.connection.protocol).read_facts, known=self.known(target))

    async def renew(self) -> None:
        """Ask every target, all at once; those that cannot be asked are no longer known."""
        targets = [target for target in self._policy().targets.values() if has_catalogue(target)]
        notes = await asyncio.gather(*(self.survey(target) for target in targets))
        for target, note in zip(targets, notes, strict=True):
            self._tell(target.connection.name, note)

    async def survey(self, target: Target) -> str:
        """Ask one target that has a catalogue; "" or why it could not be asked."""
        try:
            login = await self._logins.own(target, application="countersign catalogue")
        except SecretMissing as missing:
            return str(missing)
        return await surveyed(target.connection.protocol).survey(target.upstream, login, self.known(target))

    def _tell(self, name: str, note: str) -> None:
        if note != self._notes.get(name, ""):
            text = f"read without its catalogue: {note}" if note else "its catalogue is read again"
            log.warning(text, extra={"connection": name})
        self._notes[name] = note
