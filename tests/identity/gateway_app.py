"""The endpoints of a `House`, served for real on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.api import tokens
from gateway.api.grants import ACCESS_TOKEN, TOKEN_EXCHANGE
from gateway.api.identities import Identities
from gateway.hosting import certifying
from gateway.identity.failures import Failures
from gateway.identity.fetching import Fetch, fetch
from tests.identity.house import House

OPERATOR = "the operators' own credential"


class Served:
    """The endpoints of a house on loopback; `restart` builds them again behind the same address."""

    def __init__(self, house: House, asking: Fetch) -> None:
        self._house = house
        self._asking = asking
        self._application, self.identities = built(house, asking)
        self.address = ""
        self.client: TestClient

    async def restart(self) -> None:
        port = self.client.port
        await self.client.close()
        self._application, self.identities = built(self._house, self._asking)
        await self.start(port)

    async def start(self, port: int | None = None) -> None:
        self.client = TestClient(TestServer(self._application, port=port))
        await self.client.start_server()
        self.address = str(self.client.make_url("")).rstrip("/")


@asynccontextmanager
async def gateway(house: House, asking: Fetch = fetch) -> AsyncIterator[Served]:
    served = Served(house, asking)
    await served.start()
    try:
        yield served
    finally:
        await served.client.close()


@asynccontextmanager
async def served(house: House, asking: Fetch = fetch) -> AsyncIterator[TestClient]:
    async with gateway(house, asking) as gate:
        yield gate.client


def app(house: House) -> web.Application:
    return built(house, fetch)[0]


def built(house: House, asking: Fetch) -> tuple[web.Application, Identities]:
    application = web.Application()
    running: set[asyncio.Task[None]] = set()
    failures = Failures(clock=house.clock)
    identities = Identities(
        house.issuer,
        house.members,
        failures,
        house.store,
        house.current,
        clock=house.clock,
        spawn=lambda work: running.add(asyncio.ensure_future(work)),
        fetch=asking,
    )
    application.add_routes(
        [
            *tokens.routes(
                issuer=house.issuer,
                possession=house.possession,
                minted=house.minted,
                keys=house.keys,
                lineages=house.lineages,
                members=house.members,
                workloads=identities.workloads,
                devices=identities.devices,
                failures=failures,
                store=house.store,
                policy=house.current,
                certify=certifying(house.keys.secret),
                authorities={},
                hosts={},
                part=house.part,
                is_operator=lambda credential: credential == OPERATOR,
            ),
            *identities.routes(),
        ]
    )
    return application, identities


def exchange(token, name="planner", **form):
    """The form by which a child's token is asked for (RFC 8693)."""
    return {
        "grant_type": TOKEN_EXCHANGE,
        "subject_token": token,
        "subject_token_type": ACCESS_TOKEN,
        "name": name,
        **form,
    }
