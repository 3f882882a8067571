"""What both directions of one session share: what the server still has to reply to, and what it last reported.

A batch is what a client sends up to a Sync, or one simple query. One batch is with the server at a time: what a
client sends behind it waits here, so that names, settings and the transaction's state are known when it is judged.
"""

from __future__ import annotations

import hashlib
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from gateway.model import measured
from gateway.protocols.postgres.plans import CopyPlan, Plan
from gateway.protocols.postgres.statements import Portal, Statement, Statements
from gateway.wire import Limits, Mask

IDLE: Final = ord("I")
IN_TRANSACTION: Final = ord("T")
FAILED: Final = ord("E")
STATE_KEPT = 64
"""Commands that changed what names and texts mean, kept one by one; older ones are folded into one digest."""
PLAIN_ENCODINGS = frozenset({"UTF8", "UNICODE", "SQL_ASCII"})


class Kind:
    """What a message that was sent upstream is answered by; `ALLOWED` is the table.

    Plain numbers: an Enum's members cost a call wherever they are looked up.
    """

    QUERY: Final = 0
    PARSE: Final = 1
    BIND: Final = 2
    DESCRIBE: Final = 3
    DESCRIBE_PORTAL: Final = 4
    EXECUTE: Final = 5
    CLOSE: Final = 6
    SYNC: Final = 7
    POISON: Final = 8
    """A Parse that must fail, so that the server agrees with a refusal."""
    POISON_QUERY: Final = 9
    """The same as a simple query."""
    OWN_QUERY: Final = 10
    """The gateway's own; the client sees nothing of it."""
    TURN: Final = 11
    """Bind, perhaps Describe, Execute and Sync in one piece: `Exchange.unfold` makes it those."""
    TRIAL: Final = 12
    """The gateway's own Parse, and its Closes around it: to hear whether the server takes a text. A hidden Sync follows."""


_ANSWERS = {
    Kind.QUERY: b"TDCIGHdcZ",
    Kind.PARSE: b"1",
    Kind.BIND: b"2",
    Kind.DESCRIBE: b"tTn",
    Kind.DESCRIBE_PORTAL: b"Tn",
    Kind.EXECUTE: b"DCIsGHdc",
    Kind.CLOSE: b"3",
    Kind.SYNC: b"Z",
    Kind.POISON: b"",
    Kind.POISON_QUERY: b"Z",
    Kind.OWN_QUERY: b"CZ",
    Kind.TURN: b"",
    Kind.TRIAL: b"13",
}
ALLOWED = tuple(frozenset(_ANSWERS[kind]) for kind in range(len(_ANSWERS)))
"""What may answer each message, besides an error: the table of what passes from the server."""
AT_ANY_TIME = frozenset(b"NAS")
"""Notices, notifications and settings come between any two messages."""


class Reply:
    """One message upstream whose answer is still to come. Made for every message: what is not set costs nothing."""

    command_id = ""
    statement: Statement | None = None
    """With a portal: what was asked about."""
    portal: Portal | None = None
    hidden = False
    """The client did not send it and sees nothing of its answer."""
    placed = True
    """The positions in its error are places in the client's own text."""
    source: Reply | None = None
    """Of a COPY: what tells the columns that it reads."""
    refusal = b""
    """What the client gets in place of a poison's error."""
    report = b""
    """The error that a trial has brought."""
    # What has come of it.
    begun = False
    """Its answer has come in part."""
    outcome = ""
    rows = 0
    earlier = 0
    """Rows of the statements of the text that are over."""
    place = 0
    """Which statement of the text the server is at."""
    failed = False
    description = b""
    plans: tuple[Plan | CopyPlan, ...] = ()

    def __init__(self, kind: int, number: int) -> None:
        self.kind = kind
        self.number = number
        """Its place among what was sent."""
        # Set here and not above: mypyc leaves out a class's None where the type is a Protocol.
        self.mask: Mask | None = None
        self.plan: Plan | None = None
        self.copy: CopyPlan | None = None


