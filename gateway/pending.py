"""What a relay waits for: its target, the people who decide, the end of an errand.

Never compiled, and nothing that is compiled has a coroutine of its own: what mypyc makes of one can take the whole
process with it where it is cancelled while it waits.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from gateway.end import End
from gateway.errand import Errand
from gateway.holding import Held
from gateway.model import Final, Session
from gateway.upstream.dial import Dialer
from gateway.upstream.logins import UpstreamUnreachable
from gateway.wire import Login

log = logging.getLogger("countersign.relay")

DEADLINE = 10.0
"""Seconds until an errand that got no answer is given up."""


async def target(
    dialer: Dialer,
    end: End,
    session: Session,
    *,
    user: str,
    database: str,
    ready: Callable[[Login], None],
    refused: Callable[[str], None],
) -> None:
    """Connect `end` to the target, and find out how the session logs in there."""
    try:
        await dialer.connect(end)
        login = await dialer.login(session, user=user, database=database)
    except UpstreamUnreachable as failure:
        refused(str(failure))
    else:
        ready(login)


async def target_again(
    dialer: Dialer,
    end: End,
    session: Session,
    used: Login | None,
    *,
    because: str,
    ready: Callable[[Login], None],
    refused: Callable[[str], None],
) -> None:
    """The stored credential that was `used` may have been rotated: it is tried as it is now, once."""
    try:
        login = await dialer.renewed(session, used) if used is not None else None
        if login is None:
            raise UpstreamUnreachable(because)
        await dialer.connect(end)
    except UpstreamUnreachable as failure:
        refused(str(failure))
    else:
        ready(login)


async def decision(held: Held, *, tell: Callable[[str], None], final: Callable[[Final], None]) -> None:
    """Wait for what people decide."""
    final(await held.settle(tell))


async def errand(done: Errand, dialer: Dialer) -> None:
    """Let its wire talk to the target alone until it hangs up."""
    try:
        async with asyncio.timeout(DEADLINE):
            await dialer.connect(done.end)
            done.start()
            await done.over.wait()
    except (UpstreamUnreachable, TimeoutError) as failure:
        log.warning("an errand upstream failed", extra={"reason": str(failure)})
    finally:
        done.end.close()
