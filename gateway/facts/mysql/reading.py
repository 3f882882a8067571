"""What gathers while a text is read, and becomes its `Facts`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from gateway.facts.gathering import Gathering
from gateway.facts.mysql.functions import effects_of
from gateway.facts.mysql.sources import Relation, based, table
from gateway.facts.mysql.state import State
from gateway.model import Effect, Facts, Output, Resource

STEPS = 60_000
"""Nodes and columns looked at for one text; only what is written to be slow comes near it."""

_SECRETS: dict[str, frozenset[str]] = {
    "mysql.user": frozenset({"authentication_string", "password", "user_attributes"}),
    "mysql.global_priv": frozenset({"priv"}),
    "mysql.servers": frozenset({"password"}),
    "mysql.slave_master_info": frozenset({"user_password"}),
    "mysql.password_history": frozenset({"password"}),
    "mysql.general_log": frozenset({"argument"}),
    "mysql.slow_log": frozenset({"sql_text"}),
    "mysql.column_stats": frozenset({"min_value", "max_value", "histogram"}),
    "mysql.column_statistics": frozenset({"histogram"}),
    "performance_schema.events_statements_current": frozenset({"sql_text"}),
    "performance_schema.events_statements_history": frozenset({"sql_text"}),
    "performance_schema.events_statements_history_long": frozenset({"sql_text"}),
    "performance_schema.prepared_statements_instances": frozenset({"sql_text"}),
    "information_schema.innodb_ft_index_cache": frozenset({"word"}),
    "information_schema.innodb_ft_index_table": frozenset({"word"}),
    "performance_schema.user_variables_by_thread": frozenset({"variable_value"}),
    "information_schema.user_variables": frozenset({"variable_value"}),
    "information_schema.column_statistics": frozenset({"histogram"}),
    "performance_schema.keyring_keys": frozenset({"key_id"}),
}
"""Columns of the server's own tables that hold credentials, other people's statements, or samples of other tables."""
_OWN_SCHEMAS = frozenset({"mysql", "sys", "performance_schema"})
"""Writing there changes who may do what, or what is watched."""
_WRITES = frozenset({Effect.WRITE, Effect.DDL, Effect.DESTRUCTIVE})


class Unreadable(Exception):
    """A text that takes too long to read; the message holds nothing of it."""


@dataclass(slots=True, kw_only=True)
class Reading(Gathering):
    """Facts in the making, for one text."""

    text: Callable[[str], Facts]
    """Reads SQL that stands in a string and is run."""
    state: State = field(default_factory=State)

    def inner(self) -> Reading:
        """For what stands inside: it sees what this one sees, and leaves nothing behind."""
        return Reading(text=self.text, state=self.state.copy(), schema=self.schema)

    def step(self) -> None:
        self.steps += 1
        if self.steps > STEPS:
            raise Unreadable("the text takes too long to read")

    def touches(self, kind: str, name: str, *effects: Effect) -> None:
        for effect in effects:
            self.resources[Resource(kind=kind, name=name.lower()[:300], effect=effect)] = None
        if kind == "table" and _WRITES & set(effects):
            schema = self.placed(name).partition(".")[0]
            if schema in _OWN_SCHEMAS:
                self.does(Effect.PRIVILEGE)

    def columns(self, sources: Iterable[str], kind: str = "column", effect: Effect = Effect.READ) -> None:
        for source in sorted(sources):
            self.step()
            self.touches(kind, source, effect)
            table, _, column = source.rpartition(".")
            secret = _SECRETS.get(self.placed(table))
            if secret is not None and (column == "*" or column in secret):
                self.does(Effect.EXFIL)

    def relation(self, name: str, alias: str) -> Relation:
        """The table or view of that name, by its columns where they are known."""
        placed = self.placed(name)
        outputs = self.schema.columns(placed) if self.schema is not None else None
        found = table(name, alias) if outputs is None else based(placed, alias, outputs)
        if outputs is not None and self.state.shadows(name.lower()):
            exact = all(output.exact for output in outputs)
            found = replace(found, rest=Output(name="*", sources=frozenset({f"{placed}.*"}), exact=exact))
        return replace(found, schema=placed.rpartition(".")[0])

    def placed(self, table: str) -> str:
        """The table with its database, where that is known."""
        name = table.lower()
        database = self.state.database or (self.schema.path[0] if self.schema and self.schema.path else "")
        return name if "." in name or not database else f"{database}.{name}"

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

    def absorb(self, other: Facts) -> None:
        """What another text does that this one runs or prepares."""
        self.effects |= other.effects
        self.resources |= dict.fromkeys(other.resources)
        self.carried |= dict.fromkeys(other.carried)
        for key in ("sql.has_where", "sql.where_restricts"):
            if key in other.attributes:
                self.both(key, value=bool(other.attributes[key]))
        if not other.complete:
            self.doubt(str(other.attributes.get("sql.why_unknown", "it runs something that cannot be read")))
