"""What a protocol fulfils, and the events it speaks in.

A wire is bytes in, events out: it never waits, and touches no socket, clock or log. The relay carries its
events out and is the only caller. Bytes that a wire cannot account for raise `ProtocolViolation`: nothing
of them is forwarded and the connection ends.

Order of a session: `start`, `receive`..., `LoginAsked` -> `challenge` or `admit` or `refuse`; after `admit` the
upstream is connected and both sides `receive`. Each `CommandAsked` is answered by exactly one `answer` (or by
the wire's own `CommandWithdrawn`); a wire has at most one unanswered command and buffers what follows it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any, ClassVar, Final, Protocol, TypeAlias

from gateway.model import Allow, Block, Command, Session

NOTHING_MASKED: Final[Mapping[str, int]] = MappingProxyType({})


class ProtocolViolation(Exception):
    """A peer sent what its protocol does not allow here, or more than the limits allow."""


class AnswerWithheld(ProtocolViolation):
    """An answer that cannot be masked, for a reason of our own: nothing of it is passed on and the session ends.

    Says the kind of error and no more: what an error is about may be a value.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(f"an answer could not be masked ({type(error).__name__}), so it was withheld")


class Side(Enum):
    CLIENT = "client"
    UPSTREAM = "upstream"


# Some events are made for every message: they are plain classes, whose constructors compile.


class _Frequent:
    """Never changed once it is made; two with the same parts are equal."""

    __match_args__: ClassVar[tuple[str, ...]] = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Frequent) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        return repr(self._parts())

    def _parts(self) -> tuple[object, ...]:
        return (type(self).__name__, *[getattr(self, name) for name in self.__match_args__])


class Send(_Frequent):
    """Bytes for one side. `command_id` names the command that bytes for the client are an answer to."""

    __match_args__ = ("to", "data", "command_id")

    def __init__(self, to: Side, data: bytes, command_id: str = "") -> None:
        self.to: Final = to
        self.data: Final = data
        self.command_id: Final = command_id


@dataclass(frozen=True, slots=True)
class StartTls:
    """TLS begins on that side now. `received` is what already arrived of the peer's handshake."""

    side: Side
    received: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginAsked:
    """A client says who it is. `secret` is None where the wire first has to know how it may prove that."""

    user: str
    database: str
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginProved:
    """The client has proved, against the verifier of `challenge`, that it is `user`."""

    user: str
    database: str


class CommandAsked(_Frequent):
    __match_args__ = ("command",)

    def __init__(self, command: Command) -> None:
        self.command: Final = command


@dataclass(frozen=True, slots=True)
class CommandWithdrawn:
    """The client took its waiting command back (a cancel request); the wire has already told it so."""

    command_id: str


class CommandAnswered(_Frequent):
    """A released command is over."""

    __match_args__ = ("command_id", "outcome", "rows", "failed", "masked", "shape")

    def __init__(
        self,
        command_id: str,
        outcome: str,
        rows: int = 0,
        failed: bool = False,  # noqa: FBT001, FBT002
        masked: Mapping[str, int] = NOTHING_MASKED,
        shape: bytes = b"",
    ) -> None:
        self.command_id: Final = command_id
        self.outcome: Final = outcome
        """The protocol's own word for how it ended: `UPDATE 3`, `SQLSTATE 23505`."""
        self.rows: Final = rows
        self.failed: Final = failed
        self.masked: Final = masked
        """Detector or column rule -> how many values it masked."""
        self.shape: Final = shape
        """What a replay needs, besides the answer's bytes, to read them (PostgreSQL: the RowDescription)."""


@dataclass(frozen=True, slots=True)
class CancelAsked:
    """A client asks to cancel what `key` names: on a connection that carries nothing else, or beside its own commands."""

    key: bytes


@dataclass(frozen=True, slots=True)
class Aside:
    """An errand on an upstream connection of its own: `wire` talks to it alone until it hangs up."""

    wire: Wire


@dataclass(frozen=True, slots=True)
class LoginRefused:
    """The target did not take the credential of `admit`, and nothing of the session has begun.

    Answered by `admit` with another one, over a new connection, or by `refuse`.
    """

    message: str


@dataclass(frozen=True, slots=True)
class Reconnect:
    """The target has closed a connection on which nothing was under way, and the session goes on.

    Answered by `admit`, over a new connection, or by `refuse`.
    """


@dataclass(frozen=True, slots=True)
class Hangup:
    """The session is over; what was sent before still goes out."""

    reason: str = ""


