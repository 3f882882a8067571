"""The routes by which people watch and stop: sessions, transcripts, lineages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

from aiohttp import web

from gateway.api.access import CALLER, Caller, may_stop
from gateway.api.answers import BadRequest, answer, body, whole_number
from gateway.api.deciding import REASON_CHARACTERS, vouched
from gateway.api.ports import LineagesPort, SessionsPort
from gateway.api.sight import Sight
from gateway.approvals import Approvals, NotEligible, NotFound
from gateway.contract import RevokeRequest, SessionView, Subtree
from gateway.policy.model import Policy
from gateway.recorder.read import find, recordings, summary
from gateway.recorder.transcript import PAGE, Transcripts
from gateway.store import Store

CLOSED = 200
"""Closed sessions in one list."""


class Watching:
    """Handlers over sessions, their transcripts and the lineages they belong to."""

    def __init__(
        self,
        *,
        policy: Callable[[], Policy],
        approvals: Approvals,
        sessions: SessionsPort,
        lineages: LineagesPort,
        transcripts: Transcripts,
        link: Callable[[str], str],
        store: Store,
        sight: Callable[[web.Request], Sight],
    ) -> None:
        """`sight(request)`: what the person that a request is for may see."""
        self._policy = policy
        self._approvals = approvals
        self._sessions = sessions
        self._lineages = lineages
        self._transcripts = transcripts
        self._link = link
        self._store = store
        self._sight = sight

    async def sessions(self, request: web.Request) -> web.StreamResponse:
        """`GET /v1/sessions?closed=N`: the open ones, and the N newest that are over; with `person=` theirs to see."""
        closed = whole_number(request, "closed", default=0, most=CLOSED)
        views = self._sessions.all()
        if closed:
            live = {view.id for view in views}
            ended = await asyncio.to_thread(_closed, self._transcripts.directory, live, closed)
            views += [self._linked(view) for view in ended]
        if "person" in request.query:
            views = list(filter(self._sight(request).session, views))
        return answer(views)

    async def session(self, request: web.Request) -> web.StreamResponse:
        """`GET /v1/sessions/{id}`; with `person=` where they may see it."""
        session_id = request.match_info["id"]
        view = self._sessions.get(session_id) or await asyncio.to_thread(
            _recorded, self._transcripts.directory, session_id
        )
        if view is None or ("person" in request.query and not self._sight(request).session(view)):
            raise NotFound(f"there is no session {session_id}")
        return answer(self._linked(view))

    async def transcript(self, request: web.Request) -> web.StreamResponse:
        """`GET /v1/sessions/{id}/transcript?after=N&limit=K`: entries with numbers above N."""
        session_id = request.match_info["id"]
        page = await asyncio.to_thread(
            self._transcripts.page,
            session_id,
            after=whole_number(request, "after", default=0, most=2**53),
            limit=whole_number(request, "limit", default=100, most=PAGE),
            live=self._sessions.get(session_id),
        )
        if page is None:
            raise NotFound(f"there is no recording of session {session_id}")
        return answer(replace(page, session=self._linked(page.session)))

    async def kill(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/sessions/{id}/kill`"""
        session_id = request.match_info["id"]
        wish = await _wish(request)
        view = self._sessions.get(session_id)
        if view is None:
            raise NotFound(f"there is no open session {session_id}")
        self._check(request[CALLER], wish, accountable=view.lineage.person)
        self._sessions.kill(session_id, f"This session was ended by {_said(wish)}.")
        return answer({"killed": [session_id]})

    async def lineage(self, request: web.Request) -> web.StreamResponse:
        """`GET /v1/lineages/{token_id}`: what revoking that token would stop."""
        token_id = request.match_info["id"]
        links = self._lineages.links()
        below = self._lineages.subtree(token_id)
        if not below:
            raise NotFound(f"there is no live token {token_id}")
        return answer(
            Subtree(
                token_id=token_id,
                name=links[token_id].name,
                agents=tuple(links[each].name for each in below),
                sessions=tuple(self._sessions.of_tokens(below)),
                held=len(self._approvals.of_tokens(below)),
                revoked=links[token_id].revoked_at is not None,
            )
        )

    async def revoke(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/lineages/{token_id}/revoke`: ends that token, everything below it, and their sessions."""
        token_id = request.match_info["id"]
        wish = await _wish(request)
        link = self._lineages.links().get(token_id)
        if link is None:
            raise NotFound(f"there is no live token {token_id}")
        self._check(request[CALLER], wish, accountable=link.person)
        sessions = self._sessions.of_tokens(self._lineages.subtree(token_id))
        revoked = self._lineages.revoke(token_id, by=wish.person, reason=wish.reason)
        await self._store.commit()
        return answer({"revoked": revoked, "sessions": sessions})

    def _linked(self, view: SessionView) -> SessionView:
        """The session with its link, which those read from a recording do not have."""
        return view if view.link else replace(view, link=self._link(view.id))

    def _check(self, caller: Caller, wish: RevokeRequest, *, accountable: str) -> None:
        """Operators may stop anything; through the bot it is the person that counts."""
        if caller is Caller.OPERATOR:
            return
        if not may_stop(self._policy(), wish.person, vouched(caller, wish.groups), accountable=accountable):
            raise NotEligible(
                f"{wish.person} is neither an operator or approver by policies.yaml, nor who answers for this agent"
            )


async def _wish(request: web.Request) -> RevokeRequest:
    wish = await body(request, RevokeRequest)
    if not wish.person.strip():
        raise BadRequest("person has to say who stops it")
    if len(wish.reason) > REASON_CHARACTERS:
        raise BadRequest(f"a reason has at most {REASON_CHARACTERS} characters")
    return wish


def _said(wish: RevokeRequest) -> str:
    return f"{wish.person}: {wish.reason}" if wish.reason else wish.person


def _closed(directory: Path, live: set[str], most: int) -> list[SessionView]:
    found = (summary(path) for path in recordings(directory) if path.stem not in live)
    return list(islice((view for view in found if view is not None), most))


def _recorded(directory: Path, session_id: str) -> SessionView | None:
    path = find(directory, session_id)
    return summary(path) if path is not None else None
