"""Whether a WHERE restricts anything: a condition that every row meets protects none.

A condition is folded to one of four truths. `ALL` and `NONE` hold whatever the data; `EITHER` is the same for all
rows (a parameter, a setting, an uncorrelated subquery), so it may let every row through; `SOME` depends on the row.
Comparisons that only look like they depend on it (`id = id`, `id > 0`, `name LIKE '%'`) are folded too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.facts.postgres.computing import Unsure, value_of
from gateway.facts.postgres.itself import Columns, Itself, looked_up
from gateway.facts.postgres.likeness import (
    bare,
    boolean,
    column,
    covers,
    empty,
    logical,
    negates,
    offset,
    plain,
    qualifier,
    qualifiers,
    same,
    scalar,
    written_out,
)
from gateway.facts.postgres.row import Row
from gateway.facts.postgres.tree import Node, constant, strings, typed
from gateway.facts.postgres.trial import always
from gateway.facts.postgres.truth import OPPOSITE, Truth, both, fixed, never_fails

_NEVER_NEGATIVE = frozenset(
    {"length", "char_length", "octet_length", "abs", "cardinality", "bit_length", "num_nulls", "num_nonnulls"}
)
_LIKE_ANYTHING = frozenset({"%", "%%"})
_MATCH_ANYTHING = frozenset({"", ".*", "^", "$", "^.*$", "^.*", ".*$", "(.*)", "^(.*)$"})
_PAIRS = 20_000
"""Pairs of an OR's sides that are compared; where there are more, nothing is taken to be restricted."""


def restricts(
    where: Node | None,
    table: str,
    alias: str,
    *,
    joined: Sequence[Node] = (),
    ctes: Mapping[str, Node] | None = None,
) -> bool:
    """Whether `where` keeps some rows of `table`, called `alias`, out whatever the data.

    `joined` stands beside the table in FROM or USING, `ctes` in the statement's WITH, by name.
    """
    if where is None:
        return False
    row = Row(table.rpartition(".")[2], alias)
    truth = _Folding(table, row, ctes=ctes or {}, joined=joined).truth(where)
    if truth is Truth.SOME and always(where, is_key=row.is_key, is_own=row.is_own):
        return False
    return truth in {Truth.SOME, Truth.NONE}


