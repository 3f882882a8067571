"""From the client to the server: what may pass, what is a command and has to be asked about, what is refused.

A command is what executes: a Query, or an Execute with what was bound for it. A Bind waits for its Execute, so that
nothing that could run code goes ahead of its verdict. Parse, Describe, Close and Flush have no effect of their own
and pass. Every other message is a violation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, assert_never

from gateway.model import Allow, Block, Command
from gateway.protocols.postgres import messages, refusals
from gateway.protocols.postgres.answers import Answers
from gateway.protocols.postgres.exchange import Exchange, Kind
from gateway.protocols.postgres.frames import follow
from gateway.protocols.postgres.inbox import Inbox
from gateway.protocols.postgres.messages import HEADER, Bind
from gateway.protocols.postgres.parameters import shown
from gateway.protocols.postgres.reading import Reader
from gateway.protocols.postgres.sending import EXECUTIONS, Asked, Sending
from gateway.protocols.postgres.statements import LONGEST_NAME, Portal, Statement
from gateway.wire import CommandAsked, CommandWithdrawn, Event, Hangup, Mask, ProtocolViolation

REFUSED = frozenset(b"F")
"""Understood, and refused politely: the fast-path function call, whose result nobody could mask."""

_QUERY: Final = ord("Q")
_BIND: Final = ord("B")
_COPY_DATA: Final = ord("d")
_DESCRIBE: Final = ord("D")
_EXECUTE: Final = ord("E")
_TERMINATE: Final = ord("X")
_STATEMENT: Final = ord("S")
_PORTAL: Final = ord("P")
_SMALL = frozenset(b"DECHSXcf")
"""Messages that are never large."""
_HEAVY = 4_096
"""Bytes of a statement's text from which on it is weighed together with those that are kept."""
_TEXTS = 4
"""How many of the largest messages the texts of a session's prepared statements may come to."""
_IN_COPY = frozenset(b"dcfHSX")
_OF_COPY = frozenset(b"dcf")
_ENDS_DISCARDING = frozenset(b"SX")


class _Bound:
    """A Bind that has come and has not been asked about, with what goes with it."""

    def __init__(self, portal: Portal, name: bytes, raw: bytes) -> None:
        self.portal = portal
        self.name = name
        self.raw = [raw]


_Methods = dict[bytes, Callable[[bytes, list[Event]], None]]


