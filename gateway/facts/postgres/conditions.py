"""Whether a WHERE restricts anything: a condition that every row meets protects none.

A condition is folded to one of four truths. `ALL` and `NONE` hold whatever the data; `EITHER` is the same for all
rows (a parameter, a setting, an uncorrelated subquery), so it may let every row through; `SOME` depends on the row.
Comparisons that only look like they depend on it (`id = id`, `id > 0`, `name LIKE '%'`) are folded too.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from gateway.facts.postgres.tree import Node, children, constant, dotted, strings, typed


class Truth(Enum):
    ALL = "all"
    NONE = "none"
    EITHER = "either"
    SOME = "some"


_OPPOSITE = {Truth.ALL: Truth.NONE, Truth.NONE: Truth.ALL}
_COMPLEMENTS = frozenset({("=", "<>"), ("<", ">="), (">", "<="), ("~~", "!~~"), ("~", "!~"), ("~~*", "!~~*")})
_SYSTEM_KEYS = frozenset(
    {"id", "uuid", "guid", "pk", "oid", "rowid", "ctid", "xmin", "cmin", "tableoid", "_id"}
)
_NEVER_NEGATIVE = frozenset({"length", "char_length", "octet_length", "abs", "cardinality", "bit_length"})
_ANYTHING = frozenset({"", "%", "%%", ".*", "^", "$", "^.*$", "^.*", ".*$", "(.*)", "^(.*)$"})
_HUGE = 10**9
_DEEPEST = 60


def restricts(where: Node | None, table: str, alias: str) -> bool:
    """Whether `where` keeps some rows of `table`, called `alias`, out whatever the data."""
    if where is None:
        return False
    return _Folding(table, alias).truth(where, 0) in {Truth.SOME, Truth.NONE}


class _Folding:
    def __init__(self, table: str, alias: str) -> None:
        self._table = table
        self._last = table.rpartition(".")[2]
        self._alias = alias

    def truth(self, node: Node, depth: int) -> Truth:
        if not node or depth > _DEEPEST:
            return Truth.EITHER
        kind, body = typed(node)
        match kind:
            case "A_Const":
                if body.get("isnull"):
                    return Truth.NONE
                value = (constant(node) or "").lower()
                return Truth.NONE if value in {"off", "false", "f", "no", "n", "0"} else Truth.ALL
            case "TypeCast" | "CollateClause":
                return self.truth(body.get("arg", {}), depth + 1)
            case "BoolExpr":
                return self._connected(body, depth)
            case "BooleanTest":
                return self._tested(body, depth)
            case "NullTest":
                return self._null(body)
            case "A_Expr":
                return self._compared(body)
            case "SubLink":
                return self._sublink(body)
            case "CaseExpr":
                return self._case(body, depth)
            case "CoalesceExpr":
                return self._coalesced(body, depth)
            case "CurrentOfExpr":
                return Truth.SOME
            case _:
                return Truth.SOME if self._varies(node) else Truth.EITHER

    def _connected(self, body: Node, depth: int) -> Truth:
        args = body.get("args", [])
        truths = [self.truth(arg, depth + 1) for arg in args]
        match body.get("boolop"):
            case "NOT_EXPR":
                return _OPPOSITE.get(truths[0], truths[0])
            case "AND_EXPR":
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

    def _complementary(self, args: list[Node]) -> bool:
        """`p OR NOT p`, `x = 1 OR x <> 1`, `x IS NULL OR x IS NOT NULL`."""
        plain = [_bare(arg) for arg in args]
        for position, one in enumerate(plain):
            for other in plain[position + 1 :]:
                if _negates(one, other) or _negates(other, one):
                    return True
        return False

    def _tested(self, body: Node, depth: int) -> Truth:
        arg = self.truth(body.get("arg", {}), depth + 1)
        match body.get("booltesttype"):
            case "IS_TRUE" | "IS_NOT_FALSE":
                return arg
            case "IS_FALSE" | "IS_NOT_TRUE":
                return _OPPOSITE.get(arg, arg)
            case "IS_NOT_UNKNOWN":
                return (
                    Truth.ALL if arg is not Truth.SOME or self._only_keys(body.get("arg", {})) else Truth.SOME
                )
            case _:
                return Truth.NONE if arg is not Truth.SOME else Truth.SOME

    def _null(self, body: Node) -> Truth:
        arg = body.get("arg", {})
        if not self._varies(arg):
            return Truth.EITHER
        if body.get("nulltesttype") == "IS_NOT_NULL":
            return Truth.ALL if self._only_keys(arg) else Truth.SOME
        return Truth.NONE if self._only_keys(arg) else Truth.SOME

    def _compared(self, body: Node) -> Truth:
        kind = body.get("kind", "")
        left, right = _bare(body.get("lexpr", {})), _bare(body.get("rexpr", {}))
        operator = (strings(body.get("name")) or [""])[-1]
        if kind == "AEXPR_IN":
            return self._listed(operator, left, right)
        if kind in {"AEXPR_BETWEEN", "AEXPR_BETWEEN_SYM"}:
            low, high = [*right.get("List", {}).get("items", ()), {}, {}][:2]
            return self._both(self._holds(">=", left, _bare(low)), self._holds("<=", left, _bare(high)))
        if kind in {"AEXPR_NOT_BETWEEN", "AEXPR_NOT_BETWEEN_SYM"}:
            return self._rowwise(left, right)
        if kind == "AEXPR_DISTINCT":
            return Truth.NONE if _same(left, right) else self._holds("<>", left, right)
        if kind == "AEXPR_NOT_DISTINCT":
            return self._holds("=", left, right)
        if kind == "AEXPR_OP_ANY" and "A_ArrayExpr" in right:
            items = {"List": {"items": right["A_ArrayExpr"].get("elements", [])}}
            return self._listed("=", left, items) if operator == "=" else self._rowwise(left, right)
        if kind in {"AEXPR_LIKE", "AEXPR_ILIKE", "AEXPR_SIMILAR"} or operator in {"~~", "~", "~*", "~~*"}:
            pattern = _text(right)
            if (
                pattern is not None
                and pattern in _ANYTHING
                and not operator.startswith("!")
                and operator != "<>"
            ):
                return Truth.ALL if pattern or operator.startswith("~") else Truth.SOME
            return self._rowwise(left, right)
        return self._holds(operator, left, right)

    def _holds(self, operator: str, left: Node, right: Node) -> Truth:
        """`left operator right` for the ordinary comparisons."""
        if _same(left, right):
            return Truth.ALL if operator in {"=", ">=", "<=", "~~", "@>", "<@"} else Truth.NONE
        one, other = _scalar(left), _scalar(right)
        if one is not None and other is not None:
            return _fixed(operator, one, other)
        if one is not None and operator in {"<", ">", "<=", ">=", "=", "<>"}:
            mirrored = operator.translate(str.maketrans("<>", "><")) if operator != "<>" else operator
            return self._holds(mirrored, right, left)
        if self._varies(left) and isinstance(other, float) and self._always(operator, left, other):
            return Truth.ALL
        truths = [self.truth(side, 1) for side in (left, right) if _logical(side)]
        if len(truths) == 2 and Truth.SOME not in truths and operator == "=":
            return Truth.ALL if truths[0] is truths[1] else Truth.EITHER
        for side, value in ((left, right), (right, left)):
            wanted = _boolean(value)
            if wanted is not None and operator in {"=", "<>"} and _logical(side):
                truth = self.truth(side, 1)
                return truth if wanted == (operator == "=") else _OPPOSITE.get(truth, truth)
        return self._rowwise(left, right)

    def _always(self, operator: str, left: Node, value: float) -> bool:
        """Comparisons of a key, or of something never negative, that no row fails."""
        sized = (
            "FuncCall" in left and (strings(left["FuncCall"].get("funcname")) or [""])[-1] in _NEVER_NEGATIVE
        )
        if not sized and not self._only_keys(left):
            return False
        match operator:
            case ">":
                return value < 0 if sized else value <= 0
            case ">=":
                return value <= 0 if sized else value <= 1
            case "<>":
                return value < 0 if sized else value <= 0
            case "<" | "<=":
                return value >= _HUGE
            case _:
                return False

    def _both(self, one: Truth, other: Truth) -> Truth:
        for truth in (Truth.NONE, Truth.SOME, Truth.EITHER):
            if truth in {one, other}:
                return truth
        return Truth.ALL

    def _rowwise(self, *sides: Node) -> Truth:
        return Truth.SOME if any(self._varies(side) for side in sides) else Truth.EITHER

    def _listed(self, operator: str, left: Node, right: Node) -> Truth:
        items = [_bare(item) for item in right.get("List", {}).get("items", ())]
        if operator == "<>":
            return self._rowwise(left, *items)
        truths = [self._holds("=", left, item) for item in items[:100]]
        if Truth.ALL in truths:
            return Truth.ALL
        return Truth.SOME if self._varies(left) or any(self._varies(item) for item in items) else Truth.EITHER

    def _sublink(self, body: Node) -> Truth:
        select = body.get("subselect", {}).get("SelectStmt", {})
        kind = body.get("subLinkType", "")
        test = _bare(body.get("testexpr", {}))
        if kind == "ANY_SUBLINK" and self._everything_of_itself(test, select):
            return Truth.ALL
        if kind in {"ANY_SUBLINK", "ALL_SUBLINK"} and self._varies(test):
            return Truth.SOME
        return Truth.SOME if self._refers(select) else Truth.EITHER

    def _everything_of_itself(self, test: Node, select: Node) -> bool:
        """`id IN (SELECT id FROM t)`: the table's own column, all of it."""
        narrowing = {"whereClause", "limitCount", "limitOffset", "havingClause", "larg", "intersect"}
        sources = select.get("fromClause", [])
        targets = select.get("targetList", [])
        if narrowing & select.keys() and restricts(select.get("whereClause"), self._table, self._alias):
            return False
        if {"limitCount", "limitOffset", "havingClause", "larg"} & select.keys():
            return False
        if len(sources) != 1 or len(targets) != 1 or "RangeVar" not in sources[0]:
            return False
        inner = targets[0].get("ResTarget", {}).get("val", {})
        names = [strings(side.get("ColumnRef", {}).get("fields")) for side in (test, inner)]
        same = bool(names[0]) and bool(names[1]) and names[0][-1] == names[1][-1]
        return same and dotted(sources[0]["RangeVar"]).rpartition(".")[2] == self._last

    def _case(self, body: Node, depth: int) -> Truth:
        results = [when["CaseWhen"].get("result", {}) for when in body.get("args", ())]
        truths = {self.truth(node, depth + 1) for node in results}
        truths.add(self.truth(body["defresult"], depth + 1) if body.get("defresult") else Truth.NONE)
        if len(truths) == 1:
            return truths.pop()
        for when in body.get("args", ()):
            first = self.truth(when["CaseWhen"].get("expr", {}), depth + 1)
            if first is Truth.ALL and not body.get("arg"):
                return self.truth(when["CaseWhen"].get("result", {}), depth + 1)
            if first is not Truth.NONE:
                break
        return Truth.SOME if self._varies({"CaseExpr": body}) else Truth.EITHER

    def _coalesced(self, body: Node, depth: int) -> Truth:
        truths = [self.truth(arg, depth + 1) for arg in body.get("args", ())]
        return truths[0] if len(set(truths)) == 1 else (Truth.SOME if Truth.SOME in truths else Truth.EITHER)

    def _refers(self, value: object) -> bool:
        """Whether a subquery may name a column of the target: by its alias, or by a bare name."""
        if isinstance(value, dict) and "ColumnRef" in value:
            names = [name.lower() for name in strings(value["ColumnRef"].get("fields"))]
            return len(names) == 1 or (len(names) > 1 and names[-2] in {self._alias, self._last})
        return any(self._refers(inner) for inner in children(value))

    def _varies(self, node: object) -> bool:
        """Whether the value may differ from row to row of the target."""
        if not isinstance(node, dict):
            return any(self._varies(inner) for inner in children(node))
        if "ColumnRef" in node:
            names = [name.lower() for name in strings(node["ColumnRef"].get("fields"))]
            return len(names) < 2 or names[-2] in {self._alias, self._last}
        if "A_Expr" in node and _cancels(node["A_Expr"]):
            return False
        if "FuncCall" in node:
            name = (strings(node["FuncCall"].get("funcname")) or [""])[-1]
            if name in {"random", "gen_random_uuid"}:
                return True
        if "SubLink" in node:
            body = node["SubLink"]
            return self._varies(body.get("testexpr")) or self._refers(body.get("subselect"))
        return any(self._varies(inner) for inner in node.values())

    def _only_keys(self, node: Node) -> bool:
        """Whether the value is made of columns that are never null: the row's own key."""
        names = list(_columns(node))
        singular = self._last.removesuffix("s")
        keys = _SYSTEM_KEYS | {f"{singular}_id", f"{singular}id", f"{self._last}_id", f"{self._last}id"}
        return bool(names) and all(name in keys for name in names)


