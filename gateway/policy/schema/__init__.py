"""The JSON Schema (2020-12) of policies.yaml, made from the names that the code itself reads the file by.

Editors complete and mark by it; `countersign check` decides. It accepts every file that `check` accepts, and refuses
what shape, keys and vocabulary can tell; what refers to another place of the file, `check` alone sees.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import orjson

from gateway import wire
from gateway.policy import sections
from gateway.policy.conditions import MOST
from gateway.policy.file import SECTIONS
from gateway.policy.rules import OUTCOMES
from gateway.policy.schema import connections, elevations, identities, masks, rules, values
from gateway.policy.schema.values import Schema
from gateway.policy.vocabulary import Vocabulary

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema(vocabulary: Vocabulary) -> Schema:
    """The schema of a file that may name what `vocabulary` knows."""
    by_section: Mapping[str, Schema] = {
        "connections": values.named(
            connections.connection(vocabulary), "What there is behind the gateway, by name."
        ),
        "agents": {
            **values.named(connections.agent(), "Programs that may ask for tokens of their own, by name."),
            "propertyNames": {**values.name(), "not": values.person()},
        },
        "groups": values.named(connections.group(), "Those who vote, by name."),
        "identity": identities.identity(),
        "operators": values.listed(
            values.text("A group of `groups`."), "Groups whose members may end any session."
        ),
        "rules": {
            "type": "array",
            "minItems": 1,
            "items": rules.rule(vocabulary),
            "description": "Every rule that matches counts, in any order: block over hold over allow.",
        },
        "default": rules.default(),
        "elevations": {"type": "array", "minItems": 1, "items": elevations.offer(vocabulary)},
        "detectors": values.named(
            masks.detector(vocabulary), "What masks may detect beside what is known, by name."
        ),
        "masks": values.named(masks.mask(vocabulary), "What nobody may see, by name."),
        "retention": values.mapping({"recordings": values.duration(), "required": values.duration()}),
        "limits": _limits(),
        "slack": _slack(),
        "bot": values.mapping({"credential": values.secret()}, required=("credential",)),
        "secrets": connections.stores(),
        "api": values.mapping(
            {
                "listen": values.address(),
                "public_url": {"type": "string", "pattern": "^https?://"},
                "proxies": values.listed({"type": "string", "pattern": "^[0-9A-Fa-f.:]+$"}),
            }
        ),
        "tls": values.mapping(
            {"certificate": values.text(), "key": values.text()}, required=("certificate", "key")
        ),
        "tokens": values.mapping(
            {"ttl": values.duration(), "max_ttl": values.duration(), "nonce": {"type": "boolean"}}
        ),
        "examples": {"type": "array", "minItems": 1, "items": _example()},
    }
    return {
        "$schema": DIALECT,
        "title": "The policy file of a Countersign gateway",
        **values.mapping(
            {name: by_section[name] for name in SECTIONS}, required=("connections", "rules", "default")
        ),
        "$defs": {"attribute": rules.attribute()},
    }


def text_of(made: Schema) -> str:
    """The schema as the file that is kept."""
    return orjson.dumps(made, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def _limits() -> Schema:
    count, size = values.whole(1, 1_000_000), values.size()
    in_wires = {
        each.name: count if each.name == "statements" else size for each in dataclasses.fields(wire.Limits)
    }
    durations = dict.fromkeys(("dial", "login", "idle", "session", "rejoin"), values.duration())
    counts = dict.fromkeys(("connections", "connections_per_lineage"), count)
    return values.mapping({**durations, **counts, "answer_recorded": size, "waiting_bytes": size, **in_wires})


def _slack() -> Schema:
    return values.mapping(
        {
            "approvals": values.channel(),
            "audit": values.channel(),
            "people": {
                "type": "object",
                "propertyNames": values.matching(sections.SLACK_USER),
                "additionalProperties": values.person(),
            },
            "match_people_by_email": {"type": "boolean"},
            "link_lasts": values.duration(),
        }
    )


def _example() -> Schema:
    return values.mapping(
        {
            "connection": values.text(),
            "command": values.text(),
            "agent": values.listed(values.text()),
            "person": values.person(),
            "groups": values.listed(values.text()),
            "session_before": values.listed(values.text()),
            "at": values.text("When: date, time and offset."),
            "estimated_rows": values.whole(0, MOST),
            "used": values.mapping({"commands": values.whole(0, MOST), "rows": values.whole(0, MOST)}),
            "expect": values.choice(OUTCOMES),
            "rules": values.listed(values.text()),
            "masked": {"anyOf": [{"type": "array", "items": values.text()}, values.text()]},
        },
        required=("connection", "command", "expect"),
    )
