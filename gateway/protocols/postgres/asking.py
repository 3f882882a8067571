"""From the client to the server: what may pass, what is a command and has to be asked about, what is refused.

A command is what executes: a Query, or an Execute with what was bound for it. A Bind waits for its Execute, so that
nothing that could run code goes ahead of its verdict. Parse, Describe, Close and Flush have no effect of their own
and pass. Every other message is a violation.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from gateway.model import Allow, Block, Command
from gateway.protocols.postgres import messages
from gateway.protocols.postgres.answers import Answers
from gateway.protocols.postgres.exchange import FAILED, IN_TRANSACTION, Exchange, Kind, Reply
from gateway.protocols.postgres.frames import follow
from gateway.protocols.postgres.inbox import Inbox
from gateway.protocols.postgres.messages import HEADER, Bind
from gateway.protocols.postgres.parameters import shown
from gateway.protocols.postgres.reading import Reader
from gateway.protocols.postgres.statements import LONGEST_NAME, Portal, Statement, plainly
from gateway.protocols.postgres.upstream_login import application_name
from gateway.wire import CommandAsked, CommandWithdrawn, Event, Hangup, Mask, ProtocolViolation, Send, Side

REFUSED = frozenset(b"F")
"""Understood, and refused politely: the fast-path function call, whose result nobody could mask."""

_UPSTREAM = Side.UPSTREAM
CANCELLED = messages.error("57014", "canceling statement due to user request")
_FUNCTION_CALLS = (
    "Function calls outside SQL (the fast-path interface, large objects) do not go through this gateway; "
    "use SELECT with the function's name."
)
_POISON = b"refused by the gateway"
"""No SQL: a Parse of it fails without a trace, and so puts the server's transaction where a refusal puts the client's."""
_POISON_NAME = b"countersign_refusal"
_COPY_DATA, _DESCRIBE, _EXECUTE, _TERMINATE = b"dDEX"
_STATEMENT, _PORTAL = b"SP"
_SMALL = frozenset(b"DECHSXcf")
"""Messages that are never large."""
_IN_COPY = frozenset(b"dcfHSX")
_ENDS_DISCARDING = frozenset(b"SX")
_ENDS_PORTALS = re.compile(
    r"\b(?:begin|start|commit|end|rollback|abort|prepare|declare|close|discard|call|do)\b", re.IGNORECASE
)


@dataclass(slots=True, kw_only=True)
class _Bound:
    """A Bind that has come and has not been asked about, with what goes with it."""

    portal: Portal
    name: bytes
    raw: list[bytes]


@dataclass(slots=True)
class _Asked:
    """A command without an answer, and the bytes that it would send."""

    command: Command
    statement: Statement
    raw: list[bytes]
    portal: Portal | None = None
    """`None`: a simple query."""
    name: bytes = b""
    """The portal's."""
    bound: bool = False
    """`raw` begins with its Bind."""
    executes: bool = True
    """`raw` ends with its Execute."""


_Methods = dict[bytes, Callable[[bytes, list[Event]], None]]


