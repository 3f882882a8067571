"""An identity provider that does as it is told, and a purpose that remembers what it was told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from gateway.identity.logins import LoginRefused, Proven, Started, Wishes

ADA = "ada@shop.example"


class Told:
    """Says what `answer` is at the moment."""

    def __init__(self, clock: Any, name: str = "okta") -> None:
        self.name = name
        self.clock = clock
        self.answer: dict[str, Any] = {}
        self.asked: list[Wishes] = []
        self.brought: list[Mapping[str, str]] = []

    async def start(self, state: str, wishes: Wishes) -> Started:
        self.asked.append(wishes)
        query = urlencode({"state": state})
        return Started(url=f"https://{self.name}.example/authorize?{query}", kept={"verifier": state[::-1]})

    async def finish(self, values: Mapping[str, str], kept: Mapping[str, str]) -> Proven:
        self.brought.append(values)
        assert kept == {"verifier": values["state"][::-1]}
        if values.get("error"):
            raise LoginRefused("You said no.")
        said = {
            "person": ADA,
            "groups": frozenset({"db-admins"}),
            "provider": self.name,
            "at": self.clock(),
            **self.answer,
        }
        return Proven(**said)


class Noted:
    """Notes who was proven."""

    def __init__(
        self, wishes: Wishes | None = None, *, title: str = "Log in a terminal", **details: str
    ) -> None:
        self.title = title
        self.details = tuple(details.items())
        self.wishes = wishes or Wishes()
        self.proven: list[Proven] = []
        self.refuses = ""

    async def done(self, proven: Proven) -> str:
        self.proven.append(proven)
        if self.refuses:
            raise LoginRefused(self.refuses)
        return f"You are {proven.person}."
