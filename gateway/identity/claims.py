"""What a token says, and how that is written as JWT claims.

`sub` is whom everything is done for: the person, or the root agent where no person stands above it. `act` (RFC 8693
§4.1) is who acts, most recent outermost. `authorization_details` (RFC 9396) is the scope. What these standards have no
place for is in two private claims: `lineage`, root first, with every link's token id, end, origin and task, so that any
ancestor's revocation can be asked for; and `depth_left`. `cnf` is the key that it is bound to. `docs/identity.md` shows one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from gateway.identity import scopes
from gateway.model import Actor, Lineage, Scope

AUDIENCE = "countersign"

_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")


class ClaimsMalformed(Exception):
    """Signed by us, but not what this version would have signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tether:
    """One link of the chain as the token carries it: an `Actor`, and when that actor's own token ends."""

    name: str
    token_id: str
    expires_at: float
    origin: str = ""
    task: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """A token's content. Times are whole Unix seconds."""

    person: str
    chain: tuple[Tether, ...]
    """Root agent first, the holder last."""
    scope: Scope
    groups: frozenset[str]
    """The person's groups: as issued in the token, as policies.yaml has them now after `Issuer.verify`."""
    depth_left: int
    """How many further agents may stand below the holder."""
    issued_at: float
    issuer: str
    key: str = ""
    """The thumbprint of the key that its holder has to prove (RFC 9449 §6.1); "" for whoever shows it."""

    @property
    def token_id(self) -> str:
        return self.chain[-1].token_id

    @property
    def agent(self) -> str:
        """The holder's name."""
        return self.chain[-1].name

    @property
    def root(self) -> str:
        """The root agent's name: the one that policies.yaml declares."""
        return self.chain[0].name

    @property
    def expires_at(self) -> float:
        return self.chain[-1].expires_at

    @property
    def lineage(self) -> Lineage:
        chain = tuple(
            Actor(name=link.name, token_id=link.token_id, origin=link.origin, task=link.task)
            for link in self.chain
        )
        return Lineage(person=self.person, chain=chain, groups=self.groups)

    def narrowed(self, *, scope: Scope, groups: frozenset[str], depth_left: int) -> Claims:
        """The same token under today's policy."""
        return replace(self, scope=scope, groups=groups, depth_left=depth_left)


def to_payload(claims: Claims) -> dict[str, Any]:
    """The JWT's claims set."""
    names = [link.name for link in claims.chain]
    payload: dict[str, Any] = {
        "iss": claims.issuer,
        "aud": AUDIENCE,
        "sub": claims.person or names[0],
        "client_id": names[0],
        "jti": claims.token_id,
        "iat": int(claims.issued_at),
        "nbf": int(claims.issued_at),
        "exp": int(claims.expires_at),
        "authorization_details": scopes.details(claims.scope),
        "lineage": [_link_payload(link) for link in claims.chain],
        "depth_left": claims.depth_left,
    }
    acting = _act(names if claims.person else names[1:])
    if acting is not None:
        payload["act"] = acting
    if claims.person:
        payload["person"] = claims.person
    if claims.groups:
        payload["groups"] = sorted(claims.groups)
    if claims.key:
        payload["cnf"] = {"jkt": claims.key}
    return payload


def from_payload(payload: Mapping[str, Any]) -> Claims:
    """Reads what `to_payload` wrote; anything else, or anything that contradicts itself, raises `ClaimsMalformed`."""
    try:
        claims = Claims(
            person=str(payload.get("person", "")),
            chain=tuple(_link(link) for link in payload["lineage"]),
            scope=scopes.from_details(payload["authorization_details"]),
            groups=frozenset(payload.get("groups", ())),
            depth_left=int(payload["depth_left"]),
            issued_at=float(payload["iat"]),
            issuer=str(payload["iss"]),
            key=str(payload["cnf"]["jkt"]) if "cnf" in payload else "",
        )
        # Written again it must be the same: what this version does not know it cannot enforce.
        same = bool(claims.chain) and to_payload(claims) == dict(payload)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, scopes.ScopeMalformed):
        raise ClaimsMalformed("not the claims of a token") from None
    if not same or claims.depth_left < 0 or (claims.key and not is_thumbprint(claims.key)):
        raise ClaimsMalformed("the claims contradict each other")
    ends = [link.expires_at for link in claims.chain]
    if any(later > earlier for earlier, later in pairwise(ends)):
        raise ClaimsMalformed("a child outlives its parent")
    if len(set(claims.lineage.token_ids)) != len(claims.chain):
        raise ClaimsMalformed("a token stands above itself")
    return claims


def is_thumbprint(text: str) -> bool:
    """Whether `text` can name a key: a SHA-256 thumbprint (RFC 7638)."""
    return _THUMBPRINT.fullmatch(text) is not None


def _act(names: list[str]) -> dict[str, Any] | None:
    acting: dict[str, Any] | None = None
    for name in names:
        acting = {"sub": name} if acting is None else {"sub": name, "act": acting}
    return acting


def _link_payload(link: Tether) -> dict[str, Any]:
    payload: dict[str, Any] = {"name": link.name, "jti": link.token_id, "exp": int(link.expires_at)}
    if link.origin:
        payload["origin"] = link.origin
    if link.task:
        payload["task"] = link.task
    return payload


def _link(payload: Mapping[str, Any]) -> Tether:
    return Tether(
        name=str(payload["name"]),
        token_id=str(payload["jti"]),
        expires_at=float(payload["exp"]),
        origin=str(payload.get("origin", "")),
        task=str(payload.get("task", "")),
    )
