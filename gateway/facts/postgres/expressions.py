"""Expressions: what their value is made of, and what evaluating them does.

Nothing but a name, a subquery, a call, an operator and a field access needs its own rule; the value of everything
else is made of what its parts are made of.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.facts.postgres import calls, functions
from gateway.facts.postgres.asking import asks, weighs
from gateway.facts.postgres.labels import named
from gateway.facts.postgres.likeness import bare
from gateway.facts.postgres.reading import Reading
from gateway.facts.postgres.tree import Node, constant, strings, typed
from gateway.facts.sources import NOTHING, Relation, Scope, Sources, united
from gateway.model import Effect, Output

_VALUED_SUBLINKS = frozenset(
    {"EXPR_SUBLINK", "ARRAY_SUBLINK", "ANY_SUBLINK", "ALL_SUBLINK", "ROWCOMPARE_SUBLINK"}
)
_NOT_VALUED = frozenset({"funcname", "agg_filter", "over"})
_COUNTING = frozenset({"count", "pg_typeof"})
"""Calls whose value tells nothing of their arguments' values, where these are columns and not made of them."""


def gather(reading: Reading, value: object, scope: Scope) -> Sources:
    """Every stored column that `value` (a node, a struct or a list of them) is made of."""
    levels: list[tuple[Node, Sources]] = []
    while isinstance(value, dict) and "A_Expr" in value:
        # Long chains of operators lean to the left: followed in a loop, they need no stack.
        reading.step()
        expression = value["A_Expr"]
        calls.operator(reading, expression.get("name"))
        right = gather(reading, expression.get("rexpr"), scope)
        if right and strings(expression.get("name"))[-1:] in (["/"], ["%"]):
            reading.columns(right, kind="condition")  # by nothing, it fails
        levels.append((expression, right))
        value = expression.get("lexpr")
    reading.step()
    found = NOTHING
    if isinstance(value, list):
        found = NOTHING.union(*[gather(reading, item, scope) for item in value])
    elif isinstance(value, dict):
        found = NOTHING.union(*[_field(reading, key, inner, scope) for key, inner in value.items()])
    return _computed(reading, levels, found) if levels else found


def _computed(reading: Reading, levels: list[tuple[Node, Sources]], found: Sources) -> Sources:
    """What a chain of operators is made of, given the leftmost; what may make one of them fail counts as a condition."""
    asked = NOTHING
    for expression, right in reversed(levels):
        if found or right:
            if weighs(expression) and not (found and right):
                asked |= found | right
            if asks(expression.get("lexpr", {})):
                asked |= found
            if isinstance(expression.get("rexpr"), dict) and asks(expression["rexpr"]):
                asked |= right
        found |= right
    if asked:
        reading.columns(asked, kind="condition")
    return found


def _field(reading: Reading, key: str, inner: object, scope: Scope) -> Sources:
    if not isinstance(inner, dict | list):
        return NOTHING
    if isinstance(inner, dict):
        match key:
            case "ColumnRef":
                return united(_column(reading, inner, scope))
            case "FuncCall":
                return _call(reading, inner, scope)
            case "SubLink":
                return _sublink(reading, inner, scope)
            case "A_Indirection":
                return united(_indirection(reading, inner, scope))
            case "SelectStmt":
                return united(reading.query(reading, {key: inner}, scope))
            case "TypeName" | "typeName":
                calls.cast(reading, strings(inner.get("names")))
                return NOTHING
            case "NullTest":
                # Whether a value is there tells nothing of it; whether one made of it is there may.
                _counted(reading, [inner.get("arg", {})], gather(reading, inner, scope), scope)
                return NOTHING
            case "CaseExpr" | "CaseWhen":
                # Which branch is computed shows, if one of them fails or takes its time.
                decides = "arg" if key == "CaseExpr" else "expr"
                rest = {name: part for name, part in inner.items() if name != decides}
                return condition(reading, inner.get(decides), scope) | gather(reading, rest, scope)
            case "TypeCast" | "CoalesceExpr":
                args = inner.get("args", [inner.get("arg", {})])
                found = gather(reading, inner, scope)
                return _asked(reading, args, found)
            case "BoolExpr" if len(inner.get("args", ())) > 1:
                return condition(reading, inner["args"], scope)
            case _:
                pass
    if key in {"operName", "useOp"}:
        calls.operator(reading, inner)
    return gather(reading, inner, scope)


