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
        found = _projected(query)
        return (
            isinstance(tested, exp.Column)
            and (
                isinstance(found, exp.Star)
                or (isinstance(found, exp.Column) and found.name.lower() in {tested.name.lower(), "*"})
            )
            and self._keeps_all(query)
        )

    def is_bound(self, tested: exp.Expr, query: exp.Expr, bound: type[exp.Min | exp.Max]) -> bool:
        """`id >= (SELECT MIN(id) FROM t)`."""
        found = _projected(query)
        return isinstance(found, bound) and found.this == tested and self._keeps_all(query)

    def _keeps_all(self, query: exp.Expr, inside: frozenset[str] = frozenset()) -> bool:
        """Whether every row of the table comes back; `inside` are the WITH queries around this one."""
        query = _unwrapped(query)
        if isinstance(query, exp.Union):
            return self._keeps_all(query.left, inside) or self._keeps_all(query.right, inside)
        source = query.args.get("from_")
        if (
            not isinstance(query, exp.Select)
            or source is None
            or any(query.args.get(key) for key in _NARROWS)
        ):
            return False
        table, where = source.this, query.args.get("where")
        if where is not None and self._restricts(where.this, self._last, table.alias):
            return False
        if not isinstance(table, exp.Table):
            return isinstance(table, exp.Subquery) and self._keeps_all(table, inside)
        name = table.name.lower()
        if not table.db and name in self._ctes.keys() - inside:
            return self._keeps_all(self._ctes[name], inside | {name})
        return name == self._last

    def is_looked_at(self, query: exp.Expr) -> bool:
        """Whether a subquery may look at the row around it: by the table's name, or by one it does not bring itself."""
        brought = {name.lower() for each in query.find_all(exp.Table) for name in (each.name, each.alias)}
        derived = any(isinstance(each.parent, exp.From | exp.Join) for each in query.find_all(exp.Subquery))
        for column in query.find_all(exp.Column):
            table = column.table.lower()
            if (table in self._names and table not in brought) if table else not (brought or derived):
                return True
        return False


_NARROWS = ("having", "limit", "offset", "joins", "group")


def _unwrapped(query: exp.Expr) -> exp.Expr:
    while isinstance(query, exp.Subquery | exp.Any | exp.Paren):
        query = query.this
    return query


def _projected(query: exp.Expr) -> exp.Expr | None:
    """The one thing that a query selects."""
    query = _unwrapped(query)
    while isinstance(query, exp.SetOperation):
        query = _unwrapped(query.left)
    selected = query.expressions if isinstance(query, exp.Select) else []
    return selected[0].unalias() if len(selected) == 1 else None


def plain_value(query: exp.Expr) -> exp.Expr | None:
    """The one value of a query that takes it from nowhere: `(SELECT 1)`."""
    query = _unwrapped(query)
    if not isinstance(query, exp.Select) or len(query.expressions) != 1:
        return None
    source = query.args.get("from_")
    if source is not None and source.this.name.lower() != "dual":
        return None
    beyond = ("where", "with_", *_NARROWS)
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
