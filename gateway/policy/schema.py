"""The JSON Schema (2020-12) of policies.yaml, made from the names that the code itself reads the file by.

Editors complete and mark by it; `countersign check` decides. It accepts every file that `check` accepts, and refuses
what shape, keys and vocabulary can tell; what refers to another place of the file, `check` alone sees.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import orjson

from gateway import wire
from gateway.policy import identifying, secrets, sections
from gateway.policy.conditions import CLOCK, CONDITIONS, MOST, ORDERING
from gateway.policy.expressions import LONGEST
from gateway.policy.file import SECTIONS
from gateway.policy.moment import WEEK
from gateway.policy.reader import DURATION, NAME, SIZE
from gateway.policy.rules import MAX_COMMANDS, MAX_MESSAGE, MAX_QUORUM, OUTCOMES, REACHES
from gateway.policy.values import EFFECTS, PERSON
from gateway.policy.vocabulary import Vocabulary

Schema: TypeAlias = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
DEPTH = 32
"""The deepest chain there may be."""


def schema(vocabulary: Vocabulary) -> Schema:
    """The schema of a file that may name what `vocabulary` knows."""
    by_section: Mapping[str, Schema] = {
        "connections": _named(_connection(vocabulary), "What there is behind the gateway, by name."),
        "agents": {
            **_named(_agent(), "Programs that may ask for tokens of their own, by name."),
            "propertyNames": {**_name(), "not": _person()},
        },
        "groups": _named(_group(), "Those who vote, by name."),
        "identity": _identity(),
        "operators": _list(_text("A group of `groups`."), "Groups whose members may end any session."),
        "rules": {
            "type": "array",
            "minItems": 1,
            "items": _rule(vocabulary),
            "description": "Every rule that matches counts, in any order: block over hold over allow.",
        },
        "default": _default(),
        "elevations": {"type": "array", "minItems": 1, "items": _offer(vocabulary)},
        "detectors": _named(_detector(vocabulary), "What masks may detect beside what is known, by name."),
        "masks": _named(_mask(vocabulary), "What nobody may see, by name."),
        "retention": _object({"recordings": _duration(), "required": _duration()}),
        "limits": _limits(),
        "slack": _slack(),
        "bot": _object({"credential": _secret()}, required=("credential",)),
        "secrets": _stores(),
        "api": _object({"listen": _address(), "public_url": {"type": "string", "pattern": "^https?://"}}),
        "tls": _object({"certificate": _text(), "key": _text()}, required=("certificate", "key")),
        "tokens": _object({"ttl": _duration(), "max_ttl": _duration()}),
        "examples": {"type": "array", "minItems": 1, "items": _example()},
    }
    return {
        "$schema": DIALECT,
        "title": "The policy file of a Countersign gateway",
        **_object(
            {name: by_section[name] for name in SECTIONS}, required=("connections", "rules", "default")
        ),
        "$defs": {"attribute": _attribute()},
    }


def text_of(made: Schema) -> str:
    """The schema as the file that is kept."""
    return orjson.dumps(made, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


# sections


def _connection(vocabulary: Vocabulary) -> Schema:
    schemes = sorted({scheme for each in vocabulary.protocols.values() for scheme in each})
    made = _object(
        {
            "protocol": _choice(sorted(vocabulary.protocols)),
            "listen": _address(),
            "upstream": {"type": "string", "pattern": f"^({'|'.join(schemes)})://"},
            "credential": {
                **_object(
                    {
                        "user": _text(),
                        "password": _secret(),
                        "key": _secret(),
                        "token": _secret(),
                        "roles": _roles(),
                    }
                ),
                "anyOf": [{"required": ["user"]}, {"required": ["token"]}],
            },
            "labels": {"type": "object", "propertyNames": _name(), "additionalProperties": _text()},
            "options": {"type": "object"},
            "channels": _object({"approvals": _channel(), "audit": _channel()}),
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
                    "options": _object(
                        {
                            name: _choice(sorted(choices))
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
    made = _object(
        {
            "schemas": _list(
                _text("A schema, on whose things it gets the privileges of the scope's effects.")
            ),
            "member_of": {**_object({effect: _list(_text()) for effect in EFFECTS}), "minProperties": 1},
            "owner": _text("Who gets what a session leaves behind."),
            "valid": _duration(),
        }
    )
    made["anyOf"] = [{"required": ["schemas"]}, {"required": ["member_of"]}]
    return {**made, "description": "A role is made for each session."}


def _agent() -> Schema:
    anybody = {"anyOf": [{"const": "*"}, _person()]}
    return _object(
        {
            "secret": _secret(),
            "scope": _scope(),
            "max_depth": _whole(1, DEPTH),
            "person": _person(),
            "persons": _list(anybody),
            "ttl": _duration(),
            "keys": _list({"type": "string", "pattern": sections.PUBLIC_KEY.pattern}),
        },
        required=("scope",),
    )


def _group() -> Schema:
    return _object(
        {"slack": _matching(sections.HANDLE), "members": _list(_person()), "claim": _list(_text())}
    )


def _identity() -> Schema:
    address = _matching(identifying.ISSUER)
    provider: Mapping[str, Schema] = {
        "oidc": address,
        "client_id": _text(),
        "client_secret": _secret(),
        "scopes": _list(_text("Asked for beside `openid`.")),
        "claims": _object({"person": _text(), "groups": _text()}),
        "domains": _list(_text("A domain whose addresses the provider may vouch for.")),
        "verified": {"type": "boolean"},
        "ca": _text("A file of certificates."),
    }
    saml: Mapping[str, Schema] = {
        "saml": {"anyOf": [_matching(identifying.METADATA), {"type": "string", "pattern": "^file:.+$"}]},
        "entity_id": _text("Which provider is meant, where the metadata describes several."),
        "attributes": _object({"person": _text(), "groups": _text()}),
        "domains": provider["domains"],
        "ca": provider["ca"],
    }
    grant: Mapping[str, Schema] = {
        "groups": _list(_text("A group of `groups`.")),
        "scope": _scope(),
        "max_depth": _whole(1, DEPTH),
        "ttl": _duration(),
    }
    rule: Mapping[str, Schema] = {
        "when": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": _list({"anyOf": [_text(), {"type": ["integer", "boolean"]}]}),
            "propertyNames": {"not": {"enum": sorted(identifying.SAID_BY_ALL)}},
            "description": "Claim to what it has to be.",
        },
        "agent": _text("An agent of `agents`."),
        "scope": _scope(),
        "person": _text("The claim that names who answers for it."),
    }
    workload: Mapping[str, Schema] = {
        "issuer": address,
        "audience": _text(),
        "rules": {
            "type": "array",
            "minItems": 1,
            "items": _object({name: rule[name] for name in identifying.RULE}, required=("when", "agent")),
        },
        "keys": {"anyOf": [address, {"type": "string", "pattern": "^file:.+$"}]},
        "ca": _text("A file of certificates."),
        "max_age": _duration(),
        "once": {"type": "boolean"},
    }
    return _object(
        {
            "providers": {
                **_named(
                    {
                        "if": {"type": "object", "required": ["saml"]},
                        "then": _object(
                            {name: saml[name] for name in identifying.SAML}, required=("saml", "domains")
                        ),
                        "else": _object(
                            {name: provider[name] for name in identifying.PROVIDER},
                            required=("oidc", "client_id"),
                        ),
                    },
                    "Where people log in, by name.",
                ),
                "propertyNames": _matching(identifying.NAME),
            },
            "people": _named(
                _object({name: grant[name] for name in identifying.GRANT}, required=("scope",)),
                "What people may do by a login of their own.",
            ),
            "workloads": _named(
                _object(
                    {name: workload[name] for name in identifying.WORKLOAD},
                    required=("issuer", "audience", "rules"),
                ),
                "Issuers whose tokens programs may bring instead of a secret, by name.",
            ),
            "remembered": _duration(),
        }
    )


def _rule(vocabulary: Vocabulary) -> Schema:
    return _object(
        {
            "name": {**_name(), "not": {"const": "default"}},
            "when": _when(vocabulary),
            "then": _then(),
            "enforce": {
                "type": "boolean",
                "description": "false is a shadow: judged and recorded, without effect.",
            },
        },
        required=("name", "then"),
    )


def _when(vocabulary: Vocabulary) -> Schema:
    conditions: Mapping[str, Schema] = {
        "connections": _list(_pattern()),
        "protocols": _list(_choice(sorted(vocabulary.protocols))),
        "labels": {"type": "object", "propertyNames": _name(), "additionalProperties": _list(_pattern())},
        "effects": _list(_choice(EFFECTS)),
        "resources": _list(_pattern()),
        "attributes": _object(
            {name: {"$ref": "#/$defs/attribute"} for name in sorted(vocabulary.attributes)}
        ),
        "agents": _list(_pattern()),
        "persons": _list(_pattern()),
        "groups": _list(_text()),
        "ancestors": _list(_pattern()),
        "min_depth": _whole(1, DEPTH),
        "max_depth": _whole(1, DEPTH),
        "during": _list(_window(), "It is now within one of these windows."),
        "outside": _list(_window(), "It is now within none of these windows."),
        "budget": {
            **_object({"commands": _whole(1, MOST), "rows": _whole(1, MOST), "per": _duration()}),
            "anyOf": [{"required": ["commands"]}, {"required": ["rows"]}],
            "description": "To allow: some of it is left. To hold or block: it is used up.",
        },
        "estimated_rows": {**_object({name: _whole(0, MOST) for name in ORDERING}), "minProperties": 1},
        "where": {**_text("A CEL expression that is true."), "maxLength": LONGEST},
    }
    return _object({name: conditions[name] for name in CONDITIONS})


def _attribute() -> Schema:
    """A value, a list of values, or what one is compared with."""
    value: Schema = {"type": ["string", "integer", "boolean"]}
    compared = _object(
        {name: {"type": "integer"} for name in ORDERING} | {"ne": value, "like": {"type": "string"}}
    )
    return {"anyOf": [*_list(value)["anyOf"], compared]}


def _window() -> Schema:
    clock = _matching(CLOCK)
    day = f"(?:{'|'.join(WEEK)})"
    days = _matching(re.compile(f"{day}(?:-{day})?"))
    made = _object(
        {"days": _list(days), "from": clock, "to": clock, "zone": _text("As in Europe/Berlin.")},
        required=("zone",),
    )
    made["dependentRequired"] = {"from": ["to"], "to": ["from"]}
    return made


def _then() -> Schema:
    made = _object(
        {
            "allow": {"const": True},
            "hold": _hold(for_a_while=_for_a_while()),
            "block": _sentence("What the one who asked is told."),
            "mask": _list(_text("A mask of `masks`.")),
        }
    )
    made["oneOf"] = [{"required": [word]} for word in OUTCOMES]
    made["dependentSchemas"] = {"block": {"properties": {"mask": False}}}
    return made


def _hold(**also: Schema) -> Schema:
    ask = {"approvers": _text('A group of `groups`, or "*".'), "quorum": _whole(1, MAX_QUORUM)}
    made = _object(
        {
            **ask,
            "asks": _list(_object(ask, required=("approvers",))),
            "within": _duration(),
            "message": _sentence("On the card, and for the one who waits."),
            "step_up": {
                **_object({"max_age": _duration(), "acr": _text()}, required=("max_age",)),
                "description": "A yes needs a login that is no older.",
            },
            **also,
        }
    )
    made["oneOf"] = [{"required": ["approvers"]}, {"required": ["asks"], "properties": {"quorum": False}}]
    return made


def _for_a_while() -> Schema:
    return {
        **_object(
            {"up_to": _duration(), "commands": _whole(1, MAX_COMMANDS), "what": _list(_choice(REACHES))},
            required=("up_to", "what"),
        ),
        "description": "What a yes may be given for a while; without it each is for the one command.",
    }


def _default() -> Schema:
    then = _then()
    then["properties"]["allow"] = False
    then["oneOf"] = [{"required": [word]} for word in OUTCOMES if word != "allow"]
    return {"anyOf": [{"enum": ["hold", "block"]}, then]}


def _offer(vocabulary: Vocabulary) -> Schema:
    group, windows = _list(_text("A group of `groups`.")), _list(_window())
    bounds = {"longest": _duration(), "commands": _whole(1, 1_000_000), "rows": _whole(1, MOST)}
    where = {"agents": _list(_pattern()), "groups": group, "during": windows, "outside": windows}
    reveal = _object(
        {
            "columns": _list(_pattern()),
            "detect": _list(_detector_name(vocabulary)),
            "to": group,
        },
        required=("to",),
    )
    made = _object(
        {
            "name": _name(),
            "connections": _list(_pattern()),
            "persons": _list(_pattern()),
            "by_hand": {"type": "boolean", "description": "People may have it without an agent."},
            "effects": _list(_choice(EFFECTS)),
            "resources": _list(_pattern()),
            "ticket": {"type": "boolean", "description": "A request has to name one."},
            "ending": _choice(("hold", "kill")),
            "reveal": reveal | {"anyOf": [{"required": ["columns"]}, {"required": ["detect"]}]},
            "unasked": _object(
                bounds | where | {"per_day": _whole(1, 1_000)}, required=("longest", "commands", "per_day")
            ),
            "break_glass": _object(
                {
                    "approvers": _text('A group of `groups`, or "*".'),
                    "quorum": _whole(2, MAX_QUORUM),
                    "every": _duration(),
                },
                required=("approvers",),
            ),
            "hold": _hold(),
            **bounds,
            **where,
        },
        required=("name", "effects"),
    )
    made["oneOf"] = [{"required": ["hold"]}, {"required": ["break_glass"]}]
    return made


def _detector(vocabulary: Vocabulary) -> Schema:
    return _object(
        {
            "pattern": _text("A pattern of RE2; no letter or digit may go on with what it finds."),
            "validator": _choice(sorted(vocabulary.validators)),
            "words": _list(_text("A word of which one must stand before a value.")),
            "matches": _list(_text("A text in which something must be found.")),
            "misses": _list(_text("A text in which nothing may be found.")),
        },
        required=("pattern", "matches"),
    )


def _detector_name(vocabulary: Vocabulary) -> Schema:
    return {"anyOf": [_choice(sorted(vocabulary.detectors)), _text("A detector of `detectors`.")]}


def _mask(vocabulary: Vocabulary) -> Schema:
    detect = _list(_detector_name(vocabulary))
    columns = _list(_pattern())
    made = _object(
        {
            "detect": detect,
            "columns": {
                "type": "object",
                "additionalProperties": _choice(sorted(vocabulary.strategies)),
                "description": "Column pattern, path into JSON (`$.items[*].token`) or both, to strategy.",
            },
            "except": {"anyOf": [columns, _object({"columns": columns, "detect": detect})]},
            "keep_length": {"type": "boolean"},
        }
    )
    made["anyOf"] = [{"required": ["detect"]}, {"required": ["columns"]}]
    return made


def _limits() -> Schema:
    count, size = _whole(1, 1_000_000), _size()
    in_wires = {
        each.name: count if each.name == "statements" else size for each in dataclasses.fields(wire.Limits)
    }
    durations = dict.fromkeys(("dial", "login", "idle", "session", "rejoin"), _duration())
    counts = dict.fromkeys(("connections", "connections_per_lineage"), count)
    return _object({**durations, **counts, "answer_recorded": size, "waiting_bytes": size, **in_wires})


def _stores() -> Schema:
    approle = _object(
        {"role_id": _near(), "secret_id": _near(), "mount": _text()}, required=("role_id", "secret_id")
    )
    account = _object({"role": _text(), "token": _near(), "mount": _text()}, required=("role", "mount"))
    auth = _object({"token": _near(), "approle": approle, "service_account": account})
    vault = _object(
        {
            "address": {"type": "string", "pattern": "^https?://"},
            "namespace": _text(),
            "ca": _text("A file of certificates to trust in place of the system's."),
            "auth": {**auth, "minProperties": 1, "maxProperties": 1},
        },
        required=("address", "auth"),
    )
    aws = _object({"region": _matching(secrets.REGION), "profile": _text()})
    return _object({"refresh": _duration(), "stale": _duration(), "vault": vault, "aws": aws})


def _slack() -> Schema:
    return _object(
        {
            "approvals": _channel(),
            "audit": _channel(),
            "people": {
                "type": "object",
                "propertyNames": _matching(sections.SLACK_USER),
                "additionalProperties": _person(),
            },
            "match_people_by_email": {"type": "boolean"},
        }
    )


def _example() -> Schema:
    return _object(
        {
            "connection": _text(),
            "command": _text(),
            "agent": _list(_text()),
            "person": _person(),
            "groups": _list(_text()),
            "session_before": _list(_text()),
            "at": _text("When: date, time and offset."),
            "estimated_rows": _whole(0, MOST),
            "used": _object({"commands": _whole(0, MOST), "rows": _whole(0, MOST)}),
            "expect": _choice(OUTCOMES),
            "rules": _list(_text()),
            "masked": {"anyOf": [{"type": "array", "items": _text()}, _text()]},
        },
        required=("connection", "command", "expect"),
    )


# values


def _scope() -> Schema:
    return {
        "type": "object",
        "additionalProperties": _list(_choice(EFFECTS)),
        "description": "Connection to effects.",
    }


def _object(properties: Mapping[str, Schema], *, required: Iterable[str] = ()) -> Schema:
    needed = list(required)
    return {
        "type": "object",
        "properties": dict(properties),
        "additionalProperties": False,
        **({"required": needed} if needed else {}),
    }


def _named(values: Schema, description: str) -> Schema:
    return {
        "type": "object",
        "propertyNames": _name(),
        "additionalProperties": values,
        "description": description,
    }


def _list(item: Schema, description: str = "") -> Schema:
    """A list; one of one may be written without brackets."""
    either = [item, {"type": "array", "minItems": 1, "items": item}]
    return {"anyOf": either, **({"description": description} if description else {})}


def _text(description: str = "") -> Schema:
    return {"type": "string", "pattern": "\\S", **({"description": description} if description else {})}


def _sentence(description: str) -> Schema:
    return {**_text(description), "maxLength": MAX_MESSAGE}


def _choice(known: Iterable[str]) -> Schema:
    return {"enum": list(known)}


def _matching(pattern: re.Pattern[str]) -> Schema:
    return {"type": "string", "pattern": f"^(?:{pattern.pattern})$"}


def _name() -> Schema:
    return _matching(NAME)


def _person() -> Schema:
    return _matching(PERSON)


def _channel() -> Schema:
    return _matching(sections.CHANNEL)


def _duration() -> Schema:
    return _matching(DURATION)


def _size() -> Schema:
    return {"anyOf": [{"type": "integer", "minimum": 1}, _matching(SIZE)]}


def _secret() -> Schema:
    return {"anyOf": [_place("env", "file", "vault", "aws"), _command()]}


def _near() -> Schema:
    """A secret that no store has to be asked for."""
    return {"anyOf": [_place("env", "file"), _command()]}


def _place(*sources: str) -> Schema:
    known = {
        "env": secrets.ENVIRONMENT.pattern,
        "file": ".+",
        "vault": secrets.VAULT.pattern,
        "aws": secrets.AWS.pattern,
    }
    either = "|".join(f"{source}:(?:{known[source]})" for source in sources)
    return {
        "type": "string",
        "pattern": f"^(?:{either})$",
        "description": f"Where the secret is: {secrets.SPELT}.",
    }


def _command() -> Schema:
    word = _text()
    return _object(
        {
            "command": {
                "type": "array",
                "minItems": 1,
                "maxItems": secrets.LONGEST_COMMAND,
                "prefixItems": [{"type": "string", "pattern": "^/"}],
                "items": word,
                "description": "A program by its whole path and its arguments; what it prints is the secret.",
            }
        },
        required=("command",),
    )


def _address() -> Schema:
    return {"type": "string", "pattern": r"^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$"}


def _pattern() -> Schema:
    """A glob of names: other pattern languages' marks and blanks mean nothing in it."""
    return {"type": "string", "pattern": r"^(?!!)[^\[\](){}^$|\\%\s]+$"}


def _whole(least: int, most: int) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most}
