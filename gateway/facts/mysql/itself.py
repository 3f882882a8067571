"""Subqueries in a condition: whether they look at the row around them, and whether they bring the whole table itself."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp


class Itself:
    """A table that rows are taken from, as the subqueries of its WHERE may speak of it."""

    def __init__(
        self, where: exp.Expr, table: str, alias: str, restricts: Callable[[exp.Expr, str, str], bool]
    ) -> None:
        self._last = table.rpartition(".")[2].lower()
        self._names = {self._last, alias.lower()}
        self._restricts = restricts
        clause = where.root().args.get("with_")
        self._ctes = (
            {each.alias.lower(): each.this for each in clause.expressions} if clause is not None else {}
        )

    def brings_all(self, tested: exp.Expr | None, query: exp.Expr) -> bool:
        """`id IN (SELECT id FROM t)`, however deep: the table's own column, all of it."""
        select = query.find(exp.Select)
        tables = list(query.find_all(exp.Table))
        if select is None or not isinstance(tested, exp.Column) or len(tables) != 1:
            return False
        projected = select.expressions[0].unalias() if len(select.expressions) == 1 else None
        column = isinstance(projected, exp.Star) or (
            isinstance(projected, exp.Column) and projected.name.lower() in {tested.name.lower(), "*"}
        )
        return column and self._keeps_all(query, tables[0])

    def is_bound(self, tested: exp.Expr, query: exp.Expr, bound: type[exp.Min | exp.Max]) -> bool:
        """`id >= (SELECT MIN(id) FROM t)`."""
        select = query.find(exp.Select)
        tables = list(query.find_all(exp.Table))
        if select is None or len(select.expressions) != 1 or len(tables) != 1:
            return False
        found = select.expressions[0].unalias()
        return isinstance(found, bound) and found.this == tested and self._keeps_all(query, tables[0])

    def _keeps_all(self, query: exp.Expr, table: exp.Table) -> bool:
        named = self._ctes.get(table.name.lower()) if not table.db else None
        if named is not None:
            inner = list(named.find_all(exp.Table))
            if len(inner) != 1 or inner[0].name.lower() == table.name.lower():
                return False
            return self._keeps_all(named, inner[0])
        if table.name.lower() != self._last:
            return False
        for select in query.find_all(exp.Select):
            if any(select.args.get(key) for key in ("having", "limit", "offset", "joins", "group")):
                return False
            where = select.args.get("where")
            if where is not None and self._restricts(where.this, self._last, table.alias):
                return False
        return True

    def is_looked_at(self, query: exp.Expr) -> bool:
        """Whether a subquery may look at the row around it: by the table's name, or by one it does not bring itself."""
        brought = {name.lower() for each in query.find_all(exp.Table) for name in (each.name, each.alias)}
        derived = any(isinstance(each.parent, exp.From | exp.Join) for each in query.find_all(exp.Subquery))
        for column in query.find_all(exp.Column):
            table = column.table.lower()
            if (table in self._names and table not in brought) if table else not (brought or derived):
                return True
        return False


def plain_value(query: exp.Expr) -> exp.Expr | None:
    """The one value of a query that takes it from nowhere: `(SELECT 1)`."""
    while isinstance(query, exp.Subquery | exp.Any):
        query = query.this
    if not isinstance(query, exp.Select) or len(query.expressions) != 1:
        return None
    source = query.args.get("from_")
    if source is not None and source.this.name.lower() != "dual":
        return None
    beyond = ("where", "having", "limit", "offset", "group", "joins", "with_")
    return None if any(query.args.get(key) for key in beyond) else query.expressions[0].unalias()


def looks_at_a_row(node: exp.Expr) -> bool:
    """Whether a column stands in it, outside of its subqueries."""
    waiting: list[exp.Expr] = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, exp.Column):
            return True
        if not isinstance(each, exp.Query):
            waiting += each.iter_expressions()
    return False
