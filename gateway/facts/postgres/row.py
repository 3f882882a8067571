"""The row that a condition is about: which values depend on it, and which of its columns are never null."""

from __future__ import annotations

from gateway.facts.postgres.likeness import cancels, columns
from gateway.facts.postgres.tree import Node, Unreadable, children, dotted, strings

_SYSTEM_KEYS = frozenset(
    {"id", "uuid", "guid", "pk", "oid", "rowid", "ctid", "xmin", "cmin", "tableoid", "_id"}
)
_WORK = 60_000
"""Nodes looked at for one condition."""


class Row:
    """One of the table called `last` without its schema, or by its alias."""

    def __init__(self, last: str, alias: str) -> None:
        self.last = last
        self.alias = alias
        self._work = 0

    def step(self) -> None:
        self._work += 1
        if self._work > _WORK:
            raise Unreadable("a condition takes too long to read")

    def correlated(self, select: Node) -> bool:
        """Whether which rows a subquery finds may depend on the target's row. What EXISTS selects does not matter."""
        deciding = {key: value for key, value in select.items() if key != "targetList"}
        return self.refers(deciding, own=self._brings(select))

    def _brings(self, select: Node) -> bool:
        """Whether a subquery has the target's table in its own FROM, so that bare names mean that one."""
        return any(
            dotted(item["RangeVar"]).rpartition(".")[2] == self.last
            for item in select.get("fromClause", ())
            if "RangeVar" in item
        )

    def refers(self, value: object, *, own: bool = False) -> bool:
        """Whether a subquery may name a column of the target: by its alias, or by a bare name."""
        self.step()
        if isinstance(value, dict) and "ColumnRef" in value:
            names = [name.lower() for name in strings(value["ColumnRef"].get("fields"))]
            return (len(names) == 1 and not own) or (len(names) > 1 and names[-2] in {self.alias, self.last})
        return any(self.refers(inner, own=own) for inner in children(value))

    def varies(self, node: object) -> bool:
        """Whether the value may differ from row to row of the target."""
        self.step()
        if not isinstance(node, dict):
            return any(self.varies(inner) for inner in children(node))
        if "ColumnRef" in node:
            return self.is_own(node) or not strings(node["ColumnRef"].get("fields"))
        if "A_Expr" in node and cancels(node["A_Expr"]):
            return False
        if "FuncCall" in node:
            name = (strings(node["FuncCall"].get("funcname")) or [""])[-1]
            if name in {"random", "gen_random_uuid"}:
                return True
        if "SubLink" in node:
            body = node["SubLink"]
            return self.varies(body.get("testexpr")) or self.refers(body.get("subselect"))
        return any(self.varies(inner) for inner in node.values())

    def only_keys(self, node: Node) -> bool:
        """Whether the value is made of columns that are never null: the row's own key."""
        names = list(columns(node))
        return bool(names) and all(self.is_key(name) for name in names)

    def is_key(self, name: str) -> bool:
        singular = self.last.removesuffix("s")
        return name in _SYSTEM_KEYS or name in {
            f"{singular}_id",
            f"{singular}id",
            f"{self.last}_id",
            f"{self.last}id",
        }

    def is_own(self, reference: Node) -> bool:
        """Whether a `ColumnRef` is to a column of the target's row."""
        names = [name.lower() for name in strings(reference["ColumnRef"].get("fields"))]
        return len(names) == 1 or (len(names) > 1 and names[-2] in {self.alias, self.last})
