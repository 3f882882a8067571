"""A gateway, a provider and a browser for logins by SAML, on loopback."""

from __future__ import annotations

import html
import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from lxml import etree

from gateway.api import saml as saml_api
from gateway.api.login import LoginPages
from gateway.identity.logins import LoginRefused, Logins, Proven, Wishes
from gateway.identity.saml import Saml, SamlProviders
from gateway.policy.identities import SamlProvider
from gateway.secrets.places import read
from tests.identity.house import MemoryStore
from tests.identity.saml_idp import SamlIdp

AFFILIATION = "urn:oid:1.3.6.1.4.1.5923.1.1.1.1"
STATE = "s" * 43


class Stage:
    """A gateway and a provider that know each other by their metadata."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.base = "https://gate.example"
        self.late = 0.0
        self.idp_address = ""
        self.store = MemoryStore()
        self.metadata = directory / "corp.xml"
        self.configured = SamlProvider(
            name="corp", metadata=f"file:{self.metadata}", groups=AFFILIATION, domains=("example.com",)
        )
        self.restart()

    def restart(self) -> None:
        self.samls = SamlProviders(self.store, secret=read, clock=self.clock)
        self.remembered: list[Proven] = []
        self.logins = Logins(
            lambda: {"corp": self.corp}, self.remember, base=lambda: self.base, clock=self.clock
        )

    async def remember(self, proven: Proven) -> None:
        self.remembered.append(proven)

    def clock(self) -> float:
        return time.time() + self.late

    @property
    def corp(self) -> Saml:
        return self.samls.of(self.configured, base=self.base)

    def found(
        self, login: str = "https://idp.example/sso", *, wants_signed: str = "", by_post: bool = False
    ) -> SamlIdp:
        """The provider, as it gets to know the gateway and the gateway it."""
        self.keys = self.directory / "corp"
        self.idp = SamlIdp(
            self.keys,
            sp_metadata=self.corp.own_metadata(),
            login=login,
            wants_signed=wants_signed,
            by_post=by_post,
        )
        self.metadata.write_bytes(self.idp.metadata)
        return self.idp

    def configure(self, **changed: Any) -> None:
        values = {name: getattr(self.configured, name) for name in SamlProvider.__dataclass_fields__}
        self.configured = SamlProvider(**{**values, **changed})

    async def went(self, wishes: Wishes | None = None) -> tuple[Any, Any]:
        started = await self.corp.start(STATE, wishes or Wishes())
        return self.idp.asked(started.url)[0], started.kept

    def answered(self, request: Any, **wanted: Any) -> dict[str, str]:
        message = self.idp.answer(request.id, acs=self.corp.acs, audience=self.corp.entity_id, **wanted)
        return {"SAMLResponse": message, "RelayState": STATE}

    async def proven(self, **wanted: Any) -> Any:
        request, kept = await self.went()
        return await self.corp.finish(self.answered(request, **wanted), kept)

    def pages(self) -> web.Application:
        application = web.Application()
        application.add_routes(LoginPages(self.logins, base=lambda: self.base).routes())
        application.add_routes(saml_api.routes(lambda name: self.corp if name == "corp" else None))
        return application


async def refused(awaitable) -> str:
    with pytest.raises(LoginRefused) as refusal:
        await awaitable
    return str(refusal.value)


class Browser:
    """Follows the pages as a browser does: what it may send where is aiohttp's to know."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.own = f"http://{client.host}:{client.port}"

    async def go(self, address: str) -> str:
        """Through the login page to the provider, and what the provider's page holds."""
        answer = await self.client.post(
            urlsplit(address).path, data={"provider": "corp"}, headers={"Origin": self.own}
        )
        text = await answer.text()
        if "SAMLRequest'" in text:
            form = etree.HTML(text).find(".//form")
            values = {each.get("name"): each.get("value") for each in form.iterfind(".//input[@name]")}
            async with self.client.session.post(form.get("action"), data=values) as page:
                return await page.text()
        away = re.search(r"0;url=([^']+)", text)
        assert away, text
        async with self.client.session.get(html.unescape(away[1])) as page:
            return await page.text()

    async def bring(self, page: str) -> tuple[int, str]:
        """Sends the provider's form to where it says, and goes on from there."""
        form = etree.HTML(page).find(".//form")
        values = {each.get("name"): each.get("value") for each in form.iterfind(".//input[@name]")}
        async with self.client.session.post(form.get("action"), data=values) as answer:
            return answer.status, await answer.text()
