"""Approvals: what waits, who is asked, and how it stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from gateway.model import Reach, StepKind


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
class ShapeView:
    """What a yes to a command's shape lets go."""

    words: str
    """The command with … for each value that may be another."""
    passes: str
    """Another one that would go; "" where only blanks and quoting may differ."""
    stops: str
    """One that would not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandView:
    """A command as it may be shown: secrets and personal data in it are masked."""

    text: str
    parameters: tuple[str | None, ...] = ()
    effects: tuple[str, ...] = ()
    resources: tuple[ResourceView, ...] = ()
    complete: bool = True
    unread: str = ""
    """Why what it does is not known, as far as that could not be read."""
    digest: str
    """SHA-256, hex, of exactly what would run."""
    words: str
    """The digest as four words, to compare by eye between card, terminal and page."""
    masked: bool = False
    """Something in text or parameters was masked."""
    alike: ShapeView | None = None
    """Where a yes may be for the shape and its words may be shown."""


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
    rows: int | None = None
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
class ReachedView:
    """How much of a target can be got at without asking anybody."""

    read: int = 0
    """Tables and views."""
    written: int = 0
    columns: int = 0
    """Of what can be read."""
    masked: int = 0
    """Of these, those that a mask hides by their names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TablesView:
    """The blast radius in numbers, by the catalogue of the target."""

    total: int
    before: ReachedView
    after: ReachedView


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
    tables: TablesView | None = None
    """None where no catalogue of the target is known, or nobody is asked."""
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
    rows: int | None = None
    """None where rows are not counted, unless a vote says so."""


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
    """To approve for a while: how far, how many seconds, commands and rows. Votes count for the narrowest of all."""
    seconds: float = 0.0
    commands: int = 0
    rows: int | None = None
    """None for all that is offered."""


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
