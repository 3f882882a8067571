"""What goes up to the server, once it may: released commands, messages without effect, and the poison of a refusal.

Every message that is sent has a `Reply` queued for its answer, in the same call.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.model import Command
from gateway.protocols.postgres import messages
from gateway.protocols.postgres.answers import Answers
from gateway.protocols.postgres.copy_source import copy_source
from gateway.protocols.postgres.exchange import FAILED, IDLE, IN_TRANSACTION, Exchange, Kind, Reply
from gateway.protocols.postgres.messages import HEADER
from gateway.protocols.postgres.plans import mask_report
from gateway.protocols.postgres.reading import Reader
from gateway.protocols.postgres.statements import Portal, Statement
from gateway.protocols.postgres.upstream_login import application_name
from gateway.wire import CommandAnswered, Event, Mask, ProtocolViolation, Send, Side

EXECUTED = messages.frame(b"E", b"\0", b"\0\0\0\0")
"""Execute of the unnamed portal, all rows of it."""
EXECUTIONS: Final = {
    EXECUTED + messages.SYNC: False,
    messages.describe_portal(b"") + EXECUTED + messages.SYNC: True,
}
"""What drivers send behind a Bind where they want all rows; whether they have them described."""
_UPSTREAM: Final = Side.UPSTREAM
_POISON = b"refused by the gateway"
"""No SQL: a Parse of it fails without a trace, and so puts the server's transaction where a refusal puts the client's."""
_POISON_NAME = b"countersign_refusal"
_COLUMNS_NAME = b"countersign_columns"
_TRIAL_NAME = b"countersign_trial"
_ENDS_PORTALS = re.compile(
    r"\b(?:begin|start|commit|end|rollback|abort|prepare|declare|close|discard|call|do)\b", re.IGNORECASE
)


class Asked:
    """A command without an answer, and the bytes that it would send."""

    def __init__(
        self,
        command: Command,
        statement: Statement,
        raw: list[bytes],
        *,
        portal: Portal | None = None,
        name: bytes = b"",
        bound: bool = False,
        executes: bool = True,
        whole: bool = False,
        report: bytes = b"",
    ) -> None:
        self.command = command
        self.statement = statement
        self.raw = raw
        self.portal = portal
        """`None`: a simple query."""
        self.name = name
        """The portal's."""
        self.bound = bound
        """`raw` begins with its Bind."""
        self.executes = executes
        """`raw` ends with its Execute."""
        self.whole = whole
        """`raw` is one piece, from its Bind to a Sync."""
        self.report = report
        """The server has refused to parse it, with this: nothing is left to send."""


