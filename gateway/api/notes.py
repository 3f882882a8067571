"""Notes: what the bot keeps in the gateway, so that it needs no state of its own. Compare-and-set by version.

A note that nobody has written to for thirty days is forgotten, as is the one longest untouched when there are too
many: approvals and sessions that a note is about are over long before.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from aiohttp import web

from gateway.api.answers import BadRequest, Conflict, answer, body
from gateway.approvals import NotFound
from gateway.contract import Note, encode
from gateway.store import Store

TABLE = "notes"
NOTE_BYTES = 16 * 1024
NOTES = 5_000
KEPT_FOR = 30 * 86_400.0
"""Seconds since it was last written."""

_KEY = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_VERSION = re.compile(r'(?:W/)?"?([0-9]{1,15})"?')


class Notes:
    """The notes in the store."""

    def __init__(self, store: Store, *, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    def about(self) -> frozenset[str]:
        """The ids that notes are kept on: what stands behind the last colon of their keys."""
        return frozenset(key.rpartition(":")[2] for key in self._store.all(TABLE))

    async def show(self, request: web.Request) -> web.StreamResponse:
        """`GET /v1/notes/{key}`"""
        note = self._note(_key(request))
        if note is None:
            raise NotFound("there is no such note")
        return _answer(note)

    async def write(self, request: web.Request) -> web.StreamResponse:
        """`PUT /v1/notes/{key}` with `If-Match: VERSION`; 0 creates."""
        key = _key(request)
        matched = _VERSION.fullmatch(request.headers.get("If-Match", ""))
        if matched is None:
            raise BadRequest("a note is written with If-Match: VERSION, 0 to create it")
        written = await body(request, Note)
        if len(encode(written.data)) > NOTE_BYTES:
            raise BadRequest(f"a note holds at most {NOTE_BYTES} bytes")
        self._expect(key, int(matched[1]))
        note = Note(version=int(matched[1]) + 1, data=written.data)
        self._make_room(key)
        self._store.put(TABLE, key, {"version": note.version, "data": note.data, "at": self._clock()})
        await self._store.commit()
        return _answer(note)

    async def remove(self, request: web.Request) -> web.StreamResponse:
        """`DELETE /v1/notes/{key}` with `If-Match: VERSION`."""
        key = _key(request)
        matched = _VERSION.fullmatch(request.headers.get("If-Match", ""))
        if matched is None:
            raise BadRequest("a note is removed with If-Match: VERSION")
        self._expect(key, int(matched[1]))
        self._store.delete(TABLE, key)
        await self._store.commit()
        return web.Response(status=204)

    def _note(self, key: str) -> Note | None:
        document = self._store.get(TABLE, key)
        return Note(version=document["version"], data=document["data"]) if document is not None else None

    def _expect(self, key: str, version: int) -> None:
        note = self._note(key)
        found = note.version if note is not None else 0
        if found != version:
            raise Conflict(f"the note is at version {found}, not {version}: read it again")

    def _make_room(self, key: str) -> None:
        notes = self._store.all(TABLE)
        oldest = min(notes, key=lambda each: float(notes[each]["at"]), default=None)
        too_many = key not in notes and len(notes) >= NOTES
        if oldest is not None and (too_many or notes[oldest]["at"] < self._clock() - KEPT_FOR):
            self._store.delete(TABLE, oldest)


def _key(request: web.Request) -> str:
    key = request.match_info["key"]
    if _KEY.fullmatch(key) is None:
        raise BadRequest("a note's key is made of letters, digits and . _ : -, at most 128")
    return key


def _answer(note: Note) -> web.Response:
    return answer(note, headers={"ETag": f'"{note.version}"'})
