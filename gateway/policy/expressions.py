"""One CEL expression of a rule (Common Expression Language, https://cel.dev), for what conditions cannot say.

It sees `connection`, `protocol`, `labels`, `effects`, `resources` (`kind`, `name`, `effect`), `attributes`, `agent`,
`agents` (root first), `person`, `groups` and `depth`, and has to give true or false. CEL has no loops beyond its input.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import cel

from gateway.model import Connection, Facts, Lineage

VARIABLES = frozenset(
    {
        "connection",
        "protocol",
        "labels",
        "effects",
        "resources",
        "attributes",
        "agent",
        "agents",
        "person",
        "groups",
        "depth",
    }
)
LONGEST = 2_000
_BOUND = re.compile(r"\.(?:all|exists|exists_one|map|filter)\(\s*(\w+)\s*,")
"""What a macro names its elements."""


class ExpressionUnclear(Exception):
    """Text that is no expression, or uses what there is not; the message says what."""


class ExpressionErred(Exception):
    """An expression that gave no answer, or none that is true or false."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression."""

    text: str
    _program: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raises `ExpressionUnclear`."""
        if len(self.text) > LONGEST:
            raise ExpressionUnclear(f"an expression has at most {LONGEST} characters")
        try:
            program = cel.compile(self.text)
        except ValueError as error:
            raise ExpressionUnclear(" ".join(str(error).split())[:200]) from None
        unknown = set(program.variables()) - VARIABLES - set(_BOUND.findall(self.text))
        if unknown:
            raise ExpressionUnclear(
                f"`{min(unknown)}` is not there; there are {', '.join(sorted(VARIABLES))}"
            )
        object.__setattr__(self, "_program", program)

    def holds(self, lineage: Lineage, connection: Connection, facts: Facts) -> bool:
        """Raises `ExpressionErred`."""
        seen = {
            "connection": connection.name,
            "protocol": connection.protocol,
            "labels": dict(connection.labels),
            "effects": sorted(map(str, facts.effects)),
            "resources": [
                {"kind": each.kind, "name": each.name, "effect": str(each.effect)} for each in facts.resources
            ],
            "attributes": dict(facts.attributes),
            "agent": lineage.agent,
            "agents": [actor.name for actor in lineage.chain],
            "person": lineage.person,
            "groups": sorted(lineage.groups),
            "depth": lineage.depth,
        }
        try:
            answer = self._program.execute(seen)
        except Exception as error:  # noqa: BLE001 - whatever an expression fails with, it gave no answer
            raise ExpressionErred(f"`where` gives no answer: {type(error).__name__}") from None
        if not isinstance(answer, bool):
            raise ExpressionErred("`where` gives neither true nor false")
        return answer
