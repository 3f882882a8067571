"""Rules: when they match, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.policy.conditions import CONDITIONS, MOST, ORDERING
from gateway.policy.expressions import LONGEST
from gateway.policy.rules import MAX_COMMANDS, MAX_QUORUM, OUTCOMES, REACHES
from gateway.policy.schema import values
from gateway.policy.schema.values import DEPTH, Schema
from gateway.policy.values import EFFECTS
from gateway.policy.vocabulary import Vocabulary


def rule(vocabulary: Vocabulary) -> Schema:
    return values.mapping(
        {
            "name": {**values.name(), "not": {"const": "default"}},
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
        "connections": values.listed(values.pattern()),
        "protocols": values.listed(values.choice(sorted(vocabulary.protocols))),
        "labels": {
            "type": "object",
            "propertyNames": values.name(),
            "additionalProperties": values.listed(values.pattern()),
        },
        "effects": values.listed(values.choice(EFFECTS)),
        "resources": values.listed(values.pattern()),
        "attributes": values.mapping(
            {name: {"$ref": "#/$defs/attribute"} for name in sorted(vocabulary.attributes)}
        ),
        "agents": values.listed(values.pattern()),
        "persons": values.listed(values.pattern()),
        "groups": values.listed(values.text()),
        "ancestors": values.listed(values.pattern()),
        "min_depth": values.whole(1, DEPTH),
        "max_depth": values.whole(1, DEPTH),
        "during": values.listed(values.window(), "It is now within one of these windows."),
        "outside": values.listed(values.window(), "It is now within none of these windows."),
        "budget": {
            **values.mapping(
                {"commands": values.whole(1, MOST), "rows": values.whole(1, MOST), "per": values.duration()}
            ),
            "anyOf": [{"required": ["commands"]}, {"required": ["rows"]}],
            "description": "To allow: some of it is left. To hold or block: it is used up.",
        },
        "estimated_rows": {
            **values.mapping({name: values.whole(0, MOST) for name in ORDERING}),
            "minProperties": 1,
        },
        "where": {**values.text("A CEL expression that is true."), "maxLength": LONGEST},
    }
    return values.mapping({name: conditions[name] for name in CONDITIONS})


def attribute() -> Schema:
    """A value, a list of values, or what one is compared with."""
    value: Schema = {"type": ["string", "integer", "boolean"]}
    compared = values.mapping(
        {name: {"type": "integer"} for name in ORDERING} | {"ne": value, "like": {"type": "string"}}
    )
    return {"anyOf": [*values.listed(value)["anyOf"], compared]}


def _then() -> Schema:
    made = values.mapping(
        {
            "allow": {"const": True},
            "hold": hold(for_a_while=_for_a_while()),
            "block": values.sentence("What the one who asked is told."),
            "mask": values.listed(values.text("A mask of `masks`.")),
        }
    )
    made["oneOf"] = [{"required": [word]} for word in OUTCOMES]
    made["dependentSchemas"] = {"block": {"properties": {"mask": False}}}
    return made


def hold(**also: Schema) -> Schema:
    ask = {"approvers": values.text('A group of `groups`, or "*".'), "quorum": values.whole(1, MAX_QUORUM)}
    made = values.mapping(
        {
            **ask,
            "asks": values.listed(values.mapping(ask, required=("approvers",))),
            "within": values.duration(),
            "message": values.sentence("On the card, and for the one who waits."),
            "step_up": {
                **values.mapping({"max_age": values.duration(), "acr": values.text()}, required=("max_age",)),
                "description": "A yes needs a login that is no older.",
            },
            **_unanswered(),
            **also,
        }
    )
    made["oneOf"] = [{"required": ["approvers"]}, {"required": ["asks"], "properties": {"quorum": False}}]
    return made


def _unanswered() -> Mapping[str, Schema]:
    """What happens while nobody answers."""
    escalation = values.mapping(
        {"to": values.text("A group of `groups`."), "after": values.duration()}, required=("to", "after")
    )
    return {
        "remind": {**values.duration(), "description": "How often those who are asked are reminded."},
        "escalate": {
            **escalation,
            "description": "A second group that may answer, too, after a while.",
        },
        "on_call": values.listed(values.person(), "Who is called first, and every `remind` the next."),
    }


def _for_a_while() -> Schema:
    return {
        **values.mapping(
            {
                "up_to": values.duration(),
                "commands": values.whole(1, MAX_COMMANDS),
                "rows": values.whole(1, MOST),
                "what": values.listed(values.choice(REACHES)),
            },
            required=("up_to", "what"),
        ),
        "description": "What a yes may be given for a while; without it each is for the one command.",
    }


def default() -> Schema:
    then = _then()
    then["properties"]["allow"] = False
    then["oneOf"] = [{"required": [word]} for word in OUTCOMES if word != "allow"]
    return {"anyOf": [{"enum": ["hold", "block"]}, then]}