class Asking:
    """The client's side of one session."""

    def __init__(
        self, exchange: Exchange, answers: Answers, reader: Reader, *, next_id: Callable[[], str]
    ) -> None:
        self._exchange = exchange
        self._answers = answers
        self._reader = reader
        self._next_id = next_id
        self._inbox = Inbox()
        self._skip = 0
        """How much of a message is still to come that is dropped."""
        self._stream = 0
        """How much of a CopyData message is still to come that was passed on in part."""
        self._number = 0
        self._asked: _Asked | None = None
        self._bound: _Bound | None = None
        self._up: list[bytes] = []
        """Messages on their way to the server, sent together."""
        self._executing = False
        """There is an Execute among them."""
        self._gone = False
        self._limit = exchange.limits.command_bytes
        asks: _Methods = {b"Q": self._query, b"B": self._bind, b"E": self._execute}
        passes: _Methods = {
            b"P": self._parse,
            b"D": self._describe,
            b"C": self._close,
            b"H": self._flush,
            b"S": self._sync,
            b"X": self._leave,
            b"c": self._end_copy,
            b"f": self._end_copy,
        }
        self._methods = {tag[0]: method for tag, method in (*asks.items(), *passes.items())}
        """What executes, or is bound to, is never forwarded before its answer; the others have no effect of their own.

        `CopyData` passes too, streamed. What is neither here nor in `REFUSED` is a violation.
        """

    @property
    def buffered(self) -> int:
        return len(self._inbox)

    @property
    def asked(self) -> str:
        """The command that has no answer yet, or ""."""
        return self._asked.command.id if self._asked is not None else ""

    # Bytes in.

    def receive(self, data: bytes, out: list[Event]) -> None:
        self._inbox.add(data)
        self.resume(out)

    def resume(self, out: list[Event]) -> None:
        """Go on with what the client has sent, as far as that can be judged now."""
        exchange = self._exchange
        if exchange.discarding:
            self._bound = None
            if self._asked is not None:
                out.append(CommandWithdrawn(self._asked.command.id))
                self._asked = None
        if self._asked is not None:
            return
        inbox = self._inbox
        while (exchange.copying_in or not exchange.waiting) and not self._gone:
            if not inbox or not self._one(inbox, exchange, out):
                break
        if self._up and self._asked is None:
            self._send(out)

    def _send(self, out: list[Event]) -> None:
        up = self._up
        out.append(Send(_UPSTREAM, up[0] if len(up) == 1 else b"".join(up)))
        up.clear()
        self._executing = False

    def _one(self, inbox: Inbox, exchange: Exchange, out: list[Event]) -> bool:
        """Take up the next message: False where there is none, or it has to wait."""
        if self._skip or self._stream:
            return self._rest()
        if not inbox.ready(5):
            return False
        tag, size = HEADER.unpack_from(inbox.data, inbox.pos)
        if size < 4 or size > 0x7FFFFFFF:
            raise ProtocolViolation("a message's length is impossible")
        if tag == _COPY_DATA:
            self._copy_data()
            return True
        method = self._methods.get(tag)
        if method is None and tag not in REFUSED:
            raise ProtocolViolation(f"a client may not send {chr(tag)!r} here")
        if exchange.copying_in and tag not in _IN_COPY:
            raise ProtocolViolation(f"a client may not send {chr(tag)!r} while it copies data in")
        if method is None or size > self._limit:
            return self._unread(tag, size, out)
        if not inbox.ready(1 + size):
            return False
        if exchange.discarding and tag not in _ENDS_DISCARDING:
            inbox.pos += 1 + size
            return True
        bound = self._bound
        if bound is not None and not _goes_with(bound, tag, inbox.data, inbox.pos + 5, inbox.pos + 1 + size):
            self._ask_bound(out)
            return False
        method(inbox.take(1 + size), out)
        return self._asked is None

    def _rest(self) -> bool:
        """The rest of a message that is dropped, or was passed on in part."""
        inbox = self._inbox
        if not inbox.ready(1):
            return False
        here = len(inbox.data) - inbox.pos
        if self._skip:
            taken = min(self._skip, here)
            self._skip -= taken
            inbox.pos += taken
        else:
            taken = min(self._stream, here)
            self._stream -= taken
            self._up.append(inbox.take(taken))
        return True

    def _copy_data(self) -> None:
        """CopyData: streamed to a server that reads it; dropped where none does, as a server would."""
        inbox = self._inbox
        _, reach, _ = follow(inbox.data, inbox.pos, _COPY_DATA)
        here = min(reach, len(inbox.data))
        if self._exchange.copying_in:
            self._up.append(inbox.take(here - inbox.pos))
            self._stream = reach - here
        else:
            inbox.pos = here
            self._skip = reach - here

    def _unread(self, tag: int, size: int, out: list[Event]) -> bool:
        """A message that is refused whatever it says: none of its body is kept."""
        exchange = self._exchange
        if tag in _SMALL:
            raise ProtocolViolation(f"a client's {chr(tag)!r} has an impossible length")
        if self._bound is not None:
            self._ask_bound(out)
            return False
        self._inbox.pos += HEADER.size
        self._skip = size - 4
        if exchange.discarding:
            return True
        if tag in REFUSED:
            self._refuse_query(messages.error("0A000", _FUNCTION_CALLS), out)
        else:
            refusal = messages.error(
                "54000",
                f"A message of {size} bytes is larger than this gateway judges ({self._limit}); nothing of it ran.",
                hint="Send large data by COPY, or raise limits: command_bytes in the gateway's policy.",
            )
            (self._refuse_query if tag == ord("Q") else self._refuse_batch)(refusal, out)
        return True

    # Whole messages.

    def _query(self, raw: bytes, out: list[Event]) -> None:
        self._ask(self._reader.statement(messages.read_query(raw, 5, len(raw))), [raw], out)

    def _flush(self, raw: bytes, out: list[Event]) -> None:
        del out
        messages.Body(raw, 5).end()
        if not self._exchange.copying_in:
            self._up.append(raw)

    def _end_copy(self, raw: bytes, out: list[Event]) -> None:
        """CopyDone, CopyFail; dropped where nothing is copied."""
        del out
        if self._exchange.copying_in:
            self._exchange.copying_in = False
            self._up.append(raw)

    def _leave(self, raw: bytes, out: list[Event]) -> None:
        self._gone = True
        self._up.append(raw)
        self._send(out)
        out.append(Hangup("the client left"))

    def _expect(self, kind: int, raw: bytes) -> Reply:
        """Forward a message of the running batch, and await its answer."""
        exchange = self._exchange
        reply = Reply(kind, self._number)
        exchange.expected.append(reply)
        exchange.begun = True
        self._number += 1
        self._up.append(raw)
        return reply

    def _parse(self, raw: bytes, out: list[Event]) -> None:
        parse = messages.read_parse(raw, 5, len(raw))
        if self._too_many(parse.name, out):
            return
        statement = self._reader.statement(parse.query, parse.types)
        self._exchange.names.prepare(self._number, parse.name, statement)
        self._expect(Kind.PARSE, raw).statement = statement

    def _too_many(self, name: bytes, out: list[Event]) -> bool:
        names = self._exchange.names
        if len(name) > LONGEST_NAME:
            refusal = messages.error(
                "42622", f"A statement or portal has a name longer than {LONGEST_NAME} bytes."
            )
        elif name and len(names) >= self._exchange.limits.statements:
            refusal = messages.error(
                "54000",
                f"This session has as many prepared statements and portals as it may have ({len(names)}).",
                hint="Close those that are not needed, or raise limits: statements in the gateway's policy.",
            )
        else:
            return False
        self._refuse_batch(refusal, out)
        return True

    def _bind(self, raw: bytes, out: list[Event]) -> None:
        bind = messages.read_bind(raw, 5, len(raw))
        if self._too_many(bind.portal, out):
            return
        statement = self._exchange.names.prepared.get(bind.statement)
        if statement is None:
            statement = self._reader.unknown(f"-- unknown prepared statement {_shown(bind.statement)}")
        portal = Portal(statement, bind)
        self._bound = _Bound(portal=portal, name=bind.portal, raw=[raw])

    def _describe(self, raw: bytes, out: list[Event]) -> None:
        del out
        kind, name = messages.read_target(raw, 5, len(raw))
        names = self._exchange.names
        if kind == _STATEMENT:
            self._expect(Kind.DESCRIBE, raw).statement = names.prepared.get(name)
        elif self._bound is not None:
            self._bound.raw.append(raw)
        else:
            portal = names.portals.get(name)
            if portal is not None:
                portal.described = True
            self._expect(Kind.DESCRIBE_PORTAL, raw).portal = portal

    def _close(self, raw: bytes, out: list[Event]) -> None:
        del out
        kind, name = messages.read_target(raw, 5, len(raw))
        if kind == _STATEMENT:
            self._exchange.names.close(self._number, name)
        else:
            self._exchange.names.close_portal(self._number, name)
        self._expect(Kind.CLOSE, raw)

    def _execute(self, raw: bytes, out: list[Event]) -> None:
        if self._bound is not None:
            self._bound.raw.append(raw)
            self._ask_bound(out, executes=True)
            return
        name = messages.read_execute(raw, 5, len(raw))
        portal = self._exchange.names.portals.get(name)
        if portal is not None and (portal.suspended or portal.permitted):
            self._run(portal, name, raw)
            return
        if portal is None:
            cursor = self._exchange.names.cursors.get(name)
            statement = cursor or self._reader.unknown(f"-- unknown portal {_shown(name)}")
            portal = Portal(statement, Bind(name, b"", (), (), ()))
        else:
            portal = Portal(portal.statement, portal.bind)
        self._ask(portal.statement, [raw], out, portal=portal, name=name)

    def _sync(self, raw: bytes, out: list[Event]) -> None:
        messages.Body(raw, 5).end()
        exchange = self._exchange
        if exchange.copying_in:
            return
        if exchange.discarding and not exchange.begun:
            exchange.discarding = False
            exchange.names.settle()
            self._answers.say(messages.ready(exchange.status), out)
            return
        exchange.discarding = False
        self._expect(Kind.SYNC, raw)
        exchange.waiting = True
        self._reader.unsettled = False

    # Asking, and what comes of it.

    def _ask_bound(self, out: list[Event], *, executes: bool = False) -> None:
        bound, self._bound = self._bound, None
        assert bound is not None
        self._ask(
            bound.portal.statement,
            bound.raw,
            out,
            portal=bound.portal,
            name=bound.name,
            bound=True,
            executes=executes,
        )

    def _ask(
        self,
        statement: Statement,
        raw: list[bytes],
        out: list[Event],
        *,
        portal: Portal | None = None,
        name: bytes = b"",
        bound: bool = False,
        executes: bool = True,
    ) -> None:
        judged, named = self._reader.judged(statement)
        command = Command(
            id=self._next_id(),
            text=judged.text,
            parameters=() if portal is None else shown(portal.bind, portal.statement.types),
            facts=judged.facts,
            exact=self._reader.exact(statement, named, portal),
        )
        self._asked = _Asked(
            command=command,
            statement=judged,
            raw=raw,
            portal=portal,
            name=name,
            bound=bound,
            executes=executes,
        )
        if self._executing and self._up:
            self._send(out)
        out.append(CommandAsked(command))

    def answer(self, command_id: str, verdict: Allow | Block, mask: Mask, out: list[Event]) -> None:
        """The verdict on the command that was asked about; one for a command that is no longer asked is too late."""
        asked = self._asked
        if asked is None or asked.command.id != command_id:
            return
        self._asked = None
        match verdict:
            case Allow():
                self._release(asked, None if mask.empty else mask)
            case Block(rules=rules, message=message):
                refusal = messages.error(
                    "42501",
                    message or "This command is not allowed.",
                    detail=f"Decided by {', '.join(rules)}." if rules else "",
                    hint="Nothing of it ran; the session goes on.",
                )
                self._refuse(asked, refusal, out)
            case _:
                assert_never(verdict)
        self.resume(out)

    def _release(self, asked: _Asked, mask: Mask | None) -> None:
        exchange = self._exchange
        statement, command = asked.statement, asked.command
        if mask is not None:
            exchange.text_mask = mask
        self._reader.released(statement)
        portal = asked.portal
        if portal is None:
            names = exchange.names
            if names.prepared or names.portals:
                names.forget_unnamed()
                self._forget_portals(statement)
            reply = self._expect(Kind.QUERY, asked.raw[0])
            reply.command_id, reply.statement, reply.mask = command.id, statement, mask
            exchange.waiting = True
            self._reader.unsettled = False
            return
        portal.command_id, portal.mask, portal.judged = command.id, mask, statement
        exchange.open[command.id] = portal
        exchange.names.bind(self._number, asked.name, portal)
        raw = asked.raw
        if asked.bound:
            self._expect_of(portal, Kind.BIND, raw[0])
        for message in raw[asked.bound : len(raw) - asked.executes]:
            portal.described = True
            self._expect_of(portal, Kind.DESCRIBE_PORTAL, message)
        if asked.executes:
            self._run(portal, asked.name, raw[-1])
        else:
            portal.permitted = True

    def _expect_of(self, portal: Portal, kind: int, raw: bytes) -> Reply:
        reply = self._expect(kind, raw)
        reply.portal, reply.command_id = portal, portal.command_id
        return reply

    def _run(self, portal: Portal, name: bytes, raw: bytes) -> None:
        """Forward an Execute that has been let through, now or before."""
        exchange = self._exchange
        if portal.mask is not None and not portal.described and portal.statement.description is None:
            portal.described = True
            hidden = self._expect(Kind.DESCRIBE_PORTAL, messages.describe_portal(name))
            hidden.portal, hidden.hidden = portal, True
        portal.permitted = portal.suspended = False
        judged = portal.judged
        reply = self._expect_of(portal, Kind.EXECUTE, raw)
        reply.statement, reply.mask = judged, portal.mask
        self._executing = True
        if not plainly(judged.facts):
            self._reader.unsettled = True
            exchange.names.run(self._number - 1, portal.statement)
            self._forget_portals(judged)

    def _forget_portals(self, statement: Statement) -> None:
        """What ends a transaction or names a cursor may put another portal behind a name that was let through."""
        if not plainly(statement.facts) and _ENDS_PORTALS.search(statement.text):
            for portal in self._exchange.names.portals.values():
                portal.suspended = portal.permitted = False

    # Refusing.

    def _refuse(self, asked: _Asked, refusal: bytes, out: list[Event]) -> None:
        if asked.portal is None:
            self._refuse_query(refusal, out)
        else:
            self._refuse_batch(refusal, out)

    def _refuse_query(self, refusal: bytes, out: list[Event]) -> None:
        """In place of a Query's answer: the error, and ReadyForQuery with a transaction status that is true."""
        exchange = self._exchange
        if exchange.status == IN_TRANSACTION or exchange.begun:
            self._expect(Kind.POISON_QUERY, messages.query(_POISON)).refusal = refusal
            exchange.waiting = True
        else:
            self._answers.say(refusal + messages.ready(exchange.status), out)

    def _refuse_batch(self, refusal: bytes, out: list[Event]) -> None:
        """In place of an extended message's answer: the error, behind the answers before it, then nothing until Sync."""
        exchange = self._exchange
        self._bound = None
        if exchange.status == IN_TRANSACTION or exchange.begun:
            self._expect(Kind.POISON, messages.parse(_POISON_NAME, _POISON)).refusal = refusal
        else:
            self._answers.say(refusal, out)
        exchange.discarding = True

    # From outside.

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
        self._expect(Kind.OWN_QUERY, messages.query(f"SET application_name TO '{name}'".encode()))
        exchange.waiting = True
        self._send(out)

    def notice(self, command_id: str, words: str, out: list[Event]) -> None:
        if self.asked == command_id:
            self._answers.say(messages.notice(words), out)

    def cancel(self, out: list[Event]) -> bool:
        """Take the waiting command back, if one waits."""
        asked, self._asked = self._asked, None
        if asked is None:
            return False
        out.append(CommandWithdrawn(asked.command.id))
        self._refuse(asked, CANCELLED, out)
        self.resume(out)
        return True


def _shown(name: bytes) -> str:
    return ascii(name.decode("utf-8", "backslashreplace"))


def _goes_with(bound: _Bound, tag: int, data: bytes, pos: int, end: int) -> bool:
    """Whether this message can wait, or be asked about, together with the Bind before it."""
    if tag == _EXECUTE:
        return messages.read_execute(data, pos, end) == bound.name
    if tag == _DESCRIBE:
        return messages.read_target(data, pos, end) == (_PORTAL, bound.name)
    return tag == _TERMINATE