class Sending:
    """The way up of one session."""

    def __init__(self, exchange: Exchange, answers: Answers, reader: Reader) -> None:
        self._exchange = exchange
        self._answers = answers
        self._reader = reader
        self._up: list[bytes] = []
        """Messages on their way to the server, sent together."""
        self.executes = False
        """One of them is an Execute: its answer is waited for, whatever is held behind it."""
        self._executed = False
        """The running batch has executed something: its transaction has to stay open."""
        self.number = 0
        """Of the message that is sent next."""
        self._hurried = 0
        """Up to which message the server was told to answer at once."""

    def stream(self, data: bytes) -> None:
        """Bytes that no answer comes to: data that is copied in, and what ends it; Flush, Terminate."""
        self._up.append(data)

    def flush(self, out: list[Event]) -> None:
        up = self._up
        if not up:
            return
        out.append(Send(_UPSTREAM, up[0] if len(up) == 1 else b"".join(up)))
        up.clear()
        self.executes = False

    def expect(self, kind: int, raw: bytes) -> Reply:
        """Forward a message of the running batch, and await its answer; b"" goes up with the one before it."""
        exchange = self._exchange
        reply = Reply(kind, self.number)
        exchange.expected.append(reply)
        exchange.begun = True
        self.number += 1
        if raw:
            self._up.append(raw)
        return reply

    def rest(self, out: list[Event]) -> None:
        """A command is held: let the server begin with what was let through before it, or let go of its locks.

        A Parse that is still here stays. One that a driver has flushed has opened a transaction, whose locks would be
        in everybody's way for as long as people think: where nothing hangs on that transaction, a Sync of the gateway's
        own ends it, and the client hears nothing of that.
        """
        exchange = self._exchange
        if self.executes:
            self.flush(out)
        elif (
            exchange.begun
            and exchange.status == IDLE
            and not (self._up or exchange.expected or self._executed or exchange.names.portals)
        ):
            self.expect(Kind.SYNC, messages.SYNC).hidden = True
            exchange.waiting = True
            self.flush(out)

    def unanswered(self) -> bool:
        """Whether an Execute may still turn out to read what the client copies in; the server is made to say which.

        A client need not wait for CopyInResponse. A Flush brings every answer, and is ignored where data is read.
        """
        if not any(reply.kind == Kind.EXECUTE for reply in self._exchange.expected):
            return False
        if self._hurried < self.number:
            self._hurried = self.number
            self.stream(messages.FLUSH)
        return True

    # Commands.

    def release(self, asked: Asked, mask: Mask | None, out: list[Event]) -> None:
        exchange = self._exchange
        statement, command = asked.statement, asked.command
        if mask is not None:
            exchange.text_mask = mask
        portal = asked.portal
        if asked.report:
            self._tell(asked, mask, out)
            return
        self._reader.released(statement)
        if portal is None:
            names = exchange.names
            if names.prepared or names.portals:
                names.forget_unnamed()
                self._forget_portals(statement)
            source = self._learn_columns(statement, command.id) if mask is not None else None
            reply = self.expect(Kind.QUERY, asked.raw[0])
            reply.command_id, reply.statement, reply.mask = command.id, statement, mask
            if source is not None:
                # Had one of the messages before it failed, the server would skip the query and wait for this.
                reply.source = source
                self.expect(Kind.SYNC, messages.SYNC).hidden = True
            exchange.waiting = True
            self._reader.unsettled = False
            return
        portal.command_id, portal.mask, portal.judged = command.id, mask, statement
        raw = asked.raw
        if asked.whole and statement.traits.plain and self._turns(portal):
            self._turn(portal, raw[0])
            return
        exchange.open[command.id] = portal
        exchange.names.bind(self.number, asked.name, portal)
        if asked.whole:
            raw = _apart(raw[0])
        if asked.bound:
            self._expect_of(portal, Kind.BIND, raw[0])
        for message in raw[asked.bound : len(raw) - asked.executes]:
            portal.described = True
            self._expect_of(portal, Kind.DESCRIBE_PORTAL, message)
        if asked.executes:
            self.run(portal, asked.name, raw[-1])
        else:
            portal.permitted = True
        if asked.whole:
            self.sync(messages.SYNC, out)

    def parse_only(self, query: bytes, out: list[Event]) -> Reply:
        """Have the server parse a text that nobody here can read, and drop it again; the client sees nothing of that.

        The name is closed first as well, since a cancelled trial may have left it behind.
        """
        close = messages.close_statement(_TRIAL_NAME)
        for message in (close, messages.parse(_TRIAL_NAME, query), close):
            trial = self.expect(Kind.TRIAL, message)
            trial.hidden = True
        self.expect(Kind.SYNC, messages.SYNC).hidden = True
        self._exchange.waiting = True
        self.flush(out)
        return trial

    def _tell(self, asked: Asked, mask: Mask | None, out: list[Event]) -> None:
        """What the server said of a text that it would not parse, in place of a Query's answer."""
        exchange, report = self._exchange, asked.report
        code = messages.read_fields(report, 5, len(report)).get(b"C", b"").decode("ascii", "replace")
        if mask is not None:
            report = mask_report(report, mask, encoding=exchange.encoding)
        out.append(Send(Side.CLIENT, report + messages.ready(exchange.status), asked.command.id))
        out.append(CommandAnswered(asked.command.id, f"SQLSTATE {code}", failed=True))

    def _turns(self, portal: Portal) -> bool:
        """Whether nothing of the gateway's own has to be put into it."""
        known = portal.mask is None or portal.described or portal.statement.description is not None
        return known and not (portal.mask is not None and portal.judged.traits.copies)

    def _turn(self, portal: Portal, raw: bytes) -> None:
        """Bind, Execute and Sync go up as the one piece that they are, and one reply stands for all."""
        exchange = self._exchange
        reply = self._expect_of(portal, Kind.TURN, raw)
        reply.statement, reply.mask = portal.judged, portal.mask
        self.number += 3
        exchange.discarding = self._executed = self._reader.unsettled = False
        exchange.waiting = True

    def _learn_columns(self, statement: Statement, command_id: str) -> Reply | None:
        """Have the server describe what a COPY that comes next reads: within its transaction, unseen by the client."""
        exchange = self._exchange
        if not (statement.traits.copies and exchange.status != FAILED and statement.facts.complete):
            return None
        if statement.text.encode("utf-8", "surrogatepass") != statement.query:
            return None
        source = copy_source(statement.text)
        if source is None:
            return None
        close = messages.close_statement(
            _COLUMNS_NAME
        )  # first, since a cancelled one may have left it behind
        hidden = [
            self.expect(Kind.CLOSE, close),
            self.expect(Kind.PARSE, messages.parse(_COLUMNS_NAME, source.query)),
            described := self.expect(Kind.DESCRIBE, messages.describe_statement(_COLUMNS_NAME)),
            self.expect(Kind.CLOSE, close),
        ]
        for reply in hidden:
            reply.hidden, reply.placed, reply.command_id = True, source.placed, command_id
        return described

    def _expect_of(self, portal: Portal, kind: int, raw: bytes) -> Reply:
        reply = self.expect(kind, raw)
        reply.portal, reply.command_id = portal, portal.command_id
        return reply

    def run(self, portal: Portal, name: bytes, raw: bytes) -> None:
        """Forward an Execute that has been let through, now or before."""
        exchange = self._exchange
        if portal.mask is not None and not portal.described and portal.statement.description is None:
            portal.described = True
            hidden = self.expect(Kind.DESCRIBE_PORTAL, messages.describe_portal(name))
            hidden.portal, hidden.hidden = portal, True
        portal.permitted = portal.suspended = False
        judged = portal.judged
        source = self._learn_columns(judged, portal.command_id) if portal.mask is not None else None
        self.executes = self._executed = True
        reply = self._expect_of(portal, Kind.EXECUTE, raw)
        reply.statement, reply.mask, reply.source = judged, portal.mask, source
        if not judged.traits.plain:
            self._reader.unsettled = True
            exchange.names.run(self.number - 1, portal.statement)
            self._forget_portals(judged)

    def _forget_portals(self, statement: Statement) -> None:
        """What ends a transaction or names a cursor may put another portal behind a name that was let through."""
        if not statement.traits.plain and _ENDS_PORTALS.search(statement.text):
            for portal in self._exchange.names.portals.values():
                portal.suspended = portal.permitted = False

    def sync(self, raw: bytes, out: list[Event]) -> None:
        if len(raw) > HEADER.size:
            raise ProtocolViolation("a Sync has a body")
        exchange = self._exchange
        if exchange.copying_in:
            return
        if exchange.discarding and not exchange.begun:
            exchange.discarding = False
            exchange.names.settle()
            self._answers.say(messages.ready(exchange.status), out)
            return
        exchange.discarding = self._executed = False
        self.expect(Kind.SYNC, raw)
        exchange.waiting = True
        self._reader.unsettled = False

    # Refusing.

    def refuse(self, asked: Asked, refusal: bytes, out: list[Event]) -> None:
        if asked.portal is None:
            self.refuse_query(refusal, out)
        else:
            self.refuse_batch(refusal, out)
            if asked.whole:
                self.sync(messages.SYNC, out)

    def refuse_query(self, refusal: bytes, out: list[Event]) -> None:
        """In place of a Query's answer: the error, and ReadyForQuery with a transaction status that is true."""
        exchange = self._exchange
        if exchange.status == IN_TRANSACTION or exchange.begun:
            self.expect(Kind.POISON_QUERY, messages.query(_POISON)).refusal = refusal
            exchange.waiting = True
        else:
            self._answers.say(refusal + messages.ready(exchange.status), out)

    def refuse_batch(self, refusal: bytes, out: list[Event]) -> None:
        """In place of an extended message's answer: the error, behind the answers before it, then nothing until Sync."""
        exchange = self._exchange
        if exchange.status == IN_TRANSACTION or exchange.begun:
            self.expect(Kind.POISON, messages.parse(_POISON_NAME, _POISON)).refusal = refusal
        else:
            self._answers.say(refusal, out)
        exchange.discarding = True

    def sign(self, out: list[Event]) -> None:
        """Put the session's name back behind the application name that a client has set.

        Between two of its batches, where that costs it nothing: SET takes no snapshot, and what a rollback takes
        back is what the client had set.
        """
        exchange = self._exchange
        if exchange.expected or exchange.begun or exchange.status == FAILED or exchange.unsigned is None:
            return
        name = application_name(exchange.unsigned, exchange.signature).replace("'", "''").replace("\\", "?")
        exchange.unsigned = None
        self.expect(Kind.OWN_QUERY, messages.query(f"SET application_name TO '{name}'".encode()))
        exchange.waiting = True
        self.flush(out)


def _apart(raw: bytes) -> list[bytes]:
    """The messages of one piece, without the Sync that it ends with."""
    found: list[bytes] = []
    pos = 0
    while pos < len(raw):
        end = pos + 1 + int.from_bytes(raw[pos + 1 : pos + 5], "big")
        found.append(raw[pos:end])
        pos = end
    return found[:-1]
