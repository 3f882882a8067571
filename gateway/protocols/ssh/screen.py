"""What a guarded shell prints, cut at the marks that say that a line is over."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable

from gateway.hosted import SessionOver
from gateway.protocols.ssh.flow import Answer

log = logging.getLogger("countersign.ssh")

LONGEST_MARK = 32 * 1024
"""Bytes from a mark's beginning to its end."""


class Screen:
    """A sink for all that the shell's channel brings."""

    def __init__(self) -> None:
        self._answer: Answer | None = None
        self._begins, self._ends = b"", b""
        self._noise = b""
        self._kept = {False: b"", True: b""}
        self._bodies: dict[bool, bytes] = {}
        self._ended: asyncio.Future[bytes] | None = None

    def begin(self, answer: Answer | None, mark: str, noise: str = "") -> asyncio.Future[bytes]:
        """From now on what comes is this line's; done with what its mark says once both streams carried it.

        `noise` is a text of the gateway's own that a shell may print on standard error: nobody is shown it.
        """
        self._answer = answer
        self._begins, self._ends = f"\x1e{mark}:".encode(), f":{mark}\x1e".encode()
        self._noise = noise.encode()
        self._bodies = {}
        self._ended = asyncio.get_running_loop().create_future()
        return self._ended

    def came(self, data: bytes, *, error: bool) -> None:
        data = self._kept[error] + data
        self._kept[error] = b""
        if error and self._noise:
            data = data.replace(self._noise, b"")
        if self._begins:
            data, self._kept[error] = self._without_mark(data, error=error)
        if data:
            self._give(lambda answer: answer.came(data, error=error))
        if len(self._bodies) == 2 and self._ended is not None and not self._ended.done():
            self._ended.set_result(self._bodies[False])

    def _without_mark(self, data: bytes, *, error: bool) -> tuple[bytes, bytes]:
        """What is the line's own, and what may be the beginning of a mark or of noise."""
        at = data.find(self._begins)
        if at >= 0:
            within = at + len(self._begins)
            ends = data.find(self._ends, within)
            if ends >= 0:
                self._bodies[error] = data[within:ends]
                data = data[:at] + data[ends + len(self._ends) :]
            elif len(data) - at <= LONGEST_MARK:
                return data[:at], data[at:]
        at = min(_begun(data, token) for token in (self._begins, self._noise if error else b""))
        return data[:at], data[at:]

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


def _begun(data: bytes, token: bytes) -> int:
    """Where at the end of the data the token may have begun; the end where it has not."""
    at = data.find(token[:1], max(0, len(data) - len(token) + 1)) if token else -1
    while at >= 0:
        if token.startswith(data[at:]):
            return at
        at = data.find(token[:1], at + 1)
    return len(data)