def _columns(value: object) -> Iterator[str]:
    if isinstance(value, dict) and "ColumnRef" in value:
        names = strings(value["ColumnRef"].get("fields"))
        yield names[-1].lower() if names else "*"
        return
    for inner in children(value):
        yield from _columns(inner)


def _bare(node: Node) -> Node:
    """The expression under casts and collations."""
    while node and ("TypeCast" in node or "CollateClause" in node):
        node = typed(node)[1].get("arg", {})
    return node


def _same(one: object, other: object) -> bool:
    """Structurally the same expression: locations aside, and not volatile on the face of it."""
    if isinstance(one, dict) and isinstance(other, dict):
        if "ColumnRef" in one and "ColumnRef" in other:
            a, b = (strings(side["ColumnRef"].get("fields")) for side in (one, other))
            return bool(a) and bool(b) and a[-1] == b[-1] and (len(a) == 1 or len(b) == 1 or a[-2] == b[-2])
        a_keys, b_keys = one.keys() - {"location"}, other.keys() - {"location"}
        if a_keys != b_keys or not a_keys:
            return False
        return all(_same(_unwrapped(one[key]), _unwrapped(other[key])) for key in a_keys)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(
            _same(_unwrapped(a), _unwrapped(b)) for a, b in zip(one, other, strict=True)
        )
    return one == other


