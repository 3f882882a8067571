from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import CookieJar, web
from aiohttp.test_utils import TestClient, TestServer

from tests.identity.house import House
from tests.identity.saml_corp import Corp
from tests.identity.saml_stage import Browser, Stage


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.fixture(scope="session")
def corp(tmp_path_factory):
    return Corp(tmp_path_factory.mktemp("saml"))


@pytest.fixture
def stage(tmp_path) -> Stage:
    stage = Stage(tmp_path)
    stage.found()
    return stage


@pytest_asyncio.fixture
async def browser(tmp_path) -> AsyncIterator[tuple[Stage, Browser]]:
    stage = Stage(tmp_path)
    provider = web.Application()

    async def sso(request: web.Request) -> web.Response:
        return await stage.idp.sso(request)

    provider.router.add_route("*", "/sso", sso)
    gateway = TestServer(stage.pages())
    async with (
        TestServer(provider) as there,
        TestClient(gateway, cookie_jar=CookieJar(unsafe=True)) as client,
    ):
        stage.base = str(gateway.make_url("")).rstrip("/")
        stage.idp_address = str(there.make_url("/sso"))
        stage.found(login=stage.idp_address)
        yield stage, Browser(client)