@dataclass(slots=True)
class Exchange:
    """The state of a session that both directions read and change."""

    limits: Limits
    names: Statements = field(default_factory=Statements)
    expected: deque[Reply] = field(default_factory=deque)
    open: dict[str, Portal] = field(default_factory=dict)
    """Released commands of the extended protocol that are not over."""
    status: int = IDLE
    """The transaction's, from the last ReadyForQuery."""
    waiting: bool = False
    """A batch is with the server and its ReadyForQuery has not come: the next one waits."""
    begun: bool = False
    """Something of the running batch has gone upstream."""
    discarding: bool = False
    """The batch has failed: what the client sends is discarded until its Sync."""
    copying_in: bool = False
    """The server reads CopyData."""
    text_mask: Mask | None = None
    """The last mask of a command: messages that belong to none are masked by it."""
    plain: bool = True
    """Server and gateway read every text alike: `standard_conforming_strings` on, an encoding that is UTF-8 or bytes."""
    encoding: str = "UTF8"
    encoding_plain: bool = True
    strings_conform: bool = True
    namespace: bytes = b""
    """Part of every digest: what decides which things the names in a text mean."""
    database: str = ""
    role: str = ""
    search_path: str = ""
    signature: str = ""
    """What ends every application name of this session; "" where nothing has to."""
    unsigned: str | None = None
    """The application name that the client has put in place of a signed one."""
    _state: dict[bytes, None] = field(default_factory=dict)
    _folded: bytes = b""

    def reported(self, name: str, value: str) -> None:
        """A ParameterStatus of the server."""
        match name:
            case "client_encoding":
                self.encoding = value.upper()
                self.encoding_plain = self.encoding in PLAIN_ENCODINGS
            case "standard_conforming_strings":
                self.strings_conform = value == "on"
            case "search_path":
                self.search_path = value
            case "session_authorization":
                self.role = value
            case "application_name":
                self.unsigned = None if value.endswith(self.signature) else value
            case _:
                return
        self.plain = self.strings_conform and self.encoding_plain
        self._rename()

    def changed_by(self, text: str) -> None:
        """A command was let through that may change what later texts mean."""
        key = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        self._state.pop(key, None)
        self._state[key] = None
        if len(self._state) > STATE_KEPT:
            oldest = next(iter(self._state))
            del self._state[oldest]
            self._folded = hashlib.sha256(self._folded + oldest).digest()
        self._rename()

    def _rename(self) -> None:
        """One digest of everything that decides what names mean."""
        names = tuple(name.encode() for name in (self.database, self.role, self.search_path))
        state = b"".join((self._folded, self.encoding.encode(), *self._state))
        self.namespace = measured(*names, hashlib.sha256(state).digest())

    def unfold(self) -> None:
        """Take a turn for the messages it is made of: its answer is not the plain one."""
        turn = self.expected.pop()
        portal = turn.portal
        assert portal is not None
        self.open[turn.command_id] = portal
        self.names.bind(turn.number, b"", portal)
        described = (Kind.DESCRIBE_PORTAL,) if portal.described else ()
        for number, kind in enumerate((Kind.BIND, *described, Kind.EXECUTE, Kind.SYNC), turn.number):
            reply = Reply(kind, number)
            self.expected.append(reply)
            if kind == Kind.SYNC:
                break
            reply.portal, reply.command_id = portal, turn.command_id
            if kind == Kind.EXECUTE:
                reply.statement, reply.mask = turn.statement, turn.mask

    def stands(self, status: int) -> None:
        """ReadyForQuery: a batch is over, and this is how the transaction stands."""
        self.status = status
        self.copying_in = self.begun = self.discarding = self.waiting = False
        if self.expected:
            # What has gone up behind a Sync of the gateway's own.
            self.begun = True
            self.settle()

    def settle(self) -> None:
        """What is still to come decides whether the client's next batch waits."""
        self.waiting = bool(self.expected) and any(reply.kind in _ENDS for reply in self.expected)


_ENDS = frozenset({Kind.QUERY, Kind.SYNC, Kind.POISON_QUERY, Kind.OWN_QUERY, Kind.TURN})
