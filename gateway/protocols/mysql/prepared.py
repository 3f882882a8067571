"""Prepared statements: each execution is asked about with what is bound for it, and a refused one leaves no trace.

What comes for parameters ahead of an execution waits here until that may run.
"""

from __future__ import annotations

from typing import Final

from gateway.model import measured
from gateway.protocols.mysql import refusals
from gateway.protocols.mysql.answers import Kind, Running
from gateway.protocols.mysql.asking import Asking
from gateway.protocols.mysql.packets import Body, Packet, frame
from gateway.protocols.mysql.parameters import bound, read_execution
from gateway.protocols.mysql.statements import Statement
from gateway.wire import Event, ProtocolViolation

_HEAVY: Final = 4_096
"""Bytes of a statement's text from which on it is weighed together with those that are kept."""
_TEXTS: Final = 4
"""How many of the largest commands the texts of a session's prepared statements may come to."""


class Prepared:
    """The commands about prepared statements."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._answers = asking.answers
        self._statements = asking.statements
        self._limits = asking.limits

    def execute(self, packet: Packet, out: list[Event]) -> None:
        statement = self._statements.get(Body(packet.payload, 1).number(4))
        if statement is None:
            self._asking.refuse(refusals.NO_STATEMENT, out)
            return
        if statement.too_long:
            self._statements.forget_long(statement)
            self._asking.refuse(refusals.long_data(self._limits.command_bytes), out)
            return
        execution = read_execution(packet.payload, statement.parameters)
        types = execution.types if execution.types is not None else statement.types
        if types is None:
            self._asking.refuse(refusals.NO_TYPES, out)
            return
        long = {place: bytes(value) for place, value in statement.long.items()}
        parameters = bound(execution, types, long, self._asking.reading.text)
        statement.types = types
        raw = [*statement.long_raw, packet.raw]
        if execution.types is None and statement.told != types:
            raw[-1] = frame(execution.write(types), 0)
        context = self._asking.reading.prepared_in(statement.context)
        facts = self._asking.reading.facts(statement.text, context, read=statement.read)
        exact = measured(
            b"execute",
            statement.query,
            bytes((execution.flags,)),
            repr(types).encode(),
            execution.nulls,
            execution.values,
            *(part for place in sorted(long) for part in (str(place).encode(), long[place])),
        )
        asked = self._asking.ask(
            statement.text,
            facts,
            exact,
            packet,
            Kind.BINARY,
            out,
            context=context,
            parameters=parameters,
            statement=statement,
            raw=raw,
        )
        asked.statement, asked.types = statement, types

    def prepare(self, packet: Packet, out: list[Event]) -> None:
        query, limit = packet.payload[1:], self._limits.command_bytes
        if len(self._statements) >= self._limits.statements:
            self._asking.refuse(refusals.too_many_statements(len(self._statements)), out)
            return
        if len(query) > _HEAVY and self._statements.weight + len(query) > _TEXTS * limit:
            self._asking.refuse(refusals.too_heavy(_TEXTS * limit), out)
            return
        reading = self._asking.reading
        statement = Statement(query, reading.text(query), reading.context, read=reading.reads(query))
        self._asking.send([packet.raw], Running(Kind.PREPARE, statement=statement), out)

    def send_long_data(self, packet: Packet, out: list[Event]) -> None:
        """Kept until the execution may run; nothing answers it."""
        del out
        body = Body(packet.payload, 1)
        statement, place = self._statements.get(body.number(4)), body.number(2)
        if statement is None:
            return
        if place >= statement.parameters:
            raise ProtocolViolation("data came for a parameter that there is not")
        if self._statements.long + len(packet.raw) > self._limits.command_bytes:
            self.too_long(statement.number)
        if not statement.too_long:
            self._statements.long += len(packet.raw)
            statement.long.setdefault(place, bytearray()).extend(body.rest())
            statement.long_raw.append(packet.raw)

    def too_long(self, number: int) -> None:
        """More came ahead for this statement than is kept: its execution will be refused."""
        statement = self._statements.get(number)
        if statement is not None:
            self._statements.forget_long(statement)
            statement.too_long = True

    def close(self, packet: Packet, out: list[Event]) -> None:
        body = Body(packet.payload, 1)
        statement = self._statements.close(body.number(4))
        body.over()
        if statement is not None:
            self._answers.close_cursor(statement, out)
            self._asking.send([packet.raw], None, out)

    def reset(self, packet: Packet, out: list[Event]) -> None:
        statement = self._named(packet, out)
        if statement is not None:
            self._statements.forget_long(statement)
            self._answers.close_cursor(statement, out)
            self._asking.send([packet.raw], Running(Kind.OK), out)

    def fetch(self, packet: Packet, out: list[Event]) -> None:
        statement = self._named(packet, out)
        if statement is None:
            return
        if statement.cursor is None:
            self._asking.refuse(refusals.NO_CURSOR, out)
            return
        cursor = statement.cursor
        running = Running(
            Kind.ROWS, command_id=cursor.command_id, facts=cursor.facts, mask=cursor.mask, statement=statement
        )
        self._asking.send([packet.raw], running, out)

    def _named(self, packet: Packet, out: list[Event]) -> Statement | None:
        statement = self._statements.get(Body(packet.payload, 1).number(4))
        if statement is None:
            self._asking.refuse(refusals.NO_STATEMENT, out)
        return statement
