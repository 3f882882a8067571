"""Identity providers and trusted issuers of policies.yaml, as frozen values, and what their word makes of somebody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from gateway.model import Scope
from gateway.policy.credentials import SecretRef
from gateway.policy.globs import Globs

HOUR = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """What a token is bound to by its first use, and what becomes of other use of it."""

    to: frozenset[str] = frozenset()
    """`address`: from where it is used first; `session`: one session at a time; `proof`: to a key (RFC 9449)."""
    reuse: Literal["announce", "refuse", "revoke"] = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcProvider:
    """An OpenID provider at which people log in."""

    name: str
    issuer: str
    """Exactly as its tokens spell it."""
    client_id: str
    client_secret: SecretRef | None = None
    """None for a public client, whom PKCE alone protects."""
    scopes: tuple[str, ...] = ("email",)
    """What is asked for beside `openid`."""
    person: str = "email"
    """The claim that is the person's e-mail address."""
    groups: str = "groups"
    """The claim that lists the person's groups."""
    domains: tuple[str, ...] = ()
    """Whose addresses it may vouch for; empty for anybody's."""
    verified: bool = False
    """Addresses count as verified where its tokens do not say whether they are."""
    ca: str = ""
    """A file of certificates to trust in place of the system's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SamlProvider:
    """A SAML 2.0 identity provider at which people log in."""

    name: str
    metadata: str
    """`file:PATH` or address of what it says of itself: its keys, and where it takes requests."""
    entity_id: str = ""
    """Which one is meant, where the metadata describes several."""
    person: str = ""
    """The attribute that is the person's e-mail address; "" for a NameID of that format."""
    groups: str = "groups"
    """The attribute that lists the person's groups."""
    domains: tuple[str, ...]
    """Whose addresses it may vouch for."""
    key: SecretRef | None = None
    """The gateway's RSA key and certificate, in one PEM, where requests are signed."""
    ca: str = ""
    """A file of certificates to trust in place of the system's, for the address of its metadata."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleGrant:
    """What people may do by a login of their own."""

    name: str
    groups: tuple[str, ...] = ()
    """Groups of policies.yaml of which one is enough; none: everybody who logs in."""
    scope: Scope = field(default_factory=dict)
    max_depth: int = 3
    ttl: float = 8 * HOUR
    binding: Binding = field(default_factory=Binding)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadRule:
    """Which tokens of an issuer are whose."""

    when: Mapping[str, Globs]
    """Claim, or path of claims, to what it has to be; all of them."""
    agent: str
    scope: Scope | None = None
    """Less than the agent's own."""
    person: str = ""
    """The claim that names the person who answers for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """An issuer whose tokens programs may bring instead of a secret."""

    name: str
    issuer: str
    """Exactly as its tokens spell it."""
    audience: str
    rules: tuple[WorkloadRule, ...]
    keys: str = ""
    """`file:PATH` or the address of its keys, for an issuer that nobody here can discover."""
    ca: str = ""
    max_age: float | None = None
    """How long after it was issued a token is taken at most, in seconds."""
    once: bool = False
    """Each token is taken once: it has to have a `jti`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityPolicy:
    """Whose word the gateway takes."""

    providers: Mapping[str, OidcProvider | SamlProvider] = field(default_factory=dict)
    people: tuple[PeopleGrant, ...] = ()
    workloads: Mapping[str, Workload] = field(default_factory=dict)
    remembered: float = 12 * HOUR
    """How long what a provider said of a person's groups counts, in seconds."""
