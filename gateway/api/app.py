"""The HTTP side of the gateway: for the bot, for operators, and for agents that ask for tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from aiohttp import web

from gateway.api.access import Caller, Credentials, operator_credential
from gateway.api.answers import refusing
from gateway.api.deciding import Deciding
from gateway.api.linking import LinkRoutes
from gateway.api.looking import Looking
from gateway.api.metrics import Meters
from gateway.api.notes import Notes
from gateway.api.operating import Operating
from gateway.api.ports import LineagesPort, SessionsPort
from gateway.api.proxied import behind
from gateway.api.searching import Searching
from gateway.api.stepping import SteppingUp
from gateway.api.watching import Watching
from gateway.approvals import Approvals
from gateway.changes import Feed
from gateway.contract import GrantView
from gateway.identity.links import SlackLinks
from gateway.identity.logins import Logins
from gateway.journal import Journal
from gateway.policy.model import Policy
from gateway.recorder.transcript import Transcripts
from gateway.search import Index
from gateway.store import Store

BODY_BYTES = 64 * 1024
"""The largest request body; a token, a vote and a note all fit."""

__all__ = ["Meters", "build", "operator_credential"]


def build(
    *,
    policy: Callable[[], Policy],
    approvals: Approvals,
    feed: Feed,
    store: Store,
    journal: Journal,
    sessions: SessionsPort,
    lineages: LineagesPort,
    transcripts: Transcripts,
    link: Callable[[str], str],
    grants: Callable[[], Iterable[GrantView]],
    index: Index,
    bot_credential: str,
    operator_credential: str,
    meters: Meters,
    logins: Logins,
    slack_links: SlackLinks,
    clock: Callable[[], float],
    routes: Iterable[web.RouteDef] = (),
) -> web.Application:
    """The application. `routes` are token endpoints and the replay page, which check their callers themselves.

    `link(id)` is where people read the transcript of a session that is over.

    Raises `ValueError` where the two credentials are not two.
    """
    credentials = Credentials(bot=bot_credential, operator=operator_credential)
    notes = Notes(store, clock=clock)
    deciding = Deciding(
        approvals, SteppingUp(approvals, logins), feed, speaks_for=slack_links.are, about=notes.about
    )
    looking = Looking(policy=policy, approvals=approvals, sessions=sessions, lineages=lineages, grants=grants)
    searching = Searching(index, sight=looking.sight, link=link)
    watching = Watching(
        policy=policy,
        approvals=approvals,
        sessions=sessions,
        lineages=lineages,
        transcripts=transcripts,
        link=link,
        store=store,
        sight=looking.sight,
    )
    operating = Operating(policy=policy, slack_links=slack_links, store=store, journal=journal, meters=meters)
    approvals.on_settled(meters.settled)
    meters.watch_held(lambda: len(approvals.open()))

    application = web.Application(
        middlewares=[behind(lambda: policy().api.proxies), refusing], client_max_size=BODY_BYTES
    )
    application.add_routes(
        [
            *_routes(credentials, deciding, watching, searching, looking, operating, notes),
            *LinkRoutes(slack_links, logins, credentials).routes(),
            *routes,
        ]
    )

    async def stopping(application: web.Application) -> None:
        del application
        feed.stop()

    application.on_shutdown.append(stopping)
    return application


def _routes(
    credentials: Credentials,
    deciding: Deciding,
    watching: Watching,
    searching: Searching,
    looking: Looking,
    operating: Operating,
    notes: Notes,
) -> list[web.RouteDef]:
    """Who may ask for what."""
    both = credentials.only(Caller.BOT, Caller.OPERATOR)
    bot = credentials.only(Caller.BOT)
    operator = credentials.only(Caller.OPERATOR)
    return [
        web.get("/v1/changes", both(deciding.changes)),
        web.get("/v1/approvals", both(deciding.approvals)),
        web.get("/v1/approvals/{id}", both(deciding.approval)),
        web.get("/v1/approvals/{id}/text", both(deciding.whole_text)),
        web.get("/v1/approvals/{id}/twins", both(deciding.twins)),
        web.post("/v1/approvals/{id}/votes", both(deciding.vote)),
        web.get("/v1/sessions", both(watching.sessions)),
        web.get("/v1/sessions/{id}", both(watching.session)),
        web.get("/v1/sessions/{id}/transcript", both(watching.transcript)),
        web.post("/v1/sessions/{id}/kill", both(watching.kill)),
        web.get("/v1/search", both(searching.search)),
        web.get("/v1/home", both(looking.home)),
        web.get("/v1/whoami", both(looking.whoami)),
        web.get("/v1/lineages", both(looking.lineages)),
        web.get("/v1/lineages/{id}", both(watching.lineage)),
        web.post("/v1/lineages/{id}/revoke", both(watching.revoke)),
        web.get("/v1/directory", both(operating.directory)),
        web.get("/v1/notes/{key}", bot(notes.show)),
        web.put("/v1/notes/{key}", bot(notes.write)),
        web.delete("/v1/notes/{key}", bot(notes.remove)),
        web.get("/healthz", operating.healthz),
        web.get("/metrics", operator(operating.metrics)),
    ]
