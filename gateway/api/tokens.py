"""The endpoints that agents speak to: tokens (RFC 6749, 8693), revocation (7009), metadata (8414), keys (7517).

Each authenticates its caller itself: an agent by its secret, a child by its parent's token, an operator by the
operators' credential. Nothing is handed out before it is durable, and no answer that holds a token may be cached.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from aiohttp import web

from gateway.api.forms import FORM, ClientCredentials, bearer, client_credentials, read_form, refuse_cleartext
from gateway.identity import scopes
from gateway.identity.claims import Claims
from gateway.identity.failures import Failures
from gateway.identity.keys import KeyRing
from gateway.identity.lineages import Lineages
from gateway.identity.minted import Credential, Minted
from gateway.identity.tokens import Issuer, Token, TokenRefused, issuer_name
from gateway.model import Scope
from gateway.policy.model import Policy, Target
from gateway.store import Store, StoreFailed

CLIENT_CREDENTIALS = "client_credentials"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - the grant's name
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - the type's name
TOKEN_TYPES = frozenset({ACCESS_TOKEN, "urn:ietf:params:oauth:token-type:jwt"})
REASON_CHARACTERS = 200

_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_ANY_HOST = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - recognised, not bound to
T = TypeVar("T")
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = logging.getLogger(__name__)


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


class _Wait(Exception):
    """Too many failures: no attempt is looked at for so many seconds."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class _NotBearer(Exception):
    """The bearer token is missing or does not hold."""