Event: TypeAlias = (
    Send
    | StartTls
    | LoginAsked
    | LoginProved
    | CommandAsked
    | CommandWithdrawn
    | CommandAnswered
    | CancelAsked
    | Aside
    | LoginRefused
    | Reconnect
    | Hangup
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a peer may make a wire keep in memory; every field can be set in policies.yaml, `limits:`."""

    startup_bytes: int = 10_000
    """A start-up packet (PostgreSQL's own limit)."""
    secret_bytes: int = 65_536
    """A password or token message."""
    command_bytes: int = 16 * 1024 * 1024
    """One client message that has to be whole to be judged; larger ones are refused, never passed."""
    pipelined_bytes: int = 4 * 1024 * 1024
    """What a client may send behind an unanswered command before reading from it pauses."""
    statements: int = 10_000
    """Named statements and portals of one session."""
    row_bytes: int = 64 * 1024 * 1024
    """One row or message from upstream that has to be whole to be masked; larger ones end the session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a wire knows of its connection before the first byte."""

    limits: Limits = field(default_factory=Limits)
    client_tls: bool = False
    """The gateway can offer TLS to this client."""
    client_trusted_path: bool = False
    """Loopback or a unix socket: secrets may cross it in clear."""
    upstream_tls: str = "verify-full"
    """`disable`, `require` or `verify-full`; the relay verifies, the wire refuses to go on without."""
    upstream_host: str = ""
    upstream_port: int = 0
    """What the target is called, where its protocol tells it so."""
    random: Callable[[int], bytes]
    """A source of that many unpredictable bytes: nonces and cancel keys."""
    known: Any = None
    """The protocol's own `knowledge` of the target, if there is any; it is renewed while wires use it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """How the gateway logs in upstream for a session."""

    user: str
    password: str = field(default="", repr=False)
    database: str = ""
    account: str = ""
    """The stored credential's user, where `user` was made by it for this session alone."""
    acts_as: str = ""
    """Whom it becomes once it is in: the role that was made for a session."""
    application: str = ""
    """Names the session in the target's own logs; a client cannot replace it."""


class Upstream(Protocol):
    """Where a target is; `gateway.policy.model.Upstream` is one."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def tls(self) -> str: ...
    @property
    def ca(self) -> str | None: ...


class MaskedStream(Protocol):
    """Text that is masked as it comes, in whatever pieces."""

    hits: list[tuple[int, int, str]]
    """Every hit so far. Callers may empty it."""

    def feed(self, data: bytes) -> bytes:
        """What may be given out now that `data` has come."""

    def flush(self) -> bytes:
        """What may be given out where the text has come to a rest: all but a secret that has begun."""

    def close(self) -> bytes:
        """The rest, at the end of the text."""


class Mask(Protocol):
    """What a wire may ask about masking. Built by `gateway.masking` for the masks a verdict names."""

    @property
    def empty(self) -> bool:
        """Nothing is masked: answers may pass untouched."""

    def rule(self, names: Collection[str], *, label: str = "") -> str | None:
        """The strategy for a column made of these dotted names (`ssn`, `customers.ssn`), if one applies.

        `label` is what the answer calls it: patterns that leave the table open are compared with that too.
        `except` lists are already considered; the strictest strategy wins.
        """

    def paths(self, names: Collection[str], *, label: str = "") -> tuple[tuple[Any, str], ...]:
        """What to hide inside the JSON documents of such a column, as `gateway.masking.paths` has it, and how."""

    def opens(self, names: Collection[str], *, label: str = "") -> bool:
        """Whether a rule names such a column and a path into it."""

    def spares(self, names: Collection[str], *, label: str = "") -> bool:
        """Whether an `except` list takes such a column out of the search."""

    @property
    def detects(self) -> bool:
        """Whether values have to be searched, beside whole columns being masked."""

    def find(self, data: bytes) -> list[tuple[int, int, str]]:
        """Sorted, disjoint `(start, end, detector)` in UTF-8 `data`, validated.

        A value with too many to be hidden one by one is one hit: all of it.
        """

    def find_in_fields(self, data: bytes) -> list[tuple[int, int, str]]:
        """As `find` in each of the fields that zeros end; no hit goes over a zero."""

    def cover(self, data: bytes, hits: Iterable[tuple[int, int, str]]) -> bytes:
        """`data` with these hits masked."""

    def replace(self, value: str, *, strategy: str | None = None, detector: str | None = None) -> str:
        """One whole value, or one hit of a detector, masked."""

    def text(self, value: str) -> str:
        """Free text (an error message, a command) with every hit masked."""

    def stream(self, *, binary: bool = False) -> MaskedStream:
        """A text that begins. `binary`: what no text holds may be in it, and no length changes."""

    def noise(self, value: bytes, length: int) -> bytes:
        """As many bytes that only `value` and a secret key decide: stand-ins of types that are not text."""


class Wire(Protocol):
    """One client connection's protocol state."""

    @property
    def cancel_key(self) -> bytes:
        """What a `CancelAsked` must carry to mean this session; b"" until the client has been given one."""

    @property
    def buffered(self) -> int:
        """Bytes from the client that wait behind an unanswered command."""

    def start(self) -> Sequence[Event]:
        """Called once, before any byte: a protocol whose server speaks first greets here."""

    def receive(self, side: Side, data: bytes) -> Sequence[Event]:
        """Bytes have arrived; b"" means that side has closed."""

    def tls_started(self, side: Side, binding: bytes) -> Sequence[Event]:
        """TLS is up. `binding` is the tls-server-end-point channel binding (RFC 5929) of that side's server."""

    def challenge(self, verifiers: Mapping[str, str] | None) -> Sequence[Event]:
        """After `LoginAsked` without a secret: prove it by a scheme of these (`scram-sha-256`: its
        `SCRAM-SHA-256$...` verifier), or, with None, by handing over the token itself.
        """

    def admit(self, session: Session, login: Login) -> Sequence[Event]:
        """The client is admitted and the upstream connected: log in there, then let the client begin."""

    def refuse(self, message: str, *, unreachable: bool = False) -> Sequence[Event]:
        """The client is not admitted, or, through no fault of its own, can have no session (`unreachable`): say so in the
        protocol's own form, then hang up.
        """

    def answer(self, command_id: str, verdict: Allow | Block, mask: Mask) -> Sequence[Event]:
        """The answer to `CommandAsked`. Allow releases the very bytes; Block refuses politely and the session goes on."""

    def notice(self, command_id: str, text: str) -> Sequence[Event]:
        """Tell a client that waits something, if the protocol has a way."""

    def cancel(self) -> Sequence[Event]:
        """Somebody who holds `cancel_key` wants the running command stopped: withdraws a held one, or an `Aside`."""

    def end(self, message: str) -> Sequence[Event]:
        """The session is ended from outside: say why in the protocol's own form, then hang up."""
