"""Elevations: what may be asked for, what was granted, and how its holder gets in."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.contract.approvals import Approval, AskView
from gateway.model import Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class ElevationRequest:
    """Body of `POST /v1/elevations`."""

    connection: str
    effects: tuple[str, ...]
    seconds: float
    reason: str
    commands: int | None = None
    person: str = ""
    """Who asks, where the bot carries it; an agent asks with its own token."""
    agent: str = ""
    """For which agent, where a person asks: its name, or its token's id; "" for the person by hand."""
    groups: tuple[str, ...] = ()
    """Groups of the person's that the bot vouches for."""
    rows: int | None = None
    template: str = ""
    """The offer that is meant; "" for the first that fits."""
    ticket: str = ""
    extends: str = ""
    """The grant that should go on: it is asked for again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantView:
    """A grant that holds."""

    id: str
    approval: str
    connection: str
    effects: tuple[str, ...]
    token_id: str
    agent: str
    asked_by: str
    reason: str
    starts_at: float
    ends_at: float
    commands: int
    used: int
    what: Reach | None = None
    """Where a yes to one command made it: how far it reaches. None is an elevation."""
    template: str = ""
    how: str = "votes"
    person: str = ""
    """Who is accountable."""
    by_hand: bool = False
    rows: int | None = None
    rows_used: int = 0
    resources: tuple[str, ...] = ()
    ticket: str = ""
    reveal: tuple[str, ...] = ()
    ending: str = "hold"
    ended_at: float | None = None
    ended: str = ""
    """Why it ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderView:
    """A live agent that an elevation can be for."""

    token_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferView:
    """`GET /v1/elevations?person=`: one thing that this person may ask for on one connection."""

    template: str
    connection: str
    protocol: str
    effects: tuple[str, ...]
    longest: float
    commands: int
    rows: int | None = None
    resources: tuple[str, ...] = ()
    ticket: bool = False
    """A request has to name one."""
    by_hand: bool = False
    holders: tuple[HolderView, ...] = ()
    """The live agents of this person's that it is for."""
    asks: tuple[AskView, ...] = ()
    message: str = ""
    break_glass: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessView:
    """`POST /v1/grants/{id}/access`: how its person connects; the secret comes once, by the code."""

    grant: GrantView
    code: str
    link: str
    """Where the code opens; "" where people cannot reach the gateway's pages."""
    expires_at: float
    address: str
    line: str
    """What to type, without the secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialView:
    """`POST /v1/access/{code}`: shown once."""

    grant: GrantView
    user: str
    password: str
    expires_at: float
    address: str
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ElevationState:
    """`GET /v1/elevations/{approval}`: how a request stands."""

    approval: Approval
    grant: GrantView | None = None
    """While it holds."""
