"""What gathers while SQL is read, in whichever dialect, and becomes its `Facts`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.facts.schema import Schema
from gateway.model import Effect, Facts, Output, Resource


@dataclass(slots=True, kw_only=True)
class Gathering:
    """Facts in the making, for one text."""

    schema: Schema | None = None
    """What is known of the target."""
    effects: set[Effect] = field(default_factory=set)
    resources: dict[Resource, None] = field(default_factory=dict)
    attributes: dict[str, str | int | bool] = field(default_factory=dict)
    doubts: dict[str, None] = field(default_factory=dict)
    verbs: dict[str, None] = field(default_factory=dict)
    outputs: tuple[Output, ...] | None = None
    carried: dict[Output, None] = field(default_factory=dict)
    steps: int = 0
    recursions: int = 0
    """How many recursive WITH clauses are being read around this point."""

    def does(self, *effects: Effect) -> None:
        self.effects.update(effects)

    def carries(self, to: str, sources: Iterable[str], *, exact: bool = False) -> None:
        """Stored values go to the column `to`, or ("") to where columns have no names."""
        if made_of := frozenset(sources):
            self.carried[Output(name=to, sources=made_of, exact=exact)] = None

    def doubt(self, why: str) -> None:
        """Something cannot be judged; `why` may name identifiers of the text, never its values."""
        self.effects.add(Effect.UNKNOWN)
        self.doubts[why] = None

    def both(self, key: str, *, value: bool) -> None:
        """An attribute that holds for the text only if it holds for each of its statements."""
        self.attributes[key] = bool(self.attributes.get(key, True)) and value

    def one(self, key: str, value: str) -> None:
        """An attribute that names a single thing; with two different ones it names nothing."""
        self.attributes[key] = value if self.attributes.get(key, value) == value else ""

    def facts(self, *, statements: int) -> Facts:
        attributes = {key: value for key, value in self.attributes.items() if value != ""}
        attributes["sql.statements"] = statements
        if self.verbs:
            attributes["sql.verbs"] = ", ".join(self.verbs)
        if self.doubts:
            attributes["sql.why_unknown"] = "; ".join(self.doubts)[:500]
        return Facts(
            effects=frozenset(self.effects),
            resources=tuple(self.resources),
            attributes=attributes,
            complete=not self.doubts,
            outputs=self.outputs,
            carried=tuple(self.carried),
        )
