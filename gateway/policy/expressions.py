"""One CEL expression of a rule (Common Expression Language, https://cel.dev), for what conditions cannot say.

It sees what `VARIABLES` lists and has to give true or false. CEL has no loops but over what it is given, so the work
is bounded by how deep its macros are nested and by how much a command touches; both are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import cel

from gateway.model import Connection, Facts, Lineage
from gateway.policy.reader import suggestion

_SEES: Mapping[str, Callable[[Lineage, Connection, Facts], Any]] = MappingProxyType(
    {
        "agent": lambda lineage, _connection, _facts: lineage.agent,
        "agents": lambda lineage, _connection, _facts: [actor.name for actor in lineage.chain],
        "attributes": lambda _lineage, _connection, facts: dict(facts.attributes),
        "connection": lambda _lineage, connection, _facts: connection.name,
        "depth": lambda lineage, _connection, _facts: lineage.depth,
        "effects": lambda _lineage, _connection, facts: sorted(map(str, facts.effects)),
        "groups": lambda lineage, _connection, _facts: sorted(lineage.groups),
        "labels": lambda _lineage, connection, _facts: dict(connection.labels),
        "person": lambda lineage, _connection, _facts: lineage.person,
        "protocol": lambda _lineage, connection, _facts: connection.protocol,
        "resources": lambda _lineage, _connection, facts: [
            {"kind": each.kind, "name": each.name, "effect": str(each.effect)} for each in facts.resources
        ],
    }
)
VARIABLES = frozenset(_SEES)
FUNCTIONS = frozenset(
    {"bytes", "contains", "double", "dyn", "endsWith", "int", "matches", "size", "startsWith", "string"}
    | {"type", "uint"}
)
LONGEST = 2_000
DEEPEST = 2
"""Macros within macros."""
LOOKS = 10_000
"""How often the innermost macro of an expression may look at a resource."""

_TEXT = re.compile(
    r"""[bB]?[rR][bB]?(?:'''.*?'''|\"\"\".*?\"\"\"|'[^'\n]*'|"[^"\n]*")"""
    r"""|[bB]?(?:'''(?:\\.|[^\\])*?'''|\"\"\"(?:\\.|[^\\])*?\"\"\"|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")""",
    re.DOTALL,
)
"""Literals, in which nothing is a macro."""
_MACRO = re.compile(r"\.\s*(?:all|exists|exists_one|existsOne|map|filter)\s*\(\s*(\w+)\s*,|[()]")
"""A macro and what it names its elements, or a bracket."""


class ExpressionUnclear(Exception):
    """Text that is no expression, or uses what there is not; the message says what."""


class ExpressionErred(Exception):
    """An expression that gave no answer, or none that is true or false."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression."""

    text: str
    _program: Any = field(init=False, repr=False, compare=False)
    _sees: tuple[str, ...] = field(init=False, repr=False, compare=False)
    _most: int = field(init=False, repr=False, compare=False)
    """The most resources that it may be asked about."""

    def __post_init__(self) -> None:
        """Raises `ExpressionUnclear`."""
        if len(self.text) > LONGEST:
            raise ExpressionUnclear(f"an expression has at most {LONGEST} characters")
        try:
            program = cel.compile(self.text)
        except ValueError as error:
            raise ExpressionUnclear(" ".join(str(error).split())[:200]) from None
        depth, bound = _macros(self.text)
        if depth > DEEPEST:
            raise ExpressionUnclear(f"macros such as `exists` may stand {DEEPEST} deep, not {depth}")
        for name in sorted(set(program.variables()) - VARIABLES - bound):
            raise ExpressionUnclear(f"`{name}` is not there{suggestion(name, VARIABLES)}")
        for name in sorted(set(program.functions()) - FUNCTIONS):
            if name.isidentifier() and not name.startswith("_"):  # operators have names of their own
                raise ExpressionUnclear(f"there is no function `{name}`{suggestion(name, FUNCTIONS)}")
        object.__setattr__(self, "_program", program)
        object.__setattr__(self, "_sees", tuple(sorted(VARIABLES & set(program.variables()))))
        object.__setattr__(self, "_most", int(LOOKS ** (1 / max(depth, 1))))

    def holds(self, lineage: Lineage, connection: Connection, facts: Facts) -> bool:
        """Raises `ExpressionErred`."""
        if "resources" in self._sees and len(facts.resources) > self._most:
            raise ExpressionErred(
                f"`where` looks through {self._most} resources at most, not {len(facts.resources)}"
            )
        try:
            answer = self._program.execute(
                {name: _SEES[name](lineage, connection, facts) for name in self._sees}
            )
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001 - a panic of the library is no Exception, and no answer
            raise ExpressionErred(f"`where` gives no answer: {type(error).__name__}") from None
        if not isinstance(answer, bool):
            raise ExpressionErred("`where` gives neither true nor false")
        return answer


def _macros(text: str) -> tuple[int, frozenset[str]]:
    """How deep macros stand in each other, and what they name their elements."""
    names: set[str] = set()
    opened: list[bool] = []
    deepest = 0
    for found in _MACRO.finditer(_TEXT.sub("''", text)):
        if found[0] == ")":
            opened = opened[:-1]
            continue
        opened.append(found[1] is not None)
        if found[1] is not None:
            names.add(found[1])
            deepest = max(deepest, sum(opened))
    return deepest, frozenset(names)
