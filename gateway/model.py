"""The values everything is about: who asks, for what, and what was decided.

Frozen, without behaviour beyond what their fields imply, and importing nothing of ours. What leaves
the process has its own shape in `gateway.contract`.
"""

from __future__ import annotations

import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import TypeAlias


class Effect(StrEnum):
    """What a command would do; `docs/effects.md` says where each begins and ends."""

    READ = "read"
    WRITE = "write"
    DDL = "ddl"
    DESTRUCTIVE = "destructive"
    PRIVILEGE = "privilege"
    EXEC = "exec"
    EXFIL = "exfil"
    SESSION = "session"
    UNKNOWN = "unknown"


class Reach(StrEnum):
    """How far beyond the one command a yes may reach, the narrowest first. Each holds what those before it hold."""

    CALL = "call"
    """Exactly this command again, of the same agent."""
    SHAPE = "shape"
    """Commands of the same agent that differ from this one in their values alone."""
    AGENT = "agent"
    """Whatever the same rules hold of the same agent, as far as its effects are among this one's."""
    SUBTREE = "subtree"
    """The same of everything that the agent starts, too."""


Effects: TypeAlias = frozenset[Effect]
Scope: TypeAlias = Mapping[str, Effects]
"""Connection name -> effects that may be used there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """One link of a delegation chain: an agent, and the token it holds."""

    name: str
    token_id: str
    origin: str = ""
    """Where the token was asked for: a peer address, never trusted for decisions."""
    task: str = ""
    """What the agent says it is for. Its own words: shown as such."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Who is really asking: a person, then every agent from the root to the one asking."""

    person: str
    """The accountable human's e-mail, or "" where a service stands at the root."""
    chain: tuple[Actor, ...]
    """Root agent first, the one asking last."""
    groups: frozenset[str] = frozenset()

    @property
    def depth(self) -> int:
        return len(self.chain)

    @property
    def agent(self) -> str:
        """The name of the one asking."""
        return self.chain[-1].name if self.chain else self.person

    @property
    def token_ids(self) -> tuple[str, ...]:
        return tuple(actor.token_id for actor in self.chain)

    @property
    def key(self) -> str:
        """The same for two connections exactly when the same chain of tokens asks."""
        return sha256("\0".join((self.person, *self.token_ids)).encode()).hexdigest()

    def __str__(self) -> str:
        names = [actor.name for actor in self.chain]
        return " → ".join([self.person, *names] if self.person else names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A named target, as rules see it. Addresses and credentials stay in the policy's own `Target`."""

    name: str
    protocol: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One admitted client connection."""

    id: str
    lineage: Lineage
    connection: Connection
    scope: Effects
    """Effects the token grants on this connection."""
    opened_at: float
    """Unix seconds."""
    expires_at: float
    """When the token ends, and the session with it; Unix seconds."""
    client: str = ""
    """The peer's address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A thing that a command touches: `Resource(kind="table", name="public.orders", effect=WRITE)`."""

    kind: str
    name: str
    effect: Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One result column and the columns its values are made of.

    `name` is "*" for a star that only the target can expand. `sources` holds dotted lower-case names as
    far as they are known (`customers.ssn`, or just `ssn`). `exact` is false when the value is computed
    rather than passed on as it is stored.
    """

    name: str
    sources: frozenset[str]
    exact: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a command would do, read from its text alone."""

    effects: Effects
    resources: tuple[Resource, ...] = ()
    attributes: Mapping[str, str | int | bool] = field(default_factory=dict)
    """Namespaced keys: `sql.has_where`, `sql.statements`, ..."""
    complete: bool = True
    outputs: tuple[Output, ...] | None = None
    """Result columns in order; `None` where a command returns none, or nobody can tell which."""
    carried: tuple[Output, ...] = ()
    """Stored values that go where no answer is masked: `name` is the column they are stored in next, "" elsewhere."""

    def __post_init__(self) -> None:
        if not self.complete and Effect.UNKNOWN not in self.effects:
            object.__setattr__(self, "effects", self.effects | {Effect.UNKNOWN})

    @property
    def why_unknown(self) -> str:
        """Why reading was not complete, or "": every protocol's facts say so in an attribute of this name."""
        said = [str(value) for name, value in self.attributes.items() if name.endswith(".why_unknown")]
        return "; ".join(said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a command has in common with those that differ from it only in values that do not change what it does."""

    key: str
    """The same for all of them; those of other effects and things are others all the same."""
    things: tuple[Resource, ...]
    """What each of them touches, in words that are the same for all."""
    words: str
    """The command with … for each value that may be another. Its own words: shown as such, and masked."""
    passes: str
    """Another one of the shape, made up."""
    stops: str
    """One that is not, made up."""


class Command:
    """The smallest thing that can be let through or refused on its own.

    Made for every message that could have an effect, so its constructor is one that compiles.
    """

    __slots__ = ("around", "exact", "facts", "id", "parameters", "text")

    def __init__(
        self,
        *,
        id: str,  # noqa: A002  # what it is called everywhere
        text: str,
        facts: Facts,
        exact: tuple[bytes, ...],
        parameters: tuple[str | None, ...] = (),
        around: bytes = b"",
    ) -> None:
        self.id: typing.Final = id
        self.text: typing.Final = text
        self.parameters: typing.Final = parameters
        """Bound parameters as a person would read them; `None` is SQL's NULL."""
        self.facts: typing.Final = facts
        self.exact: typing.Final = exact
        """Everything that decides what would run, `measured`, in as many pieces: text, bound values, the name space."""
        self.around: typing.Final = around
        """What of `exact` is not of the text itself: the name space."""

    @property
    def digest(self) -> str:
        """SHA-256 over `exact`; made where somebody is asked, since most commands need none."""
        return sha256(b"".join(self.exact)).hexdigest()


def measured(*parts: bytes) -> bytes:
    """The parts in one, each behind its length, so that no two lists of parts give the same."""
    pieces: list[bytes] = []
    for part in parts:
        pieces.append(len(part).to_bytes(8, "big"))
        pieces.append(part)
    return b"".join(pieces)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepUp:
    """How fresh a login an approving vote needs, and of what strength."""

    max_age: float
    """Seconds since the person proved themselves to their identity provider."""
    acr: str = ""
    """The authentication context class (OIDC's `acr`, SAML's AuthnContextClassRef); "" for any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What one rule wants before a command may go on: `quorum` votes from `approvers`."""

    rule: str
    approvers: str
    quorum: int = 1
    step_up: StepUp | None = None


class StepKind(StrEnum):
    """What happens while nobody answers."""

    CALL = "call"
    """A person is told: it is theirs to answer first."""
    REMIND = "remind"
    """Everybody who is asked is reminded."""
    ESCALATE = "escalate"
    """A second group may answer, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """So many seconds after an approval opened and was not decided."""

    after: float
    kind: StepKind
    to: str = ""
    """The person, or the group."""
    rule: str = ""
    """Whose asks a second group may answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lasting:
    """What a yes may be given for a while, where policy says so."""

    what: frozenset[Reach]
    longest: float
    """Seconds."""
    commands: int
    """How many commands it may let go at most."""
    rows: int | None = None
    """How many rows they may bring or change together; None where rows are not counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reveal:
    """What masks leave alone because people granted that it is shown."""

    columns: tuple[str, ...] = ()
    detect: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Allow:
    rules: tuple[str, ...]
    masks: tuple[str, ...] = ()
    reveal: Reveal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    rules: tuple[str, ...]
    message: str
    asks: tuple[Ask, ...]
    masks: tuple[str, ...] = ()
    expires_in: float
    """Seconds from the moment the approval opens."""
    lasting: Lasting | None = None
    """None where each yes is for the one command."""
    steps: tuple[Step, ...] = ()
    """What happens while nobody answers, in the order of time."""
    by_default: bool = False
    """Some of it no rule speaks of. Not among `rules` where the default's ask goes without saying beside theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    rules: tuple[str, ...]
    message: str


Final: TypeAlias = Allow | Block
Verdict: TypeAlias = Allow | Hold | Block
