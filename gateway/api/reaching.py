"""What the holder of a token asks before they use it: what it reaches and where, and a password or certificate in its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

from aiohttp import web

from gateway.api.forms import FORM, read_form, refuse_cleartext
from gateway.api.holders import held_in
from gateway.api.oauth import as_json
from gateway.identity.claims import Claims
from gateway.identity.minted import Minted, new_user
from gateway.identity.possession import Possession
from gateway.identity.tokens import Issuer, TokenRefused
from gateway.model import Scope
from gateway.policy.model import Policy, Target
from gateway.store import Store

_ANY_HOST = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - recognised, not bound to


class Certify(Protocol):
    """Has a protocol certify a client's key. Raises `ValueError`."""

    def __call__(
        self,
        protocol: str,
        public_key: str,
        *,
        connection: str,
        user: str,
        name: str,
        expires_at: float,
    ) -> Mapping[str, str]: ...


class Reaching:
    """The handlers."""

    def __init__(
        self,
        issuer: Issuer,
        possession: Possession,
        minted: Minted,
        store: Store,
        policy: Callable[[], Policy],
        *,
        certify: Certify,
        authorities: Mapping[str, str],
        hosts: Mapping[str, Mapping[str, str]],
    ) -> None:
        self._issuer = issuer
        self._possession = possession
        self._minted = minted
        self._store = store
        self._policy = policy
        self._certify = certify
        self._authorities = authorities
        self._hosts = hosts

    async def mint(self, request: web.Request) -> web.Response:
        """A user and password that stand for the bearer token, for clients that prove passwords.

        With `connection` and `public_key`, what lets the key's holder in there as that user, too.
        """
        refuse_cleartext(request)
        form = await read_form(request) if request.content_type == FORM else {}
        held = held_in(request, self._possession, base=self._issuer.name)
        user = new_user()
        # What cannot be certified leaves no pair behind.
        certified = self._certified(form, user, held.claims) if "public_key" in form else {}
        pair = self._minted.mint(held.token, key=held.claims.key, user=user)
        await self._store.commit()
        return as_json(
            {"user": pair.user, "password": pair.password, "expires_at": pair.expires_at, **certified}
        )

    async def trusted(self, request: web.Request) -> web.Response:
        """Protocol -> what targets have to trust so that the gateway needs no stored credential there."""
        del request
        return web.json_response(dict(self._authorities))

    async def known(self, request: web.Request) -> web.Response:
        """Protocol -> by what its clients know this gateway, for those who do not get it with a certificate."""
        del request
        return web.json_response({name: dict(host) for name, host in self._hosts.items()})

    async def connections(self, request: web.Request) -> web.Response:
        """What the bearer token reaches, and where: for `countersign run` and `connect`."""
        refuse_cleartext(request)
        claims = held_in(request, self._possession, base=self._issuer.name).claims
        policy = self._policy()
        return as_json(
            {
                "agent": claims.agent,
                "root": claims.root,
                "person": claims.person,
                "token_id": claims.token_id,
                "expires_at": claims.expires_at,
                "depth_left": claims.depth_left,
                "groups": sorted(claims.groups),
                "connections": [
                    _connection(policy, policy.targets[name], claims.scope, request)
                    for name in sorted(claims.scope)
                    if name in policy.targets
                ],
            }
        )

    def _certified(self, form: Mapping[str, str], user: str, claims: Claims) -> Mapping[str, str]:
        """A certificate for the key of the form, for the protocol of its `connection`."""
        target = self._policy().targets.get(form.get("connection", ""))
        if target is None or form["connection"] not in claims.scope:
            raise TokenRefused("invalid_request", "name a connection in the token's scope")
        try:
            return self._certify(
                target.connection.protocol,
                form["public_key"],
                connection=target.connection.name,
                user=user,
                name=f"countersign {claims.token_id} {claims.agent}",
                expires_at=claims.expires_at,
            )
        except ValueError as error:
            raise TokenRefused("invalid_request", str(error)) from error


def _connection(policy: Policy, target: Target, scope: Scope, request: web.Request) -> dict[str, Any]:
    host = target.listen.host
    if host in _ANY_HOST:
        # Wherever it listens, this is an address that the caller has just reached it by.
        host = urlsplit(policy.api.public_url).hostname or request.url.host or "127.0.0.1"
    return {
        "name": target.connection.name,
        "protocol": target.connection.protocol,
        "host": host,
        "port": target.listen.port,
        "database": target.upstream.database,
        "tls": policy.tls is not None,
        "effects": sorted(scope[target.connection.name]),
    }
