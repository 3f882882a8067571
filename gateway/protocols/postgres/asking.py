"""From the client to the server: what may pass, what is a command and has to be asked about, what is refused.

This cuts the client's bytes into messages, and takes each up when it can be judged; `commands` says what a whole one
means. Parse, Describe, Close and Flush have no effect of their own and pass. What is in no table is a violation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gateway.model import Allow, Block
from gateway.protocols.postgres import refusals
from gateway.protocols.postgres.answers import Answers
from gateway.protocols.postgres.commands import Commands
from gateway.protocols.postgres.exchange import Exchange
from gateway.protocols.postgres.frames import follow
from gateway.protocols.postgres.inbox import Inbox
from gateway.protocols.postgres.messages import HEADER
from gateway.protocols.postgres.reading import Reader
from gateway.wire import Event, Mask, ProtocolViolation

REFUSED = frozenset(b"F")
"""Understood, and refused politely: the fast-path function call, whose result nobody could mask."""

_QUERY: Final = ord("Q")
_BIND: Final = ord("B")
_COPY_DATA: Final = ord("d")
_SMALL = frozenset(b"DECHSXcf")
"""Messages that are never large."""
_IN_COPY = frozenset(b"dcfHSX")
_OF_COPY = frozenset(b"dcf")
_ENDS_DISCARDING = frozenset(b"SX")

_Methods = dict[bytes, Callable[[bytes, list[Event]], None]]


class Asking:
    """The client's side of one session."""

    def __init__(
        self, exchange: Exchange, answers: Answers, reader: Reader, *, next_id: Callable[[], str]
    ) -> None:
        self._exchange = exchange
        self._commands = Commands(exchange, answers, reader, next_id=next_id)
        self._sending = self._commands.sending
        self._inbox = Inbox()
        self._skip = 0
        """How much of a message is still to come that is dropped."""
        self._stream = 0
        """How much of a CopyData message is still to come that was passed on in part."""
        self._limit = exchange.limits.command_bytes
        commands = self._commands
        asks: _Methods = {b"Q": commands.query, b"B": commands.bind, b"E": commands.execute}
        passes: _Methods = {
            b"P": commands.parse,
            b"D": commands.describe,
            b"C": commands.close,
            b"H": commands.flush,
            b"S": self._sending.sync,
            b"X": commands.leave,
            b"c": commands.end_copy,
            b"f": commands.end_copy,
        }
        self._methods = {tag[0]: method for tag, method in (*asks.items(), *passes.items())}
        """What executes, or is bound to, is never forwarded before its answer; the others have no effect of their own.

        `CopyData` passes too, streamed. What is neither here nor in `REFUSED` is a violation.
        """

    @property
    def buffered(self) -> int:
        return len(self._inbox)

    def _waits(self) -> bool:
        """Whether a command has no answer yet; asked afresh, since any message may have changed it."""
        commands = self._commands
        return commands.asked is not None or commands.trial is not None

    # Bytes in.

    def receive(self, data: bytes, out: list[Event]) -> None:
        if not self._at_once(data, out):
            self._inbox.add(data)
            self.resume(out)

    def _at_once(self, data: bytes, out: list[Event]) -> bool:
        """Drivers send a query, or all that executes a statement, in one piece: it is asked about as that piece."""
        exchange, commands = self._exchange, self._commands
        if self._waits() or exchange.waiting or exchange.discarding or exchange.copying_in:
            return False
        if len(data) < 5:
            return False
        tag = data[0]
        size = data[1] << 24 | data[2] << 16 | data[3] << 8 | data[4]
        end = 1 + size
        if (
            self._inbox
            or commands.bound
            or self._skip
            or self._stream
            or commands.gone
            or not 4 <= size <= self._limit
        ):
            return False
        if tag == _QUERY and end == len(data):
            commands.query(data, out)
            return True
        return tag == _BIND and commands.turn(data, end, out)

    def resume(self, out: list[Event]) -> None:
        """Go on with what the client has sent, as far as that can be judged now."""
        exchange = self._exchange
        if exchange.discarding:
            self._commands.discard(out)
        if self._commands.trial is not None:
            self._commands.tried(out)
        if self._waits():
            return
        inbox = self._inbox
        while (exchange.copying_in or not exchange.waiting) and not self._commands.gone:
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
        bound = self._commands.bound
        if bound is not None and not bound.takes(tag, inbox.data, inbox.pos + 5, inbox.pos + 1 + size):
            self._commands.ask_bound(out)
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
        if self._commands.bound is not None:
            self._commands.ask_bound(out)
            return False
        self._inbox.pos += HEADER.size
        self._skip = size - 4
        if exchange.discarding:
            return True
        if tag in REFUSED:
            self._sending.refuse_query(refusals.FUNCTION_CALL, out)
        else:
            refusal = refusals.too_large(size, self._limit)
            (self._sending.refuse_query if tag == ord("Q") else self._commands.refuse_batch)(refusal, out)
        return True

    # From outside.

    def answer(self, command_id: str, verdict: Allow | Block, mask: Mask, out: list[Event]) -> None:
        """The verdict on the command that was asked about; one for a command that is no longer asked is too late."""
        if self._commands.answer(command_id, verdict, mask, out):
            self.resume(out)

    def sign(self, out: list[Event]) -> None:
        self._sending.sign(out)

    def notice(self, command_id: str, words: str, out: list[Event]) -> None:
        """A command is held, and its client told so."""
        self._commands.notice(command_id, words, out)

    def cancel(self, out: list[Event]) -> bool:
        """Take the waiting command back, if one waits."""
        if not self._commands.cancel(out):
            return False
        self.resume(out)
        return True
