"""The route by which people find words in transcripts that they may see."""

from __future__ import annotations

import re
from collections.abc import Callable

from aiohttp import web

from gateway.api.answers import BadRequest, answer, whole_number
from gateway.api.sight import Sight
from gateway.contract import Hit, Hits
from gateway.search import Index, Seen

LONGEST = 300
MOST = 50
_BEFORE = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,12})?:[0-9]{1,18}")


class Searching:
    """The handler."""

    def __init__(
        self, index: Index, *, sight: Callable[[web.Request], Sight], link: Callable[[str], str]
    ) -> None:
        self._index = index
        self._sight = sight
        self._link = link

    async def search(self, request: web.Request) -> web.StreamResponse:
        """`GET /v1/search?q=WORDS&person=&groups=a,b&before=&limit=`"""
        seen = self._sight(request)
        words = request.query.get("q", "")
        before = request.query.get("before", "")
        limit = whole_number(request, "limit", default=10, most=MOST)
        if not words.strip() or len(words) > LONGEST or not limit:
            raise BadRequest(f"q has to be the words to find, {LONGEST} characters at most")
        if before and not _BEFORE.fullmatch(before):
            raise BadRequest("before has to be the `next` of another page")
        await self._index.refresh()
        found = await self._index.search(
            words,
            Seen(person=seen.person, connections=seen.connections, everything=seen.everything),
            before=before,
            limit=limit + 1,
        )
        shown = found[:limit]
        hits = tuple(
            Hit(
                session=each.session,
                number=each.number,
                at=each.at,
                kind=each.kind,
                text=each.text,
                connection=each.connection,
                person=each.person,
                agent=each.agent,
                link=f"{link}#e{each.number}" if (link := self._link(each.session)) else "",
            )
            for each in shown
        )
        return answer(Hits(hits=hits, next=shown[-1].place if len(found) > limit else ""))
