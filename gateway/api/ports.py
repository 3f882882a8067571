"""What the API needs of the parts of the gateway that it only shows and stops."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from gateway.contract import SessionView


class SessionsPort(Protocol):
    """The open sessions."""

    def all(self) -> list[SessionView]: ...

    def get(self, session_id: str) -> SessionView | None: ...

    def kill(self, session_id: str, reason: str) -> bool: ...

    def of_tokens(self, token_ids: Collection[str]) -> list[str]: ...


class LinkPort(Protocol):
    """A token that has not ended."""

    @property
    def name(self) -> str: ...

    @property
    def person(self) -> str: ...

    @property
    def parent(self) -> str: ...

    @property
    def expires_at(self) -> float: ...

    @property
    def revoked_at(self) -> float | None: ...


class LineagesPort(Protocol):
    """Who derived whom."""

    def links(self) -> Mapping[str, LinkPort]: ...

    def subtree(self, token_id: str) -> tuple[str, ...]: ...

    def revoke(self, token_id: str, *, by: str, reason: str = "") -> tuple[str, ...]: ...
