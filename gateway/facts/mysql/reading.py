"""What gathers while a text is read, and becomes its `Facts`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.facts.mysql.functions import effects_of
from gateway.model import Effect, Facts, Output, Resource

_SECRET_TABLES = frozenset(
    {
        "mysql.user",
        "mysql.global_priv",
        "mysql.servers",
        "mysql.slave_master_info",
        "mysql.proxies_priv",
        "mysql.password_history",
        "mysql.general_log",
        "mysql.slow_log",
        "mysql.authentication_policy",
        "performance_schema.user_variables_by_thread",
        "performance_schema.replication_connection_configuration",
        "performance_schema.keyring_keys",
        "information_schema.user_variables",
        "information_schema.column_statistics",
        "mysql.column_stats",
        "mysql.innodb_index_stats_samples",
    }
)
"""They hold credentials, other people's statements, or samples of what other tables store."""


@dataclass(slots=True)
class Reading:
    """Facts in the making, for one statement."""

    effects: set[Effect] = field(default_factory=set)
    resources: dict[Resource, None] = field(default_factory=dict)
    attributes: dict[str, str | int | bool] = field(default_factory=dict)
    doubts: dict[str, None] = field(default_factory=dict)
    verbs: dict[str, None] = field(default_factory=dict)
    outputs: tuple[Output, ...] | None = None

    def does(self, *effects: Effect) -> None:
        self.effects.update(effects)

    def touches(self, kind: str, name: str, *effects: Effect) -> None:
        for effect in effects:
            self.resources[Resource(kind=kind, name=name.lower()[:300], effect=effect)] = None
        if kind == "table" and name.lower() in _SECRET_TABLES:
            self.effects.add(Effect.EXFIL)

    def columns(self, sources: Iterable[str], kind: str) -> None:
        for source in sorted(sources):
            self.touches(kind, source, Effect.READ)

    def calls(self, name: str) -> None:
        """A function is called; what nobody knows of is in doubt."""
        found = effects_of(name)
        if found is None:
            self.doubt("a function's body cannot be seen")
            self.touches("function", name, Effect.UNKNOWN)
            return
        self.does(*found)
        if found:
            self.touches("function", name, *sorted(found))

    def doubt(self, why: str) -> None:
        """Something cannot be judged; `why` holds no value of the text."""
        self.effects.add(Effect.UNKNOWN)
        self.doubts[why] = None

    def both(self, key: str, *, value: bool) -> None:
        """An attribute that holds for the text only if it holds for each of its statements."""
        self.attributes[key] = bool(self.attributes.get(key, True)) and value

    def absorb(self, other: Facts) -> None:
        """What another text does that this one runs or prepares."""
        self.effects |= other.effects
        self.resources |= dict.fromkeys(other.resources)
        if not other.complete:
            self.doubt(str(other.attributes.get("sql.why_unknown", "it runs something that cannot be read")))

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
        )
