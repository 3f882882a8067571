"""What nobody may see, and how it is found."""

from __future__ import annotations

from gateway.policy.schema import values
from gateway.policy.schema.values import Schema
from gateway.policy.vocabulary import Vocabulary


def detector(vocabulary: Vocabulary) -> Schema:
    return values.mapping(
        {
            "pattern": values.text("A pattern of RE2; no letter or digit may go on with what it finds."),
            "validator": values.choice(sorted(vocabulary.validators)),
            "words": values.listed(values.text("A word of which one must stand before a value.")),
            "matches": values.listed(values.text("A text in which something must be found.")),
            "misses": values.listed(values.text("A text in which nothing may be found.")),
        },
        required=("pattern", "matches"),
    )


def detector_name(vocabulary: Vocabulary) -> Schema:
    return {"anyOf": [values.choice(sorted(vocabulary.detectors)), values.text("A detector of `detectors`.")]}


def mask(vocabulary: Vocabulary) -> Schema:
    detect = values.listed(detector_name(vocabulary))
    columns = values.listed(values.pattern())
    made = values.mapping(
        {
            "detect": detect,
            "columns": {
                "type": "object",
                "additionalProperties": values.choice(sorted(vocabulary.strategies)),
                "description": "Column pattern, path into JSON (`$.items[*].token`) or both, to strategy.",
            },
            "except": {"anyOf": [columns, values.mapping({"columns": columns, "detect": detect})]},
            "keep_length": {"type": "boolean"},
        }
    )
    made["anyOf"] = [{"required": ["detect"]}, {"required": ["columns"]}]
    return made
