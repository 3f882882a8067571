"""`GET /replay/{id}?until=UNIX&sig=HEX`: the masked transcript of one session as a page, for whoever has its link.

The link alone is asked for (`gateway.api.links`). One that is forged, over, or for a session that is not there gets
the same answer, so that asking tells nothing. Pages are read and drawn one at a time in a worker thread: a recording
may be long, and its readers must not slow the sessions that are open.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.api import replay_page
from gateway.api.links import Links
from gateway.api.replay_style import SOURCE
from gateway.contract import SessionView, Transcript, decode, encode
from gateway.recorder.fields import ending
from gateway.recorder.read import Standing, Verified, find, verify
from gateway.recorder.transcript import Transcripts

log = logging.getLogger(__name__)

PAGE = 200
"""Entries of one page."""
CHECKED_UNSEALED = 64 * 1024 * 1024
"""Bytes of the longest recording that is checked on every view; a sealed one is checked once, however long."""
REMEMBERED = 256
"""Sealed recordings whose check is remembered."""

HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src {SOURCE}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}


class Replay:
    """The page's handler."""

    def __init__(
        self,
        links: Links,
        transcripts: Transcripts,
        *,
        live: Callable[[str], SessionView | None],
        keys: Callable[[], Mapping[str, Ed25519PublicKey]],
    ) -> None:
        """`live(id)` is a session that is open now; `keys()` are all that ever sealed here, by id.

        `transcripts` are the page's own: they remember where their reader stands.
        """
        self._links = links
        self._transcripts = transcripts
        self._live = live
        self._keys = keys
        self._sealed: OrderedDict[Path, tuple[tuple[int, ...], Verified]] = OrderedDict()
        self._reading = asyncio.Lock()

    async def show(self, request: web.Request) -> web.StreamResponse:
        """The page, or 404 with the one page that says that there is nothing."""
        session_id = request.match_info["id"]
        until, signature = _once(request, "until"), _once(request, "sig")
        after = _once(request, "after", default="0")
        numbered = after.isascii() and after.isdigit() and len(after) <= 15
        drawn = None
        if self._links.holds(session_id, until=until, signature=signature) and numbered:
            query = f"?until={until}&sig={signature}"
            async with self._reading:
                live = self._live(session_id)
                drawn = await asyncio.to_thread(self._drawn, session_id, int(after), live, query)
        return web.Response(
            text=drawn if drawn is not None else replay_page.NOTHING,
            status=200 if drawn is not None else 404,
            content_type="text/html",
            charset="utf-8",
            headers=HEADERS,
        )

    def _drawn(self, session_id: str, after: int, live: SessionView | None, query: str) -> str | None:
        """Blocks on the disk. None where there is no such recording, or no longer."""
        path = find(self._transcripts.directory, session_id)
        if path is None:
            return None
        try:
            verified = self._verified(path)
            transcript = self._transcript(session_id, after, live)
        except FileNotFoundError:
            return None
        if transcript is None:
            return replay_page.unreadable(session_id, verified)
        return replay_page.page(
            transcript, verified, live=live is not None, after=after, size=PAGE, query=query
        )

    def _transcript(self, session_id: str, after: int, live: SessionView | None) -> Transcript | None:
        """A page of the transcript; None where somebody changed the file into what no gateway writes."""
        try:
            read = self._transcripts.page(session_id, after=after, limit=PAGE, live=live)
            return decode(encode(read), Transcript)
        except (KeyError, TypeError, ValueError, AttributeError, msgspec.MsgspecError) as error:
            log.warning(
                "a recording cannot be shown: %s", type(error).__name__, extra={"session": session_id}
            )
            return None

    def _verified(self, path: Path) -> Verified | None:
        """What `verify` says of a recording; None where that would take too long on every view."""
        status = path.stat()
        # Nobody but the system sets a change time, so a file that was touched is another one.
        version = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        known = self._sealed.get(path)
        if known is not None and known[0] == version:
            return known[1]
        if status.st_size > CHECKED_UNSEALED and ending(path).seal is None:
            return None
        found = verify(path, self._keys())
        if found.standing is Standing.WHOLE:
            self._sealed[path] = (version, found)
            while len(self._sealed) > REMEMBERED:
                self._sealed.popitem(last=False)
        return found


def routes(replay: Replay) -> list[web.RouteDef]:
    """For `gateway.api.app.build`; HEAD comes with GET."""
    return [web.get("/replay/{id}", replay.show)]


def _once(request: web.Request, name: str, *, default: str = "") -> str:
    """A parameter of the query that is there at most once; "" for one that is doubled."""
    values = request.query.getall(name, [default])
    return values[0] if len(values) == 1 else ""
