"""The section `identity` of the file: identity providers at which people log in, and trusted issuers of workloads."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import partial
from typing import Literal, cast
from urllib.parse import urlsplit

from gateway.policy import tree
from gateway.policy.globs import WILDCARDS, Globs
from gateway.policy.identities import (
    Binding,
    IdentityPolicy,
    OidcProvider,
    PeopleGrant,
    SamlProvider,
    Workload,
    WorkloadRule,
)
from gateway.policy.model import Agent, Target
from gateway.policy.reader import Look, suggestion
from gateway.policy.secrets import secret
from gateway.policy.values import given, group, is_loopback, scope

PROVIDER = ("oidc", "client_id", "client_secret", "scopes", "claims", "domains", "verified", "ca")
SAML = ("saml", "entity_id", "attributes", "domains", "key", "ca")
WORKLOAD = ("issuer", "audience", "rules", "keys", "ca", "max_age", "once")
RULE = ("when", "agent", "scope", "person")
GRANT = ("groups", "scope", "max_depth", "ttl", "bound", "reuse")
PLACES = ("address", "session")
"""Where a token is used, of which there may be others."""
BOUND = (*PLACES, "proof")
REUSE = ("announce", "refuse", "revoke")
ISSUER = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?")
METADATA = re.compile(rf"{ISSUER.pattern}(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?")
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+")
SAID_BY_ALL = frozenset({"iss", "aud", "exp", "nbf", "iat", "jti"})
"""Claims that every token of an issuer has alike, or that are new in each: neither tells whose it is."""


def identity(
    look: Look, *, connections: Mapping[str, Target], agents: Mapping[str, Agent], groups: Collection[str]
) -> IdentityPolicy:
    own = IdentityPolicy()
    keys = look.fields(("providers", "people", "workloads", "remembered"))
    return IdentityPolicy(
        providers=given(keys, "providers", _providers, {}),
        people=given(keys, "people", partial(_people, connections=connections, groups=groups), ()),
        workloads=given(keys, "workloads", partial(_workloads, connections=connections, agents=agents), {}),
        remembered=given(keys, "remembered", Look.duration, own.remembered),
    )


# people


def _providers(look: Look) -> dict[str, OidcProvider | SamlProvider]:
    found: dict[str, OidcProvider | SamlProvider] = {}
    for name, entry in look.entries("a provider").items():
        _in_an_address(entry, name)
        found[name] = _saml(entry, name) if _has(entry, "saml") else _oidc(entry, name)
    return found


def _has(look: Look, name: str) -> bool:
    return isinstance(look.node, tree.Mapping) and any(key.value == name for key, _ in look.node.entries)


def _oidc(look: Look, name: str) -> OidcProvider:
    keys = look.fields(PROVIDER, required=("oidc", "client_id"))
    claims = given(keys, "claims", lambda look: look.fields(("person", "groups")), {})
    return OidcProvider(
        name=name,
        issuer=given(keys, "oidc", _issuer, ""),
        client_id=given(keys, "client_id", Look.text, ""),
        client_secret=given(keys, "client_secret", secret, None),
        scopes=given(keys, "scopes", lambda look: look.each(Look.text), ("email",)),
        person=given(claims, "person", Look.text, "email"),
        groups=given(claims, "groups", Look.text, "groups"),
        domains=given(keys, "domains", lambda look: look.each(_domain), ()),
        verified=given(keys, "verified", Look.flag, False),
        ca=given(keys, "ca", Look.text, ""),
    )


def _saml(look: Look, name: str) -> SamlProvider:
    keys = look.fields(SAML, required=("saml", "domains"))
    attributes = given(keys, "attributes", lambda look: look.fields(("person", "groups")), {})
    return SamlProvider(
        name=name,
        metadata=given(keys, "saml", _metadata, ""),
        entity_id=given(keys, "entity_id", Look.text, ""),
        person=given(attributes, "person", Look.text, ""),
        groups=given(attributes, "groups", Look.text, "groups"),
        domains=given(keys, "domains", lambda look: look.each(_domain), ()),
        key=given(keys, "key", secret, None),
        ca=given(keys, "ca", Look.text, ""),
    )


def _in_an_address(look: Look, name: str) -> None:
    if not NAME.fullmatch(name):
        look.fault_at_key(
            f"`{name[:60]}` stands in the address that the provider sends browsers back to; use a-z, 0-9 and -"
        )


def _people(
    look: Look, *, connections: Mapping[str, Target], groups: Collection[str]
) -> tuple[PeopleGrant, ...]:
    found: list[PeopleGrant] = []
    for name, entry in look.entries("a grant").items():
        keys = entry.fields(GRANT, required=("scope",))
        own = PeopleGrant(name=name)
        found.append(
            PeopleGrant(
                name=name,
                groups=given(keys, "groups", lambda look: look.each(lambda each: group(each, groups)), ()),
                scope=given(keys, "scope", partial(scope, connections=connections), {}),
                max_depth=given(
                    keys, "max_depth", lambda look: look.integer(least=1, most=32), own.max_depth
                ),
                ttl=given(keys, "ttl", Look.duration, own.ttl),
                binding=binding(keys),
            )
        )
    return tuple(found)


def binding(keys: Mapping[str, Look]) -> Binding:
    """Of an entry's keys, `bound` and `reuse`."""
    bound = given(
        keys,
        "bound",
        lambda look: look.each(lambda each: each.choice(BOUND, "what a token can be bound to")),
        (),
    )
    if "reuse" in keys and not set(bound) & set(PLACES):
        keys["reuse"].fault("it says what becomes of what `bound` does not allow; add `bound: address`")
    reuse = (
        given(keys, "reuse", lambda look: look.choice(REUSE, "what can become of it"), "") or Binding().reuse
    )
    return Binding(to=frozenset(bound), reuse=cast("Literal['announce', 'refuse', 'revoke']", reuse))


