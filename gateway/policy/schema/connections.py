"""Connections, the agents and groups that meet at them, and where secrets are kept."""

from __future__ import annotations

from gateway.policy import secrets, sections
from gateway.policy.schema import values
from gateway.policy.schema.identities import BINDING, TOGETHER
from gateway.policy.schema.values import DEPTH, Schema
from gateway.policy.values import EFFECTS
from gateway.policy.vocabulary import Vocabulary


def connection(vocabulary: Vocabulary) -> Schema:
    schemes = sorted({scheme for each in vocabulary.protocols.values() for scheme in each})
    made = values.mapping(
        {
            "protocol": values.choice(sorted(vocabulary.protocols)),
            "listen": values.address(),
            "upstream": {"type": "string", "pattern": f"^({'|'.join(schemes)})://"},
            "credential": {
                **values.mapping(
                    {
                        "user": values.text(),
                        "password": values.secret(),
                        "key": values.secret(),
                        "token": values.secret(),
                        "roles": _roles(),
                    }
                ),
                "anyOf": [{"required": ["user"]}, {"required": ["token"]}],
            },
            "labels": {
                "type": "object",
                "propertyNames": values.name(),
                "additionalProperties": values.text(),
            },
            "options": {"type": "object"},
            "channels": values.mapping({"approvals": values.channel(), "audit": values.channel()}),
        },
        required=("protocol", "listen", "upstream", "credential"),
    )
    made["allOf"] = [
        {
            "if": {"properties": {"protocol": {"const": protocol}}, "required": ["protocol"]},
            "then": {
                "properties": {
                    **(
                        {}
                        if protocol in vocabulary.makes_roles
                        else {"credential": {"properties": {"roles": False}}}
                    ),
                    "upstream": {"pattern": f"^({'|'.join(each)})://"},
                    "options": values.mapping(
                        {
                            name: values.choice(sorted(choices))
                            for name, choices in vocabulary.options.get(protocol, {}).items()
                        }
                    ),
                }
            },
        }
        for protocol, each in sorted(vocabulary.protocols.items())
    ]
    return made


def _roles() -> Schema:
    made = values.mapping(
        {
            "schemas": values.listed(
                values.text("A schema, on whose things it gets the privileges of the scope's effects.")
            ),
            "member_of": {
                **values.mapping({effect: values.listed(values.text()) for effect in EFFECTS}),
                "minProperties": 1,
            },
            "owner": values.text("Who gets what a session leaves behind."),
            "valid": values.duration(),
        }
    )
    made["anyOf"] = [{"required": ["schemas"]}, {"required": ["member_of"]}]
    return {**made, "description": "A role is made for each session."}


def agent() -> Schema:
    anybody = {"anyOf": [{"const": "*"}, values.person()]}
    made = values.mapping(
        {
            "secret": values.secret(),
            "scope": values.scope(),
            "max_depth": values.whole(1, DEPTH),
            "person": values.person(),
            "persons": values.listed(anybody),
            "ttl": values.duration(),
            "keys": values.listed({"type": "string", "pattern": sections.PUBLIC_KEY.pattern}),
            **BINDING,
        },
        required=("scope",),
    )
    return made | TOGETHER


def group() -> Schema:
    return values.mapping(
        {
            "slack": values.matching(sections.HANDLE),
            "members": values.listed(values.person()),
            "claim": values.listed(values.text()),
        }
    )


def stores() -> Schema:
    approle = values.mapping(
        {"role_id": values.near_secret(), "secret_id": values.near_secret(), "mount": values.text()},
        required=("role_id", "secret_id"),
    )
    account = values.mapping(
        {"role": values.text(), "token": values.near_secret(), "mount": values.text()},
        required=("role", "mount"),
    )
    auth = values.mapping({"token": values.near_secret(), "approle": approle, "service_account": account})
    vault = values.mapping(
        {
            "address": {"type": "string", "pattern": "^https?://"},
            "namespace": values.text(),
            "ca": values.text("A file of certificates to trust in place of the system's."),
            "auth": {**auth, "minProperties": 1, "maxProperties": 1},
        },
        required=("address", "auth"),
    )
    aws = values.mapping({"region": values.matching(secrets.REGION), "profile": values.text()})
    return values.mapping(
        {"refresh": values.duration(), "stale": values.duration(), "vault": vault, "aws": aws}
    )
