"""What is gathered while a text is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from gateway.facts.shell.tree import Unreadable
from gateway.facts.shell.values import shown
from gateway.model import Effect, Facts, Resource

ATTRIBUTES = frozenset(
    {"shell.commands", "shell.programs", "shell.remote", "shell.sudo", "shell.why_unknown"}
)
_STEPS = 4_000
_RESOURCES = 400


@dataclass(slots=True)
class Reading:
    """Effects, resources and doubts, and how many steps are left."""

    effects: set[Effect] = field(default_factory=set)
    resources: dict[Resource, None] = field(default_factory=dict)
    programs: dict[str, None] = field(default_factory=dict)
    screens: dict[str, None] = field(default_factory=dict)
    """Those of the programs that are of no use without a terminal."""
    traps_each: bool = False
    """A trap is set that runs before each command."""
    hosts: dict[str, None] = field(default_factory=dict)
    doubts: dict[str, None] = field(default_factory=dict)
    commands: int = 0
    sudo: bool = False
    steps: int = _STEPS
    parsed: int = 0
    """Characters of nested texts that were parsed."""

    def add(self, *effects: Effect) -> None:
        self.effects.update(effects)

    def resource(self, kind: str, name: str, effect: Effect) -> None:
        self.effects.add(effect)
        if len(self.resources) < _RESOURCES:
            self.resources[Resource(kind=kind, name=shown(name)[:512], effect=effect)] = None

    def doubt(self, why: str) -> None:
        """`why` never holds a value of the text."""
        self.doubts[why] = None

    def seen(self) -> tuple[object, ...]:
        """All that counts of it, to compare."""
        return frozenset(self.effects), tuple(self.resources), tuple(self.doubts)

    def include(self, other: Reading) -> None:
        """Count what another found as well."""
        self.effects |= other.effects
        for ours, theirs in (
            (self.resources, other.resources),
            (self.programs, other.programs),
            (self.hosts, other.hosts),
            (self.doubts, other.doubts),
        ):
            cast(dict[object, None], ours).update(cast(dict[object, None], theirs))
        self.sudo = self.sudo or other.sudo

    def step(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise Unreadable("the text takes too many steps to follow")

    def facts(self) -> Facts:
        attributes: dict[str, str | int | bool] = {
            "shell.commands": self.commands,
            "shell.programs": ", ".join(shown(name) for name in self.programs)[:1024],
            "shell.sudo": self.sudo,
        }
        if self.hosts:
            attributes["shell.remote"] = ", ".join(shown(name) for name in self.hosts)[:1024]
        if self.doubts:
            attributes["shell.why_unknown"] = "; ".join(self.doubts)
        effects = set(self.effects)
        if self.doubts:
            effects.add(Effect.UNKNOWN)
        return Facts(
            effects=frozenset(effects or {Effect.SESSION}),
            resources=tuple(self.resources),
            attributes=attributes,
            complete=not self.doubts,
        )
