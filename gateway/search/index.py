"""Words -> entries of transcripts, for one who may see them. Everything happens in one thread of its own."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

from gateway.approvals.electorate import loose
from gateway.recorder.fields import SUFFIX
from gateway.recorder.read import days, find
from gateway.recorder.transcript import PAGE, Render, Transcripts
from gateway.search import tables

log = logging.getLogger(__name__)

T = TypeVar("T")

TEXT_MOST = 4_000
"""Characters of one entry that are searched."""
WORDS_MOST = 20
DAYS_BACK = 3
"""Day directories in which a recording may still grow: sessions are shorter than that."""
EVERYTHING_EVERY = 3_600.0
"""Seconds between looks at every recording there is, for those that were deleted."""
EVERY = 5.0
AT_ONCE = 1.0
"""Seconds that recordings are taken up for before somebody who searches has a turn."""
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
        self._transcripts = Transcripts(recordings, render)
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="search")
        self._database: sqlite3.Connection | None = None
        self._everything_at = float("-inf")

    async def follow(self) -> None:
        """For ever: take up what is new."""
        while True:
            if await self.refresh():
                await asyncio.sleep(EVERY)

    async def refresh(self) -> bool:
        """Take up what was recorded up to now, the newest days first; false where there was too much for one turn.

        What goes wrong is logged, and tried again the next time.
        """
        return await self._run(self._refresh)

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

    def _refresh(self) -> bool:
        try:
            return self._take_up()
        except sqlite3.DatabaseError as error:
            log.warning("the search index is made anew: %s", error)
            self._close()
            tables.remove(self._path)
            self._everything_at = float("-inf")
        except OSError as error:
            log.warning("recordings could not be searched through: %s", error)
        return True

    def _take_up(self) -> bool:
        database = self._opened()
        now = time.monotonic()
        everything = now - self._everything_at >= EVERYTHING_EVERY
        known = dict(database.execute("SELECT id, size FROM sessions"))
        there: set[str] = set()
        for day in days(self._recordings) if everything else islice(days(self._recordings), DAYS_BACK):
            for path in day.glob(f"*{SUFFIX}"):
                there.add(path.stem)
                size = path.stat().st_size
                if known.get(path.stem) != size:
                    self._add(database, path.stem, size)
                    if time.monotonic() - now > AT_ONCE:
                        return False
        if everything:
            gone = known.keys() - there
            for session_id in gone:
                database.execute("DELETE FROM entries WHERE session = ?", (session_id,))
                database.execute("DELETE FROM sessions WHERE id = ?", (session_id,))
            if gone:
                # FTS5 keeps what was deleted until its segments are merged.
                database.execute("INSERT INTO texts (texts) VALUES ('optimize')")
            self._everything_at = now
        database.commit()
        return True

    def _add(self, database: sqlite3.Connection, session_id: str, size: int) -> None:
        row = database.execute("SELECT next FROM sessions WHERE id = ?", (session_id,)).fetchone()
        after = row[0] if row is not None else 0
        while (page := self._transcripts.page(session_id, after=after, limit=PAGE)) is not None:
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
                    size,
                ),
            )
            database.commit()
            if page.next == after:
                return
            after = page.next

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
