"""A browser without a window: keeps cookies, follows redirections, and fills in the identity provider's own pages."""

from __future__ import annotations

import re
from html import unescape
from types import TracebackType
from urllib.parse import urljoin

import aiohttp

FORM = re.compile(r"<form[^>]*action=['\"]([^'\"]+)['\"][^>]*>(.*?)</form>", re.DOTALL)
INPUT = re.compile(r"<input[^>]*>")
ATTRIBUTE = re.compile(r"(name|value)=['\"]([^'\"]*)['\"]")
REFRESH = re.compile(r"http-equiv='refresh' content='0;url=([^']+)'")


class Browser:
    """Where it is, and what stands there."""

    def __init__(self) -> None:
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        self.address = ""
        self.status = 0
        self.text = ""
        self.passed: list[str] = []
        """Every address that it was sent to."""

    async def __aenter__(self) -> Browser:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def get(self, address: str) -> None:
        await self._ask("GET", address, None)

    async def send(self, **fields: str) -> None:
        """The form of the page it is on."""
        found = FORM.search(self.text)
        assert found, self.text
        form = {}
        for each in INPUT.findall(found[2]):
            pairs = dict(ATTRIBUTE.findall(each))
            if "name" in pairs:
                form[pairs["name"]] = unescape(pairs.get("value", ""))
        await self._ask("POST", urljoin(self.address, unescape(found[1])), {**form, **fields})

    async def on(self) -> None:
        """Where the page itself leads."""
        found = REFRESH.search(self.text)
        assert found, self.text
        await self.get(unescape(found[1]))

    async def log_in(self, name: str) -> None:
        """Through the pages of the identity provider, as far as it asks."""
        while 'name="login"' in self.text or 'name="prompt" value="consent"' in self.text:
            fields = {"login": name, "password": "any"} if 'name="login"' in self.text else {}
            await self.send(**fields)

    async def _ask(self, method: str, address: str, form: dict[str, str] | None) -> None:
        async with self._session.request(method, address, data=form) as answer:
            self.passed += [str(each.url) for each in (*answer.history, answer)]
            self.address, self.status, self.text = str(answer.url), answer.status, await answer.text()
