"""Finding recordings, listing them, and checking that one still holds."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.contract import SessionView
from gateway.identity.keys import signed_by
from gateway.recorder.chain import ChainBroken, Record, TornTail, records
from gateway.recorder.fields import SUFFIX, ending, sealed_text, session_view

SESSION_ID = 64
"""Characters of the longest session id."""


class Standing(StrEnum):
    """What `verify` found."""

    WHOLE = "whole"
    """Every record holds, and the gateway's seal over them."""
    OPEN = "open"
    """Every record holds so far; the gateway is writing to it now."""
    CUT = "cut"
    """Every record holds, but the end is missing."""
    BROKEN = "broken"
    """A record does not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    path: Path
    standing: Standing
    held: int
    """Records that hold, counted from the first."""
    number: int | None = None
    """The first record that does not hold."""
    fault: str = ""
    session: SessionView | None = None
    key_id: str = ""
    head: str = ""
    """Hash of the last record that holds."""

    @property
    def good(self) -> bool:
        return self.standing in {Standing.WHOLE, Standing.OPEN}

    def __str__(self) -> str:
        match self.standing:
            case Standing.WHOLE:
                return f"{self.path}: {self.held} records hold, sealed by key {self.key_id}"
            case Standing.OPEN:
                return f"{self.path}: open: {self.held} records hold so far"
            case Standing.CUT:
                return f"{self.path}: open or cut: {self.held} records hold, {self.fault}"
            case Standing.BROKEN:
                return f"{self.path}: record {self.number} does not hold: {self.fault}"


def verify(path: Path, keys: Mapping[str, Ed25519PublicKey]) -> Verified:
    """Check every record of a recording and its seal against `keys` (by id). Raises `OSError`."""
    with path.open("rb") as file:
        live = being_written(file)
        return _Check(path, keys).run(file, live=live)


class _Check:
    """One pass over one file."""

    def __init__(self, path: Path, keys: Mapping[str, Ed25519PublicKey]) -> None:
        self._path = path
        self._keys = keys
        self._last: Record | None = None
        self._session: SessionView | None = None
        self._key_id = ""

    def run(self, file: IO[bytes], *, live: bool) -> Verified:
        try:
            for record in records(file):
                fault = self._fault(record)
                if fault:
                    return self._verified(Standing.BROKEN, number=record.number, fault=fault)
                self._last = record
        except ChainBroken as broken:
            return self._verified(Standing.BROKEN, number=broken.number, fault=broken.fault)
        except TornTail as torn:
            if live:
                return self._verified(Standing.OPEN)
            return self._verified(Standing.CUT, number=torn.number, fault=f"{torn}")
        if self._last is not None and self._last.kind == "sealed":
            return self._verified(Standing.WHOLE)
        if live and self._last is not None:
            return self._verified(Standing.OPEN)
        return self._verified(Standing.CUT, number=self._count, fault="its closing record is missing")

    @property
    def _count(self) -> int:
        return self._last.number + 1 if self._last is not None else 0

    def _fault(self, record: Record) -> str:
        """Why a record that is well chained still does not hold, or ""."""
        last = self._last
        if last is None:
            return self._opening_fault(record)
        if last.kind == "sealed":
            return "it stands behind the seal"
        if record.kind == "opened":
            return "a second opening record"
        if last.kind == "closed" and record.kind != "sealed":
            return "it stands behind the closing record"
        if record.kind == "sealed":
            return self._seal_fault(record, last)
        return ""

    def _opening_fault(self, record: Record) -> str:
        try:
            self._session = session_view(record.fields["session"])
        except (KeyError, TypeError):
            return "it is not an opening record"
        if self._session.id != self._path.stem:
            return f"it opens session {self._session.id}, and the file is named for another"
        return ""

    def _seal_fault(self, record: Record, last: Record) -> str:
        if last.kind != "closed" or self._session is None:
            return "a seal without a closing record"
        key_id, signature = record.fields.get("key"), record.fields.get("signature")
        if not isinstance(key_id, str) or not isinstance(signature, str):
            return "a seal without a signature"
        key = self._keys.get(key_id)
        if key is None:
            return f"sealed by key {key_id}, which is not among the gateway's keys given here"
        try:
            made = bytes.fromhex(signature)
        except ValueError:
            return "a seal without a signature"
        if not signed_by(key, sealed_text(self._session.id, last.hash, record.at), made):
            return f"the seal is not one that key {key_id} made over these records"
        # The seal's own bytes are under no later hash: they have to be the very ones that are written.
        own = {"n": record.number, "at": record.at, "kind": "sealed", "prev": last.hash, "size": 0}
        line = orjson.dumps({**own, "key": key_id, "signature": made.hex()}, option=orjson.OPT_APPEND_NEWLINE)
        if hashlib.sha256(line).hexdigest() != record.hash:
            return "the seal is not written as the gateway writes it"
        self._key_id = key_id
        return ""

    def _verified(self, standing: Standing, *, number: int | None = None, fault: str = "") -> Verified:
        return Verified(
            path=self._path,
            standing=standing,
            held=self._count,
            number=number,
            fault=fault,
            session=self._session,
            key_id=self._key_id,
            head=self._last.hash if self._last is not None else "",
        )


def being_written(file: IO[bytes]) -> bool:
    """Whether a gateway holds the recording open."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(file, fcntl.LOCK_UN)
    return False


def find(directory: Path, session_id: str) -> Path | None:
    """The recording of a session, whichever day it is from."""
    if not 0 < len(session_id) <= SESSION_ID or not session_id.replace("-", "").replace("_", "").isalnum():
        return None
    for day in days(directory):
        path = day / f"{session_id}{SUFFIX}"
        if path.is_file():
            return path
    return None


def days(directory: Path) -> list[Path]:
    """The day directories, newest first."""
    found = (each for each in directory.glob("[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]") if each.is_dir())
    return sorted(found, reverse=True)


def recordings(directory: Path) -> Iterator[Path]:
    """Every recording, newest day first, and newest first within a day."""
    for day in days(directory):
        yield from sorted(day.glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime, reverse=True)


def summary(path: Path) -> SessionView | None:
    """A session as its first and last records tell it, unchecked; None where the first is not readable."""
    try:
        with path.open("rb") as file:
            opened = orjson.loads(file.readline(1024 * 1024))["session"]
        end = ending(path)
        return session_view(opened, end.closed, head=end.head)
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError):
        return None
