"""The endpoints of a `House`, served for real on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.api import tokens
from gateway.api.identities import Identities
from gateway.hosting import certifying
from gateway.identity.failures import Failures
from gateway.identity.fetching import Fetch, fetch
from tests.identity.house import House

OPERATOR = "the operators' own credential"


def app(house: House, asking: Fetch = fetch) -> web.Application:
    application = web.Application()
    running: set[asyncio.Task[None]] = set()
    failures = Failures(clock=lambda: house.now)
    identities = Identities(
        house.issuer,
        house.members,
        failures,
        house.store,
        house.current,
        clock=lambda: house.now,
        spawn=lambda work: running.add(asyncio.ensure_future(work)),
        fetch=asking,
    )
    application.add_routes(
        [
            *tokens.routes(
                issuer=house.issuer,
                minted=house.minted,
                keys=house.keys,
                lineages=house.lineages,
                workloads=identities.workloads,
                devices=identities.devices,
                failures=failures,
                store=house.store,
                policy=house.current,
                certify=certifying(house.keys.secret),
                authorities={},
                is_operator=lambda credential: credential == OPERATOR,
            ),
            *identities.routes(),
        ]
    )
    return application


@asynccontextmanager
async def served(house: House, asking: Fetch = fetch) -> AsyncIterator[TestClient]:
    async with TestClient(TestServer(app(house, asking))) as client:
        yield client
