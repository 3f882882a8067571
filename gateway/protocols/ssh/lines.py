"""A guarded shell: the gateway owns the line editor, and the target's shell sees only whole lines that were judged.

One shell at the target lives as long as the channel, so directory, variables and functions last from line to line. It has
no terminal: each line is run with nothing to read, and when it is over the shell prints a mark that nobody can guess, on
descriptors that the line itself does not have. A command that goes on over several lines is one: it is gathered, judged and
run whole. What one line saved another may show, so a mask that one line got stays for all that follow.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace

from gateway.facts.shell import Gathering, Lines
from gateway.hosted import Refused, Ruling
from gateway.model import Block
from gateway.protocols.ssh import asking
from gateway.protocols.ssh.around import Left, Shell, around, kept, left, said, started
from gateway.protocols.ssh.channel import REFUSED, Channel
from gateway.protocols.ssh.flow import Answer, Upstream
from gateway.protocols.ssh.screen import Screen
from gateway.protocols.ssh.unserved import needs_terminal

LINES_WAITING = 200
"""Typed ahead or piped in; reading pauses above that."""
OWN = ("eval", "command", "printf")
"""Words of what the gateway itself sends: with another meaning, a line would run something else than it says."""
REDEFINED = Block(
    rules=("guarded shell",),
    message=f"A guarded shell needs {', '.join(OWN[:-1])} and {OWN[-1]} as they are.",
)
TRAPS_EACH = Block(
    rules=("guarded shell",),
    message="A trap before each command (DEBUG) would run for the gateway's own: a guarded shell has none.",
)
LONGEST_TYPED = 8_192
"""Characters of a line at a terminal. The line editor takes no more: what is longer was cut, and does not run."""
TOO_LONG = Block(
    rules=("guarded shell",), message=f"At a terminal a line has less than {LONGEST_TYPED:,} characters."
)
ENDLESS = Block(
    rules=("guarded shell",), message="This command does not end: a quote or a construct is open."
)
GOES_ON = "> "
PATIENCE = 3
"""Ctrl-C so many times on one line ends the shell: it may have been told not to go on."""


async def run(channel: Channel) -> None:
    await _Shell(channel).run()


class _Shell:
    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._partial = b""
        self._gathering = Gathering()
        """The command whose lines are coming."""
        self._past = Lines()
        self._masked: Ruling | None = None
        """The last line's ruling, with the masks of all before it."""
        self._left = Left()
        """What the next line begins with; the shell ends with its status."""
        self._open_end = False
        """The last line's document ends with the input."""
        self._typing = False
        """It waits for a line."""
        self._cut_short = False
        """What was typed ended in a line that is too long."""
        self._interrupts = 0
        self._upstream: Upstream | None = None
        self._shell = Shell(mark="", leader=0, bash=False)
        self._screen = Screen()
        self._answer: Answer | None = None
        """Of the line that runs."""
        self._size = (0, 0)
        """Of the terminal, as it was recorded last."""

    async def run(self) -> None:
        self._channel.interrupted = self._lines_forgotten
        self._channel.resized = self._resized
        self._channel.feed(self._typed)
        self._prompt()
        while (command := await self._command()) is not None:
            if command.strip():
                await self._one(command)
                if self._upstream is not None and self._upstream.gone.done():
                    self._channel.leave(self._upstream)
                    return
            self._prompt()
        if self._cut_short:
            self._left = Left(status=REFUSED)
        if self._upstream is None:
            self._channel.channel.exit(self._left.status)
        else:
            self._upstream.channel.write(f"\\command exit {self._left.status}\n".encode())
            self._upstream.channel.write_eof()
            await self._upstream.gone
            self._channel.leave(self._upstream)

    def _typed(self, data: bytes) -> None:
        if not data:
            if self._partial:
                self._lines.put_nowait(self._partial.decode("utf-8", "surrogateescape"))
            self._lines.put_nowait(None)
            return
        if len(self._partial) + len(data) > self._channel.client.pending_bytes and b"\n" not in data:
            self._channel.say("This line is too long.")
            self._partial = b""
            self._cut_short = True
            self._lines.put_nowait(None)
            return
        *whole, self._partial = (self._partial + data).split(b"\n")
        for line in whole:
            self._lines.put_nowait(line.removesuffix(b"\r").decode("utf-8", "surrogateescape"))
        if self._lines.qsize() > LINES_WAITING:
            self._channel.read(False, "lines wait")

    async def _command(self) -> str | None:
        """The next command, with all of its lines."""
        while (line := await self._next()) is not None:
            gathering = self._gathering
            if self._channel.terminal and len(line) >= LONGEST_TYPED:
                self._gathering = Gathering()
                self._refuse_unasked(line, TOO_LONG)
                self._prompt()
            elif gathering.add(line):
                self._prompt(GOES_ON)
            elif gathering.too_long and gathering.lines > 1:
                # Where it ends is not known: what follows may be the rest of it.
                self._channel.say("This command is too long.")
                self._cut_short = True
                return None
            else:
                self._gathering = Gathering()
                return gathering.text
            self._typing = True  # it has been asked for more: Ctrl-C gets a prompt from here on
            await asyncio.sleep(0)  # lines that wait may be many, and others wait for the loop
        gathering, self._gathering = self._gathering, Gathering()
        if not gathering.lines:
            return None
        if gathering.ends:
            self._open_end = True
            self._lines.put_nowait(None)
            return gathering.text
        self._refuse_unasked(gathering.text, ENDLESS)
        return None

    async def _next(self) -> str | None:
        self._typing = True
        line = await self._lines.get()
        self._typing = False
        if self._lines.qsize() <= LINES_WAITING:
            self._channel.read(True, "lines wait")
        return line

    def _prompt(self, shown: str = "") -> None:
        if self._channel.terminal:
            self._channel.write((shown or f"{self._channel.client.name}$ ").encode(), error=False)

    async def _one(self, line: str) -> None:
        if self._past.gives_meaning(line, OWN):
            self._refuse_unasked(line, REDEFINED)
            return
        if self._past.traps_each(line):
            self._refuse_unasked(line, TRAPS_EACH)
            return
        if program := self._past.takes_screen(line):
            self._refuse_unasked(line, needs_terminal(program))
            return
        command = asking.line(line, self._past)
        ruling = await self._channel.judge(command, after=self._masked)
        if isinstance(ruling.verdict, Block):
            self._refuse(ruling.verdict)
            return
        self._past.ran(line)
        self._masked = ruling
        await self._let_through(
            line, Answer(self._channel.client.seat, command.id, ruling, self._channel.write)
        )

    def _refuse(self, block: Block) -> None:
        self._channel.refuse(block)
        self._left = replace(self._left, status=REFUSED, pipe="")

    def _refuse_unasked(self, line: str, block: Block) -> None:
        self._channel.client.refused(f"the line {line}")
        self._refuse(block)

    async def _let_through(self, line: str, answer: Answer) -> None:
        try:
            upstream = await self._shell_upstream()
        except Refused:
            answer.over("the target could not be had", failed=True)
            raise
        self._answer = answer
        self._resized()
        shell = self._shell
        mark = secrets.token_hex(16)
        ended = self._screen.begin(answer, mark, f"{kept(mark, shell)}\n" if shell.bash else "")
        self._interrupts = 0
        self._channel.interrupted = self._interrupted
        if not upstream.gone.done():
            sent = around(line, mark, self._left, shell=shell, open_end=self._open_end)
            upstream.channel.write(asking.as_sent(sent))
        done, _ = await asyncio.wait({ended, upstream.gone}, return_when=asyncio.FIRST_COMPLETED)
        self._channel.interrupted = self._lines_forgotten
        upstream.giving(self._screen.line_over)
        if upstream.channel.is_closing():
            await upstream.gone
        self._answer = None
        self._left = left(ended.result(), bash=shell.bash) if ended in done else Left(status=upstream.status)
        answer.over(f"exit {self._left.status}", failed=self._left.status != 0)

    async def _shell_upstream(self) -> Upstream:
        if self._upstream is None:
            self._upstream = await self._channel.open(self._screen)
            mark = secrets.token_hex(16)
            ready = self._screen.begin(None, mark)
            self._upstream.channel.write(started(mark).encode())
            await asyncio.wait({ready, self._upstream.gone}, return_when=asyncio.FIRST_COMPLETED)
            if ready.done():
                self._shell = said(mark, ready.result())
        return self._upstream

    def _resized(self) -> None:
        """The size is recorded with the line that runs, or with the next one."""
        upstream, answer, size = self._upstream, self._answer, self._channel.size()
        if self._channel.terminal and upstream is not None and answer is not None and size != self._size:
            self._size = size
            upstream.giving(lambda: answer.resized(*size, at_target=False))

    def _lines_forgotten(self) -> None:
        """As a terminal does for Ctrl-C: what was typed ahead does not run, and neither what was typed of a line."""
        if not self._channel.terminal:
            return
        self._channel.channel.clear_input()
        self._gathering = Gathering()
        while not self._lines.empty():
            if self._lines.get_nowait() is None:
                self._lines.put_nowait(None)
                return
        if self._typing:
            self._channel.write(b"\n", error=False)
            self._prompt()

    def _interrupted(self) -> None:
        self._lines_forgotten()
        self._interrupts += 1
        if self._interrupts >= PATIENCE and self._upstream is not None:
            self._upstream.channel.abort()
        else:
            self._channel.client.spawn(self._interrupt())

    async def _interrupt(self) -> None:
        """As Ctrl-C does at a terminal. Servers do not deliver the protocol's own signals for every user."""
        if self._shell.leader:
            target = await self._channel.client.target()
            # `--` before the group is what bash takes, and dash and busybox do not.
            await target.run(f"kill -INT -{self._shell.leader}", check=False)
