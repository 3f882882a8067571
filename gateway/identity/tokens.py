"""Tokens: issued to root agents, derived for the agents they start, verified against the policy of this moment.

A token carries its whole chain (`gateway.identity.claims`), so what it was issued with cannot be widened without our
key. What may have changed since is asked again at every verification: a revoked ancestor, an agent whose scope, depth
or people in policies.yaml are fewer now. A child is never wider, deeper or longer-lived than its parent (RFC 8693).
"""

from __future__ import annotations

import hmac
import math
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Unpack

from gateway.identity import scopes
from gateway.identity.agents import AgentSecrets, NoSuchAgent
from gateway.identity.claims import Claims, ClaimsMalformed, Tether, from_payload, to_payload
from gateway.identity.keys import TOKEN_CHARACTERS, KeyRing, SignatureRefused
from gateway.identity.lineages import LineageFull, Lineages, Link
from gateway.identity.wishes import (
    HOW_TO_PROVE,
    TASK_CHARACTERS,
    UNPROVED,
    Terms,
    TokenRefused,
    bound_as,
    inside,
    issuer_name,
    lifetime,
    may_name,
    origin_of,
    person_for,
    task_of,
)
from gateway.model import Lineage, Scope
from gateway.policy.credentials import SecretRef
from gateway.policy.model import Agent, Policy
from gateway.policy.offers import BY_HAND
from gateway.secrets.places import read

__all__ = ["TASK_CHARACTERS", "Issuer", "Token", "TokenRefused", "groups_of", "issuer_name"]

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")

_UNKNOWN = "the token is not one that this gateway issued: get a new one with `countersign token mint`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token as it was issued: its text, once, and what it says."""

    text: str = field(repr=False)
    claims: Claims


