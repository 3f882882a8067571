"""How identity providers are asked: small answers, soon, from where policies.yaml or the issuer itself says, and no redirects."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

import aiohttp

from gateway.identity.json_strictly import NotJson, read_object

ANSWER_BYTES = 256 * 1024
WITHIN = 5.0
"""Seconds for a whole answer."""


class Unavailable(Exception):
    """It did not answer, or not with what was asked for; the message is for the gateway's log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One question."""

    url: str
    ca: str = ""
    """A file of certificates to trust in place of the system's."""
    form: Mapping[str, str] | None = field(default=None, repr=False)
    """To be POSTed."""
    authorization: str = field(default="", repr=False)
    refusals: bool = False
    """An answer of status 400 or 401 is one, too."""


class Fetch(Protocol):
    async def __call__(self, ask: Ask) -> dict[str, Any]:
        """The JSON object that answers. Raises `Unavailable`."""
        ...


async def fetch(ask: Ask) -> dict[str, Any]:
    """Asks over a connection of its own: this happens a few times an hour."""
    try:
        async with asyncio.timeout(WITHIN):
            context = await asyncio.to_thread(ssl.create_default_context, cafile=ask.ca or None)
            async with aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=context), cookie_jar=aiohttp.DummyCookieJar()
            ) as session:
                return await _answer(session, ask)
    except TimeoutError:
        raise Unavailable(f"{ask.url} did not answer within {WITHIN:g} s") from None
    except (OSError, aiohttp.ClientError, ValueError) as error:
        raise Unavailable(f"{ask.url} cannot be asked: {error}") from None


async def _answer(session: aiohttp.ClientSession, ask: Ask) -> dict[str, Any]:
    headers = {"Accept": "application/json"}
    if ask.authorization:
        headers["Authorization"] = ask.authorization
    method = "GET" if ask.form is None else "POST"
    async with session.request(
        method, ask.url, data=ask.form, headers=headers, allow_redirects=False
    ) as answer:
        if answer.status != 200 and not (ask.refusals and answer.status in {400, 401}):
            raise Unavailable(f"{ask.url} answered with HTTP {answer.status}")
        body = bytearray()
        async for chunk in answer.content.iter_any():
            body += chunk
            if len(body) > ANSWER_BYTES:
                raise Unavailable(f"{ask.url} answered with more than {ANSWER_BYTES} bytes")
    try:
        return read_object(bytes(body))
    except NotJson as fault:
        raise Unavailable(f"{ask.url}: {fault}") from None


def may_lead(issuer: str, url: object) -> bool:
    """Whether an issuer may send the gateway to `url`: over TLS, and to this machine or network only from there."""
    if not isinstance(url, str) or not url.isascii() or not url.isprintable() or " " in url:
        return False
    try:
        home, there = urlsplit(issuer), urlsplit(url)
        usable = bool(there.hostname) and there.port != 0
    except ValueError:
        return False
    if not usable or there.username is not None or there.password is not None or there.fragment:
        return False
    if there.scheme == "https":
        return not _is_inside(there.hostname or "") or _is_inside(home.hostname or "")
    # In the clear only where nothing leaves this machine.
    return url.startswith("http:") and issuer.startswith("http:") and _is_here(there.hostname or "")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_inside(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith(".localhost") or "." not in host