class _Folding:
    def __init__(
        self,
        table: str,
        row: Row,
        *,
        ctes: Mapping[str, Node],
        joined: Sequence[Node] = (),
        beside: Mapping[str, Columns] | None = None,
    ) -> None:
        self._table = table
        self._row = row
        self._ctes = ctes
        self._itself = Itself(row.last, lambda where, own: not restricts(where, table, own, ctes=ctes), ctes)
        self._beside = beside if beside is not None else self._itself.beside(joined)

    def truth(self, node: Node) -> Truth:
        self._row.step()
        if not node:
            return Truth.EITHER
        kind, body = typed(node)
        match kind:
            case "A_Const":
                if body.get("isnull"):
                    return Truth.NONE
                value = (constant(node) or "").lower()
                return Truth.NONE if value in {"off", "false", "f", "no", "n", "0"} else Truth.ALL
            case "TypeCast" | "CollateClause":
                return self.truth(body.get("arg", {}))
            case "BoolExpr":
                return self._connected(body)
            case "BooleanTest":
                return self._tested(body)
            case "NullTest":
                return self._null(body)
            case "A_Expr":
                return self._compared(body)
            case "SubLink":
                return self._sublink(body)
            case "CaseExpr":
                return self._case(body)
            case "CoalesceExpr":
                return self._coalesced(body)
            case "CurrentOfExpr":
                return Truth.SOME
            case _:
                return Truth.SOME if self._row.varies(node) else Truth.EITHER

    def _connected(self, body: Node) -> Truth:
        args = body.get("args", [])
        truths = [self.truth(arg) for arg in args]
        match body.get("boolop"):
            case "NOT_EXPR":
                return OPPOSITE.get(truths[0], truths[0])
            case "AND_EXPR":
                if self._beside and Truth.EITHER in truths:
                    truths = self._tied(args, truths)
                if Truth.NONE in truths:
                    return Truth.NONE
                for truth in (Truth.SOME, Truth.EITHER):
                    if truth in truths:
                        return truth
                return Truth.ALL
            case _:
                if Truth.ALL in truths or self._complementary(args):
                    return Truth.ALL
                for truth in (Truth.EITHER, Truth.SOME):
                    if truth in truths:
                        return truth
                return Truth.NONE

    def _tied(self, args: list[Node], truths: list[Truth]) -> list[Truth]:
        """`t.id = u.id AND u.rn > 1`: once tied to the row, what else is asked of `u` is asked of the row."""
        tied: set[str] = set()
        for arg in args:
            body = bare(arg).get("A_Expr", {})
            left, right = bare(body.get("lexpr", {})), bare(body.get("rexpr", {}))
            if strings(body.get("name")) == ["="] and self._same_row(left, right):
                tied.update(name for side in (left, right) for name in qualifier(side))
        return [
            Truth.SOME if truth is Truth.EITHER and tied & set(qualifiers(arg)) else truth
            for arg, truth in zip(args, truths, strict=True)
        ]

    def _complementary(self, args: list[Node]) -> bool:
        """`p OR NOT p`, `x = 1 OR x <> 1`, `x IS NULL OR x IS NOT NULL`."""
        sides = [bare(arg) for arg in args]
        # Two equalities never complete one another, and long lists are mostly those.
        others = [side for side in sides if strings(side.get("A_Expr", {}).get("name")) != ["="]]
        if len(others) * len(sides) > _PAIRS:
            return True
        return any(
            negates(one, other) or negates(other, one) or covers(one, other) or covers(other, one)
            for one in others
            for other in sides
            if one is not other
        )

    def _tested(self, body: Node) -> Truth:
        arg = self.truth(body.get("arg", {}))
        match body.get("booltesttype"):
            case "IS_TRUE" | "IS_NOT_FALSE":
                return arg
            case "IS_FALSE" | "IS_NOT_TRUE":
                return OPPOSITE.get(arg, arg)
            case "IS_NOT_UNKNOWN":
                return (
                    Truth.ALL
                    if arg is not Truth.SOME or self._row.only_keys(body.get("arg", {}))
                    else Truth.SOME
                )
            case _:
                return Truth.NONE if arg is not Truth.SOME else Truth.SOME

    def _null(self, body: Node) -> Truth:
        arg = body.get("arg", {})
        if not self._row.varies(arg):
            return Truth.EITHER
        if body.get("nulltesttype") == "IS_NOT_NULL":
            return Truth.ALL if self._row.only_keys(arg) else Truth.SOME
        return Truth.NONE if self._row.only_keys(arg) else Truth.SOME

    def _compared(self, body: Node) -> Truth:
        if written_out(body):
            value = value_of({"A_Expr": body}, {})
            return Truth.EITHER if isinstance(value, Unsure) else Truth.ALL if value is True else Truth.NONE
        kind = body.get("kind", "")
        left, right = bare(body.get("lexpr", {})), bare(body.get("rexpr", {}))
        operator = (strings(body.get("name")) or [""])[-1]
        if kind == "AEXPR_IN":
            return self._listed(operator, left, right)
        if kind in {"AEXPR_BETWEEN", "AEXPR_BETWEEN_SYM"}:
            low, high = [*right.get("List", {}).get("items", ()), {}, {}][:2]
            return both(self._holds(">=", left, bare(low)), self._holds("<=", left, bare(high)))
        if kind in {"AEXPR_NOT_BETWEEN", "AEXPR_NOT_BETWEEN_SYM"}:
            return self._rowwise(left, right)
        if kind == "AEXPR_DISTINCT":
            if right.get("A_Const", {}).get("isnull") and self._row.only_keys(left):
                return Truth.ALL
            return Truth.NONE if same(left, right) else self._holds("<>", left, right)
        if kind == "AEXPR_NOT_DISTINCT":
            return self._holds("=", left, right)
        if kind in {"AEXPR_OP_ANY", "AEXPR_OP_ALL"} and empty(right):
            return Truth.ALL if kind == "AEXPR_OP_ALL" else Truth.NONE
        if kind == "AEXPR_OP_ANY" and "A_ArrayExpr" in right:
            items = {"List": {"items": right["A_ArrayExpr"].get("elements", [])}}
            return self._listed("=", left, items) if operator == "=" else self._rowwise(left, right)
        if "SubLink" in right and self._meets_all_of_itself(kind, operator, left, right["SubLink"]):
            return Truth.ALL
        if kind in {"AEXPR_LIKE", "AEXPR_ILIKE", "AEXPR_SIMILAR"} or operator in {"~~", "~", "~*", "~~*"}:
            anything = _MATCH_ANYTHING if operator in {"~", "~*"} else _LIKE_ANYTHING
            if constant(right) in anything and not operator.startswith("!") and operator != "<>":
                return Truth.ALL
            return self._rowwise(left, right)
        return self._holds(operator, left, right)

    def _holds(self, operator: str, left: Node, right: Node) -> Truth:
        """`left operator right` for the ordinary comparisons."""
        if any(self._defaults_to(one, other) for one, other in ((left, right), (right, left))):
            return Truth.EITHER
        left, right = plain(left), plain(right)
        if operator == "=" and self._same_row(left, right):
            return Truth.ALL
        if same(left, right):
            return Truth.ALL if operator in {"=", ">=", "<=", "~~", "@>", "<@"} else Truth.NONE
        (base, plus), (other_base, other_plus) = offset(left), offset(right)
        if plus != other_plus and same(base, other_base):
            return fixed(operator, plus, other_plus)
        one, other = scalar(left), scalar(right)
        if one is not None and other is not None:
            return fixed(operator, one, other)
        if one is not None and operator in {"<", ">", "<=", ">=", "=", "<>"}:
            mirrored = operator.translate(str.maketrans("<>", "><")) if operator != "<>" else operator
            return self._holds(mirrored, right, left)
        if self._row.varies(left) and other is not None:
            called = strings(left.get("FuncCall", {}).get("funcname"))[-1:]
            sized = bool(called) and called[0] in _NEVER_NEGATIVE
            key = "ColumnRef" in left and self._row.only_keys(left)
            if never_fails(operator, other, key=key, sized=sized):
                return Truth.ALL
        truths = [self.truth(side) for side in (left, right) if logical(side)]
        if len(truths) == 2 and Truth.SOME not in truths and operator == "=":
            return Truth.ALL if truths[0] is truths[1] else Truth.EITHER
        for side, value in ((left, right), (right, left)):
            wanted = boolean(value)
            if wanted is not None and operator in {"=", "<>"} and logical(side):
                truth = self.truth(side)
                return truth if wanted == (operator == "=") else OPPOSITE.get(truth, truth)
        return self._rowwise(left, right)

    def _defaults_to(self, given: Node, column: Node) -> bool:
        """`coalesce($1, id)` beside `id`: a filter that is off where the parameter is null."""
        args = [bare(arg) for arg in bare(given).get("CoalesceExpr", {}).get("args", ())]
        return bool(args) and not self._row.varies(args[0]) and any(same(arg, bare(column)) for arg in args)

    def _same_row(self, left: Node, right: Node) -> bool:
        """`t.id = u.id`, where `u` brings every row of `t`."""
        if not (self._beside and "ColumnRef" in left and "ColumnRef" in right):
            return False
        for own, other in ((left, right), (right, left)):
            names = [name.lower() for name in strings(other["ColumnRef"].get("fields"))]
            if len(names) > 1 and self._row.is_own(own) and looked_up(names, self._beside) == column(own):
                return True
        return False

    def _rowwise(self, *sides: Node) -> Truth:
        return Truth.SOME if any(self._row.varies(side) for side in sides) else Truth.EITHER

    def _listed(self, operator: str, left: Node, right: Node) -> Truth:
        items = [bare(item) for item in right.get("List", {}).get("items", ())]
        if operator == "<>":
            kept = [self._holds("<>", left, item) for item in items[:100]]
            if Truth.NONE in kept:
                return Truth.NONE
            return Truth.ALL if set(kept) == {Truth.ALL} else self._rowwise(left, *items)
        truths = [self._holds("=", left, item) for item in items[:100]]
        if Truth.ALL in truths:
            return Truth.ALL
        return (
            Truth.SOME
            if self._row.varies(left) or any(self._row.varies(item) for item in items)
            else Truth.EITHER
        )

    def _sublink(self, body: Node) -> Truth:
        select = body.get("subselect", {}).get("SelectStmt", {})
        kind = body.get("subLinkType", "")
        test = bare(body.get("testexpr", {}))
        if kind == "ANY_SUBLINK" and self._everything_of_itself(test, select):
            return Truth.ALL
        if kind in {"ANY_SUBLINK", "ALL_SUBLINK"} and self._row.varies(test):
            return Truth.SOME
        if kind == "EXISTS_SUBLINK" and "whereClause" in select and self._finds_itself(select):
            return Truth.ALL
        correlated = self._row.correlated(select) if kind == "EXISTS_SUBLINK" else self._row.refers(select)
        return Truth.SOME if correlated else Truth.EITHER

    def _meets_all_of_itself(self, kind: str, operator: str, test: Node, sublink: Node) -> bool:
        """`id = ANY (ARRAY(SELECT id FROM t))`, `id >= (SELECT min(id) FROM t)`, `id = (SELECT id ... of this row)`."""
        select = sublink.get("subselect", {}).get("SelectStmt", {})
        if kind == "AEXPR_OP_ANY":
            return operator == "=" and self._everything_of_itself(test, select)
        targets = select.get("targetList", [])
        value = targets[0].get("ResTarget", {}).get("val", {}) if len(targets) == 1 else {}
        if operator == "=" and "whereClause" in select and self._finds_itself(select):
            return "ColumnRef" in value and column(value) == column(test)
        call = value.get("FuncCall", {})
        if [operator, *strings(call.get("funcname"))] not in ([">=", "min"], ["<=", "max"]):
            return False
        inner = [{"ResTarget": {"val": arg}} for arg in call.get("args", ())]
        return self._everything_of_itself(test, {**select, "targetList": inner})

    def _everything_of_itself(self, test: Node, select: Node) -> bool:
        """`id IN (SELECT id FROM t)`: the table's own column, all of it."""
        rows = self._itself.rows(select)
        return len(rows) == 1 and "ColumnRef" in test and column(test) in {rows[0][1], "*"} - {""}

    def _finds_itself(self, select: Node) -> bool:
        """`EXISTS (SELECT FROM t u WHERE u.id = t.id)`: each row finds at least itself."""
        beside = self._itself.beside(select.get("fromClause", ()))
        if not beside or self._row.alias in beside or {"limitOffset", "havingClause", "larg"} & select.keys():
            return False
        inner = _Folding(self._table, Row(self._row.last, self._row.alias), ctes=self._ctes, beside=beside)
        return inner.truth(select.get("whereClause", {})) is Truth.ALL

    def _case(self, body: Node) -> Truth:
        results = [when["CaseWhen"].get("result", {}) for when in body.get("args", ())]
        truths = {self.truth(node) for node in results}
        truths.add(self.truth(body["defresult"]) if body.get("defresult") else Truth.NONE)
        if len(truths) == 1:
            return truths.pop()
        for when in body.get("args", ()):
            first = self.truth(when["CaseWhen"].get("expr", {}))
            if first is Truth.ALL and not body.get("arg"):
                return self.truth(when["CaseWhen"].get("result", {}))
            if first is not Truth.NONE:
                break
        return Truth.SOME if self._row.varies({"CaseExpr": body}) else Truth.EITHER

    def _coalesced(self, body: Node) -> Truth:
        truths = [self.truth(arg) for arg in body.get("args", ())]
        if truths[0] in OPPOSITE or len(set(truths)) == 1:
            return truths[0]
        return Truth.SOME if Truth.SOME in truths else Truth.EITHER