def _unwrapped(value: object) -> object:
    return _bare(value) if isinstance(value, dict) else value


def _scalar(node: Node) -> float | str | None:
    """A literal as a number where it is one, else as text."""
    sign = 1
    while (
        "A_Expr" in node
        and "lexpr" not in node["A_Expr"]
        and strings(node["A_Expr"].get("name")) in (["-"], ["+"])
    ):
        sign = -sign if strings(node["A_Expr"]["name"]) == ["-"] else sign
        node = _bare(node["A_Expr"].get("rexpr", {}))
    text = constant(node)
    if text is None:
        return None
    try:
        return sign * float(text)
    except ValueError:
        return text


def _text(node: Node) -> str | None:
    return constant(node)


def _boolean(node: Node) -> bool | None:
    return {"on": True, "true": True, "t": True, "off": False, "false": False, "f": False}.get(
        (constant(node) or "").lower()
    )


def _logical(node: Node) -> bool:
    return bool({"BoolExpr", "NullTest", "BooleanTest", "A_Expr"} & node.keys())


def _fixed(operator: str, one: float | str, other: float | str) -> Truth:
    if type(one) is not type(other):
        one, other = str(one), str(other)
    match operator:
        case "=":
            held = one == other
        case "<>":
            held = one != other
        case "<" | "<=" | ">" | ">=" if isinstance(one, float) and isinstance(other, float):
            held = {"<": one < other, "<=": one <= other, ">": one > other, ">=": one >= other}[operator]
        case _:
            return Truth.EITHER
    return Truth.ALL if held else Truth.NONE


