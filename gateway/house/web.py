"""The API: everything that is asked of the gateway over HTTP, by the bot, by operators, agents and people."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import AsyncExitStack

from aiohttp import web

from gateway.api import app, replay
from gateway.api import tokens as token_api
from gateway.api.access import Credentials
from gateway.api.elevating import elevation_routes
from gateway.api.identities import Identities
from gateway.contract import GrantView
from gateway.doors import DoorFailed, Doors
from gateway.elevations.showing import grant_view
from gateway.hosting import authorities, certifying, hosts
from gateway.house.decisions import Decisions
from gateway.house.entrance import Entrance
from gateway.house.ground import Ground
from gateway.identity.failures import Failures
from gateway.identity.keys import public_keys
from gateway.identity.links import SlackLinks
from gateway.protocols import served
from gateway.recorder.transcript import Render, Transcripts
from gateway.search import Index

STOPS_WITHIN = 2.0
"""Seconds that requests which are being answered get when the gateway stops."""


async def open_web(
    parts: AsyncExitStack, ground: Ground, entrance: Entrance, decisions: Decisions, doors: Doors
) -> str:
    """The address at which the API answers. Raises `DoorFailed`."""
    application = _application(parts, ground, entrance, decisions, doors)
    wanted = ground.policy().api.listen
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=STOPS_WITHIN)
    await runner.setup()
    parts.push_async_callback(runner.cleanup)
    try:
        await web.TCPSite(runner, wanted.host, wanted.port).start()
    except OSError as error:
        raise DoorFailed(f"the API cannot listen there, see api.listen: {error.strerror}") from None
    return "{}:{}".format(*runner.addresses[0][:2])


def _application(
    parts: AsyncExitStack, ground: Ground, entrance: Entrance, decisions: Decisions, doors: Doors
) -> web.Application:
    store, policy, clock = ground.store, ground.policy, ground.clock
    index = Index(ground.state / "search.sqlite", ground.recorder.directory, _render)
    parts.push_async_callback(index.close)
    ground.tasks.spawn(index.follow())
    failures = Failures(clock=clock)
    identities = Identities(
        entrance.issuer,
        ground.members,
        failures,
        store,
        policy,
        clock=clock,
        spawn=ground.tasks.spawn,
        secret=ground.reaching.secrets.current,
    )
    slack_links = SlackLinks(store, ground.journal, policy=policy, clock=clock)

    def grants() -> Iterator[GrantView]:
        return map(grant_view, decisions.elevation.grants.all())

    return app.build(
        policy=policy,
        approvals=decisions.approvals,
        feed=ground.feed,
        store=store,
        journal=ground.journal,
        sessions=entrance.sessions,
        lineages=entrance.lineages,
        transcripts=_transcripts(ground),
        link=entrance.links.link,
        grants=grants,
        index=index,
        bot_credential=ground.bot_credential,
        operator_credential=ground.operator_credential,
        meters=decisions.meters,
        logins=identities.logins,
        slack_links=slack_links,
        clock=clock,
        routes=[
            *_token_routes(ground, entrance, identities, failures, slack_links),
            *identities.routes(),
            *elevation_routes(
                decisions.elevation,
                decisions.approvals,
                issuer=entrance.issuer,
                possession=entrance.possession,
                links=entrance.lineages.links,
                policy=policy,
                store=store,
                addresses=lambda: doors.addresses,
                credentials=Credentials(bot=ground.bot_credential, operator=ground.operator_credential),
                clock=clock,
            ),
            *replay.routes(
                replay.Replay(
                    entrance.links,
                    _transcripts(ground),
                    live=entrance.sessions.get,
                    keys=lambda: public_keys(ground.state / "keys"),
                )
            ),
        ],
    )


def _token_routes(
    ground: Ground,
    entrance: Entrance,
    identities: Identities,
    failures: Failures,
    slack_links: SlackLinks,
) -> list[web.RouteDef]:
    secret = ground.keys.secret
    operators = ground.operator_credential.encode()
    return token_api.routes(
        issuer=entrance.issuer,
        possession=entrance.possession,
        minted=entrance.minted,
        keys=ground.keys,
        lineages=entrance.lineages,
        members=ground.members,
        workloads=identities.workloads,
        devices=identities.devices,
        failures=failures,
        store=ground.store,
        policy=ground.policy,
        part=slack_links.part,
        is_operator=lambda shown: secrets.compare_digest(shown.encode("utf-8", "surrogateescape"), operators),
        certify=certifying(secret),
        authorities=authorities(secret),
        hosts=hosts(secret),
    )


def _transcripts(ground: Ground) -> Transcripts:
    return Transcripts(ground.recorder.directory, _render)


def _render(protocol: str) -> Render:
    return served(protocol).render
