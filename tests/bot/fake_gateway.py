"""A gateway that speaks the contract over real HTTP, and in which a test says what is held.

It keeps to the rules the bot relies on: numbers that go up, notes by compare-and-set, votes on a version, the proof
of having opened the text. `stall` makes a call wait, `fail` makes it answer 500: the faults a bot has to live with.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web

from gateway.contract import (
    AccessView,
    Announcement,
    Approval,
    Change,
    Changes,
    Choice,
    Directory,
    ElevationRequest,
    Entry,
    GrantView,
    Hit,
    Hits,
    Home,
    LineageNode,
    LinkOffer,
    LinkRequest,
    LinkView,
    Note,
    OfferView,
    Refusal,
    RevokeRequest,
    SessionView,
    State,
    Subtree,
    Transcript,
    Twins,
    Vote,
    VoteRequest,
    Whoami,
    WholeText,
    decode,
    encode,
)

CREDENTIAL = "a credential of the bot's own"


@dataclass(slots=True)
class _Stall:
    call: re.Pattern[str]
    skip: int
    arrived: asyncio.Event


class FakeGateway:
    """State in memory; outlives any number of bots."""

    def __init__(self) -> None:
        self.url = ""
        self.feed: list[Change] = []
        self.approvals: dict[str, Approval] = {}
        self.texts: dict[str, WholeText] = {}
        self.sessions: dict[str, SessionView] = {}
        self.entries: dict[str, list[Entry]] = {}
        self.nodes: list[LineageNode] = []
        self.hits: list[Hit] = []
        self.searched: list[dict[str, str]] = []
        self.twins: dict[str, Twins] = {}
        self.subtrees: dict[str, Subtree] = {}
        self.notes: dict[str, Note] = {}
        self.directory = Directory()
        self.votes: list[tuple[str, VoteRequest]] = []
        self.killed: list[tuple[str, RevokeRequest]] = []
        self.revoked: list[tuple[str, RevokeRequest]] = []
        self.wishes: list[ElevationRequest] = []
        self.grants: dict[str, GrantView] = {}
        self.refuses: Refusal | None = None
        """What it says to every wish."""
        self.listens = asyncio.Event()
        """Unset, it takes its time for wishes."""
        self.listens.set()
        self.ended: list[tuple[str, RevokeRequest]] = []
        self.offers: dict[str, tuple[OfferView, ...]] = {}
        """Person -> what they may ask for."""
        self.refuse_votes: Refusal | None = None
        self.links: dict[str, LinkView] = {}
        self.wanted: list[LinkRequest] = []
        self.calls: list[str] = []
        self._changed = asyncio.Condition()
        self._stalls: list[_Stall] = []
        self._fails: list[re.Pattern[str]] = []
        self._go_on = asyncio.Event()

    # what a test does

    async def publish(self, subject: Approval | SessionView | Announcement | GrantView) -> None:
        """Make something known to whoever follows."""
        seq = len(self.feed) + 1
        match subject:
            case Approval():
                self.approvals[subject.id] = subject
                change = Change(seq=seq, approval=subject)
            case SessionView():
                self.sessions[subject.id] = subject
                change = Change(seq=seq, session=subject)
            case Announcement():
                change = Change(seq=seq, announcement=subject)
            case GrantView():
                self.grants[subject.id] = subject
                change = Change(seq=seq, grant=subject)
        async with self._changed:
            self.feed.append(change)
            self._changed.notify_all()

    async def log(self, session_id: str, *entries: Entry, **changes: Any) -> None:
        """Let entries be added to a session's transcript, and the session change."""
        self.entries.setdefault(session_id, []).extend(entries)
        session = replace(self.sessions[session_id], entries=len(self.entries[session_id]), **changes)
        await self.publish(session)

    def stall(self, call: str, *, skip: int = 0) -> asyncio.Event:
        """Calls that match wait until `release`, all but the first `skip`; the event is set when one has arrived."""
        arrived = asyncio.Event()
        self._stalls.append(_Stall(re.compile(call), skip, arrived))
        return arrived

    def fail(self, call: str) -> None:
        """The next call that matches answers 500, and nothing is done."""
        self._fails.append(re.compile(call))

    def release(self) -> None:
        """Nothing stalls any more."""
        self._stalls.clear()
        self._go_on.set()
        self._go_on = asyncio.Event()

    # the API

    @web.middleware
    async def guard(self, request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {CREDENTIAL}":
            return _refuse("unauthorized", "The credential is not known.", 401)
        call = f"{request.method} {request.path}"
        self.calls.append(call)
        for pattern in self._fails:
            if pattern.search(call):
                self._fails.remove(pattern)
                return web.Response(status=500)
        for stall in list(self._stalls):
            if stall.call.search(call):
                stall.skip -= 1
                if stall.skip < 0:
                    go_on = self._go_on
                    stall.arrived.set()
                    await go_on.wait()
        try:
            return await handler(request)
        except KeyError as missing:
            return _refuse("not_found", f"There is no {missing}.", 404)

    async def changes(self, request: web.Request) -> web.Response:
        after, wait = int(request.query["after"]), float(request.query["wait"])
        try:
            async with asyncio.timeout(wait), self._changed:
                await self._changed.wait_for(lambda: len(self.feed) > after)
        except TimeoutError:
            pass
        return _json(Changes(next=max(after, len(self.feed)), changes=tuple(self.feed[after:])))

    async def approval(self, request: web.Request) -> web.Response:
        return _json(self.approvals[request.match_info["id"]])

    async def pending(self, request: web.Request) -> web.Response:
        if family := request.query.get("family"):
            return _json([one for one in self.approvals.values() if one.family == family])
        assert request.query["state"] == "pending"
        return _json([one for one in self.approvals.values() if one.state is State.PENDING])

    async def vote(self, request: web.Request) -> web.Response:
        approval = self.approvals[request.match_info["id"]]
        vote = decode(await request.read(), VoteRequest)
        self.votes.append((approval.id, vote))
        if self.refuse_votes is not None:
            return _json(self.refuse_votes, status=409)
        if approval.state is not State.PENDING:
            return _refuse("already_settled", f"{approval.settled_by} settled it.", 410)
        if vote.seen_version < approval.votable_from:
            return _refuse("stale", "The card changed.", 409)
        if vote.person == approval.lineage.person:
            return _refuse("not_eligible", "Nobody of the lineage votes.", 403)
        if (
            vote.choice is Choice.APPROVE
            and approval.review_required
            and vote.opened != f"proof-{vote.person}"
        ):
            return _refuse("review_first", "Open it first.", 409)
        cast = Vote(
            person=vote.person, choice=vote.choice, at=1_700_000_100, groups=vote.groups, reason=vote.reason
        )
        votes = (*approval.votes, cast)
        needed = sum(ask.quorum for ask in approval.asks)
        settled = vote.choice is not Choice.APPROVE or len(votes) >= needed
        state = approval.state
        if settled:
            state = State.SPENT if vote.choice is Choice.APPROVE else State.DENIED
        changed = replace(
            approval,
            version=approval.version + 1,
            votes=votes,
            state=state,
            settled_by=vote.person if settled else "",
            settled_at=1_700_000_100 if settled else None,
            reason=vote.reason,
        )
        await self.publish(changed)
        return _json(changed)

    async def text(self, request: web.Request) -> web.Response:
        approval = self.approvals[request.match_info["id"]]
        person = request.query["person"]
        if person == approval.lineage.person:
            return _refuse("not_eligible", "Nobody of the lineage votes.", 403)
        whole = self.texts.get(approval.id) or WholeText(
            text=approval.command.text,
            parameters=approval.command.parameters,
            digest=approval.command.digest,
            words=approval.command.words,
            opened="",
        )
        return _json(replace(whole, opened=f"proof-{person}"))

    async def show_twins(self, request: web.Request) -> web.Response:
        return _json(self.twins[request.match_info["id"]])

    async def list_sessions(self, _: web.Request) -> web.Response:
        return _json([one for one in self.sessions.values() if one.closed_at is None])

    async def home(self, request: web.Request) -> web.Response:
        person = request.query["person"]
        pending = [one for one in self.approvals.values() if one.state is State.PENDING]
        return _json(
            Home(
                whoami=self.who(person),
                votes=tuple(
                    one
                    for one in pending
                    if one.lineage.person != person and all(vote.person != person for vote in one.votes)
                ),
                requests=tuple(one for one in pending if one.lineage.person == person),
                grants=tuple(self.grants.values()),
                sessions=tuple(one for one in self.sessions.values() if one.closed_at is None),
                lineages=tuple(self.nodes),
            )
        )

    def who(self, person: str) -> Whoami:
        return Whoami(person=person, groups=("dba",), connections=("orders",))

    async def whoami(self, request: web.Request) -> web.Response:
        return _json(self.who(request.query["person"]))

    async def lineages(self, _: web.Request) -> web.Response:
        return _json(self.nodes)

    async def search(self, request: web.Request) -> web.Response:
        self.searched.append(dict(request.query))
        first = int(request.query["before"] or 0)
        page = self.hits[first : first + int(request.query["limit"])]
        more = first + len(page)
        return _json(Hits(hits=tuple(page), next=str(more) if more < len(self.hits) else ""))

    async def session(self, request: web.Request) -> web.Response:
        return _json(self.sessions[request.match_info["id"]])

    async def transcript(self, request: web.Request) -> web.Response:
        session = self.sessions[request.match_info["id"]]
        after, limit = int(request.query["after"]), int(request.query["limit"])
        page = tuple(one for one in self.entries.get(session.id, []) if one.number > after)[:limit]
        return _json(Transcript(session=session, entries=page, next=page[-1].number if page else after))

    async def kill(self, request: web.Request) -> web.Response:
        session = self.sessions[request.match_info["id"]]
        self.killed.append((session.id, decode(await request.read(), RevokeRequest)))
        return web.json_response({"killed": True})

    async def subtree(self, request: web.Request) -> web.Response:
        return _json(self.subtrees[request.match_info["id"]])

    async def revoke(self, request: web.Request) -> web.Response:
        self.revoked.append((request.match_info["id"], decode(await request.read(), RevokeRequest)))
        return _json(self.subtrees[request.match_info["id"]])

    async def elevate(self, request: web.Request) -> web.Response:
        await self.listens.wait()
        if self.refuses is not None:
            return web.Response(body=encode(self.refuses), status=422, content_type="application/json")
        self.wishes.append(decode(await request.read(), ElevationRequest))
        return _json(self.approvals["apr-elevation"])

    async def list_offers(self, request: web.Request) -> web.Response:
        return web.Response(
            body=encode(self.offers.get(request.query["person"], ())), content_type="application/json"
        )

    async def access(self, request: web.Request) -> web.Response:
        grant = self.grants[request.match_info["id"]]
        if decode(await request.read(), RevokeRequest).person != grant.person:
            return _refuse("not_eligible", "It is somebody else's.", 403)
        return _json(
            AccessView(
                grant=grant,
                code="once",
                link="https://gateway.example.com/access/once",
                expires_at=grant.ends_at,
                address="127.0.0.1:15432",
                line="psql 'host=127.0.0.1 port=15432 user=USER'",
            )
        )

    async def list_grants(self, request: web.Request) -> web.Response:
        person = request.query["person"]
        seen = [one for one in self.grants.values() if person in {one.person, one.asked_by}]
        return web.Response(body=encode(seen), content_type="application/json")

    async def end_grant(self, request: web.Request) -> web.Response:
        grant = self.grants.pop(request.match_info["id"], None)
        if grant is None:
            return _refuse("not_found", "No such grant holds.", 404)
        self.ended.append((grant.id, decode(await request.read(), RevokeRequest)))
        return _json(grant)

    async def show_directory(self, _: web.Request) -> web.Response:
        return _json(self.directory)

    async def note(self, request: web.Request) -> web.Response:
        return _json(self.notes[request.match_info["key"]])

    async def put_note(self, request: web.Request) -> web.Response:
        key, expected = request.match_info["key"], int(request.headers["If-Match"])
        have = self.notes[key].version if key in self.notes else 0
        if have != expected:
            return _refuse("conflict", f"The note is at version {have}.", 412)
        note = Note(version=have + 1, data=json.loads(await request.read())["data"])
        self.notes[key] = note
        return _json(note)

    async def link(self, request: web.Request) -> web.Response:
        self.wanted.append(decode(await request.read(), LinkRequest))
        if not self.directory.login:
            return _refuse("not_eligible", "Nobody can log in here.", 403)
        return _json(LinkOffer(url=f"https://gate.example.com/login/{len(self.wanted)}"))

    async def linked(self, request: web.Request) -> web.Response:
        link = self.links.get(request.match_info["id"])
        return _json(link) if link is not None else _refuse("not_found", "Not linked.", 404)

    async def unlink(self, request: web.Request) -> web.Response:
        return _json(self.links.pop(request.match_info["id"]))

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v1/links", self.link),
            web.get("/v1/links/{id}", self.linked),
            web.post("/v1/links/{id}/end", self.unlink),
            web.get("/v1/changes", self.changes),
            web.get("/v1/approvals", self.pending),
            web.get("/v1/approvals/{id}", self.approval),
            web.post("/v1/approvals/{id}/votes", self.vote),
            web.get("/v1/approvals/{id}/text", self.text),
            web.get("/v1/approvals/{id}/twins", self.show_twins),
            web.get("/v1/home", self.home),
            web.get("/v1/whoami", self.whoami),
            web.get("/v1/lineages", self.lineages),
            web.get("/v1/search", self.search),
            web.get("/v1/sessions", self.list_sessions),
            web.get("/v1/sessions/{id}", self.session),
            web.get("/v1/sessions/{id}/transcript", self.transcript),
            web.post("/v1/sessions/{id}/kill", self.kill),
            web.get("/v1/lineages/{id}", self.subtree),
            web.post("/v1/lineages/{id}/revoke", self.revoke),
            web.get("/v1/directory", self.show_directory),
            web.post("/v1/elevations", self.elevate),
            web.get("/v1/elevations", self.list_offers),
            web.post("/v1/grants/{id}/access", self.access),
            web.get("/v1/grants", self.list_grants),
            web.post("/v1/grants/{id}/end", self.end_grant),
            web.get("/v1/notes/{key}", self.note),
            web.put("/v1/notes/{key}", self.put_note),
        ]


def _json(value: object, *, status: int = 200) -> web.Response:
    return web.Response(body=encode(value), content_type="application/json", status=status)


def _refuse(error: str, message: str, status: int) -> web.Response:
    return _json(Refusal(error=error, message=message), status=status)


@asynccontextmanager
async def listening(gateway: FakeGateway) -> AsyncIterator[FakeGateway]:
    """The gateway's API on a free port of the loopback."""
    app = web.Application(middlewares=[gateway.guard])
    app.add_routes(gateway.routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    gateway.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield gateway
    finally:
        gateway.release()
        await runner.cleanup()