# workloads


def _workloads(
    look: Look, *, connections: Mapping[str, Target], agents: Mapping[str, Agent]
) -> dict[str, Workload]:
    found: dict[str, Workload] = {}
    by_issuer: dict[str, str] = {}
    for name, entry in look.entries("an issuer").items():
        keys = entry.fields(WORKLOAD, required=("issuer", "audience", "rules"))
        issuer = given(keys, "issuer", _issuer, "")
        other = by_issuer.setdefault(issuer, name)
        if issuer and other != name:
            keys["issuer"].fault(f"`{other}` has this issuer already; put the rules of both together")
        found[name] = Workload(
            name=name,
            issuer=issuer,
            audience=given(keys, "audience", Look.text, ""),
            rules=given(keys, "rules", partial(_rules, connections=connections, agents=agents), ()),
            keys=given(keys, "keys", _keys, ""),
            ca=given(keys, "ca", Look.text, ""),
            max_age=given(keys, "max_age", Look.duration, None),
            once=given(keys, "once", Look.flag, False),
        )
    return found


def _rules(
    look: Look, *, connections: Mapping[str, Target], agents: Mapping[str, Agent]
) -> tuple[WorkloadRule, ...]:
    if not isinstance(look.node, tree.Sequence):
        look.fault("this must be a list of rules; begin each with `- when: {...}`")
        return ()
    found: list[WorkloadRule] = []
    for entry in look.items():
        keys = entry.fields(RULE, required=("when", "agent"))
        agent = given(keys, "agent", lambda look: _agent(look, agents), "")
        granted = given(keys, "scope", partial(scope, connections=connections), None)
        if granted is not None and agent:
            held = agents[agent].scope
            beyond = [name for name, effects in granted.items() if effects - held.get(name, frozenset())]
            if beyond:
                keys["scope"].fault(
                    f"{agent} itself has less on {', '.join(sorted(beyond))}; widen its scope, or narrow this"
                )
        found.append(
            WorkloadRule(
                when=given(keys, "when", _claims, {}),
                agent=agent,
                scope=granted,
                person=given(keys, "person", Look.text, ""),
            )
        )
    return tuple(found)


def _agent(look: Look, agents: Mapping[str, Agent]) -> str:
    value = look.text()
    if value and value not in agents:
        look.fault(f"the agent `{value[:60]}` is not declared under `agents`{suggestion(value, agents)}")
        return ""
    return value


def _claims(look: Look) -> dict[str, Globs]:
    claims: dict[str, Globs] = {}
    restricts = False
    for name, entry in look.pairs().items():
        patterns = entry.each(_claim)
        if name in SAID_BY_ALL:
            entry.fault_at_key(
                f"`{name}` does not tell one token of an issuer from another's; name what does, as `sub`"
            )
        restricts = restricts or all(set(each) - WILDCARDS for each in patterns)
        claims[name] = Globs(patterns)
    if not restricts and isinstance(look.node, tree.Mapping):
        look.fault_at_key(
            "every token of this issuer would match, whoever it was issued to; name a claim and what it has to be"
        )
    return claims


def _claim(look: Look) -> str:
    """Text, as claims are compared. A number or true and false are meant as they are written."""
    if isinstance(look.node, tree.Scalar) and isinstance(look.node.value, bool | int):
        return f"{look.node.value}".lower()
    return look.text()


# values


def _issuer(look: Look) -> str:
    return _address(look, "an issuer", "https://token.actions.githubusercontent.com")


def _keys(look: Look) -> str:
    return _file_or_address(
        look,
        "the place of keys",
        "https://10.0.0.1:6443/openid/v1/jwks or file:/etc/countersign/jwks.json",
        ISSUER,
    )


def _metadata(look: Look) -> str:
    return _file_or_address(
        look,
        "the place of metadata",
        "https://idp.example/metadata or file:/etc/countersign/idp.xml",
        METADATA,
    )


def _file_or_address(look: Look, what: str, example: str, shape: re.Pattern[str]) -> str:
    if isinstance(look.node, tree.Scalar) and str(look.node.value).startswith("file:"):
        value = look.text()
        if value == "file:":
            look.fault("file: needs a path behind it")
        return value
    return _address(look, what, example, shape)


def _address(look: Look, what: str, example: str, shape: re.Pattern[str] = ISSUER) -> str:
    """An address that may be believed: encrypted, or on this machine."""
    value = look.text()
    if not value:
        return ""
    if not shape.fullmatch(value) or not _parsed(value):
        look.fault(f"`{value[:80]}` cannot be {what}; write it as in {example}")
        return ""
    if value.startswith("http://") and not is_loopback(_parsed(value)):
        look.fault("whoever sits on the way could answer in its place; write https://")
        return ""
    return value


def _parsed(value: str) -> str:
    """The host; "" where the address cannot be read."""
    try:
        url = urlsplit(value)
        usable = url.port != 0
    except ValueError:
        return ""
    return (url.hostname or "") if usable else ""


def _domain(look: Look) -> str:
    value = look.text().lower()
    if value and not DOMAIN.fullmatch(value):
        look.fault(f"`{value[:60]}` is no domain of e-mail addresses; write it as in example.com")
        return ""
    return value
