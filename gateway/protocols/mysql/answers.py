"""From the server to the client: whose answer each packet is, and where it ends.

One command is in flight at a time, so that every packet is of its answer. What the bytes of a result set are is in
`result_set`; here are OK and ERR, the answers of the smaller commands, and one result behind another.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from gateway.facts.mysql import Context
from gateway.model import Effect, Facts
from gateway.protocols.column_rules import reads_hidden
from gateway.protocols.mysql import errors, packets
from gateway.protocols.mysql.packets import Body, Packet, Packets
from gateway.protocols.mysql.plans import Plans
from gateway.protocols.mysql.replay import FIELDS
from gateway.protocols.mysql.result_set import ResultSet
from gateway.protocols.mysql.statements import Cursor, Statement
from gateway.wire import (
    AnswerWithheld,
    CommandAnswered,
    Event,
    Hangup,
    Limits,
    Mask,
    ProtocolViolation,
    Send,
    Side,
)

NO_FACTS: Final = Facts(effects=frozenset())
_CLIENT: Final = Side.CLIENT
_TELLING = frozenset({"show", "explain", "describe"})
"""Verbs of statements that have rows of which the text does not say what they are made of."""
_PREPARE_PASSES = frozenset({1046, 1115, 1273, 1295, 1461})
"""Errors of a Prepare that quote no value though their state does not say so; with state 42, those of reading the text."""


class Kind(Enum):
    """What answers a command."""

    TEXT = auto()
    """OK, or result sets whose values are texts."""
    BINARY = auto()
    ROWS = auto()
    """More rows of a cursor."""
    OK = auto()
    """OK, or EOF, or ERR."""
    STRING = auto()
    """One packet of text."""
    FIELDS = auto()
    """Definitions of columns, to an EOF."""
    PREPARE = auto()
    OWN = auto()
    """Packets for the gateway alone."""


class Running:
    """The command that is in flight."""

    def __init__(
        self,
        kind: Kind,
        *,
        command_id: str = "",
        facts: Facts = NO_FACTS,
        each: tuple[Facts, ...] = (),
        mask: Mask | None = None,
        text: str = "",
        context: Context | None = None,
        statement: Statement | None = None,
        own: Callable[[bytes], bool] | None = None,
        done: Callable[[list[Event]], None] | None = None,
    ) -> None:
        self.kind: Final = kind
        self.command_id: Final = command_id
        self.facts: Final = facts
        self.each: Final = each
        """Of each statement of a text with several, as far as each is answered once."""
        self.place = 0
        """Of the statement that is being answered."""
        self.mask: Final = mask
        self.text: Final = text
        self.context: Final = context
        """In which the text was read; None where it leaves nothing behind."""
        self.statement: Final = statement
        self.own: Final = own
        """Takes a packet of the gateway's own answer; True when it is the last."""
        self.done: Final = done
        """What holds once the server has done it."""
        self.result: ResultSet | None = None
        self.shift = 0
        """Packets that the client got in this answer more than came."""
        self.rows = 0
        self.affected = 0
        self.masked: dict[str, int] = {}
        self.shape = FIELDS if kind is Kind.FIELDS else b""
        self.definitions: list[int] = []
        """How many packets are still to come of each list of a Prepare's answer."""

    def of_rows(self) -> Facts:
        """Of the statement whose rows begin now; of the whole text where it cannot be told which one that is."""
        own = self.each[self.place] if self.place < len(self.each) else self.facts
        tells = own.outputs is not None or own.attributes.get("sql.verbs") in _TELLING
        return own if tells else self.facts


