"""What gathers while a text is read, and becomes its `Facts`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from gateway.facts.gathering import Gathering
from gateway.facts.postgres.tree import Node, Unreadable
from gateway.facts.sources import Relation, Scope, Sources, based
from gateway.model import Effect, Effects, Output, Resource

STEPS = 200_000
"""Nodes visited for one text; only what is written to be slow comes near it."""

ATTRIBUTES = frozenset(
    {
        "sql.statements",
        "sql.verbs",
        "sql.has_where",
        "sql.where_restricts",
        "sql.execute",
        "sql.prepare",
        "sql.cursor",
        "sql.why_unknown",
    }
)
"""Every attribute that facts of an SQL text may have; `docs/effects.md` says what each means."""

_SECRETS: dict[str, frozenset[str]] = {
    "pg_authid": frozenset({"rolpassword"}),
    "pg_shadow": frozenset({"passwd"}),
    "pg_user_mapping": frozenset({"umoptions"}),
    "pg_user_mappings": frozenset({"umoptions"}),
    "_pg_user_mappings": frozenset({"umoptions"}),
    "user_mapping_options": frozenset({"option_value"}),
    "pg_subscription": frozenset({"subconninfo"}),
    "pg_stats": frozenset(
        {"most_common_vals", "most_common_elems", "histogram_bounds", "range_bounds_histogram"}
    ),
    "pg_stats_ext": frozenset({"most_common_vals"}),
    "pg_stats_ext_exprs": frozenset({"most_common_vals", "most_common_elems", "histogram_bounds"}),
    "pg_statistic": frozenset({f"stavalues{slot}" for slot in range(1, 6)}),
    "pg_statistic_ext_data": frozenset({"stxdmcv", "stxdexpr"}),
    "pg_largeobject": frozenset({"data"}),
    "decrypted_secrets": frozenset({"decrypted_secret"}),
    "pg_hba_file_rules": frozenset({"options", "address", "user_name", "auth_method"}),
    "pg_ident_file_mappings": frozenset({"pg_username", "sys_name"}),
    "pg_file_settings": frozenset({"setting"}),
}
"""Columns of the catalogue that hold credentials, files, or samples of what is stored in other tables."""

EXECUTES = "a prepared statement is executed whose text stands elsewhere"


@dataclass(slots=True, kw_only=True)
class Reading(Gathering):
    """Facts in the making, for one text."""

    query: Callable[[Reading, Node, Scope], tuple[Output, ...]]
    """Reads a query that stands inside an expression."""
    text: Callable[[Reading, str], Sources]
    """Reads SQL that stands in a string and is run; gives what its result is made of."""
    counts_integers: bool = False
    """What was found depends on the value of an integer in the text."""
    inside: int = 0
    """How many strings of SQL this one stands in."""
    bound: bool = False
    """The text is the catalogue's: what stands there without a schema is built in."""
    brought: set[str] = field(default_factory=set)
    """Columns that came by functions of the target's own, and not by the text."""
    own: bool = False
    """Such functions are called, or may be."""

    def step(self) -> None:
        self.steps += 1
        if self.steps > STEPS:
            raise Unreadable("the text takes too long to read")

    def touches(self, kind: str, name: str, effect: Effect) -> None:
        self.resources[Resource(kind=kind, name=name, effect=effect)] = None

    def sets(self, setting: str, effects: Effects) -> None:
        """A setting changes; it is listed as a guard where it is one."""
        self.does(*effects)
        if Effect.UNKNOWN in effects:
            self.doubt(f"{setting} changes what the names in later texts mean")
        for effect in sorted(effects - {Effect.SESSION} or effects):
            self.touches("setting", setting, effect)

    def columns(self, sources: Iterable[str], kind: str = "column", effect: Effect = Effect.READ) -> None:
        for source in sorted(sources):
            self.touches(kind, source, effect)
            table, _, column = source.rpartition(".")
            secret = _SECRETS.get(table.rpartition(".")[2])
            if secret is not None and (column == "*" or column in secret):
                self.does(Effect.EXFIL)

    def relation(self, name: str, alias: str) -> Relation:
        """The table or view of that name, by its columns where they are known; a view does what its query does."""
        if name.startswith("pg_toast."):
            self.does(Effect.EXFIL)  # parts of values, of tables and columns that nobody can tell
        if self.schema is not None and self.schema.does:
            more = self.schema.does_of(name)
            self.does(*more.effects)
            if Effect.UNKNOWN in more.effects:
                self.touches("table", name, Effect.UNKNOWN)
            self.doubts.update(dict.fromkeys(more.doubts))
            self.brought |= more.brought
            self.own = self.own or more.own
        return based(name, alias, self.schema.columns(name) if self.schema is not None else None)
