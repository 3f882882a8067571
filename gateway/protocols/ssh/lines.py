"""A guarded shell: the gateway owns the line editor, and the target's shell sees only whole lines that were judged.

One shell at the target lives as long as the channel, so directory, variables and functions last from line to line. It has
no terminal: each line is run with nothing to read, and when it is over the shell prints a mark that nobody can guess, on
descriptors that the line itself does not have. A command that goes on over several lines is one: it is gathered, judged and
run whole. What one line saved another may show, so a mask that one line got stays for all that follow.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import re
import secrets
import shlex
from collections.abc import Callable

from gateway.facts.shell import Gathering, Lines
from gateway.hosted import Refused, Ruling, SessionOver
from gateway.model import Block
from gateway.protocols.ssh import asking
from gateway.protocols.ssh.channel import REFUSED, Channel
from gateway.protocols.ssh.flow import Answer, Upstream
from gateway.protocols.ssh.unserved import needs_terminal

log = logging.getLogger("countersign.ssh")

LINES_WAITING = 200
"""Typed ahead or piped in; reading pauses above that."""
OWN = ("eval", "command", "printf")
"""Words of what the gateway itself sends: with another meaning, a line would run something else than it says."""
REDEFINED = Block(
    rules=("guarded shell",),
    message=f"A guarded shell needs {', '.join(OWN[:-1])} and {OWN[-1]} as they are.",
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
        self._status = 0
        """`$?` of the next line, and of the shell when it ends."""
        self._typing = False
        """It waits for a line."""
        self._cut_short = False
        """What was typed ended in a line that is too long."""
        self._interrupts = 0
        self._upstream: Upstream | None = None
        self._leader = 0
        """The shell's own process: it leads the group that all of its lines run in."""
        self._screen = _Screen()
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
            self._status = REFUSED
        if self._upstream is None:
            self._channel.channel.exit(self._status)
        else:
            self._upstream.channel.write(f"\\command exit {self._status}\n".encode())
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
        self._status = REFUSED

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
        mark = secrets.token_hex(16)
        ended = self._screen.begin(answer, mark)
        self._interrupts = 0
        self._channel.interrupted = self._interrupted
        if not upstream.gone.done():
            upstream.channel.write(_run_line(line, mark, after=self._status))
        done, _ = await asyncio.wait({ended, upstream.gone}, return_when=asyncio.FIRST_COMPLETED)
        self._channel.interrupted = self._lines_forgotten
        upstream.giving(self._screen.line_over)
        if upstream.channel.is_closing():
            await upstream.gone
        self._answer = None
        self._status = ended.result() if ended in done else upstream.status
        answer.over(f"exit {self._status}", failed=self._status != 0)

    async def _shell_upstream(self) -> Upstream:
        if self._upstream is None:
            self._upstream = await self._channel.open(self._screen)
            mark = secrets.token_hex(16)
            ready = self._screen.begin(None, mark)
            # Ctrl-C ends what runs, not the shell itself.
            self._upstream.channel.write(f"exec 7>&1 8>&2; trap : INT; {_say('$$', mark)}\n".encode())
            await asyncio.wait({ready, self._upstream.gone}, return_when=asyncio.FIRST_COMPLETED)
            self._leader = ready.result() if ready.done() else 0
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
        if data:
            self._give(lambda answer: answer.came(data, error=error))
        if len(self._statuses) == 2 and self._ended is not None and not self._ended.done():
            self._ended.set_result(self._statuses[False])

    def _give(self, work: Callable[[Answer], None]) -> None:
        """Where a line's answer cannot be masked the rest of it is dropped; the marks still say when the line is over."""
        answer = self._answer
        if answer is None:
            return
        try:
            work(answer)
        except SessionOver:
            raise
        except Exception:
            log.exception("a line's answer could not be given out")
            answer.failed("The answer of this line could not be masked, so the rest of it is not shown.")

    def line_over(self) -> None:
        """No more comes of this line."""
        self._give(Answer.rest)

    def rest(self) -> None:
        for error, data in self._kept.items():
            if data:
                self._give(functools.partial(Answer.came, data=data, error=error))
        self._kept = {False: b"", True: b""}

    def failed(self, why: str) -> None:
        if self._answer is not None:
            self._answer.failed(why)

    def over(self, outcome: str, *, failed: bool) -> None:
        """The shell itself has ended, and the line that ran in it."""
        if self._answer is not None:
            self._answer.over(outcome, failed=failed)

    def quiet(self) -> None:
        self._give(Answer.quiet)


def _run_line(text: str, mark: str, *, after: int) -> bytes:
    """`after` is what `$?` is when the line begins."""
    status = f"(exit {after}) || " if after else ""
    said = _say('"$?"', mark)
    return asking.as_sent(f"{status}\\eval {shlex.quote(text)} </dev/null 7>&- 8>&-; {said}\n")


def _say(number: str, mark: str) -> str:
    """Print the mark on both streams, wherever a line has sent them."""
    printed = f"\\command printf '\\036{mark}:%d\\036'"
    return f"{printed} {number} >&7; {printed} 0 >&8"