class Answers:
    """The server's side of one session."""

    def __init__(
        self,
        limits: Limits,
        *,
        over: Callable[[Running, bool, list[Event]], None],
        prepared: Callable[[Statement], None],
        labels: Callable[[], str],
    ) -> None:
        """`over(running, failed, out)` hears when an answer has ended, `prepared` of a statement that the server has prepared.

        `labels` is the character set that names of columns come in, "" where nobody knows it.
        """
        self._limits = limits
        self._over = over
        self._prepared = prepared
        self._labels = labels
        self._plans = Plans()
        self._packets = Packets()
        self.running: Running | None = None
        self.status = errors.AUTOCOMMIT
        self.text_mask: Mask | None = None
        """The last mask there was: for what is said beside commands."""
        self.sequence = 0
        """Of the last packet that the client got."""

    @property
    def between_packets(self) -> bool:
        """The client has only whole packets."""
        running = self.running
        return running is None or running.result is None or running.result.whole

    def next_sequence(self) -> int:
        """The number of what would be said now."""
        running = self.running
        if running is not None and running.result is not None:
            return running.result.sequence + 1
        return self.sequence + 1

    def run(self, running: Running) -> None:
        self.running = running
        self.sequence = 0
        if running.mask is not None:
            self.text_mask = running.mask

    def receive(self, data: bytes, out: list[Event]) -> None:
        """Bytes of the server. Whatever goes wrong on their way through a mask, nothing of them is passed on."""
        try:
            self._receive(data, out)
        except ProtocolViolation:
            raise
        except Exception as error:  # noqa: BLE001  # a mask runs the patterns of a policy over the data of strangers
            raise AnswerWithheld(error) from None

    def _receive(self, data: bytes, out: list[Event]) -> None:
        while True:
            running = self.running
            if running is not None and running.result is not None:
                passed, data = running.result.receive(data)
                if passed:
                    out.append(Send(_CLIENT, passed, running.command_id))
                if not running.result.done:
                    return
                self._result_over(running, running.result, out)
                if not data:
                    return
                continue
            if data:
                self._packets.add(data)
                data = b""
            first = self._packets.first()
            if first is None:
                return
            if running is not None and self._begins_result(running, first):
                data = self._packets.rest()
                continue
            if self._packets.announced() > self._limits.row_bytes:
                raise ProtocolViolation("the server's packet has an impossible length")
            packet = self._packets.take()
            if packet is None:
                return
            self._packet(running, first, packet, out)

    def _begins_result(self, running: Running, first: int) -> bool:
        """Whether what comes is of a result set, which is taken apart elsewhere."""
        if running.kind is Kind.ROWS:
            assert running.statement is not None
            assert running.statement.cursor is not None
            if first == packets.ERR:
                return False
            running.result = running.statement.cursor.result.fetch()
            return True
        if running.kind not in {Kind.TEXT, Kind.BINARY}:
            return False
        if first == packets.LOCAL_INFILE:
            raise ProtocolViolation("the server asks for a file of the client's, which was not negotiated")
        if first in {packets.OK, packets.ERR}:
            return False
        running.result = ResultSet(
            binary=running.kind is Kind.BINARY,
            mask=running.mask,
            facts=running.of_rows(),
            limits=self._limits,
            charset=self._labels(),
            shift=running.shift,
            plans=self._plans,
        )
        return True

    def _result_over(self, running: Running, result: ResultSet, out: list[Event]) -> None:
        running.result = None
        running.shift = result.shift
        running.rows += result.rows
        running.shape = running.shape or result.shape
        for name, count in result.masked.items():
            running.masked[name] = running.masked.get(name, 0) + count
        self.sequence = result.sequence
        if result.interrupted:
            return
        self.status = result.status
        running.place += 1
        statement = running.statement
        if running.kind is Kind.ROWS:
            self._fetched(running, out, last=bool(result.status & errors.LAST_ROW_SENT))
        elif result.cursor and statement is not None:
            statement.cursor = Cursor(running.command_id, result, facts=running.facts, mask=running.mask)
            self.running = None
            self._over(running, False, out)
        elif not result.status & errors.MORE_RESULTS:
            self._end(running, _rows(running.rows), out)

    def _fetched(self, running: Running, out: list[Event], *, last: bool) -> None:
        assert running.statement is not None
        cursor = running.statement.cursor
        assert cursor is not None
        cursor.rows += running.rows
        for name, count in running.masked.items():
            cursor.masked[name] = cursor.masked.get(name, 0) + count
        self.running = None
        if last:
            self.close_cursor(running.statement, out)

    def close_cursor(self, statement: Statement, out: list[Event], *, failed: str = "") -> None:
        """The execution whose rows were fetched is over."""
        cursor, statement.cursor = statement.cursor, None
        if cursor is not None:
            out.append(
                CommandAnswered(
                    cursor.command_id,
                    failed or _rows(cursor.rows),
                    cursor.rows,
                    failed=bool(failed),
                    masked=dict(cursor.masked),
                    shape=cursor.result.shape,
                )
            )

    # Single packets.

    def _packet(self, running: Running | None, first: int, packet: Packet, out: list[Event]) -> None:
        if not packet.payload:
            raise ProtocolViolation("the server sent an empty packet")
        if first == packets.ERR:
            self._failed(running, packet, out)
            return
        if running is None:
            raise ProtocolViolation("the server said something though nothing was asked")
        if running.own is not None:
            if running.own(packet.payload):
                self._end(running, "", out)
        elif running.kind is Kind.STRING:
            self._pass(running, packet, out)
            self._end(running, "OK", out)
        elif running.kind is Kind.FIELDS:
            self._pass(running, packet, out)
            if errors.is_eof(packet.payload):
                self._end(running, _rows(running.rows), out)
            else:
                running.rows += 1
        elif running.kind is Kind.PREPARE:
            self._preparing(running, packet, out)
        elif running.kind is Kind.OK and errors.is_eof(packet.payload):
            self.status = errors.read_eof(packet.payload).status
            self._pass(running, packet, out)
            self._end(running, "OK", out)
        elif first == packets.OK and running.kind is not Kind.ROWS:
            self._ok(running, packet, out)
        else:
            raise ProtocolViolation("the server sent what is no answer to what was asked")

    def _pass(self, running: Running, packet: Packet, out: list[Event], payload: bytes | None = None) -> None:
        raw = packet.raw
        sequence = packet.sequence
        if payload is not None or running.shift:
            first = raw[3] + running.shift
            raw = packets.frame(packet.payload if payload is None else payload, first)
            sequence += running.shift
        self.sequence = sequence & 0xFF
        out.append(Send(_CLIENT, raw, running.command_id))

    def _ok(self, running: Running, packet: Packet, out: list[Event]) -> None:
        done = errors.read_ok(packet.payload)
        self.status = done.status
        running.affected += done.affected
        running.place += 1
        self._pass(running, packet, out)
        if not done.status & errors.MORE_RESULTS:
            outcome = f"OK {running.affected} affected" if not running.rows else _rows(running.rows)
            self._end(running, outcome, out)

    def _failed(self, running: Running | None, packet: Packet, out: list[Event]) -> None:
        failed = errors.read_err(packet.payload)
        if running is None:
            # It says why it closes: it was shut down, or nobody said anything for too long.
            said = packet.payload
            if self.text_mask is not None:
                said = errors.mask_error(said, self.text_mask, reads_hidden=False)
            out.append(Send(_CLIENT, packets.frame(said, max(1, packet.sequence))))
            out.append(Hangup(f"the target ended the session: error {failed.code}"))
            return
        if running.own is not None:
            raise ProtocolViolation("the server does not say how it reads texts")
        self._pass(running, packet, out, self._masked(running, failed, packet.payload))
        if running.kind is Kind.ROWS:
            assert running.statement is not None
            self._fetched(running, out, last=False)
            self.close_cursor(running.statement, out, failed=failed.outcome)
            self._over(running, True, out)
            return
        self._end(running, failed.outcome, out, failed=True)

    def _masked(self, running: Running, failed: errors.Failed, payload: bytes) -> bytes | None:
        mask = running.mask
        if running.kind is Kind.PREPARE:
            # Nobody was asked about it yet, so nobody knows what is masked: what is not about the text itself stays.
            if failed.state.startswith("42") or failed.code in _PREPARE_PASSES:
                return (
                    None
                    if self.text_mask is None
                    else errors.mask_error(payload, self.text_mask, reads_hidden=False)
                )
            return payload[: len(payload) - len(failed.message)] + errors.WITHHELD.encode()
        if mask is None:
            return None
        facts = running.facts
        return errors.mask_error(
            payload,
            mask,
            reads_hidden=reads_hidden(facts, mask),
            text=running.text,
            runs_code=not facts.complete or Effect.EXEC in facts.effects,
        )

    def _preparing(self, running: Running, packet: Packet, out: list[Event]) -> None:
        """The number and counts, then the definitions of parameters and of columns, an EOF behind each."""
        statement = running.statement
        assert statement is not None
        if statement.number < 0:
            body = Body(packet.payload)
            if body.number(1) != packets.OK:
                raise ProtocolViolation("the server sent what is no answer to what was asked")
            statement.number = body.number(4)
            columns, statement.parameters = body.number(2), body.number(2)
            running.definitions = [count + 1 for count in (statement.parameters, columns) if count]
        else:
            running.definitions[0] -= 1
            if (running.definitions[0] == 0) is not errors.is_eof(packet.payload):
                raise ProtocolViolation("the server's definitions are not as many as it said")
            if running.definitions[0] == 0:
                del running.definitions[0]
        self._pass(running, packet, out)
        if not running.definitions:
            self._prepared(statement)
            self._end(running, "OK", out)

    def _end(self, running: Running, outcome: str, out: list[Event], *, failed: bool = False) -> None:
        self.running = None
        if running.command_id:
            out.append(
                CommandAnswered(
                    running.command_id,
                    outcome,
                    max(running.rows, running.affected),
                    failed=failed,
                    masked=running.masked,
                    shape=running.shape,
                )
            )
        self._over(running, failed, out)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"
