"""One command that was let through: its upstream channel and the client's, joined, masked and recorded."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

import asyncssh

from gateway.hosted import Ruling, Seat, SessionOver, Stream
from gateway.pace import Pace
from gateway.protocols.ssh.bulk import gives_in_bulk
from gateway.protocols.ssh.digests import Copies
from gateway.protocols.ssh.timeline import ERR, OUT, RESIZE, SIZE, head
from gateway.wire import CommandAnswered

QUIET = 0.05
"""Seconds after which a stream counts as quiet: a prompt that was kept back is shown then."""
UNMASKABLE = "the answer could not be masked"
BINARY = b"\0"
AT_ONCE = 256 * 1024
"""Bytes that are masked and recorded in one go: packets that arrived together are one piece, up to this."""
log = logging.getLogger("countersign.ssh")
STDERR = asyncssh.EXTENDED_DATA_STDERR

Write = Callable[[bytes, bool], None]
"""Bytes for the client; true for its standard error."""


class Sink(Protocol):
    """Where what comes back of a channel goes."""

    def came(self, data: bytes, *, error: bool) -> None:
        """Bytes of the target's standard output, or of its standard error. Raises `SessionOver`."""

    def quiet(self) -> None:
        """Nothing has come for a moment."""

    def rest(self) -> None:
        """No more comes."""

    def failed(self, why: str) -> None:
        """Nothing more may come; the client is told why."""

    def over(self, outcome: str, *, failed: bool) -> None:
        """How it ended."""


class Answer:
    """What comes back of one command: masked, recorded, then written, in that order."""

    def __init__(
        self,
        seat: Seat,
        command_id: str,
        ruling: Ruling,
        write: Write,
        *,
        counted: bool = False,
        exact: bool = False,
        copies: Copies | None = None,
    ) -> None:
        """`counted`: the client takes the bytes by their number, so masking must not change it; `copies` looks on.

        `exact`: what is binary is not masked.
        """
        self._seat = seat
        self._command_id = command_id
        self._write = write
        self._copies = copies
        masked = {error: ruling.stream(counted) for error in (False, True)}
        self._streams: Mapping[bool, Stream] = masked
        if exact:
            self._streams = {error: _Exact(stream) for error, stream in masked.items()}
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._failed = False
        self._over = False

    def came(self, data: bytes, *, error: bool) -> None:
        if not self._failed:
            self._give(self._streams[error].feed(data), error=error)

    def quiet(self) -> None:
        for error, stream in self._streams.items():
            self._give(stream.flush(), error=error)

    def resized(self, columns: int, rows: int, *, at_target: bool) -> None:
        """The client's terminal has this size, and so has the target's where there is one."""
        if columns and rows:
            self._record(RESIZE if at_target else SIZE, f"{columns}x{rows}".encode())

    def rest(self) -> None:
        """No more comes for now: what was kept back goes out."""
        for error, stream in self._streams.items():
            self._give(stream.close(), error=error)

    def failed(self, why: str) -> None:
        self._failed = True
        self._streams = {}
        self._write(f"countersign: {why}\n".encode(), True)  # the shape of Write

    def over(self, outcome: str, *, failed: bool) -> None:
        """The command has ended; said once."""
        if self._over:
            return
        self._over = True
        if self._failed:
            outcome, failed = UNMASKABLE, True
        masked: dict[str, int] = {}
        for stream in self._streams.values():
            for name, count in stream.counts().items():
                masked[name] = masked.get(name, 0) + count
        self._seat.answered(CommandAnswered(self._command_id, outcome=outcome, failed=failed, masked=masked))

    def _give(self, data: bytes, *, error: bool) -> None:
        if data:
            self._record(ERR if error else OUT, data)
            if self._copies is not None and not error:
                self._copies.feed(data)
            self._write(data, error)

    def _record(self, stream: bytes, data: bytes) -> None:
        self._seat.answer(self._command_id, head(stream, self._loop.time() - self._began, len(data)))
        self._seat.answer(self._command_id, data)


class _Exact:
    """A stream that is masked up to its first NUL: texts have none, and what follows one is given out as it came."""

    def __init__(self, masked: Stream) -> None:
        self._masked = masked
        self._binary = False
        self.flush, self.close, self.counts = masked.flush, masked.close, masked.counts

    def feed(self, data: bytes) -> bytes:
        if not self._binary:
            text, nul, data = data.partition(BINARY)
            shown = self._masked.feed(text)
            if not nul:
                return shown
            self._binary = True
            data = shown + self._masked.close() + nul + data
        return data


