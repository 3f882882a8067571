"""Identity providers of people, and trusted issuers of workloads."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.policy import identifying
from gateway.policy.schema import values
from gateway.policy.schema.values import DEPTH, Schema

BINDING: Mapping[str, Schema] = {
    "bound": values.listed(values.choice(identifying.BOUND), "What its tokens are bound to."),
    "reuse": values.choice(identifying.REUSE),
}
_PLACE: Schema = {"enum": list(identifying.PLACES)}
TOGETHER: Schema = {
    "dependentRequired": {"reuse": ["bound"]},
    "if": {"required": ["reuse"]},
    "then": {"properties": {"bound": {"anyOf": [_PLACE, {"type": "array", "contains": _PLACE}]}}},
}
"""What has `reuse` and is bound to no place is no entry."""


def identity() -> Schema:
    address = values.matching(identifying.ISSUER)
    provider: Mapping[str, Schema] = {
        "oidc": address,
        "client_id": values.text(),
        "client_secret": values.secret(),
        "scopes": values.listed(values.text("Asked for beside `openid`.")),
        "claims": values.mapping({"person": values.text(), "groups": values.text()}),
        "domains": values.listed(values.text("A domain whose addresses the provider may vouch for.")),
        "verified": {"type": "boolean"},
        "ca": values.text("A file of certificates."),
    }
    saml: Mapping[str, Schema] = {
        "saml": {
            "anyOf": [values.matching(identifying.METADATA), {"type": "string", "pattern": "^file:.+$"}]
        },
        "entity_id": values.text("Which provider is meant, where the metadata describes several."),
        "attributes": values.mapping({"person": values.text(), "groups": values.text()}),
        "domains": provider["domains"],
        "key": values.secret(),
        "ca": provider["ca"],
    }
    grant: Mapping[str, Schema] = {
        "groups": values.listed(values.text("A group of `groups`.")),
        "scope": values.scope(),
        "max_depth": values.whole(1, DEPTH),
        "ttl": values.duration(),
        **BINDING,
    }
    rule: Mapping[str, Schema] = {
        "when": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": values.listed(
                {"anyOf": [values.text(), {"type": ["integer", "boolean"]}]}
            ),
            "propertyNames": {"not": {"enum": sorted(identifying.SAID_BY_ALL)}},
            "description": "Claim to what it has to be.",
        },
        "agent": values.text("An agent of `agents`."),
        "scope": values.scope(),
        "person": values.text("The claim that names who answers for it."),
    }
    workload: Mapping[str, Schema] = {
        "issuer": address,
        "audience": values.text(),
        "rules": {
            "type": "array",
            "minItems": 1,
            "items": values.mapping(
                {name: rule[name] for name in identifying.RULE}, required=("when", "agent")
            ),
        },
        "keys": {"anyOf": [address, {"type": "string", "pattern": "^file:.+$"}]},
        "ca": values.text("A file of certificates."),
        "max_age": values.duration(),
        "once": {"type": "boolean"},
    }
    return values.mapping(
        {
            "providers": {
                **values.named(
                    {
                        "if": {"type": "object", "required": ["saml"]},
                        "then": values.mapping(
                            {name: saml[name] for name in identifying.SAML}, required=("saml", "domains")
                        ),
                        "else": values.mapping(
                            {name: provider[name] for name in identifying.PROVIDER},
                            required=("oidc", "client_id"),
                        ),
                    },
                    "Where people log in, by name.",
                ),
                "propertyNames": values.matching(identifying.NAME),
            },
            "people": values.named(
                values.mapping({name: grant[name] for name in identifying.GRANT}, required=("scope",))
                | TOGETHER,
                "What people may do by a login of their own.",
            ),
            "workloads": values.named(
                values.mapping(
                    {name: workload[name] for name in identifying.WORKLOAD},
                    required=("issuer", "audience", "rules"),
                ),
                "Issuers whose tokens programs may bring instead of a secret, by name.",
            ),
            "remembered": values.duration(),
        }
    )
