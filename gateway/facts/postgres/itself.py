"""Queries that bring a table's every row back to itself: `id IN (SELECT id FROM t)`, through WITH, joins and unions.

Of each result column of a query this tells which column of the table it has every value of, if it has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gateway.facts.postgres.tree import Node, constant, dotted, strings

Columns = Mapping[str, str]
"""Label -> the table's column of which every value stands under it; `*` is every column under its own name."""
_NOTHING: Columns = {}
_ALL: Columns = {"*": "*"}
_DEEPEST = 8


class Itself:
    """`keeps(where, alias)`: whether a condition on the table, called so, leaves all rows."""

    def __init__(
        self, table: str, keeps: Callable[[Node, str], bool], ctes: Mapping[str, Node] | None = None
    ) -> None:
        self._table = table
        self._keeps = keeps
        self._ctes = ctes or {}

    def beside(self, items: Sequence[Node], depth: int = 0) -> dict[str, Columns]:
        """Of what stands in FROM or USING, by its name there."""
        found: dict[str, Columns] = {}
        for item in items:
            found |= self._item(item, depth)
        return found

    def rows(self, select: Node, depth: int = 0) -> list[tuple[str, str]]:
        """Of each result column its label, and the column of the table whose every value it has, or ""."""
        if depth > _DEEPEST:
            return []
        if select.get("larg"):
            left, right = (self.rows(select[side], depth + 1) for side in ("larg", "rarg"))
            if not (self._whole(select) and len(left) == len(right)):
                return []
            pairs = zip(left, right, strict=True)
            match select.get("op"):
                case "SETOP_UNION":
                    return [(a[0], a[1] or b[1]) for a, b in pairs]
                case "SETOP_INTERSECT":
                    return [(a[0], a[1] if a[1] == b[1] else "") for a, b in pairs]
                case _:
                    return []
        sources = self.beside(select.get("fromClause", ()), depth + 1)
        if not sources or not self._whole(select) or not self._unrestricted(select, sources):
            return []
        return [each for target in select.get("targetList", ()) for each in _target(target, sources)]

    def _item(self, item: Node, depth: int) -> dict[str, Columns]:
        if "RangeVar" in item:
            body = item["RangeVar"]
            name = dotted(body)
            alias = body.get("alias", {}).get("aliasname", name.rpartition(".")[2]).lower()
            if "." not in name and name in self._ctes:
                entry = self._ctes[name]
                query = entry.get("ctequery", {}).get("SelectStmt", {})
                return {alias: _labelled(self.rows(query, depth + 1), entry.get("aliascolnames"))}
            own = name.rpartition(".")[2] == self._table
            return {alias: _ALL if own and "colnames" not in body.get("alias", {}) else _NOTHING}
        if "RangeSubselect" in item:
            body = item["RangeSubselect"]
            alias = body.get("alias", {})
            found = self.rows(body["subquery"].get("SelectStmt", {}), depth + 1)
            return {alias.get("aliasname", "").lower(): _labelled(found, alias.get("colnames"))}
        if "JoinExpr" in item:
            return self._join(item["JoinExpr"], depth)
        return {}

    def _join(self, body: Node, depth: int) -> dict[str, Columns]:
        left, right = (self._item(body[side], depth) for side in ("larg", "rarg"))
        kept = {"JOIN_LEFT": left, "JOIN_RIGHT": right, "JOIN_FULL": left | right}.get(
            body.get("jointype", "")
        )
        if kept is None:
            free = not body.get("isNatural") and "usingClause" not in body
            kept = (
                left | right
                if free and constant(body.get("quals")) in {None, "on"} and _is_plain(body)
                else {}
            )
        return {} if "alias" in body else kept

    @staticmethod
    def _whole(select: Node) -> bool:
        """No row is left out by number or by group."""
        limit = select.get("limitCount", {}).get("A_Const", {})
        offset = select.get("limitOffset")
        unlimited = "limitCount" not in select or limit.get("isnull")
        return (
            bool(unlimited) and (offset is None or constant(offset) == "0") and "havingClause" not in select
        )

    def _unrestricted(self, select: Node, sources: Mapping[str, Columns]) -> bool:
        where = select.get("whereClause")
        return where is None or (len(sources) == 1 and self._keeps(where, next(iter(sources))))


def _is_plain(join: Node) -> bool:
    return "quals" not in join or "A_Const" in join["quals"]


def _labelled(rows: Sequence[tuple[str, str]], names: Sequence[Node] | None) -> Columns:
    given = [name.lower() for name in strings(list(names or ()))]
    return {
        given[at] if at < len(given) else label: column for at, (label, column) in enumerate(rows) if column
    }


def _target(target: Node, sources: Mapping[str, Columns]) -> list[tuple[str, str]]:
    body = target.get("ResTarget", {})
    reference = body.get("val", {}).get("ColumnRef", {})
    fields = reference.get("fields", [])
    names = [name.lower() for name in strings(fields)]
    if any("A_Star" in field for field in fields):
        meant = [sources.get(names[-1], _NOTHING)] if names else list(sources.values())
        return [each for columns in meant for each in columns.items()]
    column = looked_up(names, sources) if names else ""
    return [(body.get("name", names[-1] if names else "").lower(), column)]


def looked_up(names: Sequence[str], sources: Mapping[str, Columns]) -> str:
    """The column of the table whose every value stands under a dotted name, or ""."""
    if len(names) > 1:
        meant = [sources.get(names[-2], _NOTHING)]
    else:
        meant = list(sources.values()) if len(sources) == 1 else []
    for columns in meant:
        if "*" in columns:
            return names[-1]
        return columns.get(names[-1], "")
    return ""