class Upstream(asyncssh.SSHClientSession[bytes]):
    """The target's end of a command."""

    def __init__(self, sink: Sink, *, read_client: Callable[[bool], None]) -> None:
        """`read_client(False)` pauses what the client sends, `read_client(True)` lets it go on."""
        self._sink = sink
        self._read_client = read_client
        self._loop = asyncio.get_running_loop()
        self._quiet: asyncio.TimerHandle | None = None
        self._pace = Pace()
        self._arrived: deque[tuple[bool, bytes]] = deque()
        """What has come, and whether it is of standard error."""
        self._arriving = 0
        self._due = False
        """Its turn comes."""
        self._behind = False
        """Some of it has to wait for that; meanwhile no more is read."""
        self._full = False
        self._paused = False
        self._lost = False
        self._unwanted = False
        self._outcome: tuple[str, bool] = ("the target hung up", True)
        self.status = 255
        self.signal = ""
        self.gone = self._loop.create_future()
        """Done when the channel has closed."""

    def connection_made(self, chan: Any) -> None:
        self.channel: asyncssh.SSHClientChannel[bytes] = chan
        gives_in_bulk(chan)
        if self._unwanted:
            chan.abort()

    def drop(self) -> None:
        """Nobody waits for it any more, whether it is open already or not."""
        self._unwanted = True
        self._forget()
        if hasattr(self, "channel"):
            self.channel.abort()

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Packets of one read come one by one: looking through them together costs a fraction."""
        if not self._due:
            self._soon()
        self._arrived.append((datatype == STDERR, data))
        self._arriving += len(data)
        if self._arriving >= AT_ONCE and not self._behind:
            self._take()

    def _soon(self) -> None:
        self._due = True
        if self._quiet is not None:
            self._quiet.cancel()
        self._loop.call_soon(self._work)

    def _work(self) -> None:
        """Take a portion of what has arrived; the rest once the others had their turn."""
        self._due = False
        if self._arrived:
            self._take()
        self._behind = bool(self._arrived)
        if self._behind:
            self._soon()
        elif self._lost:
            self._end()
        else:
            self._quiet = self._loop.call_later(QUIET, self.giving, self._sink.quiet)
        self._read()

    def _take(self) -> None:
        taken, portion = 0, min(AT_ONCE, self._pace.begin())
        while self._arrived and taken < portion:
            error, data = self._next(portion - taken)
            taken += len(data)
            self.giving(partial(self._sink.came, data, error=error))
        self._behind = self._pace.worked(taken) or bool(self._arrived)

    def _next(self, most: int) -> tuple[bool, bytes]:
        """What came next on one of the two streams, up to so many bytes; true for standard error."""
        error, data = self._arrived.popleft()
        parts, size = [data], len(data)
        while size < most and self._arrived and self._arrived[0][0] is error:
            data = self._arrived.popleft()[1]
            parts.append(data)
            size += len(data)
        if size > most:
            parts[-1], rest = data[: most - size], data[most - size :]
            self._arrived.appendleft((error, rest))
        self._arriving -= min(size, most)
        return error, b"".join(parts)

    def _forget(self) -> None:
        self._arrived.clear()
        self._arriving = 0

    def giving(self, work: Callable[[], None]) -> None:
        """Whatever goes wrong while an answer is masked or recorded, nothing more of it is given out."""
        try:
            work()
        except SessionOver:
            self._forget()
            self.channel.abort()
        except Exception:
            self._forget()
            log.exception("an answer could not be given out")
            self._outcome = (UNMASKABLE, True)
            self.status, self.signal = 255, ""
            self._sink.failed("The answer could not be masked, so it ends here.")
            self.channel.abort()

    def eof_received(self) -> bool:
        return True

    def exit_status_received(self, status: int) -> None:
        self.status = status
        self._outcome = (f"exit {status}", status != 0)

    def exit_signal_received(self, signal: str, core_dumped: bool, msg: str, lang: str) -> None:  # noqa: FBT001  # the shape of asyncssh
        del core_dumped, msg, lang
        self.signal = signal
        self._outcome = (f"signal {signal}", True)

    def pause_writing(self) -> None:
        self._read_client(False)

    def resume_writing(self) -> None:
        self._read_client(True)

    def full(self, full: bool) -> None:  # noqa: FBT001
        """The client takes no more for now, or does so again."""
        self._full = full
        self._read()

    def _read(self) -> None:
        paused = self._full or self._behind
        if paused is not self._paused and not self._lost:
            self._paused = paused
            (self.channel.pause_reading if paused else self.channel.resume_reading)()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._lost = True
        if not self._due:
            self._end()

    def _end(self) -> None:
        if self._quiet is not None:
            self._quiet.cancel()
        self.giving(self._sink.rest)
        outcome, failed = self._outcome
        self.giving(lambda: self._sink.over(outcome, failed=failed))
        if not self.gone.done():
            self.gone.set_result(None)
