"""What everything stands on: the policy in force, the state directory, the way to operators' ears, and targets' secrets."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from gateway.api.access import operator_credential
from gateway.changes import Feed
from gateway.chores import Tasks
from gateway.contract import Announcement
from gateway.identity.keys import KeyRing
from gateway.identity.members import Members
from gateway.journal import Journal
from gateway.policy.live import LivePolicy
from gateway.policy.model import Policy
from gateway.recorder import Recorder
from gateway.store import Store
from gateway.store.embedded import EmbeddedStore
from gateway.upstream.reaching import Reaching
from gateway.vocabulary import known

log = logging.getLogger("countersign.serve")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    clock: Callable[[], float]
    state: Path
    live_policy: LivePolicy
    policy: Callable[[], Policy]
    """That of the moment, with what `members` know."""
    announce: Callable[[str, str], None]
    """Tell operators, at `warning` or `error`, in the log and where approvals are posted."""
    store: Store
    members: Members
    journal: Journal
    feed: Feed
    reaching: Reaching
    keys: KeyRing
    recorder: Recorder
    tasks: Tasks
    scheduler: AsyncIOScheduler
    bot_credential: str = field(repr=False)
    operator_credential: str = field(repr=False)


async def lay_ground(
    parts: AsyncExitStack, policy_file: Path, state: Path, *, clock: Callable[[], float]
) -> Ground:
    """Raises `PolicyFileError`, `StoreFailed`, `JournalFailed`, `SecretMissing`, `KeysUnsafe` and `OSError`."""

    def announce(level: str, text: str) -> None:
        log.log(logging.ERROR if level == "error" else logging.WARNING, text)
        feed.publish(
            announcement=Announcement(
                id=secrets.token_hex(4),
                at=clock(),
                level=level,
                text=text,
                channel=live_policy.current.slack.approvals,
            )
        )

    live_policy = LivePolicy(
        policy_file,
        vocabulary=known(),
        on_error=lambda message: announce(
            "error",
            f"The policy file was changed but does not hold; the old one stays in force. {message}",
        ),
    )
    operators = operator_credential(state)
    store = EmbeddedStore.open(state)
    parts.push_async_callback(store.close)
    members = Members(store, clock=clock)

    def policy() -> Policy:
        return members.applied(live_policy.current)

    journal = Journal(state / "journal", clock=clock)
    parts.push_async_callback(journal.close)
    feed = Feed(store)
    await feed.start()
    reaching = Reaching(store, policy, announce=announce, clock=clock)
    parts.push_async_callback(reaching.close)
    bot = await reaching.secrets.get(policy().bot_credential)
    await reaching.secrets.renew()
    keys = KeyRing.open(state / "keys", clock=clock)
    recorder = Recorder(
        state / "recordings",
        clock=clock,
        sign=keys.sign_bytes,
        key_id=lambda: keys.key_id,
        answer_limit=policy().limits.answer_recorded,
    )
    for session_id in recorder.recover("the gateway ended while this session was open"):
        log.warning("sealed a recording that was left open", extra={"session": session_id})
    tasks = Tasks()
    parts.push_async_callback(tasks.cancel)
    scheduler = AsyncIOScheduler(timezone="UTC")
    scheduler.start()
    parts.callback(scheduler.shutdown, wait=False)
    return Ground(
        clock=clock,
        state=state,
        live_policy=live_policy,
        policy=policy,
        announce=announce,
        store=store,
        members=members,
        journal=journal,
        feed=feed,
        reaching=reaching,
        keys=keys,
        recorder=recorder,
        tasks=tasks,
        scheduler=scheduler,
        bot_credential=bot,
        operator_credential=operators,
    )
