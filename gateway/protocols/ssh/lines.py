"""A guarded shell: the gateway owns the line editor, and the target's shell sees only whole lines that were judged.

One shell at the target lives as long as the channel, so directory, variables and functions last from line to line. It has
no terminal: each line is run with nothing to read, and prints a mark that nobody can guess when it is over. A line whose
construct is not finished is refused like any other that cannot be read.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import shlex

from gateway.model import Block, Command, Effect
from gateway.protocols.ssh import asking
from gateway.protocols.ssh.channel import Channel
from gateway.protocols.ssh.flow import Answer, Upstream

LINES_WAITING = 200
"""Typed ahead or piped in; reading pauses above that."""
_NOTHING_LASTS = frozenset({Effect.READ})
"""A line with these effects alone changes nothing that a later line could depend on."""


async def run(channel: Channel) -> None:
    await _Shell(channel).run()


class _Shell:
    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._partial = b""
        self._before: list[str] = []
        self._upstream: Upstream | None = None
        self._leader = 0
        """The shell's own process: it leads the group that all of its lines run in."""
        self._screen = _Screen()

    async def run(self) -> None:
        self._channel.feed(self._typed)
        self._prompt()
        while (line := await self._next()) is not None:
            if line.strip():
                await self._one(line)
                if self._upstream is not None and self._upstream.gone.done():
                    self._channel.leave(self._upstream)
                    return
            self._prompt()
        if self._upstream is None:
            self._channel.channel.exit(0)
        else:
            self._upstream.channel.write_eof()
            await self._upstream.gone
            self._channel.leave(self._upstream)

    def _typed(self, data: bytes) -> None:
        if not data:
            if self._partial:
                self._lines.put_nowait(self._partial.decode("utf-8", "surrogateescape"))
            self._lines.put_nowait(None)
            return
        *whole, self._partial = (self._partial + data).split(b"\n")
        for line in whole:
            self._lines.put_nowait(line.removesuffix(b"\r").decode("utf-8", "surrogateescape"))
        if self._lines.qsize() > LINES_WAITING or len(self._partial) > self._channel.client.pending_bytes:
            self._channel.read(False)

    async def _next(self) -> str | None:
        line = await self._lines.get()
        if self._lines.qsize() <= LINES_WAITING:
            self._channel.read(True)
        return line

    def _prompt(self) -> None:
        if self._channel.terminal:
            self._channel.write(f"{self._channel.client.name}$ ".encode(), error=False)

    async def _one(self, line: str) -> None:
        command = asking.line(line, self._before)
        ruling = await self._channel.judge(command)
        if isinstance(ruling.verdict, Block):
            self._channel.refuse(ruling.verdict)
            return
        if command.facts.effects - _NOTHING_LASTS or not command.facts.complete:
            self._before.append(line)
        await self._let_through(
            command, Answer(self._channel.client.seat, command.id, ruling, self._channel.write)
        )

    async def _let_through(self, command: Command, answer: Answer) -> None:
        upstream = await self._shell_upstream()
        mark = secrets.token_hex(16)
        ended = self._screen.begin(answer, mark)
        self._channel.interrupted = self._interrupted
        upstream.channel.write(_run_line(command.text, mark))
        done, _ = await asyncio.wait({ended, upstream.gone}, return_when=asyncio.FIRST_COMPLETED)
        self._channel.interrupted = None
        answer.rest()
        if ended in done:
            status = ended.result()
            answer.over(f"exit {status}", failed=status != 0)
        else:
            answer.over(f"exit {upstream.status}", failed=upstream.status != 0)

    async def _shell_upstream(self) -> Upstream:
        if self._upstream is None:
            self._upstream = await self._channel.open(self._screen)
            mark = secrets.token_hex(16)
            ready = self._screen.begin(None, mark)
            # Ctrl-C ends what runs, not the shell itself.
            self._upstream.channel.write(f"trap : INT; {_say('$$', mark)}\n".encode())
            await asyncio.wait({ready, self._upstream.gone}, return_when=asyncio.FIRST_COMPLETED)
            self._leader = ready.result() if ready.done() else 0
        return self._upstream

    def _interrupted(self) -> None:
        self._channel.client.spawn(self._interrupt())

    async def _interrupt(self) -> None:
        """As Ctrl-C does at a terminal. Servers do not deliver the protocol's own signals for every user."""
        if self._leader:
            target = await self._channel.client.target()
            await target.run(f"kill -INT -- -{self._leader}", check=False)


class _Screen:
    """What the shell prints, cut at the marks that say that a line is over."""

    def __init__(self) -> None:
        self._answer: Answer | None = None
        self._mark: re.Pattern[bytes] = re.compile(rb"(?!)")
        self._kept = {False: b"", True: b""}
        self._longest = 0
        self._statuses: dict[bool, int] = {}
        self._ended: asyncio.Future[int] | None = None

    def begin(self, answer: Answer | None, mark: str) -> asyncio.Future[int]:
        """From now on what comes is this line's; done with the number in its mark once both streams carried it."""
        self._answer = answer
        self._mark = re.compile(rb"\x1e" + mark.encode() + rb":([0-9]{1,10})\x1e")
        self._longest = len(mark) + 13
        self._statuses = {}
        self._ended = asyncio.get_running_loop().create_future()
        return self._ended

    def came(self, data: bytes, *, error: bool) -> None:
        data = self._kept[error] + data
        self._kept[error] = b""
        if (found := self._mark.search(data)) is not None:
            self._statuses[error] = int(found[1])
            data = data[: found.start()] + data[found.end() :]
        elif (start := data.rfind(b"\x1e")) >= 0 and len(data) - start <= self._longest:
            data, self._kept[error] = data[:start], data[start:]
        if data and self._answer is not None:
            self._answer.came(data, error=error)
        if len(self._statuses) == 2 and self._ended is not None and not self._ended.done():
            self._ended.set_result(self._statuses[False])

    def rest(self) -> None:
        for error, data in self._kept.items():
            if data and self._answer is not None:
                self._answer.came(data, error=error)
        self._kept = {False: b"", True: b""}

    def failed(self, why: str) -> None:
        if self._answer is not None:
            self._answer.failed(why)

    def over(self, outcome: str, *, failed: bool) -> None:
        """The shell itself has ended; its last line says how."""
        del outcome, failed


def _run_line(text: str, mark: str) -> bytes:
    said = _say('"$__countersign"', mark)
    line = f"eval {shlex.quote(text)} </dev/null; __countersign=$?; {said}\n"
    return line.encode("utf-8", "surrogateescape")


def _say(number: str, mark: str) -> str:
    """Print the mark on both streams."""
    printed = f"command printf '\\036{mark}:%d\\036' {number}"
    return f"{printed}; {printed} >&2"
