"""A gateway that runs, as far as the outside may touch it, and how it keeps up with its policy file."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass

import orjson

from gateway.doors import DoorFailed, Doors
from gateway.gate import Gate
from gateway.journal import Journal
from gateway.policy.live import LivePolicy
from gateway.sessions import Sessions

log = logging.getLogger("countersign.serve")

TICK = 1.0
"""Seconds between looks at the policy file, and between changes of one busy session in the feed."""


@dataclass(slots=True, kw_only=True)
class Gateway:
    """Its parts that outlive a policy."""

    policy: LivePolicy
    doors: Doors
    api_address: str
    sessions: Sessions
    gate: Gate
    announce: Callable[[str, str], None]
    """Tell operators, at `warning` or `error`, in the log and where approvals are posted."""
    reload_asked: asyncio.Event

    def reload(self) -> None:
        """Read the policy file again, soon."""
        self.reload_asked.set()

    def ready_line(self, *, as_json: bool) -> str:
        if as_json:
            ready = {"ready": True, "api": f"http://{self.api_address}", "connections": self.doors.addresses}
            return orjson.dumps(ready).decode()
        doors = ", ".join(f"{name} on {address}" for name, address in self.doors.addresses.items())
        return f"Countersign is ready: {doors}; API on {self.api_address}."

    async def keep_up(self, journal: Journal) -> None:
        """Each second: tell the feed of busy sessions, and look whether the policy file has changed."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK):
                    await self.reload_asked.wait()
            self.sessions.publish_touched()
            if not self.reload_asked.is_set() and not self.policy.changed():
                continue
            self.reload_asked.clear()
            before = self.policy.current.version
            found = await asyncio.to_thread(self.policy.read)
            if self.policy.take(found) is None and self.policy.current.version != before:
                policy = self.policy.current
                self.gate.adopt(policy)
                try:
                    await self.doors.follow(policy)
                except DoorFailed as failure:
                    self.announce("error", f"The new policy is in force, but {failure}.")
                await journal.append("policy", {"from": before, "to": policy.version})
                log.info("policy reloaded", extra={"version": policy.version})
