"""What is known of one target: its tables' columns, what its views' columns are made of, what its functions would do.

A frozen value. With it names and stars lead to stored columns, and some functions are no longer unknown; what it does
not hold is read as if it were not there. `resolved` makes it from what the target's catalogue says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gateway.model import Effect, Effects, Output

Outputs = tuple[Output, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table, or a view by its query."""

    columns: tuple[str, ...]
    definition: str = ""
    """The query of a view, with schemas written out; "" for what stores its own rows."""
    believed: bool = False
    """A view whose query does no more than read now: its rows are stored, or it came with an extension."""
    generated: Mapping[str, str] = field(default_factory=dict)
    """Column -> the expression that it is computed by from others of the table."""
    parents: tuple[str, ...] = ()
    """Tables that show this one's rows as theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    language: str
    immutable: bool
    body: str = ""
    """Where it is SQL or PL/pgSQL that runs under the settings of whoever calls it, and as that one."""
    extension: bool = False
    """It came with an extension, which an administrator has installed."""
    defaults: str = ""
    """The expressions, separated by commas, that stand in for arguments which a call leaves out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Does:
    """What reading a view does beside reading: its query is run, with all that this calls."""

    effects: Effects = frozenset()
    doubts: tuple[str, ...] = ()
    brought: frozenset[str] = frozenset()
    """What functions of the target's own bring along."""
    own: bool = False
    """It calls such functions."""


NO_MORE = Does()


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewed:
    """A query of the catalogue, read."""

    outputs: Outputs
    does: Does = NO_MORE


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """What runs where a value becomes one of a type."""

    calls: tuple[str, ...] = ()
    """Functions, `schema.name`."""
    checks: tuple[str, ...] = ()
    """Expressions over `VALUE`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    path: tuple[str, ...]
    """Schemas in which a bare name is looked up, in order."""
    relations: Mapping[str, Outputs]
    """`schema.name`, lower-case -> what its columns are made of."""
    functions: Mapping[str, tuple[Function, ...]] = field(default_factory=dict)
    """`schema.name` -> every function of that name."""
    does: Mapping[str, Does] = field(default_factory=dict)
    """View -> what reading it does, where that is more than to read."""
    operators: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """`schema.operator`, of those made in the database -> the functions, `schema.name`, that it calls."""
    types: Mapping[str, Cast] = field(default_factory=dict)
    """`schema.type` -> what a cast to it runs, where that was made in the database."""
    loose: bool = False
    """What a relation's name means is not sure: `relations` and `does` are by every name, of all that it may mean."""

    def columns(self, name: str) -> Outputs | None:
        found = next((self.relations[full] for full in self._related(name) if full in self.relations), None)
        if self.loose and found is not None and name not in self.relations:
            return any_of(name, [[output for output in found if output.name != "*"]])
        return found

    def called(self, schema: str, name: str) -> tuple[Function, ...]:
        """Every function that a call may mean."""
        wanted = [f"{schema}.{name}"] if schema else self._meant(name)
        return tuple(found for full in wanted for found in self.functions.get(full, ()))

    def wary(self) -> Schema:
        """The same, with nothing believed of functions: somebody may have defined one anew."""
        doubts = ("a view calls a function whose body cannot be seen",)
        does = {
            name: replace(more, effects=more.effects | {Effect.UNKNOWN}, doubts=more.doubts + doubts)
            if more.own
            else more
            for name, more in self.does.items()
        }
        return replace(self, functions={}, does=does)

    def loosened(self) -> Schema:
        """The same for a session to which a name may mean another relation: of that name in any schema, or a new one.

        Names that were followed to what is stored are followed still.
        """
        wary = self.wary()
        kin: dict[str, list[str]] = {}
        for full in self.relations:
            kin.setdefault(full.rpartition(".")[2], []).append(full)
        relations: dict[str, Outputs] = {}
        does: dict[str, Does] = {}
        for bare, fulls in kin.items():
            more = [wary.does[full] for full in fulls if full in wary.does]
            for name in (bare, *fulls):
                relations[name] = any_of(name, [self.relations[full] for full in fulls])
                if more:
                    does[name] = Does(
                        effects=frozenset(effect for each in more for effect in each.effects),
                        doubts=tuple(dict.fromkeys(doubt for each in more for doubt in each.doubts)),
                        brought=frozenset(source for each in more for source in each.brought),
                        own=any(each.own for each in more),
                    )
        return replace(wary, relations=relations, does=does, loose=True)

    def operator(self, schema: str, name: str) -> tuple[str, ...] | None:
        """The functions that an operator may call, None where no such one was made here."""
        wanted = [f"{schema}.{name}"] if schema else self._meant(name)
        found = [self.operators[full] for full in wanted if full in self.operators]
        return tuple(call for calls in found for call in calls) if found else None

    def cast(self, names: Sequence[str]) -> Cast | None:
        """What a cast to the type of that name runs."""
        return next(
            (self.types[full] for full in self._meant(".".join(names[-2:])) if full in self.types), None
        )

    def does_of(self, name: str) -> Does:
        return next((self.does[full] for full in self._related(name) if full in self.does), NO_MORE)

    def names(self) -> Iterator[tuple[tuple[str, ...], Outputs]]:
        """Every relation: the names that mean it, the whole one first, and its columns."""
        for full, outputs in self.relations.items():
            bare = full.rpartition(".")[2]
            known = next((name for name in self._meant(bare) if name in self.relations), "")
            yield ((full, bare) if known == full else (full,)), outputs

    def _related(self, name: str) -> Sequence[str]:
        return (name, name.rpartition(".")[2]) if self.loose else self._meant(name)

    def _meant(self, name: str) -> Sequence[str]:
        return (name,) if "." in name else [f"{schema}.{name}" for schema in self.path]


def families(tables: Mapping[str, Table]) -> dict[str, frozenset[str]]:
    """Table -> all tables whose rows it may show, or which may show its: those connected by inheritance."""
    found: dict[str, set[str]] = {}
    for name, table in tables.items():
        for parent in table.parents:
            together = found.get(name, {name}) | found.get(parent, {parent})
            for member in together:
                found[member] = together
    return {name: frozenset(members) for name, members in found.items()}


def stored(name: str, tables: Mapping[str, Table], family: Iterable[str]) -> Iterator[Output]:
    """The columns of a table that stores its own rows."""
    for column in tables[name].columns:
        kin = [f"{other}.{column}" for other in family if other in tables and column in tables[other].columns]
        yield Output(name=column, sources=frozenset([f"{name}.{column}", *kin]))


def any_of(name: str, each: Iterable[Iterable[Output]]) -> Outputs:
    """The columns of a relation of that name that may be any of several, or another one that nobody has told of.

    The star at both ends leaves open what else there is, and where.
    """
    found: dict[str, Output] = {}
    for output in (output for outputs in each for output in outputs):
        known = found.get(output.name, Output(name=output.name, sources=frozenset({f"{name}.{output.name}"})))
        found[output.name] = Output(
            name=output.name, sources=known.sources | output.sources, exact=known.exact and output.exact
        )
    rest = Output(name="*", sources=frozenset({f"{name}.*"}))
    return (rest, *found.values(), rest)


def anything(columns: Iterable[str]) -> Outputs:
    """Columns that could not be followed: each may be made of anything."""
    return tuple(Output(name=column, sources=frozenset({"*"}), exact=False) for column in columns)
