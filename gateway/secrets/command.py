"""A secret that a program prints. No shell reads its words; what it writes to its standard error is dropped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Collection

from gateway.policy.credentials import SecretRef, SecretUnavailable
from gateway.secrets.places import LONGEST, Found, text

WITHIN = 10.0
"""Seconds that a program has."""


class Commands:
    """See `gateway.secrets.places.Place`."""

    def __init__(self, withheld: Callable[[], Collection[str]], *, within: float = WITHIN) -> None:
        """`withheld()` are variables that the gateway keeps from programs: secrets of others."""
        self._withheld = withheld
        self._within = within

    async def fetch(self, ref: SecretRef) -> Found:
        kept = set(self._withheld())
        environment = {name: value for name, value in os.environ.items() if name not in kept}
        try:
            process = await asyncio.create_subprocess_exec(
                *ref.command,
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=DEVNULL,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            raise SecretUnavailable(f"{ref} cannot be started: {error.strerror}") from None
        try:
            async with asyncio.timeout(self._within):
                content = await _printed(process)
                # One that printed too much may wait for somebody to read on.
                status = await process.wait() if len(content) <= LONGEST else 0
        except TimeoutError:
            raise SecretUnavailable(f"{ref} took longer than {self._within:g} s") from None
        finally:
            await _end(process)
        if status != 0:
            raise SecretUnavailable(f"{ref} ended with status {status}")
        return Found(value=text(content, f"what {ref} printed"))

    async def close(self) -> None:
        return


async def _printed(process: Process) -> bytes:
    """All that it prints, but one byte more than a secret may have at most."""
    assert process.stdout is not None
    content = b""
    while len(content) <= LONGEST and (more := await process.stdout.read(LONGEST + 1 - len(content))):
        content += more
    return content


async def _end(process: Process) -> None:
    """With all that it has started; its group outlives it where one of those still runs."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    # Its end is told once its pipe has ended too, and that is not seen while nobody reads.
    process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001
    await process.wait()