def _asked(reading: Reading, args: Sequence[Node], made_of: Sources) -> Sources:
    """What goes into something that may fail, or be left out."""
    if made_of and any(map(asks, args)):
        reading.columns(made_of, kind="condition")
    return made_of


def values(reading: Reading, node: Node, scope: Scope) -> list[Output]:
    """The result column, or the columns of a star, that a target list's `node` gives."""
    kind, body = typed(node)
    label = ""
    if kind == "ResTarget":
        label, node = body.get("name", ""), body.get("val", {})
        kind, body = typed(node) if node else ("", {})
    match kind:
        case "ColumnRef":
            found = _column(reading, body, scope)
        case "A_Indirection":
            found = _indirection(reading, body, scope)
        case "CollateClause":
            found = values(reading, body["arg"], scope)
        case "SubLink" if body.get("subLinkType") == "EXPR_SUBLINK":
            found = list(reading.query(reading, body["subselect"], scope))
            if len(found) != 1 or found[0].name == "*":
                found = [Output(name="?column?", sources=united(found), exact=False)]
        case _:
            found = [Output(name=named(node), sources=gather(reading, node, scope), exact=False)]
    if label and len(found) == 1 and found[0].name != "*":
        found = [Output(name=label, sources=found[0].sources, exact=found[0].exact)]
    return found


def condition(reading: Reading, value: object, scope: Scope) -> Sources:
    """Read what decides which rows or groups come back, and in which order."""
    found = gather(reading, value, scope)
    reading.columns(found, kind="condition")
    return found


def _column(reading: Reading, body: Node, scope: Scope) -> list[Output]:
    fields = body.get("fields", [])
    names = [name.lower() for name in strings(fields)]
    star = any("A_Star" in field for field in fields)
    if star and not names:
        outputs = scope.star()
    elif star:
        relation = scope.relation(names[-1], names[-2] if len(names) > 1 else "")
        outputs = relation.star() if relation else [_outside(names, "*")]
    elif len(names) == 1:
        outputs = [scope.resolve(names[0])]
    else:
        outputs = [_qualified(reading, scope, names)]
    reading.columns(united(outputs))
    return outputs


def _qualified(reading: Reading, scope: Scope, names: Sequence[str]) -> Output:
    relation = scope.relation(names[-2], names[-3] if len(names) > 2 else "")
    if relation is None:
        return _outside(names[:-1], names[-1])
    return _of_row(reading, scope, relation, names[-1])


def _of_row(reading: Reading, scope: Scope, relation: Relation, name: str) -> Output:
    """`c.name`: a column, or where `c` has none of that name, the function, called with the row.

    A function's row may be a value of any type (`x.pg_terminate_backend FROM pg_backend_pid() AS x`).
    """
    found = relation.field(name)
    if found is not None and not (relation.made and name not in relation.known):
        return found
    sources = relation.whole | (found.sources if found else NOTHING)
    return Output(name=name, sources=sources | _called(reading, scope, name, {}), exact=False)


def _called(reading: Reading, scope: Scope, name: str, arg: Node) -> Sources:
    """What `(arg).name` does where it is no field: PostgreSQL calls the function of that name, with whatever stands there.

    A name that no function here is known by is taken for a field.
    """
    doing = functions.effects_of("", name) or name in functions.RUNS_SQL or name in functions.READS_TABLE
    if not doing and not (reading.schema and reading.schema.called("", name)):
        return NOTHING
    return _call(reading, {"funcname": [{"String": {"sval": name}}], "args": [arg]}, scope)


