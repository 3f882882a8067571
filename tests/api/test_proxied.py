from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.api.proxied import behind, client_of
from gateway.policy.file import PolicyFileError, parse
from gateway.vocabulary import known
from tests.policy.house import WHOLE

PROXIES = ("127.0.0.1", "10.0.0.2", "2001:db8::2")


@pytest.mark.parametrize(
    ("told", "client"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9", "203.0.113.9"),  # the first was written by the client itself
        ("203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("203.0.113.9,10.0.0.2 , 127.0.0.1", "203.0.113.9"),
        ("2001:DB8::9", "2001:db8::9"),
        ("2001:db8::9, 2001:db8:0::2", "2001:db8::9"),
        ("10.0.0.2", ""),
        ("", ""),
        ("unknown", ""),
        ("203.0.113.9, unknown", ""),
        ("203.0.113.9:4000", ""),
        ("203.0.113.9, ", ""),
        (", ".join(["10.0.0.2"] * 10_000), ""),
    ],
)
def test_the_last_that_a_proxy_saw_is_who_asks(told, client):
    assert client_of(told, PROXIES) == client


async def test_only_a_proxy_that_is_named_is_believed():
    named: tuple[str, ...] = ()

    async def remote(request: web.Request) -> web.Response:
        return web.Response(text=f"{request.remote} {request.match_info['x']} {await request.text()}")

    application = web.Application(middlewares=[behind(lambda: named)])
    application.router.add_post("/{x}", remote)
    async with TestClient(TestServer(application)) as client:

        async def asked(**headers: str) -> str:
            async with client.post("/a", data="body", headers=headers) as answer:
                return await answer.text()

        told = {"X-Forwarded-For": "203.0.113.9"}
        assert await asked(**told) == "127.0.0.1 a body"
        named = ("127.0.0.1",)
        assert await asked(**told) == "203.0.113.9 a body"
        assert await asked() == "127.0.0.1 a body"
        assert await asked(**{"X-Forwarded-For": "nonsense"}) == "127.0.0.1 a body"
        named = ("10.0.0.2",)
        assert await asked(**told) == "127.0.0.1 a body"


def test_proxies_are_addresses():
    text = WHOLE.replace("public_url:", "proxies: [127.0.0.1, '2001:DB8:0::2'], public_url:")
    assert parse(text, "policies.yaml", known()).api.proxies == ("127.0.0.1", "2001:db8::2")
    for wrong in ("gate.internal", "10.0.0.0/8", "127.0.0.1:80"):
        with pytest.raises(PolicyFileError, match="no IP address"):
            parse(text.replace("127.0.0.1, '", f"'{wrong}', '"), "policies.yaml", known())
