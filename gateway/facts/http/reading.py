"""What gathers while a request is read, and becomes its `Facts`."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.model import Effect, Facts, Output, Resource

ATTRIBUTES = frozenset(
    {
        "http.method",
        "http.path",
        "http.host",
        "http.content_type",
        "http.query_keys",
        "http.graphql",
        "http.fields",
        "http.rpc",
        "http.tools",
        "http.sanitised",
        "http.why_unknown",
    }
)
"""Every attribute that facts of a request may have; `docs/effects.md` says what each means."""


@dataclass(slots=True)
class Reading:
    """Facts in the making, for one request."""

    effects: set[Effect] = field(default_factory=set)
    resources: dict[Resource, None] = field(default_factory=dict)
    attributes: dict[str, str | int | bool] = field(default_factory=dict)
    doubts: dict[str, None] = field(default_factory=dict)
    renamed: dict[str, set[str]] = field(default_factory=dict)
    """What the answer calls a thing -> what it is called where it is stored."""

    def does(self, *effects: Effect) -> None:
        self.effects.update(effects)

    def touches(self, kind: str, name: str, *effects: Effect) -> None:
        for effect in effects:
            self.resources[Resource(kind=kind, name=name[:500], effect=effect)] = None

    def renames(self, stored: str, called: str) -> None:
        if stored != called:
            self.renamed.setdefault(called, set()).add(stored.lower())

    def doubt(self, why: str) -> None:
        """Something cannot be judged; `why` holds no value of the request."""
        self.effects.add(Effect.UNKNOWN)
        self.doubts[why] = None

    def facts(self) -> Facts:
        attributes = {key: value for key, value in self.attributes.items() if value != ""}
        if self.doubts:
            attributes["http.why_unknown"] = "; ".join(self.doubts)[:500]
        return Facts(
            effects=frozenset(self.effects),
            resources=tuple(self.resources),
            attributes=attributes,
            complete=not self.doubts,
            outputs=tuple(
                Output(name=called, sources=frozenset(stored))
                for called, stored in sorted(self.renamed.items())
            )
            or None,
        )
