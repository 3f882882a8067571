"""What policies.yaml says, as frozen values: already checked, with every name resolved.

`gateway.policy.file` makes them; `gateway.policy.evaluate` judges by them. Durations are seconds, sizes bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from gateway import wire
from gateway.model import Connection, Effect, Effects, Lasting, Scope, Step, StepUp
from gateway.policy.credentials import SecretPolicy, SecretRef, StoredCredential
from gateway.policy.expressions import Expression
from gateway.policy.globs import Globs
from gateway.policy.identities import Binding, IdentityPolicy
from gateway.policy.kinds import Patterns
from gateway.policy.moment import NOTHING, Budget, Spent, Window
from gateway.policy.offers import BY_HAND, Offer

AttributeValue: TypeAlias = str | int | bool

ANY_GROUP = "*"
"""As approvers: one vote of a member of any declared group."""
DEFAULT_RULE = "default"
"""The name under which the policy's `default` appears among the rules that decided."""

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
MIB = 1024 * 1024


BOT_CREDENTIAL = SecretRef(source="env", name="COUNTERSIGN_BOT_TOKEN")
"""What the bot proves itself with, where the file says nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


Tls: TypeAlias = Literal["disable", "require", "verify-full", "own"]
"""How a target is met: `own` is a protocol's that encrypts by itself and knows hosts by their keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    host: str
    port: int
    database: str = ""
    """"" where clients may choose."""
    tls: Tls = "verify-full"
    ca: str | None = None
    """A file of what to trust in place of the system's: certificates, or known hosts."""

    def __str__(self) -> str:
        return str(Address(host=self.host, port=self.port)) + (f"/{self.database}" if self.database else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A connection with what rules have no business with: addresses, credential, channels."""

    connection: Connection
    listen: Address
    upstream: Upstream
    credential: StoredCredential
    approvals_channel: str
    audit_channel: str
    options: Mapping[str, str] = field(default_factory=dict)
    """The protocol's own switches: `shell: refuse`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """A program that may ask for a token of its own: the root of lineages."""

    name: str
    secret: SecretRef | None = None
    """None where the agent comes with a token of a trusted issuer instead."""
    scope: Scope = field(default_factory=dict)
    max_depth: int = 3
    """How long a chain of tokens may grow, this agent's own included."""
    person: str = ""
    """Who is accountable when the token request names nobody."""
    persons: tuple[str, ...] = ()
    """Further people whom a token request may name; "*" is anybody."""
    ttl: float = HOUR
    keys: tuple[str, ...] = ()
    """Public keys by which it may enter where a protocol knows keys, as lines of OpenSSH."""
    binding: Binding = field(default_factory=Binding)
    """Of its tokens, and of those derived from them, each for itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    name: str
    slack: str = ""
    """Handle of the Slack user group, `@dba`. Its members count, unless `claim` says who does."""
    members: tuple[str, ...] = ()
    claim: tuple[str, ...] = ()
    """What identity providers call it: whom they say to be in one of these is."""

    @property
    def is_open(self) -> bool:
        """Others than `members` may be in it."""
        return bool(self.slack or self.claim)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """`{gt: 100}`: an attribute compared with something else than equality."""

    operator: Literal["gt", "ge", "lt", "le", "ne", "like"]
    value: AttributeValue


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """Conditions of a rule; `None` is a condition that was not set. All that are set must hold."""

    connections: Globs | None = None
    protocols: frozenset[str] | None = None
    labels: Mapping[str, Globs] = field(default_factory=dict)
    effects: Effects | None = None
    resources: Patterns | None = None
    attributes: Mapping[str, tuple[AttributeValue, ...]] = field(default_factory=dict)
    agents: Globs | None = None
    persons: Globs | None = None
    groups: frozenset[str] | None = None
    ancestors: Globs | None = None
    """Any agent above the one that asks."""
    min_depth: int = 0
    max_depth: int = 0
    """0 where there is none."""
    comparisons: Mapping[str, tuple[Comparison, ...]] = field(default_factory=dict)
    """Attribute -> what it is compared with; all of them must hold."""
    during: tuple[Window, ...] | None = None
    """It is now within one of them."""
    outside: tuple[Window, ...] | None = None
    """It is now within none of them."""
    budget: Budget | None = None
    """To allow: some of it is left. To hold or block: it is used up."""
    estimated_rows: tuple[Comparison, ...] | None = None
    """What the target's estimate is compared with; all must hold."""
    where: Expression | None = None

    @property
    def is_of_the_moment(self) -> bool:
        """The same command may be judged otherwise a moment later."""
        return any(each is not None for each in (self.during, self.outside, self.budget, self.estimated_rows))


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowing:
    masks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedGroup:
    approvers: str
    quorum: int = 1
    step_up: StepUp | None = None
    """What a vote needs beside; None where the click is enough."""


ANYBODY = (AskedGroup(approvers=ANY_GROUP),)
"""What a bare `hold` asks for: one yes of anybody who may vote at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    asks: tuple[AskedGroup, ...] = ANYBODY
    message: str = ""
    """The operator's sentence; "" where the rule has none of its own."""
    within: float = 15 * MINUTE
    masks: tuple[str, ...] = ()
    lasting: Lasting | None = None
    """What a yes may be given for a while; None where each is for one command."""
    steps: tuple[Step, ...] = ()
    """What happens while nobody answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocking:
    message: str = "The policy does not allow this."


Then: TypeAlias = Allowing | Holding | Blocking
Default: TypeAlias = Holding | Blocking


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    name: str
    when: When
    then: Then
    enforce: bool = True
    """False for a shadow: judged and recorded, and without effect."""
    line: int = 0
    """Where it begins in the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomDetector:
    """One detector of the file: what it is made of, and the texts on which it is tried."""

    name: str
    pattern: str
    validator: str = ""
    words: tuple[str, ...] = ()
    """One of them must stand before a value; none: a value may stand anywhere."""
    matches: tuple[str, ...] = ()
    misses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskPolicy:
    name: str
    detect: tuple[str, ...] = ()
    custom: tuple[CustomDetector, ...] = ()
    """Those of `detect` that the file itself makes."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Column pattern (`*.ssn`), path into JSON (`$.token`) or both (`orders.payload$.token`) -> strategy."""
    except_: tuple[str, ...] = ()
    """Column patterns that this mask leaves alone."""
    except_detect: tuple[str, ...] = ()
    """Detectors that `detect` means and this mask does without."""
    keep_length: bool = False
    """What stands for a value is as long as it was."""

    @property
    def of_columns(self) -> Mapping[str, str]:
        """The rules that name a column, with or without a path into it: column pattern -> strategy."""
        named = (
            (pattern.partition("$")[0].rstrip("."), strategy) for pattern, strategy in self.columns.items()
        )
        return {column: strategy for column, strategy in named if column}


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    recordings: float = 90 * DAY
    required: float = 30 * DAY
    """Nothing younger than this may be deleted by anybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What peers may take. `wire` is what one connection may make the gateway keep in memory."""

    wire: wire.Limits = field(default_factory=wire.Limits)
    dial: float = 10.0
    """From admission to a connected upstream."""
    login: float = 30.0
    """From accept to an admitted session."""
    idle: float = 2 * HOUR
    """Nothing asked and nothing answered, where a protocol's library owns the sockets."""
    session: float = 12 * HOUR
    """The longest session there, however long its token lasts."""
    rejoin: float = 30.0
    """How long an approval that nobody waits for any more may still be joined."""
    connections: int = 1_000
    connections_per_lineage: int = 100
    answer_recorded: int = 16 * MIB
    """Of one answer; the rest is counted and hashed, not kept."""
    waiting_bytes: int = 512 * MIB
    """Of all clients together, where a protocol's library owns the sockets: what waits for a verdict, or for a slow peer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slack:
    approvals: str = "#approvals"
    audit: str = "#audit"
    people: Mapping[str, str] = field(default_factory=dict)
    """Slack user id -> person (e-mail)."""
    match_people_by_email: bool = False
    link_lasts: float | None = None
    """Seconds after which who was linked by a login logs in again; None for never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiPolicy:
    listen: Address = field(default_factory=lambda: Address(host="127.0.0.1", port=8480))
    public_url: str = ""
    """Where people reach the gateway's pages; "" where they cannot."""
    proxies: tuple[str, ...] = ()
    """Addresses of proxies before the API that say whom they ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsPolicy:
    certificate: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPolicy:
    ttl: float = HOUR
    max_ttl: float = 12 * HOUR
    nonce: bool = False
    """Every proof of a key (RFC 9449) has to carry a nonce that the gateway gave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A command, and what must come of it."""

    connection: str
    command: str
    agents: tuple[str, ...] = ("agent",)
    """The chain that asks, root first."""
    person: str = ""
    groups: frozenset[str] = frozenset()
    session_before: tuple[str, ...] = ()
    expect: Literal["allow", "hold", "block"]
    rules: tuple[str, ...] | None = None
    """The rules that must decide; `None` leaves that open."""
    masked: tuple[str, ...] | None = None
    """The result columns that must come back masked; `None` leaves that open."""
    at: float | None = None
    """When it is asked, in Unix seconds; `None` is a time that nobody knows."""
    estimated_rows: int | None = None
    used: Spent = NOTHING
    """What the chain has had of every budget before."""
    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One version of policies.yaml."""

    version: str
    """First 12 hex digits of the SHA-256 of the file's bytes."""
    source: str = "policies.yaml"
    targets: Mapping[str, Target] = field(default_factory=dict)
    agents: Mapping[str, Agent] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    default: Default = field(default_factory=Blocking)
    masks: Mapping[str, MaskPolicy] = field(default_factory=dict)
    retention: Retention = field(default_factory=Retention)
    limits: Limits = field(default_factory=Limits)
    slack: Slack = field(default_factory=Slack)
    api: ApiPolicy = field(default_factory=ApiPolicy)
    bot_credential: SecretRef = BOT_CREDENTIAL
    secrets: SecretPolicy = field(default_factory=SecretPolicy)
    tls: TlsPolicy | None = None
    tokens: TokenPolicy = field(default_factory=TokenPolicy)
    identity: IdentityPolicy = field(default_factory=IdentityPolicy)
    operators: tuple[str, ...] = ()
    """Groups whose members may end any session."""
    elevations: tuple[Offer, ...] = ()
    examples: tuple[Example, ...] = ()
    people: Mapping[str, Agent] = field(default_factory=dict)
    """Who may act by a login of their own at this moment, each as the root of a lineage; the file says nobody."""
    places: Mapping[str, tuple[int, int]] = field(default_factory=dict, repr=False)
    """Path of keys -> line and column in the file."""

    def root(self, name: str) -> Agent | None:
        """What may stand at the top of a lineage under this name: an agent of the file, a person who has logged in, or hands."""
        return self.agents.get(name) or self.people.get(name) or (self._hands() if name == BY_HAND else None)

    def _hands(self) -> Agent | None:
        """Anybody's own, where an elevation is offered to them: what they reach is what each token says."""
        if not any(offer.by_hand for offer in self.elevations):
            return None
        everywhere = dict.fromkeys(self.targets, frozenset(Effect))
        return Agent(name=BY_HAND, persons=("*",), scope=everywhere, max_depth=1)

    @property
    def enforced(self) -> tuple[Rule, ...]:
        """The rules that decide: all but the shadows."""
        return tuple(rule for rule in self.rules if rule.enforce)
