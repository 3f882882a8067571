"""What gathers while a request is read, and becomes its `Facts`."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.model import Effect, Facts, Resource

ATTRIBUTES = frozenset(
    {
        "k8s.verb",
        "k8s.group",
        "k8s.version",
        "k8s.resource",
        "k8s.subresource",
        "k8s.namespace",
        "k8s.name",
        "k8s.command",
        "k8s.interactive",
        "k8s.dry_run",
        "k8s.why_unknown",
        "http.sanitised",
    }
)
"""Every attribute that facts of a Kubernetes request may have; `docs/effects.md` says what each means."""


@dataclass(slots=True)
class Reading:
    """Facts in the making, for one request."""

    sanitised: tuple[str, ...] = ()
    effects: set[Effect] = field(default_factory=set)
    attributes: dict[str, str | int | bool] = field(default_factory=dict)
    doubts: dict[str, None] = field(default_factory=dict)

    def doubt(self, why: str) -> None:
        """Something cannot be judged; `why` holds no value of the request."""
        self.doubts[why] = None

    def facts(self, kind: str = "", name: str = "") -> Facts:
        """`kind` and `name` are of the one thing that the request is about."""
        attributes = self.attributes | {"http.sanitised": ", ".join(self.sanitised)}
        effects = set(self.effects)
        if self.doubts:
            effects.add(Effect.UNKNOWN)
            attributes["k8s.why_unknown"] = "; ".join(self.doubts)[:500]
        return Facts(
            effects=frozenset(effects),
            resources=tuple(Resource(kind=kind, name=name[:500], effect=effect) for effect in sorted(effects))
            if kind
            else (),
            attributes={key: value for key, value in attributes.items() if value != ""},
            complete=not self.doubts,
        )
