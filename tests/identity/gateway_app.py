"""The agents' endpoints of a `House`, served for real on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.api import tokens
from gateway.hosting import certifying
from gateway.identity.failures import Failures
from tests.identity.house import House

OPERATOR = "the operators' own credential"


def app(house: House) -> web.Application:
    application = web.Application()
    application.add_routes(
        tokens.routes(
            issuer=house.issuer,
            minted=house.minted,
            keys=house.keys,
            lineages=house.lineages,
            failures=Failures(clock=lambda: house.now),
            store=house.store,
            policy=lambda: house.policy,
            certify=certifying(house.keys.secret),
            authorities={},
            is_operator=lambda credential: credential == OPERATOR,
        )
    )
    return application


@asynccontextmanager
async def served(house: House) -> AsyncIterator[TestClient]:
    async with TestClient(TestServer(app(house))) as client:
        yield client