class Asking:
    """The client's side of one session."""

    def __init__(
        self, exchange: Exchange, answers: Answers, reader: Reader, *, next_id: Callable[[], str]
    ) -> None:
        self._exchange = exchange
        self._answers = answers
        self._reader = reader
        self._sending = Sending(exchange, answers, reader)
        self._next_id = next_id
        self._inbox = Inbox()
        self._skip = 0
        """How much of a message is still to come that is dropped."""
        self._stream = 0
        """How much of a CopyData message is still to come that was passed on in part."""
        self._asked: Asked | None = None
        self._bound: _Bound | None = None
        self._gone = False
        self._limit = exchange.limits.command_bytes
        asks: _Methods = {b"Q": self._query, b"B": self._bind, b"E": self._execute}
        passes: _Methods = {
            b"P": self._parse,
            b"D": self._describe,
            b"C": self._close,
            b"H": self._flush,
            b"S": self._sending.sync,
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

    def _waits(self) -> bool:
        """Whether a command has no answer yet; asked afresh, since any message may have changed it."""
        return self._asked is not None

    # Bytes in.

    def receive(self, data: bytes, out: list[Event]) -> None:
        if not self._at_once(data, out):
            self._inbox.add(data)
            self.resume(out)

    def _at_once(self, data: bytes, out: list[Event]) -> bool:
        """Drivers send a query, or all that executes a statement, in one piece: it is asked about as that piece."""
        exchange = self._exchange
        if self._asked is not None or exchange.waiting or exchange.discarding or exchange.copying_in:
            return False
        if len(data) < 5:
            return False
        tag = data[0]
        size = data[1] << 24 | data[2] << 16 | data[3] << 8 | data[4]
        end = 1 + size
        if (
            self._inbox
            or self._bound
            or self._skip
            or self._stream
            or self._gone
            or not 4 <= size <= self._limit
        ):
            return False
        if tag == _QUERY and end == len(data):
            self._query(data, out)
            return True
        described = EXECUTIONS.get(data[end:]) if tag == _BIND else None
        if described is None:
            return False
        bind = messages.read_bind(data, 5, end)
        statement = exchange.names.prepared.get(bind.statement)
        if bind.portal or statement is None:
            return False
        portal = Portal(statement, bind)
        portal.described = described
        self._ask(statement, [data], out, portal=portal, bound=True, whole=True)
        return True

    def resume(self, out: list[Event]) -> None:
        """Go on with what the client has sent, as far as that can be judged now."""
        exchange = self._exchange
        if exchange.discarding:
            self._bound = None
            if self._asked is not None:
                out.append(CommandWithdrawn(self._asked.command.id))
                self._asked = None
        if self._waits():
            return
        inbox = self._inbox
        while (exchange.copying_in or not exchange.waiting) and not self._gone:
            if not inbox or not self._one(inbox, exchange, out):
                break
        if not self._waits():
            self._sending.flush(out)

    def _one(self, inbox: Inbox, exchange: Exchange, out: list[Event]) -> bool:
        """Take up the next message: False where there is none, or it has to wait."""
        if self._skip or self._stream:
            return self._rest()
        if not inbox.ready(5):
            return False
        tag, size = HEADER.unpack_from(inbox.data, inbox.pos)
        if size < 4 or size > 0x7FFFFFFF:
            raise ProtocolViolation("a message's length is impossible")
        if tag in _OF_COPY and not exchange.copying_in and self._sending.unanswered():
            return False
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
        return not self._waits()

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
            self._sending.stream(inbox.take(taken))
        return True

    def _copy_data(self) -> None:
        """CopyData: streamed to a server that reads it; dropped where none does, as a server would."""
        inbox = self._inbox
        _, reach, _ = follow(inbox.data, inbox.pos, _COPY_DATA)
        here = min(reach, len(inbox.data))
        if self._exchange.copying_in:
            self._sending.stream(inbox.take(here - inbox.pos))
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
            self._sending.refuse_query(refusals.FUNCTION_CALL, out)
        else:
            refusal = refusals.too_large(size, self._limit)
            (self._sending.refuse_query if tag == ord("Q") else self._refuse_batch)(refusal, out)
        return True

    # Whole messages.

    def _query(self, raw: bytes, out: list[Event]) -> None:
        self._ask(self._reader.statement(messages.read_query(raw, 5, len(raw))), [raw], out)

    def _flush(self, raw: bytes, out: list[Event]) -> None:
        del out
        messages.Body(raw, 5).end()
        if not self._exchange.copying_in:
            self._sending.stream(raw)

    def _end_copy(self, raw: bytes, out: list[Event]) -> None:
        """CopyDone, CopyFail; dropped where nothing is copied."""
        del out
        if self._exchange.copying_in:
            self._exchange.copying_in = False
            self._sending.stream(raw)

    def _leave(self, raw: bytes, out: list[Event]) -> None:
        self._gone = True
        self._sending.stream(raw)
        self._sending.flush(out)
        out.append(Hangup("the client left"))

    def _parse(self, raw: bytes, out: list[Event]) -> None:
        parse = messages.read_parse(raw, 5, len(raw))
        if self._too_many(parse.name, out, weight=len(parse.query)):
            return
        statement = self._reader.statement(parse.query, parse.types)
        self._exchange.names.prepare(self._sending.number, parse.name, statement)
        self._sending.expect(Kind.PARSE, raw).statement = statement

    def _too_many(self, name: bytes, out: list[Event], *, weight: int = 0) -> bool:
        names = self._exchange.names
        if len(name) > LONGEST_NAME:
            refusal = refusals.name_too_long(LONGEST_NAME)
        elif name and len(names) >= self._exchange.limits.statements:
            refusal = refusals.too_many_names(len(names))
        elif name and weight > _HEAVY and names.weight + weight > _TEXTS * self._limit:
            refusal = refusals.too_heavy(_TEXTS * self._limit)
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
        self._bound = _Bound(portal, bind.portal, raw)

    def _describe(self, raw: bytes, out: list[Event]) -> None:
        del out
        kind, name = messages.read_target(raw, 5, len(raw))
        names = self._exchange.names
        if kind == _STATEMENT:
            self._sending.expect(Kind.DESCRIBE, raw).statement = names.prepared.get(name)
        elif self._bound is not None:
            self._bound.raw.append(raw)
        else:
            portal = names.portals.get(name)
            if portal is not None:
                portal.described = True
            self._sending.expect(Kind.DESCRIBE_PORTAL, raw).portal = portal

    def _close(self, raw: bytes, out: list[Event]) -> None:
        del out
        kind, name = messages.read_target(raw, 5, len(raw))
        if kind == _STATEMENT:
            self._exchange.names.close(self._sending.number, name)
        else:
            self._exchange.names.close_portal(self._sending.number, name)
        self._sending.expect(Kind.CLOSE, raw)

    def _execute(self, raw: bytes, out: list[Event]) -> None:
        if self._bound is not None:
            self._bound.raw.append(raw)
            self._ask_bound(out, executes=True)
            return
        name = messages.read_execute(raw, 5, len(raw))
        portal = self._exchange.names.portals.get(name)
        if portal is not None and (portal.suspended or portal.permitted):
            self._sending.run(portal, name, raw)
            return
        if portal is None:
            cursor = self._exchange.names.cursors.get(name)
            statement = cursor or self._reader.unknown(f"-- unknown portal {_shown(name)}")
            portal = Portal(statement, Bind(name, b"", (), (), ()))
        else:
            portal = Portal(portal.statement, portal.bind)
        self._ask(portal.statement, [raw], out, portal=portal, name=name)

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
        whole: bool = False,
    ) -> None:
        judged, named = self._reader.judged(statement)
        command = Command(
            id=self._next_id(),
            text=judged.text,
            parameters=() if portal is None else shown(portal.bind, portal.statement.types),
            facts=judged.facts,
            exact=self._reader.exact(statement, named, portal),
            around=self._reader.namespace,
        )
        self._asked = Asked(
            command,
            judged,
            raw,
            portal=portal,
            name=name,
            bound=bound,
            executes=executes,
            whole=whole,
        )
        out.append(CommandAsked(command))

    def _refuse_batch(self, refusal: bytes, out: list[Event]) -> None:
        self._bound = None
        self._sending.refuse_batch(refusal, out)

    def answer(self, command_id: str, verdict: Allow | Block, mask: Mask, out: list[Event]) -> None:
        """The verdict on the command that was asked about; one for a command that is no longer asked is too late."""
        asked = self._asked
        if asked is None or asked.command.id != command_id:
            return
        self._asked = None
        match verdict:
            case Allow():
                self._sending.release(asked, None if mask.empty else mask, out)
            case Block():
                self._sending.refuse(asked, refusals.blocked(verdict), out)
            case _:
                assert_never(verdict)
        self.resume(out)

    # From outside.

    def sign(self, out: list[Event]) -> None:
        self._sending.sign(out)

    def notice(self, command_id: str, words: str, out: list[Event]) -> None:
        """A command is held, and its client told so."""
        if self.asked == command_id:
            self._sending.rest(out)
            self._answers.say(messages.notice(words), out)

    def cancel(self, out: list[Event]) -> bool:
        """Take the waiting command back, if one waits."""
        asked, self._asked = self._asked, None
        if asked is None:
            return False
        out.append(CommandWithdrawn(asked.command.id))
        self._sending.refuse(asked, refusals.CANCELLED, out)
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
