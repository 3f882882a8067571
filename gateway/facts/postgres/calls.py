"""Functions that a text calls, by name or through an operator, a cast or a string: what each does.

What goes into a call is the caller's to read (`expressions`); here it is only handed on.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.facts.postgres import blocks, functions, settings
from gateway.facts.postgres.reading import Reading
from gateway.facts.postgres.tree import Node, constant, named_so, strings
from gateway.facts.schema import Function
from gateway.facts.sources import NOTHING, Sources
from gateway.model import Effect

_CONFINED = frozenset({"sql", "plpgsql", "c", "internal"})
"""Languages whose functions keep what they declare: the database's own, and code that an administrator installed."""
_MEANT = {"BETWEEN": (">=", "<="), "NOT BETWEEN": ("<", ">")}
"""Spellings of comparisons that stand where an operator's name does."""
_CHECKED = 'SELECT ({}) FROM (SELECT NULL) AS given ("value")'
"""A domain's CHECK as a query: the value is none that is stored."""


def operator(reading: Reading, name: object) -> None:
    """An operator is a function of another spelling: those made in the database do what theirs does."""
    parts = strings(name) if isinstance(name, list) else []
    schema = parts[0] if len(parts) > 1 else ""
    known = reading.schema
    calls: tuple[str, ...] | None = None
    if (
        known is not None
        and known.operators
        and parts
        and not (reading.bound and not reading.inside and not schema)
    ):
        wanted = _MEANT.get(parts[-1], (parts[-1],))
        found = [known.operator(schema, operator) for operator in wanted]
        if any(each is not None for each in found):
            calls = tuple(call for each in found for call in each or ())
    if calls is None and schema not in {"", "pg_catalog"}:
        reading.doubt(f"operator of schema {schema}")
    _run(reading, calls or ())


def cast(reading: Reading, names: Sequence[str]) -> None:
    """A value becomes one of the type: casts and domains of the target's own call functions."""
    if reading.schema is None or not reading.schema.types:
        return
    found = reading.schema.cast([name.lower() for name in names])
    if found is not None:
        _run(reading, found.calls)
        for check in found.checks:
            reading.brought |= reading.text(reading, _CHECKED.format(check))


def cast_by_name(reading: Reading, called: str, text: str | None) -> None:
    if text is not None:
        cast(reading, named_so(text).split("."))
    elif reading.schema is not None and reading.schema.types:
        reading.doubt(f"function {called} is given a type that is not written out")


def _run(reading: Reading, calls: Sequence[str]) -> None:
    """Functions that the text calls without naming them."""
    for call in calls:
        schema, _, name = call.rpartition(".")
        done(reading, schema, name, NOTHING)


def done(reading: Reading, schema: str, name: str, made_of: Sources) -> Sources:
    """What calling a function does; gives what its result is made of beside its arguments."""
    effects = functions.effects_of(schema, name)
    if effects is None and (known := reading.schema.called(schema, name) if reading.schema else ()):
        found = _own(reading, schema, name, known)
        if reading.effects - {Effect.READ}:
            reading.carries("", made_of)
        return found
    called = f"{schema}.{name}" if schema else name
    if effects is None:
        effects = frozenset({Effect.UNKNOWN})
    if Effect.UNKNOWN in effects:
        reading.doubt(f"function {called} has a body that cannot be seen")
    reading.does(*effects)
    if effects:
        reading.carries("", made_of)
    for effect in sorted(effects):
        reading.touches("function", called.lower(), effect)
    return NOTHING if schema or (reading.bound and not reading.inside) else _instead(reading, name)


def _instead(reading: Reading, name: str) -> Sources:
    """What functions of the target's own do that a bare built-in name may mean: `lower(varchar)` beats `lower(text)`."""
    known = reading.schema.called("", name) if reading.schema else ()
    return _own(reading, "", name, [function for function in known if not function.extension])


def _own(reading: Reading, schema: str, name: str, known: Sequence[Function]) -> Sources:
    """Functions of the target's own: one in SQL does what its text does; one that is immutable only computes.

    Whoever wrote PL/pgSQL may have been wrong about that: what reads as SQL in it counts.
    """
    found = NOTHING
    called = f"{schema}.{name}" if schema else name
    reading.own = reading.own or bool(known)
    for function in known:
        immutable = function.immutable and function.language in _CONFINED
        if function.defaults:
            found |= reading.text(reading, f"SELECT {function.defaults}")
        if function.language == "sql" and function.body:
            found |= reading.text(reading, function.body)
        elif immutable and function.language == "plpgsql" and blocks.is_static(function.body):
            for sql in blocks.statements(function.body):
                found |= reading.text(reading, sql)
        elif not immutable or function.language in {"sql", "plpgsql"}:
            reading.doubt(f"function {called} has a body that cannot be seen")
            reading.touches("function", called.lower(), Effect.UNKNOWN)
    reading.brought |= found
    return found


def set_config(reading: Reading, args: Sequence[Node]) -> None:
    name = constant(args[0]) if args else None
    value = constant(args[1]) if len(args) > 1 else None
    if name is None:
        reading.does(Effect.PRIVILEGE)
        reading.doubt("set_config is given a name that is not written out")
        return
    reading.sets(name.lower(), settings.effects_of(name, None if value is None else [value]))


def hidden(reading: Reading, name: str, args: Sequence[Node], sql: Sequence[int]) -> Sources:
    """SQL, or a table's name, that stands in a string and is run by the function."""
    found = NOTHING
    for position in sql:
        if position >= len(args):
            continue
        text = constant(args[position])
        if name == "ts_rewrite" and len(args) != 2:
            continue
        if name == "crosstab" and position == 1 and text is not None and text.isdigit():
            continue
        if text is None:
            reading.doubt(f"function {name} runs SQL that is not written out")
        else:
            found |= reading.text(reading, text)
    if name in functions.READS_TABLE:
        table = named_so(constant(args[functions.READS_TABLE[name]]) or "") if args else ""
        spliced = args[: functions.READS_NAMED.get(name, 0)] if len(args) > 5 else args[:3]
        if not table:
            reading.doubt(f"function {name} reads a table that is not written out")
        elif name in functions.READS_NAMED and not all(named_so(constant(arg) or "") for arg in spliced):
            reading.doubt(f"function {name} runs SQL that is not written out")
        else:
            reading.touches("table", table, Effect.READ)
            whole = reading.relation(table, "").whole
            reading.columns(whole)
            found |= whole
    return found
