"""One channel of a client: what it asks for is judged, then run on a channel of the target's.

Nothing is opened there before the verdict. What the client sends meanwhile waits here, up to a limit.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import asyncssh

from gateway.facts.shell import Lines
from gateway.hosted import Refused, Ruling, SessionOver
from gateway.model import Block, Command
from gateway.protocols.ssh import asking
from gateway.protocols.ssh.behind import Behind
from gateway.protocols.ssh.digests import Copies
from gateway.protocols.ssh.editor import parted
from gateway.protocols.ssh.flow import STDERR, Answer, Sink, Upstream
from gateway.protocols.ssh.kept import WINDOW, Kept
from gateway.protocols.ssh.unserved import needs_terminal

REFUSED = 126
"""Exit status of what was not let run: as a shell says "cannot execute"."""
ENVIRONMENT = re.compile(
    r"(?:LANG|LC_(?:ALL|COLLATE|CTYPE|MESSAGES|MONETARY|NUMERIC|TIME)|TERM|TZ)=(?!/)[A-Za-z0-9_.@+/-]{1,64}"
)
"""What a client may set beforehand: names of languages, terminals and zones, and nothing that a program runs or opens."""
TARGET, CLIENT, UNTAKEN = "the target is slow", "the client is slow", "it waits for a verdict"
LARGEST = 10_000
"""Columns or rows of a terminal."""

NOTHING = b" "
"""What an empty command is sent on as: the library would take it for none, and begin a shell that nobody judges."""

FILES = "sftp"
"""The subsystem that is served."""
COPYING = "scp"
COUNTED = frozenset({COPYING, "rsync", "git-upload-pack", "git-receive-pack", "git-upload-archive"})
"""Programs that speak a protocol with their own kind: they announce how many bytes come."""


class Channel(asyncssh.SSHServerSession[Any]):
    """A session channel (RFC 4254 §6)."""

    def __init__(self, client: Behind, *, run_lines: LineRunner, run_files: FileRunner) -> None:
        self.client = client
        self._run_lines = run_lines
        self._run_files = run_files
        self._text: str | None = None
        self._subsystem: str | None = None
        self._terminal = ""
        self._through = False
        """The target has a terminal as well, and its keystrokes pass."""
        self._task: asyncio.Task[None] | None = None
        self._take: Callable[[bytes], None] | None = None
        self._waiting: list[bytes] = []
        self._waits = 0
        self._kept = Kept(client.room)
        self._paused: set[str] = set()
        self.flowing = asyncio.Event()
        """Cleared while one side does not take what it is sent."""
        self.flowing.set()
        self._ended = False
        self._environment: dict[str, str] = {}
        """As it was when the command was asked for: what comes later was not judged with it."""
        self._upstream: Upstream | None = None
        self._answer: Answer | None = None
        self._held = ""
        self.interrupted: Callable[[], None] | None = None
        """Called for Ctrl-C."""
        self.resized: Callable[[], None] | None = None
        """Called where the client's terminal gets another size, and the target has none."""

    # What asyncssh tells.

    def connection_made(self, chan: Any) -> None:
        self.channel = chan

    def pty_requested(self, term_type: str, term_size: object, term_modes: object) -> bool:
        del term_size, term_modes
        if self._task is not None:
            return False
        self._terminal = term_type if ENVIRONMENT.fullmatch(f"TERM={term_type}") else "dumb"
        return True

    def shell_requested(self) -> bool:
        return True

    def exec_requested(self, command: str) -> bool:
        self._text = command
        return True

    def subsystem_requested(self, subsystem: str) -> bool:
        self._subsystem = subsystem
        return True

    def session_started(self) -> None:
        if not self._terminal:
            self.channel.set_encoding(None)
        self._environment = permitted(self.channel.get_environment())
        self._task = self.client.spawn(self._serve())

    def data_received(self, data: str | bytes, datatype: int | None) -> None:
        del datatype
        self.client.seat.active()
        piece = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
        if self._take is not None:
            self._take(piece)
            return
        self._waiting.append(piece)
        self._waits += len(piece)
        self.keep(len(piece))
        if self._waits > self.client.pending_bytes:
            self.read(False, UNTAKEN)

    def eof_received(self) -> bool:
        self._ended = True
        if self._take is not None:
            self._take(b"")
        return True

    def signal_received(self, signal: str) -> None:
        taken_back = signal == "INT" and self._held and self.client.seat.withdraw(self._held)
        if self.interrupted is not None:
            self.interrupted()
        elif taken_back:
            return
        elif self._upstream is not None and not self._upstream.gone.done():
            self._upstream.channel.send_signal(signal)

    def soft_eof_received(self) -> None:
        self.eof_received()

    def break_received(self, msec: int) -> bool:
        del msec
        self.signal_received("INT")
        return True

    def terminal_size_changed(self, width: int, height: int, pixwidth: int, pixheight: int) -> None:
        del width, height, pixwidth, pixheight
        if self.resized is not None:
            self.resized()
            return
        upstream, answer = self._upstream, self._answer
        if upstream is not None and answer is not None and not upstream.gone.done():
            columns, rows = self.size()
            upstream.giving(lambda: answer.resized(columns, rows, at_target=self._through))
            if self._through:
                upstream.channel.change_terminal_size(columns, rows)

    def pause_writing(self) -> None:
        if self._upstream is not None:
            self._upstream.full(True)
            self._room(self._kept.unread("target", on=True))
        if self._subsystem is not None:
            self.read(False, CLIENT)  # each request has an answer

    def resume_writing(self) -> None:
        self._kept.unread("target", on=False)
        if self._upstream is not None:
            self._upstream.full(False)
        self.read(True, CLIENT)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._kept.close()
        if self._upstream is not None:
            self._upstream.drop()
        if self._task is not None:
            self._task.cancel()
        self.client.closed(self)

    # What becomes of it.

    async def _serve(self) -> None:
        try:
            if self._text is not None and len(asking.as_sent(self._text)) > self.client.command_bytes:
                self.say("This command is too long.")
                self.channel.exit(REFUSED)
            elif self._terminal and (program := Lines().takes_screen(self._text or "")):
                self.client.refused(f"the command {self._text}")
                self.refuse(needs_terminal(program))
                self.channel.exit(REFUSED)
            elif self._text is not None:
                await self._run(asking.run(self._text, self._environment), text=self._text)
            elif self._subsystem == FILES:
                await self._run_files(self)
            elif self._subsystem is not None:
                self._refuse_subsystem(self._subsystem)
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

    async def _run(self, command: Command, *, text: str | None = None, raw: bool = False) -> None:
        ruling = await self.judge(command)
        if isinstance(ruling.verdict, Block):
            self.refuse(ruling.verdict)
            self.channel.exit(REFUSED)
            return
        program = command.facts.attributes.get("shell.programs")
        sent = self._copies("sent") if program == COPYING else None
        self._answer = Answer(
            self.client.seat,
            command.id,
            ruling,
            self._write_through if raw else self.write,
            counted=program in COUNTED,
            exact=self.client.exact and not raw,
            copies=self._copies("fetched") if program == COPYING else None,
        )
        if self._terminal:
            self._answer.resized(*self.size(), at_target=raw)
        try:
            upstream = await self.open(self._answer, text=text, terminal=raw)
        except Refused:
            self._answer.over("the target could not be had", failed=True)
            raise
        self.feed(_into(upstream, sent))
        await upstream.gone
        self.leave(upstream)

    def size(self) -> tuple[int, int]:
        """Columns and rows of the client's terminal now."""
        columns, rows, *_ = self.channel.get_terminal_size()
        return min(columns, LARGEST), min(rows, LARGEST)

    def _refuse_subsystem(self, name: str) -> None:
        self.client.refused(f"the subsystem {name}")
        self.say(f"There is no subsystem but {FILES} here.")
        self.channel.exit(REFUSED)

    def _copies(self, how: str) -> Copies:
        return Copies(lambda file: self.client.seat.noted(f"{how} {file}"))

    async def judge(self, command: Command, *, after: Ruling | None = None) -> Ruling:
        """The ruling on a command of this channel. Raises `SessionOver`."""
        self._held = command.id
        try:
            return await self.client.seat.judge(command, self.say, after=after)
        finally:
            self._held = ""

    async def open(
        self, sink: Sink, *, text: str | None = None, subsystem: str | None = None, terminal: bool = False
    ) -> Upstream:
        """The target's channel for what was let through, and what comes of it to `sink`. Raises `Refused`."""
        target = await self.client.target()
        options: dict[str, Any] = {"env": self._environment}
        if terminal and self._terminal:
            options |= {
                "term_type": self._terminal,
                "term_size": self.size(),
                "term_modes": self.channel.get_terminal_modes(),
            }
        # The library takes bytes here as well; its types do not say so.
        command: Any = None if text is None else asking.as_sent(text) or NOTHING
        upstream = Upstream(sink, read_client=self.read)
        try:
            await target.create_session(
                lambda: upstream,
                command,
                subsystem=subsystem,
                encoding=None,
                window=WINDOW,
                **options,
            )
        except (asyncssh.Error, OSError) as error:
            raise Refused(f"The target refused the channel: {_reason(error)}.") from error
        except asyncio.CancelledError:
            upstream.drop()
            raise
        self._upstream = upstream
        return upstream

    def feed(self, take: Callable[[bytes], None]) -> None:
        """From now on, and for what has waited, `take` gets what the client sends; b"" is its end."""
        waiting, self._waiting = self._waiting, []
        self._take = take
        self.keep(-self._waits)
        for piece in waiting:
            take(piece)
        if self._ended:
            take(b"")
        self.read(True, UNTAKEN)

    def leave(self, upstream: Upstream) -> None:
        """End the client's channel as the target's ended."""
        self._upstream = None
        if upstream.signal:
            self.channel.exit_with_signal(upstream.signal)
        else:
            self.channel.exit(upstream.status)

    def read(self, on: bool, why: str = TARGET) -> None:  # noqa: FBT001  # the shape of a callback
        """Pause what the client sends, or let it go on; it does once nobody has a reason (`why`) to pause it any more."""
        if not on:
            self._paused.add(why)
            self.channel.pause_reading()
            self._room(self._kept.unread("client", on=True))
        elif why in self._paused:
            self._paused.discard(why)
            if not self._paused:
                self._kept.unread("client", on=False)
                self.channel.resume_reading()
        if self._paused & {TARGET, CLIENT}:
            self.flowing.clear()
        else:
            self.flowing.set()

    def keep(self, count: int) -> None:
        """So many bytes more wait in memory here, or fewer where negative."""
        self._room(self._kept.more(count))

    def _room(self, enough: bool) -> None:  # noqa: FBT001  # what Kept says
        if not enough and not self.channel.is_closing():
            self.say("The gateway has as much in memory for its clients as it may: try later.")
            self.channel.abort()

    def write(self, data: bytes, error: bool) -> None:  # noqa: FBT001  # the shape of Answer's callback
        if not self._listens():
            return
        if self._terminal:
            before, rows, text = parted(data.decode("utf-8", "surrogateescape"), self.size()[0])
            if rows:
                self.channel.write(before)
                self.channel.writelines([rows])
            self.channel.write(text)
        else:
            self.channel.write(data, STDERR if error else None)

    def _write_through(self, data: bytes, error: bool) -> None:  # noqa: FBT001  # the shape of Answer's callback
        """As `write`, where the target's terminal says how lines end: the line editor would do so in `write` alone."""
        if not self._terminal:
            self.write(data, error)
        elif self._listens():
            self.channel.writelines([data.decode("utf-8", "surrogateescape")])

    def _listens(self) -> bool:
        """Somebody has asked for something here, and still listens."""
        return self._task is not None and not self.channel.is_closing()

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
        self._through = True
        if self._terminal:
            self.channel.set_line_mode(False)
            self.channel.set_echo(False)


def _into(upstream: Upstream, copies: Copies | None) -> Callable[[bytes], None]:
    def take(data: bytes) -> None:
        if upstream.channel.is_closing():
            return
        if data:
            if copies is not None:
                upstream.giving(lambda: copies.feed(data))
            upstream.channel.write(data)
        else:
            upstream.channel.write_eof()

    return take


LineRunner = Callable[[Channel], Coroutine[Any, Any, None]]
FileRunner = Callable[[Channel], Coroutine[Any, Any, None]]


def permitted(environment: Mapping[str, str]) -> dict[str, str]:
    """What of a client's environment may go on to the target."""
    return {name: value for name, value in environment.items() if ENVIRONMENT.fullmatch(f"{name}={value}")}


def _reason(error: Exception) -> str:
    text = getattr(error, "reason", "") or type(error).__name__
    return "".join(character if character.isprintable() else "?" for character in str(text))[:200]
