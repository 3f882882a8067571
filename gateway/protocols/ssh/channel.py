"""One channel of a client: what it asks for is judged, then run on a channel of the target's.

Nothing is opened there before the verdict. What the client sends meanwhile waits here, up to a limit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol

import asyncssh

from gateway.hosted import Refused, Ruling, Seat, SessionOver
from gateway.model import Block, Command
from gateway.protocols.ssh import asking
from gateway.protocols.ssh.flow import STDERR, Answer, Sink, Upstream

REFUSED = 126
"""Exit status of what was not let run: as a shell says "cannot execute"."""
ENVIRONMENT = ("LANG", "LC_", "TERM", "TZ")
"""What a client may set beforehand (`LC_` stands for all of them): nothing that a program runs."""

COUNTED = frozenset({"scp", "rsync", "git-upload-pack", "git-receive-pack", "git-upload-archive"})
"""Programs that speak a protocol with their own kind: they announce how many bytes come."""


class Behind(Protocol):
    """What a channel needs of the client it belongs to."""

    @property
    def seat(self) -> Seat: ...
    @property
    def shell(self) -> str:
        """`refuse`, `guarded` or `hold`: what becomes of interactive shells."""

    @property
    def name(self) -> str:
        """What a prompt shows."""

    @property
    def pending_bytes(self) -> int: ...

    async def target(self) -> asyncssh.SSHClientConnection:
        """The connection to the target, made once. Raises `Refused`."""

    def leads_around(self, host: str, port: int) -> bool:
        """Whether a connection from the target to there would reach what the gateway guards."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]: ...

    def closed(self, channel: Channel) -> None: ...


