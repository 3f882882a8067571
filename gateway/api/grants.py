"""`POST /oauth/token`: everything for which a token can be had, each by the proof that goes with it."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from gateway.api.agents import Agents
from gateway.api.forms import ClientCredentials, read_form
from gateway.api.holders import address_of
from gateway.api.oauth import as_json, line_in, scope_in, seconds_in
from gateway.identity import scopes
from gateway.identity.claims import Claims, is_thumbprint
from gateway.identity.devices import Devices
from gateway.identity.possession import NONCE_HEADER, Possession
from gateway.identity.proofs import Proof
from gateway.identity.tokens import TASK_CHARACTERS, Issuer, Token, TokenRefused
from gateway.identity.workloads import Workloads
from gateway.store import Store

CLIENT_CREDENTIALS = "client_credentials"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - the grant's name
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - the type's name
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105 - the type's name
TOKEN_TYPES = frozenset({ACCESS_TOKEN, "urn:ietf:params:oauth:token-type:jwt"})
"""What a token of this gateway's own may be called."""
CHILD_KEY = "dpop_jkt"
"""RFC 9449 §10's name for a key that is named and not proved."""
GRANTS = (CLIENT_CREDENTIALS, TOKEN_EXCHANGE, JWT_BEARER, DEVICE_CODE)


class Granting:
    """The endpoint."""

    def __init__(
        self,
        issuer: Issuer,
        possession: Possession,
        workloads: Workloads,
        devices: Devices,
        agents: Agents,
        store: Store,
    ) -> None:
        self._issuer = issuer
        self._possession = possession
        self._workloads = workloads
        self._devices = devices
        self._agents = agents
        self._store = store

    async def token(self, request: web.Request) -> web.Response:
        form = await read_form(request)
        if CHILD_KEY in form and form.get("subject_token_type") not in TOKEN_TYPES:
            raise TokenRefused(
                "invalid_request", f"prove the key by a DPoP header; {CHILD_KEY} is for children"
            )
        proof = self._proof(request)
        key = proof.key if proof is not None else ""
        issued_type: dict[str, str] = {}
        match form.get("grant_type"):
            case None:
                raise TokenRefused("invalid_request", "grant_type is missing")
            case grant if grant == CLIENT_CREDENTIALS:
                token = self._for_agent(request, form, key)
            case grant if grant == TOKEN_EXCHANGE:
                issued_type = {"issued_token_type": ACCESS_TOKEN}
                token = await self._exchanged(request, form, proof)
            case grant if grant == JWT_BEARER:
                token = await self._for_workload(form, form.get("assertion", ""), key)
            case grant if grant == DEVICE_CODE:
                token = self._devices.token(form.get("device_code", ""), origin=request.remote or "", key=key)
            case _:
                raise TokenRefused("unsupported_grant_type", f"use one of {', '.join(GRANTS)}")
        if proof is not None:
            # Only now, when it is known who asks: what is remembered of strangers' proofs would be room taken from others'.
            self._possession.proofs.spend(proof)
        await self._store.commit()
        claims = token.claims
        answer = as_json(
            {
                "access_token": token.text,
                "token_type": "DPoP" if claims.key else "Bearer",
                "expires_in": int(claims.expires_at - claims.issued_at),
                "scope": scopes.text(claims.scope),
                "authorization_details": scopes.details(claims.scope),
                "token_id": claims.token_id,
                **issued_type,
            }
        )
        if nonce := self._possession.proofs.fresh_nonce:
            answer.headers[NONCE_HEADER] = nonce
        return answer

    def _proof(self, request: web.Request) -> Proof | None:
        """The proof of a key, where there is one (RFC 9449 §5). Raises `ProofRefused`."""
        shown = request.headers.getall("DPoP", [])
        if not shown:
            return None
        url = address_of(request, self._issuer.name)
        return self._possession.proofs.read(shown, method=request.method, url=url)

    async def _exchanged(self, request: web.Request, form: Mapping[str, str], proof: Proof | None) -> Token:
        """A child's token for its parent's (RFC 8693), or a root agent's for one of a trusted issuer."""
        kind = form.get("subject_token_type")
        key = proof.key if proof is not None else ""
        if form.get("requested_token_type", ACCESS_TOKEN) not in TOKEN_TYPES:
            raise TokenRefused("invalid_request", f"requested_token_type can only be {ACCESS_TOKEN}")
        if "resource" in form or "audience" in form:
            raise TokenRefused(
                "invalid_target", "tokens are for this gateway: say what they reach in `scope`"
            )
        if "actor_token" in form or "actor_token_type" in form:
            raise TokenRefused(
                "invalid_request", "the child has no token yet: give its name as `name`, no actor_token"
            )
        if kind == ID_TOKEN:
            return await self._for_workload(form, form.get("subject_token", ""), key)
        subject = form.get("subject_token")
        if subject is None or kind not in TOKEN_TYPES:
            raise TokenRefused(
                "invalid_request",
                f"subject_token must be the parent's token, subject_token_type {ACCESS_TOKEN}; or a trusted "
                f"issuer's, {ID_TOKEN}",
            )
        parent = self._possession.exchanged(subject, proof, client=request.remote or "")
        return self._issuer.derive(
            subject,
            name=form.get("name", ""),
            scope=scope_in(form),
            ttl=seconds_in(form),
            task=form.get("task", ""),
            origin=request.remote or "",
            key=key,
            child_key=_child_key(form, key, parent),
        )

    async def _for_workload(self, form: Mapping[str, str], assertion: str, key: str) -> Token:
        """RFC 7523 §2.1. Who the workload is, the assertion says: a secret beside it would be a second answer."""
        if "client_secret" in form or "name" in form or "person" in form:
            raise TokenRefused(
                "invalid_request",
                "the token of the issuer says who asks: leave client_secret, name and person out",
            )
        return await self._workloads.token(
            assertion,
            agent=form.get("client_id", ""),
            scope=scope_in(form),
            ttl=seconds_in(form),
            task=line_in(form, "task", TASK_CHARACTERS),
            key=key,
        )

    def _for_agent(self, request: web.Request, form: Mapping[str, str], key: str) -> Token:
        scope, ttl = scope_in(form), seconds_in(form)

        def issue(client: ClientCredentials) -> Token:
            return self._issuer.for_agent(
                client.name,
                client.secret,
                person=form.get("person", ""),
                scope=scope,
                ttl=ttl,
                task=form.get("task", ""),
                origin=request.remote or "",
                key=key,
            )

        return self._agents.act(request, form, issue)


def _child_key(form: Mapping[str, str], key: str, parent: Claims) -> str:
    """The key that a parent names for the child it starts, whose own the child will prove. Raises `TokenRefused`."""
    named = form.get(CHILD_KEY, "")
    if named and not is_thumbprint(named):
        raise TokenRefused(
            "invalid_request", f"{CHILD_KEY} must be the SHA-256 thumbprint of a key (RFC 7638)"
        )
    if named and key and not parent.key and named != key:
        raise TokenRefused(
            "invalid_request",
            f"{CHILD_KEY} names another key than the proof, and the parent's token is bound to neither",
        )
    return named
