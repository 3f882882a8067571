"""The endpoints that end tokens: revocation (RFC 7009), and a new key to sign with."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from gateway.api.agents import Agents
from gateway.api.forms import bearer, client_credentials, read_form
from gateway.api.holders import held_in
from gateway.api.oauth import NotBearer, as_json, line_in
from gateway.identity.keys import KeyRing
from gateway.identity.lineages import Lineages
from gateway.identity.members import Members
from gateway.identity.people import is_person
from gateway.identity.possession import Possession
from gateway.identity.tokens import Issuer, TokenRefused
from gateway.store import Store

REASON_CHARACTERS = 200
_ID = re.compile("[0-9a-f]{24}")

log = logging.getLogger(__name__)


class Revoking:
    """The handlers."""

    def __init__(
        self,
        issuer: Issuer,
        possession: Possession,
        keys: KeyRing,
        lineages: Lineages,
        members: Members,
        agents: Agents,
        store: Store,
        *,
        part: Callable[[str], Awaitable[None]],
        is_operator: Callable[[str], bool],
    ) -> None:
        """`part` ends what ties a person to other systems' users."""
        self._part = part
        self._issuer = issuer
        self._possession = possession
        self._keys = keys
        self._lineages = lineages
        self._members = members
        self._agents = agents
        self._store = store
        self._is_operator = is_operator

    async def revoke(self, request: web.Request) -> web.Response:
        """RFC 7009. `token` is a token, which anybody who holds it may end, or the id of one below the caller's own."""
        form = await read_form(request)
        token = form.get("token")
        if token is None:
            raise TokenRefused("invalid_request", "token is missing")
        by = self._may_revoke(request, form, token)
        revoked = self._issuer.revoke(token, by=by, reason=line_in(form, "reason", REASON_CHARACTERS))
        await self._store.commit()
        return as_json({"revoked": list(revoked)})

    async def rotate(self, request: web.Request) -> web.Response:
        """A new signing key. With `disown=true` every token there is ends at once."""
        form = await read_form(request)
        if not self._is_operator(bearer(request)):
            raise NotBearer("this needs the operators' credential")
        revoked: tuple[str, ...] = ()
        if form.get("disown") == "true":
            revoked = self._issuer.disown_all(by="operator")
        else:
            self._issuer.rotate_keys()
        await self._store.commit()
        log.info("a new key signs: %s; %d tokens disowned", self._keys.key_id, len(revoked))
        return as_json({"key_id": self._keys.key_id, "revoked": list(revoked)})

    async def log_out(self, request: web.Request) -> web.Response:
        """Ends a person's logins everywhere, what identity providers said of them, and their Slack user's link."""
        form = await read_form(request)
        if not self._is_operator(bearer(request)):
            raise NotBearer("this needs the operators' credential")
        person = form.get("person", "").strip().lower()
        if not is_person(person):
            raise TokenRefused("invalid_request", "person must be an e-mail address")
        self._members.forget(person)
        own = [link.token_id for link in self._lineages.links().values() if link.root_agent == person]
        reason = line_in(form, "reason", REASON_CHARACTERS) or "logged out by an operator"
        revoked = {
            each for token_id in own for each in self._issuer.revoke(token_id, by="operator", reason=reason)
        }
        await self._store.commit()
        await self._part(person)
        log.info("an operator logged a person out; %d tokens ended", len(revoked))
        return as_json({"revoked": sorted(revoked)})

    def _may_revoke(self, request: web.Request, form: Mapping[str, str], token: str) -> str:
        """Whose act this is; raises `TokenRefused` where it is not theirs to do."""
        credential = bearer(request)
        if credential and self._is_operator(credential):
            return "operator"
        link = self._lineages.get(token)
        if client_credentials(request, form) is not None:
            agent = self._agents.act(
                request, form, lambda client: self._issuer.authenticate(client.name, client.secret)
            )
            if "." in token or (link is not None and link.root_agent == agent.name):
                return agent.name
        elif "." in token or not (link or _ID.fullmatch(token)):
            # A token, ours or not, or nothing that could be one: RFC 7009 §2.2 has either end without complaint.
            return ""
        elif "Authorization" in request.headers:
            claims = held_in(request, self._possession, base=self._issuer.name).claims
            if token in self._lineages.subtree(claims.token_id):
                return claims.agent
        else:
            raise NotBearer(
                "an id alone proves nothing: send the token itself, or a token above it as bearer"
            )
        raise TokenRefused("invalid_request", "no live token of this id is below yours")
