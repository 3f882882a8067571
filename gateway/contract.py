"""What leaves the process: the shapes that the gateway's API speaks, and the one module that `bot` may import.

Every shape is a frozen dataclass; `encode` and `decode` turn it into JSON and back. Unknown fields are ignored
on reading, so a field may be added at any time, with a default. Times are Unix seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from gateway import model

VERSION = 1
CARD_TEXT = 2_500
"""Characters of a command that fit on a card; a longer one can only be approved after opening it whole."""

T = TypeVar("T")

Reach = model.Reach
StepKind = model.StepKind


class State(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    SPENT = "spent"


class Choice(StrEnum):
    APPROVE = "approve"
    DENY = "deny"
    KILL = "kill"
    """Deny, end the session, and revoke the asking agent's token with everything below it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorView:
    name: str
    token_id: str
    origin: str = ""
    task: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageView:
    person: str
    chain: tuple[ActorView, ...]
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceView:
    kind: str
    name: str
    effect: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandView:
    """A command as it may be shown: secrets and personal data in it are masked."""

    text: str
    parameters: tuple[str | None, ...] = ()
    effects: tuple[str, ...] = ()
    resources: tuple[ResourceView, ...] = ()
    complete: bool = True
    digest: str
    """SHA-256, hex, of exactly what would run."""
    words: str
    """The digest as four words, to compare by eye between card, terminal and page."""
    masked: bool = False
    """Something in text or parameters was masked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepUpView:
    """How fresh a login an approving vote needs, and of what strength."""

    max_age: float
    acr: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskView:
    rule: str
    approvers: str
    quorum: int
    also: str = ""
    """A second group that may answer by now, since nobody did."""
    step_up: StepUpView | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginView:
    """A login that a vote was cast with."""

    provider: str
    at: float
    acr: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    person: str
    choice: Choice
    at: float
    groups: tuple[str, ...] = ()
    """The groups in whose name the vote counts."""
    reason: str = ""
    through: str = ""
    """The credential that carried it: `slack`, `cli`."""
    reach: Reach | None = None
    """How far beyond this one command the yes reaches; None is this command alone, once."""
    seconds: float = 0.0
    commands: int = 0
    login: LoginView | None = None
    """The fresh login that it needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The gateway's own measurement of what a held command would touch, or why there is none."""

    rows: int | None = None
    total: int | None = None
    """Rows in the whole table, where known."""
    plan: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PossibleView:
    """What becomes of one effect: before the grant, and while it lasts."""

    effect: str
    before: str
    """`allow`, `hold`, `block`, or "" where the one who asks cannot get there at all."""
    after: str
    blocked_by: tuple[str, ...] = ()
    """Rules that block it still where their own conditions hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastView:
    """An earlier grant of the same person's."""

    at: float
    connection: str
    effects: tuple[str, ...]
    reason: str
    how: str
    used: int
    ended: str = ""
    """How it ended; "" where it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ElevationView:
    """What an approval that asks for elevation would grant."""

    asked_by: str
    effects: tuple[str, ...]
    """What would no longer be held; what is blocked stays blocked."""
    seconds: float
    commands: int
    """How many commands may run under it."""
    reason: str
    template: str = ""
    """The offer of policies.yaml."""
    rows: int | None = None
    resources: tuple[str, ...] = ()
    """The only things that it is for; none: all."""
    by_hand: bool = False
    ticket: str = ""
    extends: str = ""
    reveal: tuple[str, ...] = ()
    """Columns and detectors that would be shown; without any, masks stay."""
    ending: str = "hold"
    how: str = "votes"
    """`votes`, `unasked`, `break-glass`; or `review`, where people look at what was had by breaking the glass."""
    possible: tuple[PossibleView, ...] = ()
    freely_before: tuple[str, ...] = ()
    """All that the chain can do there without asking anybody, as far as its root agent may reach."""
    freely_after: tuple[str, ...] = ()
    past: tuple[PastView, ...] = ()
    """The newest first."""
    past_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """What happens at a time if nobody has decided by then."""

    at: float
    kind: StepKind
    to: str = ""
    """The person who is called, or the group that it goes on to."""
    rule: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastingView:
    """What a yes may be given for a while, by policy."""

    what: tuple[Reach, ...]
    """The narrowest first."""
    seconds: float
    commands: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    id: str
    version: int
    state: State
    command: CommandView
    lineage: LineageView
    session: str
    connection: str
    protocol: str
    labels: dict[str, str] = field(default_factory=dict)
    message: str = ""
    """The operator's sentence from the rule that holds."""
    asks: tuple[AskView, ...]
    votes: tuple[Vote, ...] = ()
    waiting: int = 1
    """Clients that wait for it; 0 when all have left and one may come back."""
    review_required: bool = False
    """May only be approved after the whole text was opened: it is long, masked, or hides characters."""
    votable_from: int = 1
    """A vote cast on an older version than this is refused: the card has changed in what it asks."""
    estimate: Estimate | None = None
    opened_at: float
    expires_at: float
    settled_at: float | None = None
    settled_by: str = ""
    reason: str = ""
    """Why it was denied, withdrawn or expired."""
    channel: str = ""
    """Where its card belongs."""
    elevation: ElevationView | None = None
    """Where it is no command that waits, but somebody who asks for more for a while."""
    lasting: LastingView | None = None
    """Where a yes may be for a while; None where it is for this command alone."""
    family: str = ""
    """Those that belong on one card have this in common: the id of the first of them."""
    steps: tuple[StepView, ...] = ()
    """What happens while nobody decides, in the order of time."""
    stepped: int = 0
    """How many of these have happened."""
    grant: str = ""
    """The grant that its votes made, or under which another's votes released it."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteRequest:
    """Body of `POST /v1/approvals/{id}/votes`."""

    person: str
    choice: Choice
    reason: str = ""
    seen_version: int
    groups: tuple[str, ...] = ()
    """Groups that the bot vouches for (only those that policies.yaml ties to a Slack user group count)."""
    opened: str = ""
    """The proof, from `WholeText`, that this person opened the whole text."""
    slack_id: str = ""
    """The Slack user who clicked; the gateway looks whether they are this person still."""
    reach: Reach | None = None
    """To approve for a while: how far, how many seconds, how many commands. Votes count for the narrowest of all."""
    seconds: float = 0.0
    commands: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeText:
    """`GET /v1/approvals/{id}/text?person=`: everything that would run, unmasked, for one who may vote."""

    text: str
    parameters: tuple[str | None, ...]
    digest: str
    words: str
    opened: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Twins:
    """`GET /v1/approvals/{id}/twins`: how many others, held now, a yes of each reach would release with it."""

    held: dict[Reach, int] = field(default_factory=dict)


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
    """`GET /v1/links/{slack_id}`: as whom a Slack user logged in."""

    slack_id: str
    team: str
    person: str
    provider: str
    at: float


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Body of every error answer of the API."""

    error: str
    """`not_eligible`, `already_settled`, `stale`, `review_first`, `login_first`, `not_found`, `conflict`, `bad_request`, `unauthorized`."""
    message: str
    url: str = ""
    """Where the person who asked can do what is missing, once: for their eyes only."""


def encode(value: object) -> bytes:
    return msgspec.json.encode(value)


def decode(data: bytes | str, shape: type[T]) -> T:
    """`data` as `shape`; raises `msgspec.ValidationError` naming the field that does not fit."""
    return msgspec.json.decode(data, type=shape)