def _cancels(body: Node) -> bool:
    """`x - x`, `x * 0`, `x % 1`, `x ^ 0`: a value that no longer depends on the row."""
    operator = (strings(body.get("name")) or [""])[-1]
    left, right = _bare(body.get("lexpr", {})), _bare(body.get("rexpr", {}))
    match operator:
        case "-" | "/" | "#":
            return bool(left) and _same(left, right)
        case "*" | "&":
            return 0.0 in {_scalar(left), _scalar(right)}
        case "%":
            return _scalar(right) == 1.0 or (bool(left) and _same(left, right))
        case "^":
            return _scalar(right) == 0.0
        case _:
            return False


def _negates(one: Node, other: Node) -> bool:
    if "BoolExpr" in other and other["BoolExpr"].get("boolop") == "NOT_EXPR":
        return _same(one, _bare(other["BoolExpr"]["args"][0]))
    if "NullTest" in one and "NullTest" in other:
        kinds = {one["NullTest"].get("nulltesttype"), other["NullTest"].get("nulltesttype")}
        return len(kinds) == 2 and _same(one["NullTest"].get("arg"), other["NullTest"].get("arg"))
    if "A_Expr" in one and "A_Expr" in other:
        a, b = one["A_Expr"], other["A_Expr"]
        operators = ((strings(a.get("name")) or [""])[-1], (strings(b.get("name")) or [""])[-1])
        sides = _same(_bare(a.get("lexpr", {})), _bare(b.get("lexpr", {})))
        return (
            operators in _COMPLEMENTS
            and sides
            and _same(_bare(a.get("rexpr", {})), _bare(b.get("rexpr", {})))
        )
    return False
