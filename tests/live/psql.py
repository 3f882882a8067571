"""psql as a person has it: at a terminal, one line after the other, with Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import selectors
import signal
import subprocess
import termios
import time
from collections.abc import Mapping
from types import TracebackType

WITHIN = 90.0


class Terminal:
    """One psql at a terminal of its own; `with Terminal(...) as psql:` ends it in the end.

    Its prompt tells the transaction's state as psql knows it: `[]` outside, `[*]` inside, `[!]` in a failed one.
    """

    PROMPT = r"\[[*!?]?\]> "
    ARGUMENTS = ("-X", "-A", "-t", "-n", "-P", "pager=off", "-v", "PROMPT1=[%x]> ", "-v", "PROMPT2=")

    def __init__(self, program: str, environment: Mapping[str, str], *more: str) -> None:
        self._screen, inner = pty.openpty()
        settings = termios.tcgetattr(inner)
        settings[1] &= ~termios.OPOST
        settings[3] &= ~termios.ECHO
        termios.tcsetattr(inner, termios.TCSANOW, settings)
        self._process = subprocess.Popen(
            [program, *self.ARGUMENTS, *more],
            env={**os.environ, "PAGER": "cat", **environment},
            stdin=inner,
            stdout=inner,
            stderr=inner,
            start_new_session=True,
        )
        os.close(inner)
        self._unread = ""
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._screen, selectors.EVENT_READ)

    def __enter__(self) -> Terminal:
        self.answer()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self._selector.close()
        os.close(self._screen)

    def type(self, line: str) -> None:
        os.write(self._screen, f"{line}\n".encode())

    def ask(self, line: str) -> str:
        """Type a line and read up to the next prompt."""
        self.type(line)
        return self.answer()

    def answer(self) -> str:
        """What is shown up to the next prompt, prompt included."""
        return self.until(self.PROMPT)

    def until(self, pattern: str, *, within: float = WITHIN) -> str:
        """What is shown up to the first match of `pattern`; waits for it."""
        deadline = time.monotonic() + within
        while (found := re.search(pattern, self._unread)) is None:
            left = deadline - time.monotonic()
            assert left > 0, f"the client did not show {pattern!r} within {within} s, but {self._unread!r}"
            if self._selector.select(left):
                self._unread += self._read(pattern)
        shown, self._unread = self._unread[: found.end()], self._unread[found.end() :]
        return shown

    def _read(self, pattern: str) -> str:
        # A terminal whose last program has ended reads as an error, not as an end.
        with contextlib.suppress(OSError):
            if data := os.read(self._screen, 65536):
                return data.decode(errors="replace")
        raise AssertionError(f"the client ended before it showed {pattern!r}, and showed {self._unread!r}")

    def interrupt(self) -> None:
        """Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """kill -9."""
        self._process.kill()
        self._process.wait()
