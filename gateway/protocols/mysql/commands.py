"""From the client to the server: what may pass, what is a command and has to be asked about, what is refused.

A command is what executes: a query, the execution of a prepared statement, and the smaller commands that do what a
statement does, which are judged as that statement. One is in flight at a time; what a client sends behind it waits. What
is in none of the three sets below is refused, too, and the session stays in step.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from gateway.model import Allow, Block, measured
from gateway.protocols.mysql import refusals
from gateway.protocols.mysql.answers import Kind, Running
from gateway.protocols.mysql.asking import Asking
from gateway.protocols.mysql.packets import Body, Packet, Packets
from gateway.protocols.mysql.prepared import Prepared
from gateway.protocols.mysql.upstream_login import MODES, Modes
from gateway.wire import Event, Hangup, Mask, ProtocolViolation

_LONG_DATA = 0x18
_KILL = re.compile(
    r"\s*KILL\s+(?:(?:HARD|SOFT)\s+)?(?:(?:CONNECTION|QUERY)\s+)?(\d{1,20})\s*;?\s*", re.IGNORECASE
)
_REFRESHED = ("PRIVILEGES", "LOGS", "TABLES", "HOSTS", "STATUS")
"""What COM_REFRESH flushes, by bits from the lowest on."""
_RESETS: Final = {0x40: "RESET SLAVE", 0x80: "RESET MASTER"}

_Method = Callable[[Packet, list[Event]], None]


class Commands:
    """The commands of one session: at most one is asked about at a time."""

    def __init__(self, asking: Asking, *, kill: Callable[[int, list[Event]], bool]) -> None:
        """`kill` cancels what runs in the session with this id, False where no session of the gateway's has it."""
        self._asking = asking
        self._prepared = Prepared(asking)
        self._limits = asking.limits
        self._answers = asking.answers
        self._reading = asking.reading
        self._kill = kill
        self._packets = Packets()
        self.gone = False
        """The client has said that it leaves."""
        asks: dict[int, _Method] = {
            0x02: self._init_db,
            0x03: self._query,
            0x04: self._field_list,
            0x05: self._create_db,
            0x06: self._drop_db,
            0x07: self._refresh,
            0x08: self._shutdown,
            0x0A: self._process_info,
            0x0C: self._process_kill,
            0x17: self._prepared.execute,
        }
        passes: dict[int, _Method] = {
            0x01: self._quit,
            0x09: self._statistics,
            0x0E: self._ping,
            0x16: self._prepared.prepare,
            _LONG_DATA: self._prepared.send_long_data,
            0x19: self._prepared.close,
            0x1A: self._prepared.reset,
            0x1B: self._set_option,
            0x1C: self._prepared.fetch,
            0x1F: self._reset_connection,
        }
        self._methods = {**asks, **passes}
        """What has an effect of its own is never forwarded before its answer. All else is refused."""

    @property
    def buffered(self) -> int:
        return len(self._packets)

    # Bytes in.

    def receive(self, data: bytes, out: list[Event]) -> None:
        self._packets.add(data)
        self.resume(out)
        if len(self._packets) > self._limits.command_bytes + self._limits.pipelined_bytes:
            raise ProtocolViolation("the client sends more than may wait")

    def resume(self, out: list[Event]) -> None:
        """Go on with what the client has sent, as far as that can be judged now."""
        while self._asking.asked is None and self._answers.running is None and not self.gone:
            if not self._one(out):
                break

    def _one(self, out: list[Event]) -> bool:
        limit = self._limits.command_bytes
        size = self._packets.announced()
        if self._packets.dropping or size > limit:
            packet = self._packets.drop()
            if packet is None:
                return False
            self._dropped(packet, max(size, limit + 1), out)
            return True
        packet = self._packets.take()
        if packet is None:
            return False
        if packet.raw[3]:
            raise ProtocolViolation("a command's packets are not numbered from zero")
        if not packet.payload:
            raise ProtocolViolation("a command is empty")
        self._asking.number = packet.sequence
        method = self._methods.get(packet.payload[0])
        if method is None:
            self._asking.refuse(refusals.command(packet.payload[0]), out)
        else:
            method(packet, out)
        return True

    def _dropped(self, packet: Packet, size: int, out: list[Event]) -> None:
        """A command that was larger than what is judged; nothing answers data for a parameter."""
        self._asking.number = packet.sequence
        if packet.payload[:1] == bytes((_LONG_DATA,)):
            self._prepared.too_long(int.from_bytes(packet.payload[1:5], "little"))
            return
        self._asking.refuse(refusals.too_large(size, self._limits.command_bytes), out)

    def _query(self, packet: Packet, out: list[Event]) -> None:
        query = packet.payload[1:]
        text = self._reading.text(query)
        killed = _KILL.fullmatch(text)
        if killed is not None and self._kill(int(killed[1]), out):
            self._asking.say_ok(out)
            return
        context = self._reading.context
        facts = self._reading.facts(text, context, read=self._reading.reads(query))
        self._asking.ask(text, facts, measured(b"query", query), packet, Kind.TEXT, out, context=context)

    def _as_text(
        self,
        text: str,
        packet: Packet,
        out: list[Event],
        *,
        kind: Kind = Kind.OK,
        done: Callable[[list[Event]], None] | None = None,
    ) -> None:
        """A command that does what a statement does, judged as that."""
        context = self._reading.context
        facts = self._reading.facts(text, context, read=self._reading.reads(packet.payload))
        exact = measured(b"command", packet.payload)
        self._asking.ask(text, facts, exact, packet, kind, out, context=context, done=done, follows=False)

    def _init_db(self, packet: Packet, out: list[Event]) -> None:
        name = self._reading.text(packet.payload[1:])
        self._as_text(f"USE {_quoted(name)}", packet, out, done=lambda _out: self._reading.used(name))

    def _field_list(self, packet: Packet, out: list[Event]) -> None:
        body = Body(packet.payload, 1)
        table, wildcard = self._reading.text(body.text()), self._reading.text(body.rest())
        like = f" LIKE '{_in_string(wildcard)}'" if wildcard else ""
        self._as_text(f"SHOW COLUMNS FROM {_quoted(table)}{like}", packet, out, kind=Kind.FIELDS)

    def _create_db(self, packet: Packet, out: list[Event]) -> None:
        self._as_text(f"CREATE DATABASE {_quoted(self._reading.text(packet.payload[1:]))}", packet, out)

    def _drop_db(self, packet: Packet, out: list[Event]) -> None:
        self._as_text(f"DROP DATABASE {_quoted(self._reading.text(packet.payload[1:]))}", packet, out)

    def _refresh(self, packet: Packet, out: list[Event]) -> None:
        flags = Body(packet.payload, 1).number(1)
        flushed = [name for bit, name in enumerate(_REFRESHED) if flags >> bit & 1]
        texts = [f"FLUSH {', '.join(flushed)}"] if flushed else []
        texts += [text for flag, text in _RESETS.items() if flags & flag]
        if texts:
            self._as_text("; ".join(texts), packet, out)
        else:
            self._asking.refuse(refusals.command(packet.payload[0]), out)

    def _shutdown(self, packet: Packet, out: list[Event]) -> None:
        self._as_text("SHUTDOWN", packet, out)

    def _process_info(self, packet: Packet, out: list[Event]) -> None:
        self._as_text("SHOW PROCESSLIST", packet, out, kind=Kind.TEXT)

    def _process_kill(self, packet: Packet, out: list[Event]) -> None:
        body = Body(packet.payload, 1)
        number = body.number(4)
        if self._kill(number, out):
            self._asking.say_ok(out)
        else:
            self._as_text(f"KILL {number}", packet, out)

    # What passes.

    def _quit(self, packet: Packet, out: list[Event]) -> None:
        self.gone = True
        self._asking.send([packet.raw], None, out)
        out.append(Hangup("the client left"))

    def _statistics(self, packet: Packet, out: list[Event]) -> None:
        self._asking.send([packet.raw], Running(Kind.STRING), out)

    def _ping(self, packet: Packet, out: list[Event]) -> None:
        self._asking.send([packet.raw], Running(Kind.OK), out)

    def _set_option(self, packet: Packet, out: list[Event]) -> None:
        if Body(packet.payload, 1).number(2) > 1 or len(packet.payload) != 3:
            raise ProtocolViolation("an option is set that there is not")
        self._asking.send([packet.raw], Running(Kind.OK), out)

    def _reset_connection(self, packet: Packet, out: list[Event]) -> None:
        """What a session begins with may be other modes than those that this one began with: they are asked for again."""

        def done(out: list[Event]) -> None:
            for statement in self._asking.statements.clear():
                self._answers.close_cursor(statement, out)
            modes = Modes()
            own = Running(Kind.OWN, own=modes.told, done=lambda _out: self._reading.reset(modes))
            self._asking.send([MODES], own, out)

        self._asking.send([packet.raw], Running(Kind.OK, done=done), out)

    # From outside.

    def answer(self, command_id: str, verdict: Allow | Block, mask: Mask, out: list[Event]) -> None:
        """The verdict on the command that is asked about."""
        self._asking.answer(command_id, verdict, mask, out)
        self.resume(out)

    def cancel(self, out: list[Event]) -> bool:
        """Take the waiting command back, if one waits."""
        if not self._asking.cancel(out):
            return False
        self.resume(out)
        return True


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _in_string(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "''")
