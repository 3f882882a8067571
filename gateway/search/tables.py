"""The index as SQLite keeps it: a row for each session, one for each entry of its transcript, and FTS5 over their texts.

Nothing but the masked transcript is in it. What is not readable, or of another version, is thrown away and made anew.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

VERSION = 1
_SCHEMA = """
CREATE TABLE sessions (
    id TEXT PRIMARY KEY, connection TEXT NOT NULL, person TEXT NOT NULL, person_key TEXT NOT NULL,
    agent TEXT NOT NULL, next INTEGER NOT NULL, size INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE entries (
    id INTEGER PRIMARY KEY, session TEXT NOT NULL, number INTEGER NOT NULL, at REAL NOT NULL, kind TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX of_session ON entries (session);
CREATE VIRTUAL TABLE texts USING fts5 (text, content='entries', content_rowid='id', tokenize='unicode61');
CREATE TRIGGER added AFTER INSERT ON entries BEGIN
    INSERT INTO texts (rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER removed AFTER DELETE ON entries BEGIN
    INSERT INTO texts (texts, rowid, text) VALUES ('delete', old.id, old.text);
END;
"""


def opened(path: Path) -> sqlite3.Connection:
    """The index at `path`, readable by the gateway's user alone; an empty one where there is none of this version."""
    try:
        database = _connected(path)
        if database.execute("PRAGMA user_version").fetchone()[0] == VERSION:
            database.execute("SELECT count(*) FROM sessions").fetchone()
            return database
        database.close()
    except sqlite3.DatabaseError:
        pass
    remove(path)
    database = _connected(path)
    database.executescript(_SCHEMA)
    database.execute(f"PRAGMA user_version = {VERSION}")
    database.commit()
    return database


def remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).unlink()


def _connected(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode = WAL")
    # It can be made anew: no write is worth waiting for the disk.
    database.execute("PRAGMA synchronous = OFF")
    database.execute("PRAGMA secure_delete = ON")
    return database
