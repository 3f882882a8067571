"""Secrets of HashiCorp Vault, or of what speaks as it does: both versions of its key-value engine.

A token is taken as it is, or got for an AppRole or a Kubernetes service account; it is renewed before it ends, and one
that is no longer taken is got anew once. Redirects are not followed: the token goes to the address in the file alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import aiohttp
import orjson

from gateway.policy.credentials import (
    AppRole,
    SecretMissing,
    SecretRef,
    SecretUnavailable,
    ServiceAccount,
    VaultStore,
)
from gateway.secrets.places import Found
from gateway.tls import client_context

WITHIN = 5.0
"""Seconds for one request."""
LONGEST_ANSWER = 1024 * 1024
FORBIDDEN = 403
RENEWED_AFTER = 2 / 3
"""Of a token's life."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    text: str
    renew_at: float | None
    """None for one that does not end."""
    renewable: bool


class Vault:
    """See `gateway.secrets.places.Place`."""

    def __init__(
        self,
        store: VaultStore,
        read: Callable[[SecretRef], Awaitable[str]],
        *,
        clock: Callable[[], float],
    ) -> None:
        """`read` gives what the gateway logs in with; `clock` counts seconds and never jumps."""
        self._store = store
        self._read = read
        self._clock = clock
        self._client: aiohttp.ClientSession | None = None
        self._token: _Token | None = None
        self._entering = asyncio.Lock()

    async def fetch(self, ref: SecretRef) -> Found:
        path = quote(ref.name)
        token = await self._entered()
        status, answer = await self._ask("GET", path, token)
        if status == FORBIDDEN:
            token = await self._entered(refused=token)
            status, answer = await self._ask("GET", path, token)
        if status != 200:
            raise _refused(ref, status, answer)
        if answer.get("lease_id"):
            raise SecretMissing(
                f"{ref} is made anew whenever it is read; only what a key-value engine keeps is a secret here"
            )
        value = _values(answer).get(ref.key)
        if not isinstance(value, str) or not value:
            raise SecretMissing(f"{ref} has no text under that key")
        lease = answer.get("lease_duration")
        return Found(value=value, good_for=float(lease) if isinstance(lease, int) and lease > 0 else None)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    # The gateway's own token.

    async def _entered(self, *, refused: str = "") -> str:
        """A token that may be good; another than the one that was `refused`, where another can be got."""
        async with self._entering:
            token = self._token
            if token is not None and token.text == refused:
                token = self._token = None
            if token is not None and token.renew_at is not None and token.renew_at <= self._clock():
                token = self._token = await self._renewed(token) if token.renewable else None
            if token is None:
                token = self._token = await self._enter()
            return token.text

    async def _enter(self) -> _Token:
        match self._store.auth:
            case SecretRef() as ref:
                return await self._known(await self._read(ref))
            case AppRole(role_id=role, secret_id=secret, mount=mount):
                proof = {"role_id": await self._read(role), "secret_id": await self._read(secret)}
            case ServiceAccount(role=name, token=account, mount=mount):
                proof = {"role": name, "jwt": await self._read(account)}
        status, answer = await self._ask("POST", f"auth/{mount}/login", "", proof)
        if status != 200:
            raise SecretUnavailable(f"Vault did not let the gateway in by {mount} (status {status})")
        return self._granted(answer.get("auth"), "")

    async def _known(self, text: str) -> _Token:
        """A token that was given as it is: how long it lives is asked, where it may ask."""
        status, answer = await self._ask("GET", "auth/token/lookup-self", text)
        data = answer.get("data")
        if status != 200 or not isinstance(data, Mapping):
            return _Token(text=text, renew_at=None, renewable=False)
        return self._granted({"lease_duration": data.get("ttl"), "renewable": data.get("renewable")}, text)

    async def _renewed(self, token: _Token) -> _Token | None:
        status, answer = await self._ask("POST", "auth/token/renew-self", token.text, {})
        return self._granted(answer.get("auth"), token.text) if status == 200 else None

    def _granted(self, auth: object, text: str) -> _Token:
        known = auth if isinstance(auth, Mapping) else {}
        given = known.get("client_token") or text
        lease = known.get("lease_duration")
        if not isinstance(given, str) or not given:
            raise SecretUnavailable("Vault let the gateway in and gave it no token")
        seconds = float(lease) if isinstance(lease, int) and lease > 0 else None
        return _Token(
            text=given,
            renew_at=None if seconds is None else self._clock() + seconds * RENEWED_AFTER,
            renewable=known.get("renewable") is True,
        )

    # One request.

    async def _ask(
        self, method: str, path: str, token: str, body: Mapping[str, str] | None = None
    ) -> tuple[int, Mapping[str, Any]]:
        """Status and JSON of an answer. Raises `SecretUnavailable`."""
        headers = {"X-Vault-Request": "true"}
        if token:
            headers["X-Vault-Token"] = token
        if self._store.namespace:
            headers["X-Vault-Namespace"] = self._store.namespace
        try:
            async with self._asking().request(
                method,
                f"{self._store.address}/v1/{path}",
                headers=headers,
                data=None if body is None else orjson.dumps(body),
                allow_redirects=False,
            ) as answer:
                content = await answer.content.read(LONGEST_ANSWER)
                while not answer.content.at_eof() and len(content) < LONGEST_ANSWER:
                    content += await answer.content.read(LONGEST_ANSWER)
                return answer.status, _json(content)
        except TimeoutError:
            raise SecretUnavailable(f"Vault did not answer within {WITHIN:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise SecretUnavailable(f"Vault cannot be asked ({type(error).__name__})") from None

    def _asking(self) -> aiohttp.ClientSession:
        if self._client is None:
            secure = self._store.address.startswith("https:")
            self._client = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=WITHIN),
                connector=aiohttp.TCPConnector(
                    ssl=client_context("verify-full", authority=self._store.ca) if secure else False
                ),
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._client


def _json(content: bytes) -> Mapping[str, Any]:
    if not content:
        return {}
    answer = orjson.loads(content)
    return answer if isinstance(answer, dict) else {}


def _values(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is kept under a name: version 2 of the engine has it, and what it knows of it, one level deeper."""
    data = answer.get("data")
    if not isinstance(data, Mapping):
        return {}
    if (
        data.keys() == {"data", "metadata"}
        and isinstance(data["metadata"], Mapping)
        and "version" in data["metadata"]
    ):
        inner = data["data"]
        return inner if isinstance(inner, Mapping) else {}
    return data


def _refused(ref: SecretRef, status: int, answer: Mapping[str, Any]) -> SecretMissing:
    if status == 404:
        warned = "versioned" in str(answer.get("warnings"))
        hint = "; of version 2 of the engine write the path with data/ behind its mount" if warned else ""
        return SecretMissing(f"Vault has no {ref}{hint}")
    if status == FORBIDDEN:
        return SecretUnavailable(f"Vault does not let the gateway read {ref}")
    if status == 503:
        return SecretUnavailable("Vault is sealed or starting")
    if 300 <= status < 400:
        return SecretUnavailable("Vault sends the gateway elsewhere: write the active node's address")
    return SecretUnavailable(f"Vault answered with status {status}")