def _outside(names: Sequence[str], column: str) -> Output:
    """A column of something that this text does not bring in: taken by its own word."""
    return Output(name=column, sources=frozenset({f"{'.'.join(names[-2:])}.{column}"}))


def _whole_row(scope: Scope, node: Node) -> Relation | None:
    """The relation that `(name)` means as a row, if it can mean nothing else."""
    names = [name.lower() for name in strings(node.get("ColumnRef", {}).get("fields"))]
    if len(names) != 1 or any(names[0] in relation.known for relation in scope.relations):
        return None
    return scope.relation(names[0])


def _indirection(reading: Reading, body: Node, scope: Scope) -> list[Output]:
    arg, steps = body.get("arg", {}), body.get("indirection", [])
    sources = gather(reading, arg, scope) | gather(reading, [s for s in steps if "A_Indices" in s], scope)
    last = steps[-1] if steps else {}
    relation = _whole_row(scope, arg) if len(steps) == 1 and "String" in last else None
    if relation is None:
        for place, field in enumerate(strings(steps)):
            sources |= _called(reading, scope, field, {} if place else arg)
    if "A_Star" in last:
        return [Output(name="*", sources=sources, exact=False)]
    name = (strings([last]) or [named(arg)])[0].lower()
    if relation is not None:
        found = _of_row(reading, scope, relation, name)
        reading.columns(found.sources)
        return [found]
    return [Output(name=name, sources=sources, exact=False)]


def _sublink(reading: Reading, body: Node, scope: Scope) -> Sources:
    calls.operator(reading, body.get("operName"))
    test = gather(reading, body.get("testexpr"), scope)
    outputs = reading.query(reading, body["subselect"], scope)
    kind = body.get("subLinkType", "")
    if body.get("testexpr"):
        reading.columns(united(outputs), kind="condition")
    return test | united(outputs) if kind in _VALUED_SUBLINKS else test


def _call(reading: Reading, body: Node, scope: Scope) -> Sources:
    parts = strings(body.get("funcname"))
    schema, name = (parts[-2] if len(parts) > 1 else ""), (parts[-1] if parts else "")
    args = body.get("args", [])
    made_of = gather(reading, {key: value for key, value in body.items() if key not in _NOT_VALUED}, scope)
    _asked(reading, args, made_of)
    made_of |= condition(reading, [body.get("agg_filter"), body.get("over")], scope)
    if name in _COUNTING and schema in {"", "pg_catalog"}:
        _counted(reading, args, made_of, scope)
        made_of = NOTHING
    if name in functions.MULTIPLIES:
        reading.columns(made_of, kind="condition")
    if name == "set_config" and schema in {"", "pg_catalog"}:
        reading.carries("", made_of)
        calls.set_config(reading, args)
        return made_of
    sql = [functions.RUNS_SQL[name]] if name in functions.RUNS_SQL else []
    sql += functions.RUNS_MORE_SQL.get(name, ())
    if name in functions.CASTS_TO and len(args) > functions.CASTS_TO[name]:
        calls.cast_by_name(reading, name, constant(args[functions.CASTS_TO[name]]))
    if sql or name in functions.READS_TABLE:
        return made_of | calls.hidden(reading, name, args, sql)
    made_of |= calls.done(reading, schema, name, made_of)
    if name in {"nextval", "setval"} and args and (sequence := constant(args[0])):
        reading.touches("sequence", sequence.lower(), Effect.WRITE)
    return made_of


def _counted(reading: Reading, args: Sequence[Node], made_of: Sources, scope: Scope) -> None:
    """`count(nullif(ssn = '1', false))` asks about values as a WHERE does, also where a subquery computed it."""
    if made_of and not all(_as_stored(reading, bare(arg), scope) for arg in args):
        reading.columns(made_of, kind="condition")


def _as_stored(reading: Reading, node: Node, scope: Scope) -> bool:
    """Whether a column or row stands there that nobody computed."""
    if "ColumnRef" not in node:
        return False
    row = _whole_row(scope, node)
    return all(output.exact for output in (row.star() if row else _column(reading, node["ColumnRef"], scope)))
