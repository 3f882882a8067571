"""Words -> entries of transcripts, for one who may see them. Everything happens in one thread of its own.

That thread and the sessions share an interpreter: beside them recordings are taken up in short slices, and where
the sessions are busy hardly at all. Who searches has what is new taken up first.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

from gateway.approvals.electorate import loose
from gateway.recorder.fields import SUFFIX
from gateway.recorder.read import days, find
from gateway.recorder.transcript import Render, Transcripts
from gateway.search import tables
from gateway.search.pace import rest

log = logging.getLogger(__name__)

T = TypeVar("T")

TEXT_MOST = 4_000
"""Characters of one entry that are searched."""
WORDS_MOST = 20
DAYS_BACK = 3
"""Day directories in which a recording may still grow: sessions are shorter than that."""
EVERYTHING_EVERY = 3_600.0
"""Seconds between looks at every recording there is, for those that were deleted."""
EVERY = 30.0
"""Seconds between looks at what is new, and between slices while the sessions are busy."""
SLICE = 0.02
"""Seconds that recordings are taken up for at once, beside the sessions."""
PAUSE = 0.1
"""Seconds between two slices."""
BUSY = 0.25
"""Share of its time that the event loop works for, from which on it is busy."""
AT_ONCE = 1.0
"""Seconds that who searches waits at the most for what is new to be taken up."""
PAGE = 100
"""Entries that are taken up between two looks at the time."""
FOLLOWED = 4_096
"""Recordings that grow, in which the place is remembered."""
AROUND = 24
"""Words of a text that are shown around what was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the one who searches may see."""

    person: str
    connections: Collection[str]
    everything: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An entry in which every word stands."""

    session: str
    number: int
    at: float
    kind: str
    text: str
    connection: str
    person: str
    agent: str
    place: str
    """Goes on behind this one: `before` of the next page."""


