"""What followers are told of, what the bot keeps, and refusals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateway.contract.approvals import Approval
from gateway.contract.elevations import GrantView
from gateway.contract.sessions import SessionView


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """Something operators should know: a policy file that did not load, a recording that failed."""

    id: str
    at: float
    level: str
    text: str
    channel: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One step of the feed; exactly one of the optional fields is set."""

    seq: int
    approval: Approval | None = None
    session: SessionView | None = None
    announcement: Announcement | None = None
    grant: GrantView | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """`GET /v1/changes?after=SEQ&wait=SECONDS`."""

    next: int
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What the bot keeps in the gateway: `PUT /v1/notes/{key}` with `If-Match: version` (0 creates)."""

    version: int
    data: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Body of every error answer of the API."""

    error: str
    """`not_eligible`, `already_settled`, `stale`, `review_first`, `login_first`, `not_found`, `conflict`, `bad_request`, `wish_refused`, `unauthorized`."""
    message: str
    url: str = ""
    """Where the person who asked can do what is missing, once: for their eyes only."""
    field: str = ""
    """The part of a wish (a field of `ElevationRequest`) that would have to be another."""
