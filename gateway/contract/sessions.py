"""Sessions and lineages: what runs, what was said there, and what ending it would stop."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.contract.approvals import LineageView


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView:
    id: str
    connection: str
    protocol: str
    lineage: LineageView
    client: str
    opened_at: float
    closed_at: float | None = None
    commands: int = 0
    blocked: int = 0
    held: int = 0
    masked: dict[str, int] = field(default_factory=dict)
    entries: int = 0
    """Transcript entries so far; pages are asked for by entry number."""
    close_reason: str = ""
    head: str = ""
    """Hash of the recording's last record, once closed."""
    channel: str = ""
    """The audit channel its transcript belongs in."""
    link: str = ""
    """Where a person reads its masked transcript: an address that opens it to whoever has it, for thirty days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One readable line of a transcript, masked."""

    number: int
    at: float
    kind: str
    """`command`, `decision`, `answer`, `notice`, `end`."""
    text: str
    verdict: str = ""
    rules: tuple[str, ...] = ()
    command_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """`GET /v1/sessions/{id}/transcript?after=N&limit=K`."""

    session: SessionView
    entries: tuple[Entry, ...]
    next: int
    running: tuple[Entry, ...] = ()
    """On the last page: what came so far of commands that have not ended. Their numbers are not theirs to keep."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageNode:
    """A live token that somebody may see: one row of a lineage tree."""

    token_id: str
    parent: str
    """"" for a root, or where the parent may not be seen."""
    name: str
    person: str
    expires_at: float
    revoked: bool = False
    sessions: int = 0
    """Open ones that it asks in itself."""
    held: int = 0
    """Its own commands that wait for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """An entry of a transcript that has every word that was searched for."""

    session: str
    number: int
    at: float
    kind: str
    text: str
    """The masked text around the words."""
    connection: str
    person: str
    agent: str
    link: str = ""
    """Where the entry is read; "" where people cannot reach the gateway's pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """`GET /v1/search?q=WORDS&person=&groups=&before=&limit=`: the newest first."""

    hits: tuple[Hit, ...]
    next: str = ""
    """`before` of the page that follows; "" where this is the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subtree:
    """`GET /v1/lineages/{token_id}`: what revoking that token would stop."""

    token_id: str
    name: str
    agents: tuple[str, ...]
    sessions: tuple[str, ...]
    held: int = 0
    revoked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeRequest:
    """Body of `POST /v1/lineages/{token_id}/revoke` and of `POST /v1/sessions/{id}/kill`."""

    person: str
    reason: str = ""
    groups: tuple[str, ...] = ()
