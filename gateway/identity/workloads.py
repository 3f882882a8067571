"""Programs that come with another issuer's token instead of a secret: CI jobs, service accounts, cloud workloads.

The token's own claims say which agent of policies.yaml it is, by the rules there. Every rule that matches counts: what
they grant adds up, and a token that could be several agents' has to say which one it wants to be.
"""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Callable, Mapping
from typing import Any

from gateway.identity import foreign
from gateway.identity.authorities import Authorities
from gateway.identity.claimed import texts
from gateway.identity.fetching import Unavailable
from gateway.identity.foreign import ForeignRefused
from gateway.identity.tokens import Issuer, Token, TokenRefused
from gateway.identity.wishes import inside
from gateway.model import Effects, Scope
from gateway.policy.identities import Workload, WorkloadRule
from gateway.policy.model import Policy
from gateway.store import Store

TABLE = "spent_tokens"
SPENT = 20_000
"""Tokens of others that are remembered, where each counts once; when there are more, no more are taken."""
JTI_CHARACTERS = 512
_UNKNOWN = "no issuer of `identity.workloads` in policies.yaml signed this token"

log = logging.getLogger(__name__)


class Workloads:
    """Exchanges tokens of trusted issuers for tokens of root agents."""

    def __init__(
        self,
        policy: Callable[[], Policy],
        authorities: Authorities,
        issuer: Issuer,
        store: Store,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._policy = policy
        self._authorities = authorities
        self._issuer = issuer
        self._store = store
        self._clock = clock

    async def token(
        self,
        assertion: str,
        *,
        agent: str = "",
        scope: Scope | None = None,
        ttl: float | None = None,
        task: str = "",
        key: str = "",
    ) -> Token:
        """The token of the agent that `assertion` is, `agent` where it could be several. Raises `TokenRefused`.

        Only who comes with a good signature learns why it does not do.
        """
        workload, claims = await self._claims(assertion)
        try:
            foreign.check(
                claims,
                issuer=workload.issuer,
                audience=workload.audience,
                now=self._clock(),
                max_age=workload.max_age,
            )
        except ForeignRefused as refused:
            raise TokenRefused("invalid_grant", str(refused)) from None
        rules = [rule for rule in workload.rules if matches(rule, claims)]
        name = _one_agent(rules, agent, workload)
        rules = [rule for rule in rules if rule.agent == name]
        granted = self._granted(rules)
        if workload.once:
            self._spend(workload, claims)
        return self._issuer.for_proved_agent(
            name,
            person=_person(rules, claims),
            scope=inside(scope, granted, holder=f"{name} by this token"),
            ttl=ttl,
            task=task,
            origin=f"{workload.name}: {claims['sub']}",
            key=key,
        )

    async def _claims(self, assertion: str) -> tuple[Workload, Mapping[str, Any]]:
        """What a token says that a trusted issuer signed."""
        try:
            token = foreign.unverified(assertion)
            issuer = token.issuer
            workload = next(
                (each for each in self._policy().identity.workloads.values() if each.issuer == issuer), None
            )
            if workload is None:
                raise ForeignRefused("its issuer is not one of policies.yaml")
            authority = self._authorities.of(workload.issuer, keys=workload.keys, ca=workload.ca)
            return workload, foreign.verify(token, await authority.keys(token))
        except ForeignRefused as refused:
            log.info("a workload's token was refused: %s", refused)
            raise TokenRefused("invalid_grant", _UNKNOWN) from None
        except Unavailable:
            raise TokenRefused(
                "temporarily_unavailable",
                f"the keys of {workload.name if workload else 'an issuer'} cannot be had now: try again",
            ) from None

    def _granted(self, rules: list[WorkloadRule]) -> Scope:
        """What the rules for one agent grant together."""
        granted: dict[str, Effects] = {}
        for rule in rules:
            scope = rule.scope
            if scope is None:
                scope = self._policy().agents[rule.agent].scope
            for connection, effects in scope.items():
                granted[connection] = granted.get(connection, frozenset()) | effects
        return granted

    def _spend(self, workload: Workload, claims: Mapping[str, Any]) -> None:
        """Notes that a token was used. Raises `TokenRefused` where it was before, or nobody could tell."""
        identity, now = claims.get("jti"), self._clock()
        if not isinstance(identity, str) or not 0 < len(identity) <= JTI_CHARACTERS:
            raise TokenRefused("invalid_grant", "the token has no `jti`, and is to be used once")
        for key, document in list(self._store.all(TABLE).items()):
            if document["until"] <= now:
                self._store.delete(TABLE, key)
        key = hashlib.sha256(f"{workload.issuer}\0{identity}".encode()).hexdigest()
        if self._store.get(TABLE, key) is not None:
            raise TokenRefused("invalid_grant", "the token was used before: get a new one for each use")
        if len(self._store.all(TABLE)) >= SPENT:
            raise TokenRefused("temporarily_unavailable", "too many tokens are in use: try again later")
        until = math.ceil(float(claims["exp"]) + 2 * foreign.CLOCKS_APART)
        self._store.put(TABLE, key, {"until": until, "issuer": workload.name})


def matches(rule: WorkloadRule, claims: Mapping[str, Any]) -> bool:
    """Whether each claim of the rule says one of what it has to."""
    return bool(rule.when) and all(
        any(globs.match(text) for text in texts(claims, path)) for path, globs in rule.when.items()
    )


def _one_agent(rules: list[WorkloadRule], wanted: str, workload: Workload) -> str:
    names = sorted({rule.agent for rule in rules})
    if wanted:
        names = [name for name in names if name == wanted]
    if not names:
        raise TokenRefused(
            "invalid_grant",
            f"no rule of `identity.workloads.{workload.name}` is for this token"
            + (" and that agent" if wanted else ""),
        )
    if len(names) > 1:
        raise TokenRefused(
            "invalid_request", f"this token may be {' or '.join(names)}: say which as client_id"
        )
    return names[0]


def _person(rules: list[WorkloadRule], claims: Mapping[str, Any]) -> str:
    """Who answers for it by the rules; "" where they leave it to the agent's own entry."""
    named = {rule.person for rule in rules if rule.person}
    people = {text for claim in named for text in texts(claims, claim)}
    if named and len(people) != 1:
        raise TokenRefused(
            "invalid_grant", f"the token does not say in {' or '.join(sorted(named))} who answers for it"
        )
    return next(iter(people), "")
