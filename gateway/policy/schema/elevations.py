"""What may be asked for, for a while."""

from __future__ import annotations

from gateway.policy.conditions import MOST
from gateway.policy.rules import MAX_QUORUM
from gateway.policy.schema import masks, rules, values
from gateway.policy.schema.values import Schema
from gateway.policy.values import EFFECTS
from gateway.policy.vocabulary import Vocabulary


def offer(vocabulary: Vocabulary) -> Schema:
    group, windows = values.listed(values.text("A group of `groups`.")), values.listed(values.window())
    bounds = {
        "longest": values.duration(),
        "commands": values.whole(1, 1_000_000),
        "rows": values.whole(1, MOST),
    }
    where = {
        "agents": values.listed(values.pattern()),
        "groups": group,
        "during": windows,
        "outside": windows,
    }
    reveal = values.mapping(
        {
            "columns": values.listed(values.pattern()),
            "detect": values.listed(masks.detector_name(vocabulary)),
            "to": group,
        },
        required=("to",),
    )
    made = values.mapping(
        {
            "name": values.name(),
            "connections": values.listed(values.pattern()),
            "persons": values.listed(values.pattern()),
            "by_hand": {"type": "boolean", "description": "People may have it without an agent."},
            "effects": values.listed(values.choice(EFFECTS)),
            "resources": values.listed(values.pattern()),
            "ticket": {"type": "boolean", "description": "A request has to name one."},
            "ending": values.choice(("hold", "kill")),
            "reveal": reveal | {"anyOf": [{"required": ["columns"]}, {"required": ["detect"]}]},
            "unasked": values.mapping(
                bounds | where | {"per_day": values.whole(1, 1_000)},
                required=("longest", "commands", "per_day"),
            ),
            "break_glass": values.mapping(
                {
                    "approvers": values.text('A group of `groups`, or "*".'),
                    "quorum": values.whole(2, MAX_QUORUM),
                    "every": values.duration(),
                },
                required=("approvers",),
            ),
            "hold": rules.hold(),
            **bounds,
            **where,
        },
        required=("name", "effects"),
    )
    made["oneOf"] = [{"required": ["hold"]}, {"required": ["break_glass"]}]
    return made
