"""People: who they are, where they are asked, and what is theirs."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.contract.approvals import Approval
from gateway.contract.elevations import GrantView
from gateway.contract.sessions import LineageNode, SessionView


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupView:
    slack: str = ""
    """The Slack user group's handle, `@dba`, where one is tied to the group."""
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """`GET /v1/directory`: what policies.yaml says about people, groups and channels."""

    people: dict[str, str] = field(default_factory=dict)
    """Slack user id -> person (e-mail)."""
    match_by_email: bool = False
    groups: dict[str, GroupView] = field(default_factory=dict)
    approvals_channel: str = ""
    audit_channel: str = ""
    public_url: str = ""
    """Where people reach the gateway's pages; "" where they cannot."""
    login: bool = False
    """There is an identity provider, so a Slack user who is nobody yet can log in and be linked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRequest:
    """Body of `POST /v1/links`: a Slack user who wants to be known, as Slack describes them."""

    slack_id: str
    team: str
    name: str
    email: str = ""
    """The address that Slack has confirmed; "" where it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkOffer:
    """Where that Slack user logs in, once and soon: for their eyes only."""

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkView:
    """`GET /v1/links/{slack_id}`: as whom a Slack user logged in. All of them: `GET /v1/links`, for operators."""

    slack_id: str
    team: str
    person: str
    provider: str
    at: float
    ends_at: float | None = None
    """When they have to log in again."""
    over: bool = False
    """That time has come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whoami:
    """`GET /v1/whoami?person=&groups=`: who somebody is to the gateway."""

    person: str
    groups: tuple[str, ...] = ()
    operator: bool = False
    """May see everything, and end any session."""
    connections: tuple[str, ...] = ()
    """Where this person may be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """`GET /v1/home?person=&groups=`: what concerns one person, as of one moment."""

    whoami: Whoami
    votes: tuple[Approval, ...] = ()
    """What waits for a vote of theirs."""
    requests: tuple[Approval, ...] = ()
    """What they asked for, or an agent that they answer for: open ones, then the newest that are settled."""
    grants: tuple[GrantView, ...] = ()
    sessions: tuple[SessionView, ...] = ()
    lineages: tuple[LineageNode, ...] = ()