class Index:
    """Over the recordings below one directory."""

    def __init__(self, path: Path, recordings: Path, render: Callable[[str], Render]) -> None:
        """`render(protocol)` is the renderer of a protocol's answers."""
        self._path = path
        self._recordings = recordings
        self._transcripts = Transcripts(recordings, render, followed=FOLLOWED)
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="search")
        self._database: sqlite3.Connection | None = None
        self._everything_at = float("-inf")
        self._look: Iterator[None] | None = None
        """What `step` has begun."""

    async def follow(self) -> None:
        """For ever: take up what is new, as far as that takes nobody's time."""
        busy = 0.0
        while True:
            done = await self.step()
            busy = await rest(EVERY if done or busy > BUSY else PAUSE)

    async def step(self) -> bool:
        """One slice of a look at the recordings, and at times at all there are; whether that look is at its end."""
        return await self._run(self._step)

    async def refresh(self) -> bool:
        """Take up what was recorded up to now, the newest first; false where there was too much for one turn.

        What goes wrong is logged, and tried again the next time.
        """
        return await self._run(lambda: self._work(self._take_up(), AT_ONCE))

    async def search(self, words: str, seen: Seen, *, before: str = "", limit: int = 20) -> list[Found]:
        """The newest entries with all the words, older than `before`; `seen` bounds whose."""
        wanted = _query(words)
        return await self._run(lambda: self._search(wanted, seen, before, limit)) if wanted else []

    async def close(self) -> None:
        await self._run(self._close)
        self._worker.shutdown()

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._worker, work)

    # In the worker's thread.

    def _step(self) -> bool:
        if self._look is None:
            self._look = self._take_up(everything=time.monotonic() - self._everything_at >= EVERYTHING_EVERY)
        if self._work(self._look, SLICE):
            self._look = None
        return self._look is None

    def _work(self, look: Iterator[None], within: float) -> bool:
        """Go on with it for so many seconds; whether it is at its end."""
        until = time.monotonic() + within
        try:
            for _ in look:
                if time.monotonic() > until:
                    return False
        except sqlite3.DatabaseError as error:
            log.warning("the search index is made anew: %s", error)
            self._close()
            tables.remove(self._path)
            self._everything_at = float("-inf")
        except OSError as error:
            log.warning("recordings could not be searched through: %s", error)
        return True

    def _take_up(self, *, everything: bool = False) -> Iterator[None]:
        """Stops wherever that leaves the index whole, and others may use it meanwhile."""
        known = dict(self._opened().execute("SELECT id, size FROM sessions"))
        there: set[str] = set()
        new: list[tuple[str, float, str, int]] = []
        for day in days(self._recordings) if everything else islice(days(self._recordings), DAYS_BACK):
            for path in day.glob(f"*{SUFFIX}"):
                there.add(path.stem)
                status = path.stat()
                if known.get(path.stem) != status.st_size:
                    new.append((day.name, status.st_mtime, path.stem, status.st_size))
            if everything:
                yield
        if everything:
            self._forget(known.keys() - there)
            self._everything_at = time.monotonic()
        for _, _, session_id, size in sorted(new, reverse=True):
            yield from self._add(session_id, size)

    def _forget(self, gone: Collection[str]) -> None:
        database = self._opened()
        for session_id in gone:
            database.execute("DELETE FROM entries WHERE session = ?", (session_id,))
            database.execute("DELETE FROM sessions WHERE id = ?", (session_id,))
        if gone:
            # FTS5 keeps what was deleted until its segments are merged.
            database.execute("INSERT INTO texts (texts) VALUES ('optimize')")
        database.commit()

    def _add(self, session_id: str, size: int) -> Iterator[None]:
        """Entries up to the end of the recording, which is known by its `size` once they are all in."""
        while True:
            database = self._opened()
            row = database.execute("SELECT next FROM sessions WHERE id = ?", (session_id,)).fetchone()
            after = row[0] if row is not None else 0
            page = self._transcripts.page(session_id, after=after, limit=PAGE)
            if page is None:
                return
            everything = page.next == after
            database.executemany(
                "INSERT INTO entries (session, number, at, kind, text) VALUES (?, ?, ?, ?, ?)",
                (
                    (session_id, each.number, each.at, each.kind, each.text[:TEXT_MOST])
                    for each in page.entries
                ),
            )
            lineage = page.session.lineage
            database.execute(
                "INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    session_id,
                    page.session.connection,
                    lineage.person,
                    loose(lineage.person),
                    lineage.chain[-1].name if lineage.chain else "",
                    page.next,
                    size if everything else 0,
                ),
            )
            database.commit()
            if everything:
                return
            yield

    def _search(self, wanted: str, seen: Seen, before: str, limit: int) -> list[Found]:
        at, _, number = before.partition(":")
        connections = sorted(seen.connections)
        rows = self._opened().execute(
            f"""
            SELECT e.session, e.number, e.at, e.kind, snippet(texts, 0, '', '', '…', {AROUND}),
                   s.connection, s.person, s.agent, e.id
            FROM texts JOIN entries e ON e.id = texts.rowid JOIN sessions s ON s.id = e.session
            WHERE texts MATCH ?
              AND (? OR (s.person_key != '' AND s.person_key = ?)
                   OR s.connection IN ({", ".join("?" * len(connections))}))
              AND (? = '' OR (e.at, e.id) < (?, ?))
            ORDER BY e.at DESC, e.id DESC LIMIT ?
            """,  # noqa: S608 - marks and a number of ours
            (
                wanted,
                seen.everything,
                loose(seen.person),
                *connections,
                before,
                float(at or 0),
                int(number or 0),
                limit,
            ),
        )
        return [
            Found(
                session=session,
                number=entry,
                at=when,
                kind=kind,
                text=text,
                connection=connection,
                person=person,
                agent=agent,
                place=f"{when!r}:{row}",
            )
            for session, entry, when, kind, text, connection, person, agent, row in rows.fetchall()
            # Retention may have deleted what the index has not heard of yet.
            if find(self._recordings, session) is not None
        ]

    def _opened(self) -> sqlite3.Connection:
        if self._database is None:
            self._database = tables.opened(self._path)
        return self._database

    def _close(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None


def _query(words: str) -> str:
    """Every word as a phrase of its own: nothing in it is FTS5's own language."""
    found = words.replace("\0", " ").split()[:WORDS_MOST]
    kept = [word for word in found if any(character.isalnum() for character in word)]
    return " ".join('"' + word.replace('"', '""') + '"' for word in kept)