def routes(
    *,
    issuer: Issuer,
    minted: Minted,
    keys: KeyRing,
    lineages: Lineages,
    failures: Failures,
    store: Store,
    policy: Callable[[], Policy],
    is_operator: Callable[[str], bool],
    certify: Certify,
    authorities: Mapping[str, str],
) -> list[web.RouteDef]:
    """Routes for `api.app.build`. `is_operator(credential)` compares a bearer credential in constant time."""
    endpoints = _Endpoints(
        issuer=issuer,
        minted=minted,
        keys=keys,
        lineages=lineages,
        failures=failures,
        store=store,
        policy=policy,
        is_operator=is_operator,
        certify=certify,
        authorities=authorities,
    )
    return [
        web.post("/oauth/token", _guarded(endpoints.token)),
        web.post("/oauth/revoke", _guarded(endpoints.revoke)),
        web.post("/oauth/minted", _guarded(endpoints.mint)),
        web.get("/.well-known/oauth-authorization-server", endpoints.metadata),
        web.get("/.well-known/jwks.json", endpoints.jwks),
        web.get("/v1/authorities", endpoints.trusted),
        web.get("/v1/connections", _guarded(endpoints.connections)),
        web.post("/v1/keys/rotate", _guarded(endpoints.rotate)),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Endpoints:
    issuer: Issuer
    minted: Minted
    keys: KeyRing
    lineages: Lineages
    failures: Failures
    store: Store
    policy: Callable[[], Policy]
    is_operator: Callable[[str], bool]
    certify: Certify
    authorities: Mapping[str, str]

    async def token(self, request: web.Request) -> web.Response:
        form = await read_form(request)
        grant = form.get("grant_type")
        issued_type: dict[str, str] = {}
        if grant is None:
            raise TokenRefused("invalid_request", "grant_type is missing")
        elif grant == CLIENT_CREDENTIALS:
            token = self._for_agent(request, form)
        elif grant == TOKEN_EXCHANGE:
            token, issued_type = self._derived(request, form), {"issued_token_type": ACCESS_TOKEN}
        else:
            raise TokenRefused("unsupported_grant_type", f"use {CLIENT_CREDENTIALS} or {TOKEN_EXCHANGE}")
        await self.store.commit()
        claims = token.claims
        return _json(
            {
                "access_token": token.text,
                "token_type": "Bearer",
                "expires_in": int(claims.expires_at - claims.issued_at),
                "scope": scopes.text(claims.scope),
                "authorization_details": scopes.details(claims.scope),
                "token_id": claims.token_id,
                **issued_type,
            }
        )

    async def revoke(self, request: web.Request) -> web.Response:
        """RFC 7009. `token` is a token, which anybody who holds it may end, or the id of one below the caller's own."""
        form = await read_form(request)
        token = form.get("token")
        if token is None:
            raise TokenRefused("invalid_request", "token is missing")
        by = self._may_revoke(request, form, token)
        revoked = self.issuer.revoke(token, by=by, reason=_line(form, "reason", REASON_CHARACTERS))
        await self.store.commit()
        return _json({"revoked": list(revoked)})

    async def mint(self, request: web.Request) -> web.Response:
        """A user and password that stand for the bearer token, for clients that prove passwords.

        With `connection` and `public_key`, what lets the key's holder in there as that user, too.
        """
        refuse_cleartext(request)
        form = await read_form(request) if request.content_type == FORM else {}
        try:
            claims = self.issuer.verify(bearer(request))
            pair = self.minted.mint(bearer(request))
        except TokenRefused as refused:
            if refused.error == "invalid_grant":
                raise _NotBearer(refused.message) from None
            raise
        await self.store.commit()
        certified = self._certified(form, pair, claims) if "public_key" in form else {}
        return _json(
            {"user": pair.user, "password": pair.password, "expires_at": pair.expires_at, **certified}
        )

    def _certified(self, form: Mapping[str, str], pair: Credential, claims: Claims) -> Mapping[str, str]:
        """A certificate for the key of the form, for the protocol of its `connection`."""
        target = self.policy().targets.get(form.get("connection", ""))
        if target is None or form["connection"] not in claims.scope:
            raise TokenRefused("invalid_request", "name a connection in the token's scope")
        try:
            return self.certify(
                target.connection.protocol,
                form["public_key"],
                connection=target.connection.name,
                user=pair.user,
                name=f"countersign {claims.token_id} {claims.agent}",
                expires_at=pair.expires_at,
            )
        except ValueError as error:
            raise TokenRefused("invalid_request", str(error)) from error

    async def metadata(self, request: web.Request) -> web.Response:
        """RFC 8414."""
        del request
        base = issuer_name(self.policy())
        methods = ["client_secret_basic", "client_secret_post"]
        return web.json_response(
            {
                "issuer": base,
                "token_endpoint": base + "/oauth/token",
                "revocation_endpoint": base + "/oauth/revoke",
                "jwks_uri": base + "/.well-known/jwks.json",
                "response_types_supported": [],
                "grant_types_supported": [CLIENT_CREDENTIALS, TOKEN_EXCHANGE],
                "token_endpoint_auth_methods_supported": methods,
                "revocation_endpoint_auth_methods_supported": [*methods, "none"],
                "authorization_details_types_supported": [scopes.DETAILS_TYPE],
            }
        )

    async def jwks(self, request: web.Request) -> web.Response:
        del request
        return web.json_response(self.keys.jwks(), content_type="application/jwk-set+json")

    async def trusted(self, request: web.Request) -> web.Response:
        """Protocol -> what targets have to trust so that the gateway needs no stored credential there."""
        del request
        return web.json_response(dict(self.authorities))

    async def connections(self, request: web.Request) -> web.Response:
        """What the bearer token reaches, and where: for `countersign run` and `connect`."""
        refuse_cleartext(request)
        try:
            claims = self.issuer.verify(bearer(request))
        except TokenRefused as refused:
            raise _NotBearer(refused.message) from None
        policy = self.policy()
        return _json(
            {
                "agent": claims.agent,
                "root": claims.root,
                "person": claims.person,
                "token_id": claims.token_id,
                "expires_at": claims.expires_at,
                "depth_left": claims.depth_left,
                "connections": [
                    _connection(policy, policy.targets[name], claims.scope, request)
                    for name in sorted(claims.scope)
                    if name in policy.targets
                ],
            }
        )

    async def rotate(self, request: web.Request) -> web.Response:
        """A new signing key. With `disown=true` every token there is ends at once."""
        form = await read_form(request)
        if not self.is_operator(bearer(request)):
            raise _NotBearer("this needs the operators' credential")
        revoked: tuple[str, ...] = ()
        if form.get("disown") == "true":
            revoked = self.issuer.disown_all(by="operator")
        else:
            self.issuer.rotate_keys()
        await self.store.commit()
        log.info("a new key signs: %s; %d tokens disowned", self.keys.key_id, len(revoked))
        return _json({"key_id": self.keys.key_id, "revoked": list(revoked)})

    def _for_agent(self, request: web.Request, form: Mapping[str, str]) -> Token:
        scope, ttl = _scope(form), _seconds(form)

        def issue(client: ClientCredentials) -> Token:
            return self.issuer.for_agent(
                client.name,
                client.secret,
                person=form.get("person", ""),
                scope=scope,
                ttl=ttl,
                task=form.get("task", ""),
                origin=request.remote or "",
            )

        return self._as_agent(request, form, issue)

    def _derived(self, request: web.Request, form: Mapping[str, str]) -> Token:
        subject = form.get("subject_token")
        if subject is None or form.get("subject_token_type") not in TOKEN_TYPES:
            raise TokenRefused(
                "invalid_request",
                f"subject_token must be the parent's token, subject_token_type {ACCESS_TOKEN}",
            )
        if form.get("requested_token_type", ACCESS_TOKEN) not in TOKEN_TYPES:
            raise TokenRefused("invalid_request", f"requested_token_type can only be {ACCESS_TOKEN}")
        if "actor_token" in form or "actor_token_type" in form:
            raise TokenRefused(
                "invalid_request", "the child has no token yet: give its name as `name`, no actor_token"
            )
        if "resource" in form or "audience" in form:
            raise TokenRefused(
                "invalid_target", "tokens are for this gateway: say what they reach in `scope`"
            )
        return self.issuer.derive(
            subject,
            name=form.get("name", ""),
            scope=_scope(form),
            ttl=_seconds(form),
            task=form.get("task", ""),
            origin=request.remote or "",
        )

    def _as_agent(
        self, request: web.Request, form: Mapping[str, str], act: Callable[[ClientCredentials], T]
    ) -> T:
        """`act` by the agent that the request authenticates as; failures are counted."""
        client = client_credentials(request, form)
        if client is None:
            raise TokenRefused(
                "invalid_client", "authenticate as an agent of policies.yaml: its name and secret"
            )
        address, name = request.remote or "", client.name[:64]
        wait = self.failures.wait(address, name)
        if wait:
            raise _Wait(wait)
        try:
            return act(client)
        except TokenRefused as refused:
            if refused.error == "invalid_client":
                self.failures.failed(address, name)
                # A name that is none may be a secret in the wrong field.
                known = name if name in self.policy().agents else "an unknown agent"
                log.warning("%s failed to authenticate from %s", known, address)
            raise

    def _may_revoke(self, request: web.Request, form: Mapping[str, str], token: str) -> str:
        """Whose act this is; raises `TokenRefused` where it is not theirs to do."""
        credential = bearer(request)
        if credential and self.is_operator(credential):
            return "operator"
        link = self.lineages.get(token)
        if client_credentials(request, form) is not None:
            agent = self._as_agent(
                request, form, lambda client: self.issuer.authenticate(client.name, client.secret)
            )
            if "." in token or (link is not None and link.root_agent == agent.name):
                return agent.name
        elif "." in token:
            return ""
        elif credential:
            try:
                claims = self.issuer.verify(credential)
            except TokenRefused as refused:
                raise _NotBearer(refused.message) from None
            if token in self.lineages.subtree(claims.token_id):
                return claims.agent
        else:
            raise _NotBearer(
                "an id alone proves nothing: send the token itself, or a token above it as bearer"
            )
        raise TokenRefused("invalid_request", "no live token of this id is below yours")


def _guarded(handler: _Handler) -> _Handler:
    """`handler`, its refusals as RFC 6749 §5.2 and RFC 6750 §3 write them."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except TokenRefused as refused:
            if refused.error != "invalid_client":
                return _error(400, refused.error, refused.message)
            basic = {"WWW-Authenticate": 'Basic realm="countersign"'}
            return _error(401, refused.error, refused.message, basic)
        except _NotBearer as refusal:
            challenge = {"WWW-Authenticate": 'Bearer realm="countersign", error="invalid_token"'}
            return _error(401, "invalid_token", str(refusal), challenge)
        except _Wait as wait:
            message = f"too many failed attempts from here: wait {wait.seconds} s"
            return _error(429, "invalid_client", message, {"Retry-After": str(wait.seconds)})
        except StoreFailed:
            log.exception("the store failed; no token is handed out")
            return _error(
                503, "temporarily_unavailable", "the gateway cannot keep its state: try again later"
            )

    return answer


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


def _scope(form: Mapping[str, str]) -> Scope | None:
    if "scope" in form and "authorization_details" in form:
        raise TokenRefused("invalid_request", "give scope or authorization_details, not both")
    try:
        if "scope" in form:
            return scopes.parse(form["scope"])
        if "authorization_details" in form:
            return scopes.parse_details(form["authorization_details"])
    except scopes.ScopeMalformed as malformed:
        error = "invalid_scope" if "scope" in form else "invalid_authorization_details"
        raise TokenRefused(error, str(malformed)) from None
    return None


def _seconds(form: Mapping[str, str]) -> float | None:
    text = form.get("expires_in")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise TokenRefused("invalid_request", "expires_in must be a whole number of seconds")
    return float(text)


def _line(form: Mapping[str, str], name: str, characters: int) -> str:
    text = form.get(name, "")
    if len(text) > characters or not text.isprintable():
        raise TokenRefused("invalid_request", f"{name} must be one line of at most {characters} characters")
    return text


def _json(body: Mapping[str, Any]) -> web.Response:
    return web.json_response(body, headers=_NO_STORE)


def _error(status: int, error: str, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    body = {"error": error, "error_description": message}
    return web.json_response(body, status=status, headers={**_NO_STORE, **(headers or {})})
