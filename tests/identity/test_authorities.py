from __future__ import annotations

import asyncio
import json

import pytest

from gateway.identity.authorities import AGAIN, FRESH, RENEWED, STALE, Authorities
from gateway.identity.fetching import Ask, Unavailable, may_lead
from gateway.identity.foreign import unverified
from tests.identity import forge

DISCOVERY = f"{forge.ISSUER}/.well-known/openid-configuration"
JWKS = "https://keys.ci.example/jwks"


class Network:
    """What the issuer answers at the moment, and what it was asked."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.asked: list[str] = []
        self.answers: dict[str, object] = {
            DISCOVERY: {"issuer": forge.ISSUER, "jwks_uri": JWKS},
            JWKS: {"keys": [forge.public_jwk("rsa")]},
        }
        self.gate: asyncio.Event | None = None
        self.running: set[asyncio.Task[None]] = set()
        self.authorities = Authorities(
            self, clock=lambda: self.now, spawn=lambda work: self.running.add(asyncio.ensure_future(work))
        )

    async def __call__(self, ask: Ask):
        self.asked.append(ask.url)
        if self.gate is not None:
            await self.gate.wait()
        answer = self.answers.get(ask.url)
        if answer is None:
            raise Unavailable(f"{ask.url} does not answer")
        return answer

    async def keys(self, sign: str = "rsa", **where: str) -> list[str]:
        token = unverified(forge.forged({"sign": sign}))
        return [key["kid"] for key in await self.authorities.of(forge.ISSUER, **where).keys(token)]

    async def settled(self) -> None:
        await asyncio.gather(*self.running)


@pytest.fixture
def network() -> Network:
    return Network()


async def test_keys_are_asked_for_once_and_kept(network):
    for _ in range(5):
        assert await network.keys() == ["rsa"]
    assert network.asked == [DISCOVERY, JWKS]


async def test_who_asks_at_the_same_time_waits_for_the_same_answer(network):
    network.gate = asyncio.Event()
    waiting = [asyncio.ensure_future(network.keys()) for _ in range(10)]
    while not network.asked:
        await asyncio.sleep(0)
    network.gate.set()
    assert await asyncio.gather(*waiting) == [["rsa"]] * 10
    assert network.asked == [DISCOVERY, JWKS]


async def test_who_hangs_up_takes_nobody_else_s_answer_along(network):
    network.gate = asyncio.Event()
    gone = asyncio.ensure_future(network.keys())
    stays = asyncio.ensure_future(network.keys())
    while not network.asked:
        await asyncio.sleep(0)
    gone.cancel()
    network.gate.set()
    assert await stays == ["rsa"]


async def test_keys_are_renewed_beside_their_use(network):
    await network.keys()
    network.now += FRESH + 1
    network.answers[JWKS] = {"keys": [forge.public_jwk("ec")]}
    assert await network.keys() == ["rsa"]
    await network.settled()
    assert await network.keys("ec") == ["ec"]
    network.now += AGAIN
    assert await network.keys() == []


async def test_keys_that_are_old_are_renewed_before_their_use(network):
    await network.keys()
    network.now += RENEWED + 1
    network.answers[JWKS] = {"keys": [forge.public_jwk("ec")]}
    assert await network.keys() == []


async def test_a_key_that_is_not_known_is_looked_for_at_once_but_not_again_and_again(network):
    await network.keys()
    network.now += AGAIN
    network.answers[JWKS] = {"keys": [forge.public_jwk("rsa"), forge.public_jwk("ec")]}
    assert await network.keys("ec") == ["ec"]
    before = len(network.asked)
    for _ in range(5):
        assert await network.keys("ed") == []
    assert len(network.asked) == before
    network.now += AGAIN
    assert await network.keys("ed") == []
    assert len(network.asked) == before + 1


async def test_an_issuer_that_does_not_answer_is_believed_for_a_while(network):
    await network.keys()
    network.answers[JWKS] = None
    network.now += STALE - 1
    assert await network.keys() == ["rsa"]
    network.now += 2
    with pytest.raises(Unavailable):
        await network.keys()


async def test_an_issuer_that_never_answered_is_asked_every_few_seconds(network):
    network.answers.clear()
    for _ in range(5):
        with pytest.raises(Unavailable):
            await network.keys()
    assert len(network.asked) == 1
    network.answers = Network().answers
    network.now += AGAIN
    assert await network.keys() == ["rsa"]


async def test_a_clock_that_was_set_back_makes_keys_old_and_not_new_for_ever(network):
    await network.keys()
    network.now -= 86_400
    network.answers[JWKS] = {"keys": [forge.public_jwk("ec")]}
    assert await network.keys("ec") == ["ec"]


@pytest.mark.parametrize(
    "said",
    [
        {"issuer": forge.ISSUER + "/", "jwks_uri": JWKS},
        {"issuer": "https://evil.example", "jwks_uri": JWKS},
        {"jwks_uri": JWKS},
        {"issuer": forge.ISSUER},
        {"issuer": forge.ISSUER, "jwks_uri": "http://keys.ci.example/jwks"},
        {"issuer": forge.ISSUER, "jwks_uri": "https://127.0.0.1/jwks"},
        {"issuer": forge.ISSUER, "jwks_uri": "https://169.254.169.254/latest"},
        {"issuer": forge.ISSUER, "jwks_uri": "file:///etc/passwd"},
        {"issuer": forge.ISSUER, "jwks_uri": ["https://keys.ci.example/jwks"]},
    ],
)
async def test_a_document_that_is_not_the_issuer_s_or_leads_elsewhere_is_not_believed(network, said):
    network.answers[DISCOVERY] = said
    with pytest.raises(Unavailable):
        await network.keys()
    assert network.asked == [DISCOVERY]


async def test_keys_from_a_file_need_no_network_and_may_be_replaced(network, tmp_path):
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": [forge.public_jwk("rsa")]}))
    assert await network.keys(keys=f"file:{path}") == ["rsa"]
    path.write_text(json.dumps({"keys": [forge.public_jwk("ec")]}))
    network.now += RENEWED + 1
    assert await network.keys("ec", keys=f"file:{path}") == ["ec"]
    assert network.asked == []


@pytest.mark.parametrize("content", ["", "[]", "{", '{"keys":[],"keys":[]}', None])
async def test_a_file_of_keys_that_is_none_is_unavailable(network, tmp_path, content):
    path = tmp_path / "jwks.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(Unavailable):
        await network.keys(keys=f"file:{path}")


async def test_an_address_of_keys_is_asked_itself(network):
    network.answers = {"https://10.0.0.1:6443/openid/v1/jwks": {"keys": [forge.public_jwk("rsa")]}}
    assert await network.keys(keys="https://10.0.0.1:6443/openid/v1/jwks", ca="/ca.pem") == ["rsa"]


@pytest.mark.parametrize(
    ("issuer", "url", "may"),
    [
        ("https://a.example", "https://a.example/x", True),
        ("https://accounts.google.com", "https://www.googleapis.com/oauth2/v3/certs", True),
        ("https://a.example", "https://8.8.8.8/x", True),
        ("https://a.example", "http://a.example/x", False),
        ("https://a.example", "http://127.0.0.1/x", False),
        ("https://a.example", "https://localhost/x", False),
        ("https://a.example", "https://x.localhost/x", False),
        ("https://a.example", "https://metadata/x", False),
        ("https://a.example", "https://[::1]/x", False),
        ("https://a.example", "https://[::ffff:127.0.0.1]/x", False),
        ("https://a.example", "https://10.1.2.3/x", False),
        ("https://a.example", "https://0.0.0.0/x", False),
        ("https://a.example", "https://user@a.example/x", False),
        ("https://a.example", "https://a.example/x#y", False),
        ("https://a.example", "https://a.example:99999/x", False),
        ("https://a.example", "https:///x", False),
        ("https://a.example", "https://а.example/x", False),
        ("https://a.example", "https://a.example/x y", False),
        ("https://a.example", "javascript:alert(1)", False),
        ("https://a.example", None, False),
        ("https://10.0.0.1:6443", "https://10.0.0.2:6443/jwks", True),
        ("http://127.0.0.1:4010", "http://127.0.0.1:4010/jwks", True),
        ("http://127.0.0.1:4010", "http://a.example/jwks", False),
    ],
)
def test_where_an_issuer_may_lead(issuer, url, may):
    assert may_lead(issuer, url) is may
