"""The device flow's two ends (RFC 8628): where a terminal begins it, and the page on which a person types the code."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from gateway.api import login_page
from gateway.api.forms import read_form, refuse_cleartext
from gateway.api.login import HEADERS, page, refuse_cross_site, showing
from gateway.api.oauth import as_json, guarded, line_in, scope_in
from gateway.identity.devices import INTERVAL, LIFETIME, Devices
from gateway.identity.failures import Failures
from gateway.identity.logins import LoginRefused, Logins
from gateway.identity.tokens import TASK_CHARACTERS, TokenRefused

CODE_CHARACTERS = 32
GUESSED = "device code"
"""Under this name wrong codes are counted."""


class DeviceFlow:
    """The handlers. `base()` is the address of the gateway's pages, as people reach them."""

    def __init__(
        self, devices: Devices, logins: Logins, failures: Failures, *, base: Callable[[], str]
    ) -> None:
        self._devices = devices
        self._logins = logins
        self._failures = failures
        self._base = base

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/oauth/device_authorization", guarded(self.begin)),
            web.get("/device", showing(self.ask)),
            web.post("/device", showing(self.typed)),
        ]

    async def begin(self, request: web.Request) -> web.Response:
        """RFC 8628 §3.1."""
        form = await read_form(request)
        if not self._logins.providers:
            raise TokenRefused(
                "unsupported_grant_type", "nobody can log in here: policies.yaml has no `identity.providers`"
            )
        codes = self._devices.begin(
            request.remote or "", scope=scope_in(form), task=line_in(form, "task", TASK_CHARACTERS)
        )
        return as_json(
            {
                "device_code": codes.device,
                "user_code": codes.user,
                "verification_uri": f"{self._base()}/device",
                "verification_uri_complete": f"{self._base()}/device?user_code={codes.user}",
                "expires_in": int(LIFETIME),
                "interval": INTERVAL,
            }
        )

    async def ask(self, request: web.Request) -> web.StreamResponse:
        refuse_cleartext(request)
        given = request.query.get("user_code", "")[:CODE_CHARACTERS]
        return page(login_page.code(address=f"{self._base()}/device", given=given))

    async def typed(self, request: web.Request) -> web.StreamResponse:
        """On to the login that the code is for."""
        refuse_cross_site(request, self._base())
        form = await read_form(request)
        typed, address = form.get("user_code", "")[:CODE_CHARACTERS], request.remote or ""
        wait = self._failures.wait(address, GUESSED)
        if wait:
            raise LoginRefused(f"Too many wrong codes came from here. Wait {wait} seconds.")
        try:
            purpose = self._devices.login(typed)
        except LoginRefused as refused:
            self._failures.failed(address, GUESSED)
            again = login_page.code(address=f"{self._base()}/device", given=typed, wrong=str(refused))
            return page(again, status=403)
        return web.Response(status=303, headers={**HEADERS, "Location": self._logins.begin(purpose)})