class Channel(asyncssh.SSHServerSession[Any]):
    """A session channel (RFC 4254 §6)."""

    def __init__(self, client: Behind, *, run_lines: LineRunner, run_files: FileRunner) -> None:
        self.client = client
        self._run_lines = run_lines
        self._run_files = run_files
        self._text: str | None = None
        self._subsystem = ""
        self._terminal = ""
        self._task: asyncio.Task[None] | None = None
        self._take: Callable[[bytes], None] | None = None
        self._waiting: list[bytes] = []
        self._ended = False
        self._upstream: Upstream | None = None
        self._answer: Answer | None = None
        self._held = ""
        self.interrupted: Callable[[], None] | None = None
        """Called for Ctrl-C where nothing waits for people."""

    # What asyncssh tells.

    def connection_made(self, chan: Any) -> None:
        self.channel = chan

    def pty_requested(self, term_type: str, term_size: object, term_modes: object) -> bool:
        del term_size, term_modes
        self._terminal = term_type
        return True

    def shell_requested(self) -> bool:
        return True

    def exec_requested(self, command: str) -> bool:
        self._text = command
        return True

    def subsystem_requested(self, subsystem: str) -> bool:
        self._subsystem = subsystem
        return subsystem == "sftp"

    def session_started(self) -> None:
        if not self._terminal:
            self.channel.set_encoding(None)
        self._task = self.client.spawn(self._serve())

    def data_received(self, data: str | bytes, datatype: int | None) -> None:
        del datatype
        piece = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
        if self._take is not None:
            self._take(piece)
            return
        self._waiting.append(piece)
        if sum(map(len, self._waiting)) > self.client.pending_bytes:
            self.channel.pause_reading()

    def eof_received(self) -> bool:
        self._ended = True
        if self._take is not None:
            self._take(b"")
        return True

    def signal_received(self, signal: str) -> None:
        if signal == "INT" and self._held and self.client.seat.withdraw(self._held):
            return
        if self.interrupted is not None:
            self.interrupted()
        elif self._upstream is not None:
            self._upstream.channel.send_signal(signal)

    def soft_eof_received(self) -> None:
        self.eof_received()

    def break_received(self, msec: int) -> bool:
        del msec
        self.signal_received("INT")
        return True

    def terminal_size_changed(self, width: int, height: int, pixwidth: int, pixheight: int) -> None:
        if self._upstream is not None and self._answer is not None:
            self._answer.resized(width, height)
            self._upstream.channel.change_terminal_size(width, height, pixwidth, pixheight)

    def pause_writing(self) -> None:
        if self._upstream is not None:
            self._upstream.channel.pause_reading()

    def resume_writing(self) -> None:
        if self._upstream is not None:
            self._upstream.channel.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self._upstream is not None:
            self._upstream.channel.abort()
        if self._task is not None:
            self._task.cancel()
        self.client.closed(self)

    # What becomes of it.

    async def _serve(self) -> None:
        try:
            if self._text is not None:
                await self._run(asking.run(self._text))
            elif self._subsystem:
                await self._run_files(self)
            elif self.client.shell == "hold":
                self._raw()
                await self._run(asking.shell(), raw=True)
            elif self.client.shell == "guarded":
                await self._run_lines(self)
            else:
                self.say("Interactive shells are not served here: give ssh the command to run.")
                self.channel.exit(REFUSED)
        except Refused as refused:
            self.say(str(refused))
            self.channel.exit(255)
        except SessionOver:
            self.channel.abort()

    async def _run(self, command: Command, *, raw: bool = False) -> None:
        ruling = await self.judge(command)
        if isinstance(ruling.verdict, Block):
            self.refuse(ruling.verdict)
            self.channel.exit(REFUSED)
            return
        counted = command.facts.attributes.get("shell.programs") in COUNTED
        self._answer = Answer(self.client.seat, command.id, ruling, self.write, counted=counted)
        try:
            upstream = await self.open(self._answer, text=self._text, terminal=raw)
        except Refused:
            self._answer.over("the target could not be had", failed=True)
            raise
        self.feed(_into(upstream))
        await upstream.gone
        self.leave(upstream)

    async def judge(self, command: Command) -> Ruling:
        """The ruling on a command of this channel. Raises `SessionOver`."""
        self._held = command.id
        try:
            return await self.client.seat.judge(command, self.say)
        finally:
            self._held = ""

    async def open(
        self, sink: Sink, *, text: str | None = None, subsystem: str | None = None, terminal: bool = False
    ) -> Upstream:
        """The target's channel for what was let through, and what comes of it to `sink`. Raises `Refused`."""
        target = await self.client.target()
        options: dict[str, Any] = {"env": permitted(self.channel.get_environment())}
        if terminal and self._terminal:
            options |= {"term_type": self._terminal, "term_size": self.channel.get_terminal_size()}
        upstream = Upstream(sink, read_client=self.read)
        try:
            await target.create_session(
                lambda: upstream,
                text,
                subsystem=subsystem,
                encoding=None,
                **options,
            )
        except (asyncssh.Error, OSError) as error:
            raise Refused(f"The target refused the channel: {_reason(error)}.") from error
        self._upstream = upstream
        return upstream

    def feed(self, take: Callable[[bytes], None]) -> None:
        """From now on, and for what has waited, `take` gets what the client sends; b"" is its end."""
        waiting, self._waiting = self._waiting, []
        self._take = take
        for piece in waiting:
            take(piece)
        if self._ended:
            take(b"")
        self.channel.resume_reading()

    def leave(self, upstream: Upstream) -> None:
        """End the client's channel as the target's ended."""
        self._upstream = None
        if upstream.signal:
            self.channel.exit_with_signal(upstream.signal)
        else:
            self.channel.exit(upstream.status)

    def read(self, on: bool) -> None:  # noqa: FBT001  # the shape of a callback
        if on:
            self.channel.resume_reading()
        else:
            self.channel.pause_reading()

    def write(self, data: bytes, error: bool) -> None:  # noqa: FBT001  # the shape of Answer's callback
        if self._task is None or self.channel.is_closing():
            return  # nobody has asked for anything here yet, or listens any more
        shown: bytes | str = data.decode("utf-8", "surrogateescape") if self._terminal else data
        self.channel.write(shown, STDERR if error and not self._terminal else None)

    def say(self, text: str) -> None:
        """Something of the gateway's own, where the client reads errors."""
        self.write(f"countersign: {text}\n".encode("utf-8", "replace"), error=True)

    def refuse(self, block: Block) -> None:
        self.say(block.message)
        self.say(f"Decided by {', '.join(block.rules)}. Nothing of it ran.")

    @property
    def terminal(self) -> str:
        return self._terminal

    def _raw(self) -> None:
        if self._terminal:
            self.channel.set_line_mode(False)
            self.channel.set_echo(False)


def _into(upstream: Upstream) -> Callable[[bytes], None]:
    def take(data: bytes) -> None:
        if upstream.channel.is_closing():
            return
        if data:
            upstream.channel.write(data)
        else:
            upstream.channel.write_eof()

    return take


LineRunner = Callable[[Channel], Coroutine[Any, Any, None]]
FileRunner = Callable[[Channel], Coroutine[Any, Any, None]]


def permitted(environment: Mapping[str, str]) -> dict[str, str]:
    """What of a client's environment may go on to the target."""
    return {name: value for name, value in environment.items() if name.startswith(ENVIRONMENT)}


def _reason(error: Exception) -> str:
    text = getattr(error, "reason", "") or type(error).__name__
    return "".join(character if character.isprintable() else "?" for character in str(text))[:200]
