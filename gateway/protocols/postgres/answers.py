"""From the server to the client: whose answer each message is, and what of it is masked. How commands end is in `endings`.

Every message of the server must be an answer to what was sent (`ALLOWED`) or one of those that may come at any
time; what is neither is a violation. Bytes with nothing to change are passed on as the objects they came in, and
rows that no mask needs are never gathered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from gateway.model import Effect, Facts, Output
from gateway.protocols.column_rules import reads_hidden
from gateway.protocols.postgres import messages
from gateway.protocols.postgres.endings import STATUSES, Endings, told
from gateway.protocols.postgres.exchange import (
    ALLOWED,
    AT_ANY_TIME,
    IN_TRANSACTION,
    Exchange,
    Kind,
    Reply,
)
from gateway.protocols.postgres.frames import follow, whole_answer
from gateway.protocols.postgres.messages import HEADER
from gateway.protocols.postgres.plans import (
    PlanCopy,
    PlanRows,
    mask_notification,
    mask_report,
    mask_setting,
)
from gateway.wire import (
    NOTHING_MASKED,
    AnswerWithheld,
    CommandAnswered,
    Event,
    ProtocolViolation,
    Send,
    Side,
)

ReadEach = Callable[[str], Sequence[Facts]]
"""The facts of each statement of a text, in order."""
_CLIENT: Final = Side.CLIENT
NO_FACTS = Facts(effects=frozenset())
_ROW: Final = ord("D")
_COPY: Final = ord("d")
_ROWS_DESCRIBED: Final = ord("T")
_ERROR: Final = ord("E")
_BOUND: Final = messages.frame(b"2")
_ANYTHING = Facts(
    effects=frozenset({Effect.UNKNOWN}),
    outputs=(Output(name="*", sources=frozenset({"*"}), exact=False),),
)
"""Of rows of which it cannot be said what they are made of: every column may be any."""
_ELSEWHERE = frozenset({"fetch", "execute", "call"})
"""Verbs whose rows a text says nothing of, unless it is alone and what it names is known."""


class Answers:
    """The server's side of one session."""

    def __init__(
        self, exchange: Exchange, *, read_each: ReadEach, plan_rows: PlanRows, plan_copy: PlanCopy
    ) -> None:
        self._exchange = exchange
        self._read_each = read_each
        self._plan_rows = plan_rows
        self._plan_copy = plan_copy
        self._parts: list[bytes] = []
        self._have = 0
        self._need = 0
        self._skip = 0
        """How much of a message that was passed on in part is still to come."""
        self._late: list[bytes] = []
        """What is to be said as soon as the client has the rest of a message."""
        self._owner = ""
        """The command that the bytes being passed on belong to."""
        self._endings = endings = Endings(exchange)
        self._limit = exchange.limits.row_bytes
        self._methods: dict[int, Callable[[Reply, bytes, int, int], bytes | None]] = {
            ord("1"): self._plainly_done,
            ord("2"): self._plainly_done,
            ord("3"): self._plainly_done,
            ord("C"): endings.complete,
            ord("G"): endings.copy_in,
            ord("H"): self._copy_out,
            ord("I"): endings.complete,
            ord("T"): self._described,
            ord("Z"): endings.ready,
            ord("c"): self._copied,
            ord("n"): self._described,
            ord("s"): endings.suspended,
            ord("t"): self._parameter_types,
        }

    @property
    def between_messages(self) -> bool:
        """The client has only whole messages."""
        return not self._skip

    def say(self, data: bytes, out: list[Event]) -> None:
        """The gateway's own words to the client, never inside another message."""
        if self._skip:
            self._late.append(data)
        else:
            out.append(Send(_CLIENT, data))

    def receive(self, data: bytes, out: list[Event]) -> None:
        """Bytes of the server. Whatever goes wrong on their way through a mask, nothing of them is passed on."""
        try:
            self._receive(data, out)
        except ProtocolViolation:
            raise
        except Exception as error:  # noqa: BLE001  # a mask runs the patterns of a policy over the data of strangers
            raise AnswerWithheld(error) from None

    def _receive(self, data: bytes, out: list[Event]) -> None:
        expected = self._exchange.expected
        if len(expected) == 1 and not self._have and not self._skip and self._whole(expected[0], data, out):
            return
        if expected and expected[-1].kind == Kind.TURN:
            self._exchange.unfold()
        if self._have:
            self._parts.append(data)
            self._have += len(data)
            if self._have < self._need:
                return
            data = b"".join(self._parts)
            self._parts.clear()
            self._have = 0
        end = len(data)
        pos = start = 0
        if self._skip:
            if self._skip >= end:
                self._skip -= end
                out.append(Send(_CLIENT, data, self._owner))
                if not self._skip:
                    self._say_late(out)
                return
            pos, self._skip = self._skip, 0
            if self._late:
                out.append(Send(_CLIENT, data[:pos], self._owner))
                start = pos
                self._say_late(out)
        need = 0
        header = HEADER.unpack_from
        while (here := end - pos) >= 5:
            tag, size = header(data, pos)
            reply = expected[0] if expected else None
            if reply is None:
                if tag not in AT_ANY_TIME and tag != _ERROR:
                    raise ProtocolViolation(f"the server sent {chr(tag)!r} though nothing was asked")
            elif tag not in ALLOWED[reply.kind] and tag not in AT_ANY_TIME and tag != _ERROR:
                raise ProtocolViolation(f"the server sent {chr(tag)!r}, which is no answer to what was sent")
            elif reply.command_id and reply.command_id != self._owner:
                if self._owner:
                    self._flush(data, start, pos, out)
                    start = pos
                self._owner = reply.command_id
            if tag == _ROW or tag == _COPY:  # noqa: PLR1714, SIM109  # half the time of a set
                assert reply is not None
                if reply.mask is None:
                    _, reach, count = follow(data, pos, tag)
                    reply.rows += count
                    pos = reach
                    if reach > end:
                        self._skip, pos = reach - end, end
                    continue
                whole, reach, count = follow(data, pos, tag)
                if reach != whole and reach - whole > self._limit:
                    raise ProtocolViolation("a row that has to be masked is larger than limits: row_bytes")
                if whole > pos:
                    reply.rows += count - (reach != whole)
                    run = data if pos == 0 and whole == end else data[pos:whole]
                    masked = self._masked(reply, tag, run)
                    if masked is not run or start == pos:
                        self._pass(data, start, pos, out)
                        start = whole
                        if masked:
                            out.append(Send(_CLIENT, masked, self._owner))
                    pos = whole
                    continue
                need = reach - pos
                break
            if size < 4 or size > self._limit:
                raise ProtocolViolation(f"the server's {chr(tag)!r} has an impossible length")
            if 1 + size > here:
                need = 1 + size
                break
            stop = pos + 1 + size
            if tag in AT_ANY_TIME:
                replacement = self._aside(tag, reply, data, pos, stop)
            elif tag == _ERROR:
                replacement = self._endings.error(reply, data, pos, stop)
            else:
                assert reply is not None
                replacement = self._methods[tag](reply, data, pos, stop)
            if replacement is not None:
                self._pass(data, start, pos, out)
                start = stop
                if replacement:
                    out.append(Send(_CLIENT, replacement, self._owner))
            pos = stop
        self._flush(data, start, pos, out)
        if expected:
            expected[0].begun = True
        if pos < end:
            self._parts.append(data[pos:])
            self._have = end - pos
            self._need = max(need, 5)

    def _whole(self, reply: Reply, data: bytes, out: list[Event]) -> bool:
        """The usual answer to the usual command, whole and in one piece: gone through once, and passed on as it is.

        False, and nothing is changed, where it is anything else.
        """
        turn = reply.kind == Kind.TURN
        if reply.begun or len(data) > self._limit or not (turn or reply.kind == Kind.QUERY):
            return False
        if turn and not data.startswith(_BOUND):
            return False
        found = whole_answer(data, len(_BOUND) if turn else 0)
        if found is None:
            return False
        described, rows, over, count = found
        portal = reply.portal
        if portal is not None:
            if portal.described is (described == rows):
                return False
            if portal.described:
                portal.description = data[described:rows] if data[described] == _ROWS_DESCRIBED else b""
            shape = portal.shape()
        elif described == rows:
            shape = b""
        elif data[described] == _ROWS_DESCRIBED:
            shape = data[described:rows]
        else:
            return False
        status = data[-1]
        if status not in STATUSES or (count and not shape and reply.mask is not None):
            return False
        masked = NOTHING_MASKED
        if count and reply.mask is not None:
            plan = self._plan_rows(shape, self._facts(reply), reply.mask)
            if not plan.idle:
                run = data[rows:over]
                hidden = plan.rows(run, self._exchange.encoding)
                if hidden is not run:
                    data = b"".join((data[:rows], hidden, data[over:]))
                    over += len(hidden) - len(run)
                    masked = plan.masked
        out.append(Send(_CLIENT, data, reply.command_id))
        if portal is not None:
            portal.rows = count
            if status == IN_TRANSACTION:
                self._exchange.names.portals[b""] = portal
        elif (statement := reply.statement) is not None and not statement.traits.plain:
            self._exchange.names.run(0, statement)
        if reply.command_id:
            outcome, changed = told(data, over + 5, len(data) - 7)
            rows = max(count, changed)
            out.append(CommandAnswered(reply.command_id, outcome, rows, False, masked, shape))
        self._exchange.expected.popleft()
        self._exchange.stands(status)
        self._endings.settled()
        self._flush(data, 0, 0, out)
        return True

    def _flush(self, data: bytes, start: int, pos: int, out: list[Event]) -> None:
        """Pass on `data[start:pos]`, and report what ended with it."""
        if pos > start:
            self._pass(data, start, pos, out)
        if self._endings.done:
            out += self._endings.done
            self._endings.done.clear()
            self._owner = ""

    def _pass(self, data: bytes, start: int, pos: int, out: list[Event]) -> None:
        if pos > start:
            out.append(Send(_CLIENT, data if pos - start == len(data) else data[start:pos], self._owner))

    def _say_late(self, out: list[Event]) -> None:
        out += (Send(_CLIENT, words) for words in self._late)
        self._late.clear()

    # Whole messages. Each gives what to pass on in place of it: None for itself, b"" for nothing.

    def _parameter_types(self, reply: Reply, data: bytes, pos: int, end: int) -> bytes | None:
        if reply.statement is not None:
            reply.statement.types = messages.read_parameter_types(data, pos + 5, end)
        return b"" if reply.hidden else None

    def _plainly_done(self, reply: Reply, data: bytes, pos: int, end: int) -> bytes | None:
        """ParseComplete, BindComplete, CloseComplete."""
        del data, pos, end
        self._exchange.expected.popleft()
        return b"" if reply.hidden else None

    def _copy_out(self, reply: Reply, data: bytes, pos: int, end: int) -> None:
        if reply.mask is not None:
            if reply.copy is not None:
                reply.plans = (*reply.plans, reply.copy)
            reply.copy = self._plan_copy(
                data[pos:end],
                reply.statement.text if reply.statement is not None else "",
                self._facts(reply),
                reply.mask,
                place=reply.place,
                described=reply.source.description or b"" if reply.source is not None else b"",
                encoding=self._exchange.encoding,
            )

    def _aside(self, tag: int, reply: Reply | None, data: bytes, pos: int, end: int) -> bytes | None:
        """Notices, notifications and settings come between any two messages, also while a command is held."""
        if tag == ord("S"):
            name, value = messages.read_status(data, pos + 5, end)
            self._exchange.reported(name, value)
            if reply is not None and reply.kind is Kind.OWN_QUERY:
                return b""  # signing a name that the client has been told as far as it may know it
            if reply is None or reply.mask is None:
                return None
            return mask_setting(
                name, value, reply.mask, reads_hidden=reads_hidden(self._facts(reply), reply.mask)
            )
        mask = (reply.mask if reply is not None else None) or self._exchange.text_mask
        if reply is not None and tag == ord("N"):
            own = reply.kind is Kind.OWN_QUERY or (reply.hidden and reply.kind is not Kind.SYNC)
            if own:
                return b""
        if mask is None:
            return None
        encoding = self._exchange.encoding
        if tag != ord("N"):
            return mask_notification(data[pos:end], mask, encoding=encoding)
        hidden = reply is not None and reply.mask is not None and reads_hidden(self._facts(reply), mask)
        return mask_report(data[pos:end], mask, encoding=encoding, reads_hidden=hidden)

    def _described(self, reply: Reply, data: bytes, pos: int, end: int) -> bytes | None:
        """RowDescription, or NoData."""
        description = data[pos:end] if data[pos] == _ROWS_DESCRIBED else b""
        if reply.kind is Kind.QUERY:
            reply.description = description
            if reply.mask is not None:
                reply.plan = self._plan_rows(description, self._facts(reply), reply.mask)
                reply.plans = (*reply.plans, reply.plan)
            return None
        if reply.kind is Kind.DESCRIBE:
            reply.description = description
            if reply.statement is not None:
                reply.statement.description = description
        if reply.portal is not None:
            reply.portal.description = description
        self._exchange.expected.popleft()
        return b"" if reply.hidden else None

    def _facts(self, reply: Reply) -> Facts:
        """Of the statement whose rows come: each of several statements ends with one CommandComplete."""
        statement = reply.statement
        if statement is None:
            return NO_FACTS
        facts = statement.facts
        if reply.kind is not Kind.QUERY or facts.attributes.get("sql.statements", 0) in {0, 1}:
            return facts
        each = self._read_each(statement.text)
        if len(each) != facts.attributes["sql.statements"] or reply.place >= len(each):
            return _ANYTHING
        own = each[reply.place]
        if _ELSEWHERE & set(str(own.attributes.get("sql.verbs", "")).split(", ")):
            return _ANYTHING
        return own if facts.complete else facts

    def _masked(self, reply: Reply, tag: int, run: bytes) -> bytes:
        """A run of whole DataRow or CopyData messages, masked; what nobody knows the shape of ends the session."""
        assert reply.mask is not None
        if tag == _COPY:
            if reply.copy is None:
                raise ProtocolViolation("the server copies out without having said what")
            return reply.copy.data(run)
        plan = reply.plan
        if plan is None and reply.portal is not None:
            plan = reply.portal.plan
            if plan is None and (shape := reply.portal.shape()):
                plan = reply.portal.plan = self._plan_rows(shape, self._facts(reply), reply.mask)
            reply.plan = plan
        if plan is None:
            raise ProtocolViolation(
                "the server sent rows that it has not described, so they cannot be masked"
            )
        return plan.rows(run, self._exchange.encoding)

    def _copied(self, reply: Reply, data: bytes, pos: int, end: int) -> bytes | None:
        rest = reply.copy.end() if reply.copy is not None else b""
        return rest + data[pos:end] if rest else None
