"""The secrets that the gateway uses now: fetched when first needed, renewed ahead, and let go when they are too old.

Variables and files are read whenever they are used. What a command prints or a store keeps is fetched asynchronously
and kept: renewed after `refresh`, and while its place cannot be asked used for `stale` longer, then no more. What its
place says is gone is gone at once. No value is ever told: not in an error, a log or a representation.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.policy.credentials import SecretMissing, SecretRef, SecretUnavailable
from gateway.policy.model import Policy
from gateway.policy.secrets import references
from gateway.secrets.aws import Aws
from gateway.secrets.command import Commands
from gateway.secrets.places import Found, Place, read
from gateway.secrets.vault import Vault

log = logging.getLogger("countersign.secrets")

EVERY = 5.0
"""Seconds between two looks at what has to be renewed."""
PATIENCE = 3.0
"""Seconds for which a place is not asked again for what it just gave, or just could not give."""
WITHIN = 20.0
"""Seconds that a place has, whatever it does to answer."""


@dataclass(slots=True, kw_only=True)
class _Kept:
    value: str | None = field(default=None, repr=False)
    fetched_at: float = 0.0
    good_for: float | None = None
    tried_at: float = float("-inf")
    failure: SecretMissing | None = None
    """Why it could not be renewed last."""


class Secrets:
    """One event loop."""

    def __init__(
        self,
        policy: Callable[[], Policy],
        *,
        announce: Callable[[str, str], None] = lambda _level, _text: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`announce(level, text)` tells operators; `clock` counts seconds and never jumps."""
        self._policy = policy
        self._announce = announce
        self._clock = clock
        self._kept: dict[SecretRef, _Kept] = {}
        self._fetching: dict[SecretRef, asyncio.Task[str]] = {}
        self._places: dict[str, tuple[object, Place]] = {}

    async def get(self, ref: SecretRef | None) -> str:
        """The secret as it is now; "" for none. Raises `SecretMissing`."""
        if ref is None:
            return ""
        if ref.is_local:
            return read(ref)
        kept = self._kept.get(ref)
        if kept is not None and kept.value is not None and not self._too_old(kept):
            return kept.value
        if kept is not None and kept.failure is not None and self._just_tried(kept):
            raise kept.failure
        return await self._fetch(ref)

    def current(self, ref: SecretRef) -> str:
        """As `get`, without waiting: what was not fetched yet is missing. Raises `SecretMissing`."""
        if ref.is_local:
            return read(ref)
        kept = self._kept.get(ref)
        if kept is None or kept.value is None or self._too_old(kept):
            raise (
                kept.failure
                if kept is not None and kept.failure
                else SecretUnavailable(f"{ref} is not there yet")
            )
        return kept.value

    async def other_than(self, refused: str, ref: SecretRef | None) -> str | None:
        """What it is now that the target has refused what it was; None where that is all there is."""
        if ref is None:
            return None
        kept = self._kept.get(ref)
        try:
            if kept is not None and kept.value == refused and not self._just_tried(kept):
                await self._fetch(ref)
            now = await self.get(ref)
        except SecretMissing:
            return None
        return now if now != refused else None

    async def renew(self) -> None:
        """Fetch what is due, and forget what the policy no longer names; never raises for what a place does."""
        wanted = {ref for _, ref in references(self._policy()) if not ref.is_local}
        for ref in self._kept.keys() - wanted:
            del self._kept[ref]
        due = [ref for ref in wanted if self._is_due(ref)]
        await asyncio.gather(*(self._fetch(ref) for ref in due), return_exceptions=True)

    async def close(self) -> None:
        for task in list(self._fetching.values()):
            task.cancel()
        await asyncio.gather(*self._fetching.values(), return_exceptions=True)
        for _, place in self._places.values():
            await place.close()
        self._kept.clear()

    # Age.

    def _is_due(self, ref: SecretRef) -> bool:
        kept = self._kept.get(ref)
        if kept is None or kept.value is None:
            return kept is None or not self._just_tried(kept)
        refresh = self._policy().secrets.refresh
        lasts = refresh if kept.good_for is None else min(refresh, kept.good_for)
        return self._clock() - kept.fetched_at >= lasts and not self._just_tried(kept)

    def _too_old(self, kept: _Kept) -> bool:
        secrets = self._policy().secrets
        return self._clock() - kept.fetched_at > secrets.refresh + secrets.stale

    def _just_tried(self, kept: _Kept) -> bool:
        return self._clock() - kept.tried_at < PATIENCE

    # Fetching: one at a time for each secret, whoever waits for it.

    async def _fetch(self, ref: SecretRef) -> str:
        task = self._fetching.get(ref)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._fetched(ref))
            self._fetching[ref] = task
            task.add_done_callback(lambda done: self._settled(ref, done))
        return await asyncio.shield(task)

    def _settled(self, ref: SecretRef, done: asyncio.Task[str]) -> None:
        self._fetching.pop(ref, None)
        if not done.cancelled():
            done.exception()  # whoever waits has it; nobody has to

    async def _fetched(self, ref: SecretRef) -> str:
        kept = self._kept.setdefault(ref, _Kept())
        try:
            async with asyncio.timeout(WITHIN):
                found = await (await self._place(ref)).fetch(ref)
        except TimeoutError:
            failure: SecretMissing = SecretUnavailable(f"{ref} did not come within {WITHIN:g} s")
        except SecretMissing as missing:
            failure = missing
        else:
            self._keep(ref, kept, found)
            return found.value
        self._fail(ref, kept, failure)
        if kept.value is not None and not self._too_old(kept):
            return kept.value
        raise failure

    def _keep(self, ref: SecretRef, kept: _Kept, found: Found) -> None:
        if kept.failure is not None:
            self._announce("warning", f"The secret {ref} can be had again.")
        now = self._clock()
        kept.value, kept.good_for, kept.failure = found.value, found.good_for, None
        kept.fetched_at = kept.tried_at = now

    def _fail(self, ref: SecretRef, kept: _Kept, failure: SecretMissing) -> None:
        """Told once, until it can be had again or is no longer used."""
        kept.tried_at = self._clock()
        if not isinstance(failure, SecretUnavailable):
            kept.value = None
        told = kept.failure is not None
        used = kept.value is not None and not self._too_old(kept)
        if used and not told:
            left = (
                kept.fetched_at
                + self._policy().secrets.refresh
                + self._policy().secrets.stale
                - self._clock()
            )
            self._announce(
                "warning",
                f"The secret {ref} cannot be renewed: {failure}. The old one is used for {left:.0f} s more.",
            )
        elif not used and (not told or kept.value is not None):
            kept.value = None
            self._announce("error", f"The secret {ref} cannot be had: {failure}. What needs it is refused.")
        kept.failure = failure

    # Places.

    async def _place(self, ref: SecretRef) -> Place:
        """Made when first needed, and anew where the policy says another way to ask."""
        secrets = self._policy().secrets
        way: object = {"vault": secrets.vault, "aws": secrets.aws}.get(ref.source)
        known = self._places.get(ref.source)
        if known is not None and known[0] == way:
            return known[1]
        place: Place
        if ref.source == "command":
            place = Commands(self._withheld)
        elif ref.source == "aws":
            place = Aws(secrets.aws)
        elif secrets.vault is not None:
            place = Vault(secrets.vault, self._near, clock=self._clock)
        else:
            raise SecretUnavailable(f"the policy no longer says how {ref} is asked for")
        self._places[ref.source] = (way, place)
        if known is not None:
            await known[1].close()
        return place

    async def _near(self, ref: SecretRef) -> str:
        """What a store is asked with: read or run each time, since stores ask for it seldom."""
        if ref.is_local:
            return read(ref)
        return (await Commands(self._withheld).fetch(ref)).value

    def _withheld(self) -> set[str]:
        return {ref.name for _, ref in references(self._policy()) if ref.source == "env"}
