"""The sessions that are open now: who they are, what they did so far, and how to end them."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from gateway.changes import Feed
from gateway.contract import ActorView, LineageView, SessionView
from gateway.model import Effect, Facts, Lineage, Session, Verdict
from gateway.recorder import Recording, RecordingFailed

PASSING = frozenset({Effect.READ, Effect.WRITE, Effect.DDL, Effect.DESTRUCTIVE})
"""What a session keeps nothing of once it was done, whatever was done to the target."""


@dataclass(slots=True, kw_only=True, eq=False)
class LiveSession:
    """A session, its recording, and what is counted while it lasts."""

    session: Session
    recording: Recording
    kill: Callable[[str], None]
    """Ends the session, telling the client the given reason."""
    channel: str
    """Where its transcript goes."""
    policy_version: str = ""
    """The policy that `verdicts` were made under."""
    verdicts: dict[int, tuple[Facts, tuple[Verdict, Facts]]] = field(default_factory=dict)
    """Verdicts by identity of the facts they are about; the facts are kept so that the identity stays theirs."""
    elevated: dict[str, str] = field(default_factory=dict)
    """Commands that run under a grant now, and which."""
    lent: dict[str, set[Effect]] = field(default_factory=dict)
    """What was done under each grant so far."""
    lapsed: str = ""
    """Why nothing more runs here: a grant ended, and the session keeps something that it gave."""
    counting: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Commands that run now and take of budgets, and the rules whose."""
    commands: int = 0
    blocked: int = 0
    held: int = 0
    masked: Counter[str] = field(default_factory=Counter)

    def view(
        self, *, link: str, closed_at: float | None = None, reason: str = "", head: str = ""
    ) -> SessionView:
        session = self.session
        return SessionView(
            id=session.id,
            connection=session.connection.name,
            protocol=session.connection.protocol,
            lineage=lineage_view(session.lineage),
            client=session.client,
            opened_at=session.opened_at,
            closed_at=closed_at,
            commands=self.commands,
            blocked=self.blocked,
            held=self.held,
            masked=dict(self.masked),
            entries=self.recording.entries,
            close_reason=reason,
            head=head,
            channel=self.channel,
            link=link,
        )


class Sessions:
    """All open sessions of this gateway."""

    def __init__(self, feed: Feed, *, link: Callable[[str], str], clock: Callable[[], float]) -> None:
        """`link(id)` is where people read that session's transcript."""
        self._feed = feed
        self._link = link
        self._clock = clock
        self._live: dict[str, LiveSession] = {}
        self._by_cancel_key: dict[bytes, tuple[str, Callable[[], None]]] = {}
        self._touched: dict[str, LiveSession] = {}

    def add(self, live: LiveSession) -> None:
        self._live[live.session.id] = live
        self._feed.publish(session=self._view(live))

    def touch(self, live: LiveSession) -> None:
        """Something happened in it; the feed hears of it with the next `publish_touched`."""
        self._touched[live.session.id] = live

    def publish_touched(self) -> None:
        """Called once a second, so that a busy session costs the feed one change a second.

        What was answered since is handed to the system first: readers of a live transcript find it there.
        """
        touched, self._touched = self._touched, {}
        for live in touched.values():
            try:
                live.recording.flush()
            except RecordingFailed:
                live.kill("This session can no longer be recorded.")
            else:
                self._feed.publish(session=self._view(live))

    def remove(self, live: LiveSession, *, reason: str, head: str) -> None:
        self._live.pop(live.session.id, None)
        self._touched.pop(live.session.id, None)
        self._by_cancel_key = {
            key: value for key, value in self._by_cancel_key.items() if value[0] != live.session.id
        }
        link = self._link(live.session.id)
        self._feed.publish(session=live.view(link=link, closed_at=self._clock(), reason=reason, head=head))

    def all(self) -> list[SessionView]:
        return [self._view(live) for live in self._live.values()]

    def get(self, session_id: str) -> SessionView | None:
        live = self._live.get(session_id)
        return self._view(live) if live is not None else None

    def of_tokens(self, token_ids: Collection[str]) -> list[str]:
        """Ids of the open sessions in whose lineage any of these tokens stands."""
        wanted = set(token_ids)
        return [
            session_id
            for session_id, live in self._live.items()
            if not wanted.isdisjoint(live.session.lineage.token_ids)
        ]

    def kill(self, session_id: str, reason: str) -> bool:
        """End one session; false where it is not open."""
        live = self._live.get(session_id)
        if live is None:
            return False
        live.kill(reason)
        return True

    def kill_tokens(self, token_ids: Collection[str], reason: str) -> list[str]:
        """End every session in whose lineage any of these tokens stands; returns their ids."""
        ended = self.of_tokens(token_ids)
        for session_id in ended:
            self.kill(session_id, reason)
        return ended

    def end_elevated(self, grant_id: str, reason: str, *, everybody: bool) -> None:
        """A grant ended: no session keeps what it gave.

        Ended is every session in which a command runs under it now, and every one that may keep what was done under it:
        a role, a setting, a cursor, a process. With `everybody` it is every session that ever used it.
        """
        for live in self._live.values():
            lent = live.lent.pop(grant_id, None)
            if lent is None:
                continue
            if everybody or lent - PASSING or grant_id in live.elevated.values():
                live.lapsed = reason
                # Nothing is ended from within itself: it may be this session's own last command that used it up.
                asyncio.get_running_loop().call_soon(live.kill, reason)

    def keyed(self, live: LiveSession, key: bytes, cancel: Callable[[], None]) -> None:
        """From now on `key` cancels what runs in that session. Only its hash is kept and compared."""
        self._by_cancel_key[hashlib.sha256(key).digest()] = (live.session.id, cancel)

    def cancel(self, key: bytes) -> None:
        """Cancel what runs in the session that `key` belongs to; a key of nobody is ignored."""
        found = self._by_cancel_key.get(hashlib.sha256(key).digest())
        if found is not None:
            found[1]()

    def _view(self, live: LiveSession) -> SessionView:
        return live.view(link=self._link(live.session.id))


def lineage_view(lineage: Lineage) -> LineageView:
    return LineageView(
        person=lineage.person,
        chain=tuple(
            ActorView(name=actor.name, token_id=actor.token_id, origin=actor.origin, task=actor.task)
            for actor in lineage.chain
        ),
        groups=tuple(sorted(lineage.groups)),
    )
