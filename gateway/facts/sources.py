"""Which stored columns a value is made of: relations, the scopes they stand in, and how names resolve there.

Without the target's catalogue a base table's columns are not known, so a name is followed to every relation that
might have it, in this query and in those around it. A relation whose columns are all known (a subquery without a
star, a CTE) settles the matter where it has the name, unless a join makes one column of that name out of several.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.model import Output

Sources = frozenset[str]
NOTHING: Sources = frozenset()
PASSES = 4
"""How often a recursive WITH is read until its columns' sources stand still."""

_TAKING = """
    any_value array_agg concat hash_record hash_record_extended json_agg json_agg_strict json_build_array
    json_build_object jsonb_agg jsonb_agg_strict jsonb_build_array jsonb_build_object quote_literal
    quote_nullable record_out record_send row_to_json to_json to_jsonb
"""
_SYSTEM = frozenset({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid", "oid"})
TAKES_ROW = frozenset(_TAKING.split())
"""Built-in functions that give what is in a row, and can be called on it as if they were its columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """Something that stands in FROM."""

    alias: str
    schema: str = ""
    """Set where the relation can be called by its schema too."""
    known: Mapping[str, Output] = field(default_factory=dict)
    rest: Output | None = None
    """The columns nobody can name here, as a star; `exact` if a column of it is the source's column of that name."""
    made: bool = False
    """A function makes its rows: its name alone may be a value of any type."""
    loose: bool = False
    """It may have other columns than are known, in any order; those that it has are made of what is known."""

    def column(self, name: str) -> Output | None:
        """What `name` is here; `None` if it cannot be a column of this relation."""
        if name in self.known:
            return self.known[name]
        if self.rest is None:
            return None
        if not self.rest.exact:
            return Output(name=name, sources=self.rest.sources, exact=False)
        return Output(name=name, sources=frozenset(narrowed(source, name) for source in self.rest.sources))

    def field(self, name: str) -> Output | None:
        """What `alias.name` is: a column, or a built-in function that takes the row (`c.to_json` is `to_json(c)`)."""
        found = self.column(name)
        if found is None and name in _SYSTEM:
            return Output(name=name, sources=NOTHING)
        if name in TAKES_ROW and name not in self.known:
            return Output(name=name, sources=self.whole | (found.sources if found else NOTHING), exact=False)
        return found

    @property
    def whole(self) -> Sources:
        """Everything that a whole row is made of."""
        return united([*self.known.values(), *([self.rest] if self.rest else [])])

    def star(self) -> list[Output]:
        if self.rest is None:
            return list(self.known.values())
        if self.loose:
            return [self.rest, *self.known.values(), self.rest]
        return [Output(name="*", sources=self.whole, exact=self.rest.exact)]


@dataclass(slots=True, kw_only=True)
class Scope:
    """The names that a query sees: its own relations and CTEs, then those of the query around it."""

    outer: Scope | None = None
    relations: list[Relation] = field(default_factory=list)
    aside: list[Relation] = field(default_factory=list)
    """Relations that only a qualified name reaches: `excluded`, `old`, `new`."""
    ctes: dict[str, tuple[Output, ...]] = field(default_factory=dict)
    merged: bool = False
    """A USING or NATURAL join stands here: the order of its columns is the target's to tell."""
    shared: set[str] = field(default_factory=set)
    """Names of columns that USING makes of both sides: their values may come from either."""
    natural: bool = False
    """A NATURAL join stands here, of which any name may be such a one."""

    def inner(self) -> Scope:
        return Scope(outer=self)

    def cte(self, name: str) -> tuple[Output, ...] | None:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.ctes:
                return scope.ctes[name]
            scope = scope.outer
        return None

    def relation(self, name: str, schema: str = "") -> Relation | None:
        scope: Scope | None = self
        while scope is not None:
            for relation in [*scope.relations, *scope.aside]:
                if relation.alias == name and (not schema or schema == relation.schema):
                    return relation
            scope = scope.outer
        return None

    def having(self, name: str) -> list[Output]:
        """The columns of that name in FROM, if a relation whose columns are known has it: then it is one of these."""
        if not any(name in relation.known for relation in self.relations):
            return []
        if name in self.shared or self.natural:
            return [found for relation in self.relations if (found := relation.column(name)) is not None]
        return [relation.known[name] for relation in self.relations if name in relation.known]

    def resolve(self, name: str) -> Output:
        """An unqualified name: every column it may be."""
        candidates: list[Output] = []
        scope: Scope | None = self
        while scope is not None:
            settled = scope.having(name)
            if settled:
                candidates += settled
                break
            for relation in scope.relations:
                if relation.alias == name:
                    candidates.append(Output(name=name, sources=relation.whole, exact=False))
                found = relation.column(name)
                if found is not None:
                    candidates.append(found)
            scope = scope.outer
        if not candidates:
            system = name in _SYSTEM and bool(self.relations)
            return Output(name=name, sources=NOTHING if system else frozenset({name}))
        return Output(name=name, sources=united(candidates), exact=all(found.exact for found in candidates))

    def star(self) -> list[Output]:
        """`*` over everything in FROM."""
        outputs = [output for relation in self.relations for output in relation.star()]
        if not self.merged:
            return outputs
        exact = all(output.exact for output in outputs)
        return [Output(name="*", sources=united(outputs), exact=exact)]


def united(outputs: Iterable[Output]) -> Sources:
    return frozenset(source for output in outputs for source in output.sources)


def narrowed(source: str, name: str) -> str:
    """`customers.*` is `customers.name` where only the column `name` of it is meant."""
    return source[:-1] + name if source.endswith(".*") else source


def table(name: str, alias: str) -> Relation:
    """A base table or view, whose columns the target knows; `name` may have a schema."""
    schema, _, last = name.rpartition(".")
    rest = Output(name="*", sources=frozenset({f"{name}.*"}))
    return Relation(alias=alias or last, schema="" if alias else schema, rest=rest)


def based(name: str, alias: str, outputs: Sequence[Output] | None) -> Relation:
    """A table or view; `outputs` are its columns, if they are known."""
    if outputs is None:
        return table(name, alias)
    schema, _, last = name.rpartition(".")
    made = derived(alias or last, outputs)
    return Relation(
        alias=alias or last,
        schema="" if alias else schema,
        known=made.known,
        rest=made.rest,
        loose=made.rest is not None,
    )


def derived(alias: str, outputs: Sequence[Output], renamed: Sequence[str] = ()) -> Relation:
    """A subquery, CTE or join by its result columns; `renamed` are the alias' names for the first of them."""
    known: dict[str, Output] = {}
    stars: list[Output] = []
    for position, output in enumerate(outputs):
        if output.name == "*" and not stars:
            # Names given to columns of, or behind, a star may mean any column from there on.
            beyond = united(outputs[position:])
            for name in renamed[position:]:
                known[name] = Output(name=name, sources=beyond, exact=False)
        if output.name == "*":
            stars.append(output)
            continue
        name = renamed[position] if position < len(renamed) and not stars else output.name
        if name in known:
            both = united([known[name], output])
            known[name] = Output(name=name, sources=both, exact=known[name].exact and output.exact)
        else:
            known[name] = Output(name=name, sources=output.sources, exact=output.exact)
    rest = None
    if stars:
        rest = Output(name="*", sources=united(stars), exact=all(star.exact for star in stars))
    return Relation(alias=alias, known=known, rest=rest)


def renamed_table(relation: Relation, names: Sequence[str]) -> Relation:
    """A relation whose alias names its columns; where they are not known, each may be any of them."""
    if not names:
        return relation
    if relation.rest is None:
        return derived(relation.alias, tuple(relation.known.values()), names)
    known = {name: Output(name=name, sources=relation.whole, exact=False) for name in names}
    return Relation(
        alias=relation.alias, schema=relation.schema, known=known, rest=relation.rest, made=relation.made
    )


def side_by_side(left: Sequence[Output], right: Sequence[Output]) -> tuple[Output, ...]:
    """The columns of a set operation, named by its left side."""
    if any(output.name == "*" for output in left):
        both = [*left, *right]
        return (Output(name="*", sources=united(both), exact=all(output.exact for output in both)),)
    if any(output.name == "*" for output in right):
        beyond = united(right)
        return tuple(Output(name=o.name, sources=o.sources | beyond, exact=False) for o in left)
    return tuple(
        Output(name=a.name, sources=a.sources | b.sources, exact=a.exact and b.exact)
        for a, b in zip(left, right, strict=False)
    )


def stored_in(
    table: str, columns: Sequence[str], outputs: Iterable[Output], *, created: bool
) -> Iterator[Output]:
    """What goes where when rows of `outputs` go into a table's `columns`.

    A table that is `created` calls the columns without a name in `columns` as they were called.
    """
    starred = False
    for position, output in enumerate(outputs):
        starred = starred or output.name == "*"
        if position < len(columns) and not starred:
            column = columns[position].lower()
        elif created and not (columns and starred):
            column = output.name
        else:
            column = "*"
        kept = created and not columns and output.exact
        yield Output(name=f"{table}.{column}", sources=output.sources, exact=kept)


def recursive(
    scope: Scope, entries: Sequence[tuple[str, Callable[[], tuple[Output, ...]]]], *, nested: bool
) -> None:
    """Read the entries of a recursive WITH, which may use themselves and those behind them, until nothing new turns up.

    One that is `nested` in another is read with each pass of that one, and so but once for itself.
    """
    ctes = scope.ctes
    for name, _ in entries:
        ctes[name] = (Output(name="*", sources=NOTHING),)
    for _ in range(1 if nested else PASSES):
        before = dict(ctes)
        for name, read in entries:
            ctes[name] = read()
        if ctes == before:
            return
    everything = frozenset(source for outputs in ctes.values() for source in united(outputs))
    for name, outputs in ctes.items():
        ctes[name] = tuple(Output(name=o.name, sources=everything, exact=False) for o in outputs)