class Issuer:
    """Issues, derives, verifies and revokes. What it changes is durable after the store's `commit`."""

    def __init__(
        self,
        keys: KeyRing,
        policy: Callable[[], Policy],
        lineages: Lineages,
        *,
        clock: Callable[[], float],
        secret: Callable[[SecretRef], str] = read,
    ) -> None:
        """`secret(ref)` is an agent's secret as it is now; it raises `SecretMissing`."""
        self._agents = AgentSecrets(policy, secret)
        self._keys = keys
        self._policy = policy
        self._lineages = lineages
        self._clock = clock

    @property
    def name(self) -> str:
        """The issuer identifier (RFC 8414): the gateway's public address."""
        return issuer_name(self._policy())

    def for_agent(
        self,
        name: str,
        secret: str,
        *,
        person: str = "",
        **terms: Unpack[Terms],
    ) -> Token:
        """A root agent's token (RFC 6749 §4.4): its whole scope unless `scope` asks for less. Raises `TokenRefused`."""
        return self._root(self.authenticate(name, secret), person=person, **terms)

    def for_proved_agent(
        self,
        name: str,
        *,
        person: str = "",
        kept: bool = False,
        **terms: Unpack[Terms],
    ) -> Token:
        """As `for_agent`, for a client that has proved otherwise to be that agent: by a key, or by a trusted issuer.

        `kept` is a token that never leaves the gateway, which nobody can take away. Raises `TokenRefused`.
        """
        agent = self._policy().agents.get(name)
        if agent is None:
            raise TokenRefused("invalid_client", f"policies.yaml no longer has the agent {name}")
        return self._root(agent, person=person, kept=kept, **terms)

    def for_person(self, person: str, **terms: Unpack[Terms]) -> Token:
        """The token of a person who has logged in, with nobody above them. Raises `TokenRefused`."""
        grantee = self._policy().people.get(person)
        if grantee is None:
            raise TokenRefused(
                "access_denied",
                f"{person} is logged in, but policies.yaml grants nothing: add a grant to `identity.people`",
            )
        return self._root(grantee, **terms)

    def _root(
        self,
        agent: Agent,
        *,
        person: str = "",
        scope: Scope | None = None,
        ttl: float | None = None,
        task: str = "",
        origin: str = "",
        key: str = "",
        kept: bool = False,
    ) -> Token:
        policy = self._policy()
        if not kept:
            bound_as(agent, key)
        granted = inside(scope, agent.scope, holder=f"agent {agent.name}")
        now = self._second()
        life = min(lifetime(ttl, default=agent.ttl), policy.tokens.max_ttl)
        token_id = _new_id()
        tether = Tether(
            name=agent.name,
            token_id=token_id,
            expires_at=math.floor(now + life),
            origin=origin_of(origin),
            task=task_of(task),
        )
        person = person_for(agent, person)
        return self._issue(
            Claims(
                person=person,
                chain=(tether,),
                scope=granted,
                groups=groups_of(policy, person),
                depth_left=agent.max_depth - 1,
                issued_at=now,
                issuer=issuer_name(policy),
                key=key,
            )
        )

    def derive(
        self,
        parent_token: str,
        *,
        name: str,
        scope: Scope | None = None,
        ttl: float | None = None,
        task: str = "",
        origin: str = "",
        key: str = "",
        child_key: str = "",
    ) -> Token:
        """A child's token (RFC 8693): inside its parent's scope, lifetime and depth. Raises `TokenRefused`.

        Without `scope` or `ttl` the child gets what its parent has left. The parent names the child; it cannot give it
        the name of an agent that policies.yaml declares, since rules trust those names. `key` is that which the parent
        proved; the child is bound to `child_key`, or else to the parent's: a bound token's child is never anybody's.
        """
        parent = self.verify(parent_token, key=key)
        bound_to = child_key or key
        bound_as(self._policy().root(parent.root), bound_to)
        if not NAME.fullmatch(name):
            raise TokenRefused(
                "invalid_request",
                "the child needs a name of up to 63 of the characters a-z 0-9 . _ - that begins with a letter or digit",
            )
        if name in self._policy().agents or name == BY_HAND:
            raise TokenRefused(
                "invalid_request",
                f"{name} is an agent of policies.yaml with a token of its own: name the child otherwise",
            )
        if parent.depth_left < 1:
            raise TokenRefused(
                "invalid_grant",
                f"{parent.agent} may not start further agents: its chain is as deep as it may be",
            )
        granted = inside(scope, parent.scope, holder=f"the token of {parent.agent}")
        now = self._second()
        left = parent.expires_at - now
        tether = Tether(
            name=name,
            token_id=_new_id(),
            expires_at=math.floor(now + min(lifetime(ttl, default=left), left)),
            origin=origin_of(origin),
            task=task_of(task),
        )
        return self._issue(
            Claims(
                person=parent.person,
                chain=(*parent.chain, tether),
                scope=granted,
                groups=parent.groups,
                depth_left=parent.depth_left - 1,
                issued_at=now,
                issuer=parent.issuer,
                key=bound_to,
            )
        )

    def for_hands(
        self, person: str, *, token_id: str, scope: Scope, issued_at: float, expires_at: float
    ) -> Token:
        """A token of a person's own, as often as it is asked for the same one. Raises `TokenRefused`.

        Nothing proves here who asks: whoever calls knows, and answers for it that people granted this.
        """
        policy = self._policy()
        known = self._lineages.get(token_id)
        if policy.root(BY_HAND) is None or not person or (known is not None and known.revoked_at is not None):
            raise TokenRefused("invalid_grant", "nobody has anything by hand here, or no longer")
        tether = Tether(name=BY_HAND, token_id=token_id, expires_at=math.floor(expires_at))
        return self._issue(
            Claims(
                person=person.lower(),
                chain=(tether,),
                scope=scope,
                groups=groups_of(policy, person.lower()),
                depth_left=0,
                issued_at=math.floor(issued_at),
                issuer=issuer_name(policy),
            )
        )

    def verify(self, token: str, *, key: str = "") -> Claims:
        """What a token says, if it holds at this moment; its scope is cut to what policies.yaml grants now.

        `key` is the thumbprint of the key that its holder has proved: a token that is bound to another is refused.
        Raises `TokenRefused("invalid_grant")`. Only a token that carries our signature learns why it is refused.
        """
        claims = self.check(self.payload(token))
        if claims.key and not hmac.compare_digest(claims.key.encode(), key.encode()):
            raise TokenRefused(UNPROVED, HOW_TO_PROVE)
        return claims

    def check(self, payload: Mapping[str, Any]) -> Claims:
        """As `verify`, for a payload whose signature was verified before (`gateway.identity.minted`)."""
        claims = self._read(payload)
        now = self._clock()
        if claims.issuer != self.name:
            raise TokenRefused("invalid_grant", _UNKNOWN)
        if now < claims.issued_at - 1:
            raise TokenRefused("invalid_grant", "the token is not valid yet: check the gateway's clock")
        if claims.expires_at <= now:
            raise TokenRefused("invalid_grant", "the token has expired: get a new one")
        reason = self.broken(claims.lineage)
        if reason:
            raise TokenRefused("invalid_grant", reason)
        policy = self._policy()
        root = policy.root(claims.root)
        assert root is not None  # or the lineage were broken
        bound_as(root, claims.key)
        return claims.narrowed(
            scope=scopes.within(root.scope, claims.scope),
            groups=groups_of(policy, claims.person),
            depth_left=min(claims.depth_left, root.max_depth - len(claims.chain)),
        )

    def broken(self, lineage: Lineage) -> str:
        """Why a lineage that once was admitted no longer holds, or "". Cheap: it is asked at every release."""
        if self._lineages.revoked(lineage.token_ids):
            return "the token was revoked, or one that it was derived from: get a new one"
        policy = self._policy()
        root, *children = lineage.chain
        agent = policy.root(root.name)
        if agent is None and root.name == lineage.person:
            return f"the login of {root.name} is over, or grants nothing any more: log in again"
        if agent is None:
            return f"policies.yaml no longer has the agent {root.name}"
        if lineage.depth > agent.max_depth:
            return f"policies.yaml now lets chains of {root.name} be {agent.max_depth} deep; this one is {lineage.depth}"
        if not may_name(agent, lineage.person):
            return f"{root.name} may no longer act for {lineage.person or 'nobody in particular'}"
        for child in children:
            if child.name in policy.agents:
                return (
                    f"{child.name} has become an agent of policies.yaml: start the child under another name"
                )
        return ""

    def revoked(self, token_id: str) -> bool:
        """Whether a token was revoked, or is not known here."""
        return self._lineages.revoked((token_id,))

    def authenticate(self, name: str, secret: str) -> Agent:
        """The root agent that `secret` belongs to; raises `TokenRefused("invalid_client")`, always the same one."""
        try:
            return self._agents.agent(name, secret)
        except NoSuchAgent:
            raise TokenRefused(
                "invalid_client",
                "no agent of policies.yaml has this name and secret: check both, and that the gateway can read the secret",
            ) from None

    def own(self, token: str) -> Claims:
        """What a token of ours says, whether or not it still holds; raises `TokenRefused` for any other."""
        return self._read(self.payload(token))

    def payload(self, token: str) -> dict[str, Any]:
        """The claims set of a token that carries our signature, as JSON; raises `TokenRefused`."""
        try:
            return self._keys.verify(token)
        except SignatureRefused:
            raise TokenRefused("invalid_grant", _UNKNOWN) from None

    def revoke(self, token: str, *, by: str = "", reason: str = "") -> tuple[str, ...]:
        """Ends a token, given as its text or its id, and everything derived from it; returns the ids that ended.

        A text that is not ours, or an id that nobody has, ends nothing (RFC 7009 §2.2). An expired token still can.
        """
        token_id = token
        if "." in token:
            try:
                claims = self.own(token)
            except TokenRefused:
                return ()
            token_id, by = claims.token_id, by or claims.agent
        return self._lineages.revoke(token_id, by=by, reason=reason)

    def rotate_keys(self) -> None:
        """A new key signs from now on; what the others signed keeps its life."""
        # Tokens issued when policies.yaml allowed longer lives still have to verify.
        ends = [link.expires_at for link in self._lineages.links().values()]
        now = self._clock()
        self._keys.rotate(keep=max([self._policy().tokens.max_ttl, *(end - now for end in ends)]))

    def disown_all(self, *, by: str) -> tuple[str, ...]:
        """Ends every token there is, known here or not, and replaces the keys; returns the ids that ended."""
        revoked = self._lineages.revoke_all(by=by, reason="all tokens were disowned")
        self._keys.rotate(keep=0)
        return revoked

    def _second(self) -> float:
        # Tokens count in whole seconds: rounding must never give a child the last fraction that its parent lost.
        return float(math.floor(self._clock()))

    def _issue(self, claims: Claims) -> Token:
        text = self._keys.sign(to_payload(claims))
        if len(text) > TOKEN_CHARACTERS:
            raise TokenRefused(
                "invalid_request", "the token would be too long: shorten the tasks, or narrow the scope"
            )
        parent = claims.chain[-2].token_id if len(claims.chain) > 1 else ""
        link = Link(
            token_id=claims.token_id,
            parent=parent,
            root_agent=claims.root,
            name=claims.agent,
            person=claims.person,
            expires_at=claims.expires_at,
        )
        try:
            self._lineages.register(link)
        except LineageFull as full:
            raise TokenRefused("invalid_request", str(full)) from None
        return Token(text=text, claims=claims)

    def _read(self, payload: Mapping[str, Any]) -> Claims:
        try:
            return from_payload(payload)
        except ClaimsMalformed:
            raise TokenRefused("invalid_grant", _UNKNOWN) from None


def groups_of(policy: Policy, person: str) -> frozenset[str]:
    """The groups of policies.yaml that list `person`."""
    return frozenset(
        name for name, group in policy.groups.items() if person and person in map(str.lower, group.members)
    )


def _new_id() -> str:
    return secrets.token_hex(12)
